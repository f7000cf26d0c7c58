"""The functions that lesson 04 keeps."""

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from transfer_lib import vgg16_mini
from transfer_lib.taught import lesson_04 as lesson


@pytest.fixture(scope="module")
def base():
    return lesson.load_base(quick=True, pretrained=False)


def test_a_picture_becomes_a_square_of_pixels():
    picture = np.zeros((60, 100, 3), "uint8")
    picture[:, 20:80] = 255  # the middle square
    small = lesson.square(picture, 32)
    assert small.shape == (32, 32, 3) and small.dtype == np.uint8
    assert small.min() == 255
    with_alpha = np.full((40, 40, 4), 7, "uint8")
    assert np.array_equal(lesson.square(with_alpha, 20), np.full((20, 20, 3), 7))


def test_masks_and_grey_pictures_become_rgb():
    mask = np.array([[True, False]])
    assert lesson.rgb(mask).tolist() == [[[255] * 3, [0] * 3]]
    assert lesson.rgb(np.ones((2, 5), "uint8")).shape == (2, 5, 3)
    grey = np.arange(25 * 25, dtype="uint8").reshape(1, 25, 25)
    resized = lesson.as_rgb(grey, 32)
    assert resized.shape == (1, 32, 32, 3) and resized.dtype == np.uint8
    assert np.array_equal(resized[..., 0], resized[..., 2])


def test_draw_is_stratified_and_without_repeats():
    y = np.repeat(np.arange(10), 30)
    rows = lesson.draw(y, 7, np.random.default_rng(0))
    assert len(set(rows)) == 70
    assert np.array_equal(np.bincount(y[rows]), np.full(10, 7))


def test_features_in_portions_are_those_of_one_call(base):
    x = np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3)).astype("uint8")
    blocks = [base.get_layer(f"block{k}_pool").output for k in (2, 4)]
    two, one = keras.Model(base.input, blocks), keras.Model(base.input, blocks[1])
    expected = two.predict(vgg16_mini.preprocess_input(x.astype("float32")), verbose=0)
    parts = lesson.extract(x, two, vgg16_mini.preprocess_input, size=3)
    assert len(parts) == 2
    for part, whole in zip(parts, expected, strict=True):
        np.testing.assert_allclose(part, whole, atol=1e-4)
    again = lesson.extract(x, one, vgg16_mini.preprocess_input, size=3)
    np.testing.assert_allclose(again, expected[1], atol=1e-4)


def test_turning_the_axes_changes_no_prediction_of_the_probe():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 6)
    x, x_new = (rng.normal(size=(18, 40)) + 0.5 * y[:, None] for _ in range(2))
    plain = LogisticRegression(max_iter=5000, tol=1e-6).fit(x / x.std(), y)
    assert abs(lesson.probe(x, y, x_new, y) - plain.score(x_new / x.std(), y)) < 0.06


def test_the_sets_of_features_have_one_row_per_image(base):
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (2, 3, 32, 32, 1), "uint8").repeat(3, -1)
    parts = {"x_train": grey[0], "x_test": grey[1]}
    pooled = keras.layers.GlobalAveragePooling2D()(base.output)
    other = {"other": keras.Model(base.input, pooled)}
    blocks = {part: [np.zeros((3, 4))] * 5 for part in ("train", "test")}
    sets = lesson.feature_sets(parts, blocks, other, vgg16_mini.preprocess_input)
    assert list(sets) == [*(f"block {k}" for k in range(1, 6)), "other", "pixels"]
    assert all(len(x) == 3 for pair in sets.values() for x in pair)
    assert sets["pixels"][0].shape == (3, 32 * 32)  # one channel of a grey image


def test_the_full_profile_finds_the_same_names_in_keras():
    network = keras.applications.vgg16
    base = network.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    for name, width in zip(lesson.BLOCKS, (64, 128, 256, 512, 512), strict=True):
        assert base.get_layer(name).output.shape[-1] == width
    block5 = [layer for layer in base.layers if layer.name.startswith("block5") and layer.weights]
    assert len(block5) == 3
    assert callable(network.preprocess_input) and callable(network.decode_predictions)
