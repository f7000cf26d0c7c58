"""Exercises of lesson 03."""

from transfer_lib.checking import Wrong, array, call, close, exercise, number
from transfer_lib.questions import Question


def _backbone():
    """Return a small backbone with two layers of weights."""
    import keras

    layers = [keras.Input((4,)), keras.layers.Dense(3, activation="relu"), keras.layers.Dense(2)]
    return keras.Sequential(layers, name="backbone")


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

    backbone = _backbone()
    before = [np.array(keras.ops.convert_to_numpy(w)) for w in backbone.weights]
    model = call(answer, backbone, 7)
    if not isinstance(model, keras.Model):
        raise Wrong(f"Return a keras.Model; this is a {type(model).__name__}.")
    if model is backbone:
        raise Wrong("You returned the backbone itself. Put a Dense layer behind it.")
    if model.output_shape[-1] == 2:
        raise Wrong("The model ends with the backbone's features. Its head is missing.")
    if model.output_shape[-1] != 7:
        raise Wrong(
            f"The check asked for 7 classes and got {model.output_shape[-1]} outputs. "
            "Use the argument `classes`."
        )
    own = {id(weight) for weight in model.weights}
    if not all(id(weight) in own for weight in backbone.weights):
        raise Wrong(
            "The model does not contain the backbone that was given: its weights are new, so what "
            "was learned is lost. Call the backbone itself instead of building or cloning one."
        )
    after = [keras.ops.convert_to_numpy(w) for w in backbone.weights]
    if not all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)):
        raise Wrong("The backbone's weights changed. Swapping the head must not touch them.")
    x = 100 * np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    out = keras.ops.convert_to_numpy(model(x))
    if np.allclose(out.sum(axis=1), 1, atol=1e-5):
        raise Wrong(
            "The head ends with a softmax. The loss of this lesson has `from_logits=True` and "
            "applies it itself; twice is once too often. Leave the activation out."
        )
    if out.min() >= 0:
        raise Wrong("The outputs are never negative. A head that gives logits has no activation.")
    if np.abs(out).max() <= 1:
        raise Wrong("The outputs never leave -1 to 1. A head that gives logits has no activation.")
    if sum(int(np.prod(w.shape)) for w in model.weights) != 23 + 2 * 7 + 7:
        raise Wrong("The head has other weights than one Dense layer on the features.")
    return "The backbone keeps what it learned; only the head starts from nothing."


@exercise(
    "03.freeze",
    hints=[
        "Every Keras layer and model has an attribute that says whether training may change it.",
        "Setting it on a model sets it on all layers inside.",
        "`backbone.trainable = False`",
    ],
)
def freeze(answer):
    """Freeze the whole backbone, so that training changes none of its weights."""
    backbone = _backbone()
    total = len(backbone.weights)
    call(answer, backbone, may_return_none=True)
    left = len(backbone.trainable_weights)
    if len(backbone.weights) != total:
        raise Wrong("The backbone has other weights than before. Freezing only sets a switch.")
    if left == total:
        raise Wrong(
            "Every weight is still trainable. `training=False` is another thing: it chooses how "
            "dropout and batch normalisation behave. The switch here is called `trainable`."
        )
    if left:
        raise Wrong(
            f"{left} of {total} weight arrays are still trainable: not all layers are frozen. Set "
            "the switch on the backbone, and it reaches all layers inside."
        )
    if any(layer.trainable for layer in backbone.layers if layer.weights):
        raise Wrong(
            "The weights are switched off one by one, the layers are not. Section 12 shows what "
            "this leaves running. Set the switch on the backbone."
        )


@exercise(
    "03.trainable",
    hints=[
        "With the backbone frozen, only the head is trained: a weight for each pair of feature "
        "and class, and a bias for each class.",
        "`features * classes + classes`",
    ],
)
def trainable(answer, features, classes):
    """Count the numbers that training may change when the backbone is frozen."""
    value, right = number(answer), features * classes + classes
    if close(value, features * classes):
        raise Wrong("You counted the weights of the head. It also has one bias for each class.")
    if close(value, features + classes):
        raise Wrong("Each class has a weight for every feature: multiply, do not add.")
    if value > right and not close(value, right):
        raise Wrong(f"{value:.0f} is more than the head has. The frozen backbone does not count.")
    if not close(value, right):
        raise Wrong(f"{value:.0f} is too few for {features} features and {classes} classes.")


@exercise(
    "03.rate",
    hints=[
        "Read the figure: where is the accuracy on held-out labels highest?",
        "A rate that is far too high destroys the backbone; one that is far too low changes "
        "nothing in the few steps there are.",
    ],
)
def rate(answer, accuracy_by_rate):
    """Choose the learning rate for fine-tuning from the measured curve."""
    value = number(answer, "the learning rate")
    rates = {float(r): float(a) for r, a in accuracy_by_rate.items()}
    best = max(rates, key=rates.get)
    tried = [r for r in rates if close(r, value, rtol=1e-3)]
    if not tried:
        listed = ", ".join(f"{r:g}" for r in sorted(rates))
        raise Wrong(f"{value:g} was not tried. The measured rates are {listed}.")
    if rates[tried[0]] < rates[best] - 0.03:
        loss = 100 * (rates[best] - rates[tried[0]])
        side = "high: each step throws away some of what was learned on the source"
        if value < best:
            side = "low: the weights hardly move in the steps there are"
        raise Wrong(f"This rate loses {loss:.1f} points to the best one. It is too {side}.")
    if value <= 1e-5:
        return (
            "Right by the curve. But at this rate the weights hardly move: you kept what the "
            "trained head reached."
        )


