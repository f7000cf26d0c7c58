# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lesson 04" engine="keras"
# # 05. VGG16: heads, fine-tuning, fusion
#
# Lesson 04 took features from a frozen network and found the layer that suits the targets. Now you
# decide what to put on top of them, when to train the network itself, and whether a second set of
# features helps. Then comes a test that does not flatter, and your own folder of images.
#
# ## What you will be able to do
#
# - choose a head, and say what makes it overfit;
# - unfreeze the last block safely, and recognise three ways to spoil it;
# - combine features of two layers, and tell when that helps;
# - use another backbone with its own preprocessing;
# - split images so that the test shares nothing with the training;
# - use your own folder of images, with the same few lines.
#
# Terms are collected in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("05")
ex = course.exercises

# %% tags=["keep"]
import time

import keras
import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from transfer_lib import claim, images, plots, vgg16_mini
from transfer_lib.taught.lesson_04 import (
    BLOCKS,
    as_rgb,
    compile_model,
    draw,
    extract,
    feature_sets,
    head_on,
    load_base,
    load_target,
    probe,
    share_right,
    small_network,
    train_head,
    variants_of,
)

keras.utils.set_random_seed(course.seed)
rng = np.random.default_rng(course.seed)

# %% [markdown]
# The network, the two targets and the functions are those of
# [lesson 04](04_vgg16_features.ipynb): the features of all five blocks are computed once and stored.

# %%
network = vgg16_mini if course.quick else keras.applications.vgg16
prepare, base = network.preprocess_input, load_base(course.quick)
SIZE = base.input_shape[1]
pool = keras.layers.GlobalAveragePooling2D
extractor = keras.Model(base.input, [pool()(base.get_layer(name).output) for name in BLOCKS])

TARGETS = ("faces", "photo_patches" if course.quick else "flowers")
MANY = TARGETS[1]  # the target with many classes
targets = {name: load_target(name, SIZE) for name in TARGETS}
features = {
    name: {part: extract(parts[f"x_{part}"], extractor, prepare) for part in ("train", "test")}
    for name, parts in targets.items()
}

# %%
CHOSEN = 3 if course.quick else 5  # the block that lesson 04 found best
chosen_map = base.get_layer(f"block{CHOSEN}_pool").output
faces, many = targets["faces"], targets[MANY]
classes, y_many, y_test = len(many["class_names"]), many["y_train"], many["y_test"]

# Draws of labels: 2 per class of the faces, 5 and 10 per class of the other target.
few = {
    "faces": [draw(faces["y_train"], 2, rng) for _ in range(40)],
    MANY: [draw(y_many, 5, rng) for _ in range(12)],
}
THREE = [draw(y_many, 10, rng) for _ in range(3)]

# %% [markdown]
# ## 1. What to put on top
#
# Many articles flatten the feature map and add two large layers: `Flatten → Dense(1024) →
# Dense(512) → softmax`. The alternative is the pooled vector and one linear layer. (As in lesson 03,
# the softmax is in the loss.)
#
# ### Exercise: how many parameters?
#
# Write the function that counts the parameters of the articles' head, given the shape of the feature
# map (height, width, channels) and the number of classes. Mind the biases.


# %% exercise="05.head_parameters"
def head_parameters(shape, classes):
    """Return the number of weights and biases of Flatten, Dense(1024), Dense(512), Dense(classes)."""
    ### BEGIN SOLUTION
    height, width, channels = shape
    flat = height * width * channels
    return (flat + 1) * 1024 + (1024 + 1) * 512 + (512 + 1) * classes
    ### END SOLUTION


ex.head_parameters.check(head_parameters)

# %% [markdown]
# The two heads differ in two things: whether the places are averaged, and how large the head is. So we run
# all four combinations, on the same layer, with 5 labels per class and three draws. Three remedies
# against **overfitting** (过拟合) are added to the articles' head: **L2** (L2 正则化) keeps weights
# small, **dropout** (随机失活) switches half of the units off in each step, and augmentation adds
# three fixed variants of each image.

# %%
map_model = keras.Model(base.input, chosen_map)
map_train, map_test = (extract(many[f"x_{part}"], map_model, prepare) for part in ("train", "test"))
augment = keras.Sequential(
    [keras.layers.RandomFlip("horizontal"), keras.layers.RandomTranslation(0.1, 0.1, "nearest")]
)


# %% tags=["keep"]
def article_head(shape, classes, l2=0.0, dropout=0.0, start=keras.layers.Flatten):
    """Return two large layers and a last one, for feature maps."""
    layers = [keras.Input(shape), start()]
    for units in (1024, 512):
        penalty = keras.regularizers.L2(l2)
        layers += [keras.layers.Dense(units, "relu", kernel_regularizer=penalty)]
        layers += [keras.layers.Dropout(dropout)]
    return keras.Sequential([*layers, keras.layers.Dense(classes)])


