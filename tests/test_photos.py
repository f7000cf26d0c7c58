"""The photographs that scikit-image installs: no leak, no network, always the same pixels."""

import hashlib
import shutil
import socket
import subprocess
import sys
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data as skimage_data

from transfer_lib import data
from transfer_lib.data import registry, sets

INSTALLED = data.fetch("photo_patches")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("embedded data must not need the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize(
    ("name", "size", "each"), [("faces", 25, 50), ("photo_patches", 32, sets.PER_CLASS)]
)
def test_shapes_and_balance(name, size, each):
    split = data.load(name)
    for x, y in ((split.x_train, split.y_train), (split.x_test, split.y_test)):
        assert x.shape == (len(y), size, size) and x.dtype == np.uint8
        assert y.dtype == np.int64
        assert np.bincount(y).tolist() == [each] * len(split.class_names)
        assert x.max() == split.max_value == 255
    assert data.where(name) == "embedded" and split.path == data.fetch(name)
    assert f"{2 * each * len(split.class_names)} grey" in data.info(name).description


def test_the_stated_sizes():
    assert data.fetch("faces").stat().st_size == data.info("faces").size
    sizes = [(INSTALLED / file).stat().st_size for file in sets.PHOTOS.values()]
    assert sum(sizes) == data.info("photo_patches").size


