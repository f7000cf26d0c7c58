"""Exercises of lesson 05."""

from transfer_lib.checking import Wrong, array, call, close, exercise, number
from transfer_lib.questions import Question


@exercise(
    "05.attention_mask",
    hints=[
        "The mask has one row per sentence and as many columns as the longest sentence has tokens.",
        "Position j of a sentence is a token when j is smaller than its number of tokens.",
        "`places = np.arange(max(lengths))`, then compare `places[None, :]` with "
        "`np.array(lengths)[:, None]`.",
    ],
)
def attention_mask(answer):
    """Return the mask: 1 for a token, 0 for padding, shape (sentences, longest length)."""
    lengths = [3, 5, 1]
    right = [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]]
    value = array(call(answer, list(lengths)), "the mask")
    if value.shape == (5, 3):
        raise Wrong("This is transposed: one row per sentence, one column per position.")
    if value.shape != (3, 5):
        raise Wrong(
            f"For the lengths {lengths} the mask has the shape (3, 5): 3 sentences, padded to the "
            f"longest, 5 tokens. Yours has the shape {value.shape}."
        )
    import numpy as np

    if close(value, 1 - np.array(right)):
        raise Wrong("This is the wrong way round: 1 stands for a token, 0 for padding.")
    if close(value, np.array(right)[:, ::-1]):
        raise Wrong("This pads on the left; BERT's tokeniser puts the padding on the right.")
    if close(value[0], [1, 1, 1, 1, 0]):
        raise Wrong("One too many: positions count from 0, so the last token is at length - 1.")
    if not close(value, right):
        raise Wrong(f"For the lengths {lengths} the first row is {right[0]}; yours is {value[0]}.")
    if array(call(answer, [2, 2]), "the mask").shape != (2, 2):
        raise Wrong("For the lengths [2, 2] the shape is (2, 2): use the longest of the argument.")
    return "`tokenizer(..., padding=True)` returns the same under `attention_mask`."


@exercise(
    "05.mean_pool",
    hints=[
        "Give the mask a last axis, `mask[..., None]`, so that it multiplies each vector.",
        "Sum over the tokens, axis 1, and divide by the number of real tokens of each text.",
        "`return (states * mask[..., None]).sum(1) / mask.sum(1)[:, None]`",
    ],
)
def mean_pool(answer):
    """Return the mean of the vectors of the real tokens, shape (batch, width)."""
    import torch

    states = torch.arange(24, dtype=torch.float32).reshape(2, 4, 3) ** 1.5
    mask = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 0]])
    right = torch.stack([states[0, :2].mean(0), states[1, :3].mean(0)])
    value = array(call(answer, states.clone(), mask.clone()), "the pooled vectors")
    masked = states * mask[..., None]
    if value.shape != (2, 3):
        raise Wrong(
            "Two texts with vectors of width 3 give the shape (2, 3): sum over the tokens, axis 1. "
            f"Yours has the shape {value.shape}."
        )
    if close(value, states.mean(1)):
        raise Wrong("The padding is in this mean. Multiply by the mask before you sum.")
    if close(value, masked.mean(1)):
        raise Wrong(
            "The sum is right, but it is divided by the padded length. Divide by the number of "
            "real tokens, `mask.sum(1)`."
        )
    if close(value, masked.sum(1)):
        raise Wrong("This is the sum. Divide it by the number of real tokens of each text.")
    if close(value, states[:, 0]):
        raise Wrong("This is the first token's vector. Take the mean over all real tokens.")
    if close(value, masked.sum(1) / mask.sum()):
        raise Wrong("Divide by the tokens of each text, not by those of the whole batch.")
    if not close(value, right):
        raise Wrong(
            f"The first text's vector is {right[0].tolist()}; yours is {value[0].tolist()}."
        )