def linear_head(shape, classes, start=keras.layers.GlobalAveragePooling2D):
    """Return one dense layer, for feature maps that are pooled, or flattened."""
    return keras.Sequential([keras.Input(shape), start(), keras.layers.Dense(classes)])


# %%
SHAPE = map_train.shape[1:], classes
HEADS = {  # name: (how to make it, learning rate, variants of each image)
    "pooled, linear": (lambda: linear_head(*SHAPE), 3e-2, 0),
    "pooled, two large layers": (lambda: article_head(*SHAPE, start=pool), 1e-3, 0),
    "flat, linear": (lambda: linear_head(*SHAPE, start=keras.layers.Flatten), 3e-3, 0),
    "articles' head": (lambda: article_head(*SHAPE), 1e-3, 0),
    "articles' head, L2": (lambda: article_head(*SHAPE, l2=1e-3), 1e-3, 0),
    "articles' head, dropout": (lambda: article_head(*SHAPE, dropout=0.5), 1e-3, 0),
    "articles' head, augmentation": (lambda: article_head(*SHAPE), 1e-3, 3),
}


def run_head(make, rate, variants, rows):
    """Train a head; return its parameters, seconds, accuracy on training and on test images."""
    x, y = map_train[rows], y_many[rows]
    inputs = network.preprocess_input(many["x_train"][rows].astype("float32"))
    more = variants_of(inputs, map_model, augment, variants)
    head = make()
    compile_model(head, rate)
    start = time.perf_counter()
    x_all, y_all = np.concatenate([x, *more]), np.tile(y, variants + 1)
    head.fit(x_all, y_all, batch_size=25, epochs=20 // (variants + 1), verbose=0)
    seconds = time.perf_counter() - start
    return (
        head.count_params(),
        seconds,
        share_right(head, x, y),
        share_right(head, map_test, y_test),
    )


# %%
heads = {
    name: np.array([run_head(*settings, rows) for rows in few[MANY][:3]])
    for name, settings in HEADS.items()
}

# %% tags=["nbval-ignore-output"]
print(f"{'head':>29} {'parameters':>11} {'seconds':>8} {'training':>9} {'test':>7} {'gap':>7}")
for name, runs in heads.items():
    count, seconds, *right = runs.mean(axis=0)
    print(
        f"{name:>29} {count:11,.0f} {seconds:8.1f} {right[0]:9.1%} {right[1]:7.1%} "
        f"{right[0] - right[1]:7.1%}"
    )

# %%
test_accuracy = {name: 100 * runs[:, 3].mean() for name, runs in heads.items()}
if course.quick:
    claim(
        "05.head",
        "The pooled linear head is right more often than the articles' head, on the same labels.",
        test_accuracy["pooled, linear"] - test_accuracy["articles' head"],
        at_least=3,
        unit="points",
    )
    claim(
        "05.pooled-large",
        "Two large layers on pooled features beat the same layers on the flat map.",
        test_accuracy["pooled, two large layers"] - test_accuracy["articles' head"],
        at_least=3,
        unit="points",
    )
    claim(
        "05.flat-linear",
        "On flattened maps, the linear head is below the pooled linear head as well.",
        test_accuracy["pooled, linear"] - test_accuracy["flat, linear"],
        at_least=3,
        unit="points",
    )
    gap = {name: 100 * (runs[:, 2] - runs[:, 3]).mean() for name, runs in heads.items()}
    claim(
        "05.gap",
        "The gap between training and test images is wider for the flat heads than for the pooled.",
        min(gap["flat, linear"], gap["articles' head"])
        - max(gap["pooled, linear"], gap["pooled, two large layers"]),
        at_least=2,
        unit="points",
    )
    claim(
        "05.remedies",
        "No remedy lifts the articles' head above the pooled linear head.",
        max(test_accuracy[f"articles' head, {r}"] for r in ("L2", "dropout", "augmentation"))
        - test_accuracy["pooled, linear"],
        at_most=0,
        unit="points",
    )

# %% [markdown]
# Overfitting is the gap between training and test accuracy. All heads have one here, with five labels
# per class; on flat maps it is wider. The four combinations tell what causes that: on pooled features a
# head with hundreds of times the parameters does no harm, and on flat maps even the linear head is
# bad. So it is the *pooling* that helps, not the small size. (The small head is cheaper.)
#
# Pooling throws away *where* something is. In patches that are cut at random places that is no loss.
# Of the remedies, the variants come nearest: they are shifted, so they teach what pooling has built
# in. Where the place matters, as in reading text, keep the map.

# %% [markdown]
# ## 2. Fine-tune the last block
#
# The last block does not suit these targets. **Fine-tuning** (微调) can change that: unfreeze it, and
# only it, and train it at a low rate.
#
# ### Exercise: unfreeze block 5
#
# The backbone that you get is frozen as a whole. Afterwards, training must be able to change the
# layers of block 5 and no others.


# %% exercise="05.unfreeze"
def unfreeze(base):
    """Let training change block 5 of a frozen VGG16, and nothing else."""
    ### BEGIN SOLUTION
    base.trainable = True
    for layer in base.layers:
        layer.trainable = layer.name.startswith("block5")
    ### END SOLUTION


ex.unfreeze.check(unfreeze)

# %% [markdown]
# Now the whole recipe, in the whole network, with ten labels per class. First a head that is trained
# until it has converged (on stored features of block 5), then block 5 with it.

# %%
pretrained = base.get_weights()  # to come back to
rows = THREE[0]
x_ready = network.preprocess_input(many["x_train"][rows].astype("float32"))
x_test_ready = network.preprocess_input(many["x_test"].astype("float32"))

head = train_head(features[MANY]["train"][4][rows], y_many[rows], classes, epochs=60)
outputs = head(pool()(base.output))
whole = keras.Model(base.input, outputs)
frozen_accuracy = share_right(whole, x_test_ready, y_test)

base.trainable = True
for layer in base.layers:
    layer.trainable = layer.name.startswith("block5")
LOW = 1e-4 if course.quick else 1e-5
compile_model(whole, LOW)  # again, because `trainable` has changed; and a low rate
history = whole.fit(x_ready, y_many[rows], batch_size=25, epochs=10, verbose=0)

# %% tags=["nbval-ignore-output"]
tuned_accuracy = share_right(whole, x_test_ready, y_test)
print(f"block 5 frozen {frozen_accuracy:.1%}, fine-tuned {tuned_accuracy:.1%}")

# %% [markdown]
# ### Three mistakes
#
# Each is run three times, on three draws of labels. Blocks 1 to 4 stay frozen in all runs, so their
# output can be stored too: what remains to be trained is block 5 and the head. A *fresh* head starts
# from random weights, as Keras gives them.


# %% tags=["keep"]
def stored_inputs(base, parts, block, preprocess):
    """Return what goes into a block: training and test images, or the maps of the block before."""
    both = [parts["x_train"], parts["x_test"]]
    if block == 1:
        return [preprocess(x.astype("float32")) for x in both]
    lower = keras.Model(base.input, base.get_layer(f"block{block - 1}_pool").output)
    return [extract(x, lower, preprocess) for x in both]


def part_of_base(base, first, last, head, inputs):
    """Return a model of the blocks `first` to `last` (the same layers) and a head."""
    x = inputs
    for layer in base.layers:
        if layer.name.startswith(tuple(f"block{number}" for number in range(first, last + 1))):
            x = layer(x)
    return keras.Model(inputs, head(keras.layers.GlobalAveragePooling2D()(x)))


# %%
def first_heads(block):
    """Return for each draw the weights of a head that has converged on features of a block."""
    x = features[MANY]["train"][block - 1]
    heads = [train_head(x[rows], y_many[rows], classes, epochs=60) for rows in THREE]
    return [head.get_weights() for head in heads]


def fine_tune(stored, rows, head_weights, rate, first=5, last=5, epochs=12):
    """Fine-tune blocks from their pretrained weights; return the accuracy on test images."""
    base.set_weights(pretrained)
    base.trainable = True  # but of `base`, the model below holds only the blocks to be trained
    width = base.get_layer(f"block{last}_pool").output.shape[-1]
    head = keras.Sequential([keras.Input((width,)), keras.layers.Dense(classes)])
    if head_weights is not None:
        head.set_weights(head_weights)
    x, x_new = stored
    model = part_of_base(base, first, last, head, keras.Input(x.shape[1:]))
    compile_model(model, rate)
    model.fit(x[rows], y_many[rows], batch_size=25, epochs=epochs, verbose=0)
    return 100 * share_right(model, x_new, y_test)


# %%
into_5, heads_5 = stored_inputs(base, many, 5, prepare), first_heads(5)
fresh = [None] * len(THREE)
RUNS = {
    "frozen block 5": {"start": heads_5, "rate": LOW, "epochs": 0},
    "head first, low rate": {"start": heads_5, "rate": LOW},
    "fresh head, low rate": {"start": fresh, "rate": LOW},
    "head first, 10 times that rate": {"start": heads_5, "rate": 10 * LOW},
    "fresh head, 10 times that rate": {"start": fresh, "rate": 10 * LOW},
    "head first, rate 0.1": {"start": heads_5, "rate": 0.1},
}


def run_draws(stored, start, **settings):
    """Fine-tune on each draw of labels, from the heads in `start`."""
    return [fine_tune(stored, rows, head, **settings) for rows, head in zip(THREE, start)]


tuned = {name: run_draws(into_5, **settings) for name, settings in RUNS.items()}

# %% tags=["nbval-ignore-output"]
plots.bars(tuned, "Accuracy on test images (%)", title="Fine-tuning block 5, 10 labels per class")

# %%
average = {name: float(np.mean(values)) for name, values in tuned.items()}
good = average["head first, low rate"]
if course.quick:
    claim(
        "05.fine-tuning",
        "Fine-tuning block 5 gains at least 3 points over leaving it frozen.",
        good - average["frozen block 5"],
        at_least=3,
        unit="points",
    )
    claim(
        "05.fresh-head",
        "With a fresh head at the same low rate, as many steps of fine-tuning end at least 3 points "
        "lower.",
        good - average["fresh head, low rate"],
        at_least=3,
        unit="points",
    )
    claim(
        "05.fresh-head-high",
        "At ten times the rate for both, the fresh head is behind by at least 3 points less.",
        good
        - average["fresh head, low rate"]
        - (average["head first, 10 times that rate"] - average["fresh head, 10 times that rate"]),
        at_least=3,
        unit="points",
    )
    claim(
        "05.high-rate",
        "A rate of 0.1 loses at least 20 points.",
        good - average["head first, rate 0.1"],
        at_least=20,
        unit="points",
    )

# %% [markdown]
# - **A fresh head**: its first weights are random. At a low rate it is behind after as many steps of
#   fine-tuning: so few small steps do not finish it. At ten times the rate it gets further; compare it with *head first* at that rate: most of the
#   distance is gone, and in some runs all of it. But a head that is trained first, on stored features,
#   costs next to nothing.
# - **A high rate** destroys the block in the first steps.
#
# The third mistake is **not compiling again**. What happens then has changed between versions of
# Keras, and much that is written about it is out of date. So we look: did block 5 change or not?


# %%
def without_compile(before, after, fit_first):
    """Compile with block 5 in one state, switch it, and fit; print what came of it."""
    base.set_weights(pretrained)
    inputs = keras.Input(into_5[0].shape[1:])
    model = part_of_base(base, 5, 5, head_on(pretrained[-1].shape[0], classes), inputs)
    block = [layer for layer in base.layers if layer.name.startswith("block5_conv")]
    for layer in block:
        layer.trainable = before == "trainable"
    compile_model(model, 1e-3)
    if fit_first:
        model.fit(into_5[0][rows], y_many[rows], epochs=1, verbose=0)
    old = base.get_weights()
    for layer in block:
        layer.trainable = after == "trainable"
    print(f"{before} when compiled, {'fitted, ' if fit_first else ''}then {after}:")
    try:
        model.fit(into_5[0][rows], y_many[rows], epochs=1, verbose=0)
    except ValueError as error:
        print("  fit raises a ValueError:", str(error).split(",")[0])
        return
    changed = any(not np.array_equal(a, b) for a, b in zip(old, base.get_weights()))
    print(f"  fit runs, block 5 changed: {changed}")


# %%
without_compile("frozen", "trainable", fit_first=True)
without_compile("frozen", "trainable", fit_first=False)
without_compile("trainable", "frozen", fit_first=True)

# %% [markdown]
# The optimiser keeps a state for each weight that it trains, and sets that up in the first `fit`. If
# layers are unfrozen after that, it meets weights that it does not know and raises. If `fit` has not
# run yet, they are simply trained. And layers that are frozen later stop at once (with torch; the
# JAX backend raises). In Keras 2 nothing of this happened: `fit` silently went on with the switches
# as they were when it was compiled. One rule covers all versions: **after each change of
# `trainable`, compile**, and choose the rate anew while you are there.

# %%
ex.q_recompile.ask(...)

# %% [markdown]
# ### The right layer instead
#
# Fine-tuning the last block is what articles do. But lesson 04 found a better layer. So three more
# ways, on the same draws: all five blocks at the low rate; the network cut after the chosen block, and
# that block fine-tuned under a linear head, at both rates.

# %%
into_1, into_chosen = (stored_inputs(base, many, block, prepare) for block in (1, CHOSEN))
heads_chosen = first_heads(CHOSEN)
cut_here = {"first": CHOSEN, "last": CHOSEN, "start": heads_chosen}
layers_tuned = {
    "block 5 frozen": tuned["frozen block 5"],
    "block 5 fine-tuned": tuned["head first, low rate"],
    "blocks 1 to 5 fine-tuned": run_draws(into_1, heads_5, rate=LOW, first=1),
    f"block {CHOSEN} frozen": run_draws(into_chosen, rate=LOW, epochs=0, **cut_here),
    f"block {CHOSEN} fine-tuned": run_draws(into_chosen, rate=LOW, **cut_here),
    f"block {CHOSEN}, 10 times the rate": run_draws(into_chosen, rate=10 * LOW, **cut_here),
}

# %% tags=["nbval-ignore-output"]
plots.bars(layers_tuned, "Accuracy on test images (%)", title="Which blocks to train")

# %%
by_layer = {name: float(np.mean(values)) for name, values in layers_tuned.items()}
if course.quick:
    frozen_3 = by_layer["block 3 frozen"]
    upto_5 = [average["head first, 10 times that rate"], by_layer["blocks 1 to 5 fine-tuned"]]
    claim(
        "05.all-blocks",
        "Fine-tuning all five blocks gains at least 2 points more than block 5 alone.",
        by_layer["blocks 1 to 5 fine-tuned"] - by_layer["block 5 fine-tuned"],
        at_least=2,
        unit="points",
    )
    claim(
        "05.block-3-over-tuning",
        "Block 3, frozen, is at least 3 points better than any fine-tuning up to block 5.",
        frozen_3 - max(upto_5),
        at_least=3,
        unit="points",
    )

# %% [markdown]
# Fine-tuning the wrong layer does not make it the right one: block 3, frozen, with a linear head, is
# better than all that was trained up to block 5, and takes a fraction of the time. Fine-tuning block
# 3 itself adds little: with so few labels, the choice of the layer is worth more than training it.

# %%
base.set_weights(pretrained)
base.trainable = False

# %% [markdown]
# ## 3. Feature fusion
#
# **Feature fusion** (特征融合) joins two sets of features of the same image: two layers, two networks,
# or a network and something classic such as a histogram of grey levels. Articles use three ways: the
# sum, the product, and putting one after the other (concatenation, 拼接). For sum and product both
# must have the same number of features, so each is first *projected*: here onto its 16 main
# directions (**PCA**, 主成分分析), found on training images, which needs no labels.

# %%
raw = load_base(course.quick, pretrained=False)
raw_map = raw.get_layer(f"block{CHOSEN}_pool").output
UNTRAINED = f"block {CHOSEN}, untrained"
untrained = {UNTRAINED: keras.Model(raw.input, pool()(raw_map))}

# %% tags=["keep"]
WIDTH = 16


def shrink(train, test, width=WIDTH):
    """Project both parts onto the main directions of the training part; same scale for all sets."""
    pca = PCA(width).fit(train)
    train, test = pca.transform(train), pca.transform(test)
    return train / train.std(), test / train.std()


def histogram(x):
    """Return for each image the share of its pixels in 16 ranges of brightness."""
    return np.stack([np.histogram(image, 16, (0, 256))[0] / image.size for image in x])


# %%
FUSE = {
    "sum": lambda first, second: first + second,
    "product": lambda first, second: first * second,
    "concatenation": lambda first, second: np.concatenate([first, second], axis=1),
}
PAIRS = [
    ("block 2", "block 4"),
    (f"block {CHOSEN}", UNTRAINED),
    (f"block {CHOSEN}", "histogram"),
    (f"block {CHOSEN}", "pixels"),
]

# %% [markdown]
# ### Exercise: fuse
#
# Write the concatenation yourself: project each of two sets onto `width` main directions, found on
# its training part, and put the projections side by side. Do not rescale.


# %% exercise="05.fuse"
def fuse(a_train, a_test, b_train, b_test, width):
    """Return the fused training and test features, each with 2 * width columns."""
    ### BEGIN SOLUTION
    train, test = [], []
    for x_train, x_test in ((a_train, a_test), (b_train, b_test)):
        pca = PCA(width).fit(x_train)
        train.append(pca.transform(x_train))
        test.append(pca.transform(x_test))
    return np.concatenate(train, axis=1), np.concatenate(test, axis=1)
    ### END SOLUTION


ex.fuse.check(fuse)

# %%
fused = {}
for name, parts in targets.items():
    y, y_new = parts["y_train"], parts["y_test"]
    sets = feature_sets(parts, features[name], untrained, prepare)
    sets["histogram"] = [histogram(parts[f"x_{part}"]) for part in ("train", "test")]
    small = {which: shrink(*pair) for which, pair in sets.items()}
    for first, second in PAIRS:
        ways = {"first alone": small[first], "second alone": small[second]}
        ways["first, 32 directions"] = shrink(*sets[first], 2 * WIDTH)
        for way, function in FUSE.items():
            ways[way] = [function(a, b) for a, b in zip(small[first], small[second])]
        for way, (x, x_new) in ways.items():
            runs = [probe(x[rows], y[rows], x_new, y_new) for rows in few[name]]
            fused[name, f"{first} + {second}", way] = 100 * float(np.mean(runs))

# %%
ALONE = ["first alone", "first, 32 directions", "second alone"]
ways = [*ALONE, *FUSE]
pairs = [f"{first} + {second}" for first, second in PAIRS]


def fusion_table(name):
    """Draw the accuracies of one target."""
    values = [[fused[name, pair, way] for way in ways] for pair in pairs]
    words = {"xlabel": "Fusion (way)", "ylabel": "Features (names)", "unit": "Accuracy (%)"}
    return plots.heatmap(values, ways, pairs, title=f"Fusion, {name}", **words)


# %% tags=["nbval-ignore-output"]
fusion_table("faces")

# %% tags=["nbval-ignore-output"]
fusion_table(MANY)

# %%
better = {
    way: np.mean(
        [fused[n, p, way] - max(fused[n, p, w] for w in ALONE) for n in TARGETS for p in pairs]
    )
    for way in FUSE
}


def gain(name, second, control):
    """Return what concatenating a second set to the chosen block adds to a control."""
    pair = f"block {CHOSEN} + {second}"
    return fused[name, pair, "concatenation"] - fused[name, pair, control]


if course.quick:
    claim(
        "05.product",
        "On average over targets and pairs, the product is worse than the best set alone.",
        better["product"],
        at_most=-2,
        unit="points",
    )
    claim(
        "05.concatenation",
        "Concatenation is the best of the three ways on average, above sum and product.",
        better["concatenation"] - max(better["sum"], better["product"]),
        at_least=2,
        unit="points",
    )
    claim(
        "05.fusion-gain",
        "But it gains no more than 1 point on average over the best set alone.",
        better["concatenation"],
        at_most=1,
        unit="points",
    )
    claim(
        "05.fusion-faces",
        "On the faces, concatenation costs accuracy for each of the pairs with block 3.",
        max(gain("faces", second, "first alone") for second in (UNTRAINED, "histogram", "pixels")),
        at_most=-0.5,
        unit="points",
    )
    claim(
        "05.histogram-patches",
        "On the patches, a histogram beside block 3 helps.",
        gain(MANY, "histogram", "first alone"),
        at_least=0.5,
        unit="points",
    )
    claim(
        "05.histogram-directions",
        "With as many directions of block 3 alone as the control, its gain is smaller.",
        gain(MANY, "histogram", "first, 32 directions") - gain(MANY, "histogram", "first alone"),
        at_most=0,
        unit="points",
    )

# %% [markdown]
# Fusion is no free gain. A sum mixes directions that have nothing to do with each other. A product
# keeps only how two such directions go together, and loses what each says alone; networks that fuse
# by product learn the projection for it, from many labels. Concatenation drops no information, and
# still costs accuracy with few labels: on the faces, where block 3 is nearly perfect with two labels
# per class, more features only add chances to fit accidents.
#
# On the patches a histogram beside block 3 gains a little. Before you credit it with that, look at
# two controls. The fused set has 32 columns and block 3 alone had 16: with 32 directions of block 3, a
# part of the gain is there without a second set. And the untrained block knows nothing of any image:
# what it adds in its line of the table shows how much a gain of this size means. The whole block, not
# projected, stands in lesson 04.

# %%
ex.q_fusion.ask(...)

# %% [markdown]
# ## 4. Other backbones
#
# Three things so far depend on VGG16: the backbone, its `preprocess_input`, and the names of the layers
# at which we cut. For another backbone, take the `preprocess_input` of its own module. Here is what
# four of them make of one pixel; the weights are not needed for that:

# %%
example = np.array([0, 128, 255], "float32").reshape(1, 1, 1, 3)
for name in ("vgg16", "inception_v3", "mobilenet_v3", "densenet"):
    values = np.ravel(getattr(keras.applications, name).preprocess_input(example.copy()))
    print(f"{name:>13}: (0, 128, 255) becomes", ", ".join(f"{value:.2f}" for value in values))

# %% [markdown]
# VGG16 swaps the channels and subtracts, InceptionV3 wants values from -1 to 1, DenseNet divides by a
# standard deviation, and MobileNetV3 takes the pixels as they are: it has its own layer for that. The
# next function takes a backbone with its preprocessing, for any Keras model that ends with a feature
# map:


# %% tags=["keep"]
def features_of(backbone, preprocess, x):
    """Return the pooled features of RGB images (uint8), at the size that the backbone takes."""
    size = backbone.input_shape[1]
    if x.shape[1] != size:
        x = keras.ops.convert_to_numpy(keras.ops.image.resize(x.astype("float32"), (size, size)))
    pooled = keras.layers.GlobalAveragePooling2D()(backbone.output)
    model = keras.Model(backbone.input, pooled)
    return extract(x, model, preprocess)


# %% [markdown]
# In the full profile it compares VGG16 with ResNet50, InceptionV3 and MobileNetV3Small, each with its
# own preprocessing. In the quick profile it takes what can be had without a network: VGG16Mini cut
# after block 3, the same untrained, the whole of it, and a network of your own, trained on the
# faces and carried over to the patches.

# %%
if course.quick:
    own = small_network(2, SIZE)
    compile_model(own, 3e-3)
    x = network.preprocess_input(faces["x_train"].astype("float32"))
    own.fit(x, faces["y_train"], batch_size=25, epochs=20, verbose=0)
    backbones = {
        "VGG16Mini, block 3": (keras.Model(base.input, chosen_map), prepare),
        "the same, untrained": (keras.Model(raw.input, raw_map), prepare),
        "VGG16Mini, block 5": (base, prepare),
        "own network, from faces": (keras.Model(own.inputs[0], own.layers[-3].output), prepare),
    }
else:
    module = keras.applications
    shape = {"include_top": False, "input_shape": (224, 224, 3)}
    backbones = {
        "VGG16": (base, prepare),
        "ResNet50": (module.ResNet50(**shape), module.resnet50.preprocess_input),
        "InceptionV3": (
            module.InceptionV3(include_top=False, input_shape=(299, 299, 3)),
            module.inception_v3.preprocess_input,
        ),
        "MobileNetV3Small": (
            module.MobileNetV3Small(**shape),
            module.mobilenet_v3.preprocess_input,
        ),
    }

# %%
rows_of_table, by_backbone = [], {}
for name, (backbone, its_input) in backbones.items():
    start = time.perf_counter()
    x, x_new = (features_of(backbone, its_input, many[f"x_{part}"]) for part in ("train", "test"))
    milliseconds = 1000 * (time.perf_counter() - start) / (len(x) + len(x_new))
    runs = [probe(x[rows], y_many[rows], x_new, y_test) for rows in few[MANY]]
    by_backbone[name] = 100 * float(np.mean(runs))
    rows_of_table.append(
        f"{name:>24} {backbone.count_params():11,} {backbone.input_shape[1]:6} "
        f"{x.shape[1]:9} {milliseconds:9.1f} {by_backbone[name]:9.1f}"
    )

# %% tags=["nbval-ignore-output"]
print(
    f"{'backbone':>24} {'parameters':>11} {'pixels':>6} "
    f"{'features':>9} {'ms/image':>9} {'right (%)':>9}"
)
print("\n".join(rows_of_table))

# %%
if course.quick:
    claim(
        "05.own-backbone",
        "A backbone that knows only faces is worse on the patches than VGG16Mini's block 3.",
        by_backbone["VGG16Mini, block 3"] - by_backbone["own network, from faces"],
        at_least=3,
        unit="points",
    )

# %% [markdown]
# What the faces themselves have added, this table does not say: the same network untrained would be the
# control. To add it, or a backbone of yours, put one line into `backbones` and run the cells from there
# again.
#
# ## 5. An honest test
#
# Features this good also make it easy to fool yourself. Here are patches cut at random places from a
# narrow strip of ten photographs, so that many overlap. Someone splits them at random.

# %%
from skimage import data as photographs

SIDE = 32
STRIP = [photographs.brick(), photographs.grass(), photographs.gravel(), photographs.camera()]
STRIP += [photographs.coins(), photographs.moon(), photographs.coffee()[..., 1]]
STRIP += [photographs.chelsea()[..., 1], photographs.astronaut()[..., 1]]
STRIP += [photographs.rocket()[..., 1]]

patches, labels, left = [], [], []
for label, photo in enumerate(STRIP):
    for column in rng.integers(0, 352 - SIDE, size=40):
        row = 100 + int(rng.integers(0, 16))
        patches.append(photo[row : row + SIDE, column : column + SIDE])
        labels.append(label)
        left.append(column)
labels, left = np.array(labels), np.array(left)
cut_model = keras.Model(base.input, pool()(chosen_map))
vectors = extract(as_rgb(np.stack(patches), SIZE), cut_model, prepare)
print(f"{len(patches)} patches of {len(STRIP)} photographs, columns {left.min()} to {left.max()}")

# %% [markdown]
# ### Exercise: split without a leak
#
# Write the split that shares no pixel: patches that end left of a border column are for training,
# those that begin at the border or right of it are for testing, and those that lie across it are in
# neither. `left` holds the first column of each patch.


# %% exercise="05.split"
def split(left, side, border):
    """Return two boolean arrays: which patches are for training, and which for testing."""
    ### BEGIN SOLUTION
    return left + side <= border, left >= border
    ### END SOLUTION


ex.split.check(split)

# %%
shuffled = rng.permutation(len(labels)) < len(labels) // 2
train_part, test_part = left + SIDE <= 176, left >= 176
tests = {
    "split at random": (shuffled, ~shuffled),
    "split at a border": (train_part, test_part),
}
honest = {}
for name, (train, test) in tests.items():
    x, y = vectors[train], labels[train]
    honest[name] = 100 * probe(x, y, vectors[test], labels[test])
    near = np.abs(left[test][:, None] - left[train]) < SIDE  # the rows are less than 16 apart
    seen = (near & (labels[test][:, None] == y)).any(axis=1)
    print(f"{name}: {train.sum()} training and {test.sum()} test patches,", end=" ")
    print(f"{seen.sum()} of these share pixels with a training patch")

# %%
claim(
    "05.leak",
    "The random split promises at least 5 points more than the split without a leak.",
    honest["split at random"] - honest["split at a border"],
    at_least=5,
    unit="points",
)

# %% [markdown]
# In the random split most test patches overlap a training patch. Not all of the difference is
# memory: the right of a photograph also looks different from its left. That belongs into an honest
# test, because new images will differ as well. Split by what is independent: by photograph, by
# patient, by day. The *photo patches* of this lesson come from two
# separate parts of each photograph, for this reason.
#
# ## 6. Your own images
#
# One folder with a subfolder for each class, and one call. The next cell writes such a folder from
# scikit-image's photographs, with two faults that real folders have: one file is broken, and one
# class is much smaller.

# %%
import tempfile
from pathlib import Path

from PIL import Image

folder = Path(tempfile.mkdtemp())
for name, photo, count in (("cat", photographs.chelsea(), 16), ("coffee", photographs.coffee(), 6)):
    (folder / name).mkdir()
    for number in range(count):
        row, column = rng.integers(0, 200), rng.integers(0, 300)
        crop = photo[row : row + 100, column : column + 100]
        Image.fromarray(crop).save(folder / name / f"{number:02}.png")
(folder / "cat" / "broken.png").write_bytes(b"\x89PNG and then nothing")

own_images = images.read_folder(folder, size=SIZE)
print(own_images.report)

# %%
x, x_new = (extract(part, cut_model, prepare) for part in (own_images.x_train, own_images.x_test))
model = LogisticRegression(max_iter=1000, class_weight="balanced").fit(x, own_images.y_train)
predicted = model.predict(x_new)
for number, name in enumerate(own_images.class_names):
    of_class = own_images.y_test == number
    print(
        f"{name}: {of_class.sum()} test images, predicted as {name}: {(predicted == number).sum()}"
    )

# %% [markdown]
# Replace `folder` by the path of yours. `class_weight="balanced"` gives the small class the same
# weight as the large one. These crops overlap, so this test is no better than the random split of
# section 5; give yours a test that is.
#
# ## Your progress

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - Pooled features with a linear head are a strong start with few labels; it is the pooling that
#   helps.
# - Fine-tune with a trained head, a low rate, and `compile` after each change of `trainable`. Here
#   no fine-tuning made up for the wrong layer.
# - A fusion has to beat the better of its parts, with as many directions.
# - Each backbone has its own `preprocess_input`.
# - Test on images that share nothing with those of the training.
#
# ## Where next
#
# [Lesson 06](06_bert_classifier.ipynb) does the same with text: BERT. Before that, put a folder of your
# own images into section 6.
#
# ## Sources
#
# - K. Simonyan and A. Zisserman (2015), *Very deep convolutional networks for large-scale image
#   recognition*, ICLR, [arXiv:1409.1556](https://arxiv.org/abs/1409.1556): VGG16.
# - G. B. Huang et al. (2012), *Learning to align from scratch*, NeurIPS 25: the faces come from
#   their photographs.
# - F. Chollet, [Transfer learning and fine-tuning](https://keras.io/guides/transfer_learning/),
#   Keras guide.
