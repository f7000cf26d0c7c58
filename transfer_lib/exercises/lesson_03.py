"""Exercises of lesson 03."""

from transfer_lib.exercises.lesson_03_losses import faults, overlap, total_loss
from transfer_lib.practice import Wrong, call, close, exercise, number

__all__ = ["faults", "freeze", "gain_row", "head_swap", "overlap", "total_loss"]


def _backbone():
    """Return a small backbone: two dense layers with batch normalisation between them."""
    import keras

    first = [keras.Input((4,)), keras.layers.Dense(3, activation="relu")]
    rest = [keras.layers.BatchNormalization(), keras.layers.Dense(2)]
    return keras.Sequential(first + rest, name="backbone")


def _same(one, other):
    """Return True when two lists of arrays are equal."""
    import numpy as np

    return len(one) == len(other) and all(map(np.array_equal, one, other))


@exercise(
    "03.head_swap",
    hints=[
        "Follow the data: an input, then the backbone called on it, then a new layer.",
        "`inputs = keras.Input(backbone.input_shape[1:])`, then `features = backbone(inputs)`.",
        "The head is `keras.layers.Dense(classes)` called on the features, without activation.",
    ],
)
def head_swap(answer):
    """Put a new head with `classes` outputs on a backbone, and return the model."""
    import keras
    import numpy as np

    backbone, rng = _backbone(), np.random.default_rng(0)
    own, values = list(backbone.weights), backbone.get_weights()
    model = call(answer, backbone, 7)
    if len(backbone.weights) != len(own):
        raise Wrong("`add` and `pop` change the given backbone. Build a new model around it.")
    if not isinstance(model, keras.Model):
        raise Wrong(f"Return a keras.Model; this is a {type(model).__name__}.")
    if model is backbone:
        raise Wrong("You returned the backbone itself. Put a Dense layer behind it.")
    x = 100 * rng.normal(size=(64, 4)).astype("float32")
    outputs = call(model, x).shape[-1]  # the call also builds a model that was not built
    if outputs == 2:
        raise Wrong("The model ends with the backbone's features. Its head is missing.")
    if outputs != 7:
        raise Wrong(
            f"The check asked for 7 classes and got {outputs} outputs. Use the argument `classes`."
        )
    head = [w for w in model.weights if not any(w is v for v in own)]
    there = len(model.weights) - len(head)
    if not there and len(head) <= 2:
        raise Wrong("The backbone is not in the model. Call it, and the head on what it returns.")
    if not there:
        raise Wrong(
            "The model holds a copy of the backbone: training the one does not reach the other. "
            "Call the backbone itself; do not build or clone one."
        )
    if there < len(own):
        raise Wrong("A layer of the backbone is missing. Keep all: its last one gives features.")
    if not _same(values, backbone.get_weights()):
        raise Wrong("The backbone's weights changed. Swapping the head must not touch them.")
    shapes = sorted((tuple(w.shape) for w in head), key=len)
    if shapes == [(2, 7)]:
        raise Wrong("The head has no bias. Leave `use_bias=False` out.")
    if shapes != [(7,), (2, 7)]:
        raise Wrong("The head has other weights than one Dense layer on the features.")
    new = {w.shape: rng.normal(size=w.shape).astype("float32") for w in head}
    for weight in head:  # the head may start at zero, where an activation could hide
        weight.assign(new[weight.shape])
    out = keras.ops.convert_to_numpy(model(x))
    right = keras.ops.convert_to_numpy(backbone(x)) @ new[(2, 7)] + new[(7,)]
    if np.allclose(out.sum(axis=1), 1, atol=1e-5):
        raise Wrong(
            "The head ends with a softmax. The loss of this lesson has `from_logits=True` and "
            "applies it itself; twice is once too often. Leave the activation out."
        )
    if not np.allclose(out, right, rtol=0, atol=0.01 * np.abs(right).max()):
        raise Wrong(
            "The outputs are not `features @ weights + bias`. A head that gives logits is one "
            "Dense layer directly behind the backbone, without activation."
        )
    if not backbone.trainable:
        return "But you also froze the backbone: pretraining has to train it first."
    return "The backbone keeps what it learned; only the head starts from nothing."


