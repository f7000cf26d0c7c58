"""Lesson 11, Which network, which layer?: its cells tagged `keep`, built."""

import time
from functools import partial
from typing import NamedTuple

import keras
import numpy as np
from scipy.stats import kendalltau
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm.auto import tqdm

from transfer_lib import data, networks
from transfer_lib.taught.lesson_03 import draw, head_swap, make_backbone, train
from transfer_lib.taught.lesson_04 import cut, square


class Candidate(NamedTuple):
    """A network on the shelf."""

    seen: str  # what it has learned from
    model: keras.Model  # images to rows of features
    prepare: object  # from RGB images, 0 to 255, to what the model takes


def pieces():
    """Return the pieces of the two large networks, name to Candidate."""
    vgg, lite, found = "vgg16-mini", "efficientnet-lite0", {}
    wanted = {f"VGG block {k}": (vgg, f"block{k}_pool", "CIFAR-10") for k in (2, 3, 4, 5)}
    wanted["VGG random"] = (vgg, "block3_pool", "nothing")
    wanted["Lite0 block 3"] = (lite, "block3b_add", "ImageNet")
    for name, (network, layer, seen) in wanted.items():
        base = networks.load(network, False, (32, 32, 3), trained=seen != "nothing")
        found[name] = Candidate(seen, cut(base, layer), partial(networks.preprocess, network))
    return found


def pictures(name, per_class, rng):
    """Return a few labelled images and their labels, test images and labels; RGB, 32 x 32."""
    loaded = data.load(name)
    rows = draw(loaded.y_train, per_class, rng)
    found = []
    for x, y in ((loaded.x_train[rows], loaded.y_train[rows]), (loaded.x_test, loaded.y_test)):
        grey = (x * (255.0 / loaded.max_value)).astype("uint8")
        found += [np.stack([square(image, 32) for image in grey]), y]
    return found


def small(x):
    """Return grey images of 16 x 16 pixels, from 0 to 1."""
    squares = x[..., :1].reshape(-1, 16, 2, 16, 2, 1)
    return (squares.mean(axis=(2, 4)) / 255).astype("float32")


TINY = {  # name: (data set of 1,500 digits, whether their labels are shuffled)
    "tiny fonts": ("font_digits", False),
    "tiny MNIST": ("mnist_5000", False),
    "tiny shuffled": ("mnist_5000", True),
    "tiny random": (None, False),
}


def tiny(name, rng):
    """Return a network of TINY with its head, trained."""
    classifier = head_swap(make_backbone((16, 16, 1)), 10)
    source, shuffled = TINY[name]
    if source:
        x, y, _, _ = pictures(source, 150, rng)
        train(classifier, small(x), rng.permutation(y) if shuffled else y, steps=150, batch=64)
    return classifier


def headless(name, classifier):
    """Return a tiny network without its head, as a Candidate."""
    seen = (TINY[name][0] or "nothing") + ", shuffled" * TINY[name][1]
    backbone = classifier.layers[1]
    return Candidate(seen, keras.Model(backbone.inputs[0], backbone.outputs[0]), small)


def fine_tune(model, x, y, steps=40, rate=3e-4, batch=16):
    """Return a copy of the network with a head, fitted first, then trained as a whole."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for layer in copy.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    whole = networks.fit_head(copy, x, y)
    whole.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    epochs = np.ceil(steps / np.ceil(len(x) / batch))
    whole.fit(x, y, batch_size=batch, epochs=int(epochs), verbose=0)
    return whole


def outcome(candidate, x, y, x_test, y_test):
    """Return the percentage of test images that the fine-tuned network gets right."""
    tuned = fine_tune(candidate.model, candidate.prepare(x), y)
    answers = tuned.predict(candidate.prepare(x_test), batch_size=250, verbose=0).argmax(axis=1)
    return 100 * np.mean(answers == y_test)


def probe_score(features, y):
    """Return the mean accuracy of a scaled logistic regression over five folds, a fraction."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, tol=0.01))
    return cross_val_score(model, features, y, cv=5).mean()


def kendall(a, b):
    """Return Kendall's tau of two arrays."""
    n = len(a)
    same = np.sign(a[:, None] - a) * np.sign(b[:, None] - b)
    return same.sum() / (n * (n - 1))


def interval(score, tuned, rng, times=1000):
    """Return tau and the middle 90 % of its bootstrap over the networks."""
    a, b = np.array(list(score.values())), np.array([tuned[name] for name in score])
    drawn = rng.integers(len(a), size=(times, len(a)))
    taus = [kendalltau(a[rows], b[rows]).statistic for rows in drawn]
    return kendalltau(a, b).statistic, np.nanquantile(taus, [0.05, 0.95])


def h_score(features, y):
    """Return the H-score of features (n, d) for labels (n,)."""
    f = features - features.mean(axis=0)
    means = np.stack([f[y == k].mean(axis=0) for k in np.unique(y)])
    g = means[np.searchsorted(np.unique(y), y)]
    inverse = np.linalg.pinv(f.T @ f / len(f), rcond=1e-6, hermitian=True)
    return np.trace(inverse @ (g.T @ g / len(g)))


def log_evidence(f, t, rounds=50):
    """Return the log evidence per row of a target t (n,) for features f (n, d)."""
    n = len(f)
    u, s, _ = np.linalg.svd(f, full_matrices=False)
    s, z = s**2, (u.T @ t) ** 2
    outside = max(t @ t - z.sum(), 0)
    alpha = beta = 1.0
    for _ in range(rounds):
        fit = alpha + beta * s
        size, rest = (s * z * (beta / fit) ** 2).sum(), (z * (alpha / fit) ** 2).sum() + outside
        score = n * np.log(beta / (2 * np.pi)) + np.log(alpha / fit).sum()
        score -= beta * rest + alpha * size
        known = (beta * s / fit).sum()
        alpha, beta = known / max(size, 1e-9), (n - known) / max(rest, 1e-9)
    return score / (2 * n)


def logme(features, y):
    """Return LogME of You et al. (2021): the mean log evidence over the classes."""
    return np.mean([log_evidence(features, (y == k).astype(float)) for k in np.unique(y)])


def neighbours(features, y):
    """Return the cross-validated accuracy of three nearest neighbours on scaled features."""
    model = make_pipeline(StandardScaler(), KNeighborsClassifier(3))
    return cross_val_score(model, features, y, cv=5).mean()


SCORES = {"probe": probe_score, "neighbours": neighbours, "H-score": h_score, "LogME": logme}


def compare(shelf, x, y, x_test, y_test):
    """Return two dicts: name to the fine-tuned accuracy, and score to name to value."""
    tuned, scored = {}, {score: {} for score in SCORES}
    for name, one in tqdm(shelf.items()):
        tuned[name] = outcome(one, x, y, x_test, y_test)
        f = one.model.predict(one.prepare(x), verbose=0).astype("float64")
        for score, function in SCORES.items():
            scored[score][name] = function(f, y)
    return tuned, scored


def milliseconds(run, times=9):
    """Return the median time of a call in milliseconds, after one that does not count."""
    run()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        taken.append(1000 * (time.perf_counter() - start))
    return np.median(taken)
