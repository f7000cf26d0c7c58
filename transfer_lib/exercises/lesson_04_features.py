"""Exercises of lesson 04 on features that are there already: store, fuse and split them."""

from transfer_lib.checking import LearnerError, Wrong, array, call, close, exercise

NO_SUFFIX = (
    "`np.save` adds `.npy` to a name without it, so the file that you look for is not there. Put "
    "`.npy` into the name yourself."
)


def _in_another_session(used):
    """Return `hash` with another salt for bytes and text; it notes in `used` that it was called."""
    original = hash

    def salted(value):
        if isinstance(value, (bytes, str)):
            used.append(value)
            return original(("another session", value))
        if isinstance(value, tuple):
            return original(tuple(salted(part) for part in value))
        return original(value)

    return salted


@exercise(
    "04.cached",
    hints=[
        "Which file belongs to these images? Its name must depend on what the images hold.",
        "`hashlib.sha256(images.tobytes()).hexdigest()` is such a name.",
        "If the file is not there: `np.save(path, compute(images))`. Then `return np.load(path)`.",
    ],
)
def cached(answer):
    """Compute features once for each set of images, and read them from the folder afterwards."""
    import shutil
    import tempfile
    from pathlib import Path
    from unittest import mock

    import numpy as np

    calls, hashes = [], []
    changes = "The images that were passed in have changed. Leave them as they are."

    def compute(x):
        calls.append(len(x))
        return x.reshape(len(x), -1).astype("float32").sum(axis=1, keepdims=True)

    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 256, size=(2, 5, 32, 32, 3)).astype("uint8")
    features = compute(one)
    nearly = one.copy()
    nearly[2, 16, 16, 1] ^= 255  # a single value in the middle

    def ask(folder, images):
        """Return the learner's features, and for how many images they were computed."""
        calls.clear()
        try:
            value = array(call(answer, folder, images, compute, mutation=changes))
        except LearnerError as error:
            missing = getattr(error.__cause__, "filename", None)
            if missing is not None and Path(f"{missing}.npy").exists():
                raise Wrong(NO_SUFFIX) from None
            raise
        return value, sum(calls)

    with tempfile.TemporaryDirectory() as name:
        folder, later = Path(name, "one"), Path(name, "two")
        folder.mkdir()
        first, computed = ask(folder, one)
        if not computed:
            raise Wrong("The features were never computed. Call `compute(images)` the first time.")
        if not close(first, features):
            raise Wrong("What you return is not what `compute(images)` gave.")
        if not any(folder.rglob("*")):
            raise Wrong("Nothing was written into `folder`, so another session starts anew.")
        if computed > len(one):
            raise Wrong(
                "The first call computed the features more than once. Keep what "
                "`compute(images)` returns in a variable, or read it from the file."
            )
        again, computed = ask(folder, one)
        if computed:
            raise Wrong(
                "The second call for the same images computed them again. Look first whether the "
                "file is there, under its full name (`np.save` adds `.npy` where it is missing), "
                "and make the name from the pixels, not from `id(images)`."
            )
        if not close(again, first):
            raise Wrong("The second call for the same images returned other features.")
        shutil.copytree(folder, later)  # the same files, unknown to anything in memory
        if ask(later, one)[1]:
            raise Wrong(
                "With the same files in another folder they were computed again: you read the "
                "features from memory, and a new session has none. Read them from the file."
            )
        with mock.patch("builtins.hash", _in_another_session(hashes)):
            _, computed = ask(later, one)
        if computed and hashes:
            raise Wrong(
                "Python's `hash` of bytes or text differs in every session, so the file is never "
                "found again. Use `hashlib.sha256`."
            )
        second, _ = ask(folder, other)
        if close(second, first):
            raise Wrong(
                "Other images, as many of them, got the features of the first ones. The file's "
                "name must depend on the pixels."
            )
        if not close(second, compute(other)):
            raise Wrong("For a second set of images the features are wrong.")
        if not ask(folder, nearly)[1]:
            raise Wrong(
                "Images that differ in one pixel got the features of the first ones. The first "
                "image or the first bytes are not enough, and the text of a large array leaves "
                "out its middle: take all pixels, with `images.tobytes()`."
            )
        for change, images in (("in another order", one[::-1]), ("flipped", one[:, :, ::-1])):
            if not ask(folder, images.copy())[1]:
                raise Wrong(
                    f"The same images, {change}, got the features of the first ones. A sum or a "
                    "mean does not tell them apart: take all pixels, with `images.tobytes()`."
                )
    with tempfile.TemporaryDirectory() as name:
        if not ask(Path(name), one)[1]:
            raise Wrong(
                "For an empty folder nothing was computed: you keep the features in memory, not "
                "in the folder."
            )


@exercise(
    "04.fuse",
    hints=[
        "For each set: fit `PCA(width)` on the training part, then transform both parts with it.",
        "`np.concatenate([a, b], axis=1)` puts columns side by side.",
        "`pca = PCA(width).fit(a_train)`, then `pca.transform(a_train)`, `pca.transform(a_test)`; "
        "the same for `b`.",
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
        raise Wrong("You divided each projection by its spread, as `shrink` does. Do not rescale.")
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
    "04.split",
    hints=[
        "A patch covers the columns from `left` to `left + side - 1`.",
        "It ends left of the border when `left + side <= border`.",
        "`return left + side <= border, left >= border`",
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
