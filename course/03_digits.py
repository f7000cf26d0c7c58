# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Python, NumPy arrays, what a neural network is" engine="keras"
# # 03. Pretrain, transfer, fine-tune: handwritten digits
#
# You will take one small network through the whole cycle: **pretrain** it where labels are free,
# put a new **head** on it, train it with a handful of labels where they are scarce, and **test** it
# on data that it has never seen. A network from scratch runs beside it as the control, because
# without one you cannot know whether anything was transferred.
#
# ## What you will be able to do
#
# - build a network as a backbone (shared layers) and a head (task-specific layers), and swap heads;
# - freeze, fine-tune in two phases, and choose the learning rate for it;
# - measure what transfer gains at each number of labels, with its spread;
# - train on source and target at once with $L_{total} = L_{shared} + \lambda L_{task}$;
# - see which layers moved, what was forgotten, and why a "frozen" layer may still change;
# - recognise an experiment that cannot show transfer.
#
# Terms are collected in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("03")
ex = course.exercises

# %%
import keras
import numpy as np

from transfer_lib import claim, data, plots

keras.utils.set_random_seed(course.seed)
rng = np.random.default_rng(course.seed)

# %% [markdown]
# ## 1. Source and target
#
# A **domain** (域) is the kind of data you have: the images and how often each occurs. A **task**
# (任务) is what you want to say about them. Transfer goes from a *source* (源域) to a *target*
# (目标域).
#
# - In the quick profile, the source is digits drawn with computer fonts. Their labels are free: we
#   know which digit we asked the font for. The target is digits that people wrote and a scanner
#   read.
# - In the full profile, the source is the digits 0 to 4 of MNIST and the target the digits 5 to 9.
#   Set `PAIR` to `"mnist to scans"` for a third pair: all of MNIST, made smaller, to the scans.

# %%
PAIR = "fonts to scans" if course.quick else "mnist 0-4 to 5-9"


def load_pair(name):
    """Return source and target as dicts of x_train, y_train, x_test, y_test; pixels from 0 to 1."""
    if name == "mnist 0-4 to 5-9":
        mnist = as_arrays(data.load("mnist"))
        return only(mnist, range(0, 5)), only(mnist, range(5, 10))
    first = data.load("font_digits" if name == "fonts to scans" else "mnist")
    return as_arrays(first, size=8), as_arrays(data.load("digits"))


# %%
def as_arrays(loaded, size=None):
    """Normalise pixels to 0..1, add a channel axis, and average MNIST down to `size` if asked."""
    parts = {"y_train": loaded.y_train, "y_test": loaded.y_test}
    for part in ("x_train", "x_test"):
        x = (getattr(loaded, part) / loaded.max_value).astype("float32")
        if size and x.shape[1] > size:  # 28 pixels: cut to 24, then average blocks of 3 × 3
            x = x[:, 2:-2, 2:-2].reshape(-1, size, 3, size, 3).mean(axis=(2, 4))
        parts[part] = x[..., None]
    return parts


def only(parts, classes):
    """Keep the images of some classes, and number these from 0."""
    kept = {}
    for part in ("train", "test"):
        rows = np.isin(parts[f"y_{part}"], list(classes))
        kept[f"x_{part}"] = parts[f"x_{part}"][rows]
        kept[f"y_{part}"] = parts[f"y_{part}"][rows] - min(classes)
    return kept


# %%
source, target = load_pair(PAIR)
classes = len(np.unique(target["y_train"]))
same_classes = PAIR != "mnist 0-4 to 5-9"
first_digit = 0 if same_classes else 5  # of the target; its labels count from 0
for name, parts in (("source", source), ("target", target)):
    print(
        f"{name}: {len(parts['x_train'])} training and {len(parts['x_test'])} test images,",
        f"shape {parts['x_train'].shape[1:]}",
    )

# %%
first = [np.flatnonzero(source["y_train"] == k)[:2] for k in range(classes)]
rows = np.array(first).T.ravel()
plots.image_grid(
    source["x_train"][rows], source["y_train"][rows], ncols=classes, title="Source images"
)

# %%
first = [np.flatnonzero(target["y_train"] == k)[:2] for k in range(classes)]
rows = np.array(first).T.ravel()
digits = target["y_train"][rows] + first_digit
plots.image_grid(target["x_train"][rows], digits, ncols=classes, title="Target images")

# %% [markdown]
# The quick profile's two sets differ in their images. The shapes of the source come from fonts,
# bent, slanted and drawn with a random pen; those of the target come from people's hands. That is a
# **domain shift** (域偏移). In the MNIST pair the images are alike and the labels differ: there the
# task changes.

# %% [markdown]
# ## 2. Backbone and head
#
# The **backbone** (骨干网络) holds the layers that source and target share: convolutions and
# pooling, which turn an image into a vector of *features* (特征). The **head** (任务头) is the
# part that belongs to one task: a single dense layer, one output for each class.
#
# A **convolution** (卷积) slides small filters over the image; each filter gives a new image that is
# bright where its pattern occurs. **Pooling** (池化) keeps the largest value of each 2 × 2 block;
# global average pooling keeps one mean per filter. An **epoch** (轮次) is one pass over the training
# images, a **batch** (批) the images of one step.


