"""The exercises of lesson 04: right answers in every form, wrong ones with their words."""

import hashlib

import keras
import numpy as np
import pytest
from keras import layers, ops
from sklearn.decomposition import PCA

import exercise_cases
from exercise_cases import Arguments
from transfer_lib.vgg16_mini import VGG16Mini

MEAN = np.array([103.939, 116.779, 123.68], "float32")


# Preprocess.
def in_place(x):
    x = x.astype("float32", copy=False)[..., ::-1]
    x -= MEAN
    return x


def with_channels(x):
    red, green, blue = (x[..., k].astype("float64") for k in range(3))
    return np.stack([blue - 103.939, green - 116.779, red - 123.68], axis=-1)


def with_tensors(x):
    return ops.flip(ops.convert_to_tensor(x.astype("float32")), axis=-1) - MEAN


# Cut.
def output(base, name):
    return base.get_layer(name).output


def cut_model(base, name):
    return keras.Model(base.input, layers.GlobalAveragePooling2D()(output(base, name)))


def cut_with_ops(base, name):
    return keras.Model(base.inputs, ops.mean(output(base, name), axis=(1, 2)))


def cut_nested(base, name):
    inner = keras.Model(base.input, output(base, name))
    return keras.Sequential([inner, layers.GlobalAveragePooling2D()])


def cut_map(base, name):
    return keras.Model(base.input, output(base, name))


def cut_copy(base, name):
    return cut_model(keras.models.clone_model(base), name)


def cut_with(layer):
    return lambda base, name: keras.Model(base.input, layer(output(base, name)))


def cut_sequential(base, name):
    end = [layer.name for layer in base.layers].index(name) + 1
    return keras.Sequential([*base.layers[:end], layers.GlobalAveragePooling2D()])


def cut_last(base, name):
    return cut_model(base, "block5_pool")


# Cache.
def cache_with(key, pattern="{}.npy"):
    def cached(folder, images, compute):
        path = folder / pattern.format(key(images))
        if not path.exists():
            np.save(path, compute(images))
        return np.load(path)

    return cached


def digest(images):
    return hashlib.sha256(images.tobytes()).hexdigest()


def cache_with_npz(folder, images, compute):
    path = folder / f"features-{hashlib.md5(np.ascontiguousarray(images)).hexdigest()}.npz"
    try:
        return np.load(path)["x"]
    except FileNotFoundError:
        x = compute(images)
        np.savez(path, x=x)
        return x


def cache_with_images(folder, images, compute):
    if (folder / "images.npy").exists():
        if np.array_equal(np.load(folder / "images.npy"), images):
            return np.load(folder / "features.npy")
    np.save(folder / "images.npy", images)
    np.save(folder / "features.npy", compute(images))
    return np.load(folder / "features.npy")


def cache_in_a_folder(folder, images, compute):
    (folder / "features").mkdir(exist_ok=True)
    key = hashlib.sha1(str(images.shape).encode() + images.tobytes()).hexdigest()
    return cache_with(lambda images: key)(folder / "features", images, compute)


def hash_in_hex(images):
    return f"{hash(images.tobytes()):x}"


def cache_always(folder, images, compute):
    np.save(folder / "features.npy", compute(images))
    return np.load(folder / "features.npy")


def cache_never(folder, images, compute):
    return np.load(folder / "features.npy") if list(folder.iterdir()) else compute(images)


def cache_in_batches(folder, images, compute):
    path = folder / f"{digest(images)}.npy"
    if path not in set(folder.iterdir()):
        np.save(path, np.concatenate([compute(images[i : i + 2]) for i in (0, 2, 4)]))
    return np.load(path)


def cache_computing_twice(folder, images, compute):
    path = folder / f"{digest(images)}.npy"
    if not path.exists():
        np.save(path, compute(images))
        return compute(images)
    return np.load(path)


def cache_and_change(folder, images, compute):
    images //= 2
    return cache_with(digest)(folder, images, compute)


MEMORY = {}


def cache_read_from_memory(folder, images, compute):
    path = folder / f"{digest(images)}.npy"
    if path not in MEMORY:
        MEMORY[path] = compute(images)
        np.save(path, MEMORY[path])
    return MEMORY[path]


def cache_in_memory(folder, images, compute):
    if digest(images) not in MEMORY:
        MEMORY[digest(images)] = compute(images)
        (folder / "note.txt").write_text("in memory")
    return MEMORY[digest(images)]


def cache_images(folder, images, compute):
    np.save(folder / "x.npy", images)
    compute(images)
    return images


# Unfreeze.
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


# Fuse.
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


BLOCKS = {1: 95.1, 2: 97.0, 3: 98.6, 4: 92.3, 5: 86.0}

