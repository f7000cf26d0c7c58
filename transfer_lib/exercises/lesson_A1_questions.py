"""Questions of appendix A1."""

from transfer_lib.questions import Question

q_few = Question(
    "A1.q_few",
    "The gain of transfer over training from scratch is usually largest when the target has ...",
    {
        "a": (
            "few labels, and a related source",
            "The source stands in for target data that is missing.",
        ),
        "b": (
            "many labels",
            "With many labels, scratch learns all of it by itself, and the gain shrinks.",
        ),
        "c": (
            "no relation to the source, so that everything is new",
            "Then there is nothing to carry over, and the gain may be negative.",
        ),
    },
    right="a",
)
