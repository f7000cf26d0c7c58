"""The exercises of lesson 05: right answers in every form, wrong ones with their words."""

import keras
import numpy as np
import pytest
from keras import layers
from networks_05 import (
    by_number,
    finish,
    twin_by_clone,
    twin_by_config,
    twin_frozen,
    twin_layer_by_layer,
    twin_not_compiled,
    twin_smaller,
    twin_that_resets_the_model,
    twin_that_switches_the_model,
    twin_with_a_fresh_head_only,
    twin_with_weights,
    unfreeze_and_reset,
    unfreeze_by_names,
    unfreeze_from_a_place,
    unfreeze_model_last,
    unfreeze_with,
)
from sklearn.decomposition import PCA

import exercise_cases
from transfer_lib import networks


def worst_with(order=lambda p, y: -p.max(axis=1), only=lambda p, y: p.argmax(axis=1) != y):
    def worst(probabilities, y, count):
        rows = np.flatnonzero(only(probabilities, y))
        return rows[np.argsort(order(probabilities, y)[rows])][:count]

    return worst


def worst_by_masking(probabilities, y, count):
    sure = np.where(probabilities.argmax(axis=1) == y, -1, probabilities.max(axis=1))
    rows = np.argsort(sure)[::-1]
    return rows[: min(count, int((sure >= 0).sum()))]


def worst_by_loop(probabilities, y, count):
    wrong = [i for i, row in enumerate(probabilities) if row.argmax() != y[i]]
    return sorted(wrong, key=lambda i: -max(probabilities[i]))[:count]


def worst_places(probabilities, y, count):
    sure = probabilities.max(axis=1)[probabilities.argmax(axis=1) != y]
    return np.argsort(-sure)[:count]


def worst_and_change(probabilities, y, count):
    rows = worst_by_loop(probabilities, y, count)
    probabilities *= 0
    return rows


def fuse_with(project):
    def fuse(a_train, a_test, b_train, b_test, width):
        a, b = project(a_train, a_test, width), project(b_train, b_test, width)
        return np.hstack([a[0], b[0]]), np.hstack([a[1], b[1]])

    return fuse


def by_pca(train, test, width):
    pca = PCA(width).fit(train)
    return pca.transform(train), pca.transform(test)


def by_svd(train, test, width):
    mean = train.mean(axis=0)
    directions = np.linalg.svd(train - mean, full_matrices=False)[2][:width]
    return (train - mean) @ directions.T, (test - mean) @ directions.T


def by_fit_transform(train, test, width):
    pca = PCA(n_components=width)
    return pca.fit_transform(train), pca.transform(test)


def by_two_fits(train, test, width):
    return PCA(width).fit_transform(train), PCA(width).fit_transform(test)


def by_both(train, test, width):
    pca = PCA(width).fit(np.concatenate([train, test]))
    return pca.transform(train), pca.transform(test)


def by_columns(train, test, width):
    return train[:, :width], test[:, :width]


def by_whitening(train, test, width):
    pca = PCA(width, whiten=True).fit(train)
    return pca.transform(train), pca.transform(test)


def by_own_means(train, test, width):
    directions = PCA(width).fit(train).components_.T
    return (train - train.mean(axis=0)) @ directions, (test - test.mean(axis=0)) @ directions


def by_no_means(train, test, width):
    directions = PCA(width).fit(train).components_.T
    return train @ directions, test @ directions


def by_shrinking(train, test, width):
    a, b = by_pca(train, test, width)
    return a / a.std(), b / a.std()


def by_changing(train, test, width):
    mean = train.mean(axis=0)
    train -= mean
    test -= mean
    directions = np.linalg.svd(train, full_matrices=False)[2][:width]
    return train @ directions.T, test @ directions.T


def fuse_then_project(a_train, a_test, b_train, b_test, width):
    return by_pca(np.hstack([a_train, b_train]), np.hstack([a_test, b_test]), 2 * width)


def fuse_test_in_other_order(a_train, a_test, b_train, b_test, width):
    train, _ = fuse_with(by_pca)(a_train, a_test, b_train, b_test, width)
    return train, fuse_with(by_pca)(b_train, b_test, a_train, a_test, width)[1]


def fuse_sum(a_train, a_test, b_train, b_test, width):
    a, b = by_pca(a_train, a_test, width), by_pca(b_train, b_test, width)
    return a[0] + b[0], a[1] + b[1]


def fuse_rows(a_train, a_test, b_train, b_test, width):
    a, b = by_pca(a_train, a_test, width), by_pca(b_train, b_test, width)
    return np.concatenate([a[0], b[0]]), np.concatenate([a[1], b[1]])


