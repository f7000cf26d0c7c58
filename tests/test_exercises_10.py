"""The exercises of lesson 10: right answers in every form, wrong ones with their words."""

import keras
import numpy as np
from keras import ops
from scipy.special import softmax

import exercise_cases


def matched(x, r):
    return (x - x.mean()) / x.std() * r.std() + r.mean()


def matched_by_scale(x, r):
    scale = np.std(r) / np.std(x)
    return (x * scale + (np.mean(r) - scale * np.mean(x))).tolist()


def matched_in_torch(x, r):
    import torch

    x, r = torch.tensor(x), torch.tensor(r)
    return (x - x.mean()) / x.std(correction=0) * r.std(correction=0) + r.mean()


def per_axis(x, r, axis):
    centred = (x - x.mean(axis=axis, keepdims=True)) / x.std(axis=axis, keepdims=True)
    if axis == 0:
        return centred * r.std(axis=0) + r.mean(axis=0)
    return centred * r.std() + r.mean()


def norms(model):
    return [one for one in model.layers if isinstance(one, keras.layers.BatchNormalization)]


def by_momentum(model, x):
    for layer in norms(model):
        layer.momentum = 0
    model(x, training=True)


def by_momentum_and_back(model, x):
    kept = [layer.momentum for layer in norms(model)]
    by_momentum(model, x)
    for layer, momentum in zip(norms(model), kept, strict=True):
        layer.momentum = momentum


def by_hand(model, x):
    z = x
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            values = ops.convert_to_numpy(z)
            layer.moving_mean.assign(values.mean(axis=0))
            layer.moving_variance.assign(values.var(axis=0))
        z = layer(z)
    return model


def many_calls(model, x):
    for _ in range(3000):
        model(x, training=True)


def one_call(model, x):
    model(x, training=True)


def fitted(model, x):
    model.fit(x, np.zeros((len(x), 2)), verbose=0)


def first_alone(model, x):
    norms(model)[0].momentum = 0
    for layer in norms(model)[1:]:
        layer.momentum = 1
    model(x, training=True)


def copied(model, x):
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    by_momentum(other, x)
    return other


def half_way(model, x):
    for layer in norms(model):
        layer.momentum = 0.5
    model(x, training=True)


def stop(x):
    return ops.stop_gradient(x)


def information(logits):
    p = ops.softmax(logits)
    each = -ops.sum(p * ops.log(p + 1e-9), axis=1)
    m = ops.mean(p, axis=0)
    return ops.mean(each) + ops.sum(m * ops.log(m + 1e-9))


def by_log_softmax(logits):
    log_p = ops.log_softmax(logits)
    p = ops.exp(log_p)
    m = ops.mean(p, axis=0)
    return ops.sum(m * ops.log(m)) - ops.mean(ops.sum(p * log_p, axis=-1))


def by_divergence(logits):
    p = ops.softmax(logits)
    m = ops.mean(p, axis=0, keepdims=True)
    return -ops.mean(ops.sum(p * (ops.log(p + 1e-12) - ops.log(m)), axis=1))


def entropies(logits):
    p = ops.softmax(logits)
    m = ops.mean(p, axis=0)
    return -ops.sum(p * ops.log(p + 1e-9), axis=1), -ops.sum(m * ops.log(m + 1e-9))


def each(logits):
    return ops.mean(entropies(logits)[0])


def mean(logits):
    return entropies(logits)[1]


def naive(logits):
    p = ops.softmax(logits)
    m = ops.mean(p, axis=0)
    return ops.mean(-ops.sum(p * ops.log(p), axis=1)) + ops.sum(m * ops.log(m))


def wrong_axis(logits):
    p = ops.softmax(logits)
    m = ops.mean(p, axis=1)
    return each(logits) + ops.sum(m * ops.log(m + 1e-9))


def sure(logits, bar):
    p = softmax(logits, axis=1)
    rows = np.flatnonzero(p.max(axis=1) > bar)
    return rows, p[rows].argmax(axis=1)


def sure_by_loop(logits, bar):
    rows, classes = [], []
    for i, row in enumerate(softmax(logits, axis=1)):
        if max(row) > bar:
            rows.append(i)
            classes.append(list(row).index(max(row)))
    return rows, classes


def sure_by_where(logits, bar):
    p = ops.convert_to_numpy(ops.softmax(ops.convert_to_tensor(logits)))
    (rows,) = np.where(p.max(1) > bar)
    return [rows[::-1], logits[rows[::-1]].argmax(1)]


def above(score, bar, logits):
    rows = np.flatnonzero(score > bar)
    return rows, logits[rows].argmax(axis=1)


def lost(criterion, accuracy):
    return 100 * (max(accuracy.values()) - accuracy[max(criterion, key=criterion.get)])


def lost_by_sorting(criterion, accuracy):
    best = sorted(criterion, key=lambda name: criterion[name])[-1]
    return (sorted(accuracy.values())[-1] - accuracy[best]) * 100


def lost_in_numpy(criterion, accuracy):
    names = list(criterion)
    values = np.array([accuracy[name] for name in names])
    return np.float64(100 * (values.max() - values[np.argmax([criterion[n] for n in names])]))


