"""The functions of lesson 02 against reference libraries."""

import os

import numpy as np
import pytest
import torch
from scipy import linalg, optimize, special
from sklearn import linear_model, metrics

from transfer_lib.taught import lesson_02 as lesson

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


def test_mse_and_its_gradients(domains):
    X, y, w = *domains[:2], np.array([0.3, -1.0, 2.0, 0.0])
    np.testing.assert_allclose(lesson.mse(y, X @ w), metrics.mean_squared_error(y, X @ w), **NEAR)
    by_prediction = gradient(torch.nn.functional.mse_loss, X @ w, y)
    np.testing.assert_allclose(lesson.mse_gradient(y, X @ w), by_prediction, **NEAR)
    by_weight = gradient(lambda w, X, y: ((y - X @ w) ** 2).mean(), w, X, y)
    np.testing.assert_allclose(lesson.weight_gradient(X, y, w), by_weight, **NEAR)


def test_the_lessons_own_checkers_of_gradients(rng):
    at = rng.normal(size=(3, 2))
    np.testing.assert_allclose(
        lesson.finite_differences(lambda x: np.sum(x**3), at), 3 * at**2, rtol=1e-5, atol=1e-7
    )
    np.testing.assert_allclose(lesson.autograd(lambda x: (x**3).sum(), at), 3 * at**2, **NEAR)


def test_softmax_and_logsumexp(rng):
    for z in (3 * rng.normal(size=(6, 5)), np.array([[1000.0, 999, 0], [-1000, -1000, -1001]])):
        expected = special.logsumexp(z, axis=1, keepdims=True)
        np.testing.assert_allclose(lesson.logsumexp(z), expected, **NEAR)
        np.testing.assert_allclose(lesson.softmax(z), special.softmax(z, axis=1), **NEAR)


def test_cross_entropy_and_its_gradient(rng):
    import keras

    z, y = 4 * rng.normal(size=(7, 3)), np.array([0, 1, 2, 2, 1, 0, 0])
    value = lesson.cross_entropy(z, y)
    by_torch = torch.nn.functional.cross_entropy(torch.tensor(z), torch.tensor(y)).item()
    np.testing.assert_allclose(value, by_torch, **NEAR)
    np.testing.assert_allclose(value, metrics.log_loss(y, special.softmax(z, axis=1)), **NEAR)
    by_keras = float(keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, z))
    np.testing.assert_allclose(value, by_keras, rtol=1e-5)  # Keras computes in float32
    expected = gradient(torch.nn.functional.cross_entropy, z, y)
    np.testing.assert_allclose(lesson.cross_entropy_gradient(z, y), expected, **NEAR)


@pytest.mark.parametrize("lam", [0.0, 0.01, 1.0, 250.0])
def test_the_minimiser_of_the_total_loss(domains, lam):
    X_s, y_s, X_t, y_t = domains
    w = lesson.total_minimiser(*domains, lam)
    library = linear_model.LinearRegression(fit_intercept=False).fit(
        np.vstack([X_s, X_t]),
        np.r_[y_s, y_t],
        sample_weight=np.r_[np.full(30, 1 / 30), np.full(9, lam / 9)],
    )
    np.testing.assert_allclose(w, library.coef_, **NEAR)

    def total(w):
        return lesson.total_loss(y_s, X_s @ w, y_t, X_t @ w, lam)

    slope = lesson.finite_differences(total, w)
    np.testing.assert_allclose(slope, 0, atol=1e-6 * (1 + lam))
    assert all(total(w) < total(w + 0.1 * step) for step in np.vstack([np.eye(4), -np.eye(4)]))