@exercise(
    "03.freeze",
    hints=[
        "Which layers may train? Make a list of the convolutions first, in their order.",
        "Then go through all layers: `layer.trainable` is True for the last ones of that list and "
        "False for everything else.",
        "`convolutions[-train_last:]` is the whole list when `train_last` is 0. Count from the "
        "front: `convolutions[len(convolutions) - train_last:]`.",
    ],
)
def freeze(answer):
    """Let training change only the last `train_last` convolutions, and nothing when it is 0."""
    import keras
    import numpy as np

    rng = np.random.default_rng(0)
    x, y = rng.normal(3, 2, size=(8, 8, 8, 1)).astype("float32"), np.arange(8) % 2
    for train_last in (1, 0, 2, 3):
        backbone = _convolutions()
        before = backbone.get_weights()
        returned = call(answer, backbone, train_last, may_return_none=True)
        if not _same(before, backbone.get_weights()):
            raise Wrong("The backbone has other weights than before. Freezing only sets switches.")
        model = keras.Sequential([backbone, keras.layers.Dense(2)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.1), loss)
        model.fit(x, y, verbose=0)
        moved = {
            weight.path.split("/")[-2]
            for weight, old in zip(backbone.weights, before, strict=True)
            if not np.allclose(keras.ops.convert_to_numpy(weight), old, rtol=0, atol=1e-7)
        }
        _judge_moved(moved, train_last, isinstance(returned, keras.Model))
    return "With a small target, train from the end: the last layers are the most particular."


def _convolutions():
    """Return a backbone of three convolutions, each with batch normalisation."""
    import keras

    layers = [keras.Input((8, 8, 1))]
    for i in (1, 2, 3):
        layers.append(keras.layers.Conv2D(4, 3, use_bias=False, name=f"convolution{i}"))
        layers.append(keras.layers.BatchNormalization(name=f"norm{i}"))
        layers.append(keras.layers.ReLU(name=f"relu{i}"))
    return keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D(name="mean")])


def _judge_moved(moved, train_last, is_model):
    """Raise Wrong unless exactly the last convolutions moved in a training step."""
    filters = {f"convolution{i}" for i in (1, 2, 3)}
    right = {f"convolution{i}" for i in range(4 - train_last, 4)}
    asked = f"With train_last = {train_last}"
    norms, convolutions = moved - filters, moved & filters
    if moved == right:
        return
    if train_last == 0 and filters <= moved:
        raise Wrong(
            f"{asked} everything still trains. In Python `list[-0:]` is the whole list: count from "
            "the front instead."
        )
    if len(moved) == 6:
        copy = "You froze a copy: set the switches of the given backbone. " if is_model else ""
        raise Wrong(f"{asked} all layers still train. {copy}Set `layer.trainable = False`.")
    if convolutions == right and len(norms) == 3:
        raise Wrong(
            f"{asked} the right convolutions train, but so does the batch normalisation: its scale "
            "and shift, and its moving averages. Switch these layers off, too."
        )
    if convolutions == right and norms:
        raise Wrong(
            f"{asked} {', '.join(sorted(norms))} moved as well: the batch normalisation behind a "
            "convolution that trains stays frozen here, like all of it."
        )
    if not moved:
        raise Wrong(f"{asked} nothing trains. The last {train_last} of the convolutions should.")
    if len(convolutions) == train_last and convolutions == {
        f"convolution{i}" for i in range(1, train_last + 1)
    }:
        raise Wrong(f"{asked} the first convolutions train, not the last. Turn it round.")
    if convolutions < right:
        raise Wrong(
            f"{asked} only {', '.join(sorted(convolutions)) or 'no convolution'} of them trained. "
            "Count convolutions, not layers: between two of them lie others."
        )
    raise Wrong(f"{asked} these moved: {', '.join(sorted(moved))}; it should be {sorted(right)}.")


