"""Exercises of lesson 09."""

from transfer_lib.exercises import faulty_lines
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
    "09.procrustes",
    hints=[
        "Take the mean out of both sets of pairs first, and keep the two means.",
        "`U, _, Vt = np.linalg.svd(S_centred.T @ T_centred)`, then Q is `U @ Vt`.",
        "New points: take out the mean of S, turn with Q, put in the mean of T.",
    ],
)
def procrustes(answer):
    """Return new points, turned and moved as the pairs S, T say."""
    import numpy as np

    known = []
    for seed, d, n, k in ((0, 2, 5, 3), (1, 3, 6, 4)):
        rng = np.random.default_rng(seed)
        Q, _ = np.linalg.qr(rng.normal(size=(d, d)))
        S, new = rng.normal(3, 1, (n, d)), rng.normal(3, 1, (k, d))
        T = S @ Q + rng.normal(size=d) + 0.1 * rng.normal(size=(n, d))
        value = array(call(answer, S, T, new), "the new points")
        if value.shape == (d, d):
            raise Wrong("This is the matrix Q. Return the new points, turned and moved.")
        value = _vector(value, new.shape, "the new points")
        s, t = S.mean(axis=0), T.mean(axis=0)
        U, _, Vt = np.linalg.svd((S - s).T @ (T - t))
        U_0, _, Vt_0 = np.linalg.svd(S.T @ T)
        X = np.c_[S, np.ones(n)]
        affine = np.c_[new, np.ones(k)] @ np.linalg.lstsq(X, T, rcond=None)[0]
        known.append(
            (
                value,
                {
                    "": (new - s) @ U @ Vt + t,
                    "The means are still in: take them out of S and T before the SVD.": (new - s)
                    @ U_0
                    @ Vt_0
                    + t,
                    "Q is built from S and T with their means. Centre both, and move the new "
                    "points.": new @ U_0 @ Vt_0,
                    "The new points are turned and not moved: put in the mean of T.": (new - s)
                    @ U
                    @ Vt,
                    "Take the mean of S out of the new points before you turn them.": new @ U @ Vt
                    + t,
                    "Q is turned over: it is `U @ Vt`, from the SVD of S.T @ T.": (new - s)
                    @ (U @ Vt).T
                    + t,
                    "`np.linalg.svd` returns V already transposed: Q is `U @ Vt`.": (new - s)
                    @ U
                    @ Vt.T
                    + t,
                    "Least squares stretches and shears as well. The map here only turns.": affine,
                    "The new points are moved and not turned.": new - s + t,
                },
            )
        )
    for words in known[0][1]:
        if all(close(value, table[words]) for value, table in known):
            if words:
                raise Wrong(words)
            return "Five pairs fix a rotation; the labels were never asked."
    value, table = known[0]
    raise Wrong(
        f"The first new point of the check goes to {table[''][0].round(3).tolist()}; yours goes to "
        f"{value[0].round(3).tolist()}."
    )


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


proxy_distance = Formula(
    "09.proxy_distance",
    task="Return 2 (1 - 2 error) of a domain classifier from its held-out predictions.",
    right="2 * (1 - 2 * np.mean(predicted != domain))",
    cases=lambda rng, i: _told(rng, (5, 9, 20, 40)[i], (0.2, 0.35, 0.1, 0.3)[i]),
    wrong={
        "2 * (1 - np.mean(predicted != domain))": "The error counts twice: 2 (1 − 2 ε).",
        "1 - 2 * np.mean(predicted != domain)": "The 2 in front is missing: d goes up to 2.",
        "2 * (1 - 2 * np.mean(predicted == domain))": "This uses the accuracy. ε is the error, the "
        "share of wrong predictions.",
        "np.mean(predicted != domain)": "This is the error. The distance is 2 (1 − 2 ε).",
        "2 * (1 - 2 * np.sum(predicted != domain))": "ε is a share: take the mean, not the sum.",
        "abs(2 * (1 - 2 * np.mean(predicted != domain))) + 1": "Leave the distance as the formula "
        "has it; below zero means worse than guessing.",
    },
    hints=[
        "The error is the mean of `predicted != domain`.",
        "`return 2 * (1 - 2 * error)`",
    ],
    remark="2 when the domains are told apart always, 0 when by chance.",
    what="the distance",
)


