# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lesson 01" engine="none"
# # 08. Four ways to carry knowledge
#
# [Lesson 01](01_what_transfers.ipynb) named four things that can move from a source to a target:
# examples, a representation, weights and relations. Here you bring a classifier back in each of
# these ways, in a few lines of code. Each method stands beside a simpler control, and in the end a
# map of one problem shows when which of them pays.
#
# ## What you will be able to do
#
# 1. Say what moves in each of the four families of methods, and code each in a few lines.
# 2. Choose a strategy from the number of target labels and the similarity of the domains.
#
# Words are collected in the [glossary](glossary.md), with their Chinese names.

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("08")
ex = course.exercises

# %% tags=["keep"]
import numpy as np
from scipy.ndimage import rotate
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from transfer_lib import plots
from transfer_lib.claims import claim

# %%
one_thread = threadpool_limits(1)  # for data this small, a second one costs more than it saves

# %% [markdown]
# The data: 1,797 real handwritten digits of 8×8 pixels, upright or turned. No image is ever in two of
# the three parts, source, target and test. Functions for them, for a small network in plain NumPy,
# and for figures of points in the plane:


# %% tags=["keep"]
def draw_points(ax, x, y, size=14, limit=2.6):
    """Draw the points of each class; size is one number or one per point."""
    sizes = np.broadcast_to(size, len(x))
    for label in np.unique(y):
        style = {"marker": plots.MARKERS[label], "color": plots.COLORS[label]}
        ax.scatter(*x[y == label].T, s=sizes[y == label], **style)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit))
    ax.set(xlabel="$x_1$ (no unit)", ylabel="$x_2$ (no unit)")


def draw_boundary(ax, model, color="black", style="-"):
    """Draw where the model is undecided between two classes."""
    line = np.linspace(-4.6, 4.6, 100)
    grid = np.stack(np.meshgrid(line, line), -1)
    score = model.decision_function(grid.reshape(-1, 2)).reshape(grid.shape[:2])
    ax.contour(grid[..., 0], grid[..., 1], score, levels=[0], colors=[color], linestyles=[style])


# %% tags=["keep"]
def new_layers(rng, *sizes):
    """Return a list of (weights, offsets), one per layer, with random weights."""
    return [
        (rng.normal(0, np.sqrt(2 / n), (n, m)).astype("float32"), np.zeros(m, "float32"))
        for n, m in zip(sizes, sizes[1:])
    ]


def forward(layers, x):
    """Return the input and the output of each layer; the last one holds the class scores."""
    outputs = [x]
    for i, (w, b) in enumerate(layers):
        z = outputs[-1] @ w + b
        outputs.append(z if i == len(layers) - 1 else np.maximum(z, 0))
    return outputs


# %% tags=["keep"]
def train(layers, x, y, rng, steps=300, rate=0.1, frozen=0):
    """Minimise the cross-entropy by stochastic gradient descent; return new layers."""
    layers = list(layers)
    for _ in range(steps):
        batch = rng.integers(len(x), size=min(64, len(x)))
        outputs = forward(layers, x[batch])
        error = np.exp(outputs[-1] - outputs[-1].max(1, keepdims=True))
        error /= error.sum(1, keepdims=True)  # softmax
        error[np.arange(len(batch)), y[batch]] -= 1
        error /= len(batch)  # gradient of the mean loss by the scores
        for i in reversed(range(frozen, len(layers))):
            w, b = layers[i]
            step = rate * outputs[i].T @ error, rate * error.sum(0)
            error = (error @ w.T) * (outputs[i] > 0)
            layers[i] = w - step[0], b - step[1]
    return layers


def accuracy(layers, x, y):
    """Return the fraction of inputs whose highest score is that of their label."""
    return np.mean(forward(layers, x)[-1].argmax(1) == y)


# %% tags=["keep"]
def turned(images, angle):
    """Return 8×8 digits turned by an angle in degrees, as rows of 64 pixels from 0 to 1."""
    images = rotate(images, angle, axes=(1, 2), reshape=False, order=1)
    return (images.reshape(-1, 64) / 16).astype("float32")


# %% tags=["keep"]
def draw_labels(rng, labels, among, per_class):
    """Return the rows of `per_class` random images of each digit, out of the rows `among`."""
    return np.concatenate(
        [rng.permutation(among[labels[among] == digit])[:per_class] for digit in range(10)]
    )


# %% tags=["keep"]
def softmax(z):
    """Return the probabilities of each row of scores."""
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def fit(x, y, start, towards, alpha, steps=200, rate=1.0):
    """Softmax regression by gradient descent; start and towards have shape (pixels + 1, 10)."""
    x1, one_hot, w = np.c_[x, np.ones(len(x))], np.eye(10)[y], start.copy()
    for _ in range(steps):
        gradient = x1.T @ (softmax(x1 @ w) - one_hot) / len(x)
        w -= rate * (gradient + alpha * (w - towards))
    return w


def linear_accuracy(w, x, y):
    """Return the fraction of right answers of weights w, shape (pixels + 1, 10)."""
    return np.mean((np.c_[x, np.ones(len(x))] @ w).argmax(1) == y)


# %% [markdown]
# The parts:

