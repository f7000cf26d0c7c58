"""A first transfer on the pictures of lesson 00, by the way that is named, from a fresh start.

- ``course``: what lesson 00 does up to its first number.
- ``keras``: the recipe of Keras's guide "Transfer learning & fine-tuning": a frozen base in the
  model, two epochs on the head, one on everything.
- ``fastai``: the recipe of fastai's first lesson: ``vision_learner`` and ``fine_tune(1)``.

All take the same weights (EfficientNet-Lite0) and pictures from a folder, see
`bench.cases.first_result.prepare`. Prints the seconds until the first accuracy is known, and until
the recipe ends, with both accuracies. The start of Python counts: its time is given by whoever
calls, as seconds since 1970.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

FOLDER, STARTED = Path(sys.argv[2]), float(sys.argv[3])
SIDE = 64  # pixels


def report(shown, accuracy, recipe_accuracy):
    """Print the row's numbers; `shown` is when the first accuracy was known."""
    row = {"seconds": shown - STARTED, "accuracy": accuracy}
    print(json.dumps(row | {"whole": time.time() - STARTED, "whole_accuracy": recipe_accuracy}))


def course():
    """Do what lesson 00 does: features of all pictures, one example per class."""
    import transfer_lib

    this = transfer_lib.setup("00")
    from sklearn.preprocessing import normalize

    from transfer_lib import networks
    from transfer_lib.data import pieces
    from transfer_lib.taught.lesson_00 import accuracy, classify

    game = pieces.load()
    rng = np.random.default_rng(this.seed)
    rows = np.array([rng.choice(np.flatnonzero(game.y_train == c)) for c in range(10)])
    network = networks.load("efficientnet-lite0", include_top=False)

    def features_of(images):
        x = networks.preprocess("efficientnet-lite0", images)
        return normalize(network.predict(x, verbose=0).mean(axis=(1, 2)))

    train, test = features_of(game.x_train), features_of(game.x_test)
    found = float(accuracy(classify(train[rows], game.y_train[rows], test), game.y_test))
    report(time.time(), found, found)


def keras():
    """Follow Keras's guide, with arrays in the place of its TensorFlow data set."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    held = np.load(FOLDER / "pictures.npz")
    base = keras.models.load_model(FOLDER / "base.keras")
    base.trainable = False
    x = held["x_train"].astype("float32")
    for layer in (keras.layers.RandomFlip("horizontal"), keras.layers.RandomRotation(0.1)):
        x = np.asarray(layer(x).cpu())
    inputs = keras.Input((SIDE, SIDE, 3))
    scaled = keras.layers.Rescaling(1 / 128, offset=-127 / 128)(inputs)
    pooled = keras.layers.GlobalAveragePooling2D()(base(scaled, training=False))
    model = keras.Model(inputs, keras.layers.Dense(10)(keras.layers.Dropout(0.2)(pooled)))

    def fit(rate, epochs):
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
        test = held["x_test"].astype("float32"), held["y_test"]
        kept = model.fit(
            x, held["y_train"], batch_size=64, epochs=epochs, validation_data=test, verbose=0
        )
        return kept.history["val_accuracy"][-1]

    first = fit(1e-3, 2)
    shown = time.time()
    base.trainable = True
    report(shown, first, fit(1e-5, 1))


def fastai():
    """Follow fastai's first lesson, with the weights given instead of downloaded."""
    import torch
    from fastai.vision.all import (
        Callback,
        ImageDataLoaders,
        Normalize,
        accuracy,
        vision_learner,
    )

    shown = []

    class Clock(Callback):
        order = 60  # after the recorder

        def after_epoch(self):
            shown.append((time.time(), float(self.learn.recorder.values[-1][-1])))

    scale = Normalize.from_stats([127 / 255] * 3, [128 / 255] * 3, cuda=False)
    loaders = ImageDataLoaders.from_folder(
        FOLDER, train="train", valid="test", batch_tfms=scale, num_workers=0, device="cpu"
    )
    learner = vision_learner(
        loaders, "tf_efficientnet_lite0", metrics=accuracy, pretrained=False, normalize=False
    )
    body = learner.model[0].model  # timm's network, whose weights have the same order
    weights = torch.load(FOLDER / "weights.pth", weights_only=True)
    names = body.state_dict()
    body.load_state_dict(dict(zip(names, list(weights.values())[: len(names)], strict=True)))
    learner.freeze()
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(1, cbs=Clock())
    report(*shown[0], shown[-1][1])


if __name__ == "__main__":
    {"course": course, "keras": keras, "fastai": fastai}[sys.argv[1]]()
