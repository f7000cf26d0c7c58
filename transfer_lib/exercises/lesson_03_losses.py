"""Exercises of lesson 03, its second half: the total loss, the leak, the faulty recipe."""

from transfer_lib.exercises import faulty_lines
from transfer_lib.practice import Wrong, array, call, close, exercise, number


@exercise(
    "03.total_loss",
    hints=[
        "Two heads, two means. Do the same for both heads first, then combine.",
        "For one head: `keras.ops.mean(keras.losses.sparse_categorical_crossentropy(y[head], "
        "logits[head], from_logits=True))`.",
        "The mean of the source has the weight 1, that of the target the weight `lam`.",
    ],
)
def total_loss(answer):
    """Return L_shared + lam * L_task, each a mean cross-entropy from logits."""
    import keras
    import numpy as np
    from scipy.special import log_softmax, softmax

    rng = np.random.default_rng(1)
    sizes, found, terms = {"source": (7, 4), "target": (3, 5)}, [], []
    for lam in (0.3, 2.5):
        logits = {n: 2 * rng.normal(size=s).astype("float32") for n, s in sizes.items()}
        y = {n: rng.integers(0, s[1], s[0]) for n, s in sizes.items()}
        given = {n: keras.ops.convert_to_tensor(v) for n, v in logits.items()}
        value = array(call(answer, y, given, lam), "the total loss")
        if value.size != 1:
            raise Wrong(
                f"The loss should be one number; yours has the shape {value.shape}. Take the mean "
                "over the examples of each head."
            )
        found.append(float(value.reshape(())))
        once = {n: -log_softmax(v, 1)[np.arange(len(v)), y[n]] for n, v in logits.items()}
        sharp = {n: softmax(v, 1)[np.arange(len(v)), y[n]] for n, v in logits.items()}
        twice = {
            n: -log_softmax(softmax(v, 1), 1)[np.arange(len(v)), y[n]] for n, v in logits.items()
        }
        clipped = {
            n: -np.log(_as_probabilities(v)[np.arange(len(v)), y[n]]) for n, v in logits.items()
        }
        terms.append((lam, once, sharp, twice, clipped))

    def total(i, kind, combine, reduce=np.mean):
        lam, losses = terms[i][0], terms[i][kind]
        return combine(reduce(losses["source"]), reduce(losses["target"]), lam)

    def hit(kind, combine, reduce=np.mean):
        return all(close(found[i], total(i, kind, combine, reduce), 1e-3) for i in (0, 1))

    def right(s, t, lam):
        return s + lam * t

    if hit(1, right):
        return "The two means keep their weights, however many examples each head has."
    whole = "The source's loss has the weight 1."
    table = [
        ("λ multiplies the wrong loss. It belongs to the target's.", lambda s, t, k: k * s + t),
        ("λ multiplies both losses; only the target's has it.", lambda s, t, k: k * (s + t)),
        ("λ is missing: multiply the target's loss by `lam`.", lambda s, t, k: s + t),
        ("The source's loss is missing.", lambda s, t, k: k * t),
        ("The target's loss is missing.", lambda s, t, k: s),
        (f"This is a mixture, 1 − λ and λ. {whole}", lambda s, t, k: (1 - k) * s + k * t),
        ("You divided by 2: the total is a sum.", lambda s, t, k: (s + k * t) / 2),
        (f"You divided by 1 + λ. {whole}", lambda s, t, k: (s + k * t) / (1 + k)),
    ]
    for words, combine in table:
        if hit(1, combine):
            raise Wrong(words)
    if hit(1, right, np.sum):
        raise Wrong("These are sums over the examples. Take the mean of each head.")
    sizes = {n: s[0] for n, s in sizes.items()}
    every = [
        (o["source"].sum() + lam * o["target"].sum()) / sum(sizes.values()) for lam, o, *_ in terms
    ]
    if close(found, every, 1e-3):
        raise Wrong(
            "You divide by the number of all examples. Each head has its own mean, else λ would "
            "depend on how many images a batch holds."
        )
    if hit(3, right):
        raise Wrong("Softmax is applied twice. `from_logits=True` applies it: pass the logits.")
    if hit(4, right):
        raise Wrong(
            "The logits were read as probabilities. Say `from_logits=True`, else the logarithm is "
            "taken of scores that are no probabilities."
        )
    lam = terms[1][0]
    s, t = (float(np.mean(terms[1][1][n])) for n in ("source", "target"))
    raise Wrong(
        f"With a source loss of {s:.4f}, a target loss of {t:.4f} and λ = {lam:g} the total is "
        f"{s + lam * t:.4f}; yours is {found[1]:.4f}."
    )


