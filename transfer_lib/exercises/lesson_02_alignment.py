"""Exercises of lesson 02 on aligning two clouds: MMD and CORAL."""

from transfer_lib.checking import Wrong, call, close, exercise, number


@exercise(
    "02.mmd_unbiased",
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
    "02.coral_loss",
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