# %%
rng = np.random.default_rng(course.seed)
digits = load_digits()
labels = digits.target
upright, askew = turned(digits.images, 0), turned(digits.images, 15)
order = rng.permutation(len(labels))
source, target, test = order[:800], order[800:1200], order[1200:]

# %% [markdown]
# ## 1. Instance-based: move examples
#
# ### Importance weighting
#
# The target loss is a mean over $P_T$, but the labelled examples come from $P_S$. If
# $P(Y \mid X)$ is the same in both, weights repair this exactly (Shimodaira, 2000):
#
# $$\mathbb E_{T}[\ell(x, y)] = \mathbb E_{S}[\, w(x)\, \ell(x, y)], \qquad
# w(x) = \frac{P_T(x)}{P_S(x)} .$$
#
# No density is needed for $w$. Train a classifier that tells target inputs from source inputs. With
# its probability $p(x)$ of "target", Bayes' rule gives (Bickel, Brückner and Scheffer, 2007)
#
# $$w(x) = \frac{p(x)}{1 - p(x)} \cdot \frac{n_S}{n_T} .$$


# %% tags=["keep"]
def importance_weights(x_source, x_target):
    """Return P_T(x) / P_S(x) at each source point, from a classifier of the domain."""
    x = np.r_[x_source, x_target]
    domain = np.r_[np.zeros(len(x_source)), np.ones(len(x_target))]
    p = LogisticRegression().fit(x, domain).predict_proba(x_source)[:, 1]
    return p / (1 - p) * len(x_source) / len(x_target)


# %% [markdown]
# The example: class 1 lies above a parabola, in both domains. The source inputs lie mostly on its
# left arm, the target inputs on its right arm. The model is a straight line, too simple to follow
# both arms. It has to choose, and the weights tell it which.


# %%
def arm(rng, centre, n=600):
    """Return points around x1 = centre; class 1 lies above a parabola."""
    x = np.c_[rng.normal(centre, 0.7, n), rng.normal(0.8, 1.2, n)]
    return x, (x[:, 1] > 0.8 * x[:, 0] ** 2).astype(int)


x_left, y_left = arm(rng, -0.5)
x_right, y_right = arm(rng, 0.5)  # y_right is used for testing only
weights = importance_weights(x_left, x_right)
plain = LogisticRegression().fit(x_left, y_left)
weighted = LogisticRegression().fit(x_left, y_left, sample_weight=weights)

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure("to be described", 1, 2, figsize=(8.6, 4), sharey=True)
before, after = plain.score(x_right, y_right), weighted.score(x_right, y_right)
effective = weights.sum() ** 2 / np.sum(weights**2)
draw_points(axes[0], x_left, y_left, size=4 + 25 * weights, limit=4)
axes[0].set_title(f"source (size: weight; worth {effective:.0f} equal points)", fontsize=11)
draw_points(axes[1], x_right, y_right, limit=4)
axes[1].set_title("target", fontsize=11)
for ax in axes:
    draw_boundary(ax, plain)
    draw_boundary(ax, weighted, plots.COLORS[5], "--")
axes[1].plot([], [], color="black", linestyle="-", marker="", label="no weights")
axes[1].plot([], [], color=plots.COLORS[5], linestyle="--", marker="", label="weights")
axes[1].legend(loc="lower right")
plots.describe(
    fig,
    f"Without weights (solid line) the target accuracy is {before:.0%}, with weights (dashed) "
    f"{after:.0%}. The {len(weights)} weighted source points are worth {effective:.0f} equal ones.",
)

# %% [markdown]
# The solid line follows the left arm, the dashed one the right. The price stands above the left
# panel: most of the weight sits on the few source points that look like the target. Their
# **effective sample size** (有效样本量) $(\sum w)^2 / \sum w^2$ is far below the number of points.
# Where the source has no points at all, no weight can help.

# %%
claim(
    "08.family-weights",
    "Importance weighting beats the unweighted control by at least 5 points on the target.",
    100 * (after - before),
    at_least=5,
    unit="points",
)
claim(
    "08.effective-size",
    "The effective sample size is at most 40 % of the source points.",
    100 * effective / len(weights),
    at_most=40,
    unit="%",
)

# %% [markdown]
# **Exercise.** Write the weights yourself, given the probability of "target" at each source point
# and the two sample sizes.


# %% exercise="08.ratio"
def ratio(p_target, n_source, n_target):
    """Return the weight of each source point; p_target is an array of probabilities."""
    ### BEGIN SOLUTION
    return p_target / (1 - p_target) * n_source / n_target
    ### END SOLUTION


ex.ratio.check(ratio)

# %% [markdown]
# ### TrAdaBoost
#
# When $P(Y \mid X)$ differs for *some* source examples, weights that look at $x$ alone cannot see
# it. A few target labels can. **TrAdaBoost** (Dai et al., 2007) boosts on both sets at once. In
# each round, a target example that is predicted wrongly gains weight, as in AdaBoost. A source
# example that is predicted wrongly *loses* weight: it seems to follow another rule.


