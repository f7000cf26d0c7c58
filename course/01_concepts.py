# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Python, NumPy arrays" engine="none"
# # 01. What transfers: domains, tasks and four ways to carry knowledge
#
# You will move a data set with sliders, see a classifier lose it, and bring the classifier back in
# four different ways. You will also see when that does harm, and how to notice.
#
# ## What you will be able to do
#
# 1. Write a transfer problem as two domains and two tasks, and name the kind of shift between them.
# 2. Say what moves in each of the four families of methods, and code each in a few lines.
# 3. Tell transfer from multi-task learning, from pooling the data and from training from scratch.
# 4. Recognise negative transfer by its sign, and guard against it.
# 5. Choose a strategy from the number of target labels and the similarity of the domains.
#
# Words are collected in the [glossary](glossary.md), with their Chinese names.

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("01")

# %%
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from threadpoolctl import threadpool_limits

from transfer_lib import plots
from transfer_lib.claims import claim
from transfer_lib.exercises import lesson_01 as ex

one_thread = threadpool_limits(1)  # for data this small, a second one costs more than it saves

# %% [markdown]
# ## 1. Domain and task
#
# A **domain** (领域) $\mathcal D = \{\mathcal X, P(X)\}$ is a feature space and a distribution over
# it: which inputs there are, and how often each occurs. A **task** (任务)
# $\mathcal T = \{\mathcal Y, P(Y \mid X)\}$ is a label space and the probability of each label for a
# given input: what is asked, and what the right answer is.
#
# **Transfer learning** uses a *source* domain and task $(\mathcal D_S, \mathcal T_S)$ to do better
# on a *target* $(\mathcal D_T, \mathcal T_T)$, where at least one of the two differs (Pan and Yang,
# 2010). If neither differs, it is ordinary machine learning.
#
# Here is one domain that you can see whole: two half-moons in the plane. The function can also turn
# the points by an angle, move and scale them, and change how many belong to class 1.


# %%
def moons(rng, n, angle=0, shift=0.0, scale=1.0, positives=0.5):
    """Return n points, shape (n, 2), of two half-moons, and their labels; class 1 comes first."""
    y = (np.arange(n) < positives * n).astype(int)
    t = rng.uniform(0, np.pi, n)
    upper = np.c_[np.cos(t) - 0.5, np.sin(t) - 0.25]
    x = np.where(y[:, None] == 1, -upper, upper) + 0.2 * rng.normal(size=(n, 2))
    a = np.deg2rad(angle)
    rotation = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return scale * x @ rotation.T + [shift, 0], y


def curved_classifier():
    """Logistic regression on all products of the coordinates up to the third degree."""
    return make_pipeline(
        PolynomialFeatures(3, include_bias=False),
        StandardScaler(),
        LogisticRegression(C=10, max_iter=1000),
    )


rng = np.random.default_rng(course.seed)
x_source, y_source = moons(rng, 400)
source_model = curved_classifier().fit(x_source, y_source)
print(f"Source: {x_source.shape[0]} points in the plane, classes {np.unique(y_source)}.")

# %% [markdown]
# ### Four things that can differ
#
# | what differs | name | what stays |
# |---|---|---|
# | $P(X)$ | **covariate shift** (协变量偏移) | $P(Y \mid X)$ |
# | $P(Y)$ | **label shift** (标签偏移) | $P(X \mid Y)$ |
# | $P(Y \mid X)$ | **concept shift** (概念偏移) | often $P(X)$ |
# | $\mathcal Y$ | **new labels** (新标签) | often $P(X)$ in part |
#
# Under label shift, $P(X)$ and $P(Y \mid X)$ change too, by Bayes' rule, but only through $P(Y)$:
# the same symptoms mean flu more often in winter. It is called concept shift when
# $P(Y \mid X)$ changes in another way. Where classes hardly overlap, as here, label shift hardly
# moves $P(Y \mid X)$.
#
# The next cell makes one target of each kind, from the same half-moons.

# %%
targets = {"the source again": moons(rng, 400)}

x, y = moons(rng, 2000)  # covariate shift: points at the right are kept more often
kept = rng.random(2000) < 1 / (1 + np.exp(-5 * (x[:, 0] - 0.4)))
targets["covariate shift"] = x[kept], y[kept]

targets["label shift"] = moons(rng, 400, positives=0.1)

x, y = moons(rng, 400)  # concept shift: the same points, other answers at the right
targets["concept shift"] = x, np.where(x[:, 0] > 0.5, 1 - y, y)

x, y = moons(rng, 400)  # new labels: a part of class 0 is now a class of its own
targets["new labels"] = x, np.where((y == 0) & (x[:, 0] < -0.5), 2, y)

targets["turned by 60 degrees"] = moons(rng, 400, angle=60)


# %%
def draw_points(ax, x, y, size=14, limit=2.6):
    sizes = np.broadcast_to(size, len(x))
    for label in np.unique(y):
        style = {"marker": plots.MARKERS[label], "color": plots.COLORS[label]}
        ax.scatter(*x[y == label].T, s=sizes[y == label], **style)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit))
    ax.set(xlabel="$x_1$ (no unit)", ylabel="$x_2$ (no unit)")


line = np.linspace(-4.6, 4.6, 100)
grid = np.stack(np.meshgrid(line, line), -1)


def draw_boundary(ax, model, color="black", style="-"):
    score = model.decision_function(grid.reshape(-1, 2)).reshape(grid.shape[:2])
    ax.contour(grid[..., 0], grid[..., 1], score, levels=[0], colors=[color], linestyles=[style])


# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure("to be described", 2, 3, figsize=(9.6, 6.4), sharex=True, sharey=True)
scores = {name: source_model.score(x, y) for name, (x, y) in targets.items()}
for ax, (name, (x, y)) in zip(axes.flat, targets.items()):
    draw_points(ax, x, y)
    draw_boundary(ax, source_model)
    ax.set_title(f"{name}: {scores[name]:.0%}", fontsize=11)
    ax.label_outer()
