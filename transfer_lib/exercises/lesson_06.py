"""Exercises of lesson 06."""

from transfer_lib.practice import LearnerError, Wrong, array, call, close, exercise, number


def short(values):
    """Return numbers as text with six digits, more than the checks ask for."""
    return "[" + ", ".join(f"{v + 0.0:.6g}" for v in values) + "]"


@exercise(
    "06.attention_mask",
    hints=[
        "The mask has one row per sentence and as many columns as the longest sentence has tokens.",
        "Position j of a sentence is a token when j is smaller than its number of tokens.",
        "`places = np.arange(max(lengths))`, then compare `places[None, :]` with "
        "`np.array(lengths)[:, None]`.",
    ],
)
def attention_mask(answer):
    """Return the mask: 1 for a token, 0 for padding, shape (sentences, longest length)."""
    import numpy as np

    def mask(lengths):
        try:
            value = call(answer, list(lengths))
        except LearnerError as error:
            try:  # code that needs an array, such as `lengths.max()`, is as good
                value = call(answer, np.array(lengths))
            except LearnerError:
                raise error from error.__cause__
        if isinstance(value, list | tuple) and len({np.shape(row) for row in value}) > 1:
            raise Wrong(
                "The rows differ in length, so they make no array. Fill each row up with 0 to the "
                "longest length."
            )
        return array(value, "the mask")

    lengths = [3, 5, 1]
    right = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]])
    value = mask(lengths)
    if value.shape == (5, 3):
        raise Wrong("This is transposed: one row per sentence, one column per position.")
    if value.shape != (3, 5):
        raise Wrong(
            f"For the lengths {lengths} the mask has the shape (3, 5): 3 sentences, padded to the "
            f"longest, 5 tokens. Yours has the shape {value.shape}."
        )
    if close(value, 1 - right):
        raise Wrong("This is the wrong way round: 1 stands for a token, 0 for padding.")
    if close(value, right[:, ::-1]):
        raise Wrong("This pads on the left; BERT's tokeniser puts the padding on the right.")
    if close(value, np.arange(5) <= np.array(lengths)[:, None]):
        raise Wrong("One too many: positions count from 0, so the last token is at length - 1.")
    if close(value, np.arange(1, 6) < np.array(lengths)[:, None]):
        raise Wrong("One too few: a sentence of 3 tokens has a 1 at the positions 0, 1 and 2.")
    if close(value, right[np.argsort(lengths)]) or close(value, right[np.argsort(lengths)[::-1]]):
        raise Wrong("The rows are sorted by length. Keep the order of the sentences.")
    for row, (yours, expected) in enumerate(zip(value, right, strict=True)):
        if not close(yours, expected):
            raise Wrong(
                f"For the lengths {lengths}, row {row} is {expected.tolist()}; yours is "
                f"{short(yours)}."
            )
    value = mask([2, 4])
    if value.shape != (2, 4):
        raise Wrong("For the lengths [2, 4] the shape is (2, 4): use the longest of the argument.")
    if not close(value, [[1, 1, 0, 0], [1, 1, 1, 1]]):
        raise Wrong("It is right for [3, 5, 1] but not for [2, 4]: use the argument lengths.")
    return "`tokenizer(..., padding=True)` returns the same under `attention_mask`."


@exercise(
    "06.mean_pool",
    hints=[
        "Give the mask a last axis, `mask[..., None]`, so that it multiplies each vector.",
        "Sum over the tokens, axis 1, and divide by the number of real tokens of each text.",
        "`return (states * mask[..., None]).sum(1) / mask.sum(1)[:, None]`",
    ],
)
def mean_pool(answer):
    """Return the mean of the vectors of the real tokens, shape (batch, width)."""
    import torch

    numbers = [5, 2, 9, 1, 8, 4, 7, 3, 6, 2, 6, 1, 4, 9, 3, 8, 1, 7, 3, 5, 2, 9, 4, 8]
    states = torch.tensor(numbers, dtype=torch.float32).reshape(2, 4, 3)
    mask = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 0]])
    right = torch.stack([states[0, :2].mean(0), states[1, :3].mean(0)])
    changes = (
        "Your code has overwritten its arguments, which are needed again. Work on a copy: "
        "`states.clone()`."
    )
    value = array(call(answer, states, mask, mutation=changes), "the pooled vectors")
    masked = states * mask[..., None]
    if value.shape in ((2, 1, 3), (2, 3, 1)):
        raise Wrong(
            f"The shape is {value.shape}: an axis of length 1 is left over. It should be (2, 3); "
            "sum without `keepdim`."
        )
    if value.shape != (2, 3):
        raise Wrong(
            "Two texts with vectors of width 3 give the shape (2, 3): sum over the tokens, axis 1. "
            f"Yours has the shape {value.shape}."
        )
    if close(value, states.mean(1)):
        raise Wrong("The padding is in this mean. Multiply by the mask before you sum.")
    if close(value, states.sum(1) / mask.sum(1)[:, None]):
        raise Wrong(
            "The number of tokens is right, but the padding is in the sum. Multiply by the mask "
            "before you sum."
        )
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
    if close(value, masked.amax(1)):
        raise Wrong("This is the largest value of each column. Take the mean, not the maximum.")
    if close(value, torch.stack([states[0, 2:].mean(0), states[1, 3]])):
        raise Wrong("This is the mean of the padding. In the mask, 1 stands for a real token.")
    if close(value, torch.stack([states[0, 1], states[1, 1:3].mean(0)])):
        raise Wrong("The first token is left out. It is a real token too: its mask is 1.")
    if close(value, torch.nn.functional.normalize(right)):
        raise Wrong("These means are scaled to length 1. Return the means as they are.")
    for name, yours, expected in zip(("first", "second"), value, right, strict=True):
        if not close(yours, expected):
            raise Wrong(f"The {name} text's vector is {short(expected)}; yours is {short(yours)}.")


