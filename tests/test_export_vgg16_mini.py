"""Folding a batch normalisation into the layer before it changes nothing."""

import keras
import numpy as np
import pytest
from export_vgg16_mini import fold_batch_norm


@pytest.mark.parametrize("use_bias", [True, False])
def test_folding_changes_nothing(use_bias):
    layers = keras.layers
    rng = np.random.default_rng(2)
    normed = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            layers.Conv2D(8, 3, padding="same", use_bias=use_bias),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(6, 3, padding="same", use_bias=use_bias),
            layers.BatchNormalization(epsilon=0.01),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(5, use_bias=use_bias),
            layers.BatchNormalization(),
        ]
    )
    for layer in normed.layers:  # statistics as training leaves them, not the initial 0 and 1
        if isinstance(layer, layers.BatchNormalization):
            low = [0.3, -1, -1, 0.2]  # gamma, beta, moving mean, moving variance
            layer.set_weights(
                [rng.uniform(a, 2, w.shape) for a, w in zip(low, layer.weights, strict=True)]
            )
        elif layer.weights:
            layer.set_weights([rng.normal(0, 0.3, w.shape) for w in layer.weights])
    plain = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.Conv2D(6, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(5),
        ]
    )
    pairs = [(0, 1), (3, 4), (7, 8)]
    for (i, j), target in zip(pairs, [plain.layers[k] for k in (0, 1, 3)], strict=True):
        kernel, *bias = normed.layers[i].get_weights()
        norm = normed.layers[j]
        target.set_weights(
            fold_batch_norm(kernel, bias[0] if bias else None, *norm.get_weights(), norm.epsilon)
        )
    x = rng.normal(size=(4, 12, 12, 3)).astype(np.float32)
    wanted = normed.predict(x, verbose=0)
    assert np.ptp(wanted) > 1
    np.testing.assert_allclose(plain.predict(x, verbose=0), wanted, atol=1e-4)


def test_folding_refuses_statistics_of_another_layer():
    one = np.ones(4)
    with pytest.raises(ValueError, match="variance has the shape"):
        fold_batch_norm(np.ones((3, 3, 2, 4)), None, one, one, one, np.ones(5), 1e-3)