@exercise(
    "05.learning_rate",
    hints=[
        "Two cases: `step < warm` on the way up, else on the way down.",
        "Up: the share `step / warm` of top. Down: the share of the remaining steps that are left.",
        "Down: `top * (total - step) / (total - warm)`",
    ],
)
def learning_rate(answer):
    """Return the rate: from 0 up to top at step warm, then down to 0 at step total."""
    top, warm, total = 2e-4, 10, 110
    expected = {0: 0.0, 5: 1e-4, 10: 2e-4, 60: 1e-4, 110: 0.0}  # step to rate
    value = {
        s: number(call(answer, s, top, warm, total), f"the rate at step {s}") for s in expected
    }

    def same(step, other):
        return close(value[step], other, atol=1e-12)

    if same(0, top):
        raise Wrong("There is no warm-up here: at step 0 the rate is 0, and it rises to top.")
    if same(5, 0.5) or same(60, 0.5):
        raise Wrong("This is the share of the top rate; multiply it by top.")
    if same(60, top) and same(110, top):
        raise Wrong("The rate stays at top after the warm-up; it should fall to 0 at step total.")
    if same(60, top * 50 / 110):
        raise Wrong(
            "On the way down, divide by the steps after the warm-up, total - warm. As it is, the "
            "rate jumps at the end of the warm-up."
        )
    if same(60, top * 60 / 110) and same(110, top * 10 / 110):
        raise Wrong("The rate does not reach 0 at step total: divide by total - warm.")
    if value[110] > value[60] > value[10] or same(110, top * 110 / 10) or same(110, top):
        raise Wrong("After the warm-up the rate falls; yours goes on rising.")
    for step, right in expected.items():
        if not same(step, right):
            raise Wrong(
                f"With top={top}, warm={warm} and total={total}, the rate at step {step} is "
                f"{right:g}; yours is {value[step]:.3g}."
            )
    return "`transformers.get_linear_schedule_with_warmup` multiplies by the same share."


@exercise(
    "05.decaying",
    hints=[
        "A bias and the weight of a layer normalisation are vectors: their `ndim` is 1.",
        "Keep the names of the parameters whose `ndim` is larger than 1.",
    ],
)
def decaying(answer):
    """Return the names of the parameters that weight decay pulls on: the matrices."""
    from torch import nn

    model = nn.Sequential()
    model.add_module("dense", nn.Linear(3, 4))
    model.add_module("LayerNorm", nn.LayerNorm(4))
    model.add_module("norm2", nn.LayerNorm(4))
    model.add_module("embed", nn.Embedding(5, 4))
    value = call(answer, list(model.named_parameters()))
    try:
        value = [item if isinstance(item, str) else item[0] for item in value]
        names = set(value)
    except TypeError:
        raise Wrong("Return a list of names, such as ['dense.weight'].") from None
    everything = {name for name, _ in model.named_parameters()}
    if not names <= everything:
        raise Wrong(f"Return names out of the pairs, such as 'dense.weight'; this is {value}.")
    if names == everything:
        raise Wrong("Nothing is left out. Biases and layer normalisation get no weight decay.")
    if names == {name for name in everything if "bias" not in name}:
        raise Wrong(
            "The biases are out, but the weights of layer normalisation are still in. They are "
            "vectors too: look at `ndim`."
        )
    if names == everything - {"dense.weight", "embed.weight"}:
        raise Wrong("This is the other half: decay pulls on the matrices, not on the vectors.")
    if "norm2.weight" in names:
        raise Wrong(
            "A name need not say what it is: norm2 is a layer normalisation. Look at `ndim`."
        )
    if names != {"dense.weight", "embed.weight"}:
        raise Wrong(f"The matrices are dense.weight and embed.weight; yours are {sorted(names)}.")
    return "The head's weight is a matrix too, so it decays; its bias does not."


@exercise(
    "05.leaks",
    hints=[
        "Bring both sides to one form: lower case, single spaces, no space at the ends.",
        "`' '.join(text.lower().split())` is such a form. Put those of training in a set.",
    ],
)
def leaks(answer):
    """Return the test texts that also stand in training, whatever their case and spaces."""
    training = ["Great film.", "It broke ", "Too  loud"]
    tested = ["great film.", "A great film.", "It broke", "too loud", "Fine"]
    value = call(answer, list(training), list(tested))
    try:
        value = list(value)
    except TypeError:
        raise Wrong("Return a list of the test texts that are also in training.") from None
    if value and all(isinstance(v, int | bool) for v in value):
        raise Wrong("Return the texts themselves, not numbers or True and False.")
    right = ["great film.", "It broke", "too loud"]
    if not value:
        raise Wrong("You found none, because 'Great film.' and 'great film.' differ in case.")
    if sorted(value) == sorted(training):
        raise Wrong("These are the training texts. Return those of the test part, as they are.")
    if set(value) == {"great film."}:
        raise Wrong("'It broke' is in training with a space at its end: strip the ends.")
    if set(value) == {"It broke"}:
        raise Wrong("'great film.' is in training as 'Great film.': case must not matter.")
    if set(value) == {"great film.", "It broke"}:
        raise Wrong("'too loud' is in training with two spaces: spaces inside must not matter.")
    if "A great film." in value:
        raise Wrong("'A great film.' is another text: compare whole texts, not parts of them.")
    if "Fine" in value:
        raise Wrong("'Fine' is not in training. Return only what stands in both.")
    if sorted(value) != sorted(right):
        raise Wrong(
            f"Expected {right}; yours is {value}. Return the test texts as they were given."
        )