told = ", ".join(f"{name} {score:.0%}" for name, score in scores.items())
plots.describe(
    fig,
    "Six targets made of two half-moons, each with the boundary that was learned on the source. "
    f"Accuracy of the source classifier: {told}.",
)

# %% [markdown]
# The black line is the same in all six panels; above each panel stands its accuracy. Three things
# are worth noticing.
#
# - Under *covariate* and *label shift* the accuracy hardly changes here. The points that are kept
#   lie where this classifier is right. Section 3 shows a classifier that is too simple for that.
#   Under label shift accuracy is also a poor judge: always answering "class 0" would score 90 %.
# - Under *concept shift* the same point has another right answer. Nothing but target labels can
#   tell.
# - *Turning* the cloud changes $P(X)$ **and** $P(Y \mid X)$: at a fixed place $(x_1, x_2)$ there is
#   now another class. Yet a simple map, turning back, would undo it. Real shifts are usually such
#   mixtures.

# %%
claim(
    "01.shift-covariate",
    "Covariate shift changes the accuracy of this flexible classifier by at most 4 points.",
    100 * (scores["the source again"] - scores["covariate shift"]),
    between=(-4, 4),
    unit="points",
)
claim(
    "01.shift-concept",
    "Concept shift costs it at least 15 points.",
    100 * (scores["the source again"] - scores["concept shift"]),
    at_least=15,
    unit="points",
)

# %% [markdown]
# ### Turn it yourself
#
# Five sliders: turn, move and scale the target, change the share of class 1, and choose how many
# target labels the learner may see. The solid line was learned on the source alone. The dashed one
# is learned from the source points and the labelled target points together, where the target
# points, few as they are, get 90 % of the total weight.


# %%
def with_target_labels(x_few, y_few):
    """Fit on source and target; the few target points weigh 90 % of the total."""
    n, k = len(x_source), len(x_few)
    weights = np.r_[np.full(n, 0.1 / n), np.full(k, 0.9 / k)] * (n + k)
    x_both, y_both = np.r_[x_source, x_few], np.r_[y_source, y_few]
    model = curved_classifier()
    return model.fit(x_both, y_both, logisticregression__sample_weight=weights)


def moved(turn, shift, scale, positives, k, draw=0):
    """Return test points of the moved target, and the two classifiers' accuracies on them."""
    rng = np.random.default_rng([course.seed, draw])
    x, y = moons(rng, 300, turn, shift, scale, positives)
    few = rng.permutation(300)[:k]
    rest = np.setdiff1d(np.arange(300), few)
    adapted = with_target_labels(x[few], y[few]) if k else source_model
    accuracy = [model.score(x[rest], y[rest]) for model in (source_model, adapted)]
    return x, y, few, adapted, accuracy


# %%
def draw_moved(turn, shift, scale, positives, k):
    x, y, few, adapted, (before, after) = moved(turn, shift, scale, positives, k)
    fig, (left, right) = plots.figure(
        f"The target turned by {turn} degrees, moved by {shift}, scaled by {scale}, with "
        f"{positives:.0%} of class 1. Accuracy on it: source classifier {before:.0%}, with {k} "
        f"target labels {after:.0%}.",
        1, 2, figsize=(7.6, 3.9), width_ratios=(3, 2),
    )  # fmt: skip
    draw_points(left, x, y, limit=4.6)
    left.scatter(*x[few].T, s=90, facecolors="none", edgecolors="black", linewidths=1.2)
    draw_boundary(left, source_model)
    draw_boundary(left, adapted, plots.COLORS[5], "--")
    left.set_title("target points (ringed: labelled)", fontsize=11)
    right.bar(["source\nalone", f"with {k}\nlabels"], [100 * before, 100 * after], width=0.6)
    right.set(ylim=(0, 100), ylabel="Target accuracy (%)")
    return fig


# %% tags=["nbval-ignore-output"]
shift_widget = plots.interactive(
    draw_moved,
    turn=[0, 15, 30, 45, 60, 90, 120, 150, 180],
    shift=[0.0, 0.5, 1.0, 1.5],
    scale=[1.0, 0.5, 0.75, 1.25, 1.5],
    positives={"50 %": 0.5, "30 %": 0.3, "10 %": 0.1},
    k=[0, 4, 10, 20, 60],
    descriptions={
        "turn": "Turn (degrees)",
        "shift": "Move to the right",
        "scale": "Scale (factor)",
        "positives": "Share of class 1",
        "k": "Target labels (count)",
    },
)
shift_widget

# %% [markdown]
# Turn to 180: the two moons have changed places, and the source classifier is wrong nearly
# everywhere. That is *worse than guessing*, and so the opposite of knowing nothing: it has kept
# its knowledge and applies it to the wrong place. A few target labels repair it. Is that transfer?
# The next cell repeats it for all angles, over ten draws, with a control: the same kind of
# classifier, fitted on the 20 target labels alone.


# %%
def repaired(angle, draw):
    """Return accuracies on the target: source alone, source and 20 labels, 20 labels alone."""
    x, y, few, _, (before, after) = moved(angle, 0, 1, 0.5, 20, draw)
    rest = np.setdiff1d(np.arange(len(x)), few)
    alone = curved_classifier().fit(x[few], y[few])
    return before, after, alone.score(x[rest], y[rest])


angles = [0, 15, 30, 45, 60, 90, 120, 150, 180]
by_angle = [100 * np.mean([repaired(a, draw) for draw in range(10)], axis=0) for a in angles]
source_only, both, labels_only = np.transpose(by_angle)

# %% tags=["nbval-ignore-output"]
fig, ax = plots.figure("to be described", figsize=(7.2, 3.8))
lines = {
    "source, no target labels": source_only,
    "source and 20 target labels": both,
    "20 target labels alone": labels_only,
}
for name, values in lines.items():
    ax.plot(angles, values, label=name)
