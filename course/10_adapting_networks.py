# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lesson 03; 09 helps" engine="keras"
# # 10. Adapting networks
#
# The source has labels, the target has none: not five, none. Nobody has the time to label a scan. What
# can a network still learn from the bare images? Afterwards you can
#
# - repair a shift of brightness with two numbers, and say when such statistics mislead;
# - write the step that trains on two domains, and its control;
# - turn a gradient round (DANN), and write a loss that needs no label (information maximisation);
# - see when a method harms, and what choosing without labels costs.
#
# Terms are in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("10")
ex = course.exercises

# %% [markdown]
# Three questions first. Answer from the gut: they come back at the end, and then they count.

# %%
ex.before("q_control", "q_proportions", "q_choice")

# %% [markdown]
# ## 1. Print, then handwriting
#
# The source is drawn with computer fonts, so its labels cost nothing. The target is scanned
# handwriting. This network has learned from print alone, in about five seconds:

# %% tags=["keep"]
import keras
import numpy as np
from keras import ops
from scipy.ndimage import rotate
from sklearn.datasets import load_digits
from tqdm.auto import tqdm

from transfer_lib import plots
from transfer_lib.taught.lesson_03 import accuracy, digits, head_swap, make_backbone, train

HALF = 32  # images of each domain in a batch

# %% tags=["nbval-ignore-output"]
keras.utils.set_random_seed(course.seed)
fonts, fonts_test = digits("font_digits", range(10))
scans, scans_test = digits("digits", range(10))
reader = head_swap(make_backbone((8, 8, 1)), 10)
train(reader, *fonts, steps=500, batch=64)
printed = reader.get_weights()
print(f"of print {accuracy(reader, *fonts_test):.0%}, of scans {accuracy(reader, *scans_test):.0%}")

# %% tags=["hide-input"]
shown = [np.flatnonzero(y == k)[0] for y in (fonts[1], scans[1]) for k in range(5, 10)]
pictures = [fonts[0][i] for i in shown[:5]] + [scans[0][i] for i in shown[5:]]
plots.image_grid(pictures, ["print"] * 5 + ["scan"] * 5, ncols=5)

# %% [markdown]
# Now it looks at 896 scans as well, *without their labels*, for 250 more steps. Beside it stands a
# **control**: the same network, the same batches of print and scans, the same steps, but only the loss
# of the print. How many of the other 901 scans will each read? Write down two numbers.

# %% tags=["nbval-ignore-output"]
from transfer_lib.taught.lesson_10 import Adapted, Information, adapt

read = {}
for name, kind, strength in tqdm([("control", Adapted, 0), ("adapted", Information, 3)]):
    model = adapt(kind, printed, fonts, scans[0], strength, course.seed)
    read[name] = 100 * accuracy(model, *scans_test)
plots.bars(read, "Right of the scans (%)", title="No label of a scan was used")

# %% tags=["hide-input"]
from transfer_lib.claims import claim

for name in ("print-control", "fonts-information"):
    claim(f"10.{name}")

# %% [markdown]
# The control has hardly moved: seeing scans and more steps are worth little by themselves. What is the
# other one's secret? You write it in section 4. First something cheaper.
#
# ## 2. Two numbers
#
# A new scanner makes everything grey: ink that was 1 is now 0.8, paper that was 0 is 0.3. No stroke has
# changed. What does the network, trained on black and white, make of it?

# %%
grey, grey_test = 0.3 + 0.5 * scans[0], 0.3 + 0.5 * scans_test[0]
pictures = np.concatenate([scans[0][shown[5:]], grey[shown[5:]]])
plots.image_grid(pictures, ["before"] * 5 + ["grey"] * 5, ncols=5)

# %% [markdown]
# ### Exercise: two numbers of the input
#
# Give `images` the mean and the deviation of `reference`: one number each, over all images and pixels.


# %% tags=["keep"] exercise="10.match_statistics"
def match_statistics(images, reference):
    """Return the images, moved and scaled to the mean and the deviation of the reference."""
    ### BEGIN SOLUTION
    centred = (images - images.mean()) / images.std()
    return centred * reference.std() + reference.mean()
    ### END SOLUTION