# %% tags=["keep"]
def tradaboost(x_s, y_s, x_t, y_t, rounds=10):
    """Return a function that predicts 0 or 1, and the final weights of the source examples."""
    n, x, y = len(x_s), np.r_[x_s, x_t], np.r_[y_s, y_t]
    w = np.r_[np.full(n, 1 / n), np.full(len(x_t), 1 / len(x_t))]
    beta = 1 / (1 + np.sqrt(2 * np.log(n) / rounds))
    votes = []
    for _ in range(rounds):
        model = LogisticRegression().fit(x, y, sample_weight=len(x) * w / w.sum())
        wrong = model.predict(x) != y
        e = np.clip(np.sum(w[n:] * wrong[n:]) / np.sum(w[n:]), 0.001, 0.49)
        w[:n] *= np.where(wrong[:n], beta, 1)  # source: wrong ones count less
        w[n:] *= np.where(wrong[n:], (1 - e) / e, 1)  # target: wrong ones count more
        votes.append((np.log((1 - e) / e), model))
    late = votes[rounds // 2 :]  # the second half of the rounds votes

    def predict(new):
        return (sum(a * (2 * model.predict(new) - 1) for a, model in late) > 0).astype(int)

    return predict, w[:n] / w.sum()


# %% [markdown]
# The case: tell 5 from 9. The source has 150 real images, but a careless person labelled them, and
# a part of the labels is wrong: none, a fifth or a half. The target has 3 carefully labelled images
# of each digit. The two controls are the same logistic regression: fitted on the target labels
# alone, and on both sets pooled.

# %%
fives_nines = np.flatnonzero(np.isin(labels, (5, 9)))


def careless(rng, share):
    """Return three accuracies on target images, and the weight ratio of wrong to right labels."""
    rows = rng.permutation(fives_nines)
    y = (labels[rows] == 9).astype(int)
    few = 150 + np.r_[np.flatnonzero(y[150:] == 0)[:3], np.flatnonzero(y[150:] == 1)[:3]]
    rest = np.setdiff1d(np.arange(150, len(rows)), few)
    x, flipped = upright[rows], rng.permutation(150) < 150 * share
    y_s = np.where(flipped, 1 - y[:150], y[:150])
    predict, w = tradaboost(x[:150], y_s, x[few], y[few])
    alone = LogisticRegression().fit(x[few], y[few])
    pooled = LogisticRegression().fit(np.r_[x[:150], x[few]], np.r_[y_s, y[few]])
    right = [np.mean(p(x[rest]) == y[rest]) for p in (alone.predict, pooled.predict, predict)]
    return *right, w[flipped].mean() / w[~flipped].mean() if share else 1.0


# %% tags=["nbval-ignore-output"]
careless_runs = {s: np.array([careless(rng, s) for _ in range(24)]) for s in (0.0, 0.2, 0.5)}
print("wrong labels   target alone   pooled   TrAdaBoost   weight of a wrong label to a right one")
for share, runs in careless_runs.items():
    alone, pooled, boosted, weight = runs.mean(0)
    print(f"{share:12.0%} {alone:14.0%} {pooled:8.0%} {boosted:12.0%} {weight:12.2f}")

# %%
alone, pooled, boosted, weight = careless_runs[0.2].mean(0)
claim(
    "08.family-tradaboost",
    "With a fifth of the source labels wrong, TrAdaBoost beats the better of the two controls.",
    100 * (boosted - max(alone, pooled)),
    at_least=0.5,
    unit="points",
)
claim(
    "08.tradaboost-weights",
    "It gives a wrongly labelled source example at most 60 % of the weight of a right one.",
    100 * weight,
    at_most=60,
    unit="%",
)
alone, pooled, boosted, _ = careless_runs[0.5].mean(0)
claim(
    "08.tradaboost-harm",
    "With half of the source labels wrong, it is worse than the target labels alone.",
    100 * (boosted - alone),
    at_most=0,
    unit="points",
)
claim(
    "08.pooling-harm",
    "Pooling is then worse than the target labels alone by at least 15 points.",
    100 * (pooled - alone),
    at_most=-15,
    unit="points",
)

# %% [markdown]
# Read the last column first: nobody told the method which labels are wrong, and at a fifth it has
# taken most of the weight from them. Then compare with pooling. When none of the labels is wrong,
# pooling is best and simplest. When the errors are random and not too many, it averages over them,
# and TrAdaBoost gains little on it. With half of the labels wrong the source says nothing. Six
# target labels alone then do better than either way with the source: this is *negative transfer*,
# as in lesson 01. Keep both controls.
#
# **Exercise.** One round of the weights. `wrong` is an array of True and False; `beta` is below 1;
# `error` is the weighted error on the target. Return the new weights of all examples, the source
# ones first.


# %% exercise="08.reweight"
def reweight(w, wrong, n_source, beta, error):
    """Return the weights after one round of TrAdaBoost, shape (n_source + n_target,)."""
    ### BEGIN SOLUTION
    new = np.array(w, dtype=float)
    new[:n_source] *= np.where(wrong[:n_source], beta, 1)
    new[n_source:] *= np.where(wrong[n_source:], (1 - error) / error, 1)
    return new
    ### END SOLUTION


ex.reweight.check(reweight)

# %%
ex.q_weights.ask(...)

# %% [markdown]
# ## 2. Feature-based: move a representation
#
# Now no target label is used at all, only target *inputs*. If the two clouds had the same shape, a
# classifier trained on one might do on the other.
#
# ### CORAL: match the covariances
#
# **CORAL**, for *correlation alignment* (Sun, Feng and Saenko, 2016), removes the correlations of
# the source features and puts in those of the target:
#
# $$x \mapsto (x - \mu_S)\, C_S^{-1/2}\, C_T^{1/2} + \mu_T .$$
#
# $C$ is a covariance matrix: the features are *centred* before their products are averaged. Sun,
# Feng and Saenko centre and scale both sets first and align only the covariances; here the means
# are written out.
#
# To each $C$ the code adds 0.1 times the unit matrix, its `ridge`: pixels in the corner never vary,
# and zero variance has no inverse. That is not little. It exceeds the variance of most directions,
# so only the strongest ones are really aligned. The authors add the whole unit matrix.


# %% tags=["keep"]
def power(c, exponent):
    """Return a power of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(c)
    return (vectors * values**exponent) @ vectors.T


def coral(x_source, x_target, ridge=0.1):
    """Return the source points moved to the mean and covariance of the target."""
    c_source = np.cov(x_source, rowvar=False) + ridge * np.eye(x_source.shape[1])
    c_target = np.cov(x_target, rowvar=False) + ridge * np.eye(x_target.shape[1])
    white = (x_source - x_source.mean(0)) @ power(c_source, -0.5)
    return white @ power(c_target, 0.5) + x_target.mean(0)


# %% [markdown]
# The source is the upright digits, the target the digits turned by 15 degrees.

# %%
variances = np.linalg.eigvalsh(np.cov(upright[source], rowvar=False))
print(f"{np.sum(variances > 0.1)} of {len(variances)} directions vary more than the ridge.")

# %% [markdown]
# The second row of the figure moves the means only: it shows how much of the gain is due to the
# covariances.

# %% tags=["nbval-ignore-output"]
few_steps = dict(steps=1500, rate=0.1)
shifted = upright[source] - upright[source].mean(0) + askew[target].mean(0)
aligned = coral(upright[source], askew[target]).astype("float32")
by_alignment = {}
for name, x in (("source as it is", upright[source]), ("means moved", shifted), ("CORAL", aligned)):
    shape = (64, 32, 10)
    runs = [train(new_layers(rng, *shape), x, labels[source], rng, **few_steps) for _ in range(4)]
    by_alignment[name] = [100 * accuracy(run, askew[test], labels[test]) for run in runs]
plots.bars(by_alignment, "Target accuracy (%)", title="Upright to askew, no target labels")

# %%
claim(
    "08.family-coral",
    "Without any target label, CORAL gains at least 5 points over the source as it is.",
    np.mean(by_alignment["CORAL"]) - np.mean(by_alignment["source as it is"]),
    at_least=5,
    unit="points",
)
claim(
    "08.coral-means",
    "Moving the means alone brings at least a third of CORAL's gain.",
    100
    * (np.mean(by_alignment["means moved"]) - np.mean(by_alignment["source as it is"]))
    / (np.mean(by_alignment["CORAL"]) - np.mean(by_alignment["source as it is"])),
    at_least=33,
    unit="%",
)

# %% [markdown]
# Turning blurs the strokes and moves ink to other pixels, so the mean image changes, and a large
# part of the repair is to move it back. The covariances add the rest. A table that shows CORAL
# against nothing would have hidden this.
#
# ### Subspace alignment
#
# **Subspace alignment** (Fernando et al., 2013) looks at directions. The $d$ main directions of the
# source are the columns of $P_S$, those of the target $P_T$, both from principal component analysis
# (PCA). Source points are described by $P_S P_S^\top P_T$, target points by $P_T$: the source axes
# are turned to the target's.


# %% tags=["keep"]
def main_directions(x, d):
    """Return the d directions of largest variance as columns, shape (features, d)."""
    _, _, rows = np.linalg.svd(x - x.mean(0), full_matrices=False)
    return rows[:d].T


def subspace_alignment(x_source, x_target, d):
    """Return source and target points in d aligned coordinates."""
    p_source, p_target = main_directions(x_source, d), main_directions(x_target, d)
    z_source = (x_source - x_source.mean(0)) @ p_source @ p_source.T @ p_target
    return z_source, (x_target - x_target.mean(0)) @ p_target


# %% [markdown]
# Real tumours this time: the breast cancer data of Wisconsin. Ten properties of cell nuclei are
# given for each patient in two ways, as the *mean* over all nuclei in the image and as the mean of
# the three *largest*. Say that one laboratory reports the first and another one the second. Train
# on 285 patients of the first laboratory, test on 284 others of the second. The control uses the
# source's own directions for both; a second one subtracts each laboratory's mean first.

# %% tags=["nbval-ignore-output"]
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

cancer = load_breast_cancer()
patients = rng.permutation(len(cancer.target))
one_lab, other_lab = patients[:285], patients[285:]
scaler = StandardScaler().fit(cancer.data[one_lab, :10])  # fitted on the source alone
lab_source = scaler.transform(cancer.data[one_lab, :10])
lab_target = scaler.transform(cancer.data[other_lab, 20:])


def lab_accuracy(z_source, z_target):
    model = LogisticRegression().fit(z_source, cancer.target[one_lab])
    return 100 * model.score(z_target, cancer.target[other_lab])


own = main_directions(lab_source, 3)
centred = lab_source - lab_source.mean(0), lab_target - lab_target.mean(0)
lab_results = {
    "source directions": lab_accuracy(lab_source @ own, lab_target @ own),
    "each laboratory centred": lab_accuracy(centred[0] @ own, centred[1] @ own),
    "subspace alignment": lab_accuracy(*subspace_alignment(lab_source, lab_target, 3)),
    "CORAL, 10 features": lab_accuracy(coral(lab_source, lab_target), lab_target),
}
plots.bars(lab_results, "Target accuracy (%)", title="Train in one laboratory, test in the other")

# %%
claim(
    "08.family-subspace",
    "Subspace alignment beats the unaligned source directions by at least 15 points.",
    lab_results["subspace alignment"] - lab_results["source directions"],
    at_least=15,
    unit="points",
)
claim(
    "08.centring",
    "Here alignment adds at most 4 points to centring each laboratory.",
    lab_results["subspace alignment"] - lab_results["each laboratory centred"],
    at_most=4,
    unit="points",
)

# %% [markdown]
# The second claim matters as much as the first. On this split alignment added nothing to centring:
# most of this shift was an offset, and subtracting each laboratory's mean is one line. Try the
# simple repair before the clever one. Note that all repairs here use the *inputs* of the patients
# on whom they are tested, though not their labels.
#
# All of these methods look at $P(X)$ alone. They cannot know whether the *classes* met.
# [Lesson 09](09_aligning_domains.ipynb) shows two clouds that are aligned perfectly, with every
# label wrong.
#
# **Exercise.** Deep networks use CORAL as a loss, the distance of the two covariance matrices
# (Sun and Saenko, 2016): $\ell = \frac{1}{4 d^2} \lVert C_S - C_T \rVert_F^2$, where $d$ is the
# number of features and $\lVert \cdot \rVert_F^2$ the sum of all squared entries.


# %% exercise="08.coral_loss"
def coral_loss(x_source, x_target):
    """Return the CORAL loss of two sets of points, shapes (n, d) and (m, d)."""
    ### BEGIN SOLUTION
    d = x_source.shape[1]
    c_source, c_target = np.cov(x_source, rowvar=False), np.cov(x_target, rowvar=False)
    return np.sum((c_source - c_target) ** 2) / (4 * d**2)
    ### END SOLUTION


ex.coral_loss.check(coral_loss)

# %% [markdown]
# ## 3. Parameter-based: move weights
#
# The source model's weights $w_S$ enter the target's training in two ways:
#
# - **start from** them (热启动): begin gradient descent at $w_S$ and stop early;
# - **regularise towards** them: add $\frac{\alpha}{2} \lVert w - w_S \rVert^2$ to the loss, which
#   Li, Grandvalet and Davoine (2018) call **L2-SP**, for *starting point*. With $\alpha = 0$ only
#   the start is carried over, as in the first way; with $\alpha \to \infty$ nothing is learned.
#
# The linear classifier of lesson 01 shows both. `fit` begins at its third argument and is pulled
# towards the fourth.

# %%
zero = np.zeros((65, 10))
w_source = fit(upright[source], labels[source], zero, zero, 0.001, steps=400)

# %% tags=["nbval-ignore-output"]
methods = {
    "from scratch": (zero, zero, 0.001, 200),
    "start from the source, 30 steps": (w_source, zero, 0.0, 30),
    "towards the source (L2-SP)": (w_source, w_source, 0.01, 200),
}
by_labels = {name: {k: [] for k in (1, 3, 10, 30)} for name in methods}
for k in (1, 3, 10, 30):
    for _ in range(5):
        few = draw_labels(rng, labels, target, k)
        for name, (start, towards, alpha, steps) in methods.items():
            w = fit(askew[few], labels[few], start, towards, alpha, steps)
            by_labels[name][k].append(linear_accuracy(w, askew[test], labels[test]))
plots.accuracy_by_labels(by_labels, title="Upright to askew: weights that move")

# %% [markdown]
# The gain is largest on the left, with one label per class, and shrinks as labels come in. On the
# right L2-SP and scratch are about equal. The line "30 steps" ends lower, and that is no verdict on
# the source: it had 30 steps where the others had 200. With few labels the early stop keeps the
# weights near the source; with many it also keeps them from the target. Transfer replaces *missing*
# target data. It does not need much of it.

# %%
gain = {
    k: 100
    * (np.mean(by_labels["towards the source (L2-SP)"][k]) - np.mean(by_labels["from scratch"][k]))
    for k in (1, 3, 10, 30)
}
claim(
    "08.family-parameters",
    "With 1 label per class, L2-SP beats training from scratch by at least 8 points.",
    gain[1],
    at_least=8,
    unit="points",
)
claim(
    "08.gain-shrinks",
    "Its gain with 1 label per class exceeds that with 30 by at least 5 points.",
    gain[1] - gain[30],
    at_least=5,
    unit="points",
)
claim(
    "08.gain-gone",
    "With 30 labels per class, L2-SP and scratch differ by at most 4 points.",
    gain[30],
    between=(-4, 4),
    unit="points",
)

# %% [markdown]
# **Exercise.** Write the gradient of $L(w) + \frac{\alpha}{2} \lVert w - w_S \rVert^2$, given the
# gradient of $L$.


# %% exercise="08.pull"
def pull(loss_gradient, w, w_source, alpha):
    """Return the gradient of the loss with the pull towards the source weights."""
    ### BEGIN SOLUTION
    return loss_gradient + alpha * (w - w_source)
    ### END SOLUTION


ex.pull.check(pull)

# %% [markdown]
# ## 4. Relation-based: move relations
#
# A shop knows well which *films* its customers like, and little about *books*. In **cross-domain
# recommendation** (跨域推荐) the relation "these users like the same things" is learned where
# ratings are dense and used where they are sparse. The hardest case is a **cold-start** user
# (冷启动用户), who has rated no book at all.
#
# No free data set of ratings ships with the libraries of this course, so these ratings are *made
# up*, by a model stated here in full. Each user has 4 hidden tastes $u$, each item 4 properties
# $v$. A rating is the item's mean plus $u \cdot v$ plus noise, rounded to half stars from 0.5 to 5.
# For books the tastes are $\rho\, u + \sqrt{1 - \rho^2}\, u'$ with new random $u'$: $\rho = 1$ means
# that tastes are the same in both worlds, $\rho = 0$ that they are unrelated.


# %%
def made_up_ratings(rng, rho, users=300, films=120, books=80, d=4):
    """Return all ratings of films and of books, shapes (users, films) and (users, books)."""
    tastes = rng.normal(size=(users, d))
    for_books = rho * tastes + np.sqrt(1 - rho**2) * rng.normal(size=(users, d))
    ratings = []
    for u, items in ((tastes, films), (for_books, books)):
        v, mean = rng.normal(0, 0.45, (items, d)), rng.normal(3.2, 0.4, items)
        stars = mean + u @ v.T + rng.normal(0, 0.5, (users, items))
        ratings.append(np.clip(np.round(2 * stars) / 2, 0.5, 5))
    return ratings


# %% [markdown]
# **Matrix factorisation** (矩阵分解) finds users and properties from the known ratings: fix the
# users, solve a ridge regression for each item; fix the items, solve one for each user; repeat.
# What moves to the books is the matrix of users $U$. The user factors are also a representation:
# the families overlap.


# %% tags=["keep"]
def ridge(a, b, lam=2.0):
    """Return the weights of least squares with lam times the squared weights as penalty."""
    return np.linalg.solve(a.T @ a + lam * np.eye(a.shape[1]), a.T @ b)


def item_means(ratings, known):
    """Return the mean of the known ratings of each item; the overall mean where there is none."""
    count = known.sum(0)
    mean = np.sum(ratings * known, 0) / np.maximum(count, 1)
    return np.where(count > 0, mean, ratings[known].mean())


def factorise(ratings, known, rng, d=4, sweeps=10):
    """Return the user factors, shape (users, d), by alternating least squares."""
    rest = ratings - item_means(ratings, known)
    users, items = rng.normal(0, 0.3, (len(rest), d)), np.zeros((rest.shape[1], d))
    for _ in range(sweeps):
        for j in range(len(items)):
            items[j] = ridge(users[known[:, j]], rest[known[:, j], j])
        for i in range(len(users)):
            users[i] = ridge(items[known[i]], rest[i, known[i]])
    return users


# %% [markdown]
# 300 users have rated 30 % of the films. Of the books, 200 of them have rated 8 %, and 100 have
# rated none: they are the test. Without films, the best prediction for a user of whom nothing is
# known is the mean rating of each book. That is the control.


# %%
def cold_start_errors(rng, rho):
    """Return the root mean squared error in stars for cold-start users: control, transfer."""
    films, books = made_up_ratings(rng, rho)
    cold = np.arange(300) >= 200
    users = factorise(films, rng.random(films.shape) < 0.3, rng)
    known = (rng.random(books.shape) < 0.08) & ~cold[:, None]
    mean = item_means(books, known)
    items = np.array(
        [ridge(users[rows], books[rows, j] - mean[j]) for j, rows in enumerate(known.T)]
    )
    predicted = np.clip(mean + users[cold] @ items.T, 0.5, 5)
    return [np.sqrt(np.mean((p - books[cold]) ** 2)) for p in (mean, predicted)]


# %% tags=["nbval-ignore-output"]
cold = {rho: np.array([cold_start_errors(rng, rho) for _ in range(4)]) for rho in (0.0, 0.5, 0.9)}
fig, ax = plots.figure("to be described", figsize=(7.2, 3.6))
errors = {rho: runs.mean(0) for rho, runs in cold.items()}
for i, name in enumerate(("mean of each book", "tastes from films")):
    heights = [values[i] for values in errors.values()]
    bars = ax.bar(np.arange(3) + 0.38 * (i - 0.5), heights, 0.36, label=name, hatch=("", "//")[i])
    ax.bar_label(bars, fmt="%.2f")
ax.set_xticks(range(3), [f"rho {rho}" for rho in errors])
ax.set(ylabel="Error (stars)", ylim=(0, 1.5), title="Users who have rated no book")
ax.legend(ncols=2, loc="upper left")
told = "; ".join(f"rho {rho}: {m:.2f} and {t:.2f}" for rho, (m, t) in errors.items())
plots.describe(fig, f"Error in stars, mean of each book and tastes from films: {told}.")

# %%
claim(
    "08.family-relations",
    "With rho 0.9 the tastes from films lower the error by at least 0.1 stars.",
    np.mean(cold[0.9][:, 0] - cold[0.9][:, 1]),
    at_least=0.1,
    unit="stars",
)
claim(
    "08.relations-harm",
    "With unrelated tastes (rho 0) the same method raises the error.",
    np.mean(cold[0.0][:, 1] - cold[0.0][:, 0]),
    at_least=0.005,
    unit="stars",
)

# %% [markdown]
# Lower is better. Look at the first pair of bars: when tastes are unrelated, the borrowed users are
# noise, and predictions get worse than the plain mean: negative transfer again.
#
# **Exercise.** Predict the ratings of cold-start users: `users` has shape (n, d), `items` shape
# (m, d), `item_mean` shape (m,). Return an array of shape (n, m). Ratings lie between 0.5 and 5.


# %% exercise="08.cold_start"
def cold_start(users, items, item_mean):
    """Return the predicted rating of each item by each user, kept between 0.5 and 5 stars."""
    ### BEGIN SOLUTION
    return np.clip(item_mean + users @ items.T, 0.5, 5)
    ### END SOLUTION


ex.cold_start.check(cold_start)

# %% [markdown]
# ## 5. Choosing a strategy
#
# You will meet a table that says: *few labels and a similar domain: freeze; many labels and a
# different domain: fine-tune all.* Here is the evidence for this lesson's data, instead of the
# table. Similarity is set by the turn of the target, from 0 to 90 degrees. The candidates:
#
# - **as it is**: the source network, nothing learns;
# - **adapt**: no target label is used, the source is aligned by CORAL;
# - **scratch**: everything learns, from random weights;
# - **freeze**: both hidden layers frozen, the head learns on, from the source head;
# - **top**: the lowest layer frozen, the rest learns on;
# - **all**: everything learns on, from the source weights.
#
# They stand in the order of what they need: the first two need no target labels, scratch needs no
# source. Each cell of the map names the first one that comes within 2 points of the best, because
# smaller differences mean nothing here.

# %%
sizes = (64, 64, 64)  # pixels, then two hidden layers
pretrained = train(new_layers(rng, *sizes, 10), upright[source], labels[source], rng, 1500)

turns, counts = (0, 15, 30, 60, 90), (1, 3, 10, 30)
strategies = ("as it is", "adapt", "scratch", "freeze", "top", "all")


def try_all(rng, images, few):
    """Return the test accuracy of the last four strategies."""
    accuracies = []
    for frozen, start in ((0, None), (2, pretrained), (1, pretrained), (0, pretrained)):
        layers = start or new_layers(rng, *sizes, 10)
        layers = train(layers, images[few], labels[few], rng, steps=200, frozen=frozen)
        accuracies.append(accuracy(layers, images[test], labels[test]))
    return accuracies


sweep = np.zeros((len(turns), len(counts), len(strategies)))
for i, angle in enumerate(turns):
    images = turned(digits.images, angle)
    aligned = coral(upright[source], images[target]).astype("float32")
    adapted = train(new_layers(rng, *sizes, 10), aligned, labels[source], rng, 1500)
    for k, layers in enumerate((pretrained, adapted)):
        sweep[i, :, k] = accuracy(layers, images[test], labels[test])
    for j, count in enumerate(counts):
        draws = [try_all(rng, images, draw_labels(rng, labels, target, count)) for _ in range(5)]
        sweep[i, j, 2:] = np.mean(draws, axis=0)


# %%
from matplotlib.patches import Rectangle


def draw_map(turn, count):
    i, j = turns.index(turn), counts.index(count)
    near_best = sweep >= sweep.max(axis=-1, keepdims=True) - 0.02
    choice = near_best.argmax(axis=-1)  # the first of them
    told = ", ".join(f"{name} {value:.0%}" for name, value in zip(strategies, sweep[i, j]))
    fig, (left, right) = plots.figure(
        f"Turn {turn} degrees, labels per class {count}: {told}. Choice: "
        f"{strategies[choice[i, j]]}.",
        1, 2, figsize=(9, 3.9), width_ratios=(3, 2),
    )  # fmt: skip
    shown = np.take_along_axis(sweep, choice[..., None], -1)[..., 0]
    left.imshow(shown, cmap="cividis", vmin=0.3, vmax=1, aspect="auto")
    for r, c in np.ndindex(choice.shape):
        color = "black" if shown[r, c] > 0.65 else "white"
        words = f"{strategies[choice[r, c]]}\n{shown[r, c]:.0%}"
        left.text(c, r, words, ha="center", va="center", color=color, fontsize=10)
    left.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, edgecolor="#D55E00", lw=4))
    left.set_xticks(range(len(counts)), [str(n) for n in counts])
    left.set_yticks(range(len(turns)), [f"{a}°" for a in turns])
    left.set(xlabel="Target labels per class (count)", ylabel="Turn of the target")
    left.grid(False)
    right.bar_label(right.barh(strategies, 100 * sweep[i, j]), fmt="%.0f", padding=3)
    right.set(xlim=(0, 112), xlabel="Target accuracy (%)")
    right.invert_yaxis()
    return fig


# %% tags=["nbval-ignore-output"]
map_widget = plots.interactive(
    draw_map,
    turn=list(turns),
    count=list(counts),
    descriptions={"turn": "Turn (degrees)", "count": "Labels per class"},
)
map_widget

# %%
as_it_is, adapt, scratch, freeze, top, everything = 100 * np.moveaxis(sweep, -1, 0)
claim(
    "08.map-same-domain",
    "Same domain: nothing beats the source as it is by more than 4 points.",
    (sweep[0].max(-1) * 100 - as_it_is[0]).max(),
    at_most=4,
    unit="points",
)
claim(
    "08.map-adapt",
    "Turned by 15 degrees: adapting without labels beats the source as it is by 6 points or more.",
    adapt[1, 0] - as_it_is[1, 0],
    at_least=6,
    unit="points",
)
claim(
    "08.map-adapt-all",
    "There, with 1 label per class, fine-tuning all comes out at most 3 points above adapting.",
    everything[1, 0] - adapt[1, 0],
    at_most=3,
    unit="points",
)
claim(
    "08.map-all",
    "Turned by 30 degrees, 10 labels per class: fine-tuning all beats freezing by 5 points or more.",
    everything[2, 2] - freeze[2, 2],
    at_least=5,
    unit="points",
)
claim(
    "08.map-far",
    "Turned by 60 and 90 degrees, freezing is on average 5 points worse than scratch or more.",
    (freeze[3:] - scratch[3:]).mean(),
    at_most=-5,
    unit="points",
)
claim(
    "08.map-far-best",
    "There no candidate beats scratch by more than 5 points, in any cell.",
    (100 * sweep[3:].max(-1) - scratch[3:]).max(),
    at_most=5,
    unit="points",
)

# %% [markdown]
# Read the map by rows.
#
# - *Same domain*: the source model is right already. Leave it as it is.
# - *Near* (15 degrees): with one label per class you gain nothing over adapting without labels;
#   with more labels, fine-tune the upper layers or all.
# - *Farther* (30 degrees): adapting loses its hold. Fine-tuning all is the choice with few labels;
#   with more, scratch comes close to it. Freezing falls behind as labels come in: old features, new
#   domain.
# - *Far* (60 and 90 degrees): nothing beats scratch by much, and freezing clearly loses to it. The
#   rule "few labels, so freeze" fails here, because the frozen features are the wrong ones.
#
# The map holds for these data, this small network and these training steps. The axes carry over to
# other problems, the borders do not: measure a few cells of your own. The choice from a map of test
# scores is also a little too hopeful, since each cell chooses among six.

# %%
ex.q_strategy.ask(...)

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - Knowledge moves as weighted examples, as features, as parameters or as relations.
# - The gain is largest with few target labels. It can be negative: keep a control from scratch, and
#   validate on the target.
# - The simple repair comes first: centre each domain before you try a cleverer alignment.
# - A map of strategies holds for one problem: measure a few cells of your own.
#
# ## Where next
#
# - [Lesson 09](09_aligning_domains.ipynb) derives the alignments and the pull, and breaks them.
# - [Appendix A1](A1_fields_and_questions.ipynb) says where transfer is used, and answers questions.
#
# ## Sources
#
# - S. J. Pan and Q. Yang (2010), *A Survey on Transfer Learning*,
#   [doi:10.1109/TKDE.2009.191](https://doi.org/10.1109/TKDE.2009.191)
# - H. Shimodaira (2000), *Improving predictive inference under covariate shift by weighting the
#   log-likelihood function*,
#   [doi:10.1016/S0378-3758(00)00115-4](https://doi.org/10.1016/S0378-3758%2800%2900115-4)
# - S. Bickel, M. Brückner and T. Scheffer (2007), *Discriminative learning for differing training
#   and test distributions*, [doi:10.1145/1273496.1273507](https://doi.org/10.1145/1273496.1273507)
# - W. Dai, Q. Yang, G.-R. Xue and Y. Yu (2007), *Boosting for transfer learning*,
#   [doi:10.1145/1273496.1273521](https://doi.org/10.1145/1273496.1273521)
# - B. Sun, J. Feng and K. Saenko (2016), *Return of Frustratingly Easy Domain Adaptation*,
#   [arXiv:1511.05547](https://arxiv.org/abs/1511.05547)
# - B. Sun and K. Saenko (2016), *Deep CORAL: Correlation Alignment for Deep Domain Adaptation*,
#   [arXiv:1607.01719](https://arxiv.org/abs/1607.01719)
# - B. Fernando et al. (2013), *Unsupervised Visual Domain Adaptation Using Subspace Alignment*,
#   [doi:10.1109/ICCV.2013.368](https://doi.org/10.1109/ICCV.2013.368)
# - X. Li, Y. Grandvalet and F. Davoine (2018), *Explicit Inductive Bias for Transfer Learning with
#   Convolutional Networks*, [arXiv:1802.01483](https://arxiv.org/abs/1802.01483)
# - The digits: E. Alpaydin and C. Kaynak (1998), [doi:10.24432/C50P49](https://doi.org/10.24432/C50P49),
#   and the tumours: W. Wolberg et al. (1995), [doi:10.24432/C5DW2B](https://doi.org/10.24432/C5DW2B),
#   both from the UCI Machine Learning Repository, CC BY 4.0, as scikit-learn installs them.
