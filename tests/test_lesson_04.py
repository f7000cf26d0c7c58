"""The functions that lesson 04 defines, taken out of the notebook."""

import inspect

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import lesson_code
from transfer_lib import vgg16_mini


@pytest.fixture(scope="module")
def base():
    return vgg16_mini.VGG16Mini(include_top=False, weights=None, input_shape=(32, 32, 3))


@pytest.fixture(scope="module")
def lesson(base):
    rng = np.random.default_rng(0)
    many = {
        f"x_{part}": rng.integers(0, 256, (3, 32, 32, 3), "uint8") for part in ("train", "test")
    }
    return lesson_code.definitions(
        "04",
        base=base,
        many=many,
        SIZE=32,
        MEAN=np.array([103.939, 116.779, 123.68], "float32"),
        WIDTH=3,
        network=vgg16_mini,
        extractor=None,
        pool=keras.layers.GlobalAveragePooling2D,
        classes=4,
        map_train=np.zeros((1, 4, 4, 8)),
        rng=np.random.default_rng(0),
    )


def test_a_picture_becomes_a_square_of_pixels(lesson):
    picture = np.zeros((60, 100, 3), "uint8")
    picture[:, 20:80] = 255  # the middle square
    small = lesson.square(picture)
    assert small.shape == (32, 32, 3) and small.dtype == np.uint8
    assert small.min() == 255
    with_alpha = np.full((40, 40, 4), 7, "uint8")
    assert np.array_equal(lesson.square(with_alpha, 20), np.full((20, 20, 3), 7))


def test_masks_and_grey_pictures_become_rgb(lesson):
    mask = np.array([[True, False]])
    assert lesson.rgb(mask).tolist() == [[[255] * 3, [0] * 3]]
    assert lesson.rgb(np.ones((2, 5), "uint8")).shape == (2, 5, 3)
    grey = np.arange(25 * 25, dtype="uint8").reshape(1, 25, 25)
    resized = lesson.as_rgb(grey)
    assert resized.shape == (1, 32, 32, 3) and resized.dtype == np.uint8
    assert np.array_equal(resized[..., 0], resized[..., 2])


def test_draw_is_stratified_and_without_repeats(lesson):
    y = np.repeat(np.arange(10), 30)
    rows = lesson.draw(y, 7)
    assert len(set(rows)) == 70
    assert np.array_equal(np.bincount(y[rows]), np.full(10, 7))


def test_features_in_portions_are_those_of_one_call(lesson, base):
    x = np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3)).astype("uint8")
    blocks = [base.get_layer(f"block{k}_pool").output for k in (2, 4)]
    two, one = keras.Model(base.input, blocks), keras.Model(base.input, blocks[1])
    expected = two.predict(vgg16_mini.preprocess_input(x.astype("float32")), verbose=0)
    parts = lesson.extract(x, two, size=3)
    assert len(parts) == 2
    for part, whole in zip(parts, expected, strict=True):
        np.testing.assert_allclose(part, whole, atol=1e-4)
    np.testing.assert_allclose(lesson.extract(x, one, size=3), expected[1], atol=1e-4)


def test_features_come_at_the_size_of_the_backbone_and_pooled(lesson):
    inputs = keras.Input((16, 16, 3))
    backbone = keras.Model(inputs, keras.layers.MaxPooling2D(4)(inputs))
    x = np.full((3, 32, 32, 3), 51, "uint8")
    out = lesson.features_of(backbone, lambda x: x / 255, x)
    np.testing.assert_allclose(out, np.full((3, 3), 0.2), atol=1e-6)


def test_turning_the_axes_changes_no_prediction_of_the_probe(lesson):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 6)
    x, x_new = (rng.normal(size=(18, 40)) + 0.5 * y[:, None] for _ in range(2))
    plain = LogisticRegression(max_iter=5000, tol=1e-6).fit(x / x.std(), y)
    assert abs(lesson.probe(x, y, x_new, y) - plain.score(x_new / x.std(), y)) < 0.06


