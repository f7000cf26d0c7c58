"""The exercises of lesson 11: right answers in every form, wrong ones with their words."""

from itertools import combinations

import numpy as np
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import exercise_cases

LOGISTIC = LogisticRegression(max_iter=1000, tol=0.01)
SCALED = make_pipeline(StandardScaler(), LOGISTIC)


def probe(x, y):
    return cross_val_score(SCALED, x, y, cv=5).mean()


def probe_by_hand(x, y):
    right = []
    for train, test in StratifiedKFold(5).split(x, y):
        scaler = StandardScaler().fit(x[train])
        model = LogisticRegression(max_iter=5000).fit(scaler.transform(x[train]), y[train])
        right.append(model.score(scaler.transform(x[test]), y[test]))
    return sum(right) / 5


def probe_shuffled(x, y):
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    model = Pipeline([("scale", StandardScaler()), ("classify", LOGISTIC)])
    return np.array([cross_validate(model, x, y, cv=folds)["test_score"].mean()])


def by_matrix(a, b):
    n = len(a)
    return (np.sign(a[:, None] - a) * np.sign(b[:, None] - b)).sum() / (n * (n - 1))


def by_pairs(a, b):
    pairs = list(combinations(range(len(a)), 2))
    agreeing = sum((a[i] > a[j]) == (b[i] > b[j]) for i, j in pairs)
    return (2 * agreeing - len(pairs)) / len(pairs)


def by_sorting(a, b):
    b = np.asarray(b)[np.argsort(a)]
    total = sum(np.sign(b[i + 1 :] - b[i]).sum() for i in range(len(b)))
    return np.float64(total / (len(b) * (len(b) - 1) / 2))


FIRST = []


def constant_tau(a, b):
    """Say what was right the first time, whatever is asked later."""
    FIRST.append(by_matrix(a, b))
    return FIRST[0]


def signs(a, b):
    return np.array([np.sign((a[i] - a[j]) * (b[i] - b[j])) for i, j in combinations(range(9), 2)])


def parts(x, y, centred=True):
    f = x - x.mean(axis=0) if centred else x
    g = np.zeros_like(f)
    for k in np.unique(y):
        g[y == k] = f[y == k].mean(axis=0)
    return f, g


def h_score(x, y):
    f, g = parts(x, y)
    inverse = np.linalg.pinv(f.T @ f / len(f), rcond=1e-6, hermitian=True)
    return np.trace(inverse @ (g.T @ g / len(g)))


def by_numpys_cov(x, y):
    _, g = parts(x, y)
    return np.trace(np.linalg.solve(np.cov(x.T), np.cov(g.T)))


def by_projection(x, y):
    """The sum over the classes of how much of the indicator a linear map explains."""
    q, _ = np.linalg.qr(x - x.mean(axis=0))
    explained = [(q.T @ (y == k)) ** 2 / np.sum(y == k) for k in np.unique(y)]
    return float(np.sum(explained))


def per_class(x, y):
    f, _ = parts(x, y)
    means = np.array([f[y == k].mean(axis=0) for k in np.unique(y)])
    return np.trace(np.linalg.inv(f.T @ f / len(f)) @ (means.T @ means / len(means)))


def within(x, y):
    f, g = parts(x, y)
    return np.trace(np.linalg.inv((f - g).T @ (f - g)) @ (g.T @ g))


def not_centred(x, y):
    f, g = parts(x, y, centred=False)
    return np.trace(np.linalg.inv(f.T @ f) @ (g.T @ g))


def mixed_divisors(x, y):
    _, g = parts(x, y)
    return np.trace(np.linalg.inv(np.cov(x.T)) @ (g.T @ g / len(g)))


def matrices(x, y):
    f, g = parts(x, y)
    return f.T @ f / len(f), g.T @ g / len(g)


def first_loud(x):
    factors = np.ones(x.shape[1])
    factors[0] = 1000
    return x * factors


def in_place(x):
    x[:, -1] *= -5000
    return x


def powers(x):
    return (x * np.logspace(0, 12, x.shape[1])).tolist()


def smallest(table, slack, limit):
    fast = table[table.milliseconds <= limit]
    good = fast[fast.accuracy >= fast.accuracy.max() - slack]
    return good.megabytes.idxmin()


def by_query(table, slack, limit):
    fast = table.query("milliseconds <= @limit").sort_values("megabytes")
    return fast.index[fast.accuracy >= fast.accuracy.max() - slack][0]


def by_loop(table, slack, limit):
    rows = [(n, r) for n, r in table.iterrows() if r["milliseconds"] <= limit]
    best = max(r["accuracy"] for _, r in rows)
    return min((r["megabytes"], n) for n, r in rows if best - r["accuracy"] <= slack)[1]


def filtered_late(table, slack, limit):
    good = table[table.accuracy >= table.accuracy.max() - slack]
    return good[good.milliseconds <= limit].megabytes.idxmin()


def best(table, slack, limit):
    return table[table.milliseconds <= limit].accuracy.idxmax()


