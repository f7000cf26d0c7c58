"""Exercises of lesson 09."""

from transfer_lib.practice import Formula, Wrong, array, call, close, exercise, number

FIT = "2 / len(y) * X.T @ (X @ w - y)"
PULL = "2 * alpha * (w - w_source)"


def _random(seed=0):
    import numpy as np

    return np.random.default_rng(seed)


def _vector(value, shape, what):
    """Read an answer that must have this shape."""
    result = array(value, what)
    if result.shape != shape:
        raise Wrong(f"Expected the shape {shape} for {what}; yours has the shape {result.shape}.")
    return result


@exercise(
    "09.mmd_unbiased",
    hints=[
        "The sum over i ≠ j is the whole sum less the diagonal: `K.sum() - np.trace(K)`.",
        "There are n(n − 1) such pairs within the source, m(m − 1) within the target, and n·m "
        "across. The pairs across stay whole.",
        "`(K_ss.sum() - np.trace(K_ss)) / (n * (n - 1))`, the same for the target, minus "
        "`2 * K_st.mean()`.",
    ],
)
def mmd_unbiased(answer):
    """Return the unbiased estimate of the squared MMD from three kernel matrices."""
    import numpy as np

    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(5, 2)), rng.normal(size=(7, 2)) + 1

    def kernel(p, q):
        return np.exp(-((p[:, None] - q[None]) ** 2).sum(axis=2) / 2)

    K, L, M = kernel(a, a), kernel(b, b), kernel(a, b)
    ss, tt, st = (K.sum() - 5) / 20, (L.sum() - 7) / 42, M.mean()
    right = ss + tt - 2 * st
    value = number(call(answer, K, L, M), "the squared MMD")
    mistakes = [
        (
            K.mean() + L.mean() - 2 * st,
            "This is the biased estimator: the diagonals compare each point with itself. Leave "
            "them out.",
        ),
        (
            (K.sum() - 5) / 25 + (L.sum() - 7) / 49 - 2 * st,
            "The diagonals are out of the sums, but not out of the counts: divide by n(n − 1) and "
            "m(m − 1), not by n² and m².",
        ),
        (ss + tt - st, "The pairs across count twice: the last term is −2 times their mean."),
        (ss + tt + 2 * st, "The pairs across are subtracted, not added."),
        (
            ss + tt - 2 * (M.sum() - np.trace(M)) / 30,
            "Leave K_st whole: its diagonal compares two different points.",
        ),
        (
            ss + tt - 2 * (M.sum() - np.trace(M)) / 35,
            "Leave K_st whole: its diagonal compares two different points.",
        ),
        (
            np.sqrt(abs(right)),
            "This is a root. The squared MMD is wanted; the unbiased estimate may be negative.",
        ),
    ]
    for mistaken, words in mistakes:
        if close(value, mistaken):
            raise Wrong(words)
    if not close(value, right):
        raise Wrong(f"For the check's points the estimate is {right:.4f}; yours is {value:.4f}.")
    if number(call(answer, K, K, np.full((5, 5), 0.9)), "the squared MMD") >= 0:
        raise Wrong("The estimate may be negative; do not cut it off at zero.")
    return "It is right on average, and may be negative."


@exercise(
    "09.coral_loss",
    hints=[
        "`np.cov(x.T)` is the centred covariance of the columns, divided by n − 1.",
        "The squared Frobenius norm is the sum of all squared entries of the difference.",
        "`np.sum((np.cov(source.T) - np.cov(target.T)) ** 2) / (4 * d ** 2)` with "
        "`d = source.shape[1]`.",
    ],
)
def coral_loss(answer):
    """Return the CORAL loss of two samples."""
    import numpy as np

    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(6, 3)) + [1, 2, 0], 1.5 * rng.normal(size=(9, 3)) - [0, 1, 2]
    # Equal sizes first: untransposed covariances of unequal ones could not be subtracted.
    equal = number(call(answer, a, b[:6]), "the CORAL loss")
    by_row = np.sum((np.cov(a) - np.cov(b[:6])) ** 2)
    if any(close(equal, by_row / factor) for factor in (1, 36, 144)):  # 144: d taken from its shape
        raise Wrong("np.cov expects one variable per row: give it the transposed sample.")
    value = number(call(answer, a, b), "the CORAL loss")
    squared = np.sum((np.cov(a.T) - np.cov(b.T)) ** 2)
    right = squared / 36
    raw = [np.sum((a.T @ a / (len(a) - k) - b.T @ b / (len(b) - k)) ** 2) / 36 for k in (0, 1)]
    if any(close(value, wrong) for wrong in raw):
        raise Wrong(
            "The covariances are not centred: take the mean of each column out first, or the loss "
            "measures the means as well."
        )
    if close(value, squared):
        raise Wrong("The factor 1 / (4 d²) is missing.")
    if close(value, squared / 12):
        raise Wrong("The factor is 1 / (4 d²), with the square; you divided by 4 d.")
    if close(value, squared / 4 * 9):
        raise Wrong("`/ 4 * d**2` divides by 4 and multiplies by d²: put 4 * d**2 in brackets.")
    if close(value, squared / 144) or close(value, squared / 324):
        raise Wrong("d is the number of columns, not of rows.")
    if close(value, squared / 4) or close(value, squared / 9):
        raise Wrong("The factor is 1 / (4 d²): one of the 4 and the d² is missing.")
    if close(value, np.sqrt(squared) / 36):
        raise Wrong("The Frobenius norm is not squared: leave the root out.")
    by_n = np.sum((np.cov(a.T, bias=True) - np.cov(b.T, bias=True)) ** 2) / 36
    if close(value, by_n):
        raise Wrong("You divide by n; the covariances of the formula are divided by n − 1.")
    if not close(value, right):
        raise Wrong(f"For the check's samples the loss is {right:.4f}; yours is {value:.4f}.")
    return "The loss is blind to the means; `coral_align` moves them separately."


