"""The course's own VGG16: a quarter as wide as Keras's, pretrained on CIFAR-10, 4 MB.

The same interface as `keras.applications.vgg16`, so that a lesson switches between the two by
one name::

    from transfer_lib import vgg16_mini

    model = vgg16_mini.VGG16Mini(weights="cifar10")
    x = vgg16_mini.preprocess_input(images)  # (n, 32, 32, 3), RGB, 0 to 255
    vgg16_mini.decode_predictions(model.predict(x), top=3)

The layers, their names and their order are those of Simonyan and Zisserman's configuration D
(2015, table 1) as Keras builds it. Only the widths differ: 16, 32, 64, 128 and 128 filters, and
128 units in ``fc1`` and ``fc2``. ``weights/VGG16_MINI.md`` says how the weights were trained.
"""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np

from transfer_lib.data import DataError
from transfer_lib.preprocessing import (
    MEAN_BGR,
    PreprocessingError,
    check_pixels,
    check_preprocessed,
)

__all__ = [
    "CLASS_NAMES",
    "DataError",
    "PreprocessingError",
    "VGG16Mini",
    "check_pixels",
    "check_preprocessed",
    "decode_predictions",
    "fold_batch_norm",
    "layer_names",
    "preprocess_input",
    "read_weights",
]

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
WEIGHTS_SIZE = 3_828_914
WEIGHTS_SHA256 = "70ffe15554cb81a863c038c30b035d23651b2f9257037b73423f2700d885d335"


def VGG16Mini(  # noqa: N802 - named like keras.applications.VGG16
    include_top=True,
    weights="cifar10",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=10,
    classifier_activation="softmax",
    name="vgg16_mini",
):
    """Build the quarter-width VGG16; the arguments are those of `keras.applications.VGG16`.

    Parameters
    ----------
    include_top : bool
        Whether to add ``flatten``, ``fc1``, ``fc2`` and ``predictions``.
    weights : str, pathlib.Path or None
        ``"cifar10"``: the weights that ship with the course, checked by their SHA-256. None:
        random. A path: an ``.npz`` file with arrays ``<layer>/kernel`` and ``<layer>/bias``, or
        any file that `keras.Model.load_weights` reads.
    input_tensor : keras.KerasTensor, optional
        The tensor to build on, instead of a new `keras.Input`.
    input_shape : tuple of (int, int, int), optional
        Height, width and channels (channels first where Keras is set so). At least 32 × 32. With
        ``include_top`` and ``"cifar10"`` only (32, 32, 3). The default is (32, 32, 3) with
        ``include_top`` and (None, None, 3) without.
    pooling : {None, "avg", "max"}
        Without ``include_top``: None returns the 4-D feature map of ``block5_pool``, the others
        pool it over height and width to (n, 128).
    classes : int
        The number of classes of ``predictions``; 10 with ``"cifar10"``.
    classifier_activation : str, callable or None
        The activation of ``predictions``; None returns logits. With weights, None or
        ``"softmax"``.
    name : str
        The name of the model.

    Returns
    -------
    keras.Model

    Raises
    ------
    ValueError
        If an argument cannot be, or does not fit the weights.
    DataError
        If the weight file is missing, truncated or changed.

    References
    ----------
    Simonyan and Zisserman, "Very deep convolutional networks for large-scale image
    recognition", ICLR 2015, https://arxiv.org/abs/1409.1556
    """
    import keras
    from keras import layers

    if isinstance(weights, str) and weights != "cifar10" and not Path(weights).is_file():
        raise ValueError(
            f"weights={weights!r} is neither 'cifar10' nor a file. "
            "Give 'cifar10', None or the path of a weight file."
        )
    if pooling not in (None, "avg", "max"):
        raise ValueError(f"pooling={pooling!r}; it can be None, 'avg' or 'max'.")
    if include_top and weights == "cifar10" and classes != len(CLASS_NAMES):
        raise ValueError(
            f"weights='cifar10' with include_top=True has 10 classes, not classes={classes}. "
            "For classes of your own set include_top=False and add a head."
        )
    if include_top and weights is not None and classifier_activation not in (None, "softmax"):
        raise ValueError(
            f"classifier_activation={classifier_activation!r}; with pretrained weights it can "
            "be 'softmax' or None."
        )
    shape = _input_shape(input_shape, include_top, fixed=weights == "cifar10")

    inputs = layers.Input(shape=shape) if input_tensor is None else input_tensor
    x = inputs
    for block, (count, filters) in enumerate(BLOCKS, start=1):
        for number in range(1, count + 1):
            x = layers.Conv2D(
                filters,
                (3, 3),
                activation="relu",
                padding="same",
                name=f"block{block}_conv{number}",
            )(x)
        x = layers.MaxPooling2D((2, 2), strides=(2, 2), name=f"block{block}_pool")(x)
    if include_top:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(DENSE_UNITS, activation="relu", name="fc1")(x)
        x = layers.Dense(DENSE_UNITS, activation="relu", name="fc2")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    elif pooling == "avg":
        x = layers.GlobalAveragePooling2D()(x)
    elif pooling == "max":
        x = layers.GlobalMaxPooling2D()(x)
    if input_tensor is not None:
        inputs = keras.utils.get_source_inputs(input_tensor)
    model = keras.Model(inputs, x, name=name)

    if weights == "cifar10":
        _assign(model, read_weights(WEIGHTS_FILE, WEIGHTS_SHA256, WEIGHTS_SIZE), include_top)
    elif weights is not None and Path(weights).suffix == ".npz":
        _assign(model, read_weights(weights), include_top)
    elif weights is not None:
        model.load_weights(weights)
    return model


