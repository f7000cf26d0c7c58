"""Exercises of lesson 04."""

from transfer_lib.checking import Wrong, array, call, close, exercise, number
from transfer_lib.questions import Question

MEAN = (103.939, 116.779, 123.68)  # blue, green, red


def _small_vgg():
    """Return a narrow network with VGG16's layer names and random weights: 16 pixels, 3 blocks."""
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

    x = np.random.default_rng(0).integers(0, 256, size=(2, 4, 4, 3)).astype("uint8")
    mean = np.array(MEAN, "float32")
    as_float = x.astype("float32")
    for given in (x, as_float.copy()):
        before = given.copy()
        value = array(call(answer, given))
        if not np.array_equal(given, before):
            raise Wrong(
                "The array that was passed in has changed. `-=` and `/=` write into it, also "
                "through a view such as `x[..., ::-1]`. Make a new array."
            )
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
                "You subtracted before the swap, so red lost the mean of blue. Reverse the "
                "channels first: `MEAN` is in the order blue, green, red."
            )
        if close(value, as_float[..., ::-1], atol=0.01):
            raise Wrong("The channels are reversed, but the means are not subtracted.")
        if np.abs(value).max() < 5:
            raise Wrong("The values are small: you scaled the pixels. VGG16 takes no scaling.")
        if value.min() >= 0:
            raise Wrong(
                "There is no negative value. Did unsigned integers wrap around? Turn `x` into "
                "float32 before you subtract."
            )
        if close(value, as_float[:, ::-1] - mean, atol=0.01) or close(
            value, as_float[::-1] - mean, atol=0.01
        ):
            raise Wrong("You reversed another axis. The channels are the last: `x[..., ::-1]`.")
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
    model = call(answer, base, "block4_pool")
    if not isinstance(model, keras.Model):
        raise Wrong(f"Return a keras.Model; this is a {type(model).__name__}.")
    shape = tuple(model.output_shape)
    if len(shape) == 4:
        raise Wrong(f"The output is still a map of shape {shape[1:]}. Pool it over its places.")
    if shape[-1] == 4 * 4 * 5:
        raise Wrong("You flattened the map: 80 numbers. Pooling leaves one number per channel, 5.")
    if shape[-1] == 7:
        raise Wrong("This is the end of the network. Cut it after the layer `layer_name`.")
    if shape != (None, 5):
        raise Wrong(f"Expected 5 numbers for each image, one per channel; yours has {shape[1:]}.")
    own = {id(weight) for weight in model.weights}
    if not own & {id(weight) for weight in base.weights}:
        raise Wrong("The model has new weights. Use the layers of `base` itself, not copies.")
    x = np.random.default_rng(0).normal(size=(3, 16, 16, 3)).astype("float32")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a model made from `base.inputs` warns of a list of one
        value = keras.ops.convert_to_numpy(model(x))
    maps = keras.Model(base.input, base.get_layer("block4_pool").output)(x)
    maps = keras.ops.convert_to_numpy(maps)
    if close(value, maps.max(axis=(1, 2)), rtol=1e-3, atol=1e-5):
        raise Wrong("This takes the maximum of each channel. Global *average* pooling is asked.")
    if not close(value, maps.mean(axis=(1, 2)), rtol=1e-3, atol=1e-5):
        raise Wrong("The numbers are not the means of the channels of that layer.")


@exercise(
    "04.cached",
    hints=[
        "Which file belongs to these images? Its name must depend on what the images hold.",
        "`hashlib.sha256(images.tobytes()).hexdigest()` is such a name.",
        "If the file is not there: `np.save(path, compute(images))`. Then `return np.load(path)`.",
    ],
)
def cached(answer):
    """Compute features once for each set of images, and read them from the folder afterwards."""
    import tempfile
    from pathlib import Path

    import numpy as np

    calls = []

    def compute(x):
        calls.append(len(x))
        return x.reshape(len(x), -1).astype("float32").sum(axis=1, keepdims=True)

    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 256, size=(2, 5, 4, 4, 3)).astype("uint8")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = array(call(answer, folder, one, compute))
        if not calls:
            raise Wrong("The features were never computed. Call `compute(images)` the first time.")
        if not close(first, compute(one)):
            raise Wrong("What you return is not what `compute(images)` gave.")
        if not any(folder.rglob("*")):
            raise Wrong("Nothing was written into `folder`, so another session starts anew.")
        calls.clear()
        again = array(call(answer, folder, one, compute))
        if calls:
            raise Wrong(
                "The second call for the same images computed them again. Look first whether the "
                "file is there."
            )
        if not close(again, first):
            raise Wrong("The second call for the same images returned other features.")
        second = array(call(answer, folder, other, compute))
        if close(second, first):
            raise Wrong(
                "Other images, as many of them, got the features of the first ones. The file's "
                "name must depend on the pixels."
            )
        if not close(second, compute(other)):
            raise Wrong("For a second set of images the features are wrong.")
    with tempfile.TemporaryDirectory() as name:
        calls.clear()
        call(answer, Path(name), one, compute)
        if not calls:
            raise Wrong(
                "For an empty folder nothing was computed: you keep the features in memory, not "
                "in the folder."
            )


