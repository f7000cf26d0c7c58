# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lessons 04 and 05" engine="keras"
# # 11. Which network, which layer?
#
# A model hub offers more than a million networks; you have a hundred labels and an afternoon. Which network do you
# take, and how much of it? Afterwards you can
#
# - score networks in seconds, without training one;
# - say how far such a score can be trusted, and show what fools it;
# - choose under limits of size and time, and break a tie;
# - write down what the next person must know: a model card.
#
# Terms are in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("11")
ex = course.exercises

# %% [markdown]
# Three questions first. Answer from the gut: they come back at the end, and then they count.

# %%
ex.before("q_interval", "q_width", "q_tie")

# %% tags=["keep"]
import time
from functools import partial
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd
from scipy.stats import kendalltau
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm.auto import tqdm

from transfer_lib import data, networks, plots
from transfer_lib.taught.lesson_03 import draw, head_swap, make_backbone, train
from transfer_lib.taught.lesson_04 import cut, square

# %% [markdown]
# ## 1. Ten networks on a shelf
#
# Five are pieces of networks that you know: VGG16Mini, which learned from CIFAR-10's photographs, cut after
# block 2, 3, 4 or 5, and EfficientNet-Lite0, which learned from ImageNet, cut after block 3. One is a
# VGG16Mini that has learned nothing. Four are tiny (lesson 03); three of them have learned digits.


# %% tags=["keep", "hide-input"]
class Candidate(NamedTuple):
    """A network on the shelf."""

    seen: str  # what it has learned from
    model: keras.Model  # images to rows of features
    prepare: object  # from RGB images, 0 to 255, to what the model takes


def pieces():
    """Return the pieces of the two large networks, name to Candidate."""
    vgg, lite, found = "vgg16-mini", "efficientnet-lite0", {}
    wanted = {f"VGG block {k}": (vgg, f"block{k}_pool", "CIFAR-10") for k in (2, 3, 4, 5)}
    wanted["VGG random"] = (vgg, "block3_pool", "nothing")
    wanted["Lite0 block 3"] = (lite, "block3b_add", "ImageNet")
    for name, (network, layer, seen) in wanted.items():
        base = networks.load(network, False, (32, 32, 3), trained=seen != "nothing")
        found[name] = Candidate(seen, cut(base, layer), partial(networks.preprocess, network))
    return found


# %% [markdown]
# Images come in the large networks' size; tiny ones take a quarter of it. (Folded: what 03 and 04 have taught.)


# %% tags=["keep", "hide-input"]
def pictures(name, per_class, rng):
    """Return a few labelled images and their labels, test images and labels; RGB, 32 x 32."""
    loaded = data.load(name)
    rows = draw(loaded.y_train, per_class, rng)
    found = []
    for x, y in ((loaded.x_train[rows], loaded.y_train[rows]), (loaded.x_test, loaded.y_test)):
        grey = (x * (255.0 / loaded.max_value)).astype("uint8")
        found += [np.stack([square(image, 32) for image in grey]), y]
    return found


def small(x):
    """Return grey images of 16 x 16 pixels, from 0 to 1."""
    squares = x[..., :1].reshape(-1, 16, 2, 16, 2, 1)
    return (squares.mean(axis=(2, 4)) / 255).astype("float32")


# %% tags=["keep", "hide-input"]
TINY = {  # name: (data set of 1,500 digits, whether their labels are shuffled)
    "tiny fonts": ("font_digits", False),
    "tiny MNIST": ("mnist_5000", False),
    "tiny shuffled": ("mnist_5000", True),
    "tiny random": (None, False),
}


def tiny(name, rng):
    """Return a network of TINY with its head, trained."""
    classifier = head_swap(make_backbone((16, 16, 1)), 10)
    source, shuffled = TINY[name]
    if source:
        x, y, _, _ = pictures(source, 150, rng)
        train(classifier, small(x), rng.permutation(y) if shuffled else y, steps=150, batch=64)
    return classifier