# %%
def make_backbone(input_shape):
    """Return the shared layers: an image in, a vector of features out."""
    layers = [keras.Input(input_shape)]
    for width in (32, 64, 128):
        layers.append(keras.layers.Conv2D(width, 3, padding="same", activation="relu"))
        if width == 64 or (width == 32 and input_shape[0] > 8):  # 8 pixels are halved only once
            layers.append(keras.layers.MaxPooling2D())
    layers.append(keras.layers.GlobalAveragePooling2D())
    return keras.Sequential(layers, name="backbone")


# %% [markdown]
# The head has no softmax. Its outputs are *logits*, and the loss applies the softmax itself
# (`from_logits=True`). Applied twice, it would flatten the gradients; lesson 02 shows how.
#
# In Keras a layer, or a whole model, is called like a function: `h = layer(x)`. `x =
# keras.Input(shape)` stands for the data, without the batch axis, and `keras.Model(x, y)` is the
# model from `x` to `y`.
#
# ### Exercise: swap the head
#
# Write the function that puts a new head on a given backbone. The backbone must be the very
# object that is passed in, so that its weights come along.


# %% exercise="03.head_swap"
def head_swap(backbone, classes):
    """Return a model: the backbone, then a new Dense layer with one logit per class."""
    ### BEGIN SOLUTION
    inputs = keras.Input(backbone.input_shape[1:])
    features = backbone(inputs)
    outputs = keras.layers.Dense(classes, name="head")(features)
    return keras.Model(inputs, outputs)
    ### END SOLUTION


ex.head_swap.check(head_swap)

# %% [markdown]
# The lesson goes on with its own version, so that it runs whether you have solved this or not.


# %%
def with_head(backbone, classes):
    """Put a fresh head on a backbone."""
    inputs = keras.Input(backbone.input_shape[1:])
    return keras.Model(inputs, keras.layers.Dense(classes, name="head")(backbone(inputs)))


def compile_model(model, rate):
    """Choose optimiser, loss and metric. Needed again after each change of `trainable`."""
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )


# %% [markdown]
# ## 3. Phase one: pretrain on the source
#
# We train until the accuracy on held-out source images stops rising, and keep the best weights. The
# held-out images are part of the training images. The source's *test* images stay unseen; in the
# quick profile they come from a family of fonts that is in no training image.

# %%
backbone = make_backbone(source["x_train"].shape[1:])
source_model = with_head(backbone, classes)
compile_model(source_model, 3e-3)
stop = keras.callbacks.EarlyStopping("val_accuracy", patience=2, restore_best_weights=True)
order = rng.permutation(len(source["x_train"]))
held_out, rest = order[:1500], order[1500:]
history = source_model.fit(
    source["x_train"][rest],
    source["y_train"][rest],
    validation_data=(source["x_train"][held_out], source["y_train"][held_out]),
    batch_size=128,
    epochs=6 if course.quick else 5,
    callbacks=[stop],
    verbose=0,
)

# %% tags=["nbval-ignore-output"]
curves = {
    "training images": [history.history["accuracy"]],
    "held-out images": [history.history["val_accuracy"]],
}
plots.learning_curves(curves, title="Pretraining on the source")


# %% [markdown]
# ### Save, with what a reader needs to know
#
# A file of weights without its preprocessing is a trap for whoever loads it. So we store beside it
# what the network expects and what it was trained on, and test that it comes back unchanged.

# %%
import json
import tempfile
from pathlib import Path

folder = Path(tempfile.mkdtemp())
source_model.save(folder / "source_model.keras")
about = {
    "trained on": PAIR.split(" to ")[0],
    "input": f"{backbone.input_shape[1:]}, pixels from 0 (background) to 1 (ink)",
    "output": f"{classes} logits",
    "seed": course.seed,
}
(folder / "source_model.json").write_text(json.dumps(about, indent=1))

reloaded = keras.models.load_model(folder / "source_model.keras")
sample = source["x_test"][:100]
difference = np.abs(reloaded.predict(sample, verbose=0) - source_model.predict(sample, verbose=0))
print("Stored with the weights:", json.dumps(about, indent=1))
print("The reloaded model gives the same outputs:", bool(difference.max() < 1e-5))

# %% [markdown]
# ## 4. The target, with five labels per class
#
# Labels are scarce here. `draw` picks a few training images of each class; everything is tested on
# the same held-out images, which are never trained on.


# %%
def draw(y, per_class, rng):
    """Return the rows of `per_class` images of each class, drawn at random."""
    return np.concatenate(
        [rng.choice(np.flatnonzero(y == k), per_class, replace=False) for k in np.unique(y)]
    )


def accuracy(model, parts=target):
    """Return the accuracy on the test part."""
    logits = model.predict(parts["x_test"], batch_size=1000, verbose=0)
    return float(np.mean(logits.argmax(axis=1) == parts["y_test"]))


rows = draw(target["y_train"], 5, rng)
x_few, y_few = target["x_train"][rows], target["y_train"][rows]
print(f"{len(x_few)} labelled images of the target, {len(target['x_test'])} to test on")

# %% [markdown]
# **The control: from scratch** (从头训练). The same architecture, random weights, the same few
# labels, and enough steps to fit them.


