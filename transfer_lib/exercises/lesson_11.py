"""Exercises of lesson 11: scores, and whether to believe them."""

from transfer_lib.exercises.lesson_11_choice import card, choose
from transfer_lib.practice import Wrong, array, call, close, exercise, number

__all__ = ["card", "choose", "h_score", "kendall", "loud", "probe_score"]


def _labelled(seed, rows, signal, noise):
    """Return features with some columns that tell three classes apart and some that do not."""
    import numpy as np

    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(rows) % 3)
    centres = rng.normal(size=(3, signal))
    useful = centres[y] + 0.7 * rng.normal(size=(rows, signal))
    return np.c_[useful, rng.normal(size=(rows, noise))], y


def _accuracy(classifier, x, y, folds=5, scaled=True):
    """Return the cross-validated accuracy, or with 0 folds that on the rows fitted to."""
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(*([StandardScaler()] if scaled else []), classifier)
    return cross_val_score(model, x, y, cv=folds).mean() if folds else model.fit(x, y).score(x, y)


@exercise(
    "11.probe_score",
    hints=[
        "A pipeline of a scaler and a classifier is one model. `cross_val_score` fits it on four "
        "fifths of the rows and tests it on the last fifth, five times.",
        "`make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, tol=0.01))` is the "
        "model; `cross_val_score(model, features, y, cv=5)` gives five accuracies.",
        "Return their mean.",
    ],
)
def probe_score(answer):
    """Return the accuracy of a linear probe on rows that it has not been fitted to."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    x, y = _labelled(5, 60, 4, 12)
    x *= np.geomspace(1e-3, 1, x.shape[1])
    logistic = LogisticRegression(max_iter=1000, tol=0.01)
    right = _accuracy(logistic, x, y)
    value = array(call(answer, x.copy(), y.copy()), "the score")
    if value.shape == (5,):
        raise Wrong("These are the five accuracies. The score is their mean.")
    if value.size != 1:
        raise Wrong(f"The score is one number; yours has the shape {value.shape}.")
    value = float(value.reshape(()))
    table = [
        (_accuracy(logistic, x, y, folds=0), "It is tested on the rows that it was fitted to. With "
         "few labels any features look splendid so. Let `cross_val_score` keep a fifth out."),
        (_accuracy(logistic, x, y, scaled=False), "The features are not scaled: columns with small "
         "numbers have no say. Put a `StandardScaler` before the classifier."),
        (1 - right, "This is the error. A higher score shall mean a better network."),
        (100 * right, "These are percent. Return the fraction, as scikit-learn does."),
        (1 / 3, "A third is guessing. Are the labels those of the rows?"),
    ]  # fmt: skip
    if abs(value - right) < 0.06:
        again = number(call(answer, x.copy(), y[::-1].copy()), "the score")
        if again > 0.55:
            raise Wrong("With labels that fit no row, the score should be near a third.")
        return "Judged on rows that it has not seen; the scaler, too, learns from the others alone."
    for wrong, words in table:
        if abs(value - wrong) < 0.012:
            raise Wrong(words)
    raise Wrong(f"For these features the probe gets {right:.2f}; yours is {value:.2f}.")


@exercise(
    "11.kendall",
    hints=[
        "Go through all pairs of networks. Does the one with the higher `a` also have the higher "
        "`b`? Count yes and no.",
        "`np.sign(a[i] - a[j]) * np.sign(b[i] - b[j])` is 1 for yes and −1 for no.",
        "Add that up over all pairs i < j, and divide by the number of pairs, n (n − 1) / 2.",
    ],
)
def kendall(answer):
    """Return Kendall's tau: agreeing pairs minus disagreeing pairs, over all pairs."""
    import numpy as np
    from scipy import stats

    rng = np.random.default_rng(7)
    a = rng.normal(size=9)
    b = np.exp(a + 0.8 * rng.normal(size=9))
    right = stats.kendalltau(a, b).statistic
    value = number(call(answer, a.copy(), b.copy()), "tau")
    table = [
        (-right, "The sign is turned: pairs in the same order count 1."),
        (36 * right, "This is the difference of two counts. Divide by the number of pairs, 36."),
        ((1 + right) / 2, "This is the share of pairs that agree; guessing would get a half. Take "
         "the disagreeing ones off, so that guessing gets 0."),
        (2 * right, "Each pair is counted twice, but divided by the number of pairs once."),
        (right / 2, "Each pair is counted once, but divided by n (n − 1), twice their number."),
        (8 / 9 * right, "Divided by n²: a network and itself are no pair."),
        (stats.spearmanr(a, b).statistic, "This is Spearman's correlation of the ranks, a good "
         "measure too. Kendall's counts pairs."),
        (np.corrcoef(a, b)[0, 1], "This is Pearson's correlation, which asks for a straight line. "
         "Only the order counts here."),
        (np.mean(np.sign(np.diff(a)) * np.sign(np.diff(b))), "Only neighbours are compared. Take "
         "all pairs."),
    ]  # fmt: skip
    if close(value, right, 1e-9):
        if close(number(call(answer, a, -a), "tau"), -1) and close(
            number(call(answer, a, 3 * a), "tau"), 1
        ):
            return "1: the same order, −1: the opposite one, 0: no better than guessing."
        raise Wrong("For the same order tau is 1, for the opposite one −1.")
    for wrong, words in table:
        if close(value, wrong, 1e-9):
            raise Wrong(words)
    raise Wrong(f"For these nine networks tau is {right:.3f}; yours is {value:.3f}.")


