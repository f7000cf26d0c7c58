"""The functions of lesson 01 against reference libraries."""

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import scipy.special

from transfer_lib.taught import lesson_01 as lesson

# Parameters


def test_l2_sp_descends_to_the_minimum_of_its_loss():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(50, 3)), rng.integers(0, 10, 50)
    towards, alpha = rng.normal(size=(4, 10)), 0.5
    x1 = np.c_[x, np.ones(50)]

    def loss(flat):
        z = x1 @ flat.reshape(4, 10)
        mean = np.mean(scipy.special.logsumexp(z, axis=1) - z[np.arange(50), y])
        return mean + alpha / 2 * np.sum((flat.reshape(4, 10) - towards) ** 2)

    best = scipy.optimize.minimize(loss, np.zeros(40), tol=1e-12).x.reshape(4, 10)
    ours = lesson.fit(x, y, np.zeros((4, 10)), towards, alpha, steps=2000, rate=0.3)
    np.testing.assert_allclose(ours, best, atol=1e-5)
    towards_zero = lesson.fit(x, y, np.zeros((4, 10)), 0 * towards, alpha, steps=2000, rate=0.3)
    assert np.abs(towards_zero - best).max() > 0.1


def test_the_network_descends_along_the_gradient():
    """One full-batch step of `train` agrees with torch's gradient."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    layers = lesson.new_layers(rng, 5, 7, 3)
    x, y = rng.normal(size=(1, 5)).astype("float32"), np.array([2])
    (w1, b1), (w2, b2) = [[torch.tensor(p, requires_grad=True) for p in pair] for pair in layers]
    scores = torch.relu(torch.tensor(x) @ w1 + b1) @ w2 + b2
    torch.nn.functional.cross_entropy(scores, torch.tensor(y)).backward()
    stepped = lesson.train(layers, x, y, rng, steps=1, rate=0.1)
    for (w, b), (w0, b0), (tw, tb) in zip(stepped, layers, ((w1, b1), (w2, b2)), strict=True):
        np.testing.assert_allclose(w0 - w, 0.1 * tw.grad.numpy(), atol=1e-6)
        np.testing.assert_allclose(b0 - b, 0.1 * tb.grad.numpy(), atol=1e-6)
    frozen = lesson.train(layers, x, y, rng, steps=3, frozen=1)
    assert frozen[0] is layers[0] and not np.array_equal(frozen[1][0], layers[1][0])
