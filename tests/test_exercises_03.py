"""The exercises of lesson 03: right answers in every form, wrong ones with their words."""

import keras
import numpy as np
from keras import layers

import exercise_cases
from exercise_cases import Arguments


# Swap the head.
def functional(backbone, classes):
    inputs = keras.Input(backbone.input_shape[1:])
    return keras.Model(inputs, layers.Dense(classes)(backbone(inputs)))


def sequential(backbone, classes):
    return keras.Sequential([backbone, layers.Dense(classes)])


def on_its_output(backbone, classes):
    return keras.Model(backbone.inputs, layers.Dense(classes, "linear")(backbone.outputs[0]))


def softmax_head(backbone, classes):
    return keras.Sequential([backbone, layers.Dense(classes, "softmax")])


def relu_head(backbone, classes):
    return keras.Sequential([backbone, layers.Dense(classes, "relu")])


def cloned(backbone, classes):
    return keras.Sequential([keras.models.clone_model(backbone), layers.Dense(classes)])


def ten_classes(backbone, classes):
    return keras.Sequential([backbone, layers.Dense(10)])


def tanh_head(backbone, classes):
    return keras.Sequential([backbone, layers.Dense(classes, "tanh")])


def no_head(backbone, classes):
    inputs = keras.Input(backbone.input_shape[1:])
    return keras.Model(inputs, backbone(inputs))


def two_layers(backbone, classes):
    return keras.Sequential([backbone, layers.Dense(5), layers.Dense(classes)])


def only_the_layer(backbone, classes):
    return layers.Dense(classes)


# Freeze.
def freeze_model(backbone):
    backbone.trainable = False


def freeze_layers(backbone):
    for layer in backbone.layers:
        layer.trainable = False


def freeze_and_return(backbone):
    backbone.trainable = False
    return backbone


def freeze_first(backbone):
    backbone.layers[0].trainable = False


def unfreeze(backbone):
    backbone.trainable = True


def freeze_each_weight(backbone):
    for weight in backbone.trainable_weights:
        weight.trainable = False


def pop_layers(backbone):
    backbone.pop()


# Relative change.
def with_sums(before, after):
    return np.sqrt(((after - before) ** 2).sum() / (before**2).sum())


def with_torch(before, after):
    import torch

    before, after = torch.tensor(before), torch.tensor(after)
    return torch.linalg.norm(after - before) / torch.linalg.norm(before)


# Split.
def permuted(x, y, n_test, rng):
    order = rng.permutation(len(x))
    test, train = order[:n_test], order[n_test:]
    copies = np.roll(x[train], 1, axis=2)
    return np.concatenate([x[train], copies]), np.concatenate([y[train]] * 2), x[test], y[test]


def last_rows(x, y, n_test, rng):
    order = rng.permutation(len(x))
    train, test = order[:-n_test], order[-n_test:]
    return [
        np.concatenate([x[train], np.roll(x[train], 1, axis=2)]),
        np.tile(y[train], 2),
        x[test],
        y[test],
    ]


def with_scikit_learn(x, y, n_test, rng):
    from sklearn.model_selection import train_test_split

    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=n_test, random_state=1)
    copies = np.roll(x_train, 1, axis=2)
    return np.concatenate([x_train, copies]), np.tile(y_train, 2), x_test, y_test


def leaky(x, y, n_test, rng):
    return plain(np.concatenate([x, np.roll(x, 1, axis=2)]), np.tile(y, 2), n_test, rng)


def plain(x, y, n_test, rng):
    order = rng.permutation(len(x))
    test, train = order[:n_test], order[n_test:]
    return x[train], y[train], x[test], y[test]


def copies_in_test(x, y, n_test, rng):
    x_train, y_train, x_test, y_test = permuted(x, y, n_test, rng)
    return x_train, y_train, np.concatenate([x_test, x_test]), np.tile(y_test, 2)


