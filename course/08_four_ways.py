# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lessons 01 and 02; what a covariance is" engine="keras"
# # 08. Four ways to carry knowledge
#
# Knowledge can travel as *examples*, as *features*, as *parameters* or as *relations* (Pan and Yang,
# 2010). You build one method of each family, put each beside its control, and end with a map that
# says where which pays. Afterwards you can
#
# - weight source examples so that they stand for the target;
# - give source features the target's covariance, and say what that cannot repair;
# - pull parameters towards a source's;
# - carry a rule between entities from one domain to another;
# - read a comparison of many strategies, with its ties.
#
# Terms are in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("08")
ex = course.exercises

# %% [markdown]
# Three questions first. They come back at the end, and then they count.

# %%
ex.before("q_weights", "q_relation", "q_strategy")

# %% tags=["keep"]
from itertools import permutations

import keras
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from tqdm.auto import tqdm

from transfer_lib import plots
from transfer_lib.claims import claim
from transfer_lib.taught.lesson_01 import accuracy, few_of_each, new_network, scans, train

# %% [markdown]
# ## 1. Examples: weight them
#
# Class 1 lies above a parabola, in both domains. The source inputs lie mostly on its left arm, the
# target inputs on its right. The model is a straight line, too simple for both arms. Which of them it
# follows depends on which examples count.


# %% tags=["keep"]
def arm(centre, n, seed):
    """Return points around x1 = centre, (n, 2), and labels: class 1 lies above a parabola."""
    rng = np.random.default_rng(seed)
    x = np.c_[rng.normal(centre, 0.7, n), rng.normal(0.8, 1.2, n)]
    return x, (x[:, 1] > 0.8 * x[:, 0] ** 2).astype(int)


# %%
x_left, y_left = arm(-0.5, 600, course.seed)  # the source
x_right, y_right = arm(0.5, 300, course.seed + 1)  # the target; its labels are for the test only
plain = LogisticRegression().fit(x_left, y_left)
print(f"no weights: {plain.score(x_right, y_right):.0%} of the target right")

# %% [markdown]
# Weigh each source example by $w(x) = P_T(x) / P_S(x)$: then the weighted source mean of any loss *is*
# the target mean (Shimodaira, 2000). No density has to be known. A classifier that tells target from
# source gives $p(x)$, the probability of "target", among $n_S + n_T$ points. By Bayes' rule
#
# $$p = \frac{n_T P_T}{n_S P_S + n_T P_T}, \qquad \text{so} \qquad
#   \frac{p}{1 - p} = \frac{n_T P_T}{n_S P_S} .$$

# %% tags=["hide-input", "nbval-ignore-output"]
domain = np.r_[np.zeros(600), np.ones(300)]
teller = LogisticRegression().fit(np.r_[x_left, x_right], domain)
p_target = teller.predict_proba(x_left)[:, 1]
order, first = np.argsort(x_left[:, 0]), x_left[:, 0]
fig, axes = plots.figure(None, 1, 3, figsize=(10, 3.2))
axes[0].hist([first, x_right[:, 0]], 14, label=["source", "target"], color=plots.COLORS[:2])
axes[0].legend(fontsize=8)
axes[1].plot(first[order], p_target[order], ".", ms=3)
axes[2].plot(first[order], (p_target / (1 - p_target))[order], ".", ms=3)
titles = ("1. Points (count)", "2. p: is it a target point?", "3. The odds p / (1 - p)")
for ax, title in zip(axes, titles, strict=True):
    ax.set(title=title, xlabel="$x_1$ (no unit)")
fig

# %% [markdown]
# ### Exercise: from p to the weight
#
# Solve the second equation for $P_T / P_S$.


# %% tags=["keep"] exercise="08.ratio"
def ratio(p_target, n_source, n_target):
    """Return the weight of each source point; p_target is an array of probabilities."""
    ### BEGIN SOLUTION
    return p_target / (1 - p_target) * n_source / n_target
    ### END SOLUTION


ex.ratio.check(ratio)

# %%
from transfer_lib.taught.lesson_08 import ratio

