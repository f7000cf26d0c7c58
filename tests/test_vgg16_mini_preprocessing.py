"""Preprocessing for the course's own VGG16: as Keras does it, and the usual mistakes named."""

import keras
import numpy as np
import pytest

from transfer_lib import vgg16_mini
from transfer_lib.preprocessing import MEAN_BGR
from transfer_lib.vgg16_mini import PreprocessingError


def test_preprocessing_is_that_of_keras(pixels):
    theirs = keras.applications.vgg16.preprocess_input
    before = pixels.copy()
    mine = vgg16_mini.preprocess_input(pixels)
    np.testing.assert_array_equal(pixels, before)  # Keras's own changes a float array in place
    np.testing.assert_allclose(mine, theirs(pixels.copy()), atol=1e-4)
    np.testing.assert_array_equal(vgg16_mini.preprocess_input(pixels.astype(np.uint8)), mine)
    np.testing.assert_array_equal(vgg16_mini.preprocess_input(pixels[0]), mine[0])
    first = np.moveaxis(pixels, -1, 1)
    np.testing.assert_array_equal(
        vgg16_mini.preprocess_input(first, data_format="channels_first"), np.moveaxis(mine, -1, 1)
    )
    tensor = vgg16_mini.preprocess_input(keras.ops.convert_to_tensor(pixels))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(tensor), mine, atol=1e-4)


def test_opencv_images_are_swapped_once(pixels):
    np.testing.assert_array_equal(
        vgg16_mini.preprocess_input(pixels[..., ::-1], channel_order="bgr"),
        vgg16_mini.preprocess_input(pixels),
    )
    with pytest.raises(ValueError, match="channel_order"):
        vgg16_mini.preprocess_input(pixels, channel_order="BRG")


def test_preprocessing_inside_a_model(pixels):
    inputs = keras.Input((32, 32, 3))
    model = keras.Model(inputs, vgg16_mini.preprocess_input(inputs))
    np.testing.assert_allclose(
        model.predict(pixels, verbose=0), vgg16_mini.preprocess_input(pixels), atol=1e-4
    )


PIXEL_MISTAKES = {
    "0 to 1": lambda x: x / 255,
    "-1 to 1": lambda x: x / 127.5 - 1,
    "mean and deviation": lambda x: (
        (x / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    ),
    "normalised twice": vgg16_mini.preprocess_input,
    "range": lambda x: x * 257,
    "channels": lambda x: x[..., 0],
    "not finite": lambda x: np.where(x == 0, np.nan, x),
}


@pytest.mark.parametrize("mistake", PIXEL_MISTAKES)
def test_usual_mistakes_before_preprocessing(pixels, mistake):
    wrong = PIXEL_MISTAKES[mistake](pixels)
    with pytest.raises(PreprocessingError) as error:
        vgg16_mini.preprocess_input(wrong)
    assert error.value.mistake == mistake
    with pytest.raises(PreprocessingError) as error:  # a tensor is looked at as well
        vgg16_mini.preprocess_input(keras.ops.convert_to_tensor(wrong.astype("float32")))
    assert error.value.mistake == mistake


def test_alpha_channel_and_overshoot_say_what_to_do(pixels):
    with pytest.raises(PreprocessingError, match="alpha"):
        vgg16_mini.preprocess_input(np.concatenate([pixels, pixels[..., :1]], -1))
    with pytest.raises(PreprocessingError, match="np.clip"):
        vgg16_mini.preprocess_input(pixels * 1.1 - 12)


def _dark_and_bright(pixels):
    """Resized photographs: no whole numbers any more, but a dark and a bright corner."""
    x = (pixels[:, ::2] + pixels[:, 1::2]) / 2 + 0.3
    x[:, 0, 0], x[:, 0, 1] = 2.6, 252.4
    return x


@pytest.mark.parametrize("make", [lambda x: x, lambda x: x / 4 + 60.0, _dark_and_bright])
def test_right_input_passes_the_check(pixels, make):
    images = make(pixels)
    vgg16_mini.check_preprocessed(vgg16_mini.preprocess_input(images))
    vgg16_mini.check_preprocessed(keras.applications.vgg16.preprocess_input(images.copy()))


TWICE = MEAN_BGR + MEAN_BGR[::-1]
INPUT_MISTAKES = {
    "RGB for BGR": lambda x: x - MEAN_BGR[::-1],
    "normalised twice": lambda x: x - TWICE,  # Keras's own function, run twice, gives this
    "not preprocessed": lambda x: x,
    "0 to 1": lambda x: x / 255 - MEAN_BGR,
    "-1 to 1": lambda x: x / 127.5 - 1,
    "mean and deviation": lambda x: (x / 255 - 0.45) / 0.225,
    "range": lambda x: x * 257,
    "channels": lambda x: x[..., :2],
}


@pytest.mark.parametrize("mistake", INPUT_MISTAKES)
@pytest.mark.parametrize("make", [lambda x: x, _dark_and_bright], ids=["whole", "resized"])
def test_usual_mistakes_after_preprocessing(pixels, mistake, make):
    wrong = INPUT_MISTAKES[mistake](make(pixels))
    with pytest.raises(PreprocessingError) as error:
        vgg16_mini.check_preprocessed(wrong)
    assert error.value.mistake == mistake


def test_order_shows_even_without_extremes_when_pixels_were_whole(pixels):
    dull = np.floor(pixels / 4) + 90
    with pytest.raises(PreprocessingError, match="order RGB"):
        vgg16_mini.check_preprocessed(dull - MEAN_BGR[::-1])


def test_keras_function_run_twice_is_found(pixels):
    theirs = keras.applications.vgg16.preprocess_input
    with pytest.raises(PreprocessingError, match="twice"):
        vgg16_mini.check_preprocessed(theirs(theirs(pixels.copy())))