@exercise(
    "03.total_loss",
    hints=[
        "Two losses are added; one of them is weighted.",
        "Lambda says how much the task loss counts: `shared + lam * task`.",
    ],
)
def total_loss(answer):
    """Return L_total = L_shared + lambda * L_task."""
    value = number(call(answer, 2.0, 3.0, 0.25), "the total loss")
    if close(value, 2.0 * 0.25 + 3.0):
        raise Wrong("Here lambda weights the shared loss. It belongs to the task loss.")
    if close(value, 0.25 * (2.0 + 3.0)):
        raise Wrong("Here lambda weights both losses. It belongs to the task loss alone.")
    if close(value, 5.0):
        raise Wrong("This is the plain sum. Lambda is missing.")
    if close(value, 0.75 * 2.0 + 0.25 * 3.0):
        raise Wrong("This is a weighted mean. In L_total the shared loss has the weight 1.")
    if not close(value, 2.75):
        raise Wrong(f"For shared 2, task 3, lambda 0.25 the total is 2.75; yours is {value:.4g}.")
    if not close(number(call(answer, 1.0, 4.0, 2.0)), 9.0):
        raise Wrong("Your function gives 2.75 for other losses too. Use its arguments.")


@exercise(
    "03.relative_change",
    hints=[
        "How long is the difference of the two arrays, and how long was the first?",
        "`np.linalg.norm(after - before)` is the length of the difference.",
        "`return np.linalg.norm(after - before) / np.linalg.norm(before)`",
    ],
)
def relative_change(answer):
    """Return how far the weights moved, as a fraction of their length before."""
    import numpy as np

    before, after = np.array([[3.0, 0.0], [0.0, 4.0]]), np.array([[3.0, 1.0], [0.0, 1.0]])
    value = number(call(answer, before, after), "the change")
    right = float(np.sqrt(10) / 5)
    if close(value, np.sqrt(10)):
        raise Wrong("This is the length of the change. Divide by the length before.")
    if close(value, np.sqrt(10) / np.linalg.norm(after)):
        raise Wrong("You divided by the length after training. Divide by the length before.")
    if close(value, np.linalg.norm(after) / 5 - 1) or close(value, np.linalg.norm(after) / 5):
        raise Wrong(
            "You compared the two lengths. Weights can turn without growing: take the length of "
            "the difference."
        )
    change = after - before
    if any(close(value, v) for v in (change.mean(), change.sum(), change.sum() / before.sum())):
        raise Wrong("Differences of opposite sign cancel in a sum. Use the Euclidean length.")
    if close(value, 4 / 7) or close(value, 1.0):
        raise Wrong("You added absolute values. Use the Euclidean length, `np.linalg.norm`.")
    if not close(value, right):
        raise Wrong(f"For the check's two arrays it is {right:.4f}; yours is {value:.4g}.")


@exercise(
    "03.split",
    hints=[
        "Which comes first, copies or split? A copy of a test image must not be trained on.",
        "Draw the test rows from `x` as it came. Then call `shifted` on the training rows only.",
        "`order = rng.permutation(len(x))`, `test, train = order[:n_test], order[n_test:]`, then "
        "stack `x[train]` and `shifted(x[train])`.",
    ],
)
def split(answer):
    """Split first, then add shifted copies to the training part only."""
    import numpy as np

    n, n_test = 30, 10
    x = np.zeros((n, 4, 4))
    x[:, 1, 1] = np.arange(1, n + 1)  # each image carries its own number
    y = np.arange(n) % 3
    result = call(answer, x, y, n_test, np.random.default_rng(0))
    if not isinstance(result, (tuple, list)) or len(result) != 4:
        raise Wrong("Return four arrays: x_train, y_train, x_test, y_test.")
    x_train, y_train, x_test, y_test = (array(part) for part in result)
    if len(x_train) != len(y_train) or len(x_test) != len(y_test):
        raise Wrong("Images and labels of a part differ in number: copy the labels as well.")
    train, test = (part.reshape(len(part), -1).max(axis=1) for part in (x_train, x_test))
    if set(train) & set(test):
        raise Wrong(
            "Some test images have a copy in the training part, so the test measures memory. "
            "Make the copies after the split."
        )
    if len(x_test) != n_test:
        more = "no copies belong there" if len(x_test) > n_test else "take the argument `n_test`"
        raise Wrong(f"The test part has {len(x_test)} images instead of {n_test}: {more}.")
    if len(set(test)) < n_test:
        raise Wrong("The test part holds images twice. Test on each image once, as it came.")
    if len(x_train) == n - n_test:
        raise Wrong("The training part has no shifted copies. Add them, from training images.")
    if len(x_train) != 2 * (n - n_test) or len(set(train)) != n - n_test:
        raise Wrong(
            f"The training part should hold {n - n_test} images and one copy of each; it has "
            f"{len(x_train)}."
        )
    labels = {image: label for image, label in zip(x.max(axis=(1, 2)), y, strict=True)}
    pairs = [*zip(train, y_train, strict=True), *zip(test, y_test, strict=True)]
    if any(labels[image] != label for image, label in pairs):
        raise Wrong("Images and labels are no longer in the same order.")
    columns = x_train.reshape(len(x_train), 4, 4).max(axis=1).argmax(axis=1)
    if any(sorted(columns[train == image]) != [1, 2] for image in set(train)):
        raise Wrong("Each training image belongs there twice: as it came, and moved by `shifted`.")
    if not np.array_equal(x_test.reshape(len(x_test), 4, 4)[:, 1, 1], test):
        raise Wrong("Some test images were moved. Test on each image as it came.")
    if sorted(test) in ([*range(1, n_test + 1)], [*range(n - n_test + 1, n + 1)]):
        raise Wrong("The test part is one end of the data. Draw it with `rng`.")


