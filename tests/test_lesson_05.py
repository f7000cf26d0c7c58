"""The functions that lesson 05 keeps."""

import inspect

import keras
import numpy as np
import pytest

from transfer_lib import vgg16_mini
from transfer_lib.taught import lesson_04
from transfer_lib.taught import lesson_05 as lesson


@pytest.fixture(scope="module")
def base():
    return lesson_04.load_base(quick=True, pretrained=False)


def test_features_come_at_the_size_of_the_backbone_and_pooled():
    inputs = keras.Input((16, 16, 3))
    backbone = keras.Model(inputs, keras.layers.MaxPooling2D(4)(inputs))
    x = np.full((3, 32, 32, 3), 51, "uint8")
    out = lesson.features_of(backbone, lambda x: x / 255, x)
    np.testing.assert_allclose(out, np.full((3, 3), 0.2), atol=1e-6)


def test_the_projection_is_found_on_training_features():
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(20, 6)), rng.normal(size=(5, 6))
    small, new = lesson.shrink(train, test, 3)
    assert small.shape == (20, 3) and new.shape == (5, 3)
    assert small.std() == pytest.approx(1)
    alone = lesson.shrink(train, test[:1], 3)[1]
    np.testing.assert_allclose(new[:1], alone, atol=1e-9)


def test_a_histogram_counts_every_pixel_once():
    x = np.array([0, 15, 16, 255], "uint8").reshape(1, 2, 2)
    assert lesson.histogram(x).tolist() == [[0.5, 0.25] + [0] * 13 + [0.25]]


def test_the_heads_have_the_parameters_that_are_counted():
    def articles(flat):
        return (flat + 1) * 1024 + 1025 * 512 + 513 * 4

    shape, pooled = (4, 4, 8), keras.layers.GlobalAveragePooling2D
    head = lesson.article_head(shape, 4, l2=1e-3, dropout=0.5)
    assert head.count_params() == articles(4 * 4 * 8)
    assert lesson.article_head(shape, 4, start=pooled).count_params() == articles(8)
    assert lesson.linear_head(shape, 4).count_params() == 8 * 4 + 4
    flat = lesson.linear_head(shape, 4, start=keras.layers.Flatten)
    assert flat.count_params() == 4 * 4 * 8 * 4 + 4


@pytest.mark.parametrize(("first", "last"), [(1, 5), (3, 3), (5, 5)])
def test_a_part_on_stored_inputs_is_the_whole_network(base, first, last):
    rng = np.random.default_rng(0)
    x = {f"x_{part}": rng.integers(0, 256, (3, 32, 32, 3), "uint8") for part in ("train", "test")}
    head = keras.Sequential([keras.Input(base.get_layer(f"block{last}_pool").output.shape[3:])])
    head.add(keras.layers.Dense(4))
    pooled = keras.layers.GlobalAveragePooling2D()(base.get_layer(f"block{last}_pool").output)
    whole = keras.Model(base.input, head(pooled))
    _, stored = lesson.stored_inputs(base, x, first, vgg16_mini.preprocess_input)
    part = lesson.part_of_base(base, first, last, head, keras.Input(stored.shape[1:]))
    ready = vgg16_mini.preprocess_input(x["x_test"].astype("float32"))
    expected = whole.predict(ready, verbose=0)
    np.testing.assert_allclose(part.predict(stored, verbose=0), expected, atol=1e-3)
    names = {layer.name[:6] for layer in part.layers if layer.name.startswith("block")}
    assert names == {f"block{number}" for number in range(first, last + 1)}


def test_the_full_profile_finds_its_backbones_in_keras():
    for name in ("ResNet50", "InceptionV3", "MobileNetV3Small"):
        arguments = inspect.signature(getattr(keras.applications, name)).parameters
        assert {"include_top", "input_shape", "weights"} <= set(arguments)
    for module in ("resnet50", "inception_v3", "mobilenet_v3"):
        assert callable(getattr(keras.applications, module).preprocess_input)
