"""The functions of lesson 09 against reference libraries."""

import os

import numpy as np
import pytest
import torch
from scipy import linalg
from scipy.spatial.distance import pdist
from sklearn import linear_model
from sklearn.metrics.pairwise import rbf_kernel

from transfer_lib.taught import lesson_09 as lesson

os.environ.setdefault("KERAS_BACKEND", "torch")  # as transfer_lib.setup() does it


NEAR = {"rtol": 1e-6, "atol": 1e-8}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def domains(rng):
    """Source and target of a linear problem: X_s (30, 4), y_s, X_t (9, 4), y_t."""
    X_s, X_t = rng.normal(size=(30, 4)), rng.normal(size=(9, 4))
    return X_s, rng.normal(size=30), X_t, rng.normal(size=9)


def gradient(loss, *arrays):
    """Return torch's gradient by the first array."""
    first = torch.tensor(arrays[0], requires_grad=True)
    loss(first, *map(torch.tensor, arrays[1:])).backward()
    return first.grad.numpy()


def test_kernel_and_mmd(rng):
    a, b, width = rng.normal(size=(6, 3)), rng.normal(size=(8, 3)) + 1, 1.7
    gamma = 1 / (2 * width**2)
    K, L, M = rbf_kernel(a, a, gamma), rbf_kernel(b, b, gamma), rbf_kernel(a, b, gamma)
    np.testing.assert_allclose(lesson.gaussian_kernel(a, b, width), M, **NEAR)
    plain = K.mean() + L.mean() - 2 * M.mean()
    np.testing.assert_allclose(lesson.mmd2(a, b, width), plain, **NEAR)
    pairs = [[k[i, j] for i in range(len(k)) for j in range(len(k)) if i != j] for k in (K, L)]
    unbiased = np.mean(pairs[0]) + np.mean(pairs[1]) - 2 * M.mean()
    np.testing.assert_allclose(lesson.mmd_unbiased(K, L, M), unbiased, **NEAR)


def test_mmd_with_a_linear_kernel_is_the_distance_of_the_means(rng):
    """With k(a, b) = a·b the unbiased estimate is that of the squared distance of two means."""
    estimates = []
    for _ in range(4000):
        a, b = rng.normal(size=(4, 2)) + [1.0, 0], rng.normal(size=(6, 2))
        estimates.append(lesson.mmd_unbiased(a @ a.T, b @ b.T, a @ b.T))
    spread = np.std(estimates) / np.sqrt(len(estimates))
    assert np.mean(estimates) == pytest.approx(1.0, abs=4 * spread)


def test_the_gradient_of_the_mmd(rng):
    z, target, width = rng.normal(size=(6, 2)), rng.normal(size=(9, 2)) + 1, 1.3

    def loss(z, target):
        def kernel(p, q):
            return torch.exp(-((p[:, None] - q[None]) ** 2).sum(2) / (2 * width**2)).mean()

        return kernel(z, z) + kernel(target, target) - 2 * kernel(z, target)

    expected = gradient(loss, z, target)
    np.testing.assert_allclose(lesson.mmd2_gradient(z, target, width), expected, **NEAR)


def test_alignment_reduces_the_mmd_to_that_of_equal_distributions(rng):
    source, _ = lesson.cloud(80, rng)
    target = lesson.cloud(80, rng)[0] @ lesson.rotation(30) + [1.0, -1.0]
    width = np.median(pdist(np.vstack([source, target])))
    path = lesson.align(source, target, steps=60)
    assert len(path) == 61 and np.array_equal(path[0], source)
    same = lesson.mmd2(*(lesson.cloud(80, rng)[0] for _ in range(2)), width)
    assert lesson.mmd2(path[-1], target, width) < max(0.005, same)


def test_coral_loss_like_torch(rng):
    a, b = rng.normal(size=(12, 3)), 2 * rng.normal(size=(20, 3)) + 5
    pair = [torch.cov(torch.tensor(x).T) for x in (a, b)]
    expected = torch.nn.functional.mse_loss(*pair, reduction="sum").item() / (4 * 3**2)
    np.testing.assert_allclose(lesson.coral_loss(a, b), expected, **NEAR)


def test_the_diabetes_domains():
    from sklearn.datasets import load_diabetes

    X_s, y_s, X_t, y_t, unit = lesson.diabetes()
    assert X_s.shape[1] == X_t.shape[1] == 9 and len(y_s) + len(y_t) == 442
    assert len(X_s) == len(y_s) and len(X_t) == len(y_t) and "progression" in unit
    X = load_diabetes(scaled=False).data
    assert len(y_s) == np.sum(X[:, 1] == 1)
    assert not any(set(np.unique(column)) <= {1, 2} for column in X_s.T)  # sex is not an input


