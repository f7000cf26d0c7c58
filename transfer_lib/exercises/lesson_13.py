"""Exercises of lesson 13: sentences, class means, pairs; then what was not to be forgotten."""

from transfer_lib.exercises.lesson_13_keep import between, fisher, penalty
from transfer_lib.practice import Wrong, array, call, close, exercise

__all__ = ["between", "contrast", "fisher", "nearest", "penalty", "zero_shot"]


def _unit(x):
    import numpy as np

    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@exercise(
    "13.zero_shot",
    hints=[
        "`positive` has the shape (k, d). Its mean over the sentences, `positive.mean(axis=0)`, "
        "has the shape (d,). `unit` gives it the length 1.",
        "The similarities to one class are `vectors @ direction`, one number per text.",
        "Return `vectors @ unit(positive.mean(axis=0)) - vectors @ unit(negative.mean(axis=0))`.",
    ],
)
def zero_shot(answer):
    """Score vectors by how much nearer they are to one class's sentences than to the other's."""
    import numpy as np

    rng = np.random.default_rng(0)
    vectors, a, b = (_unit(rng.normal(size=(n, 6))) for n in (7, 4, 3))
    a, b = _unit(a + 0.6), _unit(b - [1.5, 0, 0, 0, 0, 0])
    score = array(call(answer, vectors, a, b), "the scores")
    mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
    right = vectors @ (_unit(mean_a) - _unit(mean_b))
    if score.shape == (7, 1):
        score = score[:, 0]
    if score.shape in {(7, 4), (7, 3), (7, 6)}:
        raise Wrong(
            f"Your scores have the shape {score.shape}; one number per text is wanted. Take the "
            "mean of a class's sentences first."
        )
    if score.shape != (7,):
        raise Wrong(f"Expected one score per text, shape (7,); yours has {score.shape}.")
    table = [
        (-right, "The sign is turned: a text near to the positive sentences gets a low score."),
        (vectors @ (mean_a - mean_b), "The means are not of length 1. Sentences that differ much "
         "have a short mean, and their class would get low scores for that alone."),
        (vectors @ _unit(mean_a), "The other class is missing: less the similarity to it."),
        (vectors @ _unit(_unit(mean_a) - _unit(mean_b)), "The difference was given the length 1. "
         "Only the two means are."),
        (vectors @ (_unit(a.sum(0)) + _unit(b.sum(0))), "The two are added; subtract."),
        (vectors @ (a[0] - b[0]), "Only the first sentence of each class counts. Take the mean."),
        (right > 0, "These are decisions. Return the scores: the threshold comes later."),
        (right > np.median(right), "These are decisions. Return the scores."),
    ]  # fmt: skip
    if close(score, right):
        return "No label was used, and any class that can be put into words has a classifier."
    for wrong, words in table:
        if close(score, np.asarray(wrong, float)):
            raise Wrong(words)
    raise Wrong(f"The first text's score is {right[0]:.4f}; yours is {score[0]:.4f}.")


@exercise(
    "13.nearest",
    hints=[
        "The mean of class k is `x[y == k].mean(axis=0)`; `np.stack` makes a matrix of the means, "
        "(classes, d), and `unit` gives each row the length 1.",
        "`asked @ means.T` holds the dot product of each row with each class: (rows, classes).",
        "`.argmax(axis=1)` returns the class with the largest one.",
    ],
)
def nearest(answer):
    """Name the class whose mean direction is nearest, for each row."""
    import numpy as np

    rng = np.random.default_rng(1)
    centres = np.array([[3.0, 0, 0, 0], [1.5, 2.6, 0, 0], [0, 0, 1, 0.3]])
    y = np.array([2, 0, 2, 2, 1, 2, 2, 1, 2, 0, 2, 2])
    spread = np.array([0.1, 0.4, 2.0])[y][:, None]
    x = _unit(centres[y] + spread * rng.normal(size=(12, 4)))
    asked = _unit(rng.normal(size=(60, 4)) + [0.8, 0.6, 0.3, 0])
    said = array(call(answer, x, y, asked), "the classes")
    means = np.stack([x[y == k].mean(axis=0) for k in range(3)])
    products = asked @ _unit(means).T
    if said.shape == (60, 3):
        raise Wrong("These are the similarities to the classes. Return the class: `argmax`.")
    if said.shape == (3, 4):
        raise Wrong("These are the means. Return the class of each row of `asked`.")
    if said.shape != (60,):
        raise Wrong(f"Expected one class per row of `asked`, shape (60,); yours has {said.shape}.")
    if not (said == products.argmax(axis=1)).all():
        alone = (asked @ x.T).argmax(axis=1)
        table = [
            (products.argmin(axis=1), "The *least* similar class. Take `argmax`."),
            ((asked @ means.T).argmax(axis=1), "The means are not of length 1: a class whose texts "
             "differ much has a short mean, and is hardly ever the nearest."),
            (y[alone], "This is the class of the nearest single text. Take the class's mean."),
            (alone, "This is the number of the nearest text, not a class."),
            ((asked @ np.stack([x[y == k].sum(0) for k in range(3)]).T).argmax(axis=1), "A sum "
             "favours the class with the most texts. Take the mean, of length 1."),
        ]  # fmt: skip
        for wrong, words in table:
            if (said == wrong).all():
                raise Wrong(words)
        raise Wrong(f"{(said != products.argmax(axis=1)).sum()} of 60 classes are others.")
    one = _unit(np.eye(3, 4) + 0.1)
    if not (array(call(answer, one, np.arange(3), one), "the classes") == np.arange(3)).all():
        raise Wrong("With one text per class, each text should be nearest to itself.")
    return "It learns from one label per class, and there is nothing to tune."


