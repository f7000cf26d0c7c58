"""Exercises of lesson 10."""

from transfer_lib.exercises.lesson_10_choice import regret
from transfer_lib.practice import Wrong, array, call, close, exercise

__all__ = ["information", "match_statistics", "pseudo_labels", "reestimate", "regret", "reverse"]


@exercise(
    "10.match_statistics",
    hints=[
        "Two numbers of `images` and two of `reference`: mean and deviation over all pixels.",
        "Take out the mean of `images`, divide by their deviation; then multiply by the deviation "
        "of `reference` and put in its mean.",
        "`(images - images.mean()) / images.std() * reference.std() + reference.mean()`",
    ],
)
def match_statistics(answer):
    """Give images the mean and the deviation of others, two numbers for all pixels."""
    import numpy as np

    rng = np.random.default_rng(0)
    x, r = rng.uniform(0.2, 0.9, (6, 3, 3, 1)), rng.gamma(1.0, 0.3, (5, 3, 3, 1))
    x *= np.linspace(0.4, 1, 6)[:, None, None, None]
    value = array(call(answer, x.copy(), r.copy()), "the images")
    if value.shape == r.shape:
        raise Wrong("These are the reference's images. Change `images`, and leave those.")
    if value.shape != x.shape:
        raise Wrong(f"Expected images of shape {x.shape}; yours have the shape {value.shape}.")

    def moved(axis=None, power=1.0):
        def part(of, what):
            return getattr(of, what)(axis=axis, keepdims=axis is not None)

        over = part(r, "mean"), part(r, "std")
        if axis == (1, 2, 3):
            over = r.mean(), r.std()
        return (x - part(x, "mean")) / part(x, "std") ** power * over[1] ** power + over[0]

    right = moved()
    mistakes = [
        (moved((1, 2, 3)), "Each image has got statistics of its own: a faint one is no longer "
         "faint among the others. Two numbers, over all images and pixels."),
        (moved(0), "Each pixel has got statistics of its own, which also wipes out where the ink "
         "usually lies. Two numbers, over all images and pixels."),
        (moved(power=2.0), "These are variances. Divide and multiply by deviations, the roots."),
        (x - x.mean() + r.mean(), "The mean is that of the reference, the deviation is not."),
        ((x - x.mean()) / x.std(), "Mean 0 and deviation 1: that is half of the way. Now give them "
         "the reference's."),
        ((x - x.mean()) / x.std() * r.std(), "The reference's mean is missing."),
        (x / x.std() * r.std(), "Only the deviation is the reference's."),
        (x / x.mean() * r.mean(), "Scaling by the means sets the mean and leaves the contrast to "
         "chance. Both numbers are needed."),
        ((x - r.mean()) / r.std(), "That takes out the reference's statistics. Take out those of "
         "`images`, then put in the reference's."),
        (np.clip(right, 0, 1), "The values are cut off at 0 or 1, which changes both numbers "
         "again. A network takes values outside."),
    ]  # fmt: skip
    if close(value, right, 1e-6):
        return "Two numbers, and no label."
    for mistaken, words in mistakes:
        if close(value, mistaken, 1e-6):
            raise Wrong(words)
    raise Wrong(
        f"The mean should be {r.mean():.3f} and the deviation {r.std():.3f}; yours are "
        f"{value.mean():.3f} and {value.std():.3f}."
    )


def _network():
    """Return a network with batch normalisation behind a dense layer and behind another."""
    import keras

    keras.utils.set_random_seed(0)
    layers = [keras.Input((4,)), keras.layers.Dense(5), keras.layers.BatchNormalization()]
    layers += [keras.layers.ReLU(), keras.layers.Dense(3), keras.layers.BatchNormalization()]
    network = keras.Sequential([*layers, keras.layers.Dense(2)])
    network.compile("adam", "mse")
    return network