# %%
def train(model, x, y, rate, steps):
    """Compile and train for about `steps` batches of 32; more when there are many images."""
    compile_model(model, rate)
    batches = int(np.ceil(len(x) / 32))
    epochs = max(1, max(steps, len(x) // 4) // batches)
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0)


scratch = with_head(make_backbone(x_few.shape[1:]), classes)
train(scratch, x_few, y_few, rate=2e-3, steps=200)

# %% [markdown]
# ## 5. Feature extraction: the backbone frozen
#
# **Feature extraction** (特征提取) keeps the backbone as it is and trains only the head. One line
# does it: `backbone.trainable = False`.
#
# ### Exercise: freeze
#
# The check passes a small backbone of its own.


# %% exercise="03.freeze"
def freeze(backbone):
    """Freeze the backbone: training must change none of its weights."""
    ### BEGIN SOLUTION
    backbone.trainable = False
    ### END SOLUTION


ex.freeze.check(freeze)

# %%
pretrained = backbone.get_weights()  # to come back to later
source_weights = source_model.get_weights()

backbone.trainable = False
model = with_head(backbone, classes)
train(model, x_few, y_few, rate=1e-2, steps=120)
frozen_accuracy = accuracy(model)

random_backbone = make_backbone(x_few.shape[1:])  # the control: nothing was learned here
random_backbone.trainable = False
random_model = with_head(random_backbone, classes)
train(random_model, x_few, y_few, rate=1e-2, steps=120)

unchanged = all(np.array_equal(a, b) for a, b in zip(pretrained, backbone.get_weights()))
print("The backbone's weights are unchanged:", unchanged)

# %% [markdown]
# ### Exercise: what is trained?
#
# The backbone gives this many features. How many numbers may training change now?

# %%
features = backbone.output_shape[1]
print(f"{features} features, {classes} classes")

# %% exercise="03.trainable"
trainable = (
    ### BEGIN SOLUTION
    features * classes + classes
    ### END SOLUTION
)
ex.trainable.check(trainable, features, classes)

# %% [markdown]
# ## 6. Fine-tuning, in two phases
#
# **Fine-tuning** (微调) goes on from there. The head has learned; now the backbone is unfrozen and
# everything is trained at a lower rate. The reason for the order: a fresh head makes large random
# errors, and their gradients run through the backbone and can distort what it knows (Kumar et al.
# 2022). Section 8 tests how much that matters here.

# %%
backbone.trainable = True
train(model, x_few, y_few, rate=1e-3, steps=50)

results = {
    "from scratch": accuracy(scratch),
    "frozen random backbone": accuracy(random_model),
    "frozen backbone": frozen_accuracy,
    "fine-tuned": accuracy(model),
}
if same_classes:
    backbone.set_weights(pretrained)  # source_model holds the same backbone, which has moved
    results["source model, no target label"] = accuracy(source_model)

# %% tags=["nbval-ignore-output"]
plots.bars(results, "Accuracy on held-out target images (fraction)", title="5 labels per class")

# %% [markdown]
# One draw of labels is one throw of dice. Section 8 repeats this over several draws before it
# concludes anything. Two bars are controls that are often left out. A frozen backbone with *random*
# weights shows how much comes from the architecture alone. And where the classes are the same, the
# source model can be tested on the target without a single label of it: **zero-shot transfer**
# (零样本迁移).
#
# ### The learning rate
#
# How low is "lower"? We start from the trained head each time, fine-tune at six rates, and measure
# on target images that are used neither for training nor for the final test. This is a luxury: these
# 400 images have labels. With five labels per class in real life, take the rate from a similar task,
# or cross-validate on the few.

# %%
spare = np.setdiff1d(np.arange(len(target["y_train"])), rows)[:400]
held_out = {"x_test": target["x_train"][spare], "y_test": target["y_train"][spare]}
backbone.set_weights(pretrained)
backbone.trainable = False
train(model, x_few, y_few, rate=1e-2, steps=120)
start = model.get_weights()

backbone.trainable = True
accuracy_by_rate = {}
for rate in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1):
    model.set_weights(start)
    train(model, x_few, y_few, rate=rate, steps=50)
    accuracy_by_rate[rate] = accuracy(model, held_out)

# %% tags=["nbval-ignore-output"]
fig, ax = plots.figure(
    "Accuracy after fine-tuning against the learning rate, on a logarithmic axis: "
    + ", ".join(f"{value:.0%} at {rate:g}" for rate, value in accuracy_by_rate.items())
)
ax.semilogx(list(accuracy_by_rate), list(accuracy_by_rate.values()))
ax.set(xlabel="Learning rate (no unit)", ylabel="Accuracy, held-out (fraction)")
fig

# %%
lost = max(accuracy_by_rate.values()) - accuracy_by_rate[1e-1]
claim(
    "03.rate-too-high",
    "A learning rate of 0.1 destroys at least 20 points of accuracy.",
    100 * lost,
    at_least=20,
    unit="points",
)

# %% [markdown]
# ### Exercise: choose the rate
#
# Which of the six would you take? Rates within three points of the best count as right: 400 images
# cannot tell smaller differences.

# %% tags=["nbval-ignore-output"] exercise="03.rate"
rate = (
    ### BEGIN SOLUTION
    max(accuracy_by_rate, key=accuracy_by_rate.get)
    ### END SOLUTION
)
ex.rate.check(rate, accuracy_by_rate)

# %%
ex.q_compile.ask(...)

# %% [markdown]
# ## 7. Test: what is still confused
#
# Accuracy is one number. The confusion matrix shows which digits are taken for which.

# %%
model.set_weights(start)
train(model, x_few, y_few, rate=1e-3, steps=50)
predicted = model.predict(target["x_test"], batch_size=1000, verbose=0).argmax(axis=1)

# %% tags=["nbval-ignore-output"]
digits = [str(k + first_digit) for k in range(classes)]
plots.confusion_matrix(target["y_test"], predicted, digits)