ax.set(xlabel="Turn of the target (degrees)", ylabel="Target accuracy (%)", ylim=(0, 102))
ax.legend(loc="lower left")
told = "; ".join(f"{n} {v[0]:.0f}, {v[5]:.0f}, {v[8]:.0f} %" for n, v in lines.items())
plots.describe(fig, f"Target accuracy at a turn of 0, 90 and 180 degrees: {told}.")

# %%
claim(
    "01.turn-hurts",
    "Turned by 180 degrees, the source classifier is worse than guessing: at most 30 %.",
    source_only[-1],
    at_most=30,
    unit="%",
)
claim(
    "01.labels-repair",
    "20 target labels repair it: at every angle at least 70 % of the target is right.",
    min(both),
    at_least=70,
    unit="%",
)
claim(
    "01.labels-alone",
    "Turned by 180 degrees, the labels do better without the source, by at least 2 points.",
    labels_only[-1] - both[-1],
    at_least=2,
    unit="points",
)
claim(
    "01.source-near",
    "Not turned, the source alone beats both ways with target labels by at least 1 point.",
    source_only[0] - max(both[0], labels_only[0]),
    at_least=1,
    unit="points",
)

# %% [markdown]
# Compare the last two lines. Far from 0 degrees the labels do the work and not the source. At 180
# degrees they do better without it; section 9 calls this *negative transfer*. Near 0 the source
# alone is best: it needs no repair, and 20 labels with most of the weight disturb it. Without the
# control you would have credited the source with all of the repair.
#
# **Exercise.** Name the shift. Use the words `"covariate"`, `"label"`, `"concept"` and
# `"new labels"`.
#
# - *flu*: a model tells flu from colds by symptoms. It moves from summer to winter, when flu is ten
#   times as common; the symptoms of each illness are as before.
# - *age*: a model predicts blood pressure from age and weight. It moves from a student clinic to a
#   retirement home; the relation of pressure to age and weight is the same.
# - *spam*: newsletters that users called spam last year are wanted by the same users this year.
# - *birds*: a model that tells sparrows from robins gets pictures of owls.

# %% exercise="01.name_the_shift"
flu = (
    ### BEGIN SOLUTION
    "label"
    ### END SOLUTION
)
age = (
    ### BEGIN SOLUTION
    "covariate"
    ### END SOLUTION
)
spam = (
    ### BEGIN SOLUTION
    "concept"
    ### END SOLUTION
)
birds = (
    ### BEGIN SOLUTION
    "new labels"
    ### END SOLUTION
)
ex.name_the_shift.check(flu, age, spam, birds)

# %% exercise="01.q_turned"
choice = (
    ### BEGIN SOLUTION
    "c"
    ### END SOLUTION
)
ex.q_turned.ask(choice)

# %% [markdown]
# ## 2. What knowledge is when it moves
#
# "Knowledge" (知识) sounds vague. In code it is one of four things, and each gives a family of
# methods.
#
# | family | what moves | it assumes | section |
# |---|---|---|---|
# | **instance-based** (基于实例) | source *examples*, weighted | some source examples fit the target | 3 |
# | **feature-based** (基于特征) | a *representation* | some map makes the domains alike | 4 |
# | **parameter-based** (基于模型) | *weights* of a model | good target weights lie near the source weights | 5 |
# | **relation-based** (基于关系) | *relations* between things | the same things relate alike elsewhere | 6 |
#
# ### Shared and task-specific layers
#
# A neural network holds two of these at once. Its lower layers turn the input into **features**
# (特征): together they are a *representation*. Its last layer, the **head** (输出层), turns features
# into answers to one task. The layers that two tasks have in common are **shared** (共享层); each
# head is **task-specific** (任务特定层).
#
# Here is a small network in plain NumPy, so that nothing is hidden. `frozen=n` leaves the lowest n
# layers as they are: they are **frozen** (冻结).


# %%
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


# %%
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
    return np.mean(forward(layers, x)[-1].argmax(1) == y)


# %% [markdown]
# The data: 1,797 real handwritten digits of 8×8 pixels. Written on a page that lies askew, they
# become a target domain: `turned(angle)` gives them all, turned. No image is ever in two of the
# three parts, source, target and test.

# %%
from scipy.ndimage import rotate
from sklearn.datasets import load_digits

digits = load_digits()
labels = digits.target


def turned(angle):
    """Return all digits turned by an angle in degrees, as rows of 64 pixels from 0 to 1."""
    images = rotate(digits.images, angle, axes=(1, 2), reshape=False, order=1)
    return (images.reshape(-1, 64) / 16).astype("float32")


upright, askew = turned(0), turned(15)
order = rng.permutation(len(labels))
source, target, test = order[:800], order[800:1200], order[1200:]

# %%
shown = target[:8]
pairs = np.r_[upright[shown], askew[shown]].reshape(-1, 8, 8)
plots.image_grid(
    np.clip(pairs, 0, 1),
    np.r_[labels[shown], labels[shown]],
    ncols=8,
    title="Digits, upright and turned by 15 degrees",
)

# %% [markdown]
# The source task is to name the digit. A second task on the same images asks: *is it 5 or more?*
# The two hidden layers are shared, the head is new. Only 2 labelled images of each digit are known
# for the new task.


# %%
def draw_labels(rng, per_class, among=None):
    """Return the rows of `per_class` random target images of each digit."""
    among = target if among is None else among
    return np.concatenate(
        [rng.permutation(among[labels[among] == digit])[:per_class] for digit in range(10)]
    )


sizes = (64, 64, 64)  # pixels, then two hidden layers
pretrained = train(new_layers(rng, *sizes, 10), upright[source], labels[source], rng, 1500)
large = (labels >= 5).astype(int)

# %% tags=["nbval-ignore-output"]
new_task = {"shared layers frozen": [], "shared layers fine-tuned": [], "all from scratch": []}
for _ in range(8):
    few = draw_labels(rng, 2)
    new_head = pretrained[:2] + new_layers(rng, 64, 2)
    starts = (new_head, 2), (new_head, 0), (new_layers(rng, *sizes, 2), 0)
    for (layers, frozen), results in zip(starts, new_task.values()):
        layers = train(layers, upright[few], large[few], rng, frozen=frozen)
        results.append(100 * accuracy(layers, upright[test], large[test]))
