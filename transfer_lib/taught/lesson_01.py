"""Lesson 01, What transfers: its cells tagged `keep`, built."""

import numpy as np
from scipy.ndimage import rotate

from transfer_lib import plots


def draw_points(ax, x, y, size=14, limit=2.6):
    """Draw the points of each class; size is one number or one per point."""
    sizes = np.broadcast_to(size, len(x))
    for label in np.unique(y):
        style = {"marker": plots.MARKERS[label], "color": plots.COLORS[label]}
        ax.scatter(*x[y == label].T, s=sizes[y == label], **style)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit))
    ax.set(xlabel="$x_1$ (no unit)", ylabel="$x_2$ (no unit)")


def draw_boundary(ax, model, color="black", style="-"):
    """Draw where the model is undecided between two classes."""
    line = np.linspace(-4.6, 4.6, 100)
    grid = np.stack(np.meshgrid(line, line), -1)
    score = model.decision_function(grid.reshape(-1, 2)).reshape(grid.shape[:2])
    ax.contour(grid[..., 0], grid[..., 1], score, levels=[0], colors=[color], linestyles=[style])


def new_layers(rng, *sizes):
    """Return a list of (weights, offsets), one per layer, with random weights."""
    return [
        (rng.normal(0, np.sqrt(2 / n), (n, m)).astype("float32"), np.zeros(m, "float32"))
        for n, m in zip(sizes, sizes[1:])
    ]


def forward(layers, x):
    """Return the input and the output of each layer; the last one holds the class scores."""
    outputs = [x]
    for i, (w, b) in enumerate(layers):
        z = outputs[-1] @ w + b
        outputs.append(z if i == len(layers) - 1 else np.maximum(z, 0))
    return outputs


def train(layers, x, y, rng, steps=300, rate=0.1, frozen=0):
    """Minimise the cross-entropy by stochastic gradient descent; return new layers."""
    layers = list(layers)
    for _ in range(steps):
        batch = rng.integers(len(x), size=min(64, len(x)))
        outputs = forward(layers, x[batch])
        error = np.exp(outputs[-1] - outputs[-1].max(1, keepdims=True))
        error /= error.sum(1, keepdims=True)  # softmax
        error[np.arange(len(batch)), y[batch]] -= 1
        error /= len(batch)  # gradient of the mean loss by the scores
        for i in reversed(range(frozen, len(layers))):
            w, b = layers[i]
            step = rate * outputs[i].T @ error, rate * error.sum(0)
            error = (error @ w.T) * (outputs[i] > 0)
            layers[i] = w - step[0], b - step[1]
    return layers


def accuracy(layers, x, y):
    """Return the fraction of inputs whose highest score is that of their label."""
    return np.mean(forward(layers, x)[-1].argmax(1) == y)


def turned(images, angle):
    """Return 8×8 digits turned by an angle in degrees, as rows of 64 pixels from 0 to 1."""
    images = rotate(images, angle, axes=(1, 2), reshape=False, order=1)
    return (images.reshape(-1, 64) / 16).astype("float32")


def draw_labels(rng, labels, among, per_class):
    """Return the rows of `per_class` random images of each digit, out of the rows `among`."""
    return np.concatenate(
        [rng.permutation(among[labels[among] == digit])[:per_class] for digit in range(10)]
    )


def softmax(z):
    """Return the probabilities of each row of scores."""
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def fit(x, y, start, towards, alpha, steps=200, rate=1.0):
    """Softmax regression by gradient descent; start and towards have shape (pixels + 1, 10)."""
    x1, one_hot, w = np.c_[x, np.ones(len(x))], np.eye(10)[y], start.copy()
    for _ in range(steps):
        gradient = x1.T @ (softmax(x1 @ w) - one_hot) / len(x)
        w -= rate * (gradient + alpha * (w - towards))
    return w


def linear_accuracy(w, x, y):
    """Return the fraction of right answers of weights w, shape (pixels + 1, 10)."""
    return np.mean((np.c_[x, np.ones(len(x))] @ w).argmax(1) == y)