# %% [markdown]
# ## 8. Where transfer pays, and where it stops paying
#
# Now the experiment that carries the conclusions: 1 to 50 labels per class, two or three draws each,
# the same images for all methods. There are two controls from scratch. One gets the very recipe by
# which the whole source model is fine-tuned below, 50 steps at the rate 3e-3: only its starting weights
# differ. The other gets four times as many steps, at 2e-3. (From 50 labels per class on the short
# runs get more; see `train`.) How good a control is decides how large a gain looks.
#
# The frozen backbone gives the same features in every step, so we compute them once and train the
# head on them, which is the same and much faster. The head starts at zero, where it adds no noise
# of its own.
#
# In the pairs whose source and target have the same classes there is one way more: the task is the
# same, so the **source's head is kept** and the whole source model is fine-tuned. A new head must
# learn from a handful of labels what the old one knows already. There is only one phase, so it gets
# a higher rate, 3e-3.


# %%
def run_scratch(x, y, rate, steps):
    """Train from random weights; return the accuracy on the target's test images."""
    model = with_head(make_backbone(x.shape[1:]), classes)
    train(model, x, y, rate, steps)
    return accuracy(model)


def with_trained_head(x, y):
    """Return the pretrained backbone with a head that was trained on its features."""
    backbone.set_weights(pretrained)
    head = keras.layers.Dense(classes, kernel_initializer="zeros")
    on_features = keras.Sequential([keras.Input((features,)), head])
    train(on_features, backbone.predict(x, batch_size=1000, verbose=0), y, rate=1e-2, steps=120)
    model = with_head(backbone, classes)
    model.layers[-1].set_weights(head.get_weights())
    return model


def run_transfer(x, y):
    """Return the accuracy with the backbone frozen, and after fine-tuning."""
    model = with_trained_head(x, y)
    frozen = accuracy(model)
    train(model, x, y, rate=1e-3, steps=50)
    return frozen, accuracy(model)


def run_source_head(x, y):
    """Fine-tune the source model as it is, head and all; return the accuracy."""
    source_model.set_weights(source_weights)
    train(source_model, x, y, rate=3e-3, steps=50)
    return accuracy(source_model)


# %%
DRAWS = {1: 3, 2: 2, 5: 3, 10: 2, 20: 2, 50: 2}  # labels per class: how often drawn
RECIPES = {"scratch, 50 steps": (3e-3, 50), "scratch, 200 steps": (2e-3, 200)}
CONTROLS = (*RECIPES, "SVM on pixels")
TRANSFER = ("frozen", "fine-tuned") + (("fine-tuned, source head",) if same_classes else ())
curve = {name: {k: [] for k in DRAWS} for name in CONTROLS + TRANSFER}
chosen = {k: [draw(target["y_train"], k, rng) for _ in range(DRAWS[k])] for k in DRAWS}


def few(rows):
    """Return images and labels of some rows of the target's training part."""
    return target["x_train"][rows], target["y_train"][rows]


for name, recipe in RECIPES.items():
    for k in (1, 2, 5):
        curve[name][k] = [run_scratch(*few(rows), *recipe) for rows in chosen[k]]

# %%
for name, recipe in RECIPES.items():
    for k in (10, 20, 50):
        curve[name][k] = [run_scratch(*few(rows), *recipe) for rows in chosen[k]]

# %%
for k in DRAWS:
    for rows in chosen[k]:
        frozen, tuned = run_transfer(*few(rows))
        curve["frozen"][k].append(frozen)
        curve["fine-tuned"][k].append(tuned)

# %%
if same_classes:
    for k in DRAWS:
        runs = [run_source_head(*few(rows)) for rows in chosen[k]]
        curve["fine-tuned, source head"][k] = runs
    source_model.set_weights(source_weights)  # as it was, for the sections that follow

# %% [markdown]
# A fair comparison also asks what a classic method does without any network: a support vector
# machine on the raw pixels.

# %%
from sklearn.svm import SVC

test_pixels = target["x_test"].reshape(len(target["x_test"]), -1)
for k in DRAWS:
    for rows in chosen[k]:
        x, y = few(rows)
        svm = SVC(C=10).fit(x.reshape(len(x), -1), y)
        curve["SVM on pixels"][k].append(svm.score(test_pixels, target["y_test"]))

# %% tags=["nbval-ignore-output"]
fig = plots.accuracy_by_labels(curve)
ax = fig.axes[0]
ax.set_ylim(30, 100)
if same_classes:
    no_label = 100 * results["source model, no target label"]
    ax.axhline(no_label, color="grey", linewidth=1)
    ax.annotate("source model, no label", (50, no_label), va="top", ha="right", color="dimgrey")
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
fig


# %%
METHOD = "fine-tuned, source head" if same_classes else "fine-tuned"


def gains(k, control="scratch, 200 steps", method=METHOD):
    """Return the points gained, one number per draw: both methods saw the same images."""
    return 100 * (np.array(curve[method][k]) - np.array(curve[control][k]))


# %% tags=["nbval-ignore-output"]
for control in RECIPES:
    print(f"Gain of {METHOD} over {control}, points:")
    for k in DRAWS:
        g = gains(k, control)
        spread = f"in {len(g)} draws from {g.min():.1f} to {g.max():.1f}"
        print(f"{k:3} labels per class: {g.mean():5.1f}, {spread}")

