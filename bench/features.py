"""Training a head on cached features against running the frozen base again in every epoch.

Both train the same head for 10 epochs on the 450 training patches of ``photo_patches``, each
pixel doubled to 64 × 64 as one does for small images, and measure it on the 450 test patches
after each epoch, from the same start and in the same order.
The time of ours includes extracting all features once. The accuracies of both, which should
agree, go to stderr.
"""

import os
import sys

EPOCHS, BATCH, RATE, SEED = 10, 128, 1e-2, 0
GOAL = 8  # times faster


def _data():
    """Return inputs and labels of the training part, then of the test part."""
    import numpy as np

    from transfer_lib import data, networks

    split = data.load("photo_patches")
    x_train, x_test = (
        networks.preprocess("vgg16-mini", np.repeat(x[..., None], 3, -1).repeat(2, 1).repeat(2, 2))
        for x in (split.x_train, split.x_test)
    )
    return (x_train, split.y_train), (x_test, split.y_test)


def _base():
    import keras

    from transfer_lib import networks

    maps = networks.load("vgg16-mini", include_top=False, input_shape=(64, 64, 3))
    base = keras.Model(maps.input, keras.layers.GlobalAveragePooling2D()(maps.output))
    base.trainable = False
    return base


def _train(inputs, features, train, test):
    """Train a head from `inputs` to the classes; return its last accuracy on the test part."""
    import keras

    keras.utils.set_random_seed(SEED)
    outputs = keras.layers.Dense(10, activation="softmax")(features)
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(RATE), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    history = model.fit(
        *train, validation_data=test, epochs=EPOCHS, batch_size=BATCH, validation_batch_size=450,
        verbose=0,
    )  # fmt: skip
    return history.history["val_accuracy"][-1]


def cases():
    """Yield the case as (name, peer, ours, theirs, runs)."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    train, test = _data()
    base = _base()

    def cached():
        kept = [(base.predict(x, batch_size=BATCH, verbose=0), y) for x, y in (train, test)]
        inputs = keras.Input(kept[0][0].shape[1:])
        cached.accuracy = _train(inputs, inputs, *kept)

    def rerun():
        inputs = keras.Input(train[0].shape[1:])
        rerun.accuracy = _train(inputs, base(inputs, training=False), train, test)

    name = f"features/cached-head: {EPOCHS} epochs (goal: {GOAL} times faster)"
    yield name, "frozen base in the model", cached, rerun, 3
    ours, theirs = (getattr(run, "accuracy", float("nan")) for run in (cached, rerun))
    print(f"features: test accuracy {ours:.3f}, the peer's {theirs:.3f}", file=sys.stderr)
