"""Lesson 04, VGG16: features: its cells tagged `keep`, built."""

import keras
import numpy as np
from skimage.transform import resize
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from transfer_lib import data, images, vgg16_mini


def rgb(picture):
    """Return pixels from 0 to 255 with three channels: grey pictures and masks are repeated."""
    if picture.dtype == bool:
        picture = picture.astype("uint8") * 255
    return picture if picture.ndim == 3 else np.stack([picture] * 3, axis=-1)


def square(picture, size):
    """Cut out the middle square and resize it; uint8, shape (size, size, 3)."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = picture[top : top + side, left : left + side, :3] / 255
    small = resize(middle, (size, size), anti_aliasing=True)
    return np.round(255 * small).clip(0, 255).astype("uint8")


BLOCKS = [f"block{number}_pool" for number in range(1, 6)]


def load_base(quick, pretrained=True):
    """Return the convolutional blocks, frozen: of the small copy (quick) or of VGG16 itself."""
    if quick:
        weights = "cifar10" if pretrained else None
        base = vgg16_mini.VGG16Mini(False, weights=weights, input_shape=(32, 32, 3))
    else:
        weights = str(data.fetch("vgg16_imagenet_notop")) if pretrained else None
        base = keras.applications.VGG16(False, weights=weights, input_shape=(224, 224, 3))
    base.trainable = False
    return base


def load_target(name, size):
    """Return a dict of x_train, y_train, x_test, y_test (RGB pixels) and class_names."""
    if name == "flowers":
        loaded = images.read_folder(data.fetch(name) / "flower_photos", size=size)
    else:
        loaded = data.load(name)
    parts = {"class_names": loaded.class_names}
    for part in ("train", "test"):
        x, y = getattr(loaded, f"x_{part}"), getattr(loaded, f"y_{part}")
        rows = np.concatenate([np.flatnonzero(y == k)[:100] for k in np.unique(y)])
        parts[f"x_{part}"], parts[f"y_{part}"] = as_rgb(x[rows], size), y[rows]
    return parts


def as_rgb(x, size):
    """Return images as uint8 RGB of size × size pixels."""
    x = x if x.ndim == 4 else np.stack([x] * 3, axis=-1)
    if x.shape[1] != size:
        x = keras.ops.convert_to_numpy(keras.ops.image.resize(x.astype("float32"), (size, size)))
    return np.round(x).clip(0, 255).astype("uint8")


def extract(x, model, preprocess, size=64):
    """Return what the model computes for images, in portions so that memory stays small."""
    portions = [x[start : start + size].astype("float32") for start in range(0, len(x), size)]
    outputs = [model.predict(preprocess(portion), verbose=0) for portion in portions]
    return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *outputs)


def draw(y, per_class, rng):
    """Return the rows of `per_class` images of each class, drawn at random."""
    return np.concatenate(
        [rng.choice(np.flatnonzero(y == k), per_class, replace=False) for k in np.unique(y)]
    )


def compile_model(model, rate):
    """Choose optimiser, loss and metric. Needed again after each change of `trainable`."""
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )


def share_right(model, x, y):
    """Return the accuracy of a model that gives logits."""
    return float(np.mean(model.predict(x, batch_size=256, verbose=0).argmax(axis=1) == y))


def head_on(width, classes):
    """Return a linear head for features of this width; it starts at zero."""
    layer = keras.layers.Dense(classes, kernel_initializer="zeros")
    return keras.Sequential([keras.Input((width,)), layer])


def train_head(x, y, classes, epochs):
    """Train a linear head on features; return it."""
    head = head_on(x.shape[1], classes)
    compile_model(head, 3e-2)
    head.fit(x, y, batch_size=50, epochs=epochs, verbose=0)
    return head


def variants_of(x, model, augment, count):
    """Return what the model computes for random variants of preprocessed images."""
    augmented = [augment(x, training=True) for _ in range(count)]
    return [model.predict(keras.ops.convert_to_numpy(a), verbose=0) for a in augmented]


def linear_classifier():
    """Return logistic regression. PCA without a limit only turns the axes: it is found faster."""
    return make_pipeline(PCA(), LogisticRegression(tol=0.01, max_iter=1000))


def probe(x, y, x_test, y_test, classifier=None):
    """Fit a classifier on a few features; return its accuracy on the test features."""
    scale = x.std()
    model = classifier or linear_classifier()
    return model.fit(x / scale, y).score(x_test / scale, y_test)


def feature_sets(parts, blocks, others, preprocess):
    """Return the sets to compare for one target: name to (training, test).

    `blocks` are the stored features of its blocks, `others` are more models by name.
    """
    both = [parts[f"x_{part}"] for part in ("train", "test")]
    thin = both[0].shape[1] // 32
    colours = 1 if np.ptp(both[0], axis=-1).max() == 0 else 3  # grey images need one channel
    pixels = [x[:, ::thin, ::thin, :colours].reshape(len(x), -1) / 255 for x in both]
    pairs = zip(blocks["train"], blocks["test"], strict=True)
    sets = {f"block {number}": pair for number, pair in enumerate(pairs, 1)}
    for name, model in others.items():
        sets[name] = [extract(x, model, preprocess) for x in both]
    return sets | {"pixels": pixels}


def small_network(classes, size):
    """Return a convolutional network for images of 32 × 32 pixels or more, untrained."""
    layers = [keras.Input((size, size, 3)), keras.layers.Rescaling(1 / 64)]
    for width in (16, 32, 64):
        layers.append(keras.layers.Conv2D(width, 3, padding="same", activation="relu"))
        layers.append(keras.layers.MaxPooling2D())
    layers.append(keras.layers.GlobalAveragePooling2D())
    return keras.Sequential([*layers, keras.layers.Dense(classes)])