plots.bars(new_task, "Accuracy on 5 or more (%)", title="20 labels for a new task")

# %%
claim(
    "01.shared-layers",
    "With 20 labels for a new task, fine-tuned shared layers gain at least 3 points.",
    np.mean(new_task["shared layers fine-tuned"]) - np.mean(new_task["all from scratch"]),
    at_least=3,
    unit="points",
)

# %% [markdown]
# The network never compared a digit with 5 in its first task, and yet its hidden layers help.
# Frozen they gain less than fine-tuned: the old features are a good start for the new task rather
# than a finished answer.
#
# This was one of three settings of Pan and Yang: in **inductive** transfer (归纳式迁移) the tasks
# differ and there are some target labels. In **transductive** transfer (直推式迁移) the task is the
# same, the domains differ, and labels exist in the source alone; this is also called **domain
# adaptation** (领域自适应). In **unsupervised** transfer (无监督迁移) neither has labels.

# %% exercise="01.q_layers"
choice = (
    ### BEGIN SOLUTION
    "b"
    ### END SOLUTION
)
ex.q_layers.ask(choice)

# %% [markdown]
# ## 3. Instance-based: move examples
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


# %%
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
    "01.family-weights",
    "Importance weighting beats the unweighted control by at least 5 points on the target.",
    100 * (after - before),
    at_least=5,
    unit="points",
)
claim(
    "01.effective-size",
    "The effective sample size is at most 40 % of the source points.",
    100 * effective / len(weights),
    at_most=40,
    unit="%",
)

# %% [markdown]
# **Exercise.** Write the weights yourself, given the probability of "target" at each source point
# and the two sample sizes.


# %% exercise="01.ratio"
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


# %%
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
    "01.family-tradaboost",
    "With a fifth of the source labels wrong, TrAdaBoost beats the better of the two controls.",
    100 * (boosted - max(alone, pooled)),
    at_least=0.5,
    unit="points",
)
claim(
    "01.tradaboost-weights",
    "It gives a wrongly labelled source example at most 60 % of the weight of a right one.",
    100 * weight,
    at_most=60,
    unit="%",
)
alone, pooled, boosted, _ = careless_runs[0.5].mean(0)
claim(
    "01.tradaboost-harm",
    "With half of the source labels wrong, it is worse than the target labels alone.",
    100 * (boosted - alone),
    at_most=0,
    unit="points",
)
claim(
    "01.pooling-harm",
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
# and section 9 is about it. Keep both controls.
#
# **Exercise.** One round of the weights. `wrong` is an array of True and False; `beta` is below 1;
# `error` is the weighted error on the target. Return the new weights of all examples, the source
# ones first.


# %% exercise="01.reweight"
def reweight(w, wrong, n_source, beta, error):
    """Return the weights after one round of TrAdaBoost, shape (n_source + n_target,)."""
    ### BEGIN SOLUTION
    new = np.array(w, dtype=float)
    new[:n_source] *= np.where(wrong[:n_source], beta, 1)
    new[n_source:] *= np.where(wrong[n_source:], (1 - error) / error, 1)
    return new
    ### END SOLUTION


ex.reweight.check(reweight)

# %% exercise="01.q_weights"
choice = (
    ### BEGIN SOLUTION
    "a"
    ### END SOLUTION
)
ex.q_weights.ask(choice)

# %% [markdown]
# ## 4. Feature-based: move a representation
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


# %%
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
    "01.family-coral",
    "Without any target label, CORAL gains at least 5 points over the source as it is.",
    np.mean(by_alignment["CORAL"]) - np.mean(by_alignment["source as it is"]),
    at_least=5,
    unit="points",
)
claim(
    "01.coral-means",
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


# %%
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
    "01.family-subspace",
    "Subspace alignment beats the unaligned source directions by at least 15 points.",
    lab_results["subspace alignment"] - lab_results["source directions"],
    at_least=15,
    unit="points",
)
claim(
    "01.centring",
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
# All of these methods look at $P(X)$ alone. They cannot know whether the *classes* met. Lesson 02
# shows two clouds that are aligned perfectly, with every label wrong.
#
# **Exercise.** Deep networks use CORAL as a loss, the distance of the two covariance matrices
# (Sun and Saenko, 2016): $\ell = \frac{1}{4 d^2} \lVert C_S - C_T \rVert_F^2$, where $d$ is the
# number of features and $\lVert \cdot \rVert_F^2$ the sum of all squared entries.


# %% exercise="01.coral_loss"
def coral_loss(x_source, x_target):
    """Return the CORAL loss of two sets of points, shapes (n, d) and (m, d)."""
    ### BEGIN SOLUTION
    d = x_source.shape[1]
    c_source, c_target = np.cov(x_source, rowvar=False), np.cov(x_target, rowvar=False)
    return np.sum((c_source - c_target) ** 2) / (4 * d**2)
    ### END SOLUTION


ex.coral_loss.check(coral_loss)

# %% [markdown]
# ## 5. Parameter-based: move weights
#
# The source model's weights $w_S$ enter the target's training in two ways:
#
# - **start from** them (热启动): begin gradient descent at $w_S$ and stop early;
# - **regularise towards** them: add $\frac{\alpha}{2} \lVert w - w_S \rVert^2$ to the loss, which
#   Li, Grandvalet and Davoine (2018) call **L2-SP**, for *starting point*. With $\alpha = 0$ only
#   the start is carried over, as in the first way; with $\alpha \to \infty$ nothing is learned.
#
# A linear classifier shows both without any help from a library.


# %%
def softmax(z):
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
    return np.mean((np.c_[x, np.ones(len(x))] @ w).argmax(1) == y)


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
        few = draw_labels(rng, k)
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
    "01.family-parameters",
    "With 1 label per class, L2-SP beats training from scratch by at least 8 points.",
    gain[1],
    at_least=8,
    unit="points",
)
claim(
    "01.gain-shrinks",
    "Its gain with 1 label per class exceeds that with 30 by at least 5 points.",
    gain[1] - gain[30],
    at_least=5,
    unit="points",
)
claim(
    "01.gain-gone",
    "With 30 labels per class, L2-SP and scratch differ by at most 4 points.",
    gain[30],
    between=(-4, 4),
    unit="points",
)