@exercise(
    "13.contrast",
    hints=[
        "`z = F.normalize(z, dim=1)`; the cosine similarities of all pairs are `z @ z.T`. Divide "
        "by `tau`.",
        "Nobody is its own partner: `logits.masked_fill(torch.eye(len(y), dtype=torch.bool), "
        'float("-inf"))`, then `.log_softmax(dim=1)`.',
        "`partner = (y[:, None] == y) & ~itself`. Per row: minus the sum of the log-probabilities "
        "where `partner` holds (`log_p.masked_fill(~partner, 0).sum(dim=1)`), divided by "
        "`partner.sum(dim=1)`. Then the mean over the rows.",
    ],
)
def contrast(answer):
    """Return the supervised contrastive loss; Khosla et al. (2020), L_out, equation 2."""
    import torch
    from torch.nn import functional as F

    torch.manual_seed(2)
    given, tau = torch.randn(9, 5) * torch.linspace(0.5, 3, 9)[:, None], 0.3
    y = torch.tensor([0, 1, 2, 0, 1, 0, 2, 1, 0])
    z = given.clone().requires_grad_(True)
    loss = call(answer, z, y, tau)
    if not isinstance(loss, torch.Tensor):
        raise Wrong("Return a tensor, so that the loss has a gradient.")
    value = array(loss.detach(), "the loss")
    if value.size != 1:
        raise Wrong(f"The loss is one number; yours has the shape {value.shape}.")
    value = float(value.reshape(()))
    if value != value:
        raise Wrong("The loss is not a number: −inf times 0 is none. Mask with `masked_fill`.")
    itself = torch.eye(9, dtype=torch.bool)

    def made(z, tau, others=itself, same=None, logits=None):
        logits = z @ z.T / tau if logits is None else logits
        log_p = logits.masked_fill(others, float("-inf")).log_softmax(dim=1)
        same = (y[:, None] == y) & ~itself if same is None else same
        return -log_p.masked_fill(~same, 0).sum(dim=1), same.sum(dim=1)

    unit, none = F.normalize(given, dim=1), torch.zeros_like(itself)
    total, count = made(unit, tau)
    right = float((total / count).mean())
    every = (y[:, None] == y) | itself

    def mean(total, count):
        return float((total / count).mean())

    table = [
        (mean(*made(given, tau)), "The rows of z are not of length 1: `F.normalize(z, dim=1)`."),
        (mean(*made(unit, 1.0)), "`tau` is missing: divide the similarities by it."),
        (mean(*made(unit, 1 / tau)), "Multiplied by `tau`; divide by it."),
        (mean(*made(unit, tau, none)), "A row is compared with itself. Take the diagonal out "
         "before the softmax: it is always the most similar."),
        (mean(*made(unit, tau, none, every)), "A row counts as its own partner. Take the diagonal "
         "out: it says nothing, and is always the most similar."),
        (float(total.mean()), "The log-probabilities of the partners are added up. Take their "
         "mean, row by row."),
        (float((total / count).sum()), "The rows are added up. Take their mean."),
        (float(total.sum() / count.sum()), "This is the mean over all pairs, in which a class with "
         "many texts counts more. First the mean of each row, then over the rows."),
        (float((total / 9).mean()), "Divided by all rows. Divide by the number of partners."),
        (-right, "The sign is turned."),
    ]  # fmt: skip
    if not close(value, right):
        for wrong, words in table:
            if close(value, wrong):
                raise Wrong(words)
        raise Wrong(f"For the check's vectors the loss is {right:.4f}; yours is {value:.4f}.")
    if not loss.requires_grad:
        raise Wrong("The loss has no gradient: do not leave torch on the way.")
    (slope,) = torch.autograd.grad(loss, z, allow_unused=True)
    mine = given.clone().requires_grad_(True)
    total, count = made(F.normalize(mine, dim=1), tau)
    (wanted,) = torch.autograd.grad((total / count).mean(), mine)
    if slope is None or not bool(slope.isfinite().all()):
        raise Wrong("The value is right, but its gradient is not a number. Mask before you divide.")
    if not close(slope, wanted, 1e-3, 1e-5):
        raise Wrong("The value is right, but not its gradient. Do not detach `z`.")
    return "With two views of each picture as partners it is SimCLR's loss, with labels SetFit's."