@exercise(
    "05.class_weights",
    hints=[
        "`np.bincount(y)` counts the rows of each class.",
        "rows / (classes * rows of that class), with the counts as an array.",
    ],
)
def class_weights(answer):
    """Return one weight per class: rows / (classes * rows of that class)."""
    import numpy as np

    y = np.array([0] * 6 + [1] * 2 + [2] * 4)
    counts = np.bincount(y)
    right = len(y) / (3 * counts)
    value = array(call(answer, y.copy()), "the weights")
    if value.shape == (len(y),):
        raise Wrong("This is one weight per row. Return one per class.")
    if value.shape != (3,):
        raise Wrong(f"With three classes there are three weights; yours has shape {value.shape}.")
    if close(value, counts / len(y)) or close(value, counts):
        raise Wrong("A frequent class has the larger weight here. It is the other way round.")
    if close(value, len(y) / counts):
        raise Wrong("Divide by the number of classes as well, so that an even set has weights 1.")
    if close(value, 1 / counts) or close(value * right.sum(), right):
        raise Wrong(
            "The ratios are right, but the size is not: an even set should have weights of 1. "
            "Multiply by the rows and divide by the classes."
        )
    if not close(value, right):
        raise Wrong(
            f"For 6, 2 and 4 rows the weights are {right.tolist()}; yours {value.tolist()}."
        )
    return "scikit-learn calls the same weights `class_weight='balanced'`."


@exercise(
    "05.freeze",
    hints=[
        "`module.requires_grad_(False)` freezes all parameters of a module.",
        "The layers are `encoder.encoder.layer[:k]`; go through them one by one.",
        "`return sum(p.numel() for p in encoder.parameters() if p.requires_grad)`",
    ],
)
def freeze(answer):
    """Freeze the embeddings and the first k layers; return how many parameters stay trainable."""
    from torch import nn

    def model():
        encoder = nn.Module()
        encoder.embeddings = nn.Embedding(10, 4)
        encoder.encoder = nn.Module()
        encoder.encoder.layer = nn.ModuleList([nn.Linear(4, 4) for _ in range(4)])
        encoder.pooler = nn.Linear(4, 4)
        return encoder

    fresh = model()
    value = number(call(answer, fresh, 3), "the number of parameters")
    frozen = [not p.requires_grad for p in fresh.encoder.layer.parameters()]
    if fresh.embeddings.weight.requires_grad and any(frozen):
        raise Wrong("The layers are frozen, but the embeddings are not: freeze them as well.")
    if not any(frozen):
        raise Wrong(
            "The first k layers can still be trained. Set `requires_grad` of their parameters; on "
            "a module as a whole, use the method `requires_grad_(False)`."
        )
    if all(frozen):
        raise Wrong("All layers are frozen; freeze only the first k: `encoder.encoder.layer[:k]`.")
    if frozen[0] is False:
        raise Wrong("These are the upper layers. Freeze the first k, those near the input.")
    if frozen != [True] * 6 + [False] * 2:
        raise Wrong(f"For k=3, three layers are frozen; yours are {sum(frozen) // 2}.")
    if not fresh.pooler.weight.requires_grad:
        raise Wrong("What comes after the layers stays trainable; you froze it too.")
    trainable = sum(p.numel() for p in fresh.parameters() if p.requires_grad)
    if close(value, sum(p.numel() for p in fresh.parameters())):
        raise Wrong("This counts all parameters. Count those whose `requires_grad` is True.")
    if close(value, sum(p.requires_grad for p in fresh.parameters())):
        raise Wrong("This counts tensors. Add up their numbers of entries, `numel()`.")
    if not close(value, trainable):
        raise Wrong(f"The freezing is right; {trainable} parameters can be trained, not {value:g}.")
    other = model()
    call(answer, other, 0)
    if not all(p.requires_grad for p in other.encoder.layer.parameters()):
        raise Wrong("For k=0 no layer is frozen, only the embeddings.")


