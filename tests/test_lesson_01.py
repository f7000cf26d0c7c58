"""What lesson 01 teaches, imported as later lessons do."""

import keras
import numpy as np
import pytest
from sklearn.datasets import make_moons

from transfer_lib.taught import lesson_01 as taught


def test_moons_turn_about_their_middle():
    x, y = taught.moons(300, 0, seed=3)
    plain, labels = make_moons(300, noise=0.2, random_state=3)
    np.testing.assert_allclose(x, plain - [0.5, 0.25])
    assert np.array_equal(y, labels)
    half, _ = taught.moons(300, 180, seed=3)
    np.testing.assert_allclose(half, -x, atol=1e-12)
    quarter, _ = taught.moons(300, 90, seed=3)
    np.testing.assert_allclose(quarter, np.c_[-x[:, 1], x[:, 0]], atol=1e-12)


def test_scans_are_scaled_and_turned():
    from sklearn.datasets import load_digits

    np.testing.assert_allclose(taught.scans(0), load_digits().data / 16, atol=1e-6)
    assert taught.scans(25).shape == (1797, 64)


def test_label_shift_moves_no_point():
    y = np.random.default_rng(0).permutation(np.repeat([0, 1], [70, 50]))
    rows = taught.label_shift(y, 0.1, 60, np.random.default_rng(1))
    assert len(set(rows)) == 60 and y[rows].sum() == 6


def test_shared_counts_what_two_heads_have_in_common():
    model = taught.two_heads()
    other = keras.Model(model.input["source"], model.output["source"])
    both = 64 * 64 + 64 + 64 * 64 + 64
    assert taught.shared(model, other) == both + 64 * 10 + 10
    target = keras.Model(model.input["target"], model.output["target"])
    assert taught.shared(target, other) == both


def test_multi_task_returns_the_model_of_the_target():
    x, y = taught.scans(0)[:20], np.arange(20) % 10
    assert taught.multi_task(x, y, x, y, steps=2).predict(x, verbose=0).shape == (20, 10)


def test_training_learns_and_a_gain_of_the_same_weights_is_positive():
    from sklearn.datasets import load_digits

    keras.utils.set_random_seed(0)
    x, y = taught.scans(0), load_digits().target
    model = taught.train(taught.new_network(), x[:800], y[:800], 200)
    assert taught.accuracy(model, x[800:], y[800:]) > 85
    rows = taught.few_of_each(y, np.arange(800, 1200), 1, np.random.default_rng(0))
    assert np.bincount(y[rows]).tolist() == [1] * 10
    gain = taught.gain_over_scratch(model.get_weights(), x[rows], y[rows], x[1200:], y[1200:], 50)
    assert gain > 10


def test_labels_saved():
    assert taught.labels_saved({1: 0.5, 5: 0.9}, {1: 0.9}, 0.8) == 4
    assert taught.labels_saved({1: 0.5}, {1: 0.9}, 0.8) is None


@pytest.mark.parametrize("angle", [0, 180])
def test_the_curved_classifier_is_right_upright_and_wrong_upside_down(angle):
    old = taught.curved_classifier().fit(*taught.moons(400))
    score = old.score(*taught.moons(400, angle, seed=1))
    assert score > 0.9 if angle == 0 else score < 0.4