def _as_probabilities(scores):
    """Return what Keras makes of scores without `from_logits`: scaled to sum 1, and clipped."""
    import numpy as np

    scaled = scores / scores.sum(axis=1, keepdims=True)
    return np.clip(scaled, 1e-7, 1 - 1e-7)


@exercise(
    "03.overlap",
    hints=[
        "Put every image of `seen` into a set. An array cannot be in a set; its bytes can.",
        "`known = {image.tobytes() for image in seen}`, then count the images of `tested` whose "
        "bytes are in it.",
        "`return sum(image.tobytes() in known for image in tested)`",
    ],
)
def overlap(answer):
    """Return how many images of `tested` are also among `seen`."""
    import numpy as np

    rng = np.random.default_rng(5)
    images = rng.uniform(size=(12, 4, 4, 1)).astype("float32")
    images[1] = images[0][::-1]  # the same pixels elsewhere, so the same sum
    images[:, 0, 0] = images[:, -1, 0] = 0  # and all share their black corners, as digits do
    seen = images[[0, 2, 3, 3, 4, 5, 6]]
    tested = images[[7, 3, 1, 8, 3, 5, 9, 3, 2, 10, 11, 7]]
    value = number(call(answer, seen, tested), "the count")
    apart = number(call(answer, images[:5], images[7:]), "the count")
    if (value, apart) == (5, 0):
        return "Exact copies only: a resized or shifted copy needs another tool."
    mistakes = {
        sum(map(np.array_equal, seen, tested)): "This compares images at the same place of the two "
        "arrays. A copy may lie anywhere: compare every tested image with all of `seen`.",
        12: "For NumPy, `image in seen` asks whether any pixel is equal somewhere. Compare whole "
        "images: by their bytes in a set.",
        3: "A tested image that is there twice was counted once. Count the images of `tested`.",
        4: "You counted the images of `seen` that are among `tested`. Turn it round.",
        6: "Images with the same sum, or the same pixels in another place, were taken for copies. "
        "Compare all pixels, in their places: `image.tobytes()`.",
        5 / 12: "This is a fraction. Return the number of images.",
        7: "You counted the images that are *not* among `seen`.",
    }
    for mistaken, words in mistakes.items():
        if close(value, mistaken):
            raise Wrong(words)
    raise Wrong(f"Of 12 tested images 5 are among the 7 seen ones; yours says {value:g}.")


FAULTS = {
    4: "the input",
    13: "the freezing",
    14: "the second compile",
    15: "the data of the second training",
}
FINE = {
    1: "Loading MNIST with its own split is what it should be.",
    2: "Both parts are divided by 255, as they should be.",
    3: "A Sequential model makes a good backbone.",
    5: "The convolution is fine; look at what it is given.",
    6: "One mean per filter is a good end of a backbone.",
    7: "The heads give logits, and the loss knows it.",
    8: "Making an optimiser is fine. Look where it is used.",
    9: "Backbone and head, ten classes: fine.",
    10: "The first compile is fine.",
    11: "Pretraining on the source is fine, whatever the source is.",
    12: "A new head on the same backbone: that is how it is done.",
    16: "Testing on the test part is right. What the number means is another line's fault.",
}


@exercise(
    "03.faults",
    hints=[
        "Follow one image: which shape has it when it meets the convolution?",
        "How many layers does line 13 freeze? What does `adam` remember from line 11?",
        "And line 15: on which data was the network trained before, and on which is it now?",
    ],
)
def faults(answer):
    """Name the four faulty lines of the recipe, as a set of numbers."""
    faulty_lines.judge(answer, FAULTS, FINE)
    return (
        "Line 4 lacks the channel axis, line 13 freezes an empty list, line 14 keeps the optimiser "
        "of other weights, and line 15 transfers MNIST to MNIST: nothing."
    )
