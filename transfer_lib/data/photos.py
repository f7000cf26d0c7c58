"""The photographs that scikit-image installs, as data sets. Nothing here is downloaded."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import CorruptFileError
from .loaders import _half_of_each_class, _split

if TYPE_CHECKING:
    from numpy import ndarray

# SHA-256 of the images, then the labels, as uint8 in C order.
FACES_SHA256 = "5b640ba47e1dc8565e1cd6d105e01174212d26b214a18531a471913fea09c52f"
PATCHES_SHA256 = "964fd3be5bcd88784ddec236f7810c6c12f2cd2f966fa2983ee15cd4c3f85e64"

# Three of the crops without a face are nearly black: all three go to the training part.
BLACK = (149, 152, 174)

# The classes of `photo_patches` and their files. All are PNG: every decoder returns the same
# pixels, which JPEG does not promise.
PHOTOS = {
    "astronaut": "astronaut.png",
    "brick": "brick.png",
    "camera": "camera.png",
    "cat": "chelsea.png",
    "cell": "cell.png",
    "coffee": "coffee.png",
    "coins": "coins.png",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "tissue": "ihc.png",
}
PATCH = 32  # pixels: height and width
GAP = 16  # pixels between the training part of a photograph (left) and its test part (right)
FLAT = 3.0  # grey levels: a patch with a smaller standard deviation shows nothing
PER_CLASS = 45  # patches of each class in each part: what the smallest photograph has


def load_faces(path: Path) -> dict:
    """Read the 100 faces and 100 other crops, and split each class in half."""
    import numpy as np

    try:
        images = np.load(path, allow_pickle=False)
        images = np.round(images * 255).astype(np.uint8)
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise _changed(path, "it cannot be read") from error
    labels = np.repeat(np.array([1, 0], np.uint8), 100)  # the faces come first
    _check(path, FACES_SHA256, images, labels)
    test = _half_of_each_class(labels)
    given = test[list(BLACK)].sum()  # others of the same class take the places that they leave
    test[list(BLACK)] = False
    free = [i for i in np.flatnonzero((labels == 0) & ~test) if i not in BLACK]
    test[free[:given]] = True
    return _split(images, labels, test) | {"class_names": ("no face", "face"), "max_value": 255}


def load_photo_patches(path: Path) -> dict:
    """Cut the ten photographs in the folder `path` into patches: training left, test right."""
    import numpy as np

    random = np.random.RandomState(0)  # NumPy freezes its stream: the patches stay what they are
    parts = {"train": [], "test": []}
    for name in PHOTOS.values():
        photo = read_grey(path / name)
        half = (photo.shape[1] - GAP) // 2
        for part, region in (("train", photo[:, :half]), ("test", photo[:, -half:])):
            patches = _tiles(region)
            patches = patches[patches.std(axis=(1, 2)) >= FLAT]
            parts[part].append(patches[random.permutation(len(patches))[:PER_CLASS]])
    labels = np.repeat(np.arange(len(PHOTOS), dtype=np.uint8), PER_CLASS)
    train, test = (np.concatenate(parts[part]) for part in ("train", "test"))
    _check(path, PATCHES_SHA256, train, test, labels)
    return {
        "x_train": train,
        "y_train": labels.astype("int64"),
        "x_test": test,
        "y_test": labels.astype("int64"),
        "class_names": tuple(PHOTOS),
        "max_value": 255,
    }


def read_grey(path: Path) -> "ndarray":
    """Return the photograph at `path` in grey, uint8, shape (height, width).

    Raises
    ------
    CorruptFileError
        If the file is missing or cannot be read.
    """
    import numpy as np
    from PIL import Image

    try:
        with Image.open(path) as photo:
            return np.asarray(photo.convert("L"))  # luma of ITU-R BT.601, in integers
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises on a broken file
        why = "it is not there" if isinstance(error, FileNotFoundError) else "it cannot be read"
        raise _changed(path, why) from error


def _tiles(region: "ndarray") -> "ndarray":
    """Return all patches of a region side by side, row by row; none shares a pixel."""
    rows, columns = (length // PATCH for length in region.shape)
    tiles = region[: rows * PATCH, : columns * PATCH].reshape(rows, PATCH, columns, PATCH)
    return tiles.swapaxes(1, 2).reshape(-1, PATCH, PATCH)


def _check(path: Path, sha256: str, *arrays: "ndarray") -> None:
    if hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest() != sha256:
        raise _changed(path, "it holds other pixels than those that this course was made with")


def _changed(path: Path, why: str) -> CorruptFileError:
    return CorruptFileError(
        f"{path}, which scikit-image installs, is missing or changed: {why}. "
        "Reinstall scikit-image: pip install --force-reinstall scikit-image"
    )
