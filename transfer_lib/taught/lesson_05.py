"""Lesson 05, VGG16: heads, fine-tuning, fusion: its cells tagged `keep`, built."""

import keras
import numpy as np
from keras import layers
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm.auto import tqdm

from transfer_lib import networks
from transfer_lib.data import pieces
from transfer_lib.taught.lesson_04 import cut, probe, square


def recipe(frozen=False, linear=False, rate=1e-3):
    """Return the articles' model, compiled; each argument repairs one thing."""
    base = networks.load("vgg16-mini", include_top=False, input_shape=(32, 32, 3))
    base.trainable = not frozen
    x = layers.Flatten()(base.output)
    if not linear:
        x = layers.Dense(1024, activation="relu")(x)
        x = layers.Dense(512, activation="relu")(x)
    model = keras.Model(base.input, layers.Dense(10, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    return model


def inputs(x):
    """Return images as VGG16Mini takes them."""
    return networks.preprocess("vgg16-mini", np.stack([square(image, 32) for image in x]))


def right(model, x, y):
    """Return how many of the predictions are right, percent."""
    return 100 * np.mean(model.predict(x, batch_size=250, verbose=0).argmax(axis=1) == y)


def probe_of(model, layer, x, y, x_test, y_test):
    """Return the accuracy of a linear probe on a layer, percent."""
    features = cut(model, layer)
    train, test = (features.predict(images, verbose=0) for images in (x, x_test))
    return probe(train, y, test, y_test)


HEADS = {  # name: (first layer, units of the large layers, rate)
    "pooled, linear": (layers.GlobalAveragePooling2D, (), 3e-2),
    "pooled, two large": (layers.GlobalAveragePooling2D, (1024, 512), 1e-3),
    "flat, linear": (layers.Flatten, (), 3e-3),
    "flat, two large": (layers.Flatten, (1024, 512), 1e-3),
}


def train_head(name, x, y, epochs=20):
    """Train one of the HEADS on feature maps; return it."""
    first, units, rate = HEADS[name]
    large = [layers.Dense(n, activation="relu") for n in units]
    last = layers.Dense(int(y.max()) + 1, activation="softmax")
    head = keras.Sequential([keras.Input(x.shape[1:]), first(), *large, last])
    head.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    head.fit(x, y, batch_size=25, epochs=epochs, verbose=0)
    return head


def unfreeze(model, first, rate):
    """Freeze the blocks before number `first`, let all others be trained, and compile."""
    for layer in model.layers:
        frozen = [f"block{number}_" for number in range(1, first)]
        layer.trainable = not layer.name.startswith(tuple(frozen))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")


def twin(model, rate):
    """Return an untrained copy of the model, trainable as a whole, and compiled."""
    copy = keras.models.clone_model(model)
    for layer in copy.layers:
        layer.trainable = True
    copy.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    return copy


def with_head(block, x, y):
    """Return VGG16Mini up to a block, with a linear head fitted to preprocessed images x."""
    base = networks.load("vgg16-mini", include_top=False, input_shape=(32, 32, 3))
    return networks.fit_head(cut(base, f"block{block}_pool"), x, y)


def arms(x, y, x_test, y_test, twin_rate=1e-3):
    """Return the accuracy of five ways to use the same labels; two are trained, in equal steps."""
    found = {f"block {k}, frozen": right(with_head(k, x, y), x_test, y_test) for k in (3, 4, 5)}
    tuned = with_head(5, x, y)
    unfreeze(tuned, 1, 1e-4)
    trained = {"fine-tuned": tuned, "untrained twin": twin(tuned, twin_rate)}
    for name, model in tqdm(trained.items()):
        model.fit(x, y, batch_size=20, epochs=20, verbose=0)
        found[name] = right(model, x_test, y_test)
    return found


def features_of(backbone, preprocess, x, size=None):
    """Return a row of features for each image, of any Keras model that ends with a map or a row."""
    size = size or backbone.input_shape[1] or 224
    x = preprocess(np.stack([square(image, size) for image in x]).astype("float32"))
    maps = backbone.predict(x, batch_size=50, verbose=0)
    return maps.mean(axis=(1, 2)) if maps.ndim == 4 else maps


def fusions(a, b, target, draws, width=20):
    """Return the accuracy of two sets of features, (train, test), alone and fused, percent."""

    def project(pair, count):
        pca = make_pipeline(StandardScaler(), PCA(count)).fit(pair[0])
        return [pca.transform(x) for x in pair]

    one, other = project(a, width), project(b, width)
    ways = {"first alone": project(a, 2 * width), "second alone": project(b, 2 * width)}
    ways["sum"] = [x + z for x, z in zip(one, other)]
    ways["product"] = [x * z for x, z in zip(one, other)]
    ways["concatenation"] = [np.concatenate(pair, axis=1) for pair in zip(one, other)]
    y, y_test = target.y_train, target.y_test
    return {
        name: [probe(x[rows], y[rows], x_test, y_test) for rows in draws]
        for name, (x, x_test) in ways.items()
    }


def strips(rng):
    """Return 40 overlapping patches of each photograph, their labels and their first columns."""
    photos, labels = list(pieces.photographs().values()), np.repeat(range(10), 40)
    left, top = rng.integers(0, 320, 400), rng.integers(100, 116, 400)
    cuts = [photos[k][y : y + 32, x : x + 32] for k, y, x in zip(labels, top, left)]
    return np.array(cuts), labels, left


def split(left, side, border):
    """Return two boolean arrays: which patches are for training, and which for testing."""
    train = left + side <= border
    test = left >= border
    return train, test


def worst(probabilities, y, count):
    """Return the rows of the `count` surest wrong predictions, the surest first."""
    predicted = probabilities.argmax(axis=1)
    sure = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != y)
    order = np.argsort(-sure[wrong])
    return wrong[order[:count]]