@exercise(
    "04.forecast",
    hints=[
        "Faces are none of the ten classes that the network was trained for. Which blocks know "
        "least about these classes and still more than single pixels?",
        "Early blocks hold edges and textures, the last one what tells ships from frogs. Look at "
        "the middle.",
    ],
)
def forecast(answer, accuracy_by_block):
    """Forecast which block, 1 to 5, has the best features for faces; then compare."""
    value = number(answer, "the block")
    measured = {int(block): float(v) for block, v in accuracy_by_block.items()}
    if value != int(value) or int(value) not in measured:
        raise Wrong(f"There is no block {value:g}. Choose a number from 1 to {max(measured)}.")
    block, best = int(value), max(measured, key=measured.get)
    behind = measured[best] - measured[block]
    if behind <= 1:
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
    if value == (flat + 1) * 1024 + 1025 * 512:
        raise Wrong("The last layer, one unit for each class, is missing.")
    if value == (flat + 1) * classes:
        raise Wrong("This is a single dense layer on the flattened map. Two more lie between.")
    if value == flat + 1024 + 512 + classes:
        raise Wrong("You added the sizes of the layers. Between two layers, multiply them.")
    if value != right:
        raise Wrong(
            f"For a map of {shape} and {classes} classes it is {right:,}, not {value:,.0f}."
        )
    if number(call(answer, (2, 3, 4), 7)) != 25 * 1024 + 1025 * 512 + 513 * 7:
        raise Wrong("For another shape the count is wrong. Use the arguments.")
    return f"{right:,} for VGG16's 7 × 7 × 512 and 5 classes; pooled and linear it is 2,565."


@exercise(
    "04.unfreeze",
    hints=[
        "A frozen model keeps all its layers frozen, whatever they say themselves.",
        "So switch the model on first, then set each layer: `for layer in base.layers:`.",
        "`base.trainable = True`, then `layer.trainable = layer.name.startswith('block5')`.",
    ],
)
def unfreeze(answer):
    """Let training change the layers of block 5 and no others."""
    base = _small_vgg()
    base.trainable = False
    before = _numpy(base.weights)
    call(answer, base, may_return_none=True)
    if not all((a == b).all() for a, b in zip(before, _numpy(base.weights), strict=True)):
        raise Wrong("The weights have changed. Unfreezing only sets switches.")
    trainable = {id(weight) for weight in base.trainable_weights}
    block5 = {
        id(w) for layer in base.layers if layer.name.startswith("block5") for w in layer.weights
    }
    if trainable == block5:
        return "Now compile, with a low rate."
    if not trainable:
        says = any(layer.trainable for layer in base.layers if layer.weights)
        if says and not base.trainable:
            raise Wrong(
                "The layers of block 5 are switched on, but the model around them is still frozen "
                "and overrules them. Set `base.trainable = True` first, then each layer."
            )
        raise Wrong(
            "Nothing can be trained. If you set `base.trainable` last, it overwrites all layers."
        )
    if len(trainable) == len(base.weights):
        raise Wrong("Every layer can be trained now. Freeze those of the blocks before block 5.")
    if not trainable & block5:
        raise Wrong("The wrong blocks can be trained: block 5 is frozen.")
    if trainable < block5:
        raise Wrong("A part of block 5 is still frozen. All its convolutions belong to it.")
    raise Wrong("More than block 5 can be trained. Choose the layers by their names.")