@exercise(
    "03.gain_row",
    hints=[
        "A loop over the draws. In each, draw rows once, and give the same rows to both methods.",
        "`rows = draw(y, per_class, rng)`, then `100 * (transfer(rows) - scratch(rows))` is the "
        "gain of this draw in points.",
        "Keep the gains in a list. `np.mean(gains)`, `min(gains)` and `max(gains)` go into the "
        "dict.",
    ],
)
def gain_row(answer):
    """Return mean, lowest and highest gain in points over paired draws."""
    import numpy as np

    y = np.repeat([0, 1, 2, 3], [9, 12, 10, 11])
    calls, truth = {"scratch": [], "transfer": []}, np.random.default_rng(3)

    def method(name, centre):
        def run(rows):
            rows = np.sort(np.asarray(rows).ravel())
            value = centre + 0.1 * float(truth.uniform(-1, 1))
            calls[name].append((rows, value))
            return value

        return run

    scratch, transfer = method("scratch", 0.5), method("transfer", 0.6)
    value = call(answer, y, 3, 4, scratch, transfer, np.random.default_rng(0))
    if isinstance(value, (list, tuple, np.ndarray)):
        raise Wrong("Return a dict with the keys 'mean', 'lowest' and 'highest'.")
    if not isinstance(value, dict) or set(value) != {"mean", "lowest", "highest"}:
        keys = f"; yours has {sorted(map(str, value))}" if isinstance(value, dict) else ""
        raise Wrong(f"The dict has the keys 'mean', 'lowest' and 'highest'{keys}.")
    _judge_draws(calls, y, 3, 4)
    before, after = (np.array([v for _, v in calls[name]]) for name in ("scratch", "transfer"))
    gains = 100 * (after - before)
    found = [number(value[key], key) for key in ("mean", "lowest", "highest")]
    right = [gains.mean(), gains.min(), gains.max()]
    if close(found, right):
        return "The lowest matters most: it says whether transfer helped every time."
    if close(found, [v / 100 for v in right]):
        raise Wrong("These are fractions. A point is a hundredth: multiply by 100.")
    if close(found, [-right[0], -right[2], -right[1]]):
        raise Wrong("The sign is turned: a gain is transfer minus scratch.")
    unpaired = [right[0], 100 * (after.min() - before.max()), 100 * (after.max() - before.min())]
    same_ends = [right[0], 100 * (after.min() - before.min()), 100 * (after.max() - before.max())]
    if close(found, unpaired) or close(found, same_ends):
        raise Wrong(
            "Take the difference within each draw first, then the lowest and the highest of these "
            "differences. The lowest accuracies of the two methods belong to different draws."
        )
    if close(found, [right[0], right[2], right[1]]):
        raise Wrong("Lowest and highest are swapped.")
    if close(found[1:], right[1:]):
        raise Wrong(
            f"Lowest and highest are right; the mean is {right[0]:.3f}, yours {found[0]:.3f}."
        )
    raise Wrong(
        f"The gains were {gains.round(2).tolist()} points, so mean, lowest and highest are "
        f"{[round(v, 2) for v in right]}; yours are {[round(v, 2) for v in found]}."
    )


def _judge_draws(calls, y, per_class, draws):
    """Raise Wrong unless both methods saw the same rows, as many as asked, drawn anew each time."""
    import numpy as np

    first, second = ([rows for rows, _ in calls[name]] for name in ("scratch", "transfer"))
    if not first or not second:
        raise Wrong("Call both `scratch(rows)` and `transfer(rows)` in every draw.")
    if len(first) != draws or len(second) != draws:
        raise Wrong(
            f"With draws = {draws}, `scratch` was called {len(first)} and `transfer` {len(second)} "
            f"times; it should be {draws} each. Call each once per draw and keep what it returns."
        )
    for rows in [*first, *second]:
        if rows.size == len(y):
            raise Wrong("A method got all rows of the target. Draw `per_class` of each class.")
        if len(set(rows.tolist())) != rows.size:
            raise Wrong("Some rows were drawn twice. `draw` draws without repeats.")
        if rows.size and np.bincount(y[rows.astype(int)], minlength=4).tolist() != [per_class] * 4:
            raise Wrong(
                f"Each draw should have {per_class} rows of each class; one had "
                f"{np.bincount(y[rows.astype(int)], minlength=4).tolist()} of the four."
            )
    if any(not np.array_equal(a, b) for a, b in zip(first, second, strict=True)):
        raise Wrong(
            "The two methods saw different images. Draw the rows once and give them to both: only "
            "then is the difference a gain, and not luck."
        )
    if all(np.array_equal(first[0], rows) for rows in first[1:]):
        raise Wrong("All draws are the same rows. Draw anew inside the loop, with the given `rng`.")
