"""Exercises of lesson 05."""

from transfer_lib.exercises.lesson_05_networks import twin, unfreeze
from transfer_lib.practice import Wrong, array, call, close, exercise, number

__all__ = ["fuse", "head_parameters", "split", "twin", "unfreeze", "worst"]


@exercise(
    "05.head_parameters",
    hints=[
        "Flattening gives height × width × channels numbers. Each dense layer joins every input "
        "with every unit.",
        "A dense layer has `inputs * units` weights and `units` biases: `(inputs + 1) * units`.",
        "Three layers: `(flat + 1) * 1024`, `(1024 + 1) * 512` and `(512 + 1) * classes`.",
    ],
)
def head_parameters(answer):
    """Count the parameters of Flatten, Dense(1024), Dense(512), Dense(classes)."""
    shape, classes = (7, 7, 512), 5
    flat = 7 * 7 * 512
    value = number(call(answer, shape, classes), "the count")
    right = (flat + 1) * 1024 + 1025 * 512 + 513 * classes
    if value == flat * 1024 + 1024 * 512 + 512 * classes:
        raise Wrong("You counted the weights. Each unit of the three layers also has a bias.")
    if value == 513 * 1024 + 1025 * 512 + 513 * classes:
        raise Wrong(
            "This is for a pooled map. Flatten keeps all places: height × width × channels."
        )
    if value == 50 * 1024 + 1025 * 512 + 513 * classes:
        raise Wrong("The channels are missing. Flatten gives height × width × channels numbers.")
    if value == (flat + 1) * 1024 + 1025 * 512:
        raise Wrong("The last layer, one unit for each class, is missing.")
    if value == (flat + 1) * classes:
        raise Wrong("This is a single dense layer on the flattened map. Two more lie between.")
    if value == flat + 1024 + 512 + classes:
        raise Wrong("You added the sizes of the layers. Between two layers, multiply them.")
    if value == (flat + 1) * 1024 + 1025 * classes:
        raise Wrong("The layer in the middle, Dense(512), is missing.")
    if value == flat * 1024 + 1024 * 512 + 512 * classes + 3:
        raise Wrong("You counted one bias for each layer. Every unit of a layer has its own.")
    if value == flat * 1025 + 1024 * 513 + 512 * (classes + 1):
        raise Wrong(
            "You counted one bias for each input. Each unit has one: `(inputs + 1) * units`."
        )
    if value == right + flat:
        raise Wrong("Flatten has no parameters. Count those of the three dense layers.")
    for units in (1024, 512, classes):
        if value == right - units:
            raise Wrong(f"The {units} biases of Dense({units}) are missing.")
    if value != right:
        raise Wrong(
            f"For a map of {shape} and {classes} classes it is {right:,}, not {value:,.15g}."
        )
    value = number(call(answer, (2, 3, 4), 7))
    if value == 17 * 1024 + 1025 * 512 + 513 * 7 or value == 37 * 1024 + 1025 * 512 + 513 * 7:
        raise Wrong("You used the height or the width twice. A map need not be square.")
    if value != 25 * 1024 + 1025 * 512 + 513 * 7:
        raise Wrong(
            f"For a map of (2, 3, 4) and 7 classes it is {25 * 1024 + 1025 * 512 + 513 * 7:,}, "
            f"not {value:,.15g}. Use the arguments, no fixed numbers for them."
        )
    return f"{right:,} for VGG16's 7 × 7 × 512 and 5 classes; pooled and linear it is 2,565."


@exercise(
    "05.fuse",
    hints=[
        "For each set: fit `PCA(width)` on the training part, then transform both parts with it.",
        "`np.concatenate([a, b], axis=1)` puts columns side by side.",
        "`pca = PCA(width).fit(a_train)` projects `a_train` and `a_test`. Then a new one for `b`.",
    ],
)
def fuse(answer):
    """Project two sets of features by PCA of their training parts, and concatenate them."""
    import numpy as np

    rng = np.random.default_rng(0)

    def features(n, columns, shift):
        return rng.normal(size=(n, columns)) * np.linspace(3, 1, columns) + shift

    a, b = (features(30, 6, 1), features(12, 6, 3)), (features(30, 5, 2), features(12, 5, 0))
    for width in (2, 3):
        _check_fused(answer, a, b, width)