l2sp_gradient = Formula(
    "09.l2sp_gradient",
    task="Return the gradient of the L2-SP objective by w.",
    right="2 / len(y) * X.T @ (X @ w - y) + 2 * alpha * (w - w_source)",
    cases=lambda rng, i: {
        "X": rng.normal(size=((2, 3, 5, 7)[i], (1, 2, 4, 3)[i])).round(1),
        "y": rng.normal(size=(2, 3, 5, 7)[i]).round(1),
        "w": rng.normal(size=(1, 2, 4, 3)[i]).round(1),
        "w_source": rng.normal(size=(1, 2, 4, 3)[i]).round(1),
        "alpha": (0.7, 1.6, 0.3, 2.4)[i],
    },
    wrong={
        f"{FIT} + 2 * alpha * w": "This pulls towards zero: it is ridge. Pull towards `w_source`.",
        f"{FIT} - {PULL}": "The pull has the wrong sign: the step against the gradient would push "
        "w away from the source. It is w − w_source.",
        f"{FIT} + {PULL} / 2": "The factor 2 of the pull is missing: it is the derivative of a "
        "square.",
        f"{FIT} + {PULL} / alpha": "α is missing: it multiplies the pull.",
        f"alpha * {FIT} + {PULL} / alpha": "α multiplies the wrong term. It belongs to the pull.",
        f"len(y) * {FIT} + {PULL}": "The factor 1/N of the data term is missing: the loss is a "
        "mean.",
        f"len(y) / 2 * {FIT} + {PULL}": "The factor 2/N of the data term is missing: a square and "
        "a mean.",
        f"{FIT} / 2 + {PULL} / 2": "Both factors 2 are missing: both terms are squares.",
        f"{FIT} / 2 + {PULL}": "The factor 2 of the data term is missing: it has a square as well.",
        f"-({FIT}) + {PULL}": "The sign of the data term is turned: the error is the prediction "
        "minus the truth, X @ w - y.",
        PULL: "This is the pull alone. Add the gradient of the mean squared error.",
        FIT: "This is the data term alone. Add the pull towards the source.",
    },
    hints=[
        "It is the sum of two gradients. The first is that of the mean squared error.",
        "The gradient of ‖w − w_source‖² is 2 (w − w_source).",
        "`return 2 / len(y) * X.T @ (X @ w - y) + 2 * alpha * (w - w_source)`",
    ],
    remark="In a network, `kernel_regularizer` or a term in the loss does the same per layer.",
    what="the gradient",
)


@exercise(
    "09.standardise",
    hints=[
        "Means and standard deviations per column: `X_train.mean(axis=0)`, `X_train.std(axis=0)`.",
        "Use these same two for both arrays. The test rows must not be asked.",
        "`return (X_train - mean) / deviation, (X_test - mean) / deviation`",
    ],
)
def standardise(answer):
    """Return training and test rows, both scaled by what the training rows say."""
    import numpy as np

    rng = _random(5)
    a, b = 3 * rng.normal(size=(8, 3)) + 5, 2 * rng.normal(size=(5, 3)) - 1
    result = call(answer, a.copy(), b.copy())
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Wrong("Return two arrays, the training rows and the test rows: `return a, b`.")
    train = _vector(result[0], (8, 3), "the training rows")
    test = _vector(result[1], (5, 3), "the test rows")

    def scaled(mean, deviation):
        return (a - mean) / deviation, (b - mean) / deviation

    def same(pair):
        return close(train, pair[0]) and close(test, pair[1])

    every = np.vstack([a, b])
    for ddof in (0, 1):  # both divisors are in use
        mean, deviation = a.mean(axis=0), a.std(axis=0, ddof=ddof)
        if same(scaled(mean, deviation)):
            return "The test rows need not have mean 0, and should not: that is the shift."
        if same(scaled(every.mean(axis=0), every.std(axis=0, ddof=ddof))):
            raise Wrong(
                "The scaler is fitted on all rows. The test rows then shape the training data: "
                "use the means and deviations of X_train only."
            )
        own = (b - b.mean(axis=0)) / b.std(axis=0, ddof=ddof)
        if same((scaled(mean, deviation)[0], own)):
            raise Wrong(
                "The test rows are scaled by their own means. That erases the shift between the "
                "domains, and a single new row could not be scaled at all. Use those of X_train."
            )
        if same(scaled(mean, deviation**2)):
            raise Wrong("You divide by the variance. Divide by its root, the standard deviation.")
    if same(scaled(a.mean(), a.std())):
        raise Wrong("This is one mean for the whole array. Take one per column, with axis=0.")
    if same((a / a.std(axis=0), b / a.std(axis=0))):
        raise Wrong("The means are still in. Subtract them before you divide.")
    if same((a - a.mean(axis=0), b - a.mean(axis=0))):
        raise Wrong("The means are out; now divide by the standard deviations.")
    for ddof in (0, 1):
        if not close(train, (a - a.mean(axis=0)) / a.std(axis=0, ddof=ddof)):
            continue
        if close(test, b):
            raise Wrong(
                "The training rows are right, but the test rows come back unscaled. Do you "
                "overwrite X_train before you take its mean and deviation for X_test? Keep both "
                "in variables first."
            )
        raise Wrong(
            "The training rows are right; the test rows are not. Use the mean and the deviation "
            "of X_train for them, both."
        )
    raise Wrong(
        "These are not the standardised rows. Each column of the training rows should have mean 0 "
        f"and standard deviation 1; the first of yours has {train[:, 0].mean():.2f} and "
        f"{train[:, 0].std():.2f}."
    )