def layer_names(include_top=True):
    """Return the names of the layers with weights, in order: 13, or 16 with the top."""
    names = [
        f"block{block}_conv{number}"
        for block, (count, _) in enumerate(BLOCKS, start=1)
        for number in range(1, count + 1)
    ]
    return names + ["fc1", "fc2", "predictions"] if include_top else names


def _input_shape(shape, include_top, fixed):
    """Check `input_shape` as Keras does for its VGG16, or return the default."""
    import keras

    last = keras.config.image_data_format() == "channels_last"
    size = INPUT_SIZE if include_top else None
    if shape is None:
        return (size, size, 3) if last else (3, size, size)
    if len(shape) != 3:
        raise ValueError(f"input_shape={shape} must be three numbers: (height, width, channels).")
    height, width, channels = shape if last else (shape[1], shape[2], shape[0])
    if fixed and channels != 3:
        raise ValueError(
            f"input_shape={shape} has {channels} channels; the weights take 3 (RGB). "
            "Repeat a grey image three times: np.repeat(images, 3, axis=-1)."
        )
    if fixed and include_top and (height, width) != (INPUT_SIZE, INPUT_SIZE):
        raise ValueError(
            f"input_shape={shape}; with include_top=True and weights='cifar10' it is "
            f"{INPUT_SIZE} × {INPUT_SIZE}. Resize the images, or set include_top=False."
        )
    if any(side is not None and side < INPUT_SIZE for side in (height, width)):
        raise ValueError(
            f"input_shape={shape} is too small: five poolings need at least "
            f"{INPUT_SIZE} × {INPUT_SIZE}. Resize the images, for example with keras.ops.image."
        )
    if include_top and None in (height, width):
        raise ValueError(f"input_shape={shape}; include_top=True needs a height and a width.")
    return tuple(shape)