def test_the_projection_is_found_on_training_features(lesson):
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(20, 6)), rng.normal(size=(5, 6))
    small, new = lesson.shrink(train, test)
    assert small.shape == (20, 3) and new.shape == (5, 3)
    assert small.std() == pytest.approx(1)
    alone = lesson.shrink(train, test[:1])[1]
    np.testing.assert_allclose(new[:1], alone, atol=1e-9)


def test_a_histogram_counts_every_pixel_once(lesson):
    x = np.array([0, 15, 16, 255], "uint8").reshape(1, 2, 2)
    assert lesson.histogram(x).tolist() == [[0.5, 0.25] + [0] * 13 + [0.25]]


def test_preprocessing_by_hand_is_that_of_keras(lesson):
    x = np.random.default_rng(0).integers(0, 256, (2, 5, 5, 3)).astype("uint8")
    expected = keras.applications.vgg16.preprocess_input(x.astype("float32"))
    np.testing.assert_allclose(lesson.preprocess(x), expected, atol=1e-4)


def test_the_head_of_the_articles_has_the_parameters_that_are_counted(lesson):
    head = lesson.article_head(l2=1e-3, dropout=0.5)
    assert head.count_params() == lesson.head_parameters((4, 4, 8), 4)
    assert lesson.linear_head().count_params() == 8 * 4 + 4
    pooled = lesson.article_head(start=keras.layers.GlobalAveragePooling2D)
    assert pooled.count_params() == lesson.head_parameters((1, 1, 8), 4)
    assert lesson.linear_head(start=keras.layers.Flatten).count_params() == 4 * 4 * 8 * 4 + 4


@pytest.mark.parametrize(("first", "last"), [(1, 5), (3, 3), (5, 5)])
def test_a_part_on_stored_inputs_is_the_whole_network(lesson, base, first, last):
    head = keras.Sequential([keras.Input(base.get_layer(f"block{last}_pool").output.shape[3:])])
    head.add(keras.layers.Dense(4))
    pooled = keras.layers.GlobalAveragePooling2D()(base.get_layer(f"block{last}_pool").output)
    whole = keras.Model(base.input, head(pooled))
    _, stored = lesson.stored_inputs(first)
    part = lesson.part_of_base(first, last, head, keras.Input(stored.shape[1:]))
    x = vgg16_mini.preprocess_input(lesson.many["x_test"].astype("float32"))
    expected = whole.predict(x, verbose=0)
    np.testing.assert_allclose(part.predict(stored, verbose=0), expected, atol=1e-3)
    names = {layer.name[:6] for layer in part.layers if layer.name.startswith("block")}
    assert names == {f"block{number}" for number in range(first, last + 1)}


def test_the_split_shares_no_pixel(lesson):
    left = np.arange(0, 200)
    train, test = lesson.split(left, 32, 100)
    assert (left[train] + 32).max() <= left[test].min()
    assert train.sum() == 69 and test.sum() == 100


def test_the_full_profile_finds_the_same_names_in_keras(lesson):
    network = keras.applications.vgg16
    base = network.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    for number, width in enumerate((64, 128, 256, 512, 512), 1):
        assert lesson.cut(base, f"block{number}_pool").output_shape == (None, width)
    base.trainable = False
    lesson.unfreeze(base)
    assert len(base.trainable_weights) == 6
    assert callable(network.preprocess_input) and callable(network.decode_predictions)
    for name in ("ResNet50", "InceptionV3", "MobileNetV3Small"):
        arguments = inspect.signature(getattr(keras.applications, name)).parameters
        assert {"include_top", "input_shape", "weights"} <= set(arguments)
    for module in ("resnet50", "inception_v3", "mobilenet_v3"):
        assert callable(getattr(keras.applications, module).preprocess_input)
