"""Lesson 03, Digits: pretrain, transfer, fine-tune: its cells tagged `keep`, built."""

import keras
import numpy as np

from transfer_lib import data


def digits(name, classes):
    """Return training and test part of some digits: images (n, h, w, 1) from 0 to 1, labels."""
    loaded, parts = data.load(name), []
    for x, y in ((loaded.x_train, loaded.y_train), (loaded.x_test, loaded.y_test)):
        rows = np.isin(y, classes)
        images = (x[rows] / loaded.max_value).astype("float32")[..., None]
        parts.append((images, y[rows] - min(classes)))
    return parts


def make_backbone(input_shape=(28, 28, 1)):
    """Return the shared layers: an image in, 64 features out."""
    layers = [keras.Input(input_shape)]
    for width in (16, 32, 64):
        layers += [
            keras.layers.Conv2D(width, 3, padding="same", use_bias=False),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.ReLU(),
            keras.layers.MaxPooling2D(),
        ]
    return keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D()])


def head_swap(backbone, classes):
    """Return a model: this very backbone, then a new Dense layer with one logit per class."""
    inputs = keras.Input(backbone.input_shape[1:])
    features = backbone(inputs)
    outputs = keras.layers.Dense(classes)(features)
    return keras.Model(inputs, outputs)


def train(model, x, y, steps, rate=3e-3, batch=32):
    """Train for about `steps` batches with Adam, whose rate falls to zero along a cosine."""
    per_epoch = int(np.ceil(len(x) / batch))
    epochs = max(1, round(steps / per_epoch))
    falling = keras.optimizers.schedules.CosineDecay(rate, epochs * per_epoch)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(falling), loss)
    model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)


def accuracy(model, x, y):
    """Return the fraction of images whose largest logit is that of their class."""
    return float(np.mean(model.predict(x, batch_size=500, verbose=0).argmax(axis=1) == y))


def draw(y, per_class, rng):
    """Return the rows of `per_class` images of each class, drawn at random."""
    rows = [rng.choice(np.flatnonzero(y == k), per_class, replace=False) for k in np.unique(y)]
    return np.concatenate(rows)


def freeze(backbone, train_last):
    """Let training change only the last `train_last` convolutions; 0 means nothing at all."""
    convolutions = [x for x in backbone.layers if isinstance(x, keras.layers.Conv2D)]
    kept = len(convolutions) - train_last
    for layer in backbone.layers:
        layer.trainable = layer in convolutions[kept:]


def fine_tune(learned, x, y, rate=3e-3, train_last=None, steps=100):
    """Start from learned weights with a new head, train, and return the model.

    With `train_last`, only so many of the last convolutions are trained; by default all layers.
    """
    backbone = make_backbone(x.shape[1:])
    backbone.set_weights(learned)
    if train_last is not None:
        freeze(backbone, train_last)
    model = head_swap(backbone, int(y.max()) + 1)
    train(model, x, y, steps, rate)
    return model


def gain_row(y, per_class, draws, scratch, transfer, rng):
    """Return the points gained over `draws` draws: {"mean": ..., "lowest": ..., "highest": ...}."""
    gains = []
    for _ in range(draws):
        rows = draw(y, per_class, rng)
        gains.append(100 * (transfer(rows) - scratch(rows)))
    return {"mean": np.mean(gains), "lowest": min(gains), "highest": max(gains)}


def total_loss(y, logits, lam):
    """Return L_shared + lam * L_task, each the mean over the examples of its own head."""
    means = {}
    for head in ("source", "target"):
        losses = keras.losses.sparse_categorical_crossentropy(y[head], logits[head], True)
        means[head] = keras.ops.mean(losses)
    return means["source"] + lam * means["target"]


class Joint(keras.Model):
    """Two heads on one backbone; `lam` weighs the loss of the target."""

    lam = 1.0

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return total_loss(y, y_pred, self.lam)


def joint(source, x, y, lam, steps, rate=3e-3, batch=32):
    """Train on source and target together, from random weights; return the target's model."""
    backbone = make_backbone(x.shape[1:])
    inputs = {name: keras.Input(x.shape[1:], name=name) for name in ("source", "target")}
    logits = {name: keras.layers.Dense(5)(backbone(one)) for name, one in inputs.items()}
    model = Joint(inputs, logits)
    model.lam = lam
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps)))
    rows = np.resize(np.random.permutation(len(source[0])), steps * batch)
    again = np.resize(np.random.permutation(len(x)), steps * batch)
    pairs = {"source": source[0][rows], "target": x[again]}
    labels = {"source": source[1][rows], "target": y[again]}
    model.fit(pairs, labels, batch_size=batch, epochs=1, verbose=0)
    return keras.Model(inputs["target"], logits["target"])


def overlap(seen, tested):
    """Return how many images of `tested` are also among `seen`; arrays of shape (n, h, w, 1)."""
    known = {image.tobytes() for image in seen}
    return sum(image.tobytes() in known for image in tested)
