"""The exercises of lesson 04: right answers in every form, wrong ones with their words."""

import hashlib

import keras
import numpy as np
from keras import layers, ops

import exercise_cases
from exercise_cases import Arguments

MEAN = np.array([103.939, 116.779, 123.68], "float32")


def in_place(x):
    x = x.astype("float32", copy=False)[..., ::-1]
    x -= MEAN
    return x


def with_channels(x):
    red, green, blue = (x[..., k].astype("float64") for k in range(3))
    return np.stack([blue - 103.939, green - 116.779, red - 123.68], axis=-1)


def with_tensors(x):
    return ops.flip(ops.convert_to_tensor(x.astype("float32")), axis=-1) - MEAN


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
}
test_right, test_wrong, test_complete = exercise_cases.tests("04", RIGHT, WRONG)