# %% [markdown]
# **Exercise.** Write the gradient of $L(w) + \frac{\alpha}{2} \lVert w - w_S \rVert^2$, given the
# gradient of $L$.


# %% exercise="01.pull"
def pull(loss_gradient, w, w_source, alpha):
    """Return the gradient of the loss with the pull towards the source weights."""
    ### BEGIN SOLUTION
    return loss_gradient + alpha * (w - w_source)
    ### END SOLUTION


ex.pull.check(pull)

# %% [markdown]
# ## 6. Relation-based: move relations
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


# %%
def ridge(a, b, lam=2.0):
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
    "01.family-relations",
    "With rho 0.9 the tastes from films lower the error by at least 0.1 stars.",
    np.mean(cold[0.9][:, 0] - cold[0.9][:, 1]),
    at_least=0.1,
    unit="stars",
)
claim(
    "01.relations-harm",
    "With unrelated tastes (rho 0) the same method raises the error.",
    np.mean(cold[0.0][:, 1] - cold[0.0][:, 0]),
    at_least=0.005,
    unit="stars",
)

# %% [markdown]
# Lower is better. Look at the first pair of bars: when tastes are unrelated, the borrowed users are
# noise, and predictions get worse than the plain mean. Section 9 comes back to this.
#
# **Exercise.** Predict the ratings of cold-start users: `users` has shape (n, d), `items` shape
# (m, d), `item_mean` shape (m,). Return an array of shape (n, m). Ratings lie between 0.5 and 5.


# %% exercise="01.cold_start"
def cold_start(users, items, item_mean):
    """Return the predicted rating of each item by each user, kept between 0.5 and 5 stars."""
    ### BEGIN SOLUTION
    return np.clip(item_mean + users @ items.T, 0.5, 5)
    ### END SOLUTION


ex.cold_start.check(cold_start)

# %% [markdown]
# ## 7. The three phases
#
# Most transfer today is parameter-based, with a neural network, in three phases: **pretrain**
# (预训练), **fine-tune** (微调) and **test** (测试). The picture is the plan of lessons 03 to 05.

# %%
from matplotlib.patches import Rectangle

phases = {
    "1. Pretrain": ("source head: learns", "shared layers: learn", "much source data"),
    "2. Fine-tune": (
        "target head: new, learns",
        "shared layers:\nfrozen or slow",
        "little target data",
    ),
    "3. Test": ("target head: fixed", "shared layers: fixed", "unseen target data"),
}
fig, ax = plots.figure(
    "Three stacks of boxes, left to right. Pretrain: much source data, all layers learn, with a "
    "source head. Fine-tune: little target data; the shared layers are copied and are frozen or "
    "learn slowly; a new target head learns. Test: unseen target data; shared layers and target "
    "head are kept, nothing learns.",
    figsize=(9, 3.6),
)
fills = ("#D3EEE5", "#D5E5F2", "#FFFFFF")
for i, (name, boxes) in enumerate(phases.items()):
    for words, low, height, fill in zip(boxes, (2.1, 0.9, 0), (0.7, 1.0, 0.6), fills):
        fill = "#FBE3D2" if words.startswith("source") else fill
        ax.add_patch(Rectangle((3 * i, low), 2.3, height, facecolor=fill, edgecolor="#444444"))
        ax.text(3 * i + 1.15, low + height / 2, words, ha="center", va="center", fontsize=10)
    ax.text(3 * i + 1.15, 3.0, name, ha="center", fontsize=12, weight="bold")
for i, height, words in ((0, 1.4, "copy"), (1, 1.4, "keep"), (1, 2.45, "keep")):
    ends = (3 * i + 2.95, height), (3 * i + 2.35, height)
    ax.annotate("", *ends, arrowprops={"arrowstyle": "->"})
    ax.text(3 * i + 2.65, height + 0.1, words, ha="center", fontsize=10)
ax.set(xlim=(-0.1, 8.4), ylim=(-0.1, 3.4))
ax.axis("off")
fig

# %% [markdown]
# From phase 1 to 2 only the shared layers go; from 2 to 3 the whole network does. When the labels
# are the same, the source head can go along as well; sections 8 and 10 do that.
#
# ## 8. Transfer, scratch, multi-task, pooling
#
# Four ways to learn from a source and a target, often confused:
#
# | | trains on | heads | good at |
# |---|---|---|---|
# | **scratch** (从头训练) | target | one | target |
# | **pooling** (合并数据) | both, mixed; needs the same labels | one | both, in proportion to the data |
# | **multi-task** (多任务学习) | both at once | one each, shared layers | both (Caruana, 1997) |
# | **transfer** (迁移学习) | source *first*, then target | one: a new one, or the source's, trained further (here) | target |
#
# The same split for all: 800 upright source images, and 2 labelled images per digit of a target
# turned by 20 degrees. Each network takes 1,800 training steps if it sees the source and 300 if it
# does not.

# %%
page = turned(20)


def multi_task(x_s, y_s, x_t, y_t, rng, steps=900):
    """Train two heads on shared layers, one step of each task in turn."""
    shared, heads = new_layers(rng, *sizes), [new_layers(rng, 64, 10) for _ in "st"]
    for _ in range(steps):
        for i, (x, y) in enumerate(((x_s, y_s), (x_t, y_t))):
            layers = train(shared + heads[i], x, y, rng, steps=1)
            shared, heads[i] = layers[:2], layers[2:]
    return shared + heads[0], shared + heads[1]