ex.match_statistics.check(match_statistics)

# %% [markdown]
# ### Exercise: the network's own statistics
#
# Batch normalisation keeps moving averages of the *source*. Let it take those of the target instead. It
# follows what it sees when a model is called with `training=True`; how fast, is its `momentum`: 0 means
# at once. No weight may be trained. (`model.layers` are the layers, and
# `isinstance(layer, keras.layers.BatchNormalization)` tells you which.)


# %% tags=["keep"] exercise="10.reestimate"
def reestimate(model, images):
    """Replace the averages of each batch normalisation by those of these images."""
    ### BEGIN SOLUTION
    norms = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    kept = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0
    model(images, training=True)
    for layer, momentum in zip(norms, kept, strict=True):
        layer.momentum = momentum
    ### END SOLUTION


ex.reestimate.check(reestimate)

# %% [markdown]
# Both beside the network as it is; and once more with statistics from zeros and ones alone. Which of
# the four will be lowest, and will one be as good as on white paper?

# %% tags=["nbval-ignore-output"]
from transfer_lib.taught.lesson_10 import match_statistics, reestimate


def with_statistics_of(images):
    reader.set_weights(printed)
    reestimate(reader.layers[1], images)
    return 100 * accuracy(reader, grey_test, scans_test[1])


reader.set_weights(printed)
matched = match_statistics(grey_test, fonts[0])
repaired = {
    "as it is": 100 * accuracy(reader, grey_test, scans_test[1]),
    "input matched": 100 * accuracy(reader, matched, scans_test[1]),
    "network's, all digits": with_statistics_of(grey),
    "network's, 0 and 1 only": with_statistics_of(grey[scans[1] < 2]),
}
plots.bars(repaired, "Right of the grey scans (%)", title="Statistics of the target")

# %% tags=["hide-input"]
for name in ("grey-input", "grey-norm", "grey-tie", "two-classes"):
    claim(f"10.{name}")

# %% [markdown]
# Two numbers repair a grey scanner; the network's hundreds of statistics do no more. Test-time
# adaptation does the second for each batch that arrives. When a batch holds few classes, its statistics
# describe *those classes* as well as the scanner, and that costs a little.
#
# ## 3. The step, in the open
#
# From here on the target is harder: scans turned by 20 degrees. The network is small and dense, so that
# each training takes a second.


# %% tags=["keep"]
def dense_backbone():
    """Return 64 features of an image of 8 x 8 pixels, by two dense layers."""
    layers = [keras.layers.Dense(64, activation="relu") for _ in range(2)]
    return keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), *layers])


def turned_pair(seed, degrees=20):
    """Return source, unlabelled target, and target to test on; disjoint scans."""
    images = (load_digits().images / 16).astype("float32")[..., None]
    order = np.random.default_rng(seed).permutation(len(images))
    turned = rotate(images, degrees, axes=(1, 2), reshape=False, order=1)
    parts = np.split(order, [800, 1300])
    return [
        (x[rows], load_digits().target[rows]) for x, rows in zip((images, turned, turned), parts)
    ]


# %%
source, target, target_test = turned_pair(course.seed)
held_out, source = ([part[rows] for part in source] for rows in (slice(600, 800), slice(600)))
plots.image_grid(target[0][:8], ["turned"] * 8)

# %% [markdown]
# A batch holds 32 images of each domain. The loss is the source's cross-entropy plus `strength` times a
# **penalty**, which sees the features of both halves and the logits of the target. With the penalty 0
# this is the control.


# %% tags=["keep"]
class Adapted(keras.Model):
    """A classifier trained on both domains; the labels of the second half are never used."""

    def penalty(self, source, target, logits):
        return 0.0

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        features, logits = y_pred
        losses = keras.losses.sparse_categorical_crossentropy(y[:HALF], logits[:HALF], True)
        extra = self.penalty(features[:HALF], features[HALF:], logits[HALF:])
        return ops.mean(losses) + self.strength * extra


# %% [markdown]
# The strength grows from 0 during the training: at first the features are too poor to be compared.


