"""The functions that lesson 04 keeps."""

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from transfer_lib import networks
from transfer_lib.taught import lesson_04 as lesson


def test_a_picture_becomes_a_square_of_pixels():
    picture = np.zeros((60, 100, 3), "uint8")
    picture[:, 20:80] = 255  # the middle square
    small = lesson.square(picture, 32)
    assert small.shape == (32, 32, 3) and small.dtype == np.uint8
    assert small[1:-1, 1:-1].min() == 255  # the filter reaches over the edge


def test_masks_and_grey_pictures_become_rgb():
    assert lesson.square(np.array([[True] * 4] * 4), 2).tolist() == [[[255] * 3] * 2] * 2
    grey = lesson.square(np.arange(25 * 25, dtype="uint8").reshape(25, 25), 32)
    assert grey.shape == (32, 32, 3) and np.array_equal(grey[..., 0], grey[..., 2])


@pytest.mark.parametrize("name", lesson.LAYERS)
def test_all_layers_are_the_means_of_the_networks_own_channels(name):
    model, base = lesson.all_layers(name), networks.load(name, include_top=False)
    x = np.random.default_rng(0).integers(0, 256, (3, 40, 50, 3), "uint8")
    found = lesson.extract(model, name, x)
    assert [f.shape[1] for f in found] == [
        base.get_layer(layer).output.shape[-1] for layer in lesson.LAYERS[name]
    ]
    side = lesson.SIZES[name]
    inputs = networks.preprocess(name, np.stack([lesson.square(image, side) for image in x]))
    last = keras.Model(base.input, base.get_layer(lesson.LAYERS[name][-1]).output)
    maps = last.predict(inputs, verbose=0)
    np.testing.assert_allclose(found[-1], maps.mean(axis=(1, 2)), rtol=1e-3, atol=1e-4)
    larger = lesson.extract(model, name, x, scale=2)
    assert larger[0].shape == found[0].shape and not np.allclose(larger[0], found[0])


def test_the_layers_are_the_ends_of_the_blocks_in_their_order():
    names = [layer.name for layer in networks.load("efficientnet-lite0", False).layers]
    places = [names.index(layer) for layer in lesson.LAYERS["efficientnet-lite0"]]
    assert places == sorted(places) and places[-1] == len(names) - 1
    for place, number in zip(places[:-1], range(1, 8), strict=True):
        assert names[place].startswith(f"block{number}")
        assert not names[place + 1].startswith(f"block{number}")


@pytest.mark.parametrize(
    ("given", "train", "test"),
    [
        (("photo_patches",), 20, 25),
        (("mnist_5000", 3, 4), 3, 4),
        (("shuffled_faces", 50, 50), 50, 50),
    ],
)
def test_a_target_has_the_same_number_of_each_class(given, train, test):
    target = lesson.Target(*given)
    classes = len(target.class_names)
    assert np.bincount(target.y_train).tolist() == [train] * classes
    assert np.bincount(target.y_test).tolist() == [test] * classes
    assert len(target.x_train) == len(target.y_train) and target.scale == 1


def test_the_probe_scores_as_a_converged_classifier_does():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 20)
    x, x_new = (rng.normal(3, 5, size=(60, 40)) + 6 * np.eye(3, 40)[y] for _ in range(2))
    exact = make_pipeline(StandardScaler(), LogisticRegression(max_iter=10_000, tol=1e-8))
    expected = 100 * exact.fit(x, y).score(x_new, y)
    assert abs(lesson.probe(x, y, x_new, y) - expected) < 4 < 100 - expected


def test_the_mean_is_that_of_stratified_draws(monkeypatch):
    target = lesson.Target("mnist_5000", 20, 5)
    drawn = []
    monkeypatch.setattr(lesson, "probe", lambda x, y, *_: drawn.append((x, y)) or len(drawn))
    rows = np.arange(200)[:, None]
    assert lesson.mean_accuracy(target, rows, rows, 5, seed=1, draws=4) == 2.5
    assert all(np.bincount(y).tolist() == [5] * 10 for _, y in drawn)
    assert all(np.array_equal(target.y_train[x.ravel()], y) for x, y in drawn)
    assert len({tuple(sorted(x.ravel())) for x, _ in drawn}) == 4


def test_the_gradient_histogram_sees_edges_and_not_brightness():
    rng = np.random.default_rng(0)
    image = rng.integers(20, 200, (1, 32, 32), dtype="uint8")
    np.testing.assert_allclose(lesson.hog_of(image), lesson.hog_of(image + 30), atol=0.02)
    assert np.abs(lesson.hog_of(image) - lesson.hog_of(image[:, ::-1])).max() > 0.1
    assert lesson.pixels_of(image).shape == (1, 1024)


def test_choose_takes_the_layer_of_the_best_cross_validation():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 30)
    layers = [rng.normal(size=(60, 4)) + shift * y[:, None] for shift in (0, 2, 0.5)]
    model = make_pipeline(StandardScaler(), LogisticRegression())
    means = [cross_val_score(model, x, y, cv=5).mean() for x in layers]
    assert lesson.choose(layers, y) == int(np.argmax(means)) == 1
