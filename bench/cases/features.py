"""Training a head on cached features against running the frozen base again in every epoch.

The peer is Keras's guide to transfer learning: the frozen base is part of the model, called with
``training=False``. Both train the same head for 10 epochs on the 450 training patches of
``photo_patches``, each pixel doubled to 64 × 64 as one does for small images, and measure it on the
450 test patches after each epoch, from the same start and in the same order. The time of ours
includes extracting all features once. Ten epochs run the base ten times, so the ratio cannot pass
10. The accuracies of both, which should agree, stand in the row.
"""

import os

from bench.case import Case

EPOCHS, BATCH, RATE, SEED = 10, 128, 1e-2, 0
GOAL = "ratio >= 8"
NETWORKS = ("vgg16-mini", "efficientnet-lite0")


def _data(name):
    """Return inputs and labels of the training part, then of the test part."""
    import numpy as np

    from transfer_lib import data, networks

    split = data.load("photo_patches")
    x_train, x_test = (
        networks.preprocess(name, np.repeat(x[..., None], 3, -1).repeat(2, 1).repeat(2, 2))
        for x in (split.x_train, split.x_test)
    )
    return (x_train, split.y_train), (x_test, split.y_test)


def _base(name):
    import keras

    from transfer_lib import networks

    maps = networks.load(name, include_top=False, input_shape=(64, 64, 3))
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
    """Yield a case for each network.

    Raises
    ------
    SystemExit
        If the accuracies of the two ways differ by more than a point.
    """
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    for name in NETWORKS:
        train, test = _data(name)
        base = _base(name)
        accuracy = {}

        def cached(base=base, train=train, test=test, accuracy=accuracy):
            kept = [(base.predict(x, batch_size=BATCH, verbose=0), y) for x, y in (train, test)]
            inputs = keras.Input(kept[0][0].shape[1:])
            accuracy["ours_accuracy"] = _train(inputs, inputs, *kept)

        def rerun(base=base, train=train, test=test, accuracy=accuracy):
            inputs = keras.Input(train[0].shape[1:])
            accuracy["theirs_accuracy"] = _train(inputs, base(inputs, training=False), train, test)

        case = f"features/{name}: cached, {EPOCHS} epochs"
        yield Case(case, "frozen base in the model", cached, rerun, goal=GOAL, more=accuracy.copy)
        if abs(accuracy["ours_accuracy"] - accuracy["theirs_accuracy"]) > 0.01:
            raise SystemExit(f"{case}: expected the same accuracy, found {accuracy}")