# %%
claim(
    "03.gain-1",
    "With 1 label per class, transfer gains clearly over scratch with 200 steps.",
    gains(1).mean(),
    at_least=15 if course.quick else 10,
    unit="points",
)
claim(
    "03.gain-5",
    "With 5 labels per class, it gains clearly over scratch with 50 steps.",
    gains(5, "scratch, 50 steps").mean(),
    at_least=10 if course.quick else 6,
    unit="points",
)
claim(
    "03.gain-5-tuned",
    "Over scratch with 200 steps, it gains at least 1 point at 5 labels per class.",
    gains(5).mean(),
    at_least=1,
    unit="points",
)
claim(
    "03.gain-shrinks",
    "At 50 labels per class the gain is smaller than at 1 by at least 5 points.",
    gains(1).mean() - gains(50).mean(),
    at_least=5,
    unit="points",
)
if same_classes:
    claim(
        "03.backbone-share",
        "At 1 label per class, at least a quarter of the gain comes with the backbone alone.",
        gains(1, method="fine-tuned").mean() / gains(1).mean(),  # under a new head
        at_least=0.25,
    )
if course.quick:
    best = max(np.mean(curve[name][50]) for name in TRANSFER)
    claim(
        "03.svm",
        "At 50 labels per class, the SVM on pixels is not behind transfer by more than 1 point.",
        100 * (best - np.mean(curve["SVM on pixels"][50])),
        at_most=1,
        unit="points",
    )

# %% [markdown]
# Transfer pays most where labels are fewest. As they grow, the target teaches by itself what the
# source could have told. Where the classes are the same, the source model without any target label
# is the grey line: compare it with scratch at one label per class.
#
# The gain also depends on the control, and the two tables ask different questions. The first: does it
# help to start from the source's weights, all else equal? Fifty steps are 50 passes over 10 images
# but 12 over 100: look how far the control from scratch gets with these. Beside it, any method looks
# good. The second: does it help someone who gives the network from scratch more steps? Compare the
# gains at 5 labels per class. Whoever has to choose asks the second question, so give the control
# your best effort before you report a gain.
#
# The bands are a second story: with one label per class, results differ by several points with the
# images that you happen to have. So compare methods on the same draws, and look at the gain of each
# draw, as the table does.
#
# And look at the line of the support vector machine. On small, centred digits it is a strong control,
# and with enough labels it catches up with transfer. "Better than the same network from
# scratch" is the question of this lesson; "better than anything simpler" is the question of your
# project, and it needs that line.
#
# ### Two phases or one?
#
# Section 6 gave a reason for training the head first. Here is the test: a fresh head and an unfrozen
# backbone together from the first step, for as many steps as both phases have.


# %%
def run_one_phase(x, y):
    """Train a fresh random head and the pretrained backbone together; return the accuracy."""
    backbone.set_weights(pretrained)
    model = with_head(backbone, classes)
    train(model, x, y, rate=1e-3, steps=170)
    return accuracy(model)


one_phase = {k: [run_one_phase(*few(rows)) for rows in chosen[k][:2]] for k in (1, 5)}

# %% tags=["nbval-ignore-output"]
for k, values in one_phase.items():
    g = 100 * (np.array(curve["fine-tuned"][k][:2]) - values)
    spread = f"in {len(g)} draws from {g.min():.1f} to {g.max():.1f}"
    print(f"{k} labels per class: two phases gain {g.mean():.1f} points, {spread}")

# %% [markdown]
# Two draws cannot settle this, and they need not agree. For this small network, take the order as an
# insurance, not as a gain. Lesson 04 tests a fresh head on a deep network, where more can be lost.

# %%
ex.q_when.ask(...)

# %% [markdown]
# ### Exercise: predict, then verify
#
# Before you run the next cell: how many points will the gain over scratch with 200 steps be at 80
# labels per class? Read it off the trend, write a number, and compare.

# %%
x, y = few(draw(target["y_train"], 80, rng))
transferred = run_source_head(x, y) if same_classes else run_transfer(x, y)[1]
gain_80 = 100 * (transferred - run_scratch(x, y, *RECIPES["scratch, 200 steps"]))
source_model.set_weights(source_weights)

# %% tags=["nbval-ignore-output"] exercise="03.forecast"
points = (
    ### BEGIN SOLUTION
    max(gains(50).mean(), 1)
    ### END SOLUTION
)
ex.forecast.check(points, gain_80)

# %% [markdown]
# ## 9. How many layers to freeze
#
# Between all and nothing lies a choice: freeze the first layers, which see edges and strokes, and
# train the later ones. We run the grid once, then the slider only looks up what was measured.


# %%
convolutions = [layer for layer in backbone.layers if "conv" in layer.name]
GRID_LABELS = (1, 20)


def run_partly_frozen(frozen_layers, model, x, y):
    """Fine-tune with the first layers frozen; return the accuracy on the target's test images."""
    for number, layer in enumerate(convolutions):
        layer.trainable = number >= frozen_layers
    train(model, x, y, rate=1e-3, steps=50)
    for layer in convolutions:
        layer.trainable = True
    return accuracy(model)


# %%
grid = {}
for k in GRID_LABELS:
    depths = range(len(convolutions) + 1)
    runs = []
    for x, y in [few(rows) for rows in chosen[k][:2]]:
        model = with_trained_head(x, y)
        start = model.get_weights()
        for frozen_layers in depths:
            model.set_weights(start)
            runs.append(run_partly_frozen(frozen_layers, model, x, y))
    grid |= {(k, depth): float(np.mean(runs[depth :: len(depths)])) for depth in depths}