@exercise(
    "06.learning_rate",
    hints=[
        "Two cases: `step < warm` on the way up, else on the way down.",
        "Up: the share `step / warm` of top. Down: the share of the remaining steps that are left.",
        "Down: `top * (total - step) / (total - warm)`",
    ],
)
def learning_rate(answer):
    """Return the rate: from 0 up to top at step warm, then down to 0 at step total."""

    def rates(steps, *arguments):
        return {s: number(call(answer, s, *arguments), f"the rate at step {s}") for s in steps}

    top, warm, total = 2e-4, 10, 110
    expected = {0: 0.0, 10: top, 110: 0.0, 4: 0.4 * top, 30: 0.8 * top, 70: 0.4 * top}
    value = rates(expected, top, warm, total)

    def same(step, other):
        return close(value[step] / top, other / top)

    if same(0, top):
        raise Wrong("There is no warm-up here: at step 0 the rate is 0, and it rises to top.")
    if same(4, 0.4) or same(30, 0.8):
        raise Wrong("This is the share of the top rate; multiply it by top.")
    if same(30, top) and same(110, top):
        raise Wrong("The rate stays at top after the warm-up; it should fall to 0 at step total.")
    if same(30, top * 80 / 110):
        raise Wrong(
            "On the way down, divide by the steps after the warm-up, total - warm. As it is, the "
            "rate jumps at the end of the warm-up."
        )
    if same(30, top * 90 / 110) and same(110, top * 10 / 110):
        raise Wrong("The rate does not reach 0 at step total: divide by total - warm.")
    if min(value.values()) < -1e-6 * top:
        raise Wrong("The rate is negative at some step: look at the signs on the way down.")
    if value[110] > value[70] > value[30]:
        raise Wrong("After the warm-up the rate falls; yours goes on rising.")
    remark = ""
    if same(0, 0.0) and same(10, top) and same(110, 0.0):
        remark = "Start, top and end are right, but the way between them is no straight line. "
    for step, right in expected.items():
        if not same(step, right):
            raise Wrong(
                f"{remark}With top={top}, warm={warm} and total={total}, the rate at step {step} "
                f"is {right:g}; yours is {value[step]:.6g}."
            )
    for step, rate in rates((1, 4, 8), 1e-3, 4, 20).items():
        right = 1e-3 * (step / 4 if step < 4 else (20 - step) / 16)
        if not close(rate / 1e-3, right / 1e-3):
            raise Wrong(
                "It is right for one schedule only. With top=0.001, warm=4 and total=20, the rate "
                f"at step {step} is {right:g}; yours is {rate:.6g}. Use the arguments."
            )
    return "`transformers.get_linear_schedule_with_warmup` multiplies by the same share."


@exercise(
    "06.decaying",
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
    model.add_module("last", nn.LayerNorm(4))
    model.add_module("embed", nn.Embedding(5, 4))
    value = call(answer, list(model.named_parameters()))
    if isinstance(value, str):
        raise Wrong(f"This is one text, {value!r}. Return a list of names.")
    try:
        value = list(value)
    except TypeError:
        raise Wrong("Return a list of names, such as ['dense.weight'].") from None
    if value and all(isinstance(item, nn.Parameter) for item in value):
        raise Wrong("These are the parameters themselves. Return their names.")
    if value and all(isinstance(item, tuple | list) and len(item) == 2 for item in value):
        raise Wrong("These are the pairs. Return only the names, the first of each pair.")
    if not all(isinstance(item, str) for item in value):
        raise Wrong("Return a list of names, such as ['dense.weight'].")
    names = {str(name) for name in value}
    everything = {name for name, _ in model.named_parameters()}
    if not names <= everything:
        raise Wrong(
            f"Return names out of the pairs, such as 'dense.weight'; yours are {sorted(names)}."
        )
    if not names:
        raise Wrong("The list is empty. Keep the names of the parameters that are matrices.")
    if names == everything:
        raise Wrong("Nothing is left out. Biases and layer normalisation get no weight decay.")
    if names == {name for name in everything if "bias" not in name}:
        raise Wrong(
            "The biases are out, but the weights of layer normalisation are still in. They are "
            "vectors too: look at `ndim`."
        )
    if names == everything - {"dense.weight", "embed.weight"}:
        raise Wrong("This is the other half: decay pulls on the matrices, not on the vectors.")
    if "dense.bias" in names:
        raise Wrong("The bias of dense is still in. It is a vector, so it gets no weight decay.")
    if "last.weight" in names:
        raise Wrong(
            "A name need not say what it is: last is a layer normalisation. Look at `ndim`."
        )
    if names == {"dense.weight"}:
        raise Wrong("embed.weight is missing. The embeddings are a matrix too: their `ndim` is 2.")
    if names != {"dense.weight", "embed.weight"}:
        raise Wrong(f"The matrices are dense.weight and embed.weight; yours are {sorted(names)}.")
    return "The head's weight is a matrix too, so it decays; its bias does not."
