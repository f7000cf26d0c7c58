"""The exercises of lesson 04: right answers in every form, wrong ones with their words."""

import hashlib

import keras
import numpy as np
from keras import layers, ops
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import exercise_cases

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
    """Return a cache whose files are named after key(images, recipe)."""

    def cached(folder, images, recipe, compute):
        path = folder / pattern.format(key(images, recipe))
        if not path.exists():
            np.save(path, compute(images))
        return np.load(path)

    return cached


def digest(images, recipe):
    return hashlib.sha256(images.tobytes() + recipe.encode()).hexdigest()


def beside(key):
    """Return a cache named after key(images), with the whole recipe beside it."""
    return cache_with(lambda images, recipe: f"{key(images)}-{recipe.encode().hex()}")


def digest_of_images(images):
    return hashlib.sha256(images.tobytes()).hexdigest()


def cache_with_npz(folder, images, recipe, compute):
    key = hashlib.md5(np.ascontiguousarray(images)).hexdigest()
    path = folder / f"{recipe.replace(', ', '-')}-{key}.npz"
    try:
        return np.load(path)["x"]
    except FileNotFoundError:
        x = compute(images)
        np.savez(path, x=x)
        return x


def cache_with_images(folder, images, recipe, compute):
    folder = folder / recipe
    folder.mkdir(exist_ok=True)
    if (folder / "images.npy").exists():
        if np.array_equal(np.load(folder / "images.npy"), images):
            return np.load(folder / "features.npy")
    np.save(folder / "images.npy", images)
    np.save(folder / "features.npy", compute(images))
    return np.load(folder / "features.npy")


def cache_in_a_folder(folder, images, recipe, compute):
    (folder / "features").mkdir(exist_ok=True)
    key = hashlib.sha1(f"{images.shape} {recipe}".encode() + images.tobytes()).hexdigest()
    return cache_with(lambda *_: key)(folder / "features", images, recipe, compute)


def hash_in_hex(images):
    return f"{hash(images.tobytes()):x}"


def cache_always(folder, images, recipe, compute):
    np.save(folder / "features.npy", compute(images))
    return np.load(folder / "features.npy")


def cache_never(folder, images, recipe, compute):
    return np.load(folder / "features.npy") if list(folder.iterdir()) else compute(images)


def cache_in_batches(folder, images, recipe, compute):
    path = folder / f"{digest(images, recipe)}.npy"
    if path not in set(folder.iterdir()):
        np.save(path, np.concatenate([compute(images[i : i + 2]) for i in (0, 2, 4)]))
    return np.load(path)


def cache_computing_twice(folder, images, recipe, compute):
    path = folder / f"{digest(images, recipe)}.npy"
    if not path.exists():
        np.save(path, compute(images))
        return compute(images)
    return np.load(path)


def cache_and_change(folder, images, recipe, compute):
    images //= 2
    return cache_with(digest)(folder, images, recipe, compute)


MEMORY = {}


def cache_read_from_memory(folder, images, recipe, compute):
    path = folder / f"{digest(images, recipe)}.npy"
    if path not in MEMORY:
        MEMORY[path] = compute(images)
        np.save(path, MEMORY[path])
    return MEMORY[path]


def cache_in_memory(folder, images, recipe, compute):
    key = digest(images, recipe)
    if key not in MEMORY:
        MEMORY[key] = compute(images)
        (folder / "note.txt").write_text("in memory")
    return MEMORY[key]


def cache_images(folder, images, recipe, compute):
    np.save(folder / "x.npy", images)
    compute(images)
    return images


def by_extremes(x):
    low, high = float(np.min(x)), float(np.max(x))
    if low < -0.9 and high < -0.9:
        return "twice"
    if low < 0:
        return "right"
    return "0 to 1" if high <= 1 else "0 to 255"


def by_spread(x):
    if np.ptp(x) > 20:
        return "0 to 255"
    if np.ptp(x) < 0.05:
        return "twice"
    return "right" if (x < 0).any() else "0 to 1"


