"""The functions that lesson 03 defines, taken out of the notebook."""

import numpy as np
import pytest

import lesson_code
from transfer_lib import data


@pytest.fixture(scope="module")
def lesson():
    return lesson_code.definitions("03", target=None, METHOD=None)


def test_draw_is_stratified_and_without_repeats(lesson):
    y = np.repeat(np.arange(10), 30)
    rows = lesson.draw(y, 7, np.random.default_rng(0))
    assert len(set(rows)) == 70
    assert np.array_equal(np.bincount(y[rows]), np.full(10, 7))
    other = lesson.draw(y, 7, np.random.default_rng(1))
    assert set(rows) != set(other)


def test_images_are_normalised_and_shaped_for_the_network(lesson):
    parts = lesson.as_arrays(data.load("digits"))
    assert parts["x_train"].dtype == np.float32
    assert parts["x_train"].shape[1:] == (8, 8, 1)
    assert parts["x_train"].min() == 0 and parts["x_train"].max() == 1


def test_mnist_is_averaged_down_to_eight_pixels(lesson):
    class Loaded:
        x_train = x_test = np.arange(2 * 28 * 28).reshape(2, 28, 28) % 256
        y_train = y_test = np.array([3, 7])
        max_value = 255

    small = lesson.as_arrays(Loaded, size=8)["x_train"]
    assert small.shape == (2, 8, 8, 1)
    block = Loaded.x_train[0, 2:5, 2:5].mean() / 255
    assert small[0, 0, 0, 0] == pytest.approx(block, abs=1e-6)


def test_only_keeps_and_renumbers_classes(lesson):
    parts = {f"x_{p}": np.arange(10)[:, None] for p in ("train", "test")}
    parts |= {f"y_{p}": np.arange(10) for p in ("train", "test")}
    kept = lesson.only(parts, range(5, 10))
    assert list(kept["y_train"]) == [0, 1, 2, 3, 4]
    assert list(kept["x_test"].ravel()) == [5, 6, 7, 8, 9]


def test_the_leaky_split_leaks_and_the_right_one_does_not(lesson):
    x = np.zeros((40, 3, 3))
    x[:, 1, 1] = np.arange(1, 41)
    y = np.zeros(40)

    def shared(split):
        x_train, _, x_test, _ = split(x, y, 10, np.random.default_rng(0))
        return set(x_train.max(axis=(1, 2))) & set(x_test.max(axis=(1, 2)))

    assert shared(lesson.leaky_split) and not shared(lesson.split)


def test_source_and_target_of_the_quick_profile_share_no_test_image(lesson):
    source, target = lesson.load_pair("fonts to scans")
    assert len(np.unique(source["y_train"])) == len(np.unique(target["y_train"])) == 10
    train = {image.tobytes() for image in target["x_train"]}
    assert not any(image.tobytes() in train for image in target["x_test"])
