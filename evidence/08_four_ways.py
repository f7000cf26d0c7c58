"""What lesson 08 says about its four families and its map, over several draws for each seed."""

import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from transfer_lib.taught.lesson_01 import accuracy, few_of_each, new_network, scans, train
from transfer_lib.taught.lesson_08 import (
    arm,
    coral,
    fit,
    mapping,
    ratio,
    right,
    rule,
    try_all,
    world,
)

CLAIMS = {
    "08.weights": ("Weighted source examples beat unweighted ones on the target.", ">= 8 points"),
    "08.effective": ("The effective number of points, of the source's.", "<= 35 %"),
    "08.coral": ("Without target labels, CORAL gains over the source as it is.", ">= 6 points"),
    "08.means": ("Moving the means alone brings this share of it.", ">= 10 %"),
    "08.pull-1": ("With 1 label per digit, the pull gains over scratch.", ">= 10 points"),
    "08.pull-30": ("With 30 labels per digit, the two tie.", "-4 .. 4 points"),
    "08.rule": ("The carried rule finds this share of the advised pairs.", ">= 80 %"),
    "08.as-it-is": ("At 0 degrees nothing beats the source as it is by much.", "<= 4 points"),
    "08.adapt": (
        "At 25 degrees, 1 label: training all gains over CORAL without a label.",
        ">= 1 points",
    ),
    "08.far": ("At 90 degrees the frozen backbone is behind scratch.", ">= 5 points"),
}
DRAWS = 4


def measure(seed):
    """Return the figures for one seed."""
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    return instances(seed) | relations(seed) | digits_of(rng)


def instances(seed):
    """Return gain and effective share of importance weights, the mean of five draws."""
    rows = []
    for draw in range(5):
        x, y = arm(-0.5, 600, [seed, draw, 0])
        x_t, y_t = arm(0.5, 300, [seed, draw, 1])
        domain = np.r_[np.zeros(600), np.ones(300)]
        p = LogisticRegression().fit(np.r_[x, x_t], domain).predict_proba(x)[:, 1]
        w = ratio(p, 600, 300)
        plain, weighted = (LogisticRegression().fit(x, y, sample_weight=v) for v in (None, w))
        gain = 100 * (weighted.score(x_t, y_t) - plain.score(x_t, y_t))
        rows.append([gain, 100 * w.sum() ** 2 / np.sum(w**2) / 600])
    return dict(zip(("08.weights", "08.effective"), np.mean(rows, axis=0), strict=True))


def relations(seed):
    """Return the share of advised pairs that the rule finds, the mean of five worlds."""
    shares = []
    for draw in range(5):
        writes, supervises, advised = world(60, 40, 0.1, [seed, draw])
        rng = np.random.default_rng([seed, draw, 1])
        records = {"writes": writes, "supervises": supervises}
        for name in ("reads", "reviews"):
            records[name] = rng.random(writes.shape) < writes.mean()
        pairs = [rng.permutation(np.argwhere(advised == v))[:10] for v in (True, False)]
        first, second = mapping(records, np.concatenate(pairs), np.repeat([True, False], 10))
        carried = rule(records[first], records[second])
        shares.append(100 * (carried & advised).sum() / advised.sum())
    return {"08.rule": np.mean(shares)}


def digits_of(rng):
    """Return the figures of digits: CORAL, the pull, and three places of the map."""
    y, upright = load_digits().target, scans(0)
    source, target, test = np.split(rng.permutation(len(y)), [800, 1200])
    x, askew = upright[source], scans(15)

    def trained_on(moved, image):
        models = [train(new_network(), moved, y[source], 300) for _ in range(3)]
        return np.mean([accuracy(model, image[test], y[test]) for model in models])

    as_it_is = trained_on(x, askew)
    means = trained_on(x - x.mean(0) + askew[target].mean(0), askew)
    aligned = trained_on(coral(x, askew[target]).astype("float32"), askew)
    found = {
        "08.coral": aligned - as_it_is,
        "08.means": 100 * (means - as_it_is) / (aligned - as_it_is),
    }
    zero = np.zeros((65, 10))
    w_source = fit(x, y[source], zero, 0.001, 400)
    for k in (1, 30):
        gains = []
        for _ in range(8):
            rows = few_of_each(y, target, k, rng)
            ours, control = (
                fit(askew[rows], y[rows], start, alpha)
                for start, alpha in ((w_source, 0.01), (zero, 0.001))
            )
            gains.append(right(ours, askew[test], y[test]) - right(control, askew[test], y[test]))
        found[f"08.pull-{k}"] = np.mean(gains)

    learned = train(new_network(), x, y[source], 300).get_weights()
    cells = {}
    for angle, k in ((0, 1), (25, 1), (90, 1), (90, 10)):
        image = scans(angle)
        moved = coral(x, image[target]).astype("float32")
        adapted = train(new_network(), moved, y[source], 300)
        drawn = [few_of_each(y, target, k, rng) for _ in range(DRAWS)]
        runs = [try_all(learned, adapted, image, y, rows, test) for rows in drawn]
        cells[angle, k] = {name: np.mean([run[name] for run in runs]) for name in runs[0]}
    home, near = cells[0, 1], cells[25, 1]
    far = [cells[90, k]["scratch"] - cells[90, k]["frozen"] for k in (1, 10)]
    return found | {
        "08.as-it-is": max(home.values()) - home["as it is"],
        "08.adapt": near["all"] - near["CORAL"],
        "08.far": np.mean(far),
    }