# %% tags=["nbval-ignore-output"]
def draw_grid(labels_per_class, frozen_layers):
    """Plot accuracy against frozen layers, one line per number of labels, and mark the choice."""
    depths = range(len(convolutions) + 1)
    lines = {k: [100 * grid[k, depth] for depth in depths] for k in GRID_LABELS}
    chosen_value = 100 * grid[labels_per_class, frozen_layers]
    said = [f"{k} labels per class: {' '.join(f'{v:.1f}' for v in lines[k])}" for k in lines]
    fig, ax = plots.figure(
        f"Accuracy in % with 0 to {len(convolutions)} frozen convolutions, {'; '.join(said)}. "
        f"Chosen: {labels_per_class} per class, {frozen_layers} frozen, {chosen_value:.1f}."
    )
    for k, values in lines.items():
        ax.plot(depths, values, label=f"{k} per class", linewidth=3 if k == labels_per_class else 1)
    ax.plot([frozen_layers], [chosen_value], "o", markersize=14, fillstyle="none", color="black")
    ax.set(xlabel="Frozen convolutions (count)", ylabel="Accuracy (%)")
    ax.set_xticks(list(depths))
    ax.set_title(f"{labels_per_class} per class, {frozen_layers} frozen: {chosen_value:.1f} %")
    ax.legend()
    return fig


plots.interactive(
    draw_grid,
    labels_per_class=list(GRID_LABELS),
    frozen_layers=(0, len(convolutions)),
    descriptions={"labels_per_class": "Labels per class", "frozen_layers": "Frozen convolutions"},
)

# %% tags=["nbval-ignore-output"]
for k in GRID_LABELS:
    gained = 100 * (grid[k, 0] - grid[k, len(convolutions)])
    print(f"{k} labels per class: training all layers instead of none gains {gained:.1f} points")

# %%
claim(
    "03.depth",
    "With 20 labels per class, training all layers is at most 1 point worse than training none.",
    100 * (grid[20, 0] - grid[20, len(convolutions)]),
    at_least=-1,
    unit="points",
)

# %% [markdown]
# Move the sliders by mouse or with the arrow keys. Two draws stand behind each point, so
# differences of a point or two mean nothing. With one label per class there is little to learn from,
# and the depth matters little. With 20, training all layers does no harm.

# %% [markdown]
# ## 10. Both at once
#
# Instead of first the source and then the target, a network can train on both together:
#
# $$L_{total} = L_{shared} + \lambda L_{task}$$
#
# Here $L_{shared}$ is the mean loss on source images, $L_{task}$ the mean loss on the few labelled
# target images, and $\lambda$ (no unit) says how much these few count.


# %% exercise="03.total_loss"
def total_loss(shared, task, lam):
    """Return the total loss for the two mean losses and the weight lambda."""
    ### BEGIN SOLUTION
    return shared + lam * task
    ### END SOLUTION


ex.total_loss.check(total_loss)

# %% [markdown]
# In Keras, the weight of each example does it. Every batch mixes source images with repeated
# target images, as many of each; the former weigh 1, the latter $\lambda$. Both losses stay *means*,
# so $\lambda$ keeps its meaning when the source grows. (Keras divides by the number of all examples,
# so its loss is half of $L_{total}$, which moves no minimum.) In the MNIST pair each task has its own
# outputs.


# %%
def run_joint(lam, x, y, images=1000):
    """Train from random weights on source and target together; return the target accuracy."""
    own = 0 if same_classes else classes  # where the outputs of the target begin
    some = rng.choice(len(source["x_train"]), images, replace=False)
    again = np.resize(rng.permutation(len(x)), images)
    x_both = np.concatenate([source["x_train"][some], x[again]])
    y_both = np.concatenate([source["y_train"][some], y[again] + own])
    weights = np.repeat([1.0, lam], images).astype("float32")
    model = with_head(make_backbone(x.shape[1:]), classes + own)
    compile_model(model, 2e-3)
    model.fit(x_both, y_both, sample_weight=weights, batch_size=128, epochs=4, verbose=0)
    logits = model.predict(target["x_test"], batch_size=1000, verbose=0)[:, own:]
    return float(np.mean(logits.argmax(axis=1) == target["y_test"]))


# %%
LAMBDAS = (0.0, 0.2, 2.0, 20.0)
x, y = few(chosen[5][0])
joint = {lam: run_joint(lam, x, y) for lam in LAMBDAS}

# %% tags=["nbval-ignore-output"]
fig, ax = plots.figure(
    "Target accuracy after joint training against lambda: "
    + ", ".join(f"{value:.1%} at {lam:g}" for lam, value in joint.items())
    + "".join(f"; {n}: {curve[n][5][0]:.1%}" for n in ("scratch, 200 steps", METHOD))
)
ax.plot(range(len(joint)), list(joint.values()), label="joint training")
for name, style in (("scratch, 200 steps", ":"), (METHOD, "--")):
    ax.axhline(curve[name][5][0], color="black", linestyle=style, label=name)
ax.set_xticks(range(len(joint)), [f"{lam:g}" for lam in joint])
ax.set(xlabel="Lambda (no unit, not to scale)", ylabel="Accuracy on the target (fraction)")
ax.legend()
fig

# %%
claim(
    "03.lambda",
    "Some weight on the target beats none (lambda 0) by at least 5 points.",
    100 * (max(joint.values()) - joint[0.0]),
    at_least=5,
    unit="points",
)