RIGHT = {
    "preprocess": [
        lambda x: x[..., ::-1].astype("float32") - MEAN,
        with_channels,
        with_tensors,
        lambda x: (x - MEAN[::-1])[..., ::-1],
        lambda x: keras.applications.vgg16.preprocess_input(x.astype("float32")),
    ],
    "cut": [cut_model, cut_with_ops, cut_nested, cut_sequential],
    "cached": [
        cache_with(digest),
        cache_with_npz,
        cache_with_images,
        cache_in_a_folder,
        cache_in_batches,
    ],
    "forecast": [
        Arguments([3, BLOCKS]),
        Arguments([np.int64(3), BLOCKS]),
        Arguments([3.0, BLOCKS]),
        Arguments([2, BLOCKS]),  # within three points
    ],
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
    "preprocess": [
        (in_place, "has changed"),
        (lambda x: x.astype("float32") - MEAN, "still red, green, blue"),
        (lambda x: x.astype("float32") - MEAN[::-1], "right for RGB"),
        (lambda x: (x.astype("float32") - MEAN)[..., ::-1], "Red lost the mean of blue"),
        (lambda x: x[..., ::-1].astype("float32") - MEAN[::-1], "subtract `MEAN` as it is"),
        (lambda x: x[..., ::-1] + MEAN, "added the means"),
        (lambda x: x[..., ::-1] / 255 - MEAN, "divided the pixels by 255"),
        (lambda x: (x[..., ::-1] - MEAN).astype("int32"), "rounded the result"),
        (lambda x: x[..., ::-1] - x[..., ::-1].mean(axis=(0, 1, 2)), "subtracted other numbers"),
        (lambda x: x[:, :, ::-1] - MEAN, "another axis"),
        (lambda x: x[..., ::-1].astype("float32"), "not subtracted"),
        (lambda x: x[..., ::-1] / 127.5 - 1, "takes no scaling"),
        (lambda x: x[:, ::-1].astype("float32") - MEAN, "another axis"),
        (lambda x: x[..., ::-1].astype("uint8") - MEAN.astype("uint8"), "no negative value"),
        (lambda x: x[0].astype("float32") - MEAN, "must stay"),
        (lambda x: (x - MEAN)[..., ::-1] - x, "not those of VGG16"),
    ],
    "cut": [
        (cut_with(layers.Flatten()), "You flattened the map"),
        (cut_map, "still a map"),
        (cut_with(layers.GlobalMaxPooling2D()), "*average* pooling"),
        (cut_with(layers.GlobalAveragePooling2D(keepdims=True)), "axes of size 1"),
        (cut_with(lambda x: ops.sum(x, axis=(1, 2))), "the sum over the places"),
        (cut_with(lambda x: ops.mean(x, axis=(2, 3))), "5 numbers are expected"),
        (lambda base, name: cut_model(base, "block4_pool"), "in `layer_name`"),
        (lambda base, name: cut_model(base, "block4_conv2"), "not the means of its channels"),
        (cut_copy, "has new weights"),
        (cut_last, "end of the network"),
        (output, "Return a keras.Model"),
    ],
    "cached": [
        (cache_always, "computed them again"),
        (cache_with(len), "as many of them"),
        (cache_with(lambda images: "features"), "must depend on the pixels"),
        (cache_never, "Nothing was written"),
        (cache_in_memory, "in memory"),
        (cache_images, "is not what `compute(images)` gave"),
        (cache_with(lambda images: hash(images.tobytes())), "differs in every session"),
        (cache_with(lambda images: hash(str(images))), "differs in every session"),
        (cache_with(hash_in_hex), "differs in every session"),
        (cache_with(lambda images: hash(images.tobytes()) % 10**8), "differs in every session"),
        (cache_with(lambda images: hash((5, images.tobytes()))), "differs in every session"),
        (cache_with(id), "not from `id(images)`"),
        (cache_with(digest, "{}"), "Put `.npy` into the name"),
        (cache_computing_twice, "more than once"),
        (cache_and_change, "have changed"),
        (cache_read_from_memory, "from memory, and a new session has none"),
        (cache_with(lambda images: images.sum()), "in another order"),
        (cache_with(lambda images: str(images.sum(axis=(1, 2, 3)))), "flipped"),
        (cache_with(lambda images: images[0].tobytes()[:20].hex()), "are not enough"),
        (cache_with(lambda images: hashlib.sha256(str(images).encode()).hexdigest()), "one pixel"),
    ],
    "forecast": [
        (Arguments([5, BLOCKS]), "The last block is 12.6 points behind"),
        (Arguments([4, BLOCKS]), "It is later"),
        (Arguments([1, BLOCKS]), "It is earlier"),
        (Arguments([6, BLOCKS]), "no block 6"),
        (Arguments([2.5, BLOCKS]), "no block 2.5"),
        (Arguments([float("inf"), BLOCKS]), "no block inf"),
    ],
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
test_right, test_wrong, test_complete = exercise_cases.tests("04", RIGHT, WRONG)


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