@exercise(
    "04.fuse",
    hints=[
        "For each set: fit `PCA(width)` on the training part, then transform both parts with it.",
        "`np.concatenate([a, b], axis=1)` puts columns side by side.",
        "`pca = PCA(width).fit(a_train)`, then `pca.transform(a_train)`, `pca.transform(a_test)`; "
        "the same for `b`.",
    ],
)
def fuse(answer):
    """Project two sets of features by PCA of their training parts, and concatenate them."""
    import numpy as np
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(0)

    def features(n, columns, shift):
        return rng.normal(size=(n, columns)) * np.linspace(3, 1, columns) + shift

    a, b = (features(30, 6, 1), features(12, 6, 3)), (features(30, 5, 2), features(12, 5, 0))
    width = 2
    result = call(answer, *a, *b, width)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Wrong("Return two arrays: the fused training features and the fused test features.")
    train, test = (array(part) for part in result)
    if len(train) != 30 or len(test) != 12:
        raise Wrong(
            f"The parts have {len(train)} and {len(test)} rows instead of 30 and 12. Columns are "
            "put side by side: `axis=1`."
        )
    if train.shape[1] == width:
        raise Wrong("There are `width` columns. Sum and product do that; concatenate instead.")
    if train.shape[1] == 11:
        raise Wrong("You put the features side by side without projecting them.")
    if train.shape[1] != 2 * width or test.shape[1] != 2 * width:
        raise Wrong(f"Expected {2 * width} columns, got {train.shape[1]} and {test.shape[1]}.")

    def products(pairs):  # the same for every sign and rotation within a projection
        train, test = (np.concatenate(parts, axis=1) for parts in zip(*pairs, strict=True))
        return train @ train.T, train @ test.T

    def matches(fit):
        pairs = [tuple(fit(*one)) for one in (a, b)]
        right = products(pairs)
        return close(train @ train.T, right[0], atol=1e-4) and close(
            train @ test.T, right[1], atol=1e-4
        )

    def both(x, x_new):
        pca = PCA(width).fit(np.concatenate([x, x_new]))
        return pca.transform(x), pca.transform(x_new)

    def whitened(x, x_new):
        pca = PCA(width, whiten=True).fit(x)
        return pca.transform(x), pca.transform(x_new)

    def right_one(x, x_new):
        pca = PCA(width).fit(x)
        return pca.transform(x), pca.transform(x_new)

    if matches(right_one):
        return
    if matches(whitened):
        raise Wrong("The projections are scaled to one size (`whiten`). Leave them as they are.")
    if close(train @ train.T, products([right_one(*a), right_one(*b)])[0], atol=1e-4):
        raise Wrong(
            "The training part is right, the test part is not. Was a second PCA fitted on the "
            "test part? Its directions are others: transform it with the first."
        )
    if matches(both):
        raise Wrong("The directions were found with the test images. Fit on the training part.")
    if matches(lambda x, x_new: (x[:, :width], x_new[:, :width])):
        raise Wrong("You took the first columns. Project onto main directions, with `PCA`.")
    raise Wrong(
        "These are not the projections. Fit `PCA(width)` on each training part; no scaling."
    )


@exercise(
    "04.split",
    hints=[
        "A patch covers the columns from `left` to `left + side - 1`.",
        "It ends left of the border when `left + side <= border`.",
        "`return left + side <= border, left >= border`",
    ],
)
def split(answer):
    """Return masks of training and test patches that share no pixel."""
    import numpy as np

    left, side, border = np.array([0, 50, 68, 69, 80, 99, 100, 101, 150]), 32, 100
    right = left + side <= border, left >= border
    result = call(answer, left, side, border)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Wrong("Return two arrays of truth values: one for training, one for testing.")
    train, test = (array(part) for part in result)
    if train.shape != left.shape or test.shape != left.shape:
        raise Wrong("Return for each patch whether it is in the part: True or False, not rows.")
    if not set(np.concatenate([train, test])) <= {0.0, 1.0}:
        raise Wrong("Return True or False for each patch.")
    train, test = train.astype(bool), test.astype(bool)
    if (train & test).any():
        raise Wrong("Some patches are in both parts.")
    if np.array_equal(train, right[1]) and np.array_equal(test, right[0]):
        raise Wrong("The two parts are exchanged: training is left of the border.")
    if train[5] or train[4] or train[3]:
        raise Wrong(
            "A training patch that begins left of the border may still reach across it. It must "
            "end before: its last column counts, not its first."
        )
    if test[3] or test[4] or test[5]:
        raise Wrong("A patch that lies across the border shares pixels with both sides: leave it.")
    if not train[2]:
        raise Wrong("A patch that ends just before the border may be used: `<=`, not `<`.")
    if not test[6]:
        raise Wrong("A patch that begins at the border may be used for testing: `>=`, not `>`.")
    if not (np.array_equal(train, right[0]) and np.array_equal(test, right[1])):
        raise Wrong("Some patches are missing from their part.")
    other = call(answer, left, 10, 60)
    if not np.array_equal(array(other[0]).astype(bool), left + 10 <= 60):
        raise Wrong("For another side and border the split is wrong. Use the arguments.")