def read_weights(path, sha256=None, size=None):
    """Read a weight file after checking it.

    Parameters
    ----------
    path : str or pathlib.Path
        An ``.npz`` file with arrays ``<layer>/kernel`` and ``<layer>/bias``. Pickled objects are
        refused.
    sha256 : str, optional
        What the file must hash to (hexadecimal).
    size : int, optional
        What it must measure, in bytes: tells a truncated file from a changed one.

    Returns
    -------
    dict of str to numpy.ndarray
        The arrays by name, float32.

    Raises
    ------
    DataError
        If the file is missing, truncated, changed or not such a file.
    """
    path = Path(path)
    again = "Install the course again, or fetch that file again."
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. {again}") from error
    if size is not None and len(content) < size:
        raise DataError(f"{path} is truncated: {len(content):,} of {size:,} bytes. {again}")
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise DataError(
            f"{path} was changed or damaged: its SHA-256 is {found}, expected {sha256}. {again}"
        )
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as data:
            return {name: data[name].astype(np.float32) for name in data.files}
    except (AttributeError, ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a whole .npz file: {error}. {again}") from error


def _assign(model, arrays, include_top):
    """Give the model's layers the arrays named after them; all or, on an error, none."""
    pairs = []
    for name in layer_names(include_top):
        for variable, part in zip(model.get_layer(name).weights, ("kernel", "bias"), strict=True):
            array = arrays.get(f"{name}/{part}")
            if array is None:
                raise ValueError(f"The weight file has no array {name}/{part}.")
            if tuple(variable.shape) != array.shape:
                raise ValueError(
                    f"{name}/{part} has the shape {array.shape} in the weight file and "
                    f"{tuple(variable.shape)} in the model. Build the model as it was trained "
                    "(input_shape, classes), or set include_top=False."
                )
            pairs.append((variable, array))
    for variable, array in pairs:
        variable.assign(array)


def fold_batch_norm(kernel, bias, gamma, beta, mean, variance, epsilon):
    """Fold a batch normalisation into the convolution or dense layer before it.

    With s = gamma / sqrt(variance + epsilon), normalising ``kernel * x + bias`` gives
    ``(s kernel) * x + (beta + s (bias - mean))``: Ioffe and Szegedy (2015), algorithm 2, line 11,
    https://arxiv.org/abs/1502.03167

    Parameters
    ----------
    kernel : array, shape (..., outputs)
        In Keras's layout: outputs last.
    bias : array, shape (outputs,), or None
        None for a layer without a bias.
    gamma, beta, mean, variance : array, shape (outputs,)
        Scale, shift, moving mean and moving variance of the normalisation.
    epsilon : float
        What the normalisation adds to the variance.

    Returns
    -------
    kernel, bias : numpy.ndarray
        Of the one layer that does the same at inference; float32, computed in float64.
    """
    kernel, gamma, beta, mean, variance = (
        np.asarray(a, np.float64) for a in (kernel, gamma, beta, mean, variance)
    )
    outputs = (kernel.shape[-1],)
    for label, a in {"gamma": gamma, "beta": beta, "mean": mean, "variance": variance}.items():
        if a.shape != outputs:
            raise ValueError(f"{label} has the shape {a.shape}; the kernel asks for {outputs}.")
    scale = gamma / np.sqrt(variance + epsilon)
    old = 0.0 if bias is None else np.asarray(bias, np.float64)
    return (kernel * scale).astype(np.float32), (beta + scale * (old - mean)).astype(np.float32)


def preprocess_input(x, data_format=None, channel_order="rgb"):
    """Turn pixels into the network's input, as `keras.applications.vgg16.preprocess_input` does.

    Red and blue change places, then ImageNet's mean of each channel is subtracted; no scaling.
    The same function therefore serves both networks. Unlike Keras's, it refuses pixels that are
    not pixels, and never changes `x` itself.

    Parameters
    ----------
    x : array or tensor, shape (n, height, width, 3) or (height, width, 3)
        RGB, 0 to 255, integers or floats. Also a `keras.KerasTensor`, whose values no one can
        check yet.
    data_format : {None, "channels_last", "channels_first"}
        None: what Keras is set to.
    channel_order : {"rgb", "bgr"}
        Say ``"bgr"`` for images that OpenCV read: they are not swapped again. Which of the two a
        photograph is cannot be told from its pixels.

    Returns
    -------
    array or tensor of the shape of `x`, float32
        BGR, zero-centred.

    Raises
    ------
    PreprocessingError
        If the values show a usual mistake; the message says which.
    """
    import keras

    if channel_order not in ("rgb", "bgr"):
        raise ValueError(f"channel_order={channel_order!r}; it can be 'rgb' or 'bgr'.")
    data_format = data_format or keras.config.image_data_format()
    is_tensor = keras.ops.is_tensor(x) or isinstance(x, keras.KerasTensor)
    x = x if is_tensor else np.asarray(x)
    check_pixels(x, data_format)
    order = [2, 1, 0] if channel_order == "rgb" else [0, 1, 2]
    axis, mean = -1, MEAN_BGR
    if data_format == "channels_first":
        axis, mean = len(x.shape) - 3, MEAN_BGR.reshape(3, 1, 1)
    if is_tensor:
        x = keras.ops.take(keras.ops.cast(x, "float32"), order, axis=axis)
        return x - keras.ops.convert_to_tensor(mean)
    return np.take(x, order, axis).astype(np.float32) - mean


def decode_predictions(preds, top=5):
    """Name the most probable classes, in the shape that Keras's own function has.

    Parameters
    ----------
    preds : array or tensor, shape (n, 10)
        What the network with its top returns.
    top : int
        How many classes to name.

    Returns
    -------
    list of list of tuple
        For each image `top` tuples (WordNet identifier, class name, score), best first.

    Raises
    ------
    ValueError
        If `preds` has another shape, or `top` is less than 1.
    """
    if not isinstance(preds, (np.ndarray, list, tuple)):
        import keras

        preds = keras.ops.convert_to_numpy(preds)
    preds = np.asarray(preds)
    if preds.ndim != 2 or preds.shape[1] != len(CLASS_NAMES):
        raise ValueError(
            f"decode_predictions expects the shape (images, {len(CLASS_NAMES)}), "
            f"not {preds.shape}. For one image give preds[None]."
        )
    if top < 1:
        raise ValueError(f"top={top}; it must be at least 1.")
    classes = list(CLASSES.items())
    return [[(*classes[i], row[i]) for i in np.argsort(-row, kind="stable")[:top]] for row in preds]
