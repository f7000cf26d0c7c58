"""Lesson 01, What transfers: its cells tagged `keep`, built."""

import keras
import numpy as np
from scipy.ndimage import rotate
from sklearn.datasets import load_digits, make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler


def moons(n, angle=0, seed=0):
    """Return n points of two half-moons turned by an angle in degrees, (n, 2), and their labels."""
    x, y = make_moons(n, noise=0.2, random_state=seed)
    a = np.deg2rad(angle)
    rotation = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return (x - [0.5, 0.25]) @ rotation.T, y


def curved_classifier():
    """Logistic regression on all products of the coordinates up to the third degree."""
    cubic = PolynomialFeatures(3, include_bias=False)
    return make_pipeline(cubic, StandardScaler(), LogisticRegression(C=10))


def label_shift(y, share, n, rng):
    """Return n rows of the labels y, a fraction `share` of them of class 1, each at most once."""
    count = round(share * n)
    ones = rng.choice(np.flatnonzero(y == 1), count, replace=False)
    zeros = rng.choice(np.flatnonzero(y == 0), n - count, replace=False)
    return np.concatenate([ones, zeros])


def shared(one, other):
    """Return how many numbers two Keras models share."""
    total = 0
    for weight in one.weights:
        if any(weight is theirs for theirs in other.weights):
            total += int(np.prod(weight.shape))
    return total


def scans(angle):
    """Return the 1,797 digits turned by an angle, as rows of 64 pixels from 0 to 1."""
    images = rotate(load_digits().images, angle, axes=(1, 2), reshape=False, order=1)
    return (images.reshape(-1, 64) / 16).astype("float32")


def new_network():
    """Return two shared layers with a head for ten digits, untrained."""
    sizes = [keras.layers.Dense(64, "relu"), keras.layers.Dense(64, "relu"), keras.layers.Dense(10)]
    return keras.Sequential([keras.Input((64,)), *sizes])


def train(model, x, y, steps, rate=3e-3, batch=32):
    """Train for so many steps on random batches; the rate falls to zero along a cosine."""
    falling = keras.optimizers.schedules.CosineDecay(rate, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(falling), loss)
    rows = np.random.randint(len(x), size=steps * batch)
    model.fit(x[rows], y[rows], batch_size=batch, verbose=0)
    return model


def accuracy(model, x, y):
    """Return the percentage of inputs whose highest score is that of their label."""
    return 100 * np.mean(model.predict(x, batch_size=1000, verbose=0).argmax(1) == y)


def few_of_each(y, among, per_class, rng):
    """Return the rows of `per_class` random images of each digit, out of the rows `among`."""
    return np.concatenate([rng.permutation(among[y[among] == k])[:per_class] for k in range(10)])


def labels_saved(scratch, transfer, wanted):
    """Return labels needed from scratch minus with transfer; None if one never gets there."""
    needed = []
    for curve in (scratch, transfer):
        enough = [k for k, accuracy in curve.items() if accuracy >= wanted]
        if not enough:
            return None
        needed.append(min(enough))
    return needed[0] - needed[1]


def two_heads():
    """Return a network with two shared layers and a head for each of two tasks."""
    first, second = keras.layers.Dense(64, "relu"), keras.layers.Dense(64, "relu")
    inputs = {name: keras.Input((64,), name=name) for name in ("source", "target")}
    heads = {
        n: keras.layers.Dense(10, name=f"{n}_head")(second(first(x))) for n, x in inputs.items()
    }
    return keras.Model(inputs, heads)


def multi_task(x_s, y_s, x_t, y_t, steps, rate=3e-3, batch=32):
    """Train on both tasks at once; return the model for the target."""
    model = two_heads()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    falling = keras.optimizers.schedules.CosineDecay(rate, steps)
    model.compile(keras.optimizers.Adam(falling), {"source": loss, "target": loss})
    s, t = (np.random.randint(len(x), size=steps * batch) for x in (x_s, x_t))
    inputs, labels = {"source": x_s[s], "target": x_t[t]}, {"source": y_s[s], "target": y_t[t]}
    model.fit(inputs, labels, batch_size=batch, verbose=0)
    return keras.Model(model.input["target"], model.output["target"])


def gain_over_scratch(weights, x, y, x_test, y_test, steps=100):
    """Return the points gained by starting from these weights: same images, same steps."""
    fresh, moved = new_network(), new_network()
    moved.set_weights(weights)
    new, control = (accuracy(train(m, x, y, steps), x_test, y_test) for m in (moved, fresh))
    return new - control
