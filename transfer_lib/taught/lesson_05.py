"""Lesson 05, VGG16: heads, fine-tuning, fusion: its cells tagged `keep`, built."""

import keras
import numpy as np
from sklearn.decomposition import PCA

from transfer_lib.taught.lesson_04 import (
    extract,
)


def article_head(shape, classes, l2=0.0, dropout=0.0, start=keras.layers.Flatten):
    """Return two large layers and a last one, for feature maps."""
    layers = [keras.Input(shape), start()]
    for units in (1024, 512):
        penalty = keras.regularizers.L2(l2)
        layers += [keras.layers.Dense(units, "relu", kernel_regularizer=penalty)]
        layers += [keras.layers.Dropout(dropout)]
    return keras.Sequential([*layers, keras.layers.Dense(classes)])


def linear_head(shape, classes, start=keras.layers.GlobalAveragePooling2D):
    """Return one dense layer, for feature maps that are pooled, or flattened."""
    return keras.Sequential([keras.Input(shape), start(), keras.layers.Dense(classes)])


def stored_inputs(base, parts, block, preprocess):
    """Return what goes into a block: training and test images, or the maps of the block before."""
    both = [parts["x_train"], parts["x_test"]]
    if block == 1:
        return [preprocess(x.astype("float32")) for x in both]
    lower = keras.Model(base.input, base.get_layer(f"block{block - 1}_pool").output)
    return [extract(x, lower, preprocess) for x in both]


def part_of_base(base, first, last, head, inputs):
    """Return a model of the blocks `first` to `last` (the same layers) and a head."""
    x = inputs
    for layer in base.layers:
        if layer.name.startswith(tuple(f"block{number}" for number in range(first, last + 1))):
            x = layer(x)
    return keras.Model(inputs, head(keras.layers.GlobalAveragePooling2D()(x)))


WIDTH = 16


def shrink(train, test, width=WIDTH):
    """Project both parts onto the main directions of the training part; same scale for all sets."""
    pca = PCA(width).fit(train)
    train, test = pca.transform(train), pca.transform(test)
    return train / train.std(), test / train.std()


def histogram(x):
    """Return for each image the share of its pixels in 16 ranges of brightness."""
    return np.stack([np.histogram(image, 16, (0, 256))[0] / image.size for image in x])


def features_of(backbone, preprocess, x):
    """Return the pooled features of RGB images (uint8), at the size that the backbone takes."""
    size = backbone.input_shape[1]
    if x.shape[1] != size:
        x = keras.ops.convert_to_numpy(keras.ops.image.resize(x.astype("float32"), (size, size)))
    pooled = keras.layers.GlobalAveragePooling2D()(backbone.output)
    model = keras.Model(backbone.input, pooled)
    return extract(x, model, preprocess)