# %% tags=["keep"]
class Ramp(keras.callbacks.Callback):
    """Let the strength grow from 0, as Ganin and Lempitsky (2015) do."""

    def __init__(self, strength, steps):
        super().__init__()
        self.strength, self.steps = strength, steps

    def on_train_batch_begin(self, batch, logs=None):
        done = batch / self.steps
        self.model.strength.assign(self.strength * (2 / (1 + np.exp(-10 * done)) - 1))


# %% tags=["keep"]
def adapt(kind, learned, source, target, strength, seed, backbone=None, steps=250, rate=1e-3):
    """Train a model of this kind from learned weights; return an ordinary classifier."""
    keras.utils.set_random_seed(seed)
    classifier = head_swap(backbone or make_backbone(source[0].shape[1:]), 10)
    classifier.set_weights(learned)
    _, body, head = classifier.layers
    features = body(classifier.inputs[0])
    model = kind(classifier.inputs[0], [features, head(features)])
    model.strength = keras.Variable(0.0, trainable=False)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps)))
    images, labels = halves(source, target, steps, np.random.default_rng(seed))
    ramp = Ramp(strength, steps)
    model.fit(images, labels, batch_size=2 * HALF, shuffle=False, verbose=0, callbacks=[ramp])
    return classifier


# %% tags=["keep"]
def halves(source, target, steps, rng):
    """Return images and labels, in each batch a half of the source, then a half of the target."""
    rows = rng.integers(len(source[0]), size=(steps, HALF))
    other = rng.integers(len(target), size=(steps, HALF))
    images = np.concatenate([source[0][rows], target[other]], axis=1)
    labels = np.concatenate([source[1][rows], np.zeros_like(rows)], axis=1)
    return images.reshape(-1, *images.shape[2:]), labels.ravel()


# %% [markdown]
# The plainest penalties measure a distance between the clouds of features: their covariances (deep CORAL, lesson 09)
# or a kernel (MMD). **DANN** lets a second network measure it. That network, the *teller*, learns to tell source from
# target; the backbone learns to *deceive* it. One trick does both in one step: between them the gradient is turned
# round.
#
# ### Exercise: turn the gradient round
#
# Forward, `x` passes as it is. Backward, its gradient is multiplied by $-\lambda$. `ops.stop_gradient(x)`
# has the value of `x` and the gradient zero. One line will do.


# %% tags=["keep"] exercise="10.reverse"
def reverse(x, lam):
    """Return x, whose gradient is multiplied by -lam on its way back."""
    ### BEGIN SOLUTION
    return (1 + lam) * ops.stop_gradient(x) - lam * x
    ### END SOLUTION


ex.reverse.check(reverse)

# %%
from transfer_lib.taught.lesson_10 import reverse


# %% tags=["keep"]
class Dann(Adapted):
    """The teller learns which half a row of features comes from; the backbone unlearns it."""

    def build(self, input_shape=None):
        layers = [keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)]
        self.teller = keras.Sequential([keras.Input((64,)), *layers])

    def penalty(self, source, target, logits):
        told = self.teller(reverse(ops.concatenate([source, target]), 1.0))
        truth = ops.repeat(ops.array([[0.0], [1.0]]), HALF, axis=0)
        return ops.mean(ops.binary_crossentropy(truth, told, from_logits=True))


# %% [markdown]
# ## 4. Sure, and of everything
#
# **Information maximisation** asks nothing about domains. Two wishes: of each target image the network
# shall be *sure*, so the entropy of its prediction is small; and over all images it shall use *all
# classes*, so the entropy of the mean prediction is large. With $H(p) = -\sum_k p_k \ln p_k$:
#
# $$L_{\text{info}} = \frac1n \sum_i H(p_i) - H\Big(\frac1n \sum_i p_i\Big).$$
#
# ### Exercise: the loss without a label
#
# `logits` has the shape (n, classes). Write it with `ops` (`softmax`, `log`, `sum`, `mean`), so that it
# has a gradient. A probability can be 0.