def headless(name, classifier):
    """Return a tiny network without its head, as a Candidate."""
    seen = (TINY[name][0] or "nothing") + ", shuffled" * TINY[name][1]
    backbone = classifier.layers[1]
    return Candidate(seen, keras.Model(backbone.inputs[0], backbone.outputs[0]), small)


# %% tags=["nbval-ignore-output"]
keras.utils.set_random_seed(course.seed)
rng = np.random.default_rng(course.seed)
shelf = pieces() | {name: headless(name, tiny(name, rng)) for name in tqdm(TINY)}
rows = [(one.seen, one.model.output_shape[1], one.model.count_params()) for one in shelf.values()]
pd.DataFrame(rows, index=list(shelf), columns=["learned from", "features", "weights"])

# %% [markdown]
# The target: patches of ten photographs, ten labelled ones of each.

# %%
x, y, x_test, y_test = pictures("photo_patches", 10, rng)
plots.image_grid(x[::10], data.load("photo_patches").class_names, ncols=10)

# %% [markdown]
# Write down which of the ten you would take, and which will come last. Then all are fine-tuned alike: a
# linear head is fitted, then everything trained for 40 steps. Batch normalisation keeps its statistics.


# %% tags=["keep"]
def fine_tune(model, x, y, steps=40, rate=3e-4, batch=16):
    """Return a copy of the network with a head, fitted first, then trained as a whole."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for layer in copy.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    whole = networks.fit_head(copy, x, y)
    whole.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    epochs = np.ceil(steps / np.ceil(len(x) / batch))
    whole.fit(x, y, batch_size=batch, epochs=int(epochs), verbose=0)
    return whole


def outcome(candidate, x, y, x_test, y_test):
    """Return the percentage of test images that the fine-tuned network gets right."""
    tuned = fine_tune(candidate.model, candidate.prepare(x), y)
    answers = tuned.predict(candidate.prepare(x_test), batch_size=250, verbose=0).argmax(axis=1)
    return 100 * np.mean(answers == y_test)


# %% tags=["nbval-ignore-output"]
start = time.perf_counter()
tuned = {name: outcome(one, x, y, x_test, y_test) for name, one in tqdm(shelf.items())}
tuning = time.perf_counter() - start
plots.bars(tuned, "Right of the patches (%)", title="Fine-tuned with 100 labels")

# %% tags=["hide-input"]
from transfer_lib.claims import claim

for name in ("spread", "winner", "draw"):
    claim(f"11.{name}")

# %% [markdown]
# ## 2. A score without training
#
# With real networks each fine-tuning takes hours. One pass of the labelled images through each costs
# little. What can be told from 100 rows of features and their labels?

# %% tags=["nbval-ignore-output"]
start, features = time.perf_counter(), {}
for name, one in shelf.items():
    features[name] = one.model.predict(one.prepare(x), verbose=0).astype("float64")
print(f"one pass each: {time.perf_counter() - start:.1f} s; fine-tuning: {tuning:.0f} s")

# %% [markdown]
# ### Exercise: the cross-validated probe
#
# The plainest score is a linear probe. It must be judged on rows that it was not fitted to, and there
# are no spare labels: cross-validation, in five parts, the **folds**. The scaler belongs to what is fitted.


# %% tags=["keep"] exercise="11.probe_score"
def probe_score(features, y):
    """Return the mean accuracy of a scaled logistic regression over five folds, a fraction."""
    ### BEGIN SOLUTION
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, tol=0.01))
    return cross_val_score(model, features, y, cv=5).mean()
    ### END SOLUTION


ex.probe_score.check(probe_score)

# %% tags=["hide-input", "nbval-ignore-output"]
from transfer_lib.taught.lesson_11 import probe_score


def cloud(score, tuned, xlabel, title):
    fig, ax = plots.figure(figsize=(7, 4.2))
    for name, value in score.items():
        ax.plot(value, tuned[name], {"V": "o", "L": "s", "t": "^"}[name[0]], color="C0", label=name)
        beside = {"xytext": (6, 4), "textcoords": "offset points", "fontsize": 8}
        ax.annotate(name, (value, tuned[name]), **beside)
    ax.set(xlabel=xlabel, ylabel="Fine-tuned: right (%)", title=title)
    ax.margins(x=0.2, y=0.1)
    return fig


probes = {name: probe_score(f, y) for name, f in features.items()}
cloud(probes, tuned, "Cross-validated probe (fraction right)", "Does the score know the outcome?")

# %% [markdown]
# To choose, only the order matters. **Kendall's $\tau$** looks at all pairs of networks:
#
# $$\tau = \frac{\text{pairs in the same order} - \text{pairs in the opposite order}}{n(n-1)/2}.$$
#
# ### Exercise: Kendall's τ
#
# `a` and `b` are arrays of the same length without equal values.


# %% tags=["keep"] exercise="11.kendall"
def kendall(a, b):
    """Return Kendall's tau of two arrays."""
    ### BEGIN SOLUTION
    n = len(a)
    same = np.sign(a[:, None] - a) * np.sign(b[:, None] - b)
    return same.sum() / (n * (n - 1))
    ### END SOLUTION


