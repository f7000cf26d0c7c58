"""Exercises of lesson 06."""

from transfer_lib.exercises import faulty_lines
from transfer_lib.exercises.lesson_06_loop import epoch, training_step
from transfer_lib.practice import Wrong, array, call, close, exercise

__all__ = ["attention", "epoch", "faults", "mean_pool", "training_step"]


def short(values):
    """Return numbers as text with six digits, more than the checks ask for."""
    return "[" + ", ".join(f"{v + 0.0:.6g}" for v in values) + "]"


@exercise(
    "06.mean_pool",
    hints=[
        "Which of the three axes are the tokens? Only the real ones enter sum and number.",
        "Give the mask a last axis, `mask[:, :, None]`: it then multiplies each vector by 0 or 1.",
        "Sum over the tokens, axis 1, and divide by the number of real tokens of each text.",
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
    "06.attention",
    hints=[
        "Three steps: the products of each query with each key, the shares, the weighted means.",
        "`q @ k.T` has one row per query. The shares of a row add up to 1: which axis is that?",
        "`torch.softmax(q @ k.T / d ** 0.5, dim=-1)` are the shares; `shares @ v` are the means.",
    ],
)
def attention(answer):
    """Return softmax(q kᵀ / √d) v: for each query the mean of the values, by its shares."""
    import torch

    rng = torch.Generator().manual_seed(0)
    q, k, v = (2 * torch.randn(shape, generator=rng) for shape in ((3, 4), (5, 4), (5, 2)))
    value = array(call(answer, q, k, v), "the means")
    products = q @ k.T
    shares = torch.softmax(products / 2, dim=1)
    mistakes = {
        "These are the shares. Multiply them by the values: each token receives a mean of `v`.": (
            shares
        ),
        "The products are not divided by √d. Large products make the softmax choose one word "
        "alone.": torch.softmax(products, 1) @ v,
        "You divided by d, not by its root: √d is `q.shape[-1] ** 0.5`.": (
            torch.softmax(products / 4, 1) @ v
        ),
        "The softmax runs over the queries. The shares of *one query* add up to 1: `dim=-1`.": (
            torch.softmax(products / 2, 0) @ v
        ),
        "There is no softmax: these are sums weighted by the products themselves.": (
            products / 2 @ v
        ),
        "The scale is applied after the softmax. Divide the products, then take the softmax.": (
            torch.softmax(products, 1) @ v / 2
        ),
        "You divided by the root of the number of tokens. `d` is the length of a query.": (
            torch.softmax(products / 5**0.5, 1) @ v
        ),
        "You multiplied by √d. Divide the products by it.": torch.softmax(products * 2, 1) @ v,
        "This is the plain mean of the values: the shares are all equal.": (v.mean(0).expand(3, 2)),
    }
    for words, mistaken in mistakes.items():
        if value.shape == tuple(mistaken.shape) and close(value, mistaken):
            raise Wrong(words)
    if value.shape != (3, 2):
        raise Wrong(
            "With 3 queries of length 4, 5 keys and 5 values of length 2, the result has the shape "
            f"(3, 2); yours has {value.shape}."
        )
    if not close(value, shares @ v):
        raise Wrong(
            f"The first mean is {short((shares @ v)[0])}; yours is {short(value[0])}. Do it "
            "for one query by hand: its products with all keys over √d, their softmax, the mean."
        )
    return "`torch.nn.functional.scaled_dot_product_attention` computes the same."


FAULTS = {
    1: "what is imported",
    4: "the columns of the file",
    16: "where the accuracy comes from",
    17: "what is printed",
}
FINE = {
    2: "The tokeniser belongs to the model. Fine.",
    3: "BERT with a fresh head: that is what one fine-tunes.",
    5: "Two files, two parts. It uses the columns of another line.",
    6: "Batches of 16. Fine, where the class still exists.",
    7: "AdamW at 5e-5 is what BERT's authors use.",
    8: "Dropout is on for the training, as it should be.",
    9: "One pass over the training part. More would help, but it is no fault.",
    10: "Padding and its mask come from the tokeniser, and go in by `**inputs`.",
    11: "Given labels, the model returns the loss under this name.",
    12: "Old gradients cleared, new ones computed, one step: the order is right.",
    13: "Dropout is off for the test.",
    14: "All of the test part is run through.",
    15: "The same tokeniser as in training. Fine.",
}


@exercise(
    "06.faults",
    hints=[
        "Which of the names does a library of today no longer have?",
        "The file has two columns. How many does line 4 name, and which will line 10 ask for?",
        "What does the model return: logits, a loss; an accuracy? And over how many batches does "
        "line 17 speak?",
    ],
)
def faults(answer):
    """Name the four faulty lines of the recipe, as a set of numbers."""
    faulty_lines.judge(answer, FAULTS, FINE)
    return (
        "Line 1: these classes left torchtext in 2022, and torchtext itself ended. Line 4: no text "
        "column. Line 16: the model returns logits and a loss, no `acc`. Line 17: were there one, "
        "it would be that of the last batch, not the mean."
    )
