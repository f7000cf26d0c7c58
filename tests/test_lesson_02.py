"""The functions of lesson 02 against reference libraries."""

import numpy as np
import pytest
import torch
from scipy import optimize, special
from sklearn import metrics

from transfer_lib.taught import lesson_02 as lesson

NEAR = {"rtol": 1e-6, "atol": 1e-8}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("lam", [0.0, 0.2, 1.0, 30.0])
def test_the_minimiser_is_where_the_total_loss_is_smallest(rng, lam):
    y, z = rng.normal(20, 3, 50), rng.normal(26, 3, 4)
    found = optimize.minimize_scalar(lambda w: lesson.total_loss(y, w, z, w, lam)).x
    np.testing.assert_allclose(lesson.minimiser(y.mean(), z.mean(), lam), found, rtol=1e-5)


@pytest.mark.parametrize("m", [1, 3, 20])
def test_the_extra_error_is_that_of_drawn_companies(rng, m):
    lam, truth = 0.8, lesson.NEW_TOWN
    means = np.array([lesson.deliveries(truth, m, rng).mean() for _ in range(20_000)])
    drawn = np.mean((lesson.minimiser(lesson.OLD_TOWN, means, lam) - truth) ** 2)
    wanted = lesson.extra_error(lam, truth - lesson.OLD_TOWN, lesson.SPREAD, m)
    assert drawn == pytest.approx(wanted, rel=0.05)


def test_the_best_lambda_is_that_of_the_rule():
    for m, delta, sigma in ((3, 6.0, 6.0), (10, 2.0, 5.0)):
        found = optimize.minimize_scalar(
            lambda lam, *rest: lesson.extra_error(lam, *rest),
            bounds=(0, 100), args=(delta, sigma, m), method="bounded",
        ).x  # fmt: skip
        assert found == pytest.approx(m * delta**2 / sigma**2, rel=1e-3)


def test_logsumexp_and_cross_entropy(rng):
    for s in (3 * rng.normal(size=(6, 5)), np.array([[1000.0, 999, 0], [-1000, -1000, -1001]])):
        np.testing.assert_allclose(lesson.logsumexp(s), special.logsumexp(s, axis=1), **NEAR)
    s, c = 4 * rng.normal(size=(7, 3)), np.array([0, 1, 2, 2, 1, 0, 0])
    value = lesson.cross_entropy(s, c)
    by_torch = torch.nn.functional.cross_entropy(torch.tensor(s), torch.tensor(c)).item()
    np.testing.assert_allclose(value, by_torch, **NEAR)
    np.testing.assert_allclose(value, metrics.log_loss(c, special.softmax(s, axis=1)), **NEAR)


def test_the_gradient_is_that_of_torch_and_of_finite_differences(rng):
    s, c = 4 * rng.normal(size=(7, 3)), np.array([0, 1, 2, 2, 1, 0, 0])
    at = torch.tensor(s, requires_grad=True)
    torch.nn.functional.cross_entropy(at, torch.tensor(c)).backward()
    ours = lesson.cross_entropy_gradient(s, c)
    np.testing.assert_allclose(ours, at.grad.numpy(), **NEAR)
    judge = lesson.finite_differences(lambda s: lesson.cross_entropy(s, c), s)
    np.testing.assert_allclose(ours, judge, atol=1e-7)


def test_descend():
    path = lesson.descend(lambda w: 2 * (w - 3), 10.0, 0.1, 20)
    np.testing.assert_allclose(path, [3 + 7 * 0.8**k for k in range(21)], **NEAR)
    assert abs(lesson.descend(lambda w: 2 * w, 1.0, 1.01, 200)[-1]) > 10