def test_california_is_split_at_the_coast(monkeypatch):
    """Places whose distance from the coast is known; the download itself is not tested."""
    from sklearn import datasets

    places = {
        "San Francisco": (37.77, -122.42, True),
        "Santa Monica": (34.02, -118.49, True),
        "San Diego": (32.72, -117.16, True),
        "Monterey": (36.60, -121.89, True),
        "Sacramento": (38.58, -121.49, False),
        "Fresno": (36.74, -119.79, False),
        "Bakersfield": (35.37, -119.02, False),
        "Palm Springs": (33.83, -116.55, False),
    }
    rows = np.array([[3.0, 20, 5, 1, 900, 3, lat, lon] for lat, lon, _ in places.values()])
    prices = np.arange(1.0, 9)
    monkeypatch.setattr(datasets, "fetch_california_housing", lambda **_: (rows, prices))
    X_s, y_s, X_t, y_t, unit = lesson.california()
    coast = [at_coast for *_, at_coast in places.values()]
    assert y_t.tolist() == (100 * prices[coast]).tolist()
    assert y_s.tolist() == (100 * prices[np.invert(coast)]).tolist()
    assert X_s.shape == X_t.shape == (4, 6) and np.isfinite(X_s).all() and "dollars" in unit


def test_the_five_methods(rng, monkeypatch):
    """Each fits its scaler on its own training rows; biased ridge keeps that of the source."""
    w = np.array([2.0, -1.0, 0.5])
    X_s, X_t, X_new = (
        rng.normal(size=(200, 3)),
        rng.normal(size=(12, 3)) + 1,
        rng.normal(size=(50, 3)),
    )
    y_s, y_t = X_s @ w, X_t @ w + 3  # the target differs by a constant
    monkeypatch.setattr(lesson, "ALPHAS", np.logspace(-6, -3, 4))
    given = lesson.five_methods(X_s, y_s, X_t, y_t, X_new)
    truth = X_new @ w + 3
    error = {name: np.abs(values - truth).max() for name, values in given.items()}
    assert error["biased ridge"] < 1e-3 and error["target only"] < 1e-2
    assert error["source only"] == pytest.approx(3, abs=1e-2) and error["pooled"] > 1
    assert error["source + constant"] < 1e-3  # one number is all that differs
    first = given["biased ridge"][0]
    alone = lesson.five_methods(X_s, y_s, X_t, y_t, X_new[:1])["biased ridge"][0]
    assert first == pytest.approx(alone)  # the other new rows have no influence


def test_rotation_and_procrustes(rng):
    from scipy.spatial.transform import Rotation

    matrix = Rotation.from_euler("z", 40, degrees=True).as_matrix()[:2, :2]
    S = rng.normal(size=(15, 2))
    np.testing.assert_allclose(S @ lesson.rotation(40), S @ matrix.T, **NEAR)
    T = S @ lesson.rotation(40) + [2, 1] + 0.1 * rng.normal(size=(15, 2))
    s, t = S.mean(axis=0), T.mean(axis=0)
    Q, _ = linalg.orthogonal_procrustes(S - s, T - t)
    np.testing.assert_allclose(lesson.procrustes(S, T, S), (S - s) @ Q + t, **NEAR)


def test_proxy_distance_and_the_terms_of_the_bound():
    assert lesson.proxy_distance(np.array([0, 1, 1]), np.array([0, 1, 1])) == 2
    assert lesson.proxy_distance(np.array([0, 1]), np.array([0, 0])) == 0
    at_0, at_180 = (lesson.bound_terms(a, np.random.default_rng(0)) for a in (0, 180))
    assert at_0[3] < 10 and at_180[3] > 90 and abs(at_0[1] - at_180[1]) < 30
    assert at_0[2] < 20 and at_180[2] > 60


@pytest.mark.parametrize("alpha", [0.01, 1.0, 40.0])
def test_biased_ridge_and_its_gradient(domains, alpha):
    X_s, y_s, X, y = domains
    source = linear_model.LinearRegression(fit_intercept=False).fit(X_s, y_s)
    prior = source.coef_
    fitted = linear_model.Ridge(alpha=alpha).fit(X, y - X @ prior)
    wanted = X_s @ (prior + fitted.coef_) + fitted.intercept_
    np.testing.assert_allclose(lesson.biased_ridge(source, X, y, X_s, alpha), wanted, **NEAR)

    def loss(w, X, y, prior):
        return ((y - X @ w) ** 2).mean() + alpha * ((w - prior) ** 2).sum()

    at = np.array([0.1, 0.2, 0.3, 0.4])
    expected = gradient(loss, at, X, y, prior)
    np.testing.assert_allclose(lesson.l2sp_gradient(X, y, at, prior, alpha), expected, **NEAR)
    A = X.T @ X / 9 + alpha * np.eye(4)
    best = np.linalg.solve(A, X.T @ y / 9 + alpha * prior)
    np.testing.assert_allclose(lesson.l2sp_gradient(X, y, best, prior, alpha), 0, atol=1e-9)