def four_ways(rng):
    """Return accuracies on target and source images, by method."""
    few = draw_labels(rng, 2)
    s, t = (upright[source], labels[source]), (page[few], labels[few])
    scratch = train(new_layers(rng, *sizes, 10), *t, rng, 300)
    pooled = train(new_layers(rng, *sizes, 10), np.r_[s[0], t[0]], np.r_[s[1], t[1]], rng, 1800)
    for_source, for_target = multi_task(*s, *t, rng)
    transfer = train(train(new_layers(rng, *sizes, 10), *s, rng, 1500), *t, rng, 300)
    pairs = {
        "scratch": (scratch, scratch), "pooling": (pooled, pooled),
        "multi-task": (for_target, for_source), "transfer": (transfer, transfer),
    }  # fmt: skip
    images = page[test], upright[test]
    return {n: [accuracy(m, x, labels[test]) for m, x in zip(p, images)] for n, p in pairs.items()}


# %% tags=["nbval-ignore-output"]
runs = [four_ways(rng) for _ in range(6)]
side_by_side = {name: 100 * np.mean([run[name] for run in runs], axis=0) for name in runs[0]}
fig, ax = plots.figure("to be described", figsize=(7.2, 3.8))
for i, domain in enumerate(("target (turned)", "source (upright)")):
    heights = [values[i] for values in side_by_side.values()]
    bars = ax.bar(np.arange(4) + 0.38 * (i - 0.5), heights, 0.36, label=domain, hatch=("", "//")[i])
    ax.bar_label(bars, fmt="%.0f")
ax.set_xticks(range(4), list(side_by_side))
ax.set(ylabel="Accuracy (%)", ylim=(0, 118))
ax.legend(ncols=2, loc="upper left")
told = "; ".join(f"{n}: target {t:.0f} %, source {s:.0f} %" for n, (t, s) in side_by_side.items())
plots.describe(fig, f"Accuracy on target and source after four ways of training. {told}.")

# %%
claim(
    "01.transfer-vs-scratch",
    "On this split transfer beats scratch on the target by at least 5 points.",
    side_by_side["transfer"][0] - side_by_side["scratch"][0],
    at_least=5,
    unit="points",
)
claim(
    "01.multi-task-vs-scratch",
    "Multi-task learning is at most 3 points behind scratch on the target.",
    side_by_side["multi-task"][0] - side_by_side["scratch"][0],
    at_least=-3,
    unit="points",
)
claim(
    "01.pooling-vs-scratch",
    "Pooling beats scratch on the target by at least 2 points.",
    side_by_side["pooling"][0] - side_by_side["scratch"][0],
    at_least=2,
    unit="points",
)
claim(
    "01.transfer-vs-pooling",
    "On the target, transfer is at most 2 points behind pooling.",
    side_by_side["transfer"][0] - side_by_side["pooling"][0],
    at_least=-2,
    unit="points",
)
claim(
    "01.pooling-serves-source",
    "On the source, pooling stays ahead of transfer by at least 5 points.",
    side_by_side["pooling"][1] - side_by_side["transfer"][1],
    at_least=5,
    unit="points",
)
claim(
    "01.pooling-vs-multi-task",
    "With the same labels, pooling is at most 2 points behind multi-task learning on the target.",
    side_by_side["pooling"][0] - side_by_side["multi-task"][0],
    at_least=-2,
    unit="points",
)

# %% [markdown]
# Transfer and pooling beat scratch on the target. Multi-task learning gains less, if anything.
#
# - *Pooling* loses little here, because both domains ask for the same ten digits. It leans to the
#   larger set, and it cannot work where the same image has another answer in each.
# - *Multi-task learning* gives the target a fresh head, which has only 20 labels to learn from. On
#   these data, with the same labels, pooling did better on the target. In return the tasks of the
#   two heads may differ.
# - *Transfer* keeps the source head and trains it further, and that is one reason why it is ahead
#   of multi-task learning. It ends on the target and forgets part of the source: nobody asked it to
#   remember.
#
# Which is right depends on what you are asked for.

# %% exercise="01.q_multitask"
choice = (
    ### BEGIN SOLUTION
    "b"
    ### END SOLUTION
)
ex.q_multitask.ask(choice)

# %% [markdown]
# ## 9. When it hurts: negative transfer
#
# **Negative transfer** (负迁移) means that the target model is worse *with* the source than without
# it (Rosenstein et al., 2005; Wang et al., 2019). The sign is one subtraction, on labelled target
# data:
#
# $$\text{gain} = \text{accuracy with transfer} - \text{accuracy from scratch} .$$
#
# Training loss and source accuracy do not show it. Sections 1 and 3 had a case each. Below are four sources for one target, the upright digits with 3 labels per class, each pulled
# towards with L2-SP from section 5. In the last source, every digit was labelled as the next one.

# %%
rows_s, rows_t = upright[source], labels[source]
sources = {
    "same domain": fit(rows_s, rows_t, zero, zero, 0.001, 400),
    "turned by 15 degrees": fit(askew[source], rows_t, zero, zero, 0.001, 400),
    "turned by 90 degrees": fit(turned(90)[source], rows_t, zero, zero, 0.001, 400),
    "labels permuted": fit(rows_s, (rows_t + 1) % 10, zero, zero, 0.001, 400),
}
alphas = [0.001, 0.003, 0.01, 0.03, 0.1]
gains = {name: np.zeros((5, len(alphas))) for name in sources}
for run in range(5):
    few = draw_labels(rng, 3)
    data = upright[few], labels[few]
    control = linear_accuracy(fit(*data, zero, zero, 0.001), upright[test], labels[test])
    for name, w in sources.items():
        for i, alpha in enumerate(alphas):
            moved_w = fit(*data, w, w, alpha)
            gains[name][run, i] = linear_accuracy(moved_w, upright[test], labels[test]) - control

# %% tags=["nbval-ignore-output"]
fig, ax = plots.figure("to be described", figsize=(7.2, 4))
for name, values in gains.items():
    ax.plot(alphas, 100 * values.mean(0), label=name)
