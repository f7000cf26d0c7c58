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


def with_activation(name):
    return lambda backbone, classes: keras.Sequential([backbone, layers.Dense(classes, name)])


class Subclass(keras.Model):
    def __init__(self, backbone, classes):
        super().__init__()
        self.backbone, self.head = backbone, layers.Dense(classes)

    def call(self, x):
        return self.head(self.backbone(x))


def starts_at_zero(backbone, classes):
    return keras.Sequential([backbone, layers.Dense(classes, kernel_initializer="zeros")])


def its_layers(backbone, classes):
    return keras.Sequential([*backbone.layers, layers.Dense(classes)])


def copied(backbone, classes):
    clone = keras.models.clone_model(backbone)
    clone.set_weights(backbone.get_weights())
    return keras.Sequential([clone, layers.Dense(classes)])


def added_to_it(backbone, classes):
    backbone.add(layers.Dense(classes))
    return backbone


def popped(backbone, classes):
    backbone.pop()
    return keras.Sequential([backbone, layers.Dense(classes)])


def on_an_inner_layer(backbone, classes):
    return keras.Model(backbone.inputs, layers.Dense(classes)(backbone.layers[-2].output))


def on_the_inputs(backbone, classes):
    inputs = keras.Input(backbone.input_shape[1:])
    return keras.Model(inputs, layers.Dense(classes)(inputs))


def without_bias(backbone, classes):
    return keras.Sequential([backbone, layers.Dense(classes, use_bias=False)])


def relu_between(backbone, classes):
    return keras.Sequential([backbone, layers.ReLU(), layers.Dense(classes)])


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


def freeze_dense_only(backbone):
    for layer in backbone.layers:
        if isinstance(layer, layers.Dense):
            layer.trainable = False


def freeze_copy(backbone):
    copy = keras.models.clone_model(backbone)
    copy.trainable = False
    return copy


def compare_only(backbone):
    backbone.trainable == False  # noqa: B015, E712


def freeze_and_reset(backbone):
    backbone.trainable = False
    backbone.set_weights([0 * w for w in backbone.get_weights()])


# Relative change.
def in_place(before, after):
    after -= before
    return np.linalg.norm(after) / np.linalg.norm(before)


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


def with_mask(x, y, n_test, rng):
    test = np.zeros(len(x), bool)
    test[rng.choice(len(x), n_test, replace=False)] = True
    x_train, y_train = x[~test], y[~test]
    order = rng.permutation(2 * len(x_train))
    copies = np.roll(x_train, 1, axis=2)
    return np.concatenate([x_train, copies])[order], np.tile(y_train, 2)[order], x[test], y[test]


def by_rows(test, train, x, y):
    copies = np.roll(x[train], 1, axis=2)
    return np.concatenate([x[train], copies]), np.tile(y[train], 2), x[test], y[test]


def as_lists(x, y, n_test, rng):
    return [part.tolist() for part in permuted(x, y, n_test, rng)]


def shuffled_apart(x, y, n_test, rng):
    rng.shuffle(x)
    rng.shuffle(y)
    return by_rows(slice(n_test), slice(n_test, None), x, y)


def shuffled_in_place(x, y, n_test, rng):
    order = rng.permutation(len(x))
    x[:], y[:] = x[order], y[order]
    return by_rows(slice(n_test), slice(n_test, None), x, y)


def swapped_parts(x, y, n_test, rng):
    order = rng.permutation(len(x))
    return by_rows(order[n_test:], order[:n_test], x, y)


def order_of_scikit_learn(x, y, n_test, rng):
    x_train, y_train, x_test, y_test = permuted(x, y, n_test, rng)
    return x_train, x_test, y_train, y_test


def with_replacement(x, y, n_test, rng):
    test = rng.choice(len(x), n_test)
    return by_rows(test, np.setdiff1d(np.arange(len(x)), test), x, y)


