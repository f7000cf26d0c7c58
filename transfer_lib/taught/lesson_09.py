"""Lesson 09, Aligning domains: the mathematics: its cells tagged `keep`, built."""

import numpy as np
from scipy.spatial.distance import cdist, pdist
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def cloud(n, rng):
    """Draw two classes side by side: points (n, 2), labels (n,)."""
    classes = np.arange(n) % 2
    points = rng.normal(size=(n, 2)) * [0.5, 0.8]
    points[:, 0] += 3 * classes - 1.5
    return points, classes


def rotation(degrees):
    """Return the matrix (2, 2) that turns row vectors by this angle."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[c, s], [-s, c]])


def procrustes(S, T, new):
    """Return `new` (k, d), mapped as the pairs say: S (n, d) belongs row by row to T (n, d)."""
    middle_s, middle_t = S.mean(axis=0), T.mean(axis=0)
    U, _, Vt = np.linalg.svd((S - middle_s).T @ (T - middle_t))
    return (new - middle_s) @ U @ Vt + middle_t


def gaussian_kernel(a, b, width):
    """Return the kernel of all pairs, (n, d) and (m, d) to (n, m)."""
    return np.exp(-cdist(a, b, "sqeuclidean") / (2 * width**2))  # cdist: distances of all pairs


def mmd2(source, target, width):
    """Return the plain (biased) estimate of the squared MMD."""
    within = [gaussian_kernel(p, p, width).mean() for p in (source, target)]
    return sum(within) - 2 * gaussian_kernel(source, target, width).mean()


def mmd_unbiased(K_ss, K_tt, K_st):
    """Return the unbiased squared MMD from kernels of shapes (n, n), (m, m) and (n, m)."""
    n, m = K_st.shape
    within_source = (K_ss.sum() - np.trace(K_ss)) / (n * (n - 1))
    within_target = (K_tt.sum() - np.trace(K_tt)) / (m * (m - 1))
    return within_source + within_target - 2 * K_st.mean()


def mmd2_gradient(z, target, width):
    """Return the gradient of the plain squared MMD by the points z, shape (n, d)."""
    n, m = len(z), len(target)
    K_zz, K_zt = gaussian_kernel(z, z, width), gaussian_kernel(z, target, width)
    apart = K_zz.sum(axis=1, keepdims=True) * z - K_zz @ z
    towards = K_zt.sum(axis=1, keepdims=True) * z - K_zt @ target
    return 2 / width**2 * (towards / (n * m) - apart / n**2)


def align(source, target, steps=100, rate=2.0):
    """Minimise the MMD by an affine map; return the mapped source after each step."""
    A, c = np.eye(2), np.zeros(2)
    width, path = np.median(pdist(np.vstack([source, target]))), []
    for _ in range(steps + 1):
        z = source @ A + c
        path.append(z)
        G = mmd2_gradient(z, target, width)
        A, c = A - rate * source.T @ G, c - rate * G.sum(axis=0)
    return path


def aligned_case(angle, rng, n=100):
    """Return source, its classes, turned target, its classes, and the path of `align`."""
    (points, kinds), (other, truth) = cloud(n, rng), cloud(n, rng)
    moved = other @ rotation(angle) + [2.0, 1.0]
    return points, kinds, moved, truth, align(points, moved)


def coral_loss(source, target):
    """Return the CORAL loss of two samples of shapes (n, d) and (m, d)."""
    difference = np.cov(source.T) - np.cov(target.T)
    return np.sum(difference**2) / (4 * source.shape[1] ** 2)


def proxy_distance(predicted, domain):
    """Return 2 (1 - 2 error), from held-out predictions and true domains, both (n,)."""
    error = np.mean(predicted != domain)
    return 2 * (1 - 2 * error)


def bound_terms(angle, rng, n=400):
    """Return source error, half the proxy distance, joint error, and target error, in percent."""
    (x_s, y_s), (x_t, y_t) = cloud(n, rng), cloud(n, rng)
    x_t = x_t @ rotation(angle)
    h = LogisticRegression().fit(x_s, y_s)
    x, domain = np.r_[x_s, x_t], np.repeat([0, 1], n)
    order = rng.permutation(2 * n)
    some, rest = order[:n], order[n:]
    teller = make_pipeline(StandardScaler(), RidgeCV()).fit(kinds_of(x[some]), domain[some])
    told = (teller.predict(kinds_of(x[rest])) > 0.5).astype(int)
    both = LogisticRegression().fit(x, np.r_[y_s, y_t])
    joint = 2 - both.score(x_s, y_s) - both.score(x_t, y_t)
    d = proxy_distance(told, domain[rest])
    return [100 * v for v in (1 - h.score(x_s, y_s), d / 2, joint, 1 - h.score(x_t, y_t))]


def kinds_of(x):
    """Return the features of the domain classifier: products up to the fourth degree."""
    a, b = x.T
    return np.stack([a**i * b**j for i in range(5) for j in range(5 - i)], axis=1)


def l2sp_gradient(X, y, w, w_source, alpha):
    """Return the gradient of mse(X @ w) + alpha * ||w - w_source||^2 by w, shape (d,)."""
    return 2 / len(y) * X.T @ (X @ w - y) + 2 * alpha * (w - w_source)


def biased_ridge(source_model, X_t, y_t, X_new, alpha):
    """Return predictions (k,) for X_new (k, d), from the source model and the target rows."""
    left_over = y_t - source_model.predict(X_t)
    correction = Ridge(alpha).fit(X_t, left_over)
    return source_model.predict(X_new) + correction.predict(X_new)


ALPHAS = np.logspace(0, 4, 13)


def diabetes():
    """Return inputs and outputs of source and target: the two sexes. Sex is not an input."""
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True, scaled=False)
    source, inputs = X[:, 1] == 1, np.delete(X, 1, axis=1)
    return inputs[source], y[source], inputs[~source], y[~source], "points of progression"


def california():
    """Return source (inland) and target (coast); downloads 0.4 MB once."""
    from sklearn.datasets import fetch_california_housing

    X, y = fetch_california_housing(return_X_y=True)
    shore = np.array([[32.7, -117.2], [33.9, -118.4], [34.4, -119.7], [35.3, -120.8],
                      [36.6, -121.9], [37.7, -122.5], [39.0, -123.7], [40.8, -124.2]])  # fmt: skip
    between = np.linspace(0, 1, 20)[:, None, None]
    line = (shore[:-1] + between * (shore[1:] - shore[:-1])).reshape(-1, 2)
    to_line = (X[:, None, 6:] - line) * [111, 91]  # degrees to kilometres, near 35 degrees north
    source = np.sqrt((to_line**2).sum(axis=2).min(axis=1)) > 30
    inputs = np.log(X[:, :6])  # long right tails
    return inputs[source], 100 * y[source], inputs[~source], 100 * y[~source], "thousand dollars"


def ridge(X, y):
    """Fit scaler and ridge on these rows; alpha by leave-one-out on them."""
    return make_pipeline(StandardScaler(), RidgeCV(ALPHAS)).fit(X, y)


def five_methods(X_s, y_s, X_t, y_t, X_new):
    """Return the predictions of each method for new target rows, by name."""
    source = ridge(X_s, y_s)
    scaler, left_over = source[0], y_t - source.predict(X_t)
    correction = RidgeCV(ALPHAS).fit(scaler.transform(X_t), left_over)
    return {
        "source only": source.predict(X_new),
        "source + constant": source.predict(X_new) + left_over.mean(),
        "target only": ridge(X_t, y_t).predict(X_new),
        "pooled": ridge(np.vstack([X_s, X_t]), np.r_[y_s, y_t]).predict(X_new),
        "biased ridge": source.predict(X_new) + correction.predict(scaler.transform(X_new)),
    }


def errors(tables, n, split):
    """Return name to root mean squared error with n target labels, for one split of the target."""
    X_s, y_s, X_pool, y_pool, _ = tables
    rows = np.random.default_rng(split).permutation(len(y_pool))
    train, test = rows[:n], rows[-len(rows) // 2 :]
    predicted = five_methods(X_s, y_s, X_pool[train], y_pool[train], X_pool[test])
    return {name: np.sqrt(np.mean((y_pool[test] - p) ** 2)) for name, p in predicted.items()}
