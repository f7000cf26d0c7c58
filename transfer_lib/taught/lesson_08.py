"""Lesson 08, Four ways to carry knowledge: its cells tagged `keep`, built."""

import numpy as np
from scipy.ndimage import rotate
from sklearn.linear_model import LogisticRegression

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


def importance_weights(x_source, x_target):
    """Return P_T(x) / P_S(x) at each source point, from a classifier of the domain."""
    x = np.r_[x_source, x_target]
    domain = np.r_[np.zeros(len(x_source)), np.ones(len(x_target))]
    p = LogisticRegression().fit(x, domain).predict_proba(x_source)[:, 1]
    return p / (1 - p) * len(x_source) / len(x_target)


def tradaboost(x_s, y_s, x_t, y_t, rounds=10):
    """Return a function that predicts 0 or 1, and the final weights of the source examples."""
    n, x, y = len(x_s), np.r_[x_s, x_t], np.r_[y_s, y_t]
    w = np.r_[np.full(n, 1 / n), np.full(len(x_t), 1 / len(x_t))]
    beta = 1 / (1 + np.sqrt(2 * np.log(n) / rounds))
    votes = []
    for _ in range(rounds):
        model = LogisticRegression().fit(x, y, sample_weight=len(x) * w / w.sum())
        wrong = model.predict(x) != y
        e = np.clip(np.sum(w[n:] * wrong[n:]) / np.sum(w[n:]), 0.001, 0.49)
        w[:n] *= np.where(wrong[:n], beta, 1)  # source: wrong ones count less
        w[n:] *= np.where(wrong[n:], (1 - e) / e, 1)  # target: wrong ones count more
        votes.append((np.log((1 - e) / e), model))
    late = votes[rounds // 2 :]  # the second half of the rounds votes

    def predict(new):
        return (sum(a * (2 * model.predict(new) - 1) for a, model in late) > 0).astype(int)

    return predict, w[:n] / w.sum()


def power(c, exponent):
    """Return a power of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(c)
    return (vectors * values**exponent) @ vectors.T


def coral(x_source, x_target, ridge=0.1):
    """Return the source points moved to the mean and covariance of the target."""
    c_source = np.cov(x_source, rowvar=False) + ridge * np.eye(x_source.shape[1])
    c_target = np.cov(x_target, rowvar=False) + ridge * np.eye(x_target.shape[1])
    white = (x_source - x_source.mean(0)) @ power(c_source, -0.5)
    return white @ power(c_target, 0.5) + x_target.mean(0)


def main_directions(x, d):
    """Return the d directions of largest variance as columns, shape (features, d)."""
    _, _, rows = np.linalg.svd(x - x.mean(0), full_matrices=False)
    return rows[:d].T


def subspace_alignment(x_source, x_target, d):
    """Return source and target points in d aligned coordinates."""
    p_source, p_target = main_directions(x_source, d), main_directions(x_target, d)
    z_source = (x_source - x_source.mean(0)) @ p_source @ p_source.T @ p_target
    return z_source, (x_target - x_target.mean(0)) @ p_target


def ridge(a, b, lam=2.0):
    """Return the weights of least squares with lam times the squared weights as penalty."""
    return np.linalg.solve(a.T @ a + lam * np.eye(a.shape[1]), a.T @ b)


def item_means(ratings, known):
    """Return the mean of the known ratings of each item; the overall mean where there is none."""
    count = known.sum(0)
    mean = np.sum(ratings * known, 0) / np.maximum(count, 1)
    return np.where(count > 0, mean, ratings[known].mean())


def factorise(ratings, known, rng, d=4, sweeps=10):
    """Return the user factors, shape (users, d), by alternating least squares."""
    rest = ratings - item_means(ratings, known)
    users, items = rng.normal(0, 0.3, (len(rest), d)), np.zeros((rest.shape[1], d))
    for _ in range(sweeps):
        for j in range(len(items)):
            items[j] = ridge(users[known[:, j]], rest[known[:, j], j])
        for i in range(len(users)):
            users[i] = ridge(items[known[i]], rest[i, known[i]])
    return users