def by_match(x):
    match tuple(map(bool, (x.max() > 2, x.mean() < -0.95, x.min() < 0))):
        case (True, _, _):
            return "0 to 255"
        case (_, True, _):
            return "twice"
        case (_, _, negative):
            return "right" if negative else "0 to 1"


def classifier():
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def choose_with(score, best=np.argmax):
    return lambda layers, y: best([score(x, y) for x in layers])


def crossed(x, y):
    return cross_val_score(classifier(), x, y, cv=5).mean()


def choose_with_loop(layers, y):
    best, found = -1, None
    for number, x in enumerate(layers):
        if (value := cross_val_score(LogisticRegression(max_iter=5000), x, y, cv=5).mean()) > best:
            best, found = value, number
    return found


def choose_with_predictions(layers, y):
    right = [(cross_val_predict(classifier(), x, y, cv=5) == y).sum() for x in layers]
    return max(range(len(layers)), key=right.__getitem__)


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
        beside(digest_of_images),
    ],
    "diagnose": [by_extremes, by_spread, by_match],
    "choose": [choose_with(crossed), choose_with_loop, choose_with_predictions],
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
        (cache_with(lambda images, _: len(images)), "as many of them"),
        (cache_with(lambda images, recipe: recipe), "must depend on the pixels"),
        (cache_with(lambda images, _: digest_of_images(images)), "another recipe"),
        (cache_with(lambda i, r: digest_of_images(i) + r.split(",")[0]), "another recipe"),
        (cache_with(lambda i, r: digest_of_images(i) + r[-5:]), "another recipe"),
        (cache_never, "Nothing was written"),
        (cache_in_memory, "in memory"),
        (cache_images, "is not what `compute(images)` gave"),
        (beside(lambda images: hash(images.tobytes())), "differs in every session"),
        (beside(lambda images: hash(str(images))), "differs in every session"),
        (beside(hash_in_hex), "differs in every session"),
        (beside(lambda images: hash(images.tobytes()) % 10**8), "differs in every session"),
        (beside(lambda images: hash((5, images.tobytes()))), "differs in every session"),
        (beside(id), "not from `id(images)`"),
        (cache_with(digest, "{}"), "Put `.npy` into the name"),
        (cache_computing_twice, "more than once"),
        (cache_and_change, "have changed"),
        (cache_read_from_memory, "from memory, and a new session has none"),
        (beside(lambda images: images.sum()), "in another order"),
        (beside(lambda images: str(images.sum(axis=(1, 2, 3)))), "flipped"),
        (beside(lambda images: images[0].tobytes()[:20].hex()), "are not enough"),
        (beside(lambda images: hashlib.sha256(str(images).encode()).hexdigest()), "one pixel"),
    ],
    "diagnose": [
        (lambda x: "fine", "one of the four texts"),
        (lambda x: "right", "It is '0 to 1'"),
        (lambda x: "twice" if x.min() < -0.9 else by_extremes(x), "you say 'twice'"),
        (lambda x: "0 to 255" if x.max() > 0.5 else by_extremes(x), "you say '0 to 255'"),
        (lambda x: by_extremes(x) if x.max() > 0 else "right", "done twice"),
        (lambda x: x.max() > 2, "one of the four texts"),
        (lambda x: ["right"], "this is ['right']"),
    ],
    "choose": [
        (choose_with(crossed, lambda means: np.argmax(means) + 1), "counting from 1"),
        (choose_with(lambda x, y: classifier().fit(x, y).score(x, y)), "does not know"),
        (choose_with(crossed, np.argmin), "You chose layer"),
        (choose_with(crossed, np.max), "There is no layer"),
        (choose_with(crossed, lambda means: 9), "There is no layer 9"),
    ],
}
test_right, test_wrong, test_complete = exercise_cases.tests("04", RIGHT, WRONG)
