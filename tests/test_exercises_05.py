"""The exercises of lesson 05: right answers in every form, wrong ones with their words."""

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.decomposition import PCA

import exercise_cases
from transfer_lib.vgg16_mini import VGG16Mini


def unfreeze_names(base):
    base.trainable = True
    for layer in base.layers:
        layer.trainable = "block5" in layer.name


def unfreeze_slice(base):
    base.trainable = True
    names = [layer.name for layer in base.layers]
    for layer in base.layers[: names.index("block5_conv1")]:
        layer.trainable = False


def unfreeze_by_number(base):
    base.trainable = True
    for layer in base.layers[:15]:  # as articles on Keras's VGG16 have it
        layer.trainable = False


def unfreeze_last_three(base):
    base.trainable = True
    for layer in base.layers[:-3]:  # two convolutions and the pooling
        layer.trainable = False


def unfreeze_and_return(base):
    unfreeze_names(base)
    return base


def unfreeze_all(base):
    base.trainable = True


def unfreeze_layers_only(base):
    for layer in base.layers:
        if layer.name.startswith("block5"):
            layer.trainable = True


def unfreeze_then_freeze(base):
    unfreeze_names(base)
    base.trainable = False


def unfreeze_one(base):
    base.trainable = True
    for layer in base.layers:
        layer.trainable = layer.name == "block5_conv2"


def unfreeze_wrong_block(base):
    base.trainable = True
    for layer in base.layers:
        layer.trainable = layer.name.startswith("block1")


def unfreeze_the_name(base):
    base.trainable = True
    for layer in base.layers:
        layer.trainable = layer.name == "block5"


def unfreeze_model_last(base):
    unfreeze_layers_only(base)
    base.trainable = True


def unfreeze_two_blocks(base):
    base.trainable = True
    for layer in base.layers:
        layer.trainable = not layer.name.startswith("block1")


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
        unfreeze_names,
        unfreeze_slice,
        unfreeze_by_number,
        unfreeze_and_return,
        unfreeze_layers_only,
    ],
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
        (unfreeze_all, "Every layer can be trained"),
        (unfreeze_then_freeze, "`False` freezes all again"),
        (unfreeze_the_name, "no layer with weights is"),
        (unfreeze_model_last, "whatever was set before"),
        (unfreeze_one, "A part of block 5"),
        (unfreeze_last_three, "A part of block 5"),
        (unfreeze_wrong_block, "The wrong blocks"),
        (unfreeze_two_blocks, "More than block 5"),
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


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("answer", [unfreeze_names, unfreeze_layers_only])
def test_what_unfreeze_accepts_trains_block_5_and_no_other(answer, nested):
    base = VGG16Mini(include_top=False, weights=None, input_shape=(32, 32, 3))
    base.trainable = False
    answer(base)
    x = keras.Input((32, 32, 3))
    inside = base(x) if nested else base.output
    outputs = layers.Dense(2)(layers.Flatten()(inside))
    model = keras.Model(x if nested else base.input, outputs)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = {w.path: w.numpy() for w in base.weights}
    model.fit(
        np.random.default_rng(0).normal(size=(4, 32, 32, 3)), np.array([0, 1, 0, 1]), verbose=0
    )
    changed = {w.path for w in base.weights if not np.array_equal(before[w.path], w.numpy())}
    assert changed == {path for path in before if "block5" in path}