ex.kendall.check(kendall)

# %% [markdown]
# Ten networks are a small sample of all networks. How much would $\tau$ have moved with ten others? The
# *bootstrap* draws ten of the ten with repetition, a thousand times. Predict: how wide is the middle 90 %?


# %% tags=["keep"]
def interval(score, tuned, rng, times=1000):
    """Return tau and the middle 90 % of its bootstrap over the networks."""
    a, b = np.array(list(score.values())), np.array([tuned[name] for name in score])
    drawn = rng.integers(len(a), size=(times, len(a)))
    taus = [kendalltau(a[rows], b[rows]).statistic for rows in drawn]
    return kendalltau(a, b).statistic, np.nanquantile(taus, [0.05, 0.95])


# %% tags=["nbval-ignore-output"]
tau, (low, high) = interval(probes, tuned, np.random.default_rng(course.seed))
print(f"tau = {tau:.2f}; with ten others it might have been anything from {low:.2f} to {high:.2f}")

# %% tags=["hide-input"]
for name in ("interval", "ceiling"):
    claim(f"11.{name}")

# %% [markdown]
# ## 3. A cleverer score, and how to fool it
#
# The **H-score** needs no fitting and no folds. It compares the covariance of the class means with that of all rows:
#
# $$H = \operatorname{trace}\big(\operatorname{cov}(f)^{-1}\,\operatorname{cov}(\bar f_y)\big).$$
#
# In $\bar f_y$ each row is replaced by the mean of its class; the *trace* of a matrix is the sum of its diagonal. If
# the classes are far apart and each is narrow, $H$ is near its largest value, the number of classes minus one; so
# never compare $H$ between targets.
#
# ### Exercise: the H-score
#
# Divide both covariances by the number of rows. Use
# `np.linalg.pinv(matrix, rcond=1e-6, hermitian=True)` for the inverse: some features are always 0.


# %% tags=["keep"] exercise="11.h_score"
def h_score(features, y):
    """Return the H-score of features (n, d) for labels (n,)."""
    ### BEGIN SOLUTION
    f = features - features.mean(axis=0)
    means = np.stack([f[y == k].mean(axis=0) for k in np.unique(y)])
    g = means[np.searchsorted(np.unique(y), y)]
    inverse = np.linalg.pinv(f.T @ f / len(f), rcond=1e-6, hermitian=True)
    return np.trace(inverse @ (g.T @ g / len(g)))
    ### END SOLUTION


ex.h_score.check(h_score)

# %% [markdown]
# Now something mean: noise, which knows no label. Predict the H-score of 150 columns of it, 100 rows, ten classes.

# %% tags=["hide-input"]
from transfer_lib.taught.lesson_11 import h_score

widths = (2, 5, 10, 20, 40, 60, 80, 98, 120, 150)
noise = np.random.default_rng(course.seed).normal(size=(len(y), 150))
of_noise = [h_score(noise[:, :width], y) for width in widths]
fig, ax = plots.figure(figsize=(7, 3.4))
ax.plot(widths, of_noise)
title = "100 rows, ten classes: 9 is the largest H-score"
ax.set(xlabel="Columns of noise (count)", ylabel="H-score (no unit)", ylim=(0, 9.5), title=title)
fig

