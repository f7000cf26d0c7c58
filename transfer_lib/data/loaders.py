"""Turn the files of the registry into arrays."""

import hashlib
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import CorruptFileError

if TYPE_CHECKING:
    from numpy import ndarray

DIGIT_NAMES = tuple("0123456789")

# SHA-256 of scikit-learn's digits: the 1,797 images, then the labels, as uint8 in C order.
DIGITS_SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"

# What an .npz must hold: key -> (dtype, shape). A None in a shape stands for any length.
Layout = dict[str, tuple[str, tuple[int | None, ...]]]

MNIST: Layout = {
    "x_train": ("uint8", (60000, 28, 28)),
    "y_train": ("uint8", (60000,)),
    "x_test": ("uint8", (10000, 28, 28)),
    "y_test": ("uint8", (10000,)),
}
FONT_DIGITS: Layout = {
    "images": ("uint8", (None, 8, 8)),
    "labels": ("uint8", (None,)),
    "fonts": ("uint8", (None,)),
    "font_names": ("<U", (None,)),
}
TEST_FONTS = "DejaVuSerif"  # a whole family, so that no test image has a near twin in training


@dataclass(frozen=True, repr=False, eq=False)
class Dataset:
    """One data set, split into a training and a test part.

    Attributes
    ----------
    name : str
        Its name in the registry.
    x_train, x_test : ndarray of uint8, shape (n, height, width)
        Grey images: 0 is background and `max_value` is full ink.
    y_train, y_test : ndarray of int64, shape (n,)
        Labels: indices into `class_names`.
    class_names : tuple of str
        The name of each class.
    max_value : int
        The largest value that a pixel can have: 16 or 255. ``x_train / max_value`` lies in 0 to 1.
    description : str
        What the data are, and how they were split.
    path : Path
        The file that the arrays were read from.
    """

    name: str
    x_train: "ndarray"
    y_train: "ndarray"
    x_test: "ndarray"
    y_test: "ndarray"
    class_names: tuple[str, ...]
    max_value: int
    description: str
    path: Path

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.x_train.shape[1:]))
        return (
            f"<Dataset {self.name}: {len(self.x_train):,} training and {len(self.x_test):,} test "
            f"images of {shape}, values 0 to {self.max_value}, {len(self.class_names)} classes>"
        )


def load_digits(path: Path) -> dict:
    """Read scikit-learn's digits and split each class in half, in the same way every time."""
    import numpy as np
    from sklearn import datasets

    bunch = datasets.load_digits()
    images, labels = bunch.images.astype(np.uint8), bunch.target.astype(np.uint8)
    if hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest() != DIGITS_SHA256:
        raise CorruptFileError(
            f"{path} does not hold the 1,797 digits that this course was made with. "
            "Reinstall scikit-learn: pip install --force-reinstall scikit-learn"
        )
    test = _half_of_each_class(labels)
    return _split(images, labels, test) | {"class_names": DIGIT_NAMES, "max_value": 16}


def load_font_digits(path: Path) -> dict:
    """Read the digits drawn from fonts; the test part is one font family on its own."""
    import numpy as np

    arrays = read_npz(path, FONT_DIGITS)
    test_fonts = np.char.startswith(arrays["font_names"], TEST_FONTS)
    test = test_fonts[arrays["fonts"]]
    parts = _split(arrays["images"], arrays["labels"], test)
    return parts | {"class_names": DIGIT_NAMES, "max_value": 16}


def load_mnist(path: Path) -> dict:
    """Read Keras's mnist.npz, in its own order and its own split."""
    arrays = read_npz(path, MNIST)
    for key in ("y_train", "y_test"):
        arrays[key] = arrays[key].astype("int64")
    return arrays | {"class_names": DIGIT_NAMES, "max_value": 255}


def check_mnist(path: Path) -> None:
    """Raise `CorruptFileError` unless the file has the layout of Keras's mnist.npz."""
    check_npz(path, MNIST)


def check_npz(path: Path, layout: Layout) -> None:
    """Compare keys, dtypes and shapes of an ``.npz`` with `layout`, reading headers only.

    Raises
    ------
    CorruptFileError
        If the file is no ``.npz``, is truncated, or has another layout.
    """
    from numpy.lib import format as npy

    found = {}
    try:
        with zipfile.ZipFile(path) as file:
            for item in file.namelist():
                with file.open(item) as array:
                    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
                    shape, _, dtype = readers[npy.read_magic(array)](array)
                    found[item.removesuffix(".npy")] = (
                        dtype.str if dtype.kind == "U" else dtype.name,
                        shape,
                    )
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, OSError, ValueError) as error:
        raise _wrong_layout(path, layout, f"it cannot be read ({error})") from error
    if not all(key in found and _fits(found[key], layout[key]) for key in layout):
        raise _wrong_layout(path, layout, f"it holds {_words(found)}")


def read_npz(path: Path, layout: Layout) -> "dict[str, ndarray]":
    """Return the arrays that `layout` names, after `check_npz`. Never unpickles."""
    import numpy as np

    check_npz(path, layout)
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in layout}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise _wrong_layout(path, layout, f"it is damaged ({error})") from error


def _half_of_each_class(labels: "ndarray") -> "ndarray":
    """Return a mask, True for a random half of each class (the larger half, if odd).

    NumPy freezes the stream of ``RandomState``; scikit-learn promises no such thing for its
    splitters. So this split stays what it is.
    """
    import numpy as np

    random = np.random.RandomState(0)
    test = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        test[members[len(members) // 2 :]] = True
    return test


def _split(images: "ndarray", labels: "ndarray", test: "ndarray") -> "dict[str, ndarray]":
    labels = labels.astype("int64")
    return {
        "x_train": images[~test],
        "y_train": labels[~test],
        "x_test": images[test],
        "y_test": labels[test],
    }


def _fits(found: tuple[str, tuple], expected: tuple[str, tuple]) -> bool:
    (dtype, shape), (expected_dtype, expected_shape) = found, expected
    return (
        dtype.startswith(expected_dtype)
        and len(shape) == len(expected_shape)
        and all(e in (None, n) for n, e in zip(shape, expected_shape, strict=True))
    )


def _words(layout: Layout) -> str:
    parts = []
    for key, (dtype, shape) in layout.items():
        parts.append(f"{key} {dtype} ({', '.join('any' if n is None else str(n) for n in shape)})")
    return "; ".join(parts) or "nothing"


def _wrong_layout(path: Path, layout: Layout, found: str) -> CorruptFileError:
    return CorruptFileError(
        f"{path} is not the file that was expected: {found}. "
        f"Expected: {_words(layout)}. Replace this file or remove it."
    )