@exercise(
    "03.forecast",
    hints=[
        "Look at the curve: both methods rise with the number of labels, and which rises faster?",
        "At 1 label per class the gap was widest. At the right edge little of it is left.",
    ],
)
def forecast(answer, measured):
    """Say how many points transfer gains over scratch with 80 labels per class."""
    value = number(answer, "your forecast")
    if abs(value - measured) > 5 and abs(100 * value - measured) <= 5:
        raise Wrong("Give points, not a fraction: 0.05 is 5 points.")
    if value > measured + 5:
        raise Wrong(
            f"Too optimistic: it is {measured:.1f} points. The more labels there are, the less "
            "is left for transfer to add."
        )
    if value < measured - 5:
        raise Wrong(
            f"Too pessimistic: it is {measured:.1f} points. Look at the right end of the curve: "
            "how far apart are the two lines there?"
        )
    return "Within 5 points of what was measured."


q_same_data = Question(
    "03.q_same_data",
    "A tutorial pretrains on all of MNIST, fine-tunes on all of MNIST, and reports 99 % on the "
    "test set. What does that show about transfer learning?",
    {
        "a": (
            "That transfer learning reaches 99 %",
            "One training with as many epochs and a falling rate reaches about the same. There was "
            "no control to see that.",
        ),
        "b": (
            "Nothing: source and target are the same data, so nothing was transferred",
            "The second phase is only more training. A transfer experiment needs a target with "
            "other data or labels, few of them, and a network from scratch as the control.",
        ),
        "c": (
            "That fine-tuning overfits",
            "Overfitting shows as a gap between training and test accuracy. Nothing here says so.",
        ),
    },
    right="b",
)

q_batchnorm = Question(
    "03.q_batchnorm",
    "A frozen backbone (`trainable = False`) holds batch normalisation. What happens to its moving "
    "averages while the head is trained with `fit`?",
    {
        "a": (
            "They stay, because in Keras a frozen BatchNormalization runs in inference mode",
            "In Keras 3 `trainable = False` does both for this one layer: the weights stay, and it "
            "uses its stored averages. Freezing only gamma and beta does not.",
        ),
        "b": (
            "They follow the new data, because they are not weights",
            "They are weights, though non-trainable ones. They would follow the new data if only "
            "gamma and beta were frozen.",
        ),
        "c": (
            "They are reset to 0 and 1",
            "Nothing resets them. That would throw away what the source has taught.",
        ),
    },
    right="a",
)

q_compile = Question(
    "03.q_compile",
    "You have trained the head, then set `backbone.trainable = True` and call `fit` again at once. "
    "What is missing?",
    {
        "a": (
            "Nothing: the switch works at once",
            "The optimiser knows only the weights that were trainable at `compile`. With torch and "
            "JAX `fit` raises when it meets others; with TensorFlow it may go on without them, "
            "silently. And the learning rate would still be the high one.",
        ),
        "b": (
            "A new head",
            "The head has just been trained; a fresh one would send large random gradients "
            "through the backbone.",
        ),
        "c": (
            "`compile`, with a lower learning rate",
            "`compile` makes the change take effect, and the lower rate keeps the first steps from "
            "undoing what was learned on the source.",
        ),
    },
    right="c",
)

q_when = Question(
    "03.q_when",
    "When is the gain of transfer over training from scratch largest?",
    {
        "a": (
            "When the target has very many labels",
            "Then a network from scratch learns all there is to learn by itself: look at the right "
            "end of the curve.",
        ),
        "b": (
            "When the target has few labels and the source is related to it",
            "What the target cannot teach, the source has. As labels grow, the gain shrinks.",
        ),
        "c": (
            "When source and target are the same data",
            "Then there is nothing to transfer, and nothing to gain but more training.",
        ),
    },
    right="b",
)
