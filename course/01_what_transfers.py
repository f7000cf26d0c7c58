# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Python, NumPy arrays" engine="none"
# # 01. What transfers
#
# You will move a data set with sliders, see a classifier lose it, and repair it with a few labels.
# You will see what a network hands on to a new task. You will also see when a source does harm, and
# how to notice.
#
# ## What you will be able to do
#
# 1. Write a transfer problem as two domains and two tasks, and name the kind of shift between them.
# 2. Name the four kinds of knowledge that can move, and tell shared layers from a task's own.
# 3. Tell transfer from multi-task learning, from pooling the data and from training from scratch.
# 4. Recognise negative transfer by its sign, and guard against it.
#
# Words are collected in the [glossary](glossary.md), with their Chinese names.

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("01")
ex = course.exercises

# %% tags=["keep"]
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from threadpoolctl import threadpool_limits

from transfer_lib import plots
from transfer_lib.claims import claim

# %%
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
#   lie where this classifier is right. [Lesson 08](08_four_ways.ipynb) shows a classifier that is
#   too simple for that. Under label shift accuracy is also a poor judge: always answering
#   "class 0" would score 90 %.
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
# degrees they do better without it; section 5 calls this *negative transfer*. Near 0 the source
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

# %%
ex.q_turned.ask(...)

# %% [markdown]
# ## 2. What knowledge is when it moves
#
# "Knowledge" (知识) sounds vague. In code it is one of four things, and each gives a family of
# methods. [Lesson 08](08_four_ways.ipynb) has a method of each.
#
# | family | what moves | it assumes | in lesson 08 |
# |---|---|---|---|
# | **instance-based** (基于实例) | source *examples*, weighted | some source examples fit the target | section 1 |
# | **feature-based** (基于特征) | a *representation* | some map makes the domains alike | section 2 |
# | **parameter-based** (基于模型) | *weights* of a model | good target weights lie near the source weights | section 3 |
# | **relation-based** (基于关系) | *relations* between things | the same things relate alike elsewhere | section 4 |
#
# ### Shared and task-specific layers
#
# A neural network holds two of these at once. Its lower layers turn the input into **features**
# (特征): together they are a *representation*. Its last layer, the **head** (任务头), turns features
# into answers to one task. The layers that two tasks have in common are **shared** (共享层); each
# head is **task-specific** (任务特定层).
#
# Here is a small network in plain NumPy, so that nothing is hidden. `frozen=n` leaves the lowest n
# layers as they are: they are **frozen** (冻结).


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


# %% [markdown]
# The data: 1,797 real handwritten digits of 8×8 pixels. Written on a page that lies askew, they
# become a target domain: `turned(images, angle)` gives them all, turned. No image is ever in two of
# the three parts, source, target and test.

# %% tags=["keep"]
from scipy.ndimage import rotate


def turned(images, angle):
    """Return 8×8 digits turned by an angle in degrees, as rows of 64 pixels from 0 to 1."""
    images = rotate(images, angle, axes=(1, 2), reshape=False, order=1)
    return (images.reshape(-1, 64) / 16).astype("float32")


# %%
from sklearn.datasets import load_digits

digits = load_digits()
labels = digits.target
upright, askew = turned(digits.images, 0), turned(digits.images, 15)
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


# %% tags=["keep"]
def draw_labels(rng, labels, among, per_class):
    """Return the rows of `per_class` random images of each digit, out of the rows `among`."""
    return np.concatenate(
        [rng.permutation(among[labels[among] == digit])[:per_class] for digit in range(10)]
    )


# %%
sizes = (64, 64, 64)  # pixels, then two hidden layers
pretrained = train(new_layers(rng, *sizes, 10), upright[source], labels[source], rng, 1500)
large = (labels >= 5).astype(int)

# %% tags=["nbval-ignore-output"]
new_task = {"shared layers frozen": [], "shared layers fine-tuned": [], "all from scratch": []}
for _ in range(8):
    few = draw_labels(rng, labels, target, 2)
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

# %%
ex.q_layers.ask(...)

# %% [markdown]
# ## 3. The three phases
#
# Most transfer today is parameter-based, with a neural network, in three phases: **pretrain**
# (预训练), **fine-tune** (微调) and **test** (测试). The picture is the plan of lessons 03 to 07.

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
# are the same, the source head can go along as well; section 4 does that.
#

