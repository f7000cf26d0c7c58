"""The functions that lesson 05 keeps."""

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from transfer_lib import networks
from transfer_lib.taught import lesson_05 as lesson
from transfer_lib.taught.lesson_04 import Target

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def patches():
    """Ten patches of each class, ready, with labels, and as many to test."""
    target = Target("photo_patches", 10, 10)
    return [
        lesson.inputs(target.x_train),
        target.y_train,
        lesson.inputs(target.x_test),
        target.y_test,
    ]


def kernels(model):
    return {la.name: la.get_weights()[0] for la in model.layers if "_conv" in la.name}


@pytest.mark.parametrize(
    ("repair", "dense", "trainable", "rate"),
    [
        ({}, [1024, 512, 10], True, 1e-3),
        ({"frozen": True}, [1024, 512, 10], False, 1e-3),
        ({"linear": True}, [10], True, 1e-3),
        ({"rate": 1e-4}, [1024, 512, 10], True, 1e-4),
    ],
)
def test_each_repair_of_the_recipe_changes_one_thing(repair, dense, trainable, rate):
    model = lesson.recipe(**repair)
    assert [la.units for la in model.layers if isinstance(la, layers.Dense)] == dense
    assert all(la.trainable is trainable for la in model.layers if "_conv" in la.name)
    assert float(model.optimizer.learning_rate) == pytest.approx(rate)
    pretrained = kernels(networks.load("vgg16-mini", include_top=False, input_shape=(32, 32, 3)))
    for name, kernel in kernels(model).items():
        np.testing.assert_array_equal(kernel, pretrained[name])


def test_heads_have_the_parameters_that_the_exercise_counts():
    x, y = RNG.normal(size=(20, 2, 2, 8)).astype("float32"), np.repeat([0, 1, 2, 3], 5)
    counts = {name: lesson.train_head(name, x, y, epochs=1).count_params() for name in lesson.HEADS}
    assert counts["flat, two large"] == (32 + 1) * 1024 + 1025 * 512 + 513 * 4
    assert counts["pooled, linear"] == 8 * 4 + 4 and counts["flat, linear"] == 32 * 4 + 4


def test_unfreezing_trains_what_it_says_and_the_twin_forgets_all(patches):
    x, y = patches[0][::5], patches[1][::5]
    model = lesson.with_head(4, x, y)
    before = kernels(model)
    lesson.unfreeze(model, 3, 1e-3)
    other = lesson.twin(model, 1e-3)
    assert not any(np.array_equal(before[name], kernel) for name, kernel in kernels(other).items())
    assert len(other.trainable_weights) == len(other.weights) == len(model.weights)
    model.fit(x, y, batch_size=10, epochs=1, verbose=0)
    changed = {
        name for name, kernel in kernels(model).items() if not np.array_equal(before[name], kernel)
    }
    assert changed == {"block3_conv1", "block3_conv2", "block3_conv3"} | {
        f"block4_conv{k}" for k in (1, 2, 3)
    }


def test_both_trained_arms_take_equal_steps(patches, monkeypatch):
    x, y, x_test, y_test = patches
    steps, fit = [], keras.Model.fit

    def counted(self, x, y, batch_size, epochs, verbose):
        steps.append((len(x), batch_size, epochs))
        return fit(self, x[:10], y[:10], batch_size=10, epochs=1, verbose=verbose)

    monkeypatch.setattr(keras.Model, "fit", counted)
    found = lesson.arms(x, y, x_test, y_test)
    assert steps == [(100, 20, 20)] * 2
    frozen = [f"block {k}, frozen" for k in (3, 4, 5)]
    assert list(found) == [*frozen, "fine-tuned", "untrained twin"]


@pytest.mark.parametrize("end", ["map", "row"])
def test_features_of_a_backbone_that_nobody_knows(end):
    inputs = keras.Input((16, 16, 3))
    x = layers.MaxPooling2D(4)(inputs)
    backbone = keras.Model(inputs, x if end == "map" else layers.GlobalAveragePooling2D()(x))
    images = np.full((3, 40, 30, 3), 51, "uint8")
    out = lesson.features_of(backbone, lambda x: x / 255, images)  # at the size that it takes
    np.testing.assert_allclose(out, np.full((3, 3), 0.2), atol=1e-6)
    free = keras.Model(y := keras.Input((None, None, 3)), layers.MaxPooling2D(4)(y))
    assert lesson.features_of(free, lambda x: x, images, 24).shape == (3, 3)


def test_features_of_keras_applications():
    backbone = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(96, 96, 3), alpha=0.35
    )
    images = RNG.integers(0, 256, (2, 32, 32), "uint8")
    prepare = keras.applications.mobilenet_v2.preprocess_input
    assert lesson.features_of(backbone, prepare, images).shape == (2, 1280)


def test_fusions_are_what_their_names_say(monkeypatch):
    target = Target("mnist_5000", 6, 6)
    pairs = [[RNG.normal(size=(60, width)) for _ in range(2)] for width in (12, 9)]
    seen = {}

    def keep(x, y, x_test, y_test):
        seen[len(seen)] = x, x_test
        return 0.0

    monkeypatch.setattr(lesson, "probe", keep)
    found = lesson.fusions(*pairs, target, [np.arange(60)], width=4)
    first, second, total, product, beside = (seen[i] for i in range(5))
    assert list(found) == ["first alone", "second alone", "sum", "product", "concatenation"]
    assert first[0].shape[1] == second[0].shape[1] == beside[0].shape[1] == 8
    parts = []
    for train, test in pairs:  # found on the training part alone
        scaled = StandardScaler().fit(train)
        pca = PCA(4).fit(scaled.transform(train))
        parts.append([pca.transform(scaled.transform(x)) for x in (train, test)])
    for k in (0, 1):
        a, b = parts[0][k], parts[1][k]
        np.testing.assert_allclose(np.abs(beside[k]), np.abs(np.hstack([a, b])), atol=1e-6)
        np.testing.assert_allclose(total[k], beside[k][:, :4] + beside[k][:, 4:], atol=1e-9)
        np.testing.assert_allclose(product[k], beside[k][:, :4] * beside[k][:, 4:], atol=1e-9)


def test_the_split_shares_no_pixel_and_a_random_one_does():
    cuts, labels, left = lesson.strips(np.random.default_rng(1))
    assert cuts.shape == (400, 32, 32, 3) and np.bincount(labels).tolist() == [40] * 10
    train, test = lesson.split(left, 32, 176)
    assert not (train & test).any() and train.sum() > 100 and test.sum() > 100
    assert (left[train] + 31).max() < left[test].min()
    half = np.random.default_rng(1).permutation(400) < 200
    near = np.abs(left[~half][:, None] - left[half]) < 16  # rows are less than 16 apart
    assert (near & (labels[~half][:, None] == labels[half])).any(axis=1).mean() > 0.5


def test_the_worst_mistakes_are_wrong_and_sorted():
    probabilities = RNG.dirichlet([1, 1, 1], size=50)
    y = RNG.integers(0, 3, 50)
    rows = lesson.worst(probabilities, y, 10)
    sure = probabilities[rows].max(axis=1)
    assert (probabilities[rows].argmax(axis=1) != y[rows]).all() and (np.diff(sure) <= 0).all()
    rest = np.setdiff1d(np.flatnonzero(probabilities.argmax(axis=1) != y), rows)
    assert probabilities[rest].max() <= sure.min()
    assert len(lesson.worst(probabilities, probabilities.argmax(axis=1), 5)) == 0