@exercise(
    "11.h_score",
    hints=[
        "Centre the features first: `features - features.mean(axis=0)`. Their covariance is "
        "`f.T @ f / len(f)`.",
        "Make a second array of the same shape, in which each row is the mean of all rows of its "
        "class. Its covariance is that of the class means.",
        "`np.trace(np.linalg.pinv(all, rcond=1e-6, hermitian=True) @ means)`, with the two "
        "covariances.",
    ],
)
def h_score(answer):
    """Return how much of the features' spread is between classes: trace(cov⁻¹ · cov of means)."""
    import numpy as np

    x, y = _labelled(2, 70, 3, 2)
    x, y = x[8:] + 2, np.r_[np.zeros(12, int), y[20:]]  # classes of different sizes
    centred = x - x.mean(axis=0)

    def means(of):
        return np.stack([of[y == k].mean(axis=0) for k in range(3)])[y]

    def covariance(of):
        return of.T @ of / len(of)

    whole, between = covariance(centred), covariance(means(centred))
    within = covariance(centred - means(centred))
    inverse = np.linalg.inv(whole)
    three = means(centred)[[np.flatnonzero(y == k)[0] for k in range(3)]]
    right = np.trace(inverse @ between)
    value = number(call(answer, x.copy(), y.copy()), "the H-score")
    table = [
        (np.trace(np.linalg.inv(within) @ between), "You divide by the spread *within* the "
         "classes. The H-score divides by all of it."),
        (np.trace(np.linalg.inv(covariance(x)) @ covariance(means(x))), "The features are not "
         "centred: take their mean off first."),
        (np.trace(inverse @ covariance(three - three.mean(axis=0))), "Each class counts the "
         "same here. Put the mean in each row of the class, so that large classes weigh more."),
        (np.trace(inverse @ covariance(three)), "Each class counts the same here. Put the mean "
         "in each row of the class, so that large classes weigh more."),
        (np.trace(between) / np.trace(whole), "A ratio of two traces depends on the scale of each "
         "column. Invert the whole covariance, then take the trace."),
        (np.trace(whole @ between), "The covariance has to be inverted: `np.linalg.pinv`."),
        (np.sum(inverse @ between), "This adds up all entries. The trace adds up the diagonal."),
        (np.trace(np.linalg.inv(between + 1e-9 * np.eye(5)) @ whole), "Turned round: the inverse "
         "is of the covariance of all features."),
        (right * len(x) / (len(x) - 1), "One covariance is divided by n, the other by n − 1. Take "
         "the same for both."),
        (right * (len(x) - 1) / len(x), "One covariance is divided by n, the other by n − 1. Take "
         "the same for both."),
        (right * len(x), "One of the covariances is not divided by the number of rows."),
        (right / len(x), "One of the covariances is not divided by the number of rows."),
    ]  # fmt: skip
    if close(value, right, 1e-4):
        return "Between 0 and the number of classes minus one, whatever the scale of the features."
    for wrong, words in table:
        if close(value, wrong, 1e-4):
            raise Wrong(words)
    raise Wrong(f"For these features the H-score is {right:.4f}; yours is {value:.4f}.")


@exercise(
    "11.loud",
    hints=[
        "Neighbours are found by distances. What happens to a distance when one column holds much "
        "larger numbers than the others?",
        "Multiply one column by 1,000: then it alone decides who is near. One column seldom knows "
        "all classes.",
        "`features * np.r_[1000, np.ones(features.shape[1] - 1)]`",
    ],
)
def loud(answer):
    """Scale the columns so that nearest neighbours fail and nothing that they know is lost."""
    import numpy as np
    from sklearn.neighbors import KNeighborsClassifier

    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    told = np.eye(3)[y] @ np.repeat(np.eye(3), 2, axis=1)  # two columns tell each class from others
    x = 3 * told + rng.normal(size=(90, 6))
    given = x.copy()
    value = array(call(answer, given), "the features")
    if value.shape != x.shape:
        raise Wrong(f"Expected features of shape {x.shape}; yours have the shape {value.shape}.")
    factors = value / x
    if not np.allclose(factors, factors[0], rtol=1e-6, atol=1e-9):
        raise Wrong(
            "That is more than a scale: each column may only be multiplied by a number of its own."
        )
    if np.any(np.abs(factors[0]) < 1e-9):
        raise Wrong("A column times 0 is lost. Nothing that the features know may be lost.")
    neighbours = KNeighborsClassifier(3)
    before, after = (100 * _accuracy(neighbours, one, y, scaled=False) for one in (x, value))
    if after > before - 20:
        same = np.allclose(factors[0], factors[0, 0])
        raise Wrong(
            f"Three neighbours had {before:.0f} % right and have {after:.0f} % now."
            + (" All columns have the same factor, so all distances do, too." if same else "")
        )
    return (
        f"From {before:.0f} to {after:.0f} %, and any linear classifier could undo it. Scale the "
        "columns before you compare distances."
    )