# %% [markdown]
# With as many columns as rows, *any* labels can be explained: noise gets full marks. So does a network
# that is wide enough for your few labels. (A covariance that is estimated for few rows, as by `ledoit_wolf`
# of scikit-learn, gives noise much less; [Ibrahim et al., 2022](https://arxiv.org/abs/2110.06893).)
#
# Every score has such a weak spot. Nearest neighbours are another popular one: the share of rows whose
# three nearest rows (of other folds) vote for the right class.
#
# ### Exercise: shout it down
#
# Multiply each column of `features` by a number of its own, not 0. Nothing that the features know is lost,
# and the H-score does not change. But let neighbours that see the columns unscaled lose at least 20 points.


# %% exercise="11.loud"
def loud(features):
    """Return the features, each column times a number, so that neighbours are misled."""
    ### BEGIN SOLUTION
    factors = np.ones(features.shape[1])
    factors[0] = 1000
    return features * factors
    ### END SOLUTION


ex.loud.check(loud)

# %% [markdown]
# ## 4. Four scores, three targets
#
# **LogME** asks how probable the labels are under a Bayesian linear model, which averages over all weights
# instead of fitting one set; the logarithm of this probability is the *log evidence*. It needs no folds either.
# A few rounds find the two *precisions* (one over a variance), $\alpha$ of the weights and $\beta$ of the noise, that
# make the labels of a class most probable:


# %% tags=["keep"]
def log_evidence(f, t, rounds=50):
    """Return the log evidence per row of a target t (n,) for features f (n, d)."""
    n = len(f)
    u, s, _ = np.linalg.svd(f, full_matrices=False)
    s, z = s**2, (u.T @ t) ** 2
    outside = max(t @ t - z.sum(), 0)
    alpha = beta = 1.0
    for _ in range(rounds):
        fit = alpha + beta * s
        size, rest = (s * z * (beta / fit) ** 2).sum(), (z * (alpha / fit) ** 2).sum() + outside
        score = n * np.log(beta / (2 * np.pi)) + np.log(alpha / fit).sum()
        score -= beta * rest + alpha * size
        known = (beta * s / fit).sum()
        alpha, beta = known / max(size, 1e-9), (n - known) / max(rest, 1e-9)
    return score / (2 * n)


# %% tags=["keep"]
def logme(features, y):
    """Return LogME of You et al. (2021): the mean log evidence over the classes."""
    return np.mean([log_evidence(features, (y == k).astype(float)) for k in np.unique(y)])


def neighbours(features, y):
    """Return the cross-validated accuracy of three nearest neighbours on scaled features."""
    model = make_pipeline(StandardScaler(), KNeighborsClassifier(3))
    return cross_val_score(model, features, y, cv=5).mean()


SCORES = {"probe": probe_score, "neighbours": neighbours, "H-score": h_score, "LogME": logme}

# %% [markdown]
# The neighbours are given scaled columns here. Two more targets: scans of digits, ten labels each, and faces against
# other crops, five labels each. Does the order of the shelf stay the same? Which scores will still know it?


# %% tags=["keep"]
def compare(shelf, x, y, x_test, y_test):
    """Return two dicts: name to the fine-tuned accuracy, and score to name to value."""
    tuned, scored = {}, {score: {} for score in SCORES}
    for name, one in tqdm(shelf.items()):
        tuned[name] = outcome(one, x, y, x_test, y_test)
        f = one.model.predict(one.prepare(x), verbose=0).astype("float64")
        for score, function in SCORES.items():
            scored[score][name] = function(f, y)
    return tuned, scored


# %% tags=["nbval-ignore-output"]
of_patches = {s: {n: score(f, y) for n, f in features.items()} for s, score in SCORES.items()}
found = {"patches": (tuned, of_patches)}
found["scans"] = compare(shelf, *pictures("digits", 10, rng))

