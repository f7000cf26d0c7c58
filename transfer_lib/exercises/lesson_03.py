"""Exercises of lesson 03."""

from transfer_lib.practice import LearnerError, Wrong, array, call, changed, close, exercise, number


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


def _mistakes(value, table):
    """Raise Wrong with the words beside the first known mistake that gives this value."""
    for words, *values in table:
        if any(close(value, mistaken) for mistaken in values):
            raise Wrong(words)


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
        "Every Keras layer and model has an attribute that says whether training may change it.",
        "Setting it on a model sets it on all layers inside.",
        "`backbone.trainable = False`",
    ],
)
def freeze(answer):
    """Freeze the whole backbone, so that training changes none of its weights."""
    import keras

    backbone = _backbone()
    values, total = backbone.get_weights(), len(backbone.trainable_weights)
    returned = call(answer, backbone, may_return_none=True)
    left = len(backbone.trainable_weights)
    if not _same(values, backbone.get_weights()):
        raise Wrong("The backbone has other weights than before. Freezing only sets a switch.")
    if left == total and isinstance(returned, keras.Model) and not returned.trainable_weights:
        raise Wrong("You froze a copy. Set the switch on the backbone that was given.")
    if left == total and not getattr(backbone.weights[0].value, "requires_grad", True):
        raise Wrong("`requires_grad` belongs to torch. Keras has its own switch: `trainable`.")
    if left == total:
        raise Wrong(
            "Every weight is still trainable. Set the attribute `trainable` of the backbone, with "
            "one `=`. (`training=False` is another thing: it chooses how dropout and batch "
            "normalisation behave.)"
        )
    if left:
        kinds = sorted({type(x).__name__ for x in backbone.layers if x.trainable_weights})
        raise Wrong(
            f"{left} of {total} weight arrays are still trainable, in {' and '.join(kinds)}: not "
            "all layers are frozen. Set the switch on the backbone: it reaches all layers inside."
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
    weights = features * classes
    table = [
        ("You counted the weights of the head. It also has one bias for each class.", weights),
        ("Each class has a weight for every feature: multiply, do not add.", features + classes),
        ("A Dense layer has one bias for each output, not for each input.", weights + features),
        ("You counted one bias for the whole head. Each class has its own.", weights + 1),
        ("You counted the arrays, weights and biases. Count the numbers in them.", 2),
    ]
    _mistakes(value, table)
    if value > right and not close(value, right):
        raise Wrong(f"{value:.10g} is more than the head has. The frozen backbone does not count.")
    if not close(value, right):
        raise Wrong(f"{value:.10g} is too few for {features} features and {classes} classes.")


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
    tried = [r for r in rates if close(r, value, rtol=1e-3, atol=0)]
    if not tried and any(close(value, a) or close(value, 100 * a) for a in rates.values()):
        raise Wrong(f"{value:g} is an accuracy. Give the learning rate that reached it.")
    if not tried and -10 < value < 0 and any(close(r, 10**value, atol=0) for r in rates):
        raise Wrong(f"{value:g} is the exponent. Write the rate itself, 1e{value:g}.")
    if not tried:
        listed = ", ".join(f"{r:g}" for r in sorted(rates))
        raise Wrong(f"{value:g} was not tried. The measured rates are {listed}.")
    if rates[tried[0]] < rates[best] - 0.03 - 1e-9:
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
    shared, task, lam = 2.0, 5.0, 0.3
    value = number(call(answer, shared, task, lam), "the total loss")
    right = shared + lam * task
    mean = "This is a weighted mean. In L_total the shared loss has the weight 1."
    table = [
        ("Here lambda weights the shared loss. It belongs to the task loss.", lam * shared + task),
        ("Here lambda weights both losses: only the task loss has it.", lam * (shared + task)),
        ("This is the plain sum. Lambda is missing.", shared + task),
        ("The shared loss is missing. Add it.", lam * task),
        (mean, (1 - lam) * shared + lam * task, lam * shared + (1 - lam) * task, right / (1 + lam)),
        ("You divided by 2. L_total is a sum, not a mean.", right / 2),
        ("The task loss has the weight lambda, not 1 - lambda.", shared + (1 - lam) * task),
    ]
    _mistakes(value, table)
    if not close(value, right):
        raise Wrong(f"For shared 2, task 5, lambda 0.3 the total is 3.5; yours is {value:.8g}.")
    other = number(call(answer, 1.0, 4.0, 2.0), "the total loss")
    if close(other, right):
        raise Wrong("Your function gives 3.5 for other losses too. Use its arguments.")
    if not close(other, 9.0):
        raise Wrong(f"For shared 1, task 4, lambda 2 the total is 9; yours is {other:.8g}.")


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

    before, after = np.array([[3.0, -1.0], [2.0, 4.0]]), np.array([[4.0, -3.0], [5.0, 4.5]])
    changes = "Your function changed the arrays it was given. Write `a - b`, not `a -= b`."
    value = number(call(answer, before, after, mutation=changes), "the change")
    change, norm = after - before, np.linalg.norm
    length, start, end = norm(change), norm(before), norm(after)
    right = length / start
    each = change / before
    elements = norm(each), norm(each) / 2, each.mean(), abs(each).mean()
    table = [
        ("This is the length of the change. Divide by the length before.", length),
        ("You divided by the length after training. Divide by the length before.", length / end),
        ("The fraction is upside down. Divide by the length before.", start / length),
        ("This is in percent. Leave the factor 100 out.", 100 * right),
        ("These are squares: take the root of their sum.", right**2, length**2, length**2 / 4),
        ("You added absolute values. Use `np.linalg.norm`.", *_averages(abs(change), abs(before))),
        ("You divided element by element. Divide one length by the other.", *elements),
        ("`ord=2` is another norm. Leave `ord` out.", norm(change, 2) / norm(before, 2)),
    ]
    if any(close(abs(value), v) for v in (end / start - 1, end / start, end - start)):
        raise Wrong("You compared the two lengths. Weights can turn: take that of the difference.")
    if any(close(abs(value), abs(v)) for v in _averages(change, before)):
        raise Wrong("Differences of opposite sign cancel in a sum. Use the Euclidean length.")
    _mistakes(value, table)
    if not close(value, right):
        raise Wrong(f"For the check's two arrays it is {right:.6g}; yours is {value:.8g}.")
    try:  # the weights of a convolution have four axes
        value = number(call(answer, before[None, None], after[None, None]), "the change")
    except LearnerError as error:
        raise Wrong(
            f"The weights of a convolution have four axes, and there it raises: {error.__cause__} "
            "Call `np.linalg.norm` with the array alone."
        ) from None
    if not close(value, right):
        raise Wrong("This works for a matrix, but not for the four axes of a convolution.")


def _averages(change, before):
    """Return what sums and means make of a change, as such and relative to the start."""
    return change.mean(), change.sum(), change.sum() / before.sum()


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
    x = np.zeros((n, 4, 4, 1))
    x[:, 1, 1, 0] = np.arange(1, n + 1)  # each image carries its own number
    y = np.arange(n) % 3
    result = call(answer, x, y, n_test, np.random.default_rng(1))
    if not isinstance(result, (tuple, list)) or len(result) != 4:
        raise Wrong("Return four arrays: x_train, y_train, x_test, y_test.")
    x_train, y_train, x_test, y_test = (array(part) for part in result)
    if y_train.ndim != 1 or y_test.ndim != 1:
        raise Wrong("Return x_train, y_train, x_test, y_test in this order; labels have one axis.")
    if len(x_train) != len(y_train) or len(x_test) != len(y_test):
        raise Wrong("Images and labels of a part differ in number: copy the labels as well.")
    if not len(x_train) or not len(x_test):
        raise Wrong("One of the two parts is empty.")
    x_train, x_test = (part.round(3).reshape(len(part), -1) for part in (x_train, x_test))
    train, test = x_train.max(axis=1), x_test.max(axis=1)
    labels = {image: label for image, label in zip(x.max(axis=(1, 2, 3)), y, strict=True)}
    if not {*train, *test} <= set(labels):
        raise Wrong("The pixel values changed. Keep the images as they came.")
    if {*map(tuple, x_train)} & {*map(tuple, x_test)}:
        raise Wrong("Some test images are in the training part themselves. Leave these rows out.")
    if set(train) & set(test):
        raise Wrong(
            "Some test images have a copy in the training part, so the test measures memory. "
            "Copy after the split, and only training images."
        )
    if len(x_test) != n_test:
        swapped = len(x_train) in (n_test, 2 * n_test)
        more = "training and test are swapped" if swapped else "take the argument `n_test`"
        more = "no copies belong there" if len(set(test)) < len(test) else more
        raise Wrong(f"The test part has {len(x_test)} images instead of {n_test}: {more}.")
    if len(set(test)) < n_test:
        raise Wrong("The test part holds images twice. `rng.choice` needs `replace=False`.")
    columns = x_train.reshape(len(x_train), 4, 4).max(axis=1).argmax(axis=1)
    if len(x_train) == n - n_test and set(columns) != {1}:
        raise Wrong("The training part has moved copies only. Keep the images as they came, too.")
    if len(x_train) == n - n_test:
        raise Wrong("The training part has no shifted copies. Add them, from training images.")
    if len(x_train) != 2 * (n - n_test) or len(set(train)) != n - n_test:
        raise Wrong(
            f"The training part should hold {n - n_test} images and one copy of each; it has "
            f"{len(x_train)} images, {len(set(train))} of them different ones."
        )
    pairs = [*zip(train, y_train, strict=True), *zip(test, y_test, strict=True)]
    if any(labels[image] != label for image, label in pairs):
        raise Wrong("Images and labels are no longer in the same order.")
    if any(sorted(columns[train == image]) != [1, 2] for image in set(train)):
        raise Wrong("Each training image belongs there twice: as it came, and moved by `shifted`.")
    if not np.array_equal(x_test.reshape(len(x_test), 4, 4)[:, 1, 1], test):
        raise Wrong("Some test images were moved. Test on each image as it came.")
    if len(set(np.diff(sorted(test)))) == 1:
        raise Wrong("The test part is one end of the data or every k-th row. Draw it with `rng`.")
    if changed():
        raise Wrong("Your function changed the arrays it was given. Shuffle row numbers instead.")


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
    if value > max(50, measured + 5):
        raise Wrong("This looks like an accuracy. Give the difference of the two methods.")
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
