"""CIFAR-10 and the ants and bees: from TRANSFER_LIB_DATA, from a download, and what goes wrong."""

import dataclasses
import hashlib
import io
import zipfile

import keras
import numpy as np
import pytest
from PIL import Image

from transfer_lib import data
from transfer_lib.data import photo_sets, registry


def jpeg(colour, size=(40, 30)):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def packed(tmp_path, monkeypatch):
    """Write a file of six pictures, three to train, into the folder TRANSFER_LIB_DATA."""
    monkeypatch.setenv("TRANSFER_LIB_DATA", str(tmp_path))
    pictures = [jpeg(colour) for colour in ("red", "blue", "red", "red", "blue", "red")]
    fields = {
        "jpeg": np.frombuffer(b"".join(pictures), "uint8"),
        "offset": np.cumsum([0, *map(len, pictures)]),
        "label": np.array([0, 1, 0, 0, 1, 0]),
        "is_train": np.array([1, 1, 1, 0, 0, 0], bool),
        "class_names": np.array(["ants", "bees"]),
    }

    def write(name="ants_bees", **changed):
        np.savez(tmp_path / f"{name}_jpeg.npz", **fields | changed)
        return tmp_path / f"{name}_jpeg.npz"

    return write


def test_pictures_from_the_data_folder(packed):
    path = packed()
    found = photo_sets.load("ants_bees", size=16)
    assert found.x_train.shape == found.x_test.shape == (3, 16, 16, 3)
    assert found.y_train.tolist() == [0, 1, 0] and found.y_test.tolist() == [0, 1, 0]
    assert found.x_train[0, 8, 8, 0] > 240 and found.x_train[1, 8, 8, 2] > 240
    assert found.class_names == ("ants", "bees") and found.path == path
    assert photo_sets.given("ants_bees") == path and photo_sets.given("cifar10") is None
    fewer = photo_sets.load("ants_bees", size=16, per_class=1)
    assert fewer.y_train.tolist() == [0, 1]
    packed("cifar10")
    assert photo_sets.load("cifar10").x_train.shape == (3, 32, 32, 3)


def test_broken_files_are_named(packed):
    path = packed(offset=np.array([0, 10, 20, 30, 40, 50, 60]))
    with pytest.raises(data.DataError, match=path.name):
        photo_sets.load("ants_bees")
    path.write_bytes(b"no archive")
    with pytest.raises(data.DataError, match="Replace this file or remove it"):
        photo_sets.load("ants_bees")
    with pytest.raises(data.DataError, match="there are cifar10 and ants_bees"):
        photo_sets.load("cats")


@pytest.mark.usefixtures("quick_downloads")
def test_the_tutorials_archive_is_downloaded_and_read(server, monkeypatch):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for part, count in (("train", 3), ("val", 2)):
            for name, colour in (("ants", "red"), ("bees", "blue")):
                for number in range(count):
                    place = f"hymenoptera_data/{part}/{name}/{number}.jpg"
                    file.writestr(place, jpeg(colour, (40 + number, 30)))
    body = archive.getvalue()
    changed = dataclasses.replace(
        data.info("ants_bees"),
        urls=(server.serve("bees.zip", body),),
        size=len(body),
        known_hash=hashlib.sha256(body).hexdigest(),
    )
    monkeypatch.setitem(registry.ENTRIES, "ants_bees", changed)
    found = photo_sets.load("ants_bees", size=20)
    assert found.y_train.tolist() == [0] * 3 + [1] * 3 and found.y_test.tolist() == [0, 0, 1, 1]
    assert found.x_train.shape == (6, 20, 20, 3) and found.x_test[0, 5, 5, 0] > 240
    assert photo_sets.load("ants_bees", size=20, per_class=2).y_train.tolist() == [0, 0, 1, 1]


def test_cifar10_is_keras_own(monkeypatch):
    monkeypatch.delenv("TRANSFER_LIB_DATA", raising=False)
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (40, 32, 32, 3), "uint8")
    y = np.tile(np.arange(10), 4)[:, None]
    monkeypatch.setattr(keras.datasets.cifar10, "load_data", lambda: ((x, y), (x[:10], y[:10])))
    found = photo_sets.load("cifar10", per_class=2)
    assert np.array_equal(found.x_train, x[:20]) and found.y_train.dtype == np.int64
    assert found.class_names[:2] == ("airplane", "automobile") and len(found.x_test) == 10

    def offline():
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.datasets.cifar10, "load_data", offline)
    with pytest.raises(data.DataError, match="cifar10 cannot be read: URL fetch failure"):
        photo_sets.load("cifar10")
