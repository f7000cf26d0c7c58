"""Colour photographs that no package carries: CIFAR-10's small ones, and ants and bees.

``TRANSFER_LIB_DATA`` may hold them as ``cifar10_jpeg.npz`` and ``ants_bees_jpeg.npz``: all JPEG
files end to end in ``jpeg``, image i from ``offset[i]`` to ``offset[i + 1]``, with ``label``,
``is_train`` and ``class_names``. Otherwise they are downloaded, CIFAR-10 by Keras into its cache.
"""

from .. import images, settings
from . import registry
from .download import DataError
from .sets import Dataset

DESCRIPTIONS = {
    "cifar10": "60,000 photographs of ten animals and vehicles, 32 x 32 (Krizhevsky, 2009).",
    "ants_bees": "397 photographs of ants and bees; the split is that of PyTorch's tutorial.",
}
CIFAR10 = tuple("airplane automobile bird cat deer dog frog horse ship truck".split())


def load(name, size=None, per_class=None):
    """Return one of the sets as square RGB pictures, in its own split.

    Parameters
    ----------
    name : {"cifar10", "ants_bees"}
    size : int, optional
        Height and width, pixels: 32 for CIFAR-10 and 224 for ants and bees unless given.
    per_class : int, optional
        Only the first so many of each class in each part.

    Returns
    -------
    Dataset
        ``x_train`` and ``x_test`` have the shape (n, size, size, 3).

    Raises
    ------
    DataError
        If there is no such set, no address delivers it, or its file is another one.
    """
    if name not in DESCRIPTIONS:
        raise DataError(f"There is no set {name!r}; there are {' and '.join(DESCRIPTIONS)}.")
    size = size or {"cifar10": 32, "ants_bees": 224}[name]
    path = given(name)
    try:
        fields = _packed(path, size, per_class) if path else _DOWNLOAD[name](size, per_class)
    except DataError:
        raise
    except Exception as error:  # decoders and Keras's download raise nearly anything
        remedy = "Replace this file or remove it." if path else "Is there a network?"
        raise DataError(f"{path or name} cannot be read: {error}. {remedy}") from error
    return Dataset(name, **fields, max_value=255, description=DESCRIPTIONS[name], path=path)


def given(name):
    """Return the path of the set's file in ``TRANSFER_LIB_DATA``, or None."""
    folder = settings.data_dir()
    path = folder / f"{name}_jpeg.npz" if folder else None
    return path if path and path.is_file() else None


def _packed(path, size, per_class):
    """Read the JPEG files that stand end to end in an array."""
    import numpy as np

    with np.load(path, allow_pickle=False) as file:
        jpeg, offset, label = file["jpeg"], file["offset"], file["label"].astype("int64")
        is_train, names = file["is_train"].astype(bool), tuple(map(str, file["class_names"]))
    fields = {"class_names": names}
    for part, rows in (("train", np.flatnonzero(is_train)), ("test", np.flatnonzero(~is_train))):
        rows = rows[_first(label[rows], per_class)]
        pictures = (images.read_picture(jpeg[offset[i] : offset[i + 1]], str(i)) for i in rows)
        fields[f"x_{part}"] = np.stack([_square(picture, size) for picture in pictures])
        fields[f"y_{part}"] = label[rows]
    return fields


def _cifar10(size, per_class):
    """Take Keras's copy, which it downloads once."""
    import keras
    import numpy as np

    fields = {"class_names": CIFAR10}
    for part, (x, y) in zip(("train", "test"), keras.datasets.cifar10.load_data(), strict=True):
        label = y.ravel().astype("int64")
        rows = _first(label, per_class)
        fields[f"x_{part}"] = np.stack([_square(picture, size) for picture in x[rows]])
        fields[f"y_{part}"] = label[rows]
    return fields


def _ants_bees(size, per_class):
    """Take the archive of the tutorial; its `val` is the test part."""
    import numpy as np

    fields = {"class_names": ("ants", "bees")}
    for part, folder in (("train", "train"), ("test", "val")):
        root = registry.fetch("ants_bees") / "hymenoptera_data" / folder
        files = [sorted((root / name).glob("*.jpg"))[:per_class] for name in ("ants", "bees")]
        pictures = (images.read_picture(file, least=2 * size) for file in files[0] + files[1])
        fields[f"x_{part}"] = np.stack([_square(picture, size) for picture in pictures])
        fields[f"y_{part}"] = np.repeat([0, 1], [len(files[0]), len(files[1])])
    return fields


_DOWNLOAD = {"cifar10": _cifar10, "ants_bees": _ants_bees}


def _first(label, per_class):
    """Return the rows of the first `per_class` of each class; all where it is None."""
    import numpy as np

    rows = [np.flatnonzero(label == k)[:per_class] for k in np.unique(label)]
    return np.sort(np.concatenate(rows))


def _square(picture, size):
    """Return the middle square, smoothly resized."""
    import numpy as np
    from PIL import Image, ImageOps

    if picture.shape[:2] == (size, size):
        return picture
    return np.asarray(
        ImageOps.fit(Image.fromarray(picture), (size, size), Image.Resampling.BICUBIC)
    )