RIGHT = {
    "match_statistics": [matched, matched_by_scale, matched_in_torch],
    "reestimate": [by_momentum, by_momentum_and_back, by_hand, many_calls],
    "reverse": [
        lambda x, lam: (1 + lam) * stop(x) - lam * x,
        lambda x, lam: stop(x) + lam * (stop(x) - x),
        lambda x, lam: -lam * x + stop(x + lam * x),
    ],
    "information": [information, by_log_softmax, by_divergence],
    "pseudo_labels": [sure, sure_by_loop, sure_by_where],
    "regret": [lost, lost_by_sorting, lost_in_numpy],
}

WRONG = {
    "match_statistics": [
        (lambda x, r: per_axis(x, r, (1, 2, 3)), "Each image has got statistics of its own"),
        (lambda x, r: per_axis(x, r, 0), "Each pixel has got statistics"),
        (lambda x, r: (x - x.mean()) / x.var() * r.var() + r.mean(), "These are variances"),
        (lambda x, r: x - x.mean() + r.mean(), "the deviation is not"),
        (lambda x, r: (x - x.mean()) / x.std(), "half of the way"),
        (lambda x, r: (x - x.mean()) / x.std() * r.std(), "reference's mean is missing"),
        (lambda x, r: x / x.std() * r.std(), "Only the deviation"),
        (lambda x, r: x / x.mean() * r.mean(), "contrast to chance"),
        (lambda x, r: (x - r.mean()) / r.std(), "takes out the reference's statistics"),
        (lambda x, r: np.clip(matched(x, r), 0, 1), "cut off at 0 or 1"),
        (lambda x, r: (r - r.mean()) / r.std() * x.std() + x.mean(), "reference's images"),
        (lambda x, r: x.mean(), "Expected images of shape"),
        (lambda x, r: x, "The mean should be"),
    ],
    "reestimate": [
        (lambda model, x: model(x), "No average has moved"),
        (one_call, "a hundredth of the way"),
        (fitted, "Weights that are learned"),
        (first_alone, "Only the first batch"),
        (copied, "changed a copy"),
        (half_way, "50% of the way"),
    ],
    "reverse": [
        (lambda x, lam: -lam * x, "Forward the values are turned"),
        (lambda x, lam: stop(x), "No gradient comes through"),
        (lambda x, lam: x, "passes as it is"),
        (lambda x, lam: (1 - lam) * stop(x) + lam * x, "The sign is wrong"),
        (lambda x, lam: 2 * stop(x) - x, "`lam` is not used"),
        (lambda x, lam: lam * stop(x) + (1 - lam) * x, "add up to 1 − lam"),
        (lambda x, lam: stop(x) - lam * x, "must come out as it went in"),
        (lambda x, lam: (1 + 2 * lam) * stop(x) - 2 * lam * x, "should be −"),
        (lambda x, lam: ops.sum(x), "Expected the shape"),
    ],
    "information": [
        (lambda z: -information(z), "The sign is turned"),
        (each, "may call all of them the same"),
        (lambda z: -mean(z), "may stay undecided"),
        (lambda z: each(z) + mean(z), "is to be large: subtract"),
        (lambda z: ops.sum(entropies(z)[0]) - mean(z), "added up"),
        (lambda z: information(z) / z.shape[1], "means over the classes"),
        (lambda z: information(z) / np.log(2), "in bits"),
        (lambda z: information(ops.softmax(z)), "taken twice"),
        (wrong_axis, "`axis=0`"),
        (naive, "the loss is nan"),
        (lambda z: entropies(z)[0], "one number"),
        (lambda z: ops.mean(z), "the loss is"),
    ],
    "pseudo_labels": [
        (lambda z, bar: above(z.max(1), -99, z), "All images are there"),
        (lambda z, bar: above(z.max(1), bar, z), "compared with logits"),
        (lambda z, bar: above(-softmax(z, 1).max(1), -bar, z), "*not* sure"),
        (lambda z, bar: above(softmax(z, 0).max(1), bar, z), "over the classes"),
        (lambda z, bar: (softmax(z, 1).max(1) > bar, z.argmax(1)), "marks"),
        (lambda z, bar: (sure(z, bar)[0], softmax(z, 1)[sure(z, bar)[0]]), "probabilities"),
        (lambda z, bar: (sure(z, bar)[0], z[sure(z, bar)[0]].argmin(1)), "The rows are right"),
        (lambda z, bar: sure(z, bar)[0], "two arrays"),
        (lambda z, bar: (sure(z, bar)[0], z.argmax(1)), "do not fit"),
        (lambda z, bar: sure(z, 0.95), "are above the bar; yours"),
    ],
    "regret": [
        (lambda c, a: max(c, key=c.get), "is a candidate"),
        (lambda c, a: lost(c, a) / 100, "a fraction"),
        (lambda c, a: -lost(c, a), "The sign is turned"),
        (lambda c, a: 100 * a[max(c, key=c.get)], "accuracy of the choice"),
        (lambda c, a: 100 * max(a.values()), "the best accuracy"),
        (lambda c, a: lost({k: -v for k, v in c.items()}, a), "lowest criterion"),
        (lambda c, a: 30, "above the worst"),
        (lambda c, a: lost(a, a), "Nothing lost?"),
        (lambda c, a: 42, "11 points are lost"),
        (lambda c, a: 11, "nothing is lost"),
    ],
}

test_right, test_wrong, test_complete = exercise_cases.tests("10", RIGHT, WRONG)