def _check_fused(answer, a, b, width):
    import numpy as np
    from sklearn.decomposition import PCA

    changes = (
        "An array that was passed in has changed. `-=` writes into it; `x = x - mean` does not."
    )
    result = call(answer, *a, *b, width, mutation=changes)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Wrong("Return two arrays: the fused training features and the fused test features.")
    train, test = (array(part) for part in result)
    if train.ndim != 2 or test.ndim != 2:
        raise Wrong(
            f"The parts have the shapes {train.shape} and {test.shape}. Each needs one row per "
            f"image and {2 * width} columns."
        )
    if len(train) == 12 and len(test) == 30:
        raise Wrong("The two parts are exchanged. Return the training part first.")
    if len(train) != 30 or len(test) != 12:
        raise Wrong(
            f"The parts have {len(train)} and {len(test)} rows instead of 30 and 12. Columns are "
            "put side by side: `axis=1`."
        )
    if train.shape[1] == width:
        raise Wrong(
            "There are `width` columns. Sum and product do that, and so does one set alone; "
            "concatenate both instead."
        )
    if train.shape[1] == 11:
        raise Wrong("You put the features side by side without projecting them.")
    if train.shape[1] != 2 * width or test.shape[1] != 2 * width:
        raise Wrong(
            f"For width={width}, {2 * width} columns are expected, not {train.shape[1]} in the "
            f"training part and {test.shape[1]} in the test part. Use the argument `width`."
        )

    def products(pairs):  # the same for every sign and rotation within a projection
        train, test = (np.concatenate(parts, axis=1) for parts in zip(*pairs, strict=True))
        return train @ train.T, train @ test.T

    def matches(fit):
        pairs = [tuple(fit(*one)) for one in (a, b)]
        right = products(pairs)
        return close(train @ train.T, right[0], atol=1e-4) and close(
            train @ test.T, right[1], atol=1e-4
        )

    def both(x, x_new):
        pca = PCA(width).fit(np.concatenate([x, x_new]))
        return pca.transform(x), pca.transform(x_new)

    def whitened(x, x_new):
        pca = PCA(width, whiten=True).fit(x)
        return pca.transform(x), pca.transform(x_new)

    def scaled(x, x_new):
        pca = PCA(width).fit(x)
        scale = pca.transform(x).std()
        return pca.transform(x) / scale, pca.transform(x_new) / scale

    def not_centred(x, x_new):
        directions = PCA(width).fit(x).components_.T
        return x @ directions, x_new @ directions

    def own_mean(x, x_new):
        pca = PCA(width).fit(x)
        return pca.transform(x), pca.transform(x_new - x_new.mean(axis=0) + x.mean(axis=0))

    def right_one(x, x_new):
        pca = PCA(width).fit(x)
        return pca.transform(x), pca.transform(x_new)

    if matches(right_one):
        return
    if matches(whitened):
        raise Wrong("The projections are scaled to one size (`whiten`). Leave them as they are.")
    if matches(scaled):
        raise Wrong("You divided each projection by its spread. Do not rescale.")
    if matches(not_centred):
        raise Wrong(
            "The mean of the training part is not subtracted before the projection. "
            "`pca.transform` does that."
        )
    if matches(own_mean):
        raise Wrong(
            "The test part is centred by its own mean. Subtract the mean of the training part "
            "from both: `pca.transform` does."
        )
    right = products([right_one(*a), right_one(*b)])
    if close(train @ np.roll(test, width, axis=1).T, right[1], atol=1e-4):
        raise Wrong(
            "In the test part the two sets are in the other order. Put `a` first in both parts."
        )
    together = PCA(2 * width).fit_transform(np.concatenate([a[0], b[0]], axis=1))
    if close(train @ train.T, together @ together.T, atol=1e-4):
        raise Wrong(
            "You put the sets side by side first, and projected them together. Project each set "
            "by a PCA of its own, and then concatenate."
        )
    if close(train @ train.T, right[0], atol=1e-4):
        raise Wrong(
            "The training part is right, the test part is not. Was a second PCA fitted on the "
            "test part? Its directions are others: transform it with the first."
        )
    if matches(both):
        raise Wrong("The directions were found with the test images. Fit on the training part.")
    if matches(lambda x, x_new: (x[:, :width], x_new[:, :width])):
        raise Wrong("You took the first columns. Project onto main directions, with `PCA`.")
    raise Wrong(
        "These are not the projections. Fit `PCA(width)` on each training part; no scaling."
    )


