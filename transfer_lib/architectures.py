"""The two networks whose weights need no download, layer by layer, with random weights.

Simonyan and Zisserman (2015), "Very deep convolutional networks for large-scale image
recognition", ICLR, https://arxiv.org/abs/1409.1556; Tan and Le (2019), "EfficientNet: rethinking
model scaling for convolutional neural networks", ICML, https://arxiv.org/abs/1905.11946.
"""

import keras
from keras import layers

# VGG16Mini: (convolutions, filters) of each block; a quarter of the widths of configuration D.
VGG_BLOCKS = ((2, 16), (2, 32), (3, 64), (3, 128), (3, 128))
VGG_SIDE = 32  # pixels, of CIFAR-10's images; its five poolings need as many

# Lite0: (repeats, kernel, stride of the first, expansion, channels out) of blocks 1 to 7.
LITE_BLOCKS = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
LITE_STEM, LITE_TOP = 32, 1280  # channels


def vgg16_mini(input_shape, include_top):
    """Return VGG16 as Keras names its layers, a quarter as wide, for 10 classes.

    Raises
    ------
    ValueError
        If the input is too small, or with the top not 32 × 32.
    """
    sides = [side for side in input_shape[:2] if side is not None]
    if include_top and sides != [VGG_SIDE, VGG_SIDE]:
        raise ValueError(
            f"input_shape={input_shape}; with its top the network takes {VGG_SIDE} × {VGG_SIDE}. "
            "Resize the images, or set include_top=False."
        )
    if any(side < VGG_SIDE for side in sides):
        raise ValueError(
            f"input_shape={input_shape} is too small: five poolings need {VGG_SIDE} × {VGG_SIDE}. "
            "Resize the images, for example with keras.ops.image.resize."
        )
    inputs = x = layers.Input(input_shape)
    for block, (count, filters) in enumerate(VGG_BLOCKS, start=1):
        for number in range(1, count + 1):
            name = f"block{block}_conv{number}"
            x = layers.Conv2D(filters, 3, activation="relu", padding="same", name=name)(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    if include_top:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(128, activation="relu", name="fc1")(x)
        x = layers.Dense(128, activation="relu", name="fc2")(x)
        x = layers.Dense(10, activation="softmax", name="predictions")(x)
    return keras.Model(inputs, x, name="vgg16_mini")


def efficientnet_lite0(input_shape, include_top):
    """Return EfficientNet-Lite0, its layers called as those of Keras's EfficientNet.

    Lite0 leaves out squeeze-and-excitation and takes ReLU6 for swish:
    https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
    """

    def normalise(x, name, activate=True):
        x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}bn")(x)
        return layers.ReLU(6, name=f"{name}activation")(x) if activate else x

    def convolve(x, channels, size, stride, name):
        same = {"padding": "same", "use_bias": False, "name": f"{name}conv"}
        return layers.Conv2D(channels, size, stride, **same)(x)

    inputs = keras.Input(input_shape, name="image")
    x = normalise(convolve(inputs, LITE_STEM, 3, 2, "stem_"), "stem_")
    for number, (repeats, size, stride, expansion, channels) in enumerate(LITE_BLOCKS, start=1):
        for letter in "abcd"[:repeats]:
            name, before = f"block{number}{letter}_", x
            step = stride if letter == "a" else 1
            if expansion > 1:
                x = convolve(x, expansion * x.shape[-1], 1, 1, f"{name}expand_")
                x = normalise(x, f"{name}expand_")
            same = {"padding": "same", "use_bias": False, "name": f"{name}dwconv"}
            x = normalise(layers.DepthwiseConv2D(size, step, **same)(x), name)
            x = convolve(x, channels, 1, 1, f"{name}project_")
            x = normalise(x, f"{name}project_", activate=False)
            if step == 1 and before.shape[-1] == channels:
                x = layers.Add(name=f"{name}add")([before, x])
    x = normalise(convolve(x, LITE_TOP, 1, 1, "top_"), "top_")
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dense(1000, activation="softmax", name="predictions")(x)
    return keras.Model(inputs, x, name="efficientnet_lite0")