weights = ratio(p_target, 600, 300)
weighted = LogisticRegression().fit(x_left, y_left, sample_weight=weights)
effective = weights.sum() ** 2 / np.sum(weights**2)
print(f"weighted: {weighted.score(x_right, y_right):.0%} right,", end=" ")
print(f"but the 600 points are worth only {effective:.0f} equal ones")

# %% tags=["hide-input"]
claim("08.weights")
claim("08.effective")

# %% [markdown]
# That is the price: a few source points carry nearly all the weight. Where the source has *no* points,
# no weight helps.

# %% [markdown] tags=["optional"]
# ### Optional: TrAdaBoost, weights that learn
#
# When some source *labels* follow another rule, $w(x)$ cannot see it; a few target labels can.
# **TrAdaBoost** (Dai et al., 2007) trains in rounds. A target example that is predicted wrongly gains
# weight, as in AdaBoost: times $(1 - \varepsilon) / \varepsilon$, with $\varepsilon < 1/2$ the weighted error on the target. A
# source example that is predicted wrongly *loses* weight: times $\beta < 1$. Right ones keep theirs. Write
# one round's weights.


# %% tags=["keep"] exercise="08.reweight"
def reweight(w, wrong, n_source, beta, error):
    """Return new weights; the source comes first, beta < 1, error is that on the target."""
    ### BEGIN SOLUTION
    new = np.array(w, dtype=float)
    new[:n_source] *= np.where(wrong[:n_source], beta, 1)
    new[n_source:] *= np.where(wrong[n_source:], (1 - error) / error, 1)
    return new
    ### END SOLUTION


ex.reweight.check(reweight)

# %%
from transfer_lib.taught.lesson_08 import reweight