@exercise(
    "05.split",
    hints=[
        "A patch covers the columns from `left` to `left + side - 1`.",
        "It ends left of the border when `left + side <= border`.",
        "Compare the whole array at once: `left + side <= border` is True where a patch ends in "
        "time. Return it and the mask for the test.",
    ],
)
def split(answer):
    """Return masks of training and test patches that share no pixel."""
    import numpy as np

    left, side, border = np.array([0, 50, 68, 69, 80, 99, 100, 101, 150]), 32, 100
    right = left + side <= border, left >= border
    train, test = _masks(answer, left, side, border)
    if (train & test).any():
        column = left[train & test][0]
        raise Wrong(
            f"Some patches are in both parts, such as that of columns {column} to "
            f"{column + side - 1} for the border {border}."
        )
    if np.array_equal(train, right[1]) and np.array_equal(test, right[0]):
        raise Wrong("The two parts are exchanged: training is left of the border.")
    if train[3] and not train[4:].any():
        raise Wrong(
            "You train on a patch of columns 69 to 100, but column 100 is the border and belongs "
            "to the test. The last column, `left + side - 1`, must be less than the border."
        )
    if train[5] or train[4] or train[3]:
        raise Wrong(
            "A training patch that begins left of the border may still reach across it. It must "
            "end before: its last column counts, not its first."
        )
    if test[3] or test[4] or test[5]:
        raise Wrong("A patch that lies across the border shares pixels with both sides: leave it.")
    if not train[2] and train[1]:
        raise Wrong(
            "A patch of columns 68 to 99 ends just before the border 100 and may be used for "
            "training: `left + side <= border`."
        )
    if not test[6] and test[7]:
        raise Wrong("A patch that begins at the border may be used for testing: `>=`, not `>`.")
    if not (np.array_equal(train, right[0]) and np.array_equal(test, right[1])):
        part = "testing" if np.array_equal(train, right[0]) else "training"
        raise Wrong(
            f"Some patches are missing that may be used for {part}. Take all that end left of the "
            "border for training, and all that begin at it or right of it for testing."
        )
    left, side, border = left[::-1], 10, 78
    train, test = _masks(answer, left, side, border)
    for part, mask, expected in (
        ("training", train, left + side <= border),
        ("test", test, left >= border),
    ):
        if not np.array_equal(mask, expected):
            raise Wrong(
                f"For side {side} and border {border} the {part} part is wrong. Use the arguments, "
                "no fixed numbers."
            )


def _masks(answer, left, side, border):
    """Return the learner's masks of training and test patches."""
    import numpy as np

    changes = "`left` has changed. `+=` writes into it: write `left + side` instead."
    result = call(answer, left, side, border, mutation=changes)
    if not isinstance(result, (tuple, list)):
        result = np.atleast_1d(array(result))  # two rows of one array will do
    if len(result) != 2:
        raise Wrong("Return two arrays of truth values: one for training, one for testing.")
    parts = [array(part) for part in result]
    if any(part.shape != left.shape for part in parts):
        raise Wrong("Return for each patch whether it is in the part: True or False, not rows.")
    if not set(np.concatenate(parts)) <= {0.0, 1.0}:
        raise Wrong("Return True or False for each patch.")
    return [part.astype(bool) for part in parts]


@exercise(
    "05.worst",
    hints=[
        "`probabilities.argmax(axis=1)` are the predictions, `probabilities.max(axis=1)` how sure "
        "the model was of them.",
        "Keep only the rows where the prediction is not `y`: `np.flatnonzero` gives their numbers.",
        "Sort those rows by how sure the model was, the largest first; take the first `count`.",
    ],
)
def worst(answer):
    """Return the rows of the surest wrong predictions, the surest first."""
    import numpy as np

    for seed, count in ((0, 4), (1, 6), (2, 100)):
        rng = np.random.default_rng(seed)
        probabilities = rng.dirichlet([0.6, 0.6, 0.6], size=40)
        y = np.where(rng.random(40) < 0.55, probabilities.argmax(axis=1), rng.integers(0, 3, 40))
        wrong = np.flatnonzero(probabilities.argmax(axis=1) != y)
        sure = probabilities.max(axis=1)
        right = wrong[np.argsort(-sure[wrong])][:count]
        changes = "The probabilities have changed. Leave them as they are."
        value = array(call(answer, probabilities.copy(), y.copy(), count, mutation=changes))
        if value.shape == y.shape and set(np.unique(value)) <= {0.0, 1.0}:
            raise Wrong("Return the numbers of the rows, not True and False for each.")
        if value.ndim != 1:
            raise Wrong(f"Return one row of numbers; yours has the shape {value.shape}.")
        if close(value, right):
            continue
        if not set(value) <= set(range(40)):
            raise Wrong(
                "Return whole numbers that say which rows, such as 0 for the first; not "
                "probabilities."
            )
        if set(value) - set(wrong):
            row = int(next(v for v in value if v not in wrong))
            inner = np.argsort(-sure[wrong])[:count]
            if close(value, inner):
                raise Wrong(
                    "These are places among the wrong predictions. Look up their rows: "
                    "`wrong[order]`."
                )
            raise Wrong(f"Row {row} is predicted rightly. Take wrong predictions only.")
        if len(value) != len(right):
            raise Wrong(
                f"For count={count}, with {len(wrong)} wrong predictions, {len(right)} rows are "
                f"expected, not {len(value)}."
            )
        if close(value, wrong[np.argsort(sure[wrong])][:count]):
            raise Wrong(
                "These are the *least* sure mistakes. `np.argsort` begins with the smallest."
            )
        true = probabilities[np.arange(40), y]
        if close(value, wrong[np.argsort(true[wrong])][:count]):
            raise Wrong(
                "You sorted by the probability of the *true* class. Asked is how sure the model "
                "was of what it said: the largest probability of the row."
            )
        if set(value) == set(right):
            raise Wrong("The right rows in another order. The surest mistake comes first.")
        raise Wrong("Sort the wrong predictions by the largest probability of each row.")