# %% tags=["keep"] exercise="10.information"
def information(logits):
    """Return the mean entropy of the rows minus the entropy of the mean row, a number."""
    ### BEGIN SOLUTION
    p = ops.softmax(logits)
    each = -ops.sum(p * ops.log(p + 1e-9), axis=1)
    mean = ops.mean(p, axis=0)
    return ops.mean(each) + ops.sum(mean * ops.log(mean + 1e-9))
    ### END SOLUTION


ex.information.check(information)

# %%
from transfer_lib.taught.lesson_10 import information


# %% tags=["keep"]
class Information(Adapted):
    """Sure of each target image, and of all classes together."""

    def penalty(self, source, target, logits):
        return information(logits)


# %% [markdown]
# Source alone, the control, DANN, information: which order do you expect on the turned scans?

# %% tags=["nbval-ignore-output"]
upright = head_swap(dense_backbone(), 10)
train(upright, *source, steps=250, batch=64)
learned, candidates = upright.get_weights(), {"source only": upright}
methods = {"control": (Adapted, 0), "DANN": (Dann, 0.3), "information": (Information, 1)}
for name, (kind, strength) in tqdm(methods.items()):
    body = dense_backbone()
    candidates[name] = adapt(kind, learned, source, target[0], strength, course.seed, body)
right = {name: accuracy(model, *target_test) for name, model in candidates.items()}
plots.bars(
    {n: 100 * v for n, v in right.items()}, "Right of the turned scans (%)", title="20 degrees"
)

# %% tags=["hide-input"]
for name in (
    "turned-dann",
    "turned-coral",
    "turned-mmd",
    "turned-information",
    "fonts-dann",
):
    claim(f"10.{name}")

# %% [markdown]
# On turned scans all of them gain. On print and handwriting information does, and DANN is no better than its control
# (the other two were not tried): DANN is no better than its control there. Aligned clouds can be aligned wrongly
# (lesson 09); being sure can be sure of the wrong thing. It depends on the pair, so keep the control.
#
# ### Exercise: labels of its own
#
# The oldest trick of all are **pseudo-labels**: train on the network's own answers, where it is sure.
# Return the rows whose highest probability is above `bar`, and the classes predicted for them.
# (`scipy.special.softmax(logits, axis=1)` gives probabilities.)


# %% tags=["keep"] exercise="10.pseudo_labels"
def pseudo_labels(logits, bar):
    """Return the rows of logits (n, classes) that are sure, and their classes: two arrays."""
    ### BEGIN SOLUTION
    from scipy.special import softmax

    p = softmax(logits, axis=1)
    rows = np.flatnonzero(p.max(axis=1) > bar)
    return rows, p[rows].argmax(axis=1)
    ### END SOLUTION


ex.pseudo_labels.check(pseudo_labels)

# %% tags=["nbval-ignore-output"]
from transfer_lib.taught.lesson_10 import pseudo_labels

logits = upright.predict(target[0], verbose=0)
for bar in (0.0, 0.5, 0.9, 0.99):
    rows, named = pseudo_labels(logits, bar)
    print(
        f"above {bar:4}: {len(rows):3} images, {np.mean(named == target[1][rows]):.0%} of them right"
    )

# %% [markdown]
# Sure is not right, but surer is righter: that is all it rests on.
#
# ## 5. Other proportions
#
# So far the target held all digits equally often. In practice it seldom does. Back to print and
# handwriting, with only one in twenty of the scanned 5 to 9 left. The second wish, *all classes
# equally*, is now false. Predict: does information still gain over its control?

# %% tags=["nbval-ignore-output"]
rng = np.random.default_rng(course.seed)
kept, kept_test = ((y < 5) | (rng.random(len(y)) < 0.05) for y in (scans[1], scans_test[1]))
few = {}
for name, kind, strength in tqdm([("control", Adapted, 0), ("information", Information, 3)]):
    model = adapt(kind, printed, fonts, scans[0][kept], strength, course.seed)
    answers = model.predict(scans_test[0][kept_test], verbose=0).argmax(axis=1)
    few[name] = 100 * np.mean(answers == scans_test[1][kept_test])
    print(f"{name}: calls {np.mean(answers > 4):.0%} of the scans a 5, 6, 7, 8 or 9")