ax.axhline(0, color="#444444", linestyle="-", marker="")
ax.set(xscale="log", xlabel="Pull towards the source, alpha (no unit, log scale)")
ax.set(ylabel="Gain over scratch (points)")
ax.legend()
told = "; ".join(
    f"{n} {100 * g.mean(0)[0]:+.0f} to {100 * g.mean(0)[-1]:+.0f}" for n, g in gains.items()
)
plots.describe(
    fig,
    f"Gain over scratch as the pull grows from {alphas[0]} to {alphas[-1]}, in points: {told}.",
)

# %%
claim(
    "01.negative-turned",
    "A source turned by 90 degrees does harm: its gain at alpha 0.01 is at most -5 points.",
    100 * gains["turned by 90 degrees"].mean(0)[2],
    at_most=-5,
    unit="points",
)
claim(
    "01.negative-permuted",
    "A source with permuted labels does more: at most -15 points.",
    100 * gains["labels permuted"].mean(0)[2],
    at_most=-15,
    unit="points",
)
claim(
    "01.positive-same",
    "A source of the same domain helps: at least +8 points.",
    100 * gains["same domain"].mean(0)[2],
    at_least=8,
    unit="points",
)

# %% [markdown]
# Below the grey line you would have been better off without. The stronger the pull, the worse the
# harm. A source of real digits with real labels does it, too, when it is turned far enough.
#
# ### The guard
#
# Keep the control from scratch among the candidates, and choose by **validation on target data**.
# With 30 labels there is none to spare, so each takes its turn: *cross-validation* (交叉验证) in 3
# parts. On equal scores the control wins.

# %%
from sklearn.model_selection import StratifiedKFold


def guarded(x, y, w_source, seed=0):
    """Return weights from scratch or from the source, whichever validates better on the target."""
    scores = {"scratch": 0.0, "transfer": 0.0}
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    for learn, check in folds.split(x, y):
        for name in scores:
            w = candidate(name, x[learn], y[learn], w_source)
            scores[name] += linear_accuracy(w, x[check], y[check]) / 3
    best = "transfer" if scores["transfer"] > scores["scratch"] else "scratch"
    return best, candidate(best, x, y, w_source)


def candidate(name, x, y, w_source):
    if name == "scratch":
        return fit(x, y, zero, zero, 0.001)
    return fit(x, y, w_source, w_source, 0.01)


# %% tags=["nbval-ignore-output"]
guard_gain, chosen = {name: [] for name in sources}, {name: 0 for name in sources}
for _ in range(5):
    few = draw_labels(rng, 3)
    data = upright[few], labels[few]
    control = linear_accuracy(candidate("scratch", *data, zero), upright[test], labels[test])
    for name, w in sources.items():
        best, kept = guarded(*data, w)
        chosen[name] += best == "transfer"
        guard_gain[name].append(linear_accuracy(kept, upright[test], labels[test]) - control)
for name, values in guard_gain.items():
    print(f"{name:22} transfer chosen {chosen[name]} of 5 times, gain {100 * np.mean(values):+.1f}")

# %%
claim(
    "01.guard-safe",
    "With the guard, the worst of the four sources costs at most 6 points on average.",
    100 * min(np.mean(values) for values in guard_gain.values()),
    at_least=-6,
    unit="points",
)
claim(
    "01.guard-keeps-gain",
    "With the guard, the source of the same domain still gains at least 6 points.",
    100 * np.mean(guard_gain["same domain"]),
    at_least=6,
    unit="points",
)

# %% [markdown]
# **Exercise.** Write the guard's decision. `target_validation` and `source_accuracy` are
# dictionaries of accuracies by the name of the candidate; one of the names is `"scratch"`. Return
# the name to use.


# %% exercise="01.guard"
def guard(target_validation, source_accuracy):
    """Return the name of the candidate to use; on equal scores, "scratch"."""
    ### BEGIN SOLUTION
    best = max(target_validation, key=target_validation.get)
    if target_validation[best] > target_validation["scratch"]:
        return best
    return "scratch"
    ### END SOLUTION


ex.guard.check(guard)

# %% exercise="01.q_negative"
choice = (
    ### BEGIN SOLUTION
    "d"
    ### END SOLUTION
)
ex.q_negative.ask(choice)

# %% [markdown]
# ## 10. Choosing a strategy
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
    images = turned(angle)
    aligned = coral(upright[source], images[target]).astype("float32")
    adapted = train(new_layers(rng, *sizes, 10), aligned, labels[source], rng, 1500)
    for k, layers in enumerate((pretrained, adapted)):
        sweep[i, :, k] = accuracy(layers, images[test], labels[test])
    for j, count in enumerate(counts):
        draws = [try_all(rng, images, draw_labels(rng, count)) for _ in range(5)]
        sweep[i, j, 2:] = np.mean(draws, axis=0)


