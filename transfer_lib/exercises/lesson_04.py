"""Exercises of lesson 04."""

from transfer_lib.practice import LearnerError, Wrong, array, call, close, exercise, number

MEAN = (103.939, 116.779, 123.68)  # blue, green, red
NO_SUFFIX = (
    "`np.save` adds `.npy` to a name without it, so the file that you look for is not there. Put "
    "`.npy` into the name yourself."
)


def _small_vgg():
    """Return a narrow network with some of VGG16's layers and random weights, for 16 pixels."""
    import keras

    x = inputs = keras.Input((16, 16, 3))
    for block, width in ((1, 3), (4, 5), (5, 7)):
        for conv in (1, 2):
            name = f"block{block}_conv{conv}"
            x = keras.layers.Conv2D(
                width,
                3,
                padding="same",
                activation="relu",
                kernel_initializer=keras.initializers.HeNormal(seed=10 * block + conv),
                name=name,
            )(x)
        x = keras.layers.MaxPooling2D(name=f"block{block}_pool")(x)
    return keras.Model(inputs, x)


def _in_another_session(used):
    """Return `hash` with another salt for bytes and text; it notes in `used` that it was called."""
    original = hash

    def salted(value):
        if isinstance(value, (bytes, str)):
            used.append(value)
            return original(("another session", value))
        if isinstance(value, tuple):
            return original(tuple(salted(part) for part in value))
        return original(value)

    return salted


@exercise(
    "04.preprocess",
    hints=[
        "Three things: the order of the channels, the mean of each, and the type. No scaling.",
        "`x[..., ::-1]` turns RGB into BGR. `MEAN` holds the means of blue, green and red.",
        '`return x[..., ::-1].astype("float32") - MEAN`',
    ],
)
def preprocess(answer):
    """Return RGB pixels from 0 to 255 as VGG16's input: BGR, minus the means."""
    import numpy as np

    x = np.random.default_rng(0).integers(0, 256, size=(2, 4, 5, 3)).astype("uint8")
    mean = np.array(MEAN, "float32")
    as_float = x.astype("float32")
    changes = (
        "The array that was passed in has changed. `-=` and `/=` write into it, also through a "
        "view such as `x[..., ::-1]`. Make a new array."
    )
    for given in (x, as_float):
        value = array(call(answer, given, mutation=changes))
        if value.shape != x.shape:
            raise Wrong(f"The shape {x.shape} became {value.shape}. It must stay.")
        right = as_float[..., ::-1] - mean
        if close(value, right, atol=0.01):
            continue
        if close(value, as_float - mean, atol=0.01):
            raise Wrong("The channels are still red, green, blue. Reverse their order first.")
        if close(value, as_float - mean[::-1], atol=0.01):
            raise Wrong("The means are right for RGB, but VGG16 takes BGR: reverse the channels.")
        if close(value, (as_float - mean)[..., ::-1], atol=0.01):
            raise Wrong(
                "Red lost the mean of blue. `MEAN` is already in the order blue, green, red: "
                "reverse the channels first, then subtract `MEAN` as it is."
            )
        if close(value, as_float[..., ::-1], atol=0.01):
            raise Wrong("The channels are reversed, but the means are not subtracted.")
        if close(value, as_float[..., ::-1] + mean, atol=0.01):
            raise Wrong("You added the means. Subtract them.")
        if close(value, as_float[..., ::-1] / 255 - mean, atol=0.01):
            raise Wrong("You divided the pixels by 255. VGG16 takes no scaling.")
        if np.abs(value).max() < 5:
            raise Wrong("The values are small: you scaled the pixels. VGG16 takes no scaling.")
        if value.min() >= 0:
            raise Wrong(
                "There is no negative value. Did unsigned integers wrap around? Turn `x` into "
                "float32 before you subtract."
            )
        if any(close(value, np.flip(as_float, axis) - mean, atol=0.01) for axis in range(3)):
            raise Wrong("You reversed another axis. The channels are the last: `x[..., ::-1]`.")
        if np.abs(value - right).max() < 1:
            raise Wrong("You rounded the result to integers. Return float32.")
        if np.allclose(np.ptp(value - as_float[..., ::-1], axis=(0, 1, 2)), 0, atol=0.01):
            raise Wrong("You subtracted other numbers. Take the means of ImageNet, in `MEAN`.")
        raise Wrong("The values are not those of VGG16: BGR, minus the means, nothing else.")