# %% [markdown]
# At $\lambda = 0$ the target's labels are ignored: what is left is a network trained on 1000 source
# images, less than the source model had. The claim above is therefore a weak one. The question that
# counts is whether some $\lambda$ beats the control from scratch on the same labels, the dotted line.
# One draw and one seed stand behind each point. Where the best weight lies depends on how many labels
# there are and how far the domains are apart; lesson 02 works it out for models that can be solved
# exactly, and shows when too much weight on few labels hurts.

# %% [markdown]
# ## 11. What moved, and what was forgotten
#
# How far did fine-tuning move each layer? We measure the length of the change as a fraction of the
# length before.


# %% exercise="03.relative_change"
def relative_change(before, after):
    """Return the Euclidean length of the change over the length before."""
    ### BEGIN SOLUTION
    return np.linalg.norm(after - before) / np.linalg.norm(before)
    ### END SOLUTION


ex.relative_change.check(relative_change)

# %%
x, y = few(chosen[50][0])
model = with_trained_head(x, y)
source_before = accuracy(source_model, source)
train(model, x, y, rate=1e-3, steps=600)
source_after = accuracy(source_model, source)  # the old head on the backbone that moved

moved = {}
for number, layer in enumerate(convolutions):
    before, after = pretrained[2 * number], layer.get_weights()[0]
    moved[f"convolution {number + 1}"] = float(
        np.linalg.norm(after - before) / np.linalg.norm(before)
    )

# %% tags=["nbval-ignore-output"]
plots.bars(moved, "Change of the weights (fraction of their length)", title="What moved")

# %% tags=["nbval-ignore-output"]
print(f"Accuracy on the source before fine-tuning {source_before:.1%}, after {source_after:.1%}.")

# %%
claim(
    "03.forgetting",
    "Fine-tuning costs accuracy on the source: the network forgets at least 1 point.",
    100 * (source_before - source_after),
    at_least=1,
    unit="points",
)

# %% [markdown]
# Nobody asked the network to remember the source, so it does not. This is **catastrophic
# forgetting** (灾难性遗忘), in a mild form: the rate was low. Part of the loss is only that the old
# head no longer fits the features that moved. If you need both, train on both (section 10), or keep
# the pretrained weights, as we do here.

# %% [markdown]
# ## 12. The freezing clinic
#
# Two switches are easily confused:
#
# - `layer.trainable` says whether *training may change the weights*;
# - the argument `training=` of a call says how a layer *behaves*: whether dropout drops, and
#   whether batch normalisation (批归一化) uses the statistics of the batch and updates its
#   moving averages.
#
# Here is a backbone with batch normalisation, frozen in three ways. We train a head for a few steps
# and look which of its arrays changed.


# %%
def clinic_backbone():
    """Return a backbone with one dense layer and batch normalisation."""
    layers = [keras.Input((4,)), keras.layers.Dense(3), keras.layers.BatchNormalization()]
    return keras.Sequential(layers, name="backbone")


def what_changes(freeze_it):
    """Freeze a backbone with a function, train a head on it, return the arrays that changed."""
    patient = clinic_backbone()
    freeze_it(patient)
    model = with_head(patient, 2)
    before = [np.array(w) for w in patient.get_weights()]
    x = np.random.default_rng(0).normal(3, 2, size=(64, 4)).astype("float32")
    train(model, x, (x[:, 0] > 3).astype("int64"), rate=1e-2, steps=10)
    pairs = zip(patient.weights, before, patient.get_weights())
    changed = [w.name for w, old, new in pairs if not np.allclose(old, new, atol=1e-7)]
    numbers = sum(int(np.prod(w.shape)) for w in patient.trainable_weights)
    print(f"  trainable numbers: {numbers}; changed: {', '.join(changed) or 'nothing'}")


# %%
def freeze_dense_only(backbone):
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.Dense):
            layer.trainable = False


def freeze_each_weight(backbone):
    for weight in backbone.trainable_weights:
        weight.trainable = False


def freeze_backbone(backbone):
    backbone.trainable = False


for function in (freeze_dense_only, freeze_each_weight, freeze_backbone):
    print(function.__name__)
    what_changes(function)

# %% [markdown]
# The first way forgets that batch normalisation has weights as well. The second looks right: no
# trainable number is left. Yet the moving averages follow the new data, because they are not
# trained but *updated* on every batch, and the features shift under the head. The third is the
# cure: for this one layer, `trainable = False` also switches it to its stored averages. It is so in
# Keras 3 (and in `tf.keras` since TensorFlow 2.0), even when the model is called with
# `training=True`.

# %%
ex.q_batchnorm.ask(...)

# %% [markdown]
# And the third trap: unfreezing without compiling again. The optimiser was built for the weights
# that were trainable then.


# %%
def unfreeze_and_fit(compile_again):
    """Train a head on a frozen backbone, unfreeze it, and train on."""
    patient = clinic_backbone()
    patient.trainable = False
    model = with_head(patient, 2)
    x, y = np.ones((8, 4), "float32"), np.zeros(8, "int64")
    train(model, x, y, rate=1e-2, steps=2)
    patient.trainable = True
    if compile_again:
        compile_model(model, 1e-3)
    model.fit(x, y, verbose=0)


try:
    unfreeze_and_fit(compile_again=False)
    print("fit ran, but without the weights that were unfrozen")
except ValueError:
    print("fit raised a ValueError: the optimiser does not know the weights that were unfrozen")
unfreeze_and_fit(compile_again=True)
print("with compile, it trains")