# %% tags=["keep"]
def tradaboost(x_s, y_s, x_t, y_t, rounds=10):
    """Return a function that predicts 0 or 1, and the final weights of the source examples."""
    n, x, y = len(x_s), np.r_[x_s, x_t], np.r_[y_s, y_t]
    w = np.r_[np.full(n, 1 / n), np.full(len(x_t), 1 / len(x_t))]
    beta, votes = 1 / (1 + np.sqrt(2 * np.log(n) / rounds)), []
    for _ in range(rounds):
        model = LogisticRegression().fit(x, y, sample_weight=len(x) * w / w.sum())
        wrong = model.predict(x) != y
        error = np.clip(np.sum(w[n:] * wrong[n:]) / np.sum(w[n:]), 0.001, 0.49)
        w = reweight(w, wrong, n, beta, error)
        votes.append((np.log((1 - error) / error), model))

    def predict(new):  # the second half of the rounds votes
        late = votes[rounds // 2 :]
        return (sum(a * (2 * model.predict(new) - 1) for a, model in late) > 0).astype(int)

    return predict, w[:n] / w.sum()


# %% [markdown]
# A fifth of the source's labels turned over; ten right ones of the target. Does it find the wrong ones?

# %%
flipped = np.arange(600) % 5 == 0
predict, w = tradaboost(x_left, y_left ^ flipped, x_right[:10], y_right[:10])
print(f"a wrong label weighs {w[flipped].mean() / w[~flipped].mean():.2f} of a right one")
print(f"{np.mean(predict(x_right[10:]) == y_right[10:]):.0%} of the target right")

# %% [markdown]
# ## 2. Features: give them the target's shape
#
# Now no target label is used, only target *inputs*. **CORAL** (Sun, Feng and Saenko, 2016) moves the
# source's cloud: centre it, *whiten* it (take its correlations out), *colour* it (put the target's
# in), and move it to the target's mean:
#
# $$x \mapsto (x - \mu_S)\, C_S^{-1/2}\, C_T^{1/2} + \mu_T .$$
#
# $C$ is the covariance matrix, (d, d). `power(c, -0.5)` is its inverse root.


# %% tags=["keep"]
def power(c, exponent):
    """Return a power of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(c)
    return (vectors * values**exponent) @ vectors.T


# %% [markdown]
# ### Exercise: write CORAL
#
# `np.cov(x, rowvar=False)` is the covariance. Add `ridge` times the unit matrix, `np.eye(d)`, to both:
# pixels in a corner never vary, and zero variance has no inverse.


# %% tags=["keep"] exercise="08.coral"
def coral(x_source, x_target, ridge=0.1):
    """Return the source points with the mean and covariance of the target, shape (n, d)."""
    ### BEGIN SOLUTION
    unit = ridge * np.eye(x_source.shape[1])
    c_source = np.cov(x_source, rowvar=False) + unit
    c_target = np.cov(x_target, rowvar=False) + unit
    turn = power(c_source, -0.5) @ power(c_target, 0.5)
    return (x_source - x_source.mean(axis=0)) @ turn + x_target.mean(axis=0)
    ### END SOLUTION


ex.coral.check(coral)

# %% tags=["hide-input"]
from transfer_lib.taught.lesson_08 import coral

draws = np.random.default_rng(0)
long, wide = draws.normal(size=(200, 2)) * [2, 0.4], draws.normal(size=(200, 2)) * [0.6, 1.2]
turn = np.array([[0.8, 0.6], [-0.6, 0.8]])
cloud, goal = long @ turn, wide @ turn + [3, 1]
white = (cloud - cloud.mean(0)) @ power(np.cov(cloud, rowvar=False), -0.5)
steps = {"1. source": cloud, "2. whitened": white, "3. coloured, moved": coral(cloud, goal, 0)}
fig, axes = plots.figure(None, 1, 3, figsize=(10, 3.4), sharex=True, sharey=True)
for ax, (name, points) in zip(axes, steps.items(), strict=True):
    ax.scatter(*goal.T, s=8, marker="s", color=plots.COLORS[1], label="target")
    ax.scatter(*points.T, s=8, color=plots.COLORS[0], label="source")
    ax.set(title=name, xlabel="$x_1$ (no unit)")
axes[0].legend(fontsize=8)
fig

# %% [markdown]
# Real data: digits upright and 15 degrees askew, a network trained on the source only. Moving the
# *means* alone is the control, for it is one line.

# %% tags=["nbval-ignore-output"]
from sklearn.datasets import load_digits

keras.utils.set_random_seed(course.seed)
rng = np.random.default_rng(course.seed)
digits, upright, askew = load_digits().target, scans(0), scans(15)
source, target, test = np.split(rng.permutation(len(digits)), [800, 1200])
x = upright[source]
versions = {
    "source as it is": x,
    "means moved": x - x.mean(0) + askew[target].mean(0),
    "CORAL": coral(x, askew[target]).astype("float32"),
}
by_version = {
    name: [
        accuracy(train(new_network(), moved, digits[source], 300), askew[test], digits[test])
        for _ in range(3)
    ]
    for name, moved in tqdm(versions.items())
}
plots.bars(by_version, "Target accuracy (%)", title="Upright to askew, no target label")

# %% tags=["hide-input"]
claim("08.coral")
claim("08.means")

# %% [markdown]
# Both look at $P(X)$ alone. Whether the right *classes* met they cannot know: [lesson 09](09_aligning_domains.ipynb)
# aligns two clouds perfectly, with nearly every label wrong.

# %% [markdown] tags=["optional"]
# ### Optional: subspace alignment, turn the axes
#
# **Subspace alignment** (Fernando et al., 2013) turns the source's $d$ main directions $P_S$ to the
# target's $P_T$. The tumours are real: ten properties of cell nuclei. The two *laboratories* are made for the
# lesson: one half of the tumours gets the means over all nuclei, the other those of the three largest.


# %% tags=["keep"]
def main_directions(x, d):
    """Return the d directions of largest variance as columns, shape (features, d)."""
    _, vectors = np.linalg.eigh(np.cov(x, rowvar=False))  # in the order of growing variance
    return vectors[:, ::-1][:, :d]


def subspace_alignment(x_source, x_target, d):
    """Return source and target points in d aligned coordinates."""
    p_source, p_target = main_directions(x_source, d), main_directions(x_target, d)
    z_source = (x_source - x_source.mean(0)) @ p_source @ p_source.T @ p_target
    return z_source, (x_target - x_target.mean(0)) @ p_target


# %% tags=["hide-input"]
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

cancer = load_breast_cancer()
one, other = np.split(rng.permutation(len(cancer.target)), [285])
scaler = StandardScaler().fit(cancer.data[one, :10])  # fitted on the source alone
a, b = scaler.transform(cancer.data[one, :10]), scaler.transform(cancer.data[other, 20:])
own = main_directions(a, 3)
for name, (z_a, z_b) in {
    "source directions": (a @ own, b @ own),
    "each laboratory centred": ((a - a.mean(0)) @ own, (b - b.mean(0)) @ own),
    "subspace alignment": subspace_alignment(a, b, 3),
}.items():
    model = LogisticRegression().fit(z_a, cancer.target[one])
    print(f"{name:24} {model.score(z_b, cancer.target[other]):.0%} right")

# %% [markdown]
# Subtracting each laboratory's mean did the work. Try the simple repair before the clever one.
#
# ## 3. Parameters: pull towards the source
#
# Start from the source's weights $w_S$, and keep near them: add
# $\frac{\alpha}{2} \lVert w - w_S \rVert^2$ to the loss, **L2-SP** for *starting point* (Li, Grandvalet
# and Davoine, 2018).
#
# ### Exercise: the pull
#
# Descent needs the gradient of $L(w) + \frac{\alpha}{2} \lVert w - w_S \rVert^2$. That of $L$ is given.


# %% tags=["keep"] exercise="08.pull"
def pull(loss_gradient, w, w_source, alpha):
    """Return the gradient of the loss with the pull towards the source weights."""
    ### BEGIN SOLUTION
    return loss_gradient + alpha * (w - w_source)
    ### END SOLUTION


ex.pull.check(pull)

# %%
from transfer_lib.taught.lesson_08 import pull


# %% tags=["keep"]
def fit(x, y, w_source, alpha, steps=200, rate=1.0):
    """Softmax regression pulled towards w_source, where it starts; shape (pixels + 1, 10)."""
    x1, truth, w = np.c_[x, np.ones(len(x))], np.eye(10)[y], w_source.copy()
    for _ in range(steps):
        scores = np.exp(x1 @ w - (x1 @ w).max(axis=1, keepdims=True))
        p = scores / scores.sum(axis=1, keepdims=True)
        w -= rate * pull(x1.T @ (p - truth) / len(x), w, w_source, alpha)
    return w


def right(w, x, y):
    """Return the percentage of right answers of the weights w."""
    return 100 * np.mean((np.c_[x, np.ones(len(x))] @ w).argmax(axis=1) == y)


# %% tags=["nbval-ignore-output"]
zero = np.zeros((65, 10))
w_source = fit(upright[source], digits[source], zero, 0.001, 400)
curves = {"from scratch": {}, "towards the source": {}}
for k in (1, 3, 10, 30):
    drawn = [few_of_each(digits, target, k, rng) for _ in range(5)]
    for name, start, alpha in (
        ("from scratch", zero, 0.001),
        ("towards the source", w_source, 0.01),
    ):
        fits = [fit(askew[rows], digits[rows], start, alpha) for rows in drawn]
        curves[name][k] = [right(w, askew[test], digits[test]) / 100 for w in fits]
plots.accuracy_by_labels(curves, title="Upright to askew, a linear classifier")

# %% tags=["hide-input"]
claim("08.pull-1")
claim("08.pull-30")

# %% [markdown]
# ## 4. Relations: carry a rule
#
# This family is about *entities and what they have to do with each other*. In a film studio, whoever
# acts in a film works for whoever directs it. Seen abstractly: if $p$ does something to an object and
# $q$ does something else to the same object, then $p$ belongs to $q$. In a university the objects are
# papers: whoever writes one is advised by whoever supervises it. The rule travels, once somebody knows
# which relation plays which part (Mihalkova, Huynh and Mooney, 2007). The relations here are made for
# the lesson.


# %% tags=["keep", "hide-input"]
def world(people, objects, noise, seed):
    """Return three relations as arrays of True and False: does, leads, belongs to.

    ``does`` and ``leads`` have the shape (people, objects), ``belongs`` (people, people). A share
    `noise` of the pairs that belong together is turned over.
    """
    rng = np.random.default_rng(seed)
    does, leads = np.zeros((2, people, objects), dtype=bool)
    chiefs = people // 5
    for thing in range(objects):
        leads[rng.integers(chiefs), thing] = True
        does[rng.choice(np.arange(chiefs, people), 3, replace=False), thing] = True
    belongs = (does.astype(int) @ leads.T) > 0
    return does, leads, belongs ^ (rng.random(belongs.shape) < noise * belongs.mean())


# %% [markdown]
# ### Exercise: apply the rule
#
# "$p$ does it and $q$ leads it, for *some* object": a matrix product counts the objects.


# %% tags=["keep"] exercise="08.rule"
def rule(first, second):
    """Return True at (p, q) where p is in `first` and q in `second` with one common object."""
    ### BEGIN SOLUTION
    return (first.astype(int) @ second.T.astype(int)) > 0
    ### END SOLUTION


ex.rule.check(rule)

# %% [markdown]
# In the university four relations are on record, and nobody says which is which: *writes*,
# *supervises*, *reads*, *reviews*. Only ten pairs of "is advised by" are known, and ten that are not.

# %%
from transfer_lib.taught.lesson_08 import rule

writes, supervises, advised = world(60, 40, 0.1, course.seed)
draws = np.random.default_rng(course.seed)
records = {"writes": writes, "supervises": supervises}
for name in ("reads", "reviews"):
    records[name] = draws.random(writes.shape) < writes.mean()
pairs = [draws.permutation(np.argwhere(advised == value))[:10] for value in (True, False)]
known, truth = np.concatenate(pairs), np.repeat([True, False], 10)

# %% [markdown]
# ### Exercise: find the mapping
#
# Try each ordered pair of relations in the rule's two places (`permutations(records, 2)` yields the
# names), and count on how many of the known pairs the rule and the truth agree. `known` has one row
# (p, q) for each pair.


# %% tags=["keep"] exercise="08.mapping"
def mapping(records, known, truth):
    """Return the names (first, second) with which the rule agrees best with the known pairs."""
    ### BEGIN SOLUTION
    agreement = {}
    for first, second in permutations(records, 2):
        predicted = rule(records[first], records[second])
        agreement[first, second] = np.mean(predicted[known[:, 0], known[:, 1]] == truth)
    return max(agreement, key=agreement.get)
    ### END SOLUTION


ex.mapping.check(mapping)

# %%
from transfer_lib.taught.lesson_08 import mapping

first, second = mapping(records, known, truth)
carried = rule(records[first], records[second])
print(f"whoever {first} what somebody {second} is advised by them")
print(f"{carried.sum()} pairs predicted, {(carried & advised).sum()} of {advised.sum()} found")

# %% tags=["hide-input"]
claim("08.rule")

# %% [markdown]
# From 20 labelled pairs alone nobody would learn which of 3,600 pairs belong together; the rule needs them only to
# find its mapping. (Shared taste factors in a recommender are often called relation-based. The factors are parameters
# of a model, or features of users; lesson 15 carries them between people who are in both domains.)
#
# ## 5. A map, with its ties
#
# Which strategy where? Three turns of the target, few and more labels; the digits' network. *As it is*
# and *CORAL* use no target label. *Frozen* trains the head only, *all* trains everything, both from the
# source's weights.


# %% tags=["keep"]
def tuned(weights, x, y, frozen=False, steps=150):
    """Start from source weights and train all layers, or with `frozen` the head only."""
    model = new_network()
    model.set_weights(weights)
    for layer in model.layers[:-1]:
        layer.trainable = not frozen
    rate = 3e-2 if frozen else 3e-3  # a head alone stands a faster rate
    return train(model, x, y, steps, rate) if steps else model


# %% tags=["keep"]
def try_all(learned, adapted, image, y, rows, test):
    """Return strategy to accuracy on the rows `test`, after training on the labelled `rows`."""
    fresh, x = new_network().get_weights(), (image[rows], y[rows])
    models = {
        "as it is": tuned(learned, *x, steps=0),
        "CORAL": adapted,
        "scratch": tuned(fresh, *x),
        "frozen": tuned(learned, *x, frozen=True),
        "all": tuned(learned, *x),
    }
    return {name: accuracy(model, image[test], y[test]) for name, model in models.items()}


# %% tags=["nbval-ignore-output"]
learned = train(new_network(), upright[source], digits[source], 300).get_weights()
scores = {}  # (turn, labels per class) to strategy to accuracies
for angle in tqdm((0, 25, 90)):
    image = scans(angle)
    moved = coral(upright[source], image[target]).astype("float32")
    adapted = train(new_network(), moved, digits[source], 300)
    for k in (1, 10):
        drawn = [few_of_each(digits, target, k, rng) for _ in range(3)]
        runs = [try_all(learned, adapted, image, digits, rows, test) for rows in drawn]
        scores[angle, k] = {name: [run[name] for run in runs] for name in runs[0]}

# %% [markdown]
# ### Exercise: who ties with the best?
#
# A mean that is 1 point lower over three draws says nothing when the draws differ by 5. All strategies
# saw the same draws, so compare in pairs: take each draw's difference to the best one (that with the
# highest mean). If not *every* difference is in favour of the best, call it a tie.


# %% tags=["keep"] exercise="08.ties"
def ties(cell):
    """Return the set of names that tie with the best, the best included; name to accuracies."""
    ### BEGIN SOLUTION
    best = max(cell, key=lambda name: np.mean(cell[name]))
    top = np.array(cell[best])
    return {name for name, values in cell.items() if name == best or np.any(values >= top)}
    ### END SOLUTION


ex.ties.check(ties)

# %% tags=["nbval-ignore-output"]
from transfer_lib.taught.lesson_08 import ties

table = pd.DataFrame(
    {
        f"{angle}°, {k} per digit": {
            name: f"{np.mean(values):.0f}" + (" *" if name in ties(cell) else "")
            for name, values in cell.items()
        }
        for (angle, k), cell in scores.items()
    }
)
table  # * the best, and who ties with it

# %% tags=["hide-input"]
for name in ("as-it-is", "adapt", "far"):
    claim(f"08.{name}")

# %% [markdown]
# At 0 degrees the source is right already. At 25, one label per digit and all layers trained beat
# aligning without labels. At 90 the frozen features are the wrong ones: "few labels, so freeze" fails
# there. It is not a law either way. In [lesson 03](03_digits.ipynb) the images are of one kind, the
# labels are new, and the frozen backbone is hard to beat with one label. The borders belong to these
# data: measure a few cells of your own.
#
# ## 6. Now they count: the three questions of the beginning

# %%
ex.q_weights.ask(...)

# %%
ex.q_relation.ask(...)

# %%
ex.q_strategy.ask(...)

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - Weighted examples can stand for the target where the source has points at all.
# - Aligned features know nothing of the classes. Moving the means is the first thing to try.
# - A pull towards source parameters pays with few labels and fades with many.
# - A rule between entities travels with a mapping of its relations.
# - Show ties as ties.
#
# **Next:** [lesson 09](09_aligning_domains.ipynb) takes the alignments apart.
#
# ## Sources
#
# - S. J. Pan and Q. Yang (2010), [A survey on transfer learning](https://doi.org/10.1109/TKDE.2009.191)
# - H. Shimodaira (2000), [Improving predictive inference under covariate
#   shift](https://doi.org/10.1016/S0378-3758%2800%2900115-4)
# - W. Dai et al. (2007), [Boosting for transfer learning](https://doi.org/10.1145/1273496.1273521)
# - B. Sun, J. Feng and K. Saenko (2016), [Return of frustratingly easy domain
#   adaptation](https://arxiv.org/abs/1511.05547)
# - B. Fernando et al. (2013), [Unsupervised visual domain adaptation using subspace
#   alignment](https://doi.org/10.1109/ICCV.2013.368)
# - X. Li, Y. Grandvalet and F. Davoine (2018), [Explicit inductive bias for transfer
#   learning](https://arxiv.org/abs/1802.01483)
# - L. Mihalkova, T. Huynh and R. Mooney (2007), [Mapping and revising Markov logic networks for
#   transfer learning](https://cdn.aaai.org/AAAI/2007/AAAI07-096.pdf)
