"""Lesson 04, VGG16: features: its cells tagged `keep`, built."""

import keras
import numpy as np
from PIL import Image, ImageOps
from skimage.feature import hog
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from transfer_lib import data, networks
from transfer_lib.data import photo_sets


def square(picture, size):
    """Return the middle square of a picture, smoothly resized: RGB, uint8, (size, size, 3)."""
    small = ImageOps.fit(Image.fromarray(picture), (size, size), Image.Resampling.BICUBIC)
    return np.asarray(small.convert("RGB"))


def cut(base, layer_name):
    """Return a model: images in, the pooled output of the named layer out, with base's weights."""
    output = base.get_layer(layer_name).output
    pooled = keras.layers.GlobalAveragePooling2D()(output)
    return keras.Model(base.input, pooled)


class Target:
    """A few images of a data set: x_train, y_train, x_test, y_test and class_names."""

    def __init__(self, name, train=20, test=25, scale=1):
        self.scale = scale  # how much larger than usual its images are shown to the networks
        full = photo_sets.load(name) if name in photo_sets.DESCRIPTIONS else data.load(name)
        self.class_names = full.class_names
        for part, count in (("train", train), ("test", test)):
            x, y = getattr(full, f"x_{part}"), getattr(full, f"y_{part}")
            rows = [np.flatnonzero(y == k)[:count] for k in range(len(full.class_names))]
            setattr(self, f"x_{part}", x[np.concatenate(rows)])
            setattr(self, f"y_{part}", y[np.concatenate(rows)])


LAYERS = {
    "vgg16-mini": [f"block{k}_pool" for k in range(1, 6)],
    "efficientnet-lite0": [
        *("block1a_project_bn", "block2b_add", "block3b_add", "block4c_add"),
        *("block5c_add", "block6d_add", "block7a_project_bn", "top_activation"),
    ],
}
SIZES = {"vgg16-mini": 32, "efficientnet-lite0": 64}


def all_layers(name, trained=True):
    """Return the network with one output for each of its LAYERS, pooled."""
    base = networks.load(name, include_top=False, trained=trained)
    return keras.Model(base.input, [cut(base, layer).output for layer in LAYERS[name]])


def extract(model, name, x, scale=1):
    """Return the features of images, one array (n, channels) for each output of the model."""
    x = np.stack([square(image, int(scale * SIZES[name])) for image in x])
    return model.predict(networks.preprocess(name, x), batch_size=50, verbose=0)


def probe(x, y, x_test, y_test):
    """Fit logistic regression to features; return its accuracy on test features, percent."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, tol=0.01))
    return 100 * model.fit(x, y).score(x_test, y_test)


def pixels_of(x):
    """Return the grey values of images at 32 pixels, one row each."""
    return np.stack([square(image, 32).mean(axis=2).ravel() for image in x])


def hog_of(x):
    """Return a gradient histogram of each image at 32 pixels."""
    grey = pixels_of(x).reshape(-1, 32, 32)
    return np.stack([hog(image, 8, (8, 8), (2, 2)) for image in grey])


def mean_accuracy(target, train, test, per_class, seed, draws=4):
    """Return the mean accuracy of probes on `draws` draws of labels, percent."""
    size = per_class * len(target.class_names)
    split = StratifiedShuffleSplit(draws, train_size=size, random_state=seed)
    y = target.y_train
    rows = [rows for rows, _ in split.split(y, y)]
    return np.mean([probe(train[r], y[r], test, target.y_test) for r in rows])


def choose(layers, y):
    """Return the number of the best layer; layers is a list of arrays, one row for each label."""
    means = []
    for x in layers:
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, tol=0.01))
        means.append(cross_val_score(model, x, y, cv=5).mean())
    return int(np.argmax(means))