def _told(rng, n, share):
    """Return predictions of domains with about this share of errors, and the domains."""
    import numpy as np

    domain = rng.permutation(np.arange(n) % 2)
    wrong = np.arange(n) < max(1, round(share * n))
    return {"predicted": np.where(rng.permutation(wrong), 1 - domain, domain), "domain": domain}


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
    "09.biased_ridge",
    hints=[
        "What does the source model leave over on the target rows? Truth minus its prediction.",
        "`correction = Ridge(alpha).fit(X_t, left_over)`",
        "A new prediction is the source model's plus the correction's.",
    ],
)
def biased_ridge(answer):
    """Return predictions for new rows: source model plus ridge on what it leaves over."""
    import numpy as np
    from sklearn.linear_model import LinearRegression, Ridge

    known = []
    for seed, n, d, alpha in ((0, 8, 3, 2.0), (1, 15, 4, 7.0)):
        rng = np.random.default_rng(seed)
        X_s, w = rng.normal(size=(40, d)), rng.normal(size=d)
        source = LinearRegression().fit(X_s, X_s @ w + 1)
        X_t, X_new = rng.normal(size=(n, d)), rng.normal(size=(5, d))
        y_t = X_t @ (w + 0.5 * rng.normal(size=d)) + 3 + 0.3 * rng.normal(size=n)
        value = array(call(answer, source, X_t, y_t, X_new, alpha), "the predictions").ravel()
        if value.shape != (5,):
            raise Wrong(f"Return one prediction for each of the new rows; yours are {value.shape}.")
        left = y_t - source.predict(X_t)
        correction, target = Ridge(alpha).fit(X_t, left), Ridge(alpha).fit(X_t, y_t)
        base = source.predict(X_new)
        known.append(
            (
                value,
                {
                    "": base + correction.predict(X_new),
                    "This is the correction alone. Add the source model's prediction.": (
                        correction.predict(X_new)
                    ),
                    "This is the source model alone. Add the correction.": base,
                    "This is ridge on the target alone: fit it to what the source leaves over.": (
                        target.predict(X_new)
                    ),
                    "The sign is turned: what is left over is the truth minus the prediction.": (
                        base - correction.predict(X_new)
                    ),
                    "Ridge is fitted to the targets themselves, and the source's prediction counts "
                    "twice. Fit it to what is left over.": base + target.predict(X_new),
                    "This is the mean of two models. Ridge on what is left over is added.": (
                        (base + target.predict(X_new)) / 2
                    ),
                    "Use the argument `alpha`.": base + Ridge().fit(X_t, left).predict(X_new),
                    "This adds one constant, the mean of what is left over. Fit ridge to it.": (
                        base + left.mean()
                    ),
                },
            )
        )
    for words in known[0][1]:
        if all(close(value, table[words]) for value, table in known):
            if words:
                raise Wrong(words)
            return "With a large alpha it is the source model plus a constant."
    value, table = known[0]
    raise Wrong(
        f"The first prediction of the check is {table[''][0]:.4f}; yours is {value[0]:.4f}."
    )


FAULTS = {
    1: "where the data come from",
    7: "what is said of this line",
    9: "which rows the second model sees",
    11: "what the verdict rests on",
}
FINE = {
    2: "Given the data, that is how they are read.",
    3: "The split is the study's choice of domains.",
    4: "The scaler sees the source only: right.",
    5: "Making the features is no fault. Look whether anybody uses them.",
    6: "Ridge is a fine model.",
    8: "A new model is fine.",
    10: "The error is measured on the target. Look at what the model had seen before.",
}


@exercise(
    "09.faults",
    hints=[
        "Try line 1. What does scikit-learn say, and why was this data set taken out?",
        "Where is `polynomial` used? Which rows are in `X` on line 9 that line 10 tests on?",
        "Line 11 draws a conclusion. With what is the error compared?",
    ],
)
def faults(answer):
    """Name the four faulty lines of the study, as a set of numbers."""
    faulty_lines.judge(answer, FAULTS, FINE)
    return (
        "Line 1: scikit-learn removed Boston's houses, since one variable was made from the share "
        "of black people. Line 7: the polynomial is never applied. Line 9: source and target are "
        "fitted together, the tested rows among them. Line 11: without a control nothing works or "
        "fails."
    )