@exercise(
    "05.abstain",
    hints=[
        "The confidence is the largest probability of the row: `probabilities.max(1)`.",
        "`np.where(condition, one, other)` picks row by row.",
    ],
)
def abstain(answer):
    """Return each row's most probable class, or -1 where its probability is below the threshold."""
    import numpy as np

    p = np.array([[0.9, 0.1], [0.45, 0.55], [0.2, 0.8], [0.3, 0.7]])
    value = array(call(answer, p.copy(), 0.8), "the classes")
    if value.shape != (4,):
        raise Wrong(
            f"One class for each row: keep the rows you abstain from, as -1. Yours has the shape "
            f"{value.shape}, not (4,)."
        )
    if close(value, p.argmax(1)):
        raise Wrong("The threshold has no effect. Put -1 where the confidence is below it.")
    if close(value, [-1, 1, -1, 1]):
        raise Wrong("This is the wrong way round: abstain below the threshold, not above it.")
    if close(value, [0, -1, -1, -1]):
        raise Wrong("At exactly the threshold the model still answers: use >=, not >.")
    if close(value, [-1, -1, 1, -1]):
        raise Wrong(
            "You look at the probability of class 1 only. The confidence is the larger of both."
        )
    if close(value, p.max(1)) or close(value, np.where(p.max(1) >= 0.8, p.max(1), -1)):
        raise Wrong("This is the confidence. Return the class: `argmax`.")
    if not close(value, [0, -1, 1, -1]):
        raise Wrong(f"Expected [0, -1, 1, -1] at a threshold of 0.8; yours is {value.tolist()}.")
    if not close(array(call(answer, p.copy(), 0.5), "the classes"), [0, 1, 1, 1]):
        raise Wrong("At a threshold of 0.5 nothing is left out here. Use the argument threshold.")


q_unknown = Question(
    "05.q_unknown",
    "A review calls a kettle 'unspillable', a word that the vocabulary lacks. What does the model "
    "see?",
    {
        "a": (
            "[UNK], so the word is lost",
            "[UNK] stands for a word that holds a sign which no piece covers. This word has only "
            "known letters, and is put together from pieces.",
        ),
        "b": (
            "Nothing: the word is left out",
            "The tokeniser leaves nothing out. It cuts the word into pieces that it knows.",
        ),
        "c": (
            "A few pieces, such as un + ##sp + ##illa + ##ble",
            "Pieces keep what the word is made of, and the encoder has met them in other words.",
        ),
    },
    right="c",
)

q_baseline = Question(
    "05.q_baseline",
    "TF-IDF reaches 93 % on your own data and fine-tuning 94 %. What do you use?",
    {
        "a": (
            "Probably TF-IDF: one point must pay for a model that is far slower to run",
            "The "
            "baseline tells you the price of each point. Here single words decide, and counting "
            "them is enough.",
        ),
        "b": (
            "Fine-tuning: the better number wins",
            "With a few hundred test texts, one point is "
            "within the spread of the draws, and the large model costs time and memory at every "
            "prediction.",
        ),
        "c": (
            "Neither: a baseline is only for papers",
            "A baseline is a model like any other; when "
            "it is good enough, it is the cheapest that you can run.",
        ),
    },
    right="a",
)

q_trainer = Question(
    "05.q_trainer",
    "You want the lower layers run once and their outputs kept. Your own loop or Trainer?",
    {
        "a": (
            "Trainer, with a switch for it",
            "It has no such switch. You would have to write a dataset, a collator and a model that "
            "take states instead of texts.",
        ),
        "b": (
            "Your own loop",
            "What enters a step is not text but kept states, and your own loop does not mind.",
        ),
        "c": (
            "Either: frozen layers are skipped by themselves",
            "Freezing only stops the gradient. "
            "The forward pass still runs through all layers in each epoch, and with dropout, which "
            "freezing does not switch off.",
        ),
    },
    right="b",
)

q_nan = Question(
    "05.q_nan",
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
    "05.q_shift",
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