print(f"in truth it is {np.mean(scans_test[1][kept_test] > 4):.0%}")
plots.bars(few, "Right of the scans (%)", title="5 to 9 are rare in the target")

# %% tags=["hide-input"]
for name in ("rare-information", "rare-15"):
    claim(f"10.{name}")

# %% [markdown]
# It harms: it *finds* the rare digits, as it was told to, and nothing in its loss could tell. Whoever
# knows the true proportions can put them into the loss; whoever does not should look at them first.
#
# ## 6. Choose without labels
#
# Which method, which strength? The target's accuracy would tell, but it needs labels. In their place
# people use a **criterion** that needs none.
#
# ### Exercise: what did the choice cost?
#
# `criterion` and `accuracy` are dicts, candidate to value. The candidate with the highest criterion is
# taken. Return the points of accuracy lost against the best candidate: the **regret**.


# %% tags=["keep"] exercise="10.regret"
def regret(criterion, accuracy):
    """Return the points lost by taking the candidate with the highest criterion."""
    ### BEGIN SOLUTION
    chosen = max(criterion, key=criterion.get)
    return 100 * (max(accuracy.values()) - accuracy[chosen])
    ### END SOLUTION


ex.regret.check(regret)

# %% tags=["nbval-ignore-output"]
from transfer_lib.taught.lesson_10 import regret

some = np.random.default_rng(course.seed).choice(len(target[0]), 20, replace=False)
criteria = {
    "right of the source": {n: accuracy(m, *held_out) for n, m in candidates.items()},
    "sure of the target": {
        n: -float(information(m.predict(target[0], verbose=0))) for n, m in candidates.items()
    },
    "20 labels": {n: accuracy(m, target[0][some], target[1][some]) for n, m in candidates.items()},
}
for name, values in criteria.items():
    print(
        f"{name:20} takes {max(values, key=values.get):12} and loses {regret(values, right):4.1f} points"
    )

# %% [markdown]
# Four candidates are few. Over sixteen (five methods, several strengths) on the same pair:

# %% tags=["hide-input"]
for name in (
    "regret-source",
    "regret-domains",
    "regret-information",
    "regret-labels",
    "regret-rare",
):
    claim(f"10.{name}")

# %% [markdown]
# The source's accuracy tells little: all candidates are good there. Features that nobody can tell apart
# are not features that are right. The information criterion looks perfect here, but beware:
# one candidate was *trained* on it, and in section 5 it would have chosen the one that harms. Twenty
# labels lose a few points; but nothing was trained on them, and they see the truth.
#
# ## 7. Now they count: the three questions of the beginning, and one more

# %%
ex.q_control.ask(...)

# %%
ex.q_proportions.ask(...)

# %%
ex.q_choice.ask(...)

# %%
ex.q_batch.ask(...)

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - A control sees the same batches and takes the same steps; only the penalty is missing.
# - A shift of brightness needs two numbers. Statistics of few classes cost a little.
# - DANN turns a gradient round. On turned scans it gains, on print and handwriting it does not.
# - Information maximisation gains most where all classes are equally frequent, and harms where they are
#   not.
# - Choose with a few labels of the target; the source's accuracy does not tell.
#
# **Next:** [lesson 11](11_which_network.ipynb), in which you choose among networks before you train one.
#
# ## Sources
#
# - Y. Ganin and V. Lempitsky (2015), [Unsupervised domain adaptation by backpropagation](https://arxiv.org/abs/1409.7495)
# - B. Sun and K. Saenko (2016), [Deep CORAL](https://arxiv.org/abs/1607.01719)
# - J. Liang et al. (2020), [Do we really need to access the source data?](https://arxiv.org/abs/2002.08546)
# - Y. Li et al. (2016), [Revisiting batch normalization for practical domain adaptation](https://arxiv.org/abs/1603.04779)
# - K. Musgrave et al. (2021), [Unsupervised domain adaptation: a reality check](https://arxiv.org/abs/2111.15672)