@exercise(
    "10.reestimate",
    hints=[
        "Batch normalisation updates its moving averages when a network is called with "
        "`training=True`. How far they go is `momentum`: at 0 they become the batch's own.",
        "Set `layer.momentum = 0` on each `keras.layers.BatchNormalization` of `layers_of(model)`, "
        "then call the model once.",
        "The call is `model(images, training=True)`; nothing is fitted.",
    ],
)
def reestimate(answer):
    """Give each batch normalisation the statistics of these images; change nothing else."""
    import keras
    import numpy as np

    rng = np.random.default_rng(1)
    x = rng.normal(2, 3, (40, 4)).astype("float32")
    network = _network()
    norms = [one for one in network.layers if isinstance(one, keras.layers.BatchNormalization)]
    before = [keras.ops.convert_to_numpy(weight) for weight in network.weights]
    returned = call(answer, network, x, may_return_none=True)
    if isinstance(returned, keras.Model) and returned is not network:
        raise Wrong("You changed a copy. Change the model that is given.")
    after = [keras.ops.convert_to_numpy(weight) for weight in network.weights]
    names = [weight.path.split("/")[-1] for weight in network.weights]
    moved = {
        name
        for name, old, new in zip(names, before, after, strict=True)
        if not np.allclose(old, new, rtol=0, atol=1e-7)
    }
    if moved & {"kernel", "bias", "gamma", "beta"}:
        raise Wrong(
            "Weights that are learned have changed as well. Do not fit: one call with "
            "`training=True` moves the averages alone."
        )
    if not moved:
        raise Wrong(
            "No average has moved. Called without `training=True`, batch normalisation uses its "
            "averages and leaves them as they are."
        )
    means = [keras.ops.convert_to_numpy(one.moving_mean) for one in norms]
    first = keras.ops.convert_to_numpy(network.layers[0](x)).mean(axis=0)
    if not np.allclose(means[0], first, atol=1e-3):
        share = float(np.mean(means[0] / first))
        if abs(share - 0.01) < 0.003:
            raise Wrong(
                "The averages have gone a hundredth of the way: the momentum was 0.99. Set it to "
                "0 before the call."
            )
        raise Wrong(
            f"The averages have gone {share:.0%} of the way to the images'. Set the momentum to 0 "
            "and call the model once, on all images."
        )
    if all(np.allclose(one, 0) for one in means[1:]):
        raise Wrong("Only the first batch normalisation has new averages. Go through all layers.")
    if any(one.momentum == 0 for one in norms):
        return "It holds. (The momentum stays 0 now: set it back before you train on.)"
    return "No weight was trained, and no label seen."


def gradient(function, x):
    """Return the value of a function of one array and its gradient, on Keras's backend."""
    import keras
    import numpy as np

    if keras.backend.backend() == "jax":
        import jax

        value, pull = jax.vjp(function, jax.numpy.asarray(x))
        return np.asarray(value), np.asarray(pull(jax.numpy.ones_like(value))[0])
    import torch

    given = torch.tensor(x, requires_grad=True)
    value = function(given)
    if not isinstance(value, torch.Tensor):
        raise Wrong("Return a tensor made with `keras.ops`, not a number or an array.")
    if not value.requires_grad:
        return value.numpy(), np.zeros_like(x)
    value.sum().backward()
    slope = np.zeros_like(x) if given.grad is None else given.grad.numpy()
    return value.detach().numpy(), slope


@exercise(
    "10.reverse",
    hints=[
        "`keras.ops.stop_gradient(x)` has the value of x and the gradient 0. Mix it with x so that "
        "the values add up to x and the gradients to −lam.",
        "The part that carries the gradient is `-lam * x`. What must be added so that the value is "
        "x again?",
        "`(1 + lam) * keras.ops.stop_gradient(x) - lam * x`",
    ],
)
def reverse(answer):
    """Return x, whose gradient is multiplied by −lam on its way back."""
    import numpy as np

    x = np.random.default_rng(2).normal(size=(3, 4)).astype("float32")
    slopes = []
    for lam in (0.3, 0.7):
        value, slope = gradient(lambda z, k=lam: call(answer, z, k), x)
        if value.shape != x.shape:
            raise Wrong(f"Expected the shape {x.shape}; yours is {value.shape}.")
        slopes.append((lam, float(np.mean(slope)), value))
    for lam, _, value in slopes:
        if close(value, -lam * x, 1e-5):
            raise Wrong(
                "Forward the values are turned round as well: the classifier of domains would see "
                "other features. Forward they stay; only the gradient is turned."
            )
        if not close(value, x, 1e-5):
            raise Wrong(
                "Forward, x must come out as it went in. Look at what the values add up to."
            )
    for lam, slope, _ in slopes:
        if abs(slope + lam) > 1e-4:
            table = {
                0.0: "No gradient comes through: everything is inside `stop_gradient`.",
                1.0: "The gradient passes as it is. It has to be multiplied by −lam.",
                lam: "The sign is wrong: with +lam the network helps to tell the domains apart.",
                -1.0: "The gradient is turned, but `lam` is not used.",
                1 - lam: "The gradients add up to 1 − lam. Stop the gradient of the other part.",
            }
            for wrong, words in table.items():
                if abs(slope - wrong) < 1e-4:
                    raise Wrong(words)
            raise Wrong(
                f"With lam = {lam:g} the gradient should be −{lam:g}; yours is {slope:.3f}."
            )
    return "Checked by its gradient, at two values of lam."


def _softmax(logits):
    import numpy as np

    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def _entropy(p, axis):
    import numpy as np

    return -np.sum(p * np.log(p + 1e-12), axis=axis)


