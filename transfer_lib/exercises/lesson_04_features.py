"""Exercises of lesson 04 on features that are there already: fuse them, split them."""

from transfer_lib.checking import Wrong, array, call, close, exercise


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
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(0)

    def features(n, columns, shift):
        return rng.normal(size=(n, columns)) * np.linspace(3, 1, columns) + shift

    a, b = (features(30, 6, 1), features(12, 6, 3)), (features(30, 5, 2), features(12, 5, 0))
    width = 2
    result = call(answer, *a, *b, width)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Wrong("Return two arrays: the fused training features and the fused test features.")
    train, test = (array(part) for part in result)
    if len(train) != 30 or len(test) != 12:
        raise Wrong(
            f"The parts have {len(train)} and {len(test)} rows instead of 30 and 12. Columns are "
            "put side by side: `axis=1`."
        )
    if train.shape[1] == width:
        raise Wrong("There are `width` columns. Sum and product do that; concatenate instead.")
    if train.shape[1] == 11:
        raise Wrong("You put the features side by side without projecting them.")
    if train.shape[1] != 2 * width or test.shape[1] != 2 * width:
        raise Wrong(f"Expected {2 * width} columns, got {train.shape[1]} and {test.shape[1]}.")

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

    def right_one(x, x_new):
        pca = PCA(width).fit(x)
        return pca.transform(x), pca.transform(x_new)

    if matches(right_one):
        return
    if matches(whitened):
        raise Wrong("The projections are scaled to one size (`whiten`). Leave them as they are.")
    if close(train @ train.T, products([right_one(*a), right_one(*b)])[0], atol=1e-4):
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
    result = call(answer, left, side, border)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Wrong("Return two arrays of truth values: one for training, one for testing.")
    train, test = (array(part) for part in result)
    if train.shape != left.shape or test.shape != left.shape:
        raise Wrong("Return for each patch whether it is in the part: True or False, not rows.")
    if not set(np.concatenate([train, test])) <= {0.0, 1.0}:
        raise Wrong("Return True or False for each patch.")
    train, test = train.astype(bool), test.astype(bool)
    if (train & test).any():
        raise Wrong("Some patches are in both parts.")
    if np.array_equal(train, right[1]) and np.array_equal(test, right[0]):
        raise Wrong("The two parts are exchanged: training is left of the border.")
    if train[5] or train[4] or train[3]:
        raise Wrong(
            "A training patch that begins left of the border may still reach across it. It must "
            "end before: its last column counts, not its first."
        )
    if test[3] or test[4] or test[5]:
        raise Wrong("A patch that lies across the border shares pixels with both sides: leave it.")
    if not train[2]:
        raise Wrong("A patch that ends just before the border may be used: `<=`, not `<`.")
    if not test[6]:
        raise Wrong("A patch that begins at the border may be used for testing: `>=`, not `>`.")
    if not (np.array_equal(train, right[0]) and np.array_equal(test, right[1])):
        raise Wrong("Some patches are missing from their part.")
    other = call(answer, left, 10, 60)
    if not np.array_equal(array(other[0]).astype(bool), left + 10 <= 60):
        raise Wrong("For another side and border the split is wrong. Use the arguments.")