def every_third(x, y, n_test, rng):
    test = np.arange(0, len(x), len(x) // n_test)
    return by_rows(test, np.setdiff1d(np.arange(len(x)), test), x, y)


def kept_in_training(x, y, n_test, rng):
    return by_rows(rng.permutation(len(x))[:n_test], slice(None), x, y)


def copies_only(x, y, n_test, rng):
    x_train, y_train, x_test, y_test = plain(x, y, n_test, rng)
    return np.roll(x_train, 1, axis=2), y_train, x_test, y_test


def train_with_replacement(x, y, n_test, rng):
    order = rng.permutation(len(x))
    return by_rows(order[:n_test], rng.choice(order[n_test:], len(x) - n_test), x, y)


def rescaled(x, y, n_test, rng):
    return permuted(x / 255, y, n_test, rng)


MEASURED = {1e-6: 0.91, 1e-5: 0.89, 1e-4: 0.93, 1e-3: 0.925, 1e-1: 0.3}

RIGHT = {
    "head_swap": [
        functional,
        sequential,
        on_its_output,
        Subclass,
        starts_at_zero,
        its_layers,
    ],
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
        *(Arguments([1, {1: (k - 12) / 400, 2: k / 400}]) for k in (363, 372, 388)),  # 3 points
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
        lambda before, after: np.sqrt(np.mean((after - before) ** 2) / np.mean(before**2)),
        lambda before, after: keras.ops.norm(after - before) / keras.ops.norm(before),
    ],
    "split": [permuted, last_rows, with_scikit_learn, with_mask, as_lists],
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
        (relu_head, "without activation"),
        (with_activation("elu"), "without activation"),
        (with_activation("gelu"), "without activation"),
        (cloned, "holds a copy"),
        (copied, "holds a copy"),
        (added_to_it, "change the given backbone"),
        (popped, "change the given backbone"),
        (on_an_inner_layer, "layer of the backbone is missing"),
        (on_the_inputs, "backbone is not in the model"),
        (without_bias, "has no bias"),
        (relu_between, "directly behind the backbone"),
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
        (freeze_dense_only, "in BatchNormalization"),
        (freeze_copy, "froze a copy"),
        (compare_only, "with one `=`"),
        (freeze_and_reset, "other weights than before"),
        (pop_layers, "other weights than before"),
    ],
    "trainable": [
        (Arguments([1280, 128, 10]), "one bias for each class"),
        (Arguments([138, 128, 10]), "multiply, do not add"),
        (Arguments([92672, 128, 10]), "frozen backbone does not count"),
        (Arguments([7, 128, 10]), "too few"),
        (Arguments([1408, 128, 10]), "not for each input"),
        (Arguments([1281, 128, 10]), "Each class has its own"),
        (Arguments([2, 128, 10]), "counted the arrays"),
    ],
    "rate": [
        (Arguments([1e-5, MEASURED]), "It is too low"),
        (Arguments([1e-1, MEASURED]), "It is too high"),
        (Arguments([0.5, MEASURED]), "was not tried"),
        (Arguments([0, MEASURED]), "was not tried"),
        (Arguments([1e-7, MEASURED]), "was not tried"),
        (Arguments([0.93, MEASURED]), "is an accuracy"),
        (Arguments([-4, MEASURED]), "is the exponent"),
    ],
    "total_loss": [
        (lambda shared, task, lam: lam * shared + task, "weights the shared loss"),
        (lambda shared, task, lam: lam * (shared + task), "weights both losses"),
        (lambda shared, task, lam: shared + task, "Lambda is missing"),
        (lambda shared, task, lam: (1 - lam) * shared + lam * task, "weighted mean"),
        (lambda shared, task, lam: 3.5, "Use its arguments"),
        (lambda shared, task, lam: lam * shared + (1 - lam) * task, "weighted mean"),
        (lambda shared, task, lam: (shared + lam * task) / (1 + lam), "weighted mean"),
        (lambda shared, task, lam: (shared + lam * task) / 2, "divided by 2"),
        (lambda shared, task, lam: shared + (1 - lam) * task, "not 1 - lambda"),
        (lambda shared, task, lam: lam * task, "shared loss is missing"),
        (lambda shared, task, lam: shared + min(lam, 1) * task, "total is 9; yours is 5"),
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
        (in_place, "changed the arrays"),
        (
            lambda before, after: (
                np.linalg.norm(after - before, "fro") / np.linalg.norm(before, "fro")
            ),
            "four axes",
        ),
        (
            lambda before, after: np.linalg.norm(after - before, 2) / np.linalg.norm(before, 2),
            "Leave `ord` out",
        ),
        (lambda before, after: np.mean(abs(after - before) / abs(before)), "element by element"),
        (lambda before, after: ((after - before) ** 2).sum() / (before**2).sum(), "squares"),
        (
            lambda before, after: 1 - np.linalg.norm(after) / np.linalg.norm(before),
            "Weights can turn",
        ),
        (
            lambda before, after: 100 * np.linalg.norm(after - before) / np.linalg.norm(before),
            "in percent",
        ),
        (
            lambda before, after: np.linalg.norm(before) / np.linalg.norm(after - before),
            "upside down",
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
        (shuffled_apart, "no longer in the same order"),
        (shuffled_in_place, "changed the arrays"),
        (swapped_parts, "swapped"),
        (order_of_scikit_learn, "in this order"),
        (with_replacement, "replace=False"),
        (every_third, "every k-th row"),
        (kept_in_training, "Leave these rows out"),
        (copies_only, "moved copies only"),
        (train_with_replacement, "of them different"),
        (rescaled, "pixel values changed"),
    ],
    "forecast": [
        (Arguments([30, 2.0]), "Too optimistic"),
        (Arguments([-9, 2.0]), "Too pessimistic"),
        (Arguments([0.12, 11.0]), "Give points"),
        (Arguments([95, 2.0]), "looks like an accuracy"),
    ],
}
test_right, test_wrong, test_complete = exercise_cases.tests("03", RIGHT, WRONG)
