"""Lesson 09, Aligning domains: the mathematics: its cells tagged `keep`, built."""

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def mse(y, predicted):
    """Return the mean squared error; both arguments have the shape (N,)."""
    return np.mean((y - predicted) ** 2)


def rotation(degrees):
    """Return the matrix (2, 2) that turns row vectors by this angle."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[c, s], [-s, c]])


def sample(n, w, covariance, rng, noise=1.0):
    """Draw n examples with these weights: inputs (n, d), outputs (n,)."""
    X = rng.multivariate_normal(np.zeros(len(w)), covariance, size=n)
    return X, X @ w + noise * rng.normal(size=n)


def total_minimiser(X_s, y, X_t, z, lam):
    """Return the weights (d,) that minimise L_shared + lam * L_task."""
    A = X_s.T @ X_s / len(y) + lam * X_t.T @ X_t / len(z)
    b = X_s.T @ y / len(y) + lam * X_t.T @ z / len(z)
    return np.linalg.solve(A, b)


def cloud(n, rng):
    """Draw two classes side by side: points (n, 2), labels (n,)."""
    classes = np.arange(n) % 2
    points = rng.normal(size=(n, 2)) * [0.5, 0.8]
    points[:, 0] += 3 * classes - 1.5
    return points, classes


def fit_affine(source, target):
    """Map the source by the affine map that least squares finds for these pairs."""
    X = np.c_[source, np.ones(len(source))]
    return X @ np.linalg.lstsq(X, target, rcond=None)[0]


def procrustes(S, T):
    """Return the orthogonal Q (d, d) that minimises the distance of S @ Q to T."""
    U, _, Vt = np.linalg.svd(S.T @ T)
    return U @ Vt


def gaussian_kernel(a, b, width):
    """Return the kernel of all pairs, (n, d) and (m, d) to (n, m)."""
    squared = ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)
    return np.exp(-squared / (2 * width**2))


def mmd2(source, target, width):
    """Return the plain (biased) estimate of the squared MMD."""
    within = [gaussian_kernel(p, p, width).mean() for p in (source, target)]
    return sum(within) - 2 * gaussian_kernel(source, target, width).mean()


def median_distance(*clouds):
    """Return the median distance of all pairs of points, the usual width of the kernel."""
    from scipy.spatial.distance import pdist

    return np.median(pdist(np.vstack(clouds)))


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
    width, path = median_distance(source, target), []
    for _ in range(steps + 1):
        z = source @ A + c
        path.append(z)
        G = mmd2_gradient(z, target, width)
        A, c = A - rate * source.T @ G, c - rate * G.sum(axis=0)
    return path


def matrix_power(C, exponent):
    """Return a symmetric positive matrix to a real power."""
    values, vectors = np.linalg.eigh(C)
    return (vectors * values**exponent) @ vectors.T


def coral_align(source, target):
    """Give the source the target's mean and covariance, shape (n, d)."""
    C_s, C_t = np.cov(source.T), np.cov(target.T)
    A = matrix_power(C_s, -0.5) @ matrix_power(C_t, 0.5)
    return (source - source.mean(axis=0)) @ A + target.mean(axis=0)


def coral_loss(source, target):
    """Return the CORAL loss of two samples of shapes (n, d) and (m, d)."""
    difference = np.cov(source.T) - np.cov(target.T)
    return np.sum(difference**2) / (4 * source.shape[1] ** 2)


def l2sp(X, y, alpha, w_source):
    """Return the weights (d,) of ridge regression pulled towards ``w_source``."""
    A = X.T @ X / len(y) + alpha * np.eye(X.shape[1])
    return np.linalg.solve(A, X.T @ y / len(y) + alpha * w_source)


def lasso(X, y, alpha, steps=500):
    """Return the weights (d,) of L1-regularised least squares, by proximal gradient steps."""
    A, b, w = X.T @ X / len(y), X.T @ y / len(y), np.zeros(X.shape[1])
    rate = 1 / (2 * np.linalg.eigvalsh(A)[-1])
    for _ in range(steps):
        moved = w - rate * 2 * (A @ w - b)
        w = np.sign(moved) * np.maximum(np.abs(moved) - rate * alpha, 0)
    return w


def l2sp_gradient(X, y, w, w_source, alpha):
    """Return the gradient of mse(X @ w) + alpha * ||w - w_source||^2 by w, shape (d,)."""
    return 2 / len(y) * X.T @ (X @ w - y) + 2 * alpha * (w - w_source)


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


ALPHAS = np.logspace(0, 4, 13)


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