# ## 4. Transfer, scratch, multi-task, pooling
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
page = turned(digits.images, 20)


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
    few = draw_labels(rng, labels, target, 2)
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
    "01.pooling-vs-scratch",
    "Pooling beats scratch on the target by at least 2 points.",
    side_by_side["pooling"][0] - side_by_side["scratch"][0],
    at_least=2,
    unit="points",
)
claim(
    "01.pooling-serves-source",
    "On the source, pooling stays ahead of transfer by at least 5 points.",
    side_by_side["pooling"][1] - side_by_side["transfer"][1],
    at_least=5,
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

# %%
ex.q_multitask.ask(...)

# %% [markdown]
# ## 5. When it hurts: negative transfer
#
# **Negative transfer** (负迁移) means that the target model is worse *with* the source than without
# it (Rosenstein et al., 2005; Wang et al., 2019). The sign is one subtraction, on labelled target
# data:
#
# $$\text{gain} = \text{accuracy with transfer} - \text{accuracy from scratch} .$$
#
# Training loss and source accuracy do not show it. Section 1 had a case. Below are four sources for
# one target, the upright digits with 3 labels per class. In the last source, every digit was
# labelled as the next one.
#
# The model is a linear classifier. Its weights are pulled towards those of the source, $w_S$, by
# adding $\frac{\alpha}{2} \lVert w - w_S \rVert^2$ to the loss. Li, Grandvalet and Davoine (2018)
# call this **L2-SP**, for *starting point*; [lesson 08](08_four_ways.ipynb) comes back to it.


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


# %%
zero = np.zeros((65, 10))

# %%
rows_s, rows_t = upright[source], labels[source]
sources = {
    "same domain": fit(rows_s, rows_t, zero, zero, 0.001, 400),
    "turned by 15 degrees": fit(askew[source], rows_t, zero, zero, 0.001, 400),
    "turned by 90 degrees": fit(turned(digits.images, 90)[source], rows_t, zero, zero, 0.001, 400),
    "labels permuted": fit(rows_s, (rows_t + 1) % 10, zero, zero, 0.001, 400),
}
alphas = [0.001, 0.003, 0.01, 0.03, 0.1]
gains = {name: np.zeros((5, len(alphas))) for name in sources}
for run in range(5):
    few = draw_labels(rng, labels, target, 3)
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
    few = draw_labels(rng, labels, target, 3)
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

# %%
ex.q_negative.ask(...)

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - A domain is $\{\mathcal X, P(X)\}$, a task is $\{\mathcal Y, P(Y \mid X)\}$. Say which of the
#   four differ before you choose a method.
# - Knowledge moves as weighted examples, as features, as parameters or as relations.
# - The gain can be negative, and one subtraction shows it: keep a control from scratch, and validate
#   on the target.
# - Pooling leans to the larger data set, multi-task learning serves all, transfer the target.
#
# ## Where next
#
# - [Lesson 02](02_two_losses.ipynb) derives the losses that were only used here.
# - [Lesson 03](03_digits.ipynb) runs the three phases with a convolutional network.
# - [Lesson 08](08_four_ways.ipynb) has a method of each of the four families, and a map to choose by.
# - [Appendix A1](A1_fields_and_questions.ipynb) says where transfer is used, and answers questions.
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
# - R. Caruana (1997), *Multitask Learning*,
#   [doi:10.1023/A:1007379606734](https://doi.org/10.1023/A:1007379606734)
# - X. Li, Y. Grandvalet and F. Davoine (2018), *Explicit Inductive Bias for Transfer Learning with
#   Convolutional Networks*, [arXiv:1802.01483](https://arxiv.org/abs/1802.01483)
# - M. T. Rosenstein et al. (2005), *To transfer or not to transfer*, NIPS workshop on inductive
#   transfer
# - Z. Wang et al. (2019), *Characterizing and Avoiding Negative Transfer*,
#   [arXiv:1811.09751](https://arxiv.org/abs/1811.09751)
# - The digits: E. Alpaydin and C. Kaynak (1998), [doi:10.24432/C50P49](https://doi.org/10.24432/C50P49),
#   UCI Machine Learning Repository, CC BY 4.0, as scikit-learn installs them.