# %% [markdown]
# ## 13. A recipe that shows nothing
#
# A recipe that circulates goes like this: train on all of MNIST, "fine-tune" on all of MNIST at a
# lower rate, test on MNIST, and call the result transfer learning. Here it is on the source of this
# lesson, beside its missing control: one training of as many epochs, whose rate falls on the way. Both
# start from the same weights and see the images in the same order.

# %%
small = rng.choice(len(source["x_train"]), 2000, replace=False)
x, y = source["x_train"][small], source["y_train"][small]
circulating = with_head(make_backbone(x.shape[1:]), classes)
fresh = circulating.get_weights()
compile_model(circulating, 3e-3)
keras.utils.set_random_seed(course.seed)
circulating.fit(x, y, batch_size=64, epochs=3, verbose=0)
after_pretraining = accuracy(circulating, source)
compile_model(circulating, 3e-4)
circulating.fit(x, y, batch_size=64, epochs=2, verbose=0)  # "fine-tuning" on the same images
after_finetuning = accuracy(circulating, source)

control = with_head(make_backbone(x.shape[1:]), classes)
control.set_weights(fresh)
compile_model(control, 3e-3)
falling = keras.callbacks.LearningRateScheduler(lambda epoch: 3e-3 if epoch < 3 else 3e-4)
keras.utils.set_random_seed(course.seed)
control.fit(x, y, batch_size=64, epochs=5, callbacks=[falling], verbose=0)
one_training = accuracy(control, source)

# %% tags=["nbval-ignore-output"]
print(f"After pretraining {after_pretraining:.1%}, after fine-tuning {after_finetuning:.1%}.")
print(f"One training with a falling rate: {one_training:.1%}.")

# %%
claim(
    "03.same-data",
    "The recipe and one training with a falling rate end within 5 points of each other.",
    100 * abs(after_finetuning - one_training),
    at_most=5,
    unit="points",
)

# %% [markdown]
# If the accuracy rises in the second phase, then because the training goes on at a lower rate. It says
# nothing about transfer: nothing went from one domain or task to another. A transfer experiment needs
# a target with other data or other labels, few labels, held-out target data, and a control from
# scratch.

# %%
ex.q_same_data.ask(...)

# %% [markdown]
# ### Exercise: find the leak
#
# A second way to fool yourself. This function enlarges a small data set by shifted copies and then
# splits it. Every run with it reports splendid accuracies. Why?


# %%
def shifted(x):
    """Return a copy of each image, moved one pixel to the right."""
    return np.roll(x, 1, axis=2)


def leaky_split(x, y, n_test, rng):
    """Return x_train, y_train, x_test, y_test. There is a mistake in it."""
    x, y = np.concatenate([x, shifted(x)]), np.concatenate([y, y])
    order = rng.permutation(len(x))
    test, train = order[:n_test], order[n_test:]
    return x[train], y[train], x[test], y[test]


# %% [markdown]
# Write it without the leak: `n_test` images to test on, as they came; all others to train on, with
# one shifted copy of each.


# %% exercise="03.split"
def split(x, y, n_test, rng):
    """Return x_train, y_train, x_test, y_test without a leak."""
    ### BEGIN SOLUTION
    order = rng.permutation(len(x))
    test, train = order[:n_test], order[n_test:]
    x_train = np.concatenate([x[train], shifted(x[train])])
    y_train = np.concatenate([y[train], y[train]])
    return x_train, y_train, x[test], y[test]
    ### END SOLUTION


ex.split.check(split)

# %% [markdown]
# ## Your progress

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - A backbone is shared, a head belongs to one task. Swapping the head carries the backbone over.
# - Freeze with `backbone.trainable = False`, on the whole backbone, and compile after each change.
# - Fine-tune in two phases: first the head, then everything at a lower rate.
# - The gain is largest where labels are fewest. Without a control from scratch there is no gain to
#   report.
# - Fine-tuning forgets the source. Source and target from the same data show nothing.
#
# ## Where next
#
# Change `PAIR` and run the lesson again. Then ask of any result that you read: what was the
# control, and what was the target?
#
# [Lesson 04](04_vgg16_features.ipynb) takes a deep network for photographs through the same steps,
# [lesson 06](06_bert_classifier.ipynb) one for text.
#
# ## Sources
#
# - S. J. Pan and Q. Yang (2010), *A Survey on Transfer Learning*, IEEE TKDE 22(10),
#   [doi:10.1109/TKDE.2009.191](https://doi.org/10.1109/TKDE.2009.191): domain, task and the terms.
# - J. Yosinski, J. Clune, Y. Bengio and H. Lipson (2014), *How transferable are features in deep
#   neural networks?*, [arXiv:1411.1792](https://arxiv.org/abs/1411.1792): how many layers to freeze.
# - A. Kumar et al. (2022), *Fine-Tuning can Distort Pretrained Features and Underperform
#   Out-of-Distribution*, [arXiv:2202.10054](https://arxiv.org/abs/2202.10054): why the head first.
# - Y. LeCun, L. Bottou, Y. Bengio and P. Haffner (1998), *Gradient-Based Learning Applied to
#   Document Recognition*, [doi:10.1109/5.726791](https://doi.org/10.1109/5.726791): MNIST.
# - E. Alpaydin and C. Kaynak (1998), *Optical Recognition of Handwritten Digits*,
#   [doi:10.24432/C50P49](https://doi.org/10.24432/C50P49): the scanned digits.
# - F. Chollet, [Transfer learning and fine-tuning](https://keras.io/guides/transfer_learning/),
#   Keras guide: `trainable` and `training`.
