"""Exercises of lesson 04."""

from transfer_lib.checking import Wrong, array, call, close, exercise, number
from transfer_lib.exercises import lesson_04_features, lesson_04_questions

MEAN = (103.939, 116.779, 123.68)  # blue, green, red


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


def _numpy(tensors):
    import keras

    return [keras.ops.convert_to_numpy(tensor).copy() for tensor in tensors]


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


cached = lesson_04_features.cached


@exercise(
    "04.forecast",
    hints=[
        "Faces are none of the ten classes that the network was trained for. Which blocks know "
        "least about these classes and still more than single pixels?",
        "Early blocks hold edges and textures, the last one what tells ships from frogs. Stay away "
        "from the last two.",
    ],
)
def forecast(answer, accuracy_by_block):
    """Forecast which block, 1 to 5, has the best features for faces; then compare."""
    value = number(answer, "the block")
    measured = {int(block): float(v) for block, v in accuracy_by_block.items()}
    if value not in measured:
        raise Wrong(f"There is no block {value:g}. Choose a number from 1 to {max(measured)}.")
    block, best = int(value), max(measured, key=measured.get)
    behind = measured[best] - measured[block]
    if 0 < behind <= 3:  # less than single draws of labels differ
        return (
            f"Block {block} is right for {measured[block]:.1f} % of the test images, block {best} "
            f"for {measured[best]:.1f} %: no more than three points apart, so it counts."
        )
    if not behind:
        return f"Block {block} is right for {measured[block]:.1f} % of the test images."
    if block == max(measured):
        raise Wrong(
            f"The last block is {behind:.1f} points behind block {best}. It is shaped most by the "
            "classes of the source, and a face is none of them."
        )
    if block > best:
        raise Wrong(
            f"Block {block} is {behind:.1f} points behind block {best}. It is later, and nearer to "
            "the classes of the source."
        )
    raise Wrong(
        f"Block {block} is {behind:.1f} points behind block {best}. It is earlier, and sees too "
        "little of the image at a time."
    )


@exercise(
    "04.head_parameters",
    hints=[
        "Flattening gives height × width × channels numbers. Each dense layer joins every input "
        "with every unit.",
        "A dense layer has `inputs * units` weights and `units` biases: `(inputs + 1) * units`.",
        "Three layers: `(flat + 1) * 1024`, `(1024 + 1) * 512` and `(512 + 1) * classes`.",
    ],
)
def head_parameters(answer):
    """Count the parameters of Flatten, Dense(1024), Dense(512), Dense(classes)."""
    shape, classes = (7, 7, 512), 5
    flat = 7 * 7 * 512
    value = number(call(answer, shape, classes), "the count")
    right = (flat + 1) * 1024 + 1025 * 512 + 513 * classes
    if value == flat * 1024 + 1024 * 512 + 512 * classes:
        raise Wrong("You counted the weights. Each unit of the three layers also has a bias.")
    if value == 513 * 1024 + 1025 * 512 + 513 * classes:
        raise Wrong(
            "This is for a pooled map. Flatten keeps all places: height × width × channels."
        )
    if value == 50 * 1024 + 1025 * 512 + 513 * classes:
        raise Wrong("The channels are missing. Flatten gives height × width × channels numbers.")
    if value == (flat + 1) * 1024 + 1025 * 512:
        raise Wrong("The last layer, one unit for each class, is missing.")
    if value == (flat + 1) * classes:
        raise Wrong("This is a single dense layer on the flattened map. Two more lie between.")
    if value == flat + 1024 + 512 + classes:
        raise Wrong("You added the sizes of the layers. Between two layers, multiply them.")
    if value == (flat + 1) * 1024 + 1025 * classes:
        raise Wrong("The layer in the middle, Dense(512), is missing.")
    if value == flat * 1024 + 1024 * 512 + 512 * classes + 3:
        raise Wrong("You counted one bias for each layer. Every unit of a layer has its own.")
    if value == flat * 1025 + 1024 * 513 + 512 * (classes + 1):
        raise Wrong(
            "You counted one bias for each input. Each unit has one: `(inputs + 1) * units`."
        )
    if value == right + flat:
        raise Wrong("Flatten has no parameters. Count those of the three dense layers.")
    for units in (1024, 512, classes):
        if value == right - units:
            raise Wrong(f"The {units} biases of Dense({units}) are missing.")
    if value != right:
        raise Wrong(
            f"For a map of {shape} and {classes} classes it is {right:,}, not {value:,.15g}."
        )
    value = number(call(answer, (2, 3, 4), 7))
    if value == 17 * 1024 + 1025 * 512 + 513 * 7 or value == 37 * 1024 + 1025 * 512 + 513 * 7:
        raise Wrong("You used the height or the width twice. A map need not be square.")
    if value != 25 * 1024 + 1025 * 512 + 513 * 7:
        raise Wrong(
            f"For a map of (2, 3, 4) and 7 classes it is {25 * 1024 + 1025 * 512 + 513 * 7:,}, "
            f"not {value:,.15g}. Use the arguments, no fixed numbers for them."
        )
    return f"{right:,} for VGG16's 7 × 7 × 512 and 5 classes; pooled and linear it is 2,565."


@exercise(
    "04.unfreeze",
    hints=[
        "Each layer has a switch of its own, `trainable`, and a loop can set it by its name.",
        "Switch the layers of block 5 on and leave the others off. Switching on the model switches "
        "on all of its layers: whoever does that sets each layer afterwards.",
        "`for layer in base.layers:`, and in it "
        "`layer.trainable = layer.name.startswith('block5')`.",
    ],
)
def unfreeze(answer):
    """Let training change the layers of block 5 and no others."""
    import keras

    from transfer_lib.vgg16_mini import VGG16Mini

    base = VGG16Mini(include_top=False, weights=None, input_shape=(32, 32, 3))
    base.trainable = False
    before = _numpy(base.weights)
    call(answer, base, may_return_none=True)
    if not all((a == b).all() for a, b in zip(before, _numpy(base.weights), strict=True)):
        raise Wrong("The weights have changed. Unfreezing only sets switches.")
    # What `fit` changes in a network around it; `base` itself lists none while it is switched off.
    trainable = {id(weight) for weight in keras.Model(base.input, base.output).trainable_weights}
    block5 = {
        id(w) for layer in base.layers if layer.name.startswith("block5") for w in layer.weights
    }
    if trainable == block5:
        return "Now compile, with a low rate."
    if not trainable:
        if base.trainable:
            raise Wrong(
                "The model is switched on, but no layer with weights is. The names look like "
                "`block5_conv1`: use `startswith('block5')`."
            )
        raise Wrong(
            "Nothing can be trained: all layers of the model that was passed in are frozen. Switch "
            "on those of block 5; For the model, set last, `False` freezes all again."
        )
    if len(trainable) == len(base.weights):
        raise Wrong(
            "Every layer can be trained now. Freeze those of the blocks before block 5, after "
            "`base.trainable = True`: it switches on all layers, whatever was set before."
        )
    if not trainable & block5:
        raise Wrong("The wrong blocks can be trained: block 5 is frozen.")
    if trainable < block5:
        raise Wrong("A part of block 5 is still frozen. All its convolutions belong to it.")
    raise Wrong("More than block 5 can be trained. Choose the layers by their names.")


# The others, in the order of the lesson, and then its questions.
fuse = lesson_04_features.fuse
split = lesson_04_features.split
q_rocket = lesson_04_questions.q_rocket
q_augment = lesson_04_questions.q_augment
q_block = lesson_04_questions.q_block
q_recompile = lesson_04_questions.q_recompile
q_fusion = lesson_04_questions.q_fusion
