"""Data sets that come with a package: no network, no leak, always the same split."""

import dataclasses
import hashlib
import socket

import numpy as np
import pytest

from transfer_lib import data
from transfer_lib.data import registry

pytestmark = pytest.mark.usefixtures("quick_downloads")


@pytest.mark.parametrize(("name", "total"), [("digits", 1797), ("font_digits", 16000)])
def test_embedded(name, total, monkeypatch):
    def no_network(*_, **__):
        raise AssertionError("embedded data must not need the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    split = data.load(name)
    assert split.name == name and split.path.is_file() and split.path == data.fetch(name)
    assert split.path.stat().st_size == data.info(name).size or name == "digits"
    assert len(split.x_train) + len(split.x_test) == total
    for x, y in ((split.x_train, split.y_train), (split.x_test, split.y_test)):
        assert x.shape == (len(y), 8, 8) and x.dtype == np.uint8
        assert y.dtype == np.int64 and set(y) == set(range(10))
        assert x.max() == split.max_value == 16
    assert split.class_names == tuple("0123456789")
    assert f"{len(split.x_train):,}" in repr(split) and len(repr(split)) < 200
    assert not data.data_cache().exists()


@pytest.mark.parametrize("name", ["digits", "font_digits"])
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


def test_changed_package_file_is_noticed(monkeypatch):
    entry = dataclasses.replace(data.info("font_digits"), known_hash="0" * 64)
    monkeypatch.setitem(registry.ENTRIES, entry.name, entry)
    with pytest.raises(data.CorruptFileError, match="Reinstall transfer_lib"):
        data.load("font_digits")


def test_missing_package_is_named(monkeypatch):
    for carrier in ("sklearn", "no_such_package"):
        entry = dataclasses.replace(data.info("digits"), carrier=carrier, filename="gone.npz")
        monkeypatch.setitem(registry.ENTRIES, entry.name, entry)
        with pytest.raises(data.CorruptFileError, match=f"Reinstall {carrier}"):
            data.load("digits")


def test_other_digits_are_refused(monkeypatch):
    from sklearn import datasets

    bunch = datasets.load_digits()
    bunch.images[0, 0, 3] += 1
    monkeypatch.setattr(datasets, "load_digits", lambda: bunch)
    with pytest.raises(data.CorruptFileError, match="Reinstall scikit-learn"):
        data.load("digits")