# %% tags=["nbval-ignore-output"]
found["faces"] = compare(shelf, *pictures("faces", 5, rng))

# %% [markdown]
# The figure starts with the score that you have seen fail. Which one looks most like a rising line, and where?


# %% tags=["hide-input", "nbval-ignore-output"]
def draw_cloud(score, target):
    outcomes, scored = found[target]
    tau = kendalltau(list(scored[score].values()), list(outcomes.values())).statistic
    return cloud(scored[score], outcomes, f"{score} (its own unit)", f"{target}: τ = {tau:.2f}")


order = ["H-score", "neighbours", "LogME", "probe"]
plots.interactive(draw_cloud, score=order, target=list(found))

# %% tags=["hide-input", "nbval-ignore-output"]
table = [
    [kendalltau(list(s[score].values()), list(t.values())).statistic for t, s in found.values()]
    for score in SCORES
]
plots.heatmap(
    table, list(found), list(SCORES), xlabel="Target", ylabel="Score", unit="Kendall's τ (no unit)",
    title="Does the score order the shelf as fine-tuning does?",
)  # fmt: skip

# %% [markdown]
# What a choice costs is not $\tau$ but the **regret**: the points by which the network with the highest
# score is worse than the best one. Over fresh draws of labels:

# %% tags=["hide-input"]
for name in ("probe-tau", "logme", "probe-regret", "h-regret", "fresh"):
    claim(f"11.{name}")

# %% [markdown]
# The plain probe and LogME tie; which score is first changes with the target. Two warnings. Our fine-tuning
# starts from a fitted probe; with a fresh head, trained longer, the probe knows less of the outcome (last
# line). And all these scores look at *frozen* features: a layer that is poor now may become good.
#
# ### Which layer?
#
# The four pieces of VGG16Mini. The lines stand on different images, labelled and test: compare their shapes.
# (**LEEP**, another score, looks at no layer: it predicts the label from the source's classes that the network
# *says* it sees. All pieces of a network get the same LEEP.)

# %% tags=["hide-input", "nbval-ignore-output"]
fig, axes = plots.figure(None, 1, 3, figsize=(10, 3.2), sharey=True)
for ax, (target, (outcomes, scored)) in zip(axes, found.items(), strict=True):
    blocks = (2, 3, 4, 5)
    ax.plot(blocks, [100 * scored["probe"][f"VGG block {k}"] for k in blocks], label="probe")
    ax.plot(blocks, [outcomes[f"VGG block {k}"] for k in blocks], label="fine-tuned")
    ax.set(title=target, xlabel="Cut after block", xticks=blocks)
axes[0].set_ylabel("Right (%)")
axes[1].legend(loc="lower right")
fig

# %% tags=["hide-input"]
for name in ("layer", "deep-gain", "leep"):
    claim(f"11.{name}")

# %% [markdown]
# On scans fine-tuning lifts the deep piece most. Even so, the probe's favourite stays the best, or nearly.
#
# ## 5. What else it costs
#
# A network in a doorbell must be small and quick. Size is known: four bytes a weight. Time is measured: the
# first call, always slow, does not count, and the median does not mind a moment when the machine is busy.


# %% tags=["keep"]
def milliseconds(run, times=9):
    """Return the median time of a call in milliseconds, after one that does not count."""
    run()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        taken.append(1000 * (time.perf_counter() - start))
    return np.median(taken)


# %% tags=["nbval-ignore-output"]
costs = pd.DataFrame({"accuracy": tuned})
costs["megabytes"] = [one.model.count_params() * 4 / 1e6 for one in shelf.values()]
calls = [partial(one.model, one.prepare(x[:1])) for one in shelf.values()]
costs["milliseconds"] = [milliseconds(call) for call in calls]
costs.round(2).sort_values("accuracy", ascending=False)

# %% [markdown]
# ### Exercise: choose
#
# With other labels a figure moves by some points (section 1): the best by one point is best by luck. `table`
# has the columns of `costs`. Return the name of the smallest network that takes at most `limit`
# milliseconds and is at most `slack` points below the best of those that do.