def labels_forgotten(x, y, n_test, rng):
    x_train, y_train, x_test, y_test = permuted(x, y, n_test, rng)
    return x_train, y_train[: len(y_train) // 2], x_test, y_test


def labels_shuffled(x, y, n_test, rng):
    x_train, y_train, x_test, y_test = permuted(x, y, n_test, rng)
    return x_train, np.roll(y_train, 1), x_test, y_test


def two_plain_copies(x, y, n_test, rng):
    x_train, y_train, x_test, y_test = plain(x, y, n_test, rng)
    return np.concatenate([x_train] * 2), np.tile(y_train, 2), x_test, y_test


def moved_test(x, y, n_test, rng):
    x_train, y_train, x_test, y_test = permuted(x, y, n_test, rng)
    return x_train, y_train, np.roll(x_test, 1, axis=2), y_test


def last_not_drawn(x, y, n_test, rng):
    x_train, x_test = x[:-n_test], x[-n_test:]
    x_train = np.concatenate([x_train, np.roll(x_train, 1, axis=2)])
    return x_train, np.tile(y[:-n_test], 2), x_test, y[-n_test:]


def not_drawn(x, y, n_test, rng):
    x_train = np.concatenate([x[n_test:], np.roll(x[n_test:], 1, axis=2)])
    return x_train, np.tile(y[n_test:], 2), x[:n_test], y[:n_test]


MEASURED = {1e-6: 0.91, 1e-5: 0.89, 1e-4: 0.93, 1e-3: 0.925, 1e-1: 0.3}

RIGHT = {
    "head_swap": [functional, sequential, on_its_output],
    "freeze": [freeze_model, freeze_layers, freeze_and_return],
    "trainable": [
        Arguments([1290, 128, 10]),
        Arguments([np.int64(1290), 128, 10]),
        Arguments([1290.0, 128, 10]),
    ],
    "rate": [
        Arguments([1e-4, MEASURED]),
        Arguments([np.float32(1e-3), MEASURED]),
        Arguments([0.0001, MEASURED]),
    ],
    "total_loss": [
        lambda shared, task, lam: shared + lam * task,
        lambda shared, task, lam: np.array([shared, task]) @ [1, lam],
        lambda shared, task, lam: keras.ops.convert_to_tensor(shared + task * lam),
    ],
    "relative_change": [
        lambda before, after: np.linalg.norm(after - before) / np.linalg.norm(before),
        with_sums,
        with_torch,
    ],
    "split": [permuted, last_rows, with_scikit_learn],
    "forecast": [
        Arguments([3, 2.0]),
        Arguments([np.float64(0.5), 2.0]),
        Arguments([[6.5], 2.0]),
        Arguments([0.1, 0.9]),
    ],
}
WRONG = {
    "head_swap": [
        (softmax_head, "ends with a softmax"),
        (relu_head, "never negative"),
        (tanh_head, "never leave -1 to 1"),
        (cloned, "its weights are new"),
        (ten_classes, "Use the argument `classes`"),
        (no_head, "head is missing"),
        (two_layers, "other weights than one Dense"),
        (only_the_layer, "Return a keras.Model"),
        (lambda backbone, classes: backbone, "the backbone itself"),
    ],
    "freeze": [
        (unfreeze, "Every weight is still trainable"),
        (freeze_first, "not all layers are frozen"),
        (freeze_each_weight, "one by one"),
        (pop_layers, "other weights than before"),
    ],
    "trainable": [
        (Arguments([1280, 128, 10]), "one bias for each class"),
        (Arguments([138, 128, 10]), "multiply, do not add"),
        (Arguments([92672, 128, 10]), "frozen backbone does not count"),
        (Arguments([7, 128, 10]), "too few"),
    ],
    "rate": [
        (Arguments([1e-5, MEASURED]), "It is too low"),
        (Arguments([1e-1, MEASURED]), "It is too high"),
        (Arguments([0.5, MEASURED]), "was not tried"),
    ],
    "total_loss": [
        (lambda shared, task, lam: lam * shared + task, "weights the shared loss"),
        (lambda shared, task, lam: lam * (shared + task), "weights both losses"),
        (lambda shared, task, lam: shared + task, "Lambda is missing"),
        (lambda shared, task, lam: (1 - lam) * shared + lam * task, "weighted mean"),
        (lambda shared, task, lam: 2.75, "Use its arguments"),
    ],
    "relative_change": [
        (lambda before, after: np.linalg.norm(after - before), "Divide by the length before"),
        (
            lambda before, after: np.linalg.norm(after - before) / np.linalg.norm(after),
            "divided by the length after",
        ),
        (
            lambda before, after: np.linalg.norm(after) / np.linalg.norm(before) - 1,
            "Weights can turn",
        ),
        (lambda before, after: np.mean(after - before), "cancel in a sum"),
        (
            lambda before, after: np.abs(after - before).sum() / np.abs(before).sum(),
            "added absolute values",
        ),
    ],
    "split": [
        (leaky, "the test measures memory"),
        (plain, "no shifted copies"),
        (copies_in_test, "no copies belong there"),
        (labels_forgotten, "differ in number"),
        (labels_shuffled, "no longer in the same order"),
        (two_plain_copies, "moved by `shifted`"),
        (moved_test, "as it came"),
        (not_drawn, "Draw it with `rng`"),
        (last_not_drawn, "one end of the data"),
        (lambda x, y, n_test, rng: (x, y), "Return four arrays"),
    ],
    "forecast": [
        (Arguments([30, 2.0]), "Too optimistic"),
        (Arguments([-9, 2.0]), "Too pessimistic"),
        (Arguments([0.12, 11.0]), "Give points"),
    ],
}
test_right, test_wrong, test_complete = exercise_cases.tests("03", RIGHT, WRONG)