def test_the_ends_of_lambda_and_the_sum(domains):
    X_s, y_s, X_t, y_t = domains
    alone = linalg.lstsq(X_s, y_s)[0]
    np.testing.assert_allclose(lesson.total_minimiser(*domains, 0.0), alone, **NEAR)
    alone = linalg.lstsq(X_t, y_t)[0]
    np.testing.assert_allclose(lesson.total_minimiser(*domains, 1e12), alone, rtol=1e-6)
    np.testing.assert_allclose(
        lesson.sum_minimiser(*domains, 0.7), lesson.total_minimiser(*domains, 0.7 * 9 / 30), **NEAR
    )
    weight = np.r_[np.ones(30), np.full(9, 0.7)] ** 0.5
    stacked = weight[:, None] * np.vstack([X_s, X_t])
    direct = linalg.lstsq(stacked, weight * np.r_[y_s, y_t])[0]
    np.testing.assert_allclose(lesson.sum_minimiser(*domains, 0.7), direct, **NEAR)


def test_with_few_target_labels_the_source_decides_the_rest(domains):
    X_s, y_s, X_t, y_t = domains
    X_t, y_t = X_t[:2], y_t[:2]
    w = lesson.total_minimiser(X_s, y_s, X_t, y_t, 1e8)
    np.testing.assert_allclose(X_t @ w, y_t, atol=1e-5)  # all target labels are met
    constraint = {"type": "eq", "fun": lambda w: X_t @ w - y_t}
    best = optimize.minimize(
        lambda w: lesson.mse(y_s, X_s @ w), np.zeros(4), constraints=[constraint], tol=1e-12
    )
    np.testing.assert_allclose(w, best.x, atol=1e-4)


def test_extra_error_is_the_error_on_new_data(rng):
    w, w_true = rng.normal(size=(2, 4))
    X, y = lesson.sample(200_000, w_true, np.eye(4), rng)
    assert X.shape == (200_000, 4) and y.shape == (200_000,)
    expected = np.sum((w - w_true) ** 2) + 1  # the noise has variance 1
    assert lesson.mse(y, X @ w) == pytest.approx(expected, rel=0.03)


def test_task_pair_and_excess_error():
    pairs = np.array([lesson.task_pair(np.random.default_rng(s), shift=0.3) for s in range(400)])
    assert pairs.shape == (400, 2, 10)
    assert np.std(pairs[:, 1] - pairs[:, 0]) == pytest.approx(0.3, rel=0.05)
    errors = lesson.excess_error(400, [1e-9, 1e9], np.random.default_rng(0))
    assert errors[0] > 5 * errors[1] > 0  # with 400 labels the target alone is far better


def test_gradient_descent():
    H = np.diag([1.0, 10.0])
    path = lesson.descend(lambda w: H @ w, [3.0, -2.0], 0.15, 20)
    expected = [[3 * 0.85**k, -2 * (-0.5) ** k] for k in range(21)]
    np.testing.assert_allclose(path, expected, **NEAR)
    at_the_limit = lesson.descend(lambda w: H @ w, [0.0, 1.0], 0.2, 10)
    np.testing.assert_allclose(np.abs(at_the_limit[:, 1]), 1)
    assert abs(lesson.descend(lambda w: H @ w, [0.0, 1.0], 0.21, 10)[-1, 1]) > 2


def test_steps_needed(domains):
    X, y = domains[:2]
    best = linalg.lstsq(X, y)[0]
    assert lesson.steps_needed(X, y, best) == 0
    far, near = (lesson.steps_needed(X, y, best + d * np.ones(4)) for d in (10.0, 0.5))
    assert far > near > 0
    assert lesson.steps_needed(X, y, best + 1e9, at_most=3) == 3


def test_the_end_of_a_walk_in_a_valley(rng):
    """With fewer labels than weights: the minimum nearest the start, where the walk ends."""
    X, y, start = rng.normal(size=(3, 6)), rng.normal(size=3), rng.normal(size=6)
    end = lesson.end_of_walk(X, y, start)
    nearest = start + linalg.lstsq(X, y - X @ start)[0]  # the shortest way to a minimum
    np.testing.assert_allclose(end, nearest, **NEAR)
    np.testing.assert_allclose(X @ end, y, **NEAR)
    rate = 3 / 2 / np.linalg.norm(X, 2) ** 2
    walk = lesson.descend(lambda w: 2 / 3 * X.T @ (X @ w - y), start, rate, 5000)
    np.testing.assert_allclose(walk[-1], end, **NEAR)