# %% exercise="11.choose"
def choose(table, slack, limit):
    """Return the name of the smallest network that is fast enough and nearly the best."""
    ### BEGIN SOLUTION
    fast = table[table.milliseconds <= limit]
    good = fast[fast.accuracy >= fast.accuracy.max() - slack]
    return good.megabytes.idxmin()
    ### END SOLUTION


ex.choose.check(choose)

# %% [markdown]
# ## 6. Who is in the pictures?
#
# Three stories, all of data that this course or its articles touch:
#
# - **Tiny Images** (2008): 80 million pictures, collected from the web by nouns, slurs among them.
#   [Prabhu and Birhane](https://arxiv.org/abs/2006.16923) showed it in 2020; the authors withdrew the set and
#   asked everyone to delete it. CIFAR-10 was drawn from it. VGG16Mini learned from CIFAR-10.
# - **Labeled Faces in the Wild** (2007): 13,233 news photographs of 5,749 people, whom nobody asked.
#   [Its own page](http://vis-www.cs.umass.edu/lfw/) says that children, the old, women and many ethnic groups
#   are missing or few. Our *faces* come from it: 99 % says nothing about a face that it leaves out.
# - **Boston housing** (1978): one article loads it. Its variable *B* was built on the belief that the share
#   of Black neighbours moves prices; scikit-learn removed the set in version 1.2.
#
# A licence for the weights is none for the pictures behind them: VGG16Mini's weights are MIT, CIFAR-10 states
# no licence. So a network comes with a **model card** (Mitchell et al., 2019), for whoever meets it next.
#
# ### Exercise: a model card
#
# Fill one in for block 3 of VGG16Mini, with your own figure from above: percent of what, from how many
# labels. The check says what is missing, not whether it is clever.


# %% exercise="11.card"
card = {
    "network": "VGG16Mini, cut after block 3",
    "trained on": ...,
    "licence": ...,
    "measured": ...,
    "not for": ...,
    "people": ...,
}
### BEGIN SOLUTION
card |= {
    "trained on": "CIFAR-10, which was drawn from Tiny Images, withdrawn in 2020",
    "licence": "weights MIT; CIFAR-10 states no licence for its pictures",
    "measured": f"{tuned['VGG block 3']:.0f} % of photo patches right, from 100 labels, one draw",
    "not for": "decisions about people, or pictures unlike those of the measurement",
    "people": "collected from the web without asking anyone; who is in them is not known",
}
### END SOLUTION
ex.card.check(card)

# %% [markdown]
# ## 7. Now they count: the three questions of the beginning, and two more

# %%
ex.q_interval.ask(...)

# %%
ex.q_width.ask(...)

# %%
ex.q_tie.ask(...)

# %%
ex.q_layer.ask(...)

# %%
ex.q_licence.ask(...)

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - A cross-validated probe costs one pass, and the network that it puts first is the best, or nearly.
# - With ten networks, $\tau$ is uncertain by several tenths.
# - Every score has a weak spot: width fools the H-score, and scale fools neighbours if nobody scales first.
# - Scores see frozen features; a deep layer that is poor frozen may gain much by fine-tuning.
# - What differs less than two draws of labels do is a tie, and a tie goes to the cheaper network.
# - A network comes with its data. Name them, their licence and their people.
#
# **Next:** [lesson 12](12_small_and_cheap.ipynb), in which a chosen network becomes small.
#
# ## Sources
#
# - Y. Bao et al. (2019), [An information-theoretic approach to transferability in task transfer learning](https://ieeexplore.ieee.org/document/8803726) (H-score)
# - K. You et al. (2021), [LogME: practical assessment of pre-trained models for transfer learning](https://arxiv.org/abs/2102.11005)
# - C. Nguyen et al. (2020), [LEEP: a new measure to evaluate transferability of learned representations](https://arxiv.org/abs/2002.12462)
# - M. Mitchell et al. (2019), [Model cards for model reporting](https://arxiv.org/abs/1810.03993)
