"""Ten colour photographs that installed packages carry, and pieces of 64 pixels cut from them.

Pieces to train on come from the left part of each photograph and pieces to test on from its right
part; the 16 pixels between the parts are in neither. The photographs are JPEG in part, and
decoders may round otherwise: a pixel can differ by one between two machines.
"""

from importlib.util import find_spec
from pathlib import Path

from .download import DataError
from .sets import Dataset

PHOTOS = {
    "astronaut": ("skimage", "data/astronaut.png"),
    "cat": ("skimage", "data/chelsea.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "tissue": ("skimage", "data/ihc.png"),
    "motorcycle": ("skimage", "data/motorcycle_left.png"),
    "galaxies": ("skimage", "data/hubble_deep_field.jpg"),
    "retina": ("skimage", "data/retina.jpg"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "palace": ("sklearn", "datasets/images/china.jpg"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
}
SIZE = 64  # pixels: height and width
GAP = 16
FLAT = 8.0  # a piece in which no colour has this standard deviation shows nothing
PER_CLASS = 25  # pieces of each photograph in each part


def photographs():
    """Return name to pixels of the ten photographs: RGB, uint8, shape (height, width, 3).

    Raises
    ------
    DataError
        If one of them is missing or cannot be read.
    """
    return {name: _read(*where) for name, where in PHOTOS.items()}


def load():
    """Return the pieces as a data set: 250 to train and 250 to test, always the same places.

    Returns
    -------
    Dataset
        ``x_train`` and ``x_test`` have the shape (250, 64, 64, 3).
    """
    import numpy as np

    random = np.random.RandomState(0)  # NumPy freezes its stream
    parts = {"x_train": [], "x_test": []}
    for photo in photographs().values():
        half = (photo.shape[1] - GAP) // 2
        for part, region in (("x_train", photo[:, :half]), ("x_test", photo[:, -half:])):
            parts[part] += _cut(region, random)
    labels = np.repeat(np.arange(len(PHOTOS)), PER_CLASS).astype("int64")
    return Dataset(
        name="photo_pieces",
        **{part: np.stack(found) for part, found in parts.items()},
        y_train=labels,
        y_test=labels.copy(),
        class_names=tuple(PHOTOS),
        max_value=255,
        description=__doc__,
        path=_path("skimage", "data"),
    )


def write(folder):
    """Write the pieces as PNG files, ``train/cat/0.png`` and so on, as people keep pictures."""
    from PIL import Image

    pieces = load()
    for part in ("train", "test"):
        images, labels = getattr(pieces, f"x_{part}"), getattr(pieces, f"y_{part}")
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            place = Path(folder) / part / pieces.class_names[label]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place / f"{number}.png")


def _cut(region, random):
    """Return pieces from random places of a region, none of them flat."""
    found, (height, width, _) = [], region.shape
    while len(found) < PER_CLASS:
        y, x = random.randint(height - SIZE + 1), random.randint(width - SIZE + 1)
        piece = region[y : y + SIZE, x : x + SIZE]
        if piece.std(axis=(0, 1)).max() >= FLAT:
            found.append(piece)
    return found


def _path(package, file) -> Path:
    return Path(find_spec(package).origin).parent / file  # imports nothing


def _read(package, file):
    import numpy as np
    from PIL import Image

    path = _path(package, file)
    try:
        with Image.open(path) as photo:
            return np.asarray(photo.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(
            f"{path} is missing or cannot be read ({error}). Reinstall {package}."
        ) from error