CARD = {
    "network": "VGG16Mini, cut after block 3",
    "trained on": "CIFAR-10, drawn from Tiny Images",
    "licence": "MIT; the pictures have none",
    "measured": "58 % of photo patches right from 100 labels",
    "not for": "decisions about people or anything real",
    "people": "nobody in the pictures was asked",
}

RIGHT = {
    "probe_score": [probe, probe_by_hand, probe_shuffled],
    "kendall": [by_matrix, by_pairs, by_sorting, lambda a, b: stats.kendalltau(a, b)[0]],
    "h_score": [h_score, by_numpys_cov, by_projection],
    "loud": [first_loud, in_place, powers],
    "choose": [smallest, by_query, by_loop],
    "card": [
        CARD,
        CARD | {"licence": "Weights: MIT. CIFAR-10 states no licence."},
        CARD
        | {
            "trained on": ["CIFAR-10", "from the tiny images of 2008"],
            "measured": "91 percent of scanned digits, 10 labels of each class",
        },
    ],
}

WRONG = {
    "probe_score": [
        (lambda x, y: cross_val_score(SCALED, x, y, cv=5), "five accuracies"),
        (lambda x, y: SCALED.fit(x, y).score(x, y), "rows that it was fitted to"),
        (lambda x, y: cross_val_score(LOGISTIC, x, y, cv=5).mean(), "not scaled"),
        (lambda x, y: 1 - probe(x, y), "This is the error"),
        (lambda x, y: 100 * probe(x, y), "These are percent"),
        (lambda x, y: 1 / 3, "A third is guessing"),
        (lambda x, y: x, "one number"),
        (lambda x, y: 0.11, "the probe gets"),
        (lambda x, y: 0.75, "near a third"),
    ],
    "kendall": [
        (lambda a, b: -by_matrix(a, b), "sign is turned"),
        (lambda a, b: signs(a, b).sum(), "difference of two counts"),
        (lambda a, b: np.mean(signs(a, b) > 0), "share of pairs that agree"),
        (lambda a, b: 2 * by_matrix(a, b), "counted twice"),
        (lambda a, b: by_matrix(a, b) / 2, "twice their number"),
        (lambda a, b: by_matrix(a, b) * 8 / 9, "no pair"),
        (lambda a, b: stats.spearmanr(a, b)[0], "Spearman"),
        (lambda a, b: np.corrcoef(a, b)[0, 1], "Pearson"),
        (lambda a, b: np.mean(np.sign(np.diff(a) * np.diff(b))), "Only neighbours"),
        (lambda a, b: 0.123, "tau is"),
        (constant_tau, "opposite one −1"),
    ],
    "h_score": [
        (within, "*within* the classes"),
        (not_centred, "not centred"),
        (per_class, "Each class counts the same"),
        (lambda x, y: np.trace(matrices(x, y)[1]) / np.trace(matrices(x, y)[0]), "two traces"),
        (lambda x, y: np.trace(matrices(x, y)[0] @ matrices(x, y)[1]), "has to be inverted"),
        (lambda x, y: np.sum(np.linalg.inv(matrices(x, y)[0]) @ matrices(x, y)[1]), "diagonal"),
        (mixed_divisors, "divided by n"),
        (lambda x, y: h_score(x, y) * len(x), "not divided by the number"),
        (lambda x, y: 7.0, "the H-score is"),
    ],
    "loud": [
        (lambda x: x, "All columns have the same factor"),
        (lambda x: 1000 * x, "All columns have the same factor"),
        (lambda x: x * np.linspace(1, 1.01, x.shape[1]), "Three neighbours had"),
        (lambda x: (x - x.mean(0)) / x.std(0), "more than a scale"),
        (lambda x: x * np.r_[np.zeros(5), 1], "A column times 0 is lost"),
        (lambda x: x[:, :2], "Expected features of shape"),
    ],
    "choose": [
        (best, "B is the best of the fast"),
        (lambda table, slack, limit: table.accuracy.idxmax(), "A takes 31 ms"),
        (lambda table, slack, limit: table.megabytes.idxmin(), "smallest of all"),
        (lambda table, slack, limit: smallest(table, slack + 2, limit), "3.2 points below"),
        (lambda table, slack, limit: "F", "but C is as well"),
        (lambda table, slack, limit: "C", "With a slack of"),
        (lambda table, slack, limit: 2, "name of one network"),
    ],
    "card": [
        ("a good network", "is a dict"),
        (CARD | {"people": " "}, "Still empty: people"),
        ({"network": "VGG16Mini"}, "Still empty: trained on, licence"),
        (CARD | {"not for": "medicine"}, "is a sentence"),
        (CARD | {"trained on": "many photographs"}, "names the data"),
        (CARD | {"trained on": "CIFAR-10"}, "stops half-way"),
        (CARD | {"measured": "it is quite good on photo patches"}, "a figure with its unit"),
        (CARD | {"measured": "it gets 58 % of photo patches"}, "from how many labels"),
        (CARD | {"measured": "58 % right from 100 labels"}, "on which data"),
        (CARD | {"licence": "MIT"}, "of two things"),
    ],
}

test_right, test_wrong, test_complete = exercise_cases.tests("11", RIGHT, WRONG)