@exercise(
    "04.cut",
    hints=[
        "A Keras model can end at any layer of another one: it needs an input and an output.",
        "`base.get_layer(layer_name).output` is the output to pool.",
        "`keras.Model(base.input, keras.layers.GlobalAveragePooling2D()(output))`",
    ],
)
def cut(answer):
    """Return a model from images to the global average pooled output of a named layer."""
    import warnings

    import keras
    import numpy as np

    base = _small_vgg()
    x = np.random.default_rng(0).normal(size=(3, 16, 16, 3)).astype("float32")
    for name in ("block4_pool", "block1_conv2"):
        model = call(answer, base, name)
        if not isinstance(model, keras.Model):
            raise Wrong(f"Return a keras.Model; this is a {type(model).__name__}.")
        maps = keras.Model(base.input, base.get_layer(name).output)(x)
        maps = keras.ops.convert_to_numpy(maps)
        shape, channels = tuple(model.output_shape), maps.shape[-1]
        if shape == (None, 1, 1, channels):
            raise Wrong(
                f"The output is pooled, but still has the shape {shape[1:]}. Drop the two axes of "
                "size 1: `GlobalAveragePooling2D()` does."
            )
        if len(shape) == 4:
            raise Wrong(f"The output is still a map of shape {shape[1:]}. Pool it over its places.")
        if shape[-1] == maps[0].size:
            raise Wrong(
                f"You flattened the map: {maps[0].size} numbers. Pooling leaves one number per "
                f"channel, {channels}."
            )
        if shape[-1] == 7:
            raise Wrong("This is the end of the network. Cut it after the layer `layer_name`.")
        if name != "block4_pool" and shape == (None, 5):
            raise Wrong(
                "For two layer names you cut after the same block. Take the layer whose name is "
                "in `layer_name`."
            )
        if shape != (None, channels):
            raise Wrong(
                f"For `{name}`, {channels} numbers are expected for each image, one per channel; "
                f"yours has {shape[1:]}."
            )
        own = {id(weight) for weight in model.weights}
        if not own & {id(weight) for weight in base.weights}:
            raise Wrong("The model has new weights. Use the layers of `base` itself, not copies.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a model from `base.inputs` warns of a list of one
            value = keras.ops.convert_to_numpy(model(x))
        if close(value, maps.max(axis=(1, 2)), rtol=1e-3, atol=1e-5):
            raise Wrong(
                "This takes the maximum of each channel. Global *average* pooling is asked."
            )
        if close(value, maps.sum(axis=(1, 2)), rtol=1e-3, atol=1e-5):
            raise Wrong("This is the sum over the places of each channel. Take their mean.")
        if not close(value, maps.mean(axis=(1, 2)), rtol=1e-3, atol=1e-5):
            raise Wrong(
                f"For `{name}`, the numbers are not the means of its channels. Pool the output of "
                "that layer, and nothing before or after it."
            )


@exercise(
    "04.cached",
    hints=[
        "Which file belongs to these images and this recipe? Its name must depend on both.",
        "`hashlib.sha256(content).hexdigest()` turns bytes into a short name. `images.tobytes()` "
        "are the bytes of the images, `recipe.encode()` those of the recipe.",
        "Look whether the file is there; only if it is not, compute and save. Then load it.",
    ],
)
def cached(answer):
    """Compute features once for each set of images and recipe; read them from the folder later."""
    import shutil
    import tempfile
    from pathlib import Path
    from unittest import mock

    import numpy as np

    calls, hashes = [], []
    changes = "The images that were passed in have changed. Leave them as they are."

    def compute(x):
        calls.append(len(x))
        return x.reshape(len(x), -1).astype("float32").sum(axis=1, keepdims=True)

    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 256, size=(2, 5, 32, 32, 3)).astype("uint8")
    features = compute(one)
    nearly = one.copy()
    nearly[2, 16, 16, 1] ^= 255  # a single value in the middle

    def ask(folder, images, recipe="vgg16-mini, block3_pool"):
        """Return the learner's features, and for how many images they were computed."""
        calls.clear()
        try:
            value = array(call(answer, folder, images, recipe, compute, mutation=changes))
        except LearnerError as error:
            missing = getattr(error.__cause__, "filename", None)
            if missing is not None and Path(f"{missing}.npy").exists():
                raise Wrong(NO_SUFFIX) from None
            raise
        return value, sum(calls)

    with tempfile.TemporaryDirectory() as name:
        folder, later = Path(name, "one"), Path(name, "two")
        folder.mkdir()
        first, computed = ask(folder, one)
        if not computed:
            raise Wrong("The features were never computed. Call `compute(images)` the first time.")
        if not close(first, features):
            raise Wrong("What you return is not what `compute(images)` gave.")
        if not any(folder.rglob("*")):
            raise Wrong("Nothing was written into `folder`, so another session starts anew.")
        if computed > len(one):
            raise Wrong(
                "The first call computed the features more than once. Keep what "
                "`compute(images)` returns in a variable, or read it from the file."
            )
        again, computed = ask(folder, one)
        if computed:
            raise Wrong(
                "The second call for the same images computed them again. Look first whether the "
                "file is there, under its full name (`np.save` adds `.npy` where it is missing), "
                "and make the name from the pixels, not from `id(images)`."
            )
        if not close(again, first):
            raise Wrong("The second call for the same images returned other features.")
        shutil.copytree(folder, later)  # the same files, unknown to anything in memory
        if ask(later, one)[1]:
            raise Wrong(
                "With the same files in another folder they were computed again: you read the "
                "features from memory, and a new session has none. Read them from the file."
            )
        with mock.patch("builtins.hash", _in_another_session(hashes)):
            _, computed = ask(later, one)
        if computed and hashes:
            raise Wrong(
                "Python's `hash` of bytes or text differs in every session, so the file is never "
                "found again. Use `hashlib.sha256`."
            )
        second, _ = ask(folder, other)
        if close(second, first):
            raise Wrong(
                "Other images, as many of them, got the features of the first ones. The file's "
                "name must depend on the pixels."
            )
        if not close(second, compute(other)):
            raise Wrong("For a second set of images the features are wrong.")
        if not ask(folder, nearly)[1]:
            raise Wrong(
                "Images that differ in one pixel got the features of the first ones. The first "
                "image or the first bytes are not enough, and the text of a large array leaves "
                "out its middle: take all pixels, with `images.tobytes()`."
            )
        for recipe in ("vgg16-mini, block4_pool", "vgg16, block3_pool", "vgg16-mini, block3_poo1"):
            if not ask(folder, one, recipe)[1]:
                raise Wrong(
                    f"The same images with the recipe {recipe!r} got the features of another "
                    "recipe: another network or layer. The file's name must depend on all of "
                    "`recipe` as well."
                )
        for change, images in (("in another order", one[::-1]), ("flipped", one[:, :, ::-1])):
            if not ask(folder, images.copy())[1]:
                raise Wrong(
                    f"The same images, {change}, got the features of the first ones. A sum or a "
                    "mean does not tell them apart: take all pixels, with `images.tobytes()`."
                )
    with tempfile.TemporaryDirectory() as name:
        if not ask(Path(name), one)[1]:
            raise Wrong(
                "For an empty folder nothing was computed: you keep the features in memory, not "
                "in the folder."
            )


