"""Lesson 10, Adapting networks: its cells tagged `keep`, built."""

import keras
import numpy as np
from keras import ops
from scipy.ndimage import rotate
from sklearn.datasets import load_digits

from transfer_lib.taught.lesson_03 import head_swap, make_backbone

HALF = 32  # images of each domain in a batch


def match_statistics(images, reference):
    """Return the images, moved and scaled to the mean and the deviation of the reference."""
    centred = (images - images.mean()) / images.std()
    return centred * reference.std() + reference.mean()


def reestimate(model, images):
    """Replace the averages of each batch normalisation by those of these images."""
    norms = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    kept = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0
    model(images, training=True)
    for layer, momentum in zip(norms, kept, strict=True):
        layer.momentum = momentum


def dense_backbone():
    """Return 64 features of an image of 8 x 8 pixels, by two dense layers."""
    layers = [keras.layers.Dense(64, activation="relu") for _ in range(2)]
    return keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), *layers])


def turned_pair(seed, degrees=20):
    """Return source, unlabelled target, and target to test on; disjoint scans."""
    images = (load_digits().images / 16).astype("float32")[..., None]
    order = np.random.default_rng(seed).permutation(len(images))
    turned = rotate(images, degrees, axes=(1, 2), reshape=False, order=1)
    parts = np.split(order, [800, 1300])
    return [
        (x[rows], load_digits().target[rows]) for x, rows in zip((images, turned, turned), parts)
    ]


class Adapted(keras.Model):
    """A classifier trained on both domains; the labels of the second half are never used."""

    def penalty(self, source, target, logits):
        return 0.0

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        features, logits = y_pred
        losses = keras.losses.sparse_categorical_crossentropy(y[:HALF], logits[:HALF], True)
        extra = self.penalty(features[:HALF], features[HALF:], logits[HALF:])
        return ops.mean(losses) + self.strength * extra


class Ramp(keras.callbacks.Callback):
    """Let the strength grow from 0, as Ganin and Lempitsky (2015) do."""

    def __init__(self, strength, steps):
        super().__init__()
        self.strength, self.steps = strength, steps

    def on_train_batch_begin(self, batch, logs=None):
        done = batch / self.steps
        self.model.strength.assign(self.strength * (2 / (1 + np.exp(-10 * done)) - 1))


def adapt(kind, learned, source, target, strength, seed, backbone=None, steps=250, rate=1e-3):
    """Train a model of this kind from learned weights; return an ordinary classifier."""
    keras.utils.set_random_seed(seed)
    classifier = head_swap(backbone or make_backbone(source[0].shape[1:]), 10)
    classifier.set_weights(learned)
    _, body, head = classifier.layers
    features = body(classifier.inputs[0])
    model = kind(classifier.inputs[0], [features, head(features)])
    model.strength = keras.Variable(0.0, trainable=False)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps)))
    images, labels = halves(source, target, steps, np.random.default_rng(seed))
    ramp = Ramp(strength, steps)
    model.fit(images, labels, batch_size=2 * HALF, shuffle=False, verbose=0, callbacks=[ramp])
    return classifier


def halves(source, target, steps, rng):
    """Return images and labels, in each batch a half of the source, then a half of the target."""
    rows = rng.integers(len(source[0]), size=(steps, HALF))
    other = rng.integers(len(target), size=(steps, HALF))
    images = np.concatenate([source[0][rows], target[other]], axis=1)
    labels = np.concatenate([source[1][rows], np.zeros_like(rows)], axis=1)
    return images.reshape(-1, *images.shape[2:]), labels.ravel()


def reverse(x, lam):
    """Return x, whose gradient is multiplied by -lam on its way back."""
    return (1 + lam) * ops.stop_gradient(x) - lam * x


class Dann(Adapted):
    """The teller learns which half a row of features comes from; the backbone unlearns it."""

    def build(self, input_shape=None):
        layers = [keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)]
        self.teller = keras.Sequential([keras.Input((64,)), *layers])

    def penalty(self, source, target, logits):
        told = self.teller(reverse(ops.concatenate([source, target]), 1.0))
        truth = ops.repeat(ops.array([[0.0], [1.0]]), HALF, axis=0)
        return ops.mean(ops.binary_crossentropy(truth, told, from_logits=True))


def information(logits):
    """Return the mean entropy of the rows minus the entropy of the mean row, a number."""
    p = ops.softmax(logits)
    each = -ops.sum(p * ops.log(p + 1e-9), axis=1)
    mean = ops.mean(p, axis=0)
    return ops.mean(each) + ops.sum(mean * ops.log(mean + 1e-9))


class Information(Adapted):
    """Sure of each target image, and of all classes together."""

    def penalty(self, source, target, logits):
        return information(logits)


def pseudo_labels(logits, bar):
    """Return the rows of logits (n, classes) that are sure, and their classes: two arrays."""
    from scipy.special import softmax

    p = softmax(logits, axis=1)
    rows = np.flatnonzero(p.max(axis=1) > bar)
    return rows, p[rows].argmax(axis=1)


def regret(criterion, accuracy):
    """Return the points lost by taking the candidate with the highest criterion."""
    chosen = max(criterion, key=criterion.get)
    return 100 * (max(accuracy.values()) - accuracy[chosen])