q_rocket = Question(
    "04.q_rocket",
    "The network gives the rocket the name of one of its ten classes. What does that tell you?",
    {
        "a": (
            "That rockets look like members of that class",
            "Only in so far as the other nine fit still less. Its probabilities must sum to 1 over "
            "ten classes, whatever the picture shows.",
        ),
        "b": (
            "That the network is badly trained",
            "A perfect CIFAR-10 network has the same ten outputs and must also choose one of them.",
        ),
        "c": (
            "Little: it must answer with one of its ten classes, and there is none for rockets",
            "A softmax compares the classes that there are. It cannot say that none fits, and a "
            "high probability does not mean that one does.",
        ),
    },
    right="c",
)

q_augment = Question(
    "04.q_augment",
    "You store the features of your training images and want random flips and shifts as well. What "
    "works?",
    {
        "a": (
            "Flip the stored feature vectors",
            "A pooled vector has no left and right. What the network makes of a flipped image "
            "can only be found by running it.",
        ),
        "b": (
            "Store the features of a few fixed variants of each image",
            "Then the variants are no longer new in each epoch, but the backbone runs only once "
            "for each. New variants in each epoch need the backbone in each epoch.",
        ),
        "c": (
            "Augment the images; the stored features follow",
            "Stored features are numbers on the disk. They know nothing of what you do to the "
            "images later.",
        ),
    },
    right="b",
)

q_block = Question(
    "04.q_block",
    "Why does block 3 transfer better than block 5 to faces and to photo patches?",
    {
        "a": (
            "Block 5 keeps what tells the source classes apart; these targets need other things",
            "Faces and textures are not among the source's classes. On a target that is close to "
            "the source, the last block can be the best one.",
        ),
        "b": (
            "Block 5 has fewer features",
            "It has twice as many as block 3, and an extra feature does not take anything away "
            "from a linear classifier by itself.",
        ),
        "c": (
            "Block 5 was not trained long enough",
            "All blocks were trained together, equally long. More training fits block 5 even more "
            "closely to the source.",
        ),
    },
    right="a",
)

q_recompile = Question(
    "04.q_recompile",
    "Keras 3 on torch: the head was trained with `fit`, then block 5 was unfrozen, and `fit` is "
    "called again without `compile`. What happens?",
    {
        "a": (
            "`fit` raises an error, because the optimiser meets weights that it does not know",
            "It set up its state in the first `fit`. That is the better case: an error is seen. "
            "If `fit` had not run before, block 5 would have been trained at the head's rate.",
        ),
        "b": (
            "`fit` runs and block 5 stays frozen",
            "So it was in Keras 2. Look at what the cell printed.",
        ),
        "c": (
            "`fit` runs and trains block 5 at the old rate",
            "That happens if `fit` has not run before. After a first `fit`, the optimiser's state "
            "exists and lacks these weights.",
        ),
    },
    right="a",
)

q_fusion = Question(
    "04.q_fusion",
    "You fuse two sets of features and your accuracy rises from 61 % to 63 %. The second set alone "
    "has 63 %. What did fusion gain?",
    {
        "a": (
            "2 points",
            "Compared with the worse of the two. You could have taken the second set alone.",
        ),
        "b": (
            "It cannot be said without the accuracy of the product",
            "Another way of fusing is another method. The control for a fusion is each of its "
            "parts alone.",
        ),
        "c": (
            "Nothing: the better of the two does as well alone",
            "The control of a fusion is the better part alone. And with few labels, differences "
            "of a point or two need many draws before they mean anything.",
        ),
    },
    right="c",
)