@exercise(
    "10.information",
    hints=[
        "`p = keras.ops.softmax(logits)`, one row per image. Two entropies: of each row, and of "
        "the mean row.",
        "The entropy of rows is `-keras.ops.sum(p * keras.ops.log(p + 1e-9), axis=1)`; its mean is "
        "to be small. The mean row is `keras.ops.mean(p, axis=0)`; its entropy is to be large.",
        "Return the mean of the rows' entropies minus the entropy of the mean row.",
    ],
)
def information(answer):
    """Return the loss: the mean entropy of the predictions minus the entropy of their mean."""
    import keras
    import numpy as np

    rng, found, given = np.random.default_rng(3), [], []
    for size in ((6, 4), (9, 3)):
        logits = 2 * rng.normal(size=size).astype("float32")
        value = array(call(answer, keras.ops.convert_to_tensor(logits)), "the loss")
        if value.size != 1:
            raise Wrong(f"The loss is one number; yours has the shape {value.shape}.")
        found.append(float(value.reshape(())))
        given.append(_softmax(logits))

    def are(function):
        return close(found, [function(p) for p in given], 1e-3)

    def each(p):
        return _entropy(p, 1).mean()

    def mean(p):
        return _entropy(p.mean(axis=0), None)

    table = [
        (lambda p: mean(p) - each(p), "The sign is turned: this grows with the information, and a "
         "loss is made small."),
        (each, "Only the entropy of each image: with it the network may call all of them the same "
         "digit. The entropy of the mean row keeps that from happening; subtract it."),
        (lambda p: -mean(p), "Only the mean row's entropy: each image may stay undecided."),
        (lambda p: each(p) + mean(p), "The mean row's entropy is to be large: subtract it."),
        (lambda p: _entropy(p, 1).sum() - mean(p), "The rows' entropies are added up. Take their "
         "mean, else the loss depends on the size of the batch."),
        (lambda p: (each(p) - mean(p)) / p.shape[1], "The entropies are means over the classes. An "
         "entropy is a sum."),
        (lambda p: (each(p) - mean(p)) / np.log(2), "This is in bits. The loss uses natural "
         "logarithms, as the cross-entropy does."),
        (lambda p: each(_softmax(p)) - mean(_softmax(p)), "The softmax is taken twice."),
        (lambda p: each(p) - _entropy(p.mean(axis=1), None), "The mean row is the mean over the "
         "images: `axis=0`."),
    ]  # fmt: skip
    if not are(lambda p: each(p) - mean(p)):
        for mistaken, words in table:
            if are(mistaken):
                raise Wrong(words)
        raise Wrong(
            f"For the check's logits the loss is {each(given[0]) - mean(given[0]):.4f}; yours is "
            f"{found[0]:.4f}."
        )
    sure = keras.ops.convert_to_tensor(np.float32(600 * np.eye(3) - 300))
    if not np.isfinite(array(call(answer, sure), "the loss")).all():
        raise Wrong(
            "When the network is sure, a probability is 0 and its logarithm infinite: the loss is "
            "nan. Write `log(p + 1e-9)`, or use `log_softmax`."
        )
    return "Sure of each image, and of no digit more often than of another: no label was needed."


@exercise(
    "10.pseudo_labels",
    hints=[
        "From logits to probabilities: a softmax over the classes. The highest of a row says how "
        "sure the network is.",
        "`sure = p.max(axis=1) > bar`; the rows are `np.flatnonzero(sure)`.",
        "Return the rows, and of these rows the class with the highest probability.",
    ],
)
def pseudo_labels(answer):
    """Return the rows whose highest probability is above the bar, and their predicted classes."""
    import numpy as np

    rng = np.random.default_rng(4)
    logits, bar = 1.6 * rng.normal(size=(30, 4)), 0.8
    p = _softmax(logits)
    sure = p.max(axis=1) > bar
    rows, classes = np.flatnonzero(sure), p[sure].argmax(axis=1)
    answered = call(answer, logits.copy(), bar)
    if not isinstance(answered, (tuple, list)) or len(answered) != 2:
        raise Wrong("Return two arrays: the rows, and their classes.")
    got, named = (
        array(one, what) for one, what in zip(answered, ("the rows", "the classes"), strict=True)
    )
    if got.dtype == bool or (got.shape == sure.shape and set(np.unique(got)) <= {0, 1}):
        raise Wrong("These are marks, one for each image. Return the numbers of the rows.")
    if got.ndim != 1 or len(got) != named.shape[0]:
        raise Wrong(f"Rows of shape {got.shape} do not fit classes of shape {named.shape}.")
    kinds = {
        "all images": np.arange(30),
        "logits": np.flatnonzero(logits.max(axis=1) > bar),
        "below": np.flatnonzero(~sure),
        "over images": np.flatnonzero(
            (np.exp(logits) / np.exp(logits).sum(axis=0)).max(axis=1) > bar
        ),
    }
    words = {
        "all images": "All images are there. Keep those whose highest probability is above it.",
        "logits": "The bar is compared with logits. Take the softmax first.",
        "below": "These are the images that the network is *not* sure of.",
        "over images": "The softmax goes over the classes: `axis=1`.",
    }
    if not np.array_equal(np.sort(got), rows):
        for kind, wrong in kinds.items():
            if np.array_equal(np.sort(got), wrong):
                raise Wrong(words[kind])
        raise Wrong(f"{len(rows)} images are above the bar; yours are {len(got)}.")
    if named.ndim == 2:
        raise Wrong("These are probabilities. The class is the place of the highest, `argmax`.")
    if not np.array_equal(named[np.argsort(got)], classes):
        raise Wrong("The rows are right; their classes are not those with the highest probability.")
    return "Labels from the network itself: right ones, if it is right where it is sure."