# %%
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
    "01.map-same-domain",
    "Same domain: nothing beats the source as it is by more than 4 points.",
    (sweep[0].max(-1) * 100 - as_it_is[0]).max(),
    at_most=4,
    unit="points",
)
claim(
    "01.map-adapt",
    "Turned by 15 degrees: adapting without labels beats the source as it is by 6 points or more.",
    adapt[1, 0] - as_it_is[1, 0],
    at_least=6,
    unit="points",
)
claim(
    "01.map-adapt-all",
    "There, with 1 label per class, fine-tuning all comes out at most 3 points above adapting.",
    everything[1, 0] - adapt[1, 0],
    at_most=3,
    unit="points",
)
claim(
    "01.map-all",
    "Turned by 30 degrees, 10 labels per class: fine-tuning all beats freezing by 5 points or more.",
    everything[2, 2] - freeze[2, 2],
    at_least=5,
    unit="points",
)
claim(
    "01.map-far",
    "Turned by 60 and 90 degrees, freezing is on average 5 points worse than scratch or more.",
    (freeze[3:] - scratch[3:]).mean(),
    at_most=-5,
    unit="points",
)
claim(
    "01.map-far-best",
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

# %% exercise="01.q_strategy"
choice = (
    ### BEGIN SOLUTION
    "c"
    ### END SOLUTION
)
ex.q_strategy.ask(choice)

# %% [markdown]
# ## 11. Where it is used
#
# | field | usual source | usual target | what moves | one primary reference |
# |---|---|---|---|---|
# | vision | ImageNet photographs | any pictures with few labels | lower and middle convolutions, often all | Yosinski et al., *How transferable are features in deep neural networks?* ([2014](https://arxiv.org/abs/1411.1792)) |
# | language | books and Wikipedia without labels | classification, question answering | all transformer layers; a new head | Devlin et al., *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding* ([2019](https://arxiv.org/abs/1810.04805)) |
# | speech | hours of sound without transcripts | recognition with little transcribed speech | encoder of sound and context network | Baevski et al., *wav2vec 2.0: A Framework for Self-Supervised Learning of Speech Representations* ([2020](https://arxiv.org/abs/2006.11477)) |
# | activity recognition | sensors of some people and places on the body | other people, places, sensors | lower convolutions | Morales and Roggen, *Deep convolutional feature transfer across mobile activity recognition domains, sensor modalities and locations* ([2016](https://doi.org/10.1145/2971763.2971764)) |
# | driving | rendered streets | camera streets without labels | images restyled and features aligned | Hoffman et al., *CyCADA: Cycle-Consistent Adversarial Domain Adaptation* ([2018](https://arxiv.org/abs/1711.03213)) |
# | biology | about 30 million single-cell transcriptomes | rare diseases, few patients | transformer encoder; a new head | Theodoris et al., *Transfer learning enables predictions in network biology* ([2023](https://doi.org/10.1038/s41586-023-06139-9)) |
# | recommenders | domain with dense ratings | domain with sparse ratings | factors of users | Singh and Gordon, *Relational learning via collective matrix factorization* ([2008](https://doi.org/10.1145/1401890.1401969)) |
#
# ## 12. Frequent questions
#
# **Does transfer need enough target data?** No. Its gain is largest when there is little (section
# 5). What you do need is some labelled target data to *test* on, or you cannot know the sign of the
# gain.
#
# **Is more source data always better?** More *related* source data is. Unrelated data adds harm
# with its weight (sections 6 and 9).
#
# **Must source and target have the same labels?** No. With other labels, give the network a new
# head and keep the features (section 2). Pooling and CORAL with the source's classifier do need the
# same labels.
#
# **Is fine-tuning the same as transfer learning?** It is one kind of it, in the parameter-based
# family. Weights on examples, aligned features and shared user factors are others.
#
# **How does it differ from multi-task learning?** By the aim and the order. Multi-task learning
# trains all tasks together and wants all of them to be good; transfer wants the target alone, and
# usually comes after the source training is over (section 8).
#
# **Should I freeze layers?** Freeze when the features fit and labels are few. When the domain
# differs, frozen layers hold on to the wrong features: compare with fine-tuning all at a low rate
# (section 10).
#
# **Can I transfer with no target labels at all?** Yes, if the task is the same and the domains are
# near: that is domain adaptation (section 4). But no method can find out by itself that the labels
# have changed their meaning.
#
# **Does matching the two distributions make the classifier right?** Not by itself. It matches
# $P(X)$; the classes may still be swapped. Lesson 02 builds such a case.
#
# **Does pretraining always give a better final accuracy?** No. With many target labels the gain
# shrinks towards zero (section 5), though training is often still faster. Medical images are a
# studied example: Raghu et al., *Transfusion: Understanding Transfer Learning for Medical Imaging*
# ([2019](https://arxiv.org/abs/1902.07208)).

# %% exercise="01.q_few"
choice = (
    ### BEGIN SOLUTION
    "a"
    ### END SOLUTION
)
ex.q_few.ask(choice)

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - A domain is $\{\mathcal X, P(X)\}$, a task is $\{\mathcal Y, P(Y \mid X)\}$. Say which of the
#   four differ before you choose a method.
# - Knowledge moves as weighted examples, as features, as parameters or as relations.
# - The gain is largest with few target labels. It can be negative, and one subtraction shows it:
#   keep a control from scratch, and validate on the target.
# - Pooling leans to the larger data set, multi-task learning serves all, transfer the target.
# - The simple repair comes first: centre each domain before you try a cleverer alignment.
#
# ## Where next
#
# - [Lesson 03](03_mnist_pretrain_finetune.ipynb) runs the three phases with a convolutional network.
# - [Lesson 02](02_loss_mathematics.ipynb) derives the losses that were only used here.
# - The [glossary](glossary.md) has every term of the course in English and Chinese.
#
# ## Sources
#
# - S. J. Pan and Q. Yang (2010), *A Survey on Transfer Learning*,
#   [doi:10.1109/TKDE.2009.191](https://doi.org/10.1109/TKDE.2009.191)
# - F. Zhuang et al. (2021), *A Comprehensive Survey on Transfer Learning*,
#   [arXiv:1911.02685](https://arxiv.org/abs/1911.02685)
# - J. G. Moreno-Torres et al. (2012), *A unifying view on dataset shift in classification*,
#   [doi:10.1016/j.patcog.2011.06.019](https://doi.org/10.1016/j.patcog.2011.06.019)
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
# - R. Caruana (1997), *Multitask Learning*,
#   [doi:10.1023/A:1007379606734](https://doi.org/10.1023/A:1007379606734)
# - M. T. Rosenstein et al. (2005), *To transfer or not to transfer*, NIPS workshop on inductive
#   transfer
# - Z. Wang et al. (2019), *Characterizing and Avoiding Negative Transfer*,
#   [arXiv:1811.09751](https://arxiv.org/abs/1811.09751)
# - The digits: E. Alpaydin and C. Kaynak (1998), [doi:10.24432/C50P49](https://doi.org/10.24432/C50P49),
#   and the tumours: W. Wolberg et al. (1995), [doi:10.24432/C5DW2B](https://doi.org/10.24432/C5DW2B),
#   both from the UCI Machine Learning Repository, CC BY 4.0, as scikit-learn installs them.
