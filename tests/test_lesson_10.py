"""Lesson 10: losses against skada's, gradients by finite differences, the step that trains."""

import keras
import numpy as np
import pytest
import torch
from keras import ops

import run_claims
from transfer_lib.taught import lesson_10 as lesson
from transfer_lib.taught.lesson_03 import head_swap

RNG = np.random.default_rng(0)
SOURCE = RNG.normal(size=(12, 5)).astype("float32")
TARGET = RNG.normal(1, 2, size=(9, 5)).astype("float32")


@pytest.fixture(scope="module")
def evidence():
    return run_claims.load(run_claims.modules(["10"])["10"])


@pytest.fixture(scope="module")
def losses():
    return pytest.importorskip("skada.deep.losses", reason="skada's deep part needs skorch")


def test_coral_is_that_of_skada(evidence, losses):
    ours = float(evidence.coral(ops.array(SOURCE), ops.array(TARGET)))
    assert ours == pytest.approx(float(losses.deepcoral_loss(*map(torch.tensor, (SOURCE, TARGET)))))


def test_mmd_is_that_of_skada(evidence, losses):
    """Skada's own kernel is of plain distances, so ours, of squared ones, is given to it."""
    points = np.concatenate([SOURCE, TARGET])
    width = ((points[:, None] - points[None]) ** 2).sum(axis=2).mean()
    scales = (0.5, 1, 3)

    def kernel(a, b):
        return sum(torch.exp(-(torch.cdist(a, b) ** 2) / (width * scale)) for scale in scales) / 3

    both = map(torch.tensor, (SOURCE, TARGET))
    theirs = losses._maximum_mean_discrepancy(*both, kernel=kernel)
    ours = float(evidence.mmd(ops.array(SOURCE), ops.array(TARGET), scales))
    assert ours == pytest.approx(float(theirs), rel=1e-4)


def slope(function, x, step=1e-3):
    """Return the gradient of a function of one array by central differences."""
    found = np.zeros_like(x, dtype="float64")
    for place in np.ndindex(x.shape):
        up, down = x.astype("float64").copy(), x.astype("float64").copy()
        up[place], down[place] = up[place] + step, down[place] - step
        found[place] = (function(up) - function(down)) / (2 * step)
    return found


@pytest.mark.parametrize("lam", [0.3, 1.0, 2.0])
def test_reverse_turns_the_gradient_of_what_follows(lam):
    """By finite differences of what follows alone: d(sin x . w) times -lam."""
    weights = RNG.normal(size=SOURCE.shape)
    x = torch.tensor(SOURCE, dtype=torch.float64, requires_grad=True)
    (torch.sin(lesson.reverse(x, lam)) * torch.tensor(weights)).sum().backward()
    expected = -lam * slope(lambda z: float((np.sin(z) * weights).sum()), SOURCE)
    np.testing.assert_allclose(x.grad.numpy(), expected, atol=1e-4)


def test_information_has_the_gradient_that_differences_give():
    x = torch.tensor(SOURCE, dtype=torch.float64, requires_grad=True)
    lesson.information(x).backward()

    def value(z):
        return float(lesson.information(torch.tensor(z)))

    # Keras computes in float32, so the steps of the differences are wide.
    np.testing.assert_allclose(x.grad.numpy(), slope(value, SOURCE, 1e-2), atol=1e-4)


def test_information_is_zero_for_one_answer_and_smallest_for_sure_and_even_ones():
    same = ops.array(np.tile([[50.0, 0, 0]], (6, 1)))
    even = ops.array(50.0 * np.eye(3)[np.arange(6) % 3])
    assert float(lesson.information(same)) == pytest.approx(0, abs=1e-4)
    assert float(lesson.information(even)) == pytest.approx(-np.log(3), abs=1e-4)


def small_pair():
    source, target, _ = lesson.turned_pair(0)
    return [part[:200] for part in source], target[0][:100]


def test_halves_keep_the_domains_apart():
    source, target = small_pair()
    images, labels = lesson.halves(source, target, 3, np.random.default_rng(0))
    assert images.shape == (3 * 64, 8, 8, 1) and labels.shape == (3 * 64,)
    known = {image.tobytes() for image in source[0]}
    inside = np.array([image.tobytes() in known for image in images]).reshape(3, 64)
    assert inside[:, :32].all() and not inside[:, 32:].any()
    assert not labels.reshape(3, 64)[:, 32:].any()  # never the target's


def test_parts_of_the_turned_pair_are_disjoint():
    parts = lesson.turned_pair(3)
    assert [len(y) for _, y in parts] == [800, 500, 497]


def test_the_control_is_plain_training_on_the_first_half():
    """Whatever the target holds, its weights are the same: there is no batch normalisation."""
    source, target = small_pair()
    learned = head_swap(lesson.dense_backbone(), 10).get_weights()

    def run(target):
        backbone = lesson.dense_backbone()
        model = lesson.adapt(lesson.Adapted, learned, source, target, 0, 1, backbone, steps=5)
        return model.get_weights()

    for one, other in zip(run(target), run(np.zeros_like(target)), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", ["Dann", "Information"])
def test_a_penalty_moves_the_backbone_and_the_teller_learns(kind):
    source, target = small_pair()
    learned = head_swap(lesson.dense_backbone(), 10).get_weights()
    found = {}
    for name, strength in ((kind, 1.0), ("Adapted", 0.0)):
        backbone = lesson.dense_backbone()
        made = getattr(lesson, name)
        found[name] = lesson.adapt(made, learned, source, target, strength, 1, backbone, steps=20)
    first, second = (model.layers[1].get_weights()[0] for model in found.values())
    assert np.abs(first - second).max() > 1e-4
    assert all(np.isfinite(weight).all() for weight in found[kind].get_weights())


def test_the_teller_is_trained():
    source, target = small_pair()
    tellers = []

    class Watched(lesson.Dann):
        def build(self, input_shape=None):
            super().build(input_shape)
            tellers.append((self.teller, self.teller.get_weights()))

    learned = head_swap(lesson.dense_backbone(), 10).get_weights()
    lesson.adapt(Watched, learned, source, target, 1.0, 1, lesson.dense_backbone(), steps=20)
    teller, before = tellers[0]
    moved = [np.abs(a - b).max() for a, b in zip(teller.get_weights(), before, strict=True)]
    assert min(moved) > 1e-4


def test_reestimate_takes_the_statistics_of_the_target_and_gives_the_momentum_back():
    keras.utils.set_random_seed(0)
    norm = keras.layers.BatchNormalization(momentum=0.9)
    model = keras.Sequential([keras.Input((5,)), norm])
    lesson.reestimate(model, TARGET)
    np.testing.assert_allclose(ops.convert_to_numpy(norm.moving_mean), TARGET.mean(0), rtol=1e-4)
    variance = ops.convert_to_numpy(norm.moving_variance)
    np.testing.assert_allclose(variance, TARGET.var(0), rtol=1e-3)
    assert norm.momentum == 0.9
