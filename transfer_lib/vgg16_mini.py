"""The course's own VGG16: a quarter as wide as Keras's, pretrained on CIFAR-10, 4 MB.

It is called as `keras.applications.vgg16` is, so that a lesson switches between the two by one
name::

    from transfer_lib import vgg16_mini

    model = vgg16_mini.VGG16Mini()
    x = vgg16_mini.preprocess_input(images)  # (n, 32, 32, 3), RGB, 0 to 255
    vgg16_mini.decode_predictions(model.predict(x), top=3)

The layers, their names and their order are those of Simonyan and Zisserman's configuration D
(2015, table 1) as Keras builds it. Only the widths differ: 16, 32, 64, 128 and 128 filters, and
128 units in ``fc1`` and ``fc2``. ``weights/VGG16_MINI.md`` says how the weights were trained.
"""

import io
import zipfile
from pathlib import Path

import numpy as np

from .data.download import DataError, read_verified
from .images import check_pixels

__all__ = ["CLASS_NAMES", "VGG16Mini", "decode_predictions", "layer_names", "preprocess_input"]

# The ten classes by the WordNet identifiers of their nouns, as Keras has them for ImageNet's.
CLASSES = {
    "n02691156": "airplane",
    "n02958343": "automobile",
    "n01503061": "bird",
    "n02121620": "cat",
    "n02430045": "deer",
    "n02084071": "dog",
    "n01639765": "frog",
    "n02374451": "horse",
    "n04194289": "ship",
    "n04490091": "truck",
}
CLASS_NAMES = tuple(CLASSES.values())
BLOCKS = ((2, 16), (2, 32), (3, 64), (3, 128), (3, 128))  # (convolutions, filters) of each block
DENSE_UNITS = 128
INPUT_SIZE = 32

WEIGHTS_FILE = Path(__file__).with_name("weights") / "vgg16_mini_cifar10.npz"
WEIGHTS_SHA256 = "70ffe15554cb81a863c038c30b035d23651b2f9257037b73423f2700d885d335"


def VGG16Mini(  # noqa: N802 - named like keras.applications.VGG16
    include_top=True,
    weights="cifar10",
    input_shape=None,
    pooling=None,
    classifier_activation="softmax",
):
    """Build the quarter-width VGG16; the arguments are those of `keras.applications.VGG16`.

    Parameters
    ----------
    include_top : bool
        Whether to add ``flatten``, ``fc1``, ``fc2`` and ``predictions`` (10 classes).
    weights : str, pathlib.Path or None
        ``"cifar10"``: the weights that ship with the course, checked by their SHA-256. None:
        random. A path: an ``.npz`` file with arrays ``<layer>/kernel`` and ``<layer>/bias``.
    input_shape : tuple of (int, int, int), optional
        Height, width and 3 channels, at least 32 × 32; with the top exactly that. The default is
        (32, 32, 3) with the top and (None, None, 3) without.
    pooling : {None, "avg", "max"}
        Without the top: None returns the 4-D feature map of ``block5_pool``, the others pool it
        over height and width to (n, 128).
    classifier_activation : str, callable or None
        The activation of ``predictions``; None returns logits.

    Returns
    -------
    keras.Model
        `ValueError` if an argument cannot be, `DataError` if the weight file is missing or damaged.

    References
    ----------
    Simonyan and Zisserman (2015), "Very deep convolutional networks for large-scale image
    recognition", ICLR, https://arxiv.org/abs/1409.1556
    """
    import keras
    from keras import layers

    inputs = layers.Input(shape=_input_shape(input_shape, include_top))
    x = inputs
    for block, (count, filters) in enumerate(BLOCKS, start=1):
        for number in range(1, count + 1):
            name = f"block{block}_conv{number}"
            x = layers.Conv2D(filters, 3, activation="relu", padding="same", name=name)(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    if include_top:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(DENSE_UNITS, activation="relu", name="fc1")(x)
        x = layers.Dense(DENSE_UNITS, activation="relu", name="fc2")(x)
        activation = classifier_activation
        x = layers.Dense(len(CLASSES), activation=activation, name="predictions")(x)
    elif pooling is not None:
        pool = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}
        x = pool[pooling]()(x)
    model = keras.Model(inputs, x, name="vgg16_mini")
    if weights is not None:
        shipped = isinstance(weights, str) and weights == "cifar10"
        path, sha256 = (WEIGHTS_FILE, WEIGHTS_SHA256) if shipped else (weights, None)
        arrays = read_weights(path, sha256)
        for name in layer_names(include_top):
            model.get_layer(name).set_weights([arrays[f"{name}/kernel"], arrays[f"{name}/bias"]])
    return model


