"""Questions of lesson 07."""

from transfer_lib.questions import Question

q_nan = Question(
    "07.q_nan",
    "In float16 the loss becomes nan at step 40 and stays so. What do you try first?",
    {
        "a": (
            "More epochs: it will recover",
            "After one nan every weight is nan. No later step can bring them back.",
        ),
        "b": (
            "bfloat16, or a GradScaler, and the loss in float32",
            "bfloat16 has the range of "
            "float32, so nothing overflows; a GradScaler skips the steps that do.",
        ),
        "c": ("A larger batch", "The batch size does not change the range of float16."),
    },
    right="b",
)

q_shift = Question(
    "07.q_shift",
    "Your classifier was tested on film reviews: 85 %. What do you tell the shop that wants it for "
    "device reviews?",
    {
        "a": (
            "It will be 85 % right there too",
            "A test set speaks for its own domain only. Words "
            "and what they judge change from films to devices.",
        ),
        "b": (
            "It will not work at all",
            "Much of it transfers: the encoder knows the language, and "
            "praise shares words. How much, you must measure.",
        ),
        "c": (
            "Label some device reviews first: to measure it, and to train on",
            "The first few "
            "dozen tell how large the loss is; the same ones, used for training, bring part of it "
            "back.",
        ),
    },
    right="c",
)