def test_reading_imports_neither_pooch_nor_skimage():
    code = (
        "import sys; from transfer_lib import data; data.load('faces'); data.load('photo_patches');"
        "print(*sorted({'pooch', 'skimage', 'requests'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[1]
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert (out.stdout.strip(), out.returncode) == ("", 0), out.stderr


def test_always_the_same():
    parts = {}
    for seed in (0, 1):
        np.random.seed(seed)
        for name in ("faces", "photo_patches"):
            split = data.load(name)
            pixels = split.x_train.tobytes() + split.x_test.tobytes()
            parts.setdefault(name, set()).add(hashlib.sha256(pixels).hexdigest())
    assert parts == {
        "faces": {"bda9ca8ccc731502f5686151a05ccfdfddeb002ff3d5c783edff1af79b8987ee"},
        "photo_patches": {"5124ce357d47c4fd5e8d56c616d74b9c590df5736fa53ecddf8d2211da28ec33"},
    }


# ---------------------------------------------------------------- faces


def test_faces_are_scikit_images():
    originals = np.round(skimage_data.lfw_subset() * 255).astype(np.uint8)
    split = data.load("faces")
    images = np.concatenate([split.x_train, split.x_test])
    labels = np.concatenate([split.y_train, split.y_test])
    faces = {image.tobytes() for image in images[labels == 1]}
    assert faces == {image.tobytes() for image in originals[:100]}
    others = {image.tobytes() for image in images[labels == 0]}
    assert others == {image.tobytes() for image in originals[100:]}
    assert split.class_names == ("no face", "face")


def test_no_twin_of_a_test_crop_is_in_training():
    split = data.load("faces")
    train, test = split.x_train.astype(int), split.x_test.astype(int)
    for other in (train, train[:, :, ::-1]):
        apart = np.abs(test[:, None] - other[None]).mean(axis=(2, 3))  # grey levels
        assert apart.min() > 3
        both_faces = np.ix_(split.y_test == 1, split.y_train == 1)
        assert apart[both_faces].min() > 20


# ---------------------------------------------------------------- patches


def test_no_test_patch_shares_a_pixel_with_training(monkeypatch):
    def numbered(path):
        """Return a photograph of this shape whose pixels are numbers, each one once."""
        height, width = read_grey(path).shape
        return np.arange(height * width).reshape(height, width)

    read_grey = sets.read_grey
    monkeypatch.setattr(sets, "read_grey", numbered)
    split = sets.load_photo_patches(INSTALLED)
    for label, file in enumerate(sets.PHOTOS.values()):
        width = read_grey(INSTALLED / file).shape[1]
        train = split["x_train"][split["y_train"] == label]
        test = split["x_test"][split["y_test"] == label]
        assert len(np.unique(train)) == train.size and len(np.unique(test)) == test.size
        assert (train % width).max() + sets.GAP < (test % width).min()


def test_patches_are_pieces_of_their_photograph():
    split = data.load("photo_patches")
    for label, file in enumerate(sets.PHOTOS.values()):
        photo = sets.read_grey(INSTALLED / file)
        half = (photo.shape[1] - sets.GAP) // 2
        for patch in split.x_train[split.y_train == label]:
            assert any(np.array_equal(patch, tile) for tile in sets._tiles(photo[:, :half]))
        for patch in split.x_test[split.y_test == label]:
            assert any(np.array_equal(patch, tile) for tile in sets._tiles(photo[:, -half:]))
    patches = np.concatenate([split.x_train, split.x_test])
    assert len({patch.tobytes() for patch in patches}) == len(patches)


def test_patches_of_one_part_do_not_overlap():
    region = np.arange(100 * 70).reshape(100, 70)
    tiles = sets._tiles(region)
    assert tiles.shape == (6, 32, 32)
    assert len(np.unique(tiles)) == tiles.size
    assert np.array_equal(tiles[3], region[32:64, 32:64])


def test_no_patch_is_flat():
    split = data.load("photo_patches")
    for x in (split.x_train, split.x_test):
        assert x.std(axis=(1, 2)).min() >= sets.FLAT


# ---------------------------------------------------------------- scikit-image changed or broken


def copied(monkeypatch, name, path):
    """Point the entry at another place, as if scikit-image had installed its files there."""
    monkeypatch.setattr(registry, "_carried", lambda entry: path)
    return lambda: data.load(name)


@pytest.mark.parametrize("case", ["missing", "empty", "text", "truncated", "other", "small"])
def test_photograph_missing_or_changed(monkeypatch, tmp_path, case):
    for file in sets.PHOTOS.values():
        shutil.copy(INSTALLED / file, tmp_path / file)
    load = copied(monkeypatch, "photo_patches", tmp_path)
    load()
    path = tmp_path / "brick.png"
    whole = path.read_bytes()
    with Image.open(path) as photo:
        small = photo.resize((100, 100))
    path.unlink()
    if case == "small":
        small.save(path)
    elif case != "missing":
        grass = (tmp_path / "grass.png").read_bytes()
        bodies = {"empty": b"", "text": b"<html>", "truncated": whole[:5000], "other": grass}
        path.write_bytes(bodies[case])
    with pytest.raises(data.DataError, match="--force-reinstall scikit-image") as caught:
        load()
    assert str(tmp_path) in str(caught.value) and "900 grey patches" in str(caught.value)


@pytest.mark.parametrize("case", ["missing", "empty", "text", "truncated", "pickled", "changed"])
def test_faces_missing_or_changed(monkeypatch, tmp_path, case):
    path = tmp_path / "lfw_subset.npy"
    body = data.fetch("faces").read_bytes()
    images = np.load(data.fetch("faces"))
    if case == "pickled":
        np.save(path, np.array([{}, None], dtype=object))
    elif case == "changed":
        images[3, 4, 5] = 1 - images[3, 4, 5]
        np.save(path, images)
    elif case != "missing":
        path.write_bytes({"empty": b"", "text": b"<html>", "truncated": body[:5000]}[case])
    with pytest.raises(data.DataError, match="Reinstall scikit-image") as caught:
        copied(monkeypatch, "faces", path)()
    assert str(path) in str(caught.value)


def test_shuffled_faces_have_the_same_pixels_in_other_places():
    split, faces = data.load("shuffled_faces"), np.load(data.fetch("faces"))[:100]
    faces = np.round(faces * 255).astype(np.uint8)
    seen = {"train": set(), "test": set()}
    for part in seen:
        x, y = getattr(split, f"x_{part}"), getattr(split, f"y_{part}")
        assert x.shape == (100, 20, 20) and np.bincount(y).tolist() == [50, 50]
        for image, label in zip(x, y, strict=True):
            quarters = [image[r : r + 10, c : c + 10] for r in (0, 10) for c in (0, 10)]
            whole = [image] if not label else _orders(quarters)
            owner = {number for candidate in whole for number in _owners(candidate, faces)}
            assert len(owner) == 1, "a crop of one face, or its quarters exchanged"
            seen[part] |= owner
    assert not seen["train"] & seen["test"] and len(seen["train"]) == len(seen["test"]) == 50


def _orders(quarters):
    for a, b, c, d in permutations(range(4)):
        if a != 0 and b != 1 and c != 2 and d != 3:
            yield np.block([[quarters[a], quarters[b]], [quarters[c], quarters[d]]])


def _owners(image, faces):
    """Return the faces that hold an image of 20 x 20 pixels, mirrored or not."""
    for crop in (image, image[:, ::-1]):
        for y in range(6):
            for x in range(6):
                same = (faces[:, y : y + 20, x : x + 20] == crop).all(axis=(1, 2))
                yield from np.flatnonzero(same)