def layer_names(include_top=True):
    """Return the names of the layers with weights, in order: 13, or 16 with the top."""
    names = [
        f"block{block}_conv{number}"
        for block, (count, _) in enumerate(BLOCKS, start=1)
        for number in range(1, count + 1)
    ]
    return names + ["fc1", "fc2", "predictions"] if include_top else names


def read_weights(path, sha256=None):
    """Return the arrays of a weight file by name; `DataError` if it is not a whole one.

    Pickled objects are refused.
    """
    content = read_verified(path, sha256, "Install the course again, or fetch that file again.")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as data:
            return {name: data[name] for name in data.files}
    except (AttributeError, ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a whole .npz file: {error}.") from error


def preprocess_input(x):
    """Turn pixels into the network's input: `keras.applications.vgg16.preprocess_input`, guarded.

    Red and blue change places, then ImageNet's mean of each channel is subtracted; no scaling.
    Unlike Keras's function this one refuses what is not pixels, and never changes `x` itself.

    Parameters
    ----------
    x : array or tensor, shape (n, height, width, 3) or (height, width, 3)
        RGB, 0 to 255, integers or floats.

    Returns
    -------
    array or tensor of the shape of `x`, float32
        BGR, zero-centred. `PictureError` if there are not three channels from 0 to 255.
    """
    import keras

    check_pixels(x)
    is_array = isinstance(x, (np.ndarray, list, tuple))
    x = np.array(x, np.float32) if is_array else keras.ops.cast(x, "float32")
    return keras.applications.vgg16.preprocess_input(x)


def decode_predictions(preds, top=5):
    """Name the most probable classes, in the shape that Keras's own function has.

    Parameters
    ----------
    preds : array, shape (n, 10)
        What the network with its top returns; `ValueError` for another shape.

    Returns
    -------
    list of list of tuple
        For each image `top` tuples (WordNet identifier, class name, score), best first.
    """
    from keras import ops

    preds = ops.convert_to_numpy(preds)
    if preds.ndim != 2 or preds.shape[1] != len(CLASSES):
        raise ValueError(
            f"decode_predictions expects the shape (images, {len(CLASSES)}), not {preds.shape}. "
            "For one image give preds[None]."
        )
    classes = list(CLASSES.items())
    return [[(*classes[i], row[i]) for i in np.argsort(-row, kind="stable")[:top]] for row in preds]


def _input_shape(shape, include_top):
    """Return `shape`, checked, or the default."""
    if shape is None:
        return (INPUT_SIZE, INPUT_SIZE, 3) if include_top else (None, None, 3)
    if len(shape) != 3 or shape[2] != 3:
        raise ValueError(
            f"input_shape={shape}; it is (height, width, 3). "
            "Repeat a grey image three times: np.repeat(images, 3, axis=-1)."
        )
    sides = [side for side in shape[:2] if side is not None]
    if include_top and sides != [INPUT_SIZE, INPUT_SIZE]:
        raise ValueError(
            f"input_shape={shape}; with its top the network takes {INPUT_SIZE} × {INPUT_SIZE}. "
            "Resize the images, or set include_top=False."
        )
    if any(side < INPUT_SIZE for side in sides):
        raise ValueError(
            f"input_shape={shape} is too small: five poolings need {INPUT_SIZE} × {INPUT_SIZE}. "
            "Resize the images, for example with keras.ops.image.resize."
        )
    return tuple(shape)
