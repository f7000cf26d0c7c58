"""What lesson 03 teaches, imported as later lessons do."""

import keras
import numpy as np
import pytest

from transfer_lib.taught import lesson_03 as taught


def test_draw_is_stratified_and_without_repeats():
    y = np.repeat(np.arange(10), 30)
    rows = taught.draw(y, 7, np.random.default_rng(0))
    assert len(set(rows)) == 70
    assert np.array_equal(np.bincount(y[rows]), np.full(10, 7))
    assert set(rows) != set(taught.draw(y, 7, np.random.default_rng(1)))


def test_digits_are_scaled_shaped_and_numbered_from_zero():
    (x, y), (x_test, y_test) = taught.digits("mnist_5000", range(5, 10))
    assert x.shape == (1500, 28, 28, 1) and x_test.shape == (1000, 28, 28, 1)
    assert x.dtype == np.float32 and x.min() == 0 and x.max() == 1
    assert np.bincount(y).tolist() == [300] * 5 and np.bincount(y_test).tolist() == [200] * 5
    assert taught.overlap(x, x_test) == 0


@pytest.mark.parametrize("shape", [(28, 28, 1), (8, 8, 1)])
def test_the_backbone_gives_64_features(shape):
    assert taught.make_backbone(shape).output_shape == (None, 64)


def test_training_reduces_the_loss_and_ends_with_a_small_rate():
    x, y = (part[:100] for part in taught.digits("mnist_5000", range(5))[0])
    model = taught.head_swap(taught.make_backbone(), 5)
    taught.train(model, x, y, steps=8)
    before = model.evaluate(x, y, verbose=0)
    taught.train(model, x, y, steps=40)
    assert model.evaluate(x, y, verbose=0) < before
    assert int(model.optimizer.iterations) == 40
    assert float(model.optimizer.learning_rate) < 1e-5


def test_joint_training_uses_both_heads_and_returns_that_of_the_target():
    source, target = (taught.digits("mnist_5000", c)[0] for c in (range(5), range(5, 10)))
    rows = taught.draw(target[1], 2, np.random.default_rng(0))
    model = taught.joint(source, target[0][rows], target[1][rows], 1.0, steps=3)
    assert model.predict(target[0][:4], verbose=0).shape == (4, 5)


def test_total_loss_is_that_of_keras():
    rng = np.random.default_rng(0)
    logits = {"source": rng.normal(size=(6, 3)), "target": rng.normal(size=(4, 2))}
    y = {"source": rng.integers(0, 3, 6), "target": rng.integers(0, 2, 4)}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    wanted = loss(y["source"], logits["source"]) + 0.4 * loss(y["target"], logits["target"])
    assert float(taught.total_loss(y, logits, 0.4)) == pytest.approx(float(wanted), rel=1e-5)