@exercise(
    "04.diagnose",
    hints=[
        "Right inputs run from about -1 to about 1. What is the smallest value of the other three, "
        "and what the largest?",
        "From 0 to 255: the largest is far above 1. Twice: `(-1 - 127) / 128` is about -1 and "
        "`(1 - 127) / 128` about -0.98, so even the largest is below -0.9.",
        "What is left lies between -1 and 1. Right inputs have negative values, the others none.",
    ],
)
def diagnose(answer):
    """Tell from smallest and largest value what was done to a batch of photographs."""
    import numpy as np

    rng = np.random.default_rng(0)
    batches = [rng.integers(0, 256, (4, 8, 8, 3)).astype("float32")]
    batches += [batches[0] * 0.9 + 10, batches[0] * 0.5 + 2]  # flat ones, and dark ones

    def prepare(x):
        return (x - 127) / 128

    cases = {
        "right": (prepare, "`(pixels - 127) / 128`"),
        "0 to 1": (lambda x: x / 255, "`pixels / 255`"),
        "0 to 255": (lambda x: x, "the pixels themselves"),
        "twice": (lambda x: prepare(prepare(x)), "`(pixels - 127) / 128` done twice"),
    }
    for pixels in batches:
        for right, (change, words) in cases.items():
            x = change(pixels)
            value = call(answer, x.copy())
            if not isinstance(value, str) or value not in cases:
                raise Wrong(
                    f"Return one of the four texts {', '.join(map(repr, cases))}; this is "
                    f"{value!r}."
                )
            if value != right:
                raise Wrong(
                    f"For {words}, with values from {x.min():.2f} to {x.max():.2f}, you say "
                    f"{value!r}. It is {right!r}."
                )


@exercise(
    "04.choose",
    hints=[
        "For each layer: five accuracies. Which number stands for the five?",
        "Their mean. Put the means of all layers into a list; `np.argmax` finds the largest.",
        "`cross_val_score(model, x, y, cv=5).mean()` with a fresh `make_pipeline(StandardScaler(), "
        "LogisticRegression(max_iter=1000))` for each `x` in `layers`.",
    ],
)
def choose(answer):
    """Return the place of the layer with the best cross-validated accuracy."""
    import numpy as np

    for seed, best in ((0, 1), (1, 2), (2, 3)):
        rng = np.random.default_rng(seed)
        y = np.tile([0, 1, 2], 20)  # sorted labels would be a trap of its own
        layers = [rng.normal(size=(60, 6)) for _ in range(4)]
        layers[best - 1] = 50 * rng.normal(size=(60, 80))  # is learned by heart
        layers[best - 1][:, :3] += 90 * np.eye(3)[y]
        layers[(best + 1) % 4][:] = 1  # nothing at all: the worst
        layers[best][:, :3] += 2 * np.eye(3)[y]
        layers[(best + 2) % 4][:, :3] += 0.5 * np.eye(3)[y]
        value = number(call(answer, [x.copy() for x in layers], y.copy()), "the layer")
        if value == best:
            continue
        if value == best + 1:
            raise Wrong(f"You chose layer {value:g}, counting from 1. `np.argmax` counts from 0.")
        if value == best - 1:
            raise Wrong(
                f"Layer {value:g} has many numbers that say little of the labels. A model that was "
                "fitted to labels gets them right, and others it does not know: score labels that "
                "it has not seen, with `cross_val_score`."
            )
        if value not in range(4):
            raise Wrong(f"There is no layer {value:g}. Return a whole number from 0 to 3.")
        raise Wrong(
            f"You chose layer {value:g}, and layer {best} is best in cross-validation. Compare the "
            "means of the five accuracies, and take the place of the largest."
        )