def split_and_change(left, side, border):
    test = left >= border
    left += side
    return left <= border, test


def parameters(shape, classes):
    flat = int(np.prod(shape))
    return sum(a * b + b for a, b in ((flat, 1024), (1024, 512), (512, classes)))


def parameters_by_keras(shape, classes):
    dense = [layers.Dense(units) for units in (1024, 512, classes)]
    return keras.Sequential([keras.Input(shape), layers.Flatten(), *dense]).count_params()


RIGHT = {
    "head_parameters": [
        parameters,
        parameters_by_keras,
        lambda shape, classes: np.float64(parameters(shape, classes)),
    ],
    "unfreeze": [
        unfreeze_with(),
        unfreeze_by_names,
        unfreeze_from_a_place,
        unfreeze_with(before=True),
    ],
    "twin": [twin_by_clone, twin_by_config, twin_layer_by_layer],
    "worst": [worst_with(), worst_by_masking, worst_by_loop],
    "fuse": [fuse_with(by_pca), fuse_with(by_svd), fuse_with(by_fit_transform)],
    "split": [
        lambda left, side, border: (left + side <= border, left >= border),
        lambda left, side, border: np.stack([left + side <= border, left >= border]),
        lambda left, side, border: [left + side - 1 < border, ~(left < border)],
        lambda left, side, border: (
            [int(k + side <= border) for k in left],
            [int(k >= border) for k in left],
        ),
    ],
}
WRONG = {
    "head_parameters": [
        (
            lambda shape, classes: np.prod(shape) * 1024 + 1024 * 512 + 512 * classes,
            "also has a bias",
        ),
        (lambda shape, classes: parameters(shape[-1:], classes), "for a pooled map"),
        (lambda shape, classes: parameters(shape, 0), "The last layer"),
        (lambda shape, classes: (np.prod(shape) + 1) * classes, "single dense layer"),
        (lambda shape, classes: np.prod(shape) + 1024 + 512 + classes, "multiply them"),
        (lambda shape, classes: 1000, "it is 26,218,501"),
        (lambda shape, classes: parameters(shape, classes) + 0.25, "not 26,218,501.25"),
        (lambda shape, classes: parameters(shape, classes) - classes, "biases of Dense(5)"),
        (lambda shape, classes: parameters(shape, classes) - 512, "biases of Dense(512)"),
        (lambda shape, classes: parameters(shape, classes) + np.prod(shape), "no parameters"),
        (
            lambda shape, classes: (np.prod(shape) + 1) * 1024 + 1025 * classes,
            "Dense(512), is missing",
        ),
        (lambda shape, classes: parameters(shape, classes) - 1538, "one bias for each layer"),
        (
            lambda shape, classes: np.prod(shape) * 1025 + 1024 * 513 + 512 * (classes + 1),
            "one bias for each input",
        ),
        (lambda shape, classes: parameters(shape[:2], classes), "The channels are missing"),
        (lambda shape, classes: parameters((shape[0], *shape[::2]), classes), "not be square"),
        (lambda shape, classes: parameters((7, 7, 512), 5), "Use the arguments"),
    ],
    "unfreeze": [
        (unfreeze_with(lambda layer, first: True), "can be trained: block1_conv1"),
        (unfreeze_with(lambda layer, first: by_number(layer) > first), "can be trained"),
        (unfreeze_with(lambda layer, first: by_number(layer) in range(first, 9)), "head is frozen"),
        (unfreeze_with(lambda layer, first: by_number(layer) >= 3), "For first=1"),
        (unfreeze_with(before=False), "freezes the model as a whole"),
        (unfreeze_model_last, "can be trained: block1_conv1"),
        (unfreeze_with(last=None), "is not compiled"),
        (unfreeze_with(last=False), "compile last"),
        (unfreeze_with(loss="mse"), "the loss should be"),
        (unfreeze_with(optimizer=lambda rate: keras.optimizers.Adam()), "For rate=0.0002"),
        (unfreeze_and_reset, "The weights have changed"),
    ],
    "twin": [
        (lambda model, rate: finish(model, rate), "the pretrained model itself"),
        (twin_with_weights, "All kernels"),
        (twin_with_a_fresh_head_only, "Some kernels"),
        (twin_frozen, "frozen at random weights"),
        (twin_that_switches_the_model, "the switches of `model`"),
        (twin_that_resets_the_model, "own weights have changed"),
        (lambda model, rate: keras.Model(model.input, model.output), "shares weights"),
        (twin_smaller, "another one"),
        (twin_not_compiled, "is not compiled"),
        (lambda model, rate: twin_by_clone(model, 1e-2), "For rate=0.0003"),
        (lambda model, rate: model.get_weights(), "Return a keras.Model"),
    ],
    "worst": [
        (worst_with(only=lambda p, y: y >= 0), "is predicted rightly"),
        (worst_with(order=lambda p, y: p.max(axis=1)), "*least* sure"),
        (worst_with(order=lambda p, y: p[np.arange(len(y)), y]), "*true* class"),
        (worst_with(order=lambda p, y: np.arange(len(y))), "Sort the wrong predictions"),
        (lambda p, y, count: worst_by_loop(p, y, 40), "rows are expected"),
        (lambda p, y, count: worst_by_loop(p, y, count)[::-1], "in another order"),
        (lambda p, y, count: p.argmax(axis=1) != y, "not True and False"),
        (lambda p, y, count: p.max(axis=1)[worst_by_loop(p, y, count)], "not probabilities"),
        (worst_places, "wrong[order]"),
        (lambda p, y, count: p, "one row of numbers"),
        (worst_and_change, "have changed"),
    ],
    "fuse": [
        (fuse_with(by_two_fits), "second PCA"),
        (fuse_with(by_both), "found with the test images"),
        (fuse_with(by_columns), "the first columns"),
        (fuse_with(by_whitening), "`whiten`"),
        (fuse_with(lambda train, test, width: (2 * train[:, :2], test[:, :2])), "no scaling"),
        (fuse_with(lambda train, test, width: (train, test)), "without projecting"),
        (fuse_with(by_own_means), "centred by its own mean"),
        (fuse_with(by_no_means), "is not subtracted"),
        (fuse_with(by_shrinking), "Do not rescale"),
        (fuse_with(by_changing), "has changed"),
        (fuse_with(lambda train, test, width: by_pca(train, test, 2)), "For width=3, 6 columns"),
        (fuse_then_project, "projected them together"),
        (fuse_test_in_other_order, "in the other order"),
        (lambda *arguments: fuse_with(by_pca)(*arguments)[::-1], "are exchanged"),
        (lambda *arguments: (1, 2), "one row per image"),
        (fuse_sum, "concatenate both instead"),
        (fuse_rows, "side by side: `axis=1`"),
        (lambda *arguments: arguments[0], "Return two arrays"),
    ],
    "split": [
        (lambda left, side, border: (left < border, left >= border), "may still reach across"),
        (
            lambda left, side, border: (left + side <= border, left + side > border),
            "lies across the border",
        ),
        (lambda left, side, border: (left >= border, left + side <= border), "exchanged"),
        (lambda left, side, border: (left + side < border, left >= border), "`left + side <="),
        (lambda left, side, border: (left + side - 1 <= border, left >= border), "is the border"),
        (lambda left, side, border: (left <= border - 2 * side, left >= border), "for training"),
        (lambda left, side, border: (left + side <= border, left >= border + side), "for testing"),
        (lambda left, side, border: (left + side <= border, left >= 100), "the test part is wrong"),
        (split_and_change, "`left` has changed"),
        (lambda left, side, border: (left + side <= border, left > border), "`>=`, not `>`"),
        (lambda left, side, border: (left >= 0, left >= border), "in both parts"),
        (lambda left, side, border: (np.flatnonzero(left + side <= border), left), "not rows"),
        (lambda left, side, border: (left + 32 <= 100, left >= 100), "Use the arguments"),
    ],
}
test_right, test_wrong, test_complete = exercise_cases.tests("05", RIGHT, WRONG)


@pytest.mark.parametrize("answer", RIGHT["unfreeze"])
def test_what_unfreeze_accepts_trains_these_layers_and_no_other(answer):
    base = networks.load("vgg16-mini", False, (32, 32, 3), trained=False)
    outputs = layers.Dense(2, activation="softmax")(layers.Flatten()(base.output))
    model = keras.Model(base.input, outputs)
    answer(model, 4, 1e-2)
    before = {w.path: w.numpy() for w in model.weights}
    x = np.random.default_rng(0).normal(size=(4, 32, 32, 3))
    model.fit(x, np.array([0, 1, 0, 1]), epochs=2, verbose=0)
    changed = {w.path for w in model.weights if not np.array_equal(before[w.path], w.numpy())}
    assert changed == {
        path for path in before if not path.startswith(("block1", "block2", "block3"))
    }
