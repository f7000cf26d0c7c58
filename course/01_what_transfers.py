# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] tags=["slide"] needs="Python, NumPy arrays, lesson 00" engine="keras"
# # 01. What transfers
#
# In lesson 00 a network helped with pictures that it was never trained for. When does that work,
# what exactly moves, and when does it harm? Afterwards you can
#
# - write a problem as two domains and two tasks, and name what differs between them;
# - make a label shift on purpose, and see why accuracy hides it;
# - say which numbers of two networks are shared, and which belong to one task;
# - read from a curve how many labels a source has saved;
# - choose between transfer, multi-task learning, pooling and starting from scratch;
# - recognise **negative transfer** by its sign, and guard against it.
#
# Terms are in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("01")
ex = course.exercises

# %% [markdown]
# Three questions first. Answer from the gut: they come back at the end, and then they count.

# %%
ex.before("q_turned", "q_layers", "q_negative")

# %% [markdown] tags=["slide"]
# ## 1. Source and target drift apart
#
# Two half-moons, two classes. A classifier has learned the black line on the **source**, the
# moons as they are. The **target** is the same moons, turned. You see the target's points and
# the old line. Guess before each turn: how much of the target does the old classifier get right?

# %% tags=["keep"]
import keras
import numpy as np
from scipy.ndimage import rotate
from sklearn.datasets import load_digits, make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from transfer_lib import networks, plots


# %% tags=["keep"]
def moons(n, angle=0, seed=0):
    """Return n points of two half-moons turned by an angle in degrees, (n, 2), and their labels."""
    x, y = make_moons(n, noise=0.2, random_state=seed)
    a = np.deg2rad(angle)
    rotation = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return (x - [0.5, 0.25]) @ rotation.T, y


def curved_classifier():
    """Logistic regression on all products of the coordinates up to the third degree."""
    cubic = PolynomialFeatures(3, include_bias=False)
    return make_pipeline(cubic, StandardScaler(), LogisticRegression(C=10))


# %%
old = curved_classifier().fit(*moons(400, seed=course.seed))
ANGLES = [0, 30, 60, 100, 180]
right = [100 * old.score(*moons(400, angle, seed=course.seed + 1)) for angle in ANGLES]


# %% tags=["hide-input", "slide"]
def draw_points(ax, x, y, size=16):
    for label in np.unique(y):
        style = {"marker": plots.MARKERS[label], "color": plots.COLORS[label]}
        ax.scatter(*x[y == label].T, s=size, label=f"class {label}", **style)


def picture(angle):
    fig, ax = plots.figure(f"Two half-moons turned by {angle} degrees.", figsize=(4.6, 3.8))
    draw_points(ax, *moons(400, angle, seed=course.seed + 1))
    line = np.linspace(-2.2, 2.2, 90)
    grid = np.stack(np.meshgrid(line, line), -1)
    score = old.decision_function(grid.reshape(-1, 2)).reshape(90, 90)
    ax.contour(line, line, score, levels=[0], colors="black")
    ax.set(xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), title=f"The target, turned by {angle} degrees")
    ax.set(xlabel="$x_1$ (no unit)", ylabel="$x_2$ (no unit)")
    ax.legend(loc="upper right")
    return fig


choices = [f"about {percent} %" for percent in (0, 25, 50, 75, 100)]
plots.guess([picture(a) for a in ANGLES], [round(r / 25) for r in right], choices)

# %% tags=["hide-input", "nbval-ignore-output", "slide"]
fig, ax = plots.figure(figsize=(6, 3))
ax.plot(ANGLES, right)
ax.axhline(50, color="grey", linewidth=1, marker="")
ax.set(xlabel="Turn of the target (degrees)", ylabel="Right of the target (%)", ylim=(0, 102))
ax.set_title("What the source's classifier gets right")
fig

# %% [markdown] tags=["slide"]
# Half-way round it is *worse than guessing* (the grey line). It has not forgotten anything: it applies
# what it knows to the wrong place. Turn the target back, and all is well again.
#
# ## 2. Domain and task: four things that can differ
#
# A **domain** $\mathcal D = \{\mathcal X, P(X)\}$ is which inputs there can be, and how often
# each occurs. A **task** $\mathcal T = \{\mathcal Y, P(Y \mid X)\}$ is which labels there are,
# and how probable each is for a given input. **Transfer learning** uses a source
# $(\mathcal D_S, \mathcal T_S)$ to do better on a target $(\mathcal D_T, \mathcal T_T)$ where at least
# one of the four differs (Pan and Yang, 2010):
#
# | differs | example | name |
# |---|---|---|
# | $\mathcal X$ | one thermometer in °C, one in °F; words and pictures | other feature space |
# | $P(X)$ | older patients than before | **covariate shift**, if $P(Y \mid X)$ stays |
# | $\mathcal Y$ | 1,000 kinds of things, then 10 photographs | new labels |
# | $P(Y \mid X)$ | the same mail is wanted this year | **concept shift** |
#
# One case has its own name because it moves two of them at once. Under **label shift** the
# classes become rarer or more frequent, $P(Y)$ changes, but each class looks as before, $P(X \mid Y)$
# stays. Flu in winter is a label shift.


# %% tags=["hide-input", "slide"]
def waves(n, centre, seed, lift=0.0):
    """Points around a centre; class 1 lies above a wave, which `lift` moves up."""
    x = np.random.default_rng(seed).normal([centre, 0], [0.7, 0.8], (n, 2))
    return x, (x[:, 1] > 0.6 * np.sin(2 * x[:, 0]) + lift).astype(int)


x, y = waves(400, -0.7, 1)
rare = np.random.default_rng(2).random(400) < np.where(y == 1, 0.1, 0.9)
panels = {
    "source": (x, y, 0),
    "covariate shift": (*waves(220, 1.2, 3), 0),
    "label shift": (x[rare], y[rare], 0),
    "concept shift": (*waves(220, -0.7, 4, lift=0.8), 0.8),
}
fig, axes = plots.figure(None, 2, 2, figsize=(8, 6.4), sharex=True, sharey=True)
line = np.linspace(-3, 3, 90)
for ax, (name, (points, classes, lift)) in zip(axes.flat, panels.items(), strict=True):
    draw_points(ax, points[:220], classes[:220])
    ax.plot(line, 0.6 * np.sin(2 * line) + lift, color="black", linestyle="-", marker="")
    ax.set(title=f"{name}: {classes.mean():.0%} of class 1", xlim=(-3, 3), ylim=(-2.4, 2.4))
plots.describe(fig)
fig

# %% [markdown] tags=["slide"]
# The black curve is the truth, $P(Y \mid X)$. Under covariate shift the cloud has moved along it;
# under label shift one class has thinned out; under concept shift the cloud is the old one and the
# truth has moved.
#
# ### Exercise: name the shift
#
# Use `"covariate"`, `"label"`, `"concept"` and `"new labels"`.
#
# - *flu*: a model tells flu from colds by symptoms. It moves from summer to winter, when flu is ten
#   times as common; the symptoms of each illness are as before.
# - *age*: a model predicts blood pressure from age and weight. It moves from a student clinic to a
#   retirement home; the relation of pressure to age and weight is the same.
# - *spam*: newsletters that users called spam last year are wanted by the same users this year.
# - *birds*: a model that tells sparrows from robins gets pictures of owls.

# %% tags=["slide"] exercise="01.name_the_shift"
flu = "label"  ### SOLUTION
age = "covariate"  ### SOLUTION
spam = "concept"  ### SOLUTION
birds = "new labels"  ### SOLUTION
ex.name_the_shift.check(flu, age, spam, birds)

# %% [markdown] tags=["slide"]
# ### Exercise: make a label shift
#
# To test a model against a shift you have to make one. Return the numbers of `n` rows, drawn without
# repeats, of which `share` are of class 1. No point moves and no label changes.


# %% tags=["keep", "slide"] exercise="01.label_shift"
def label_shift(y, share, n, rng):
    """Return n rows of the labels y, a fraction `share` of them of class 1, each at most once."""
    ### BEGIN SOLUTION
    count = round(share * n)
    ones = rng.choice(np.flatnonzero(y == 1), count, replace=False)
    zeros = rng.choice(np.flatnonzero(y == 0), n - count, replace=False)
    return np.concatenate([ones, zeros])
    ### END SOLUTION


ex.label_shift.check(label_shift)

# %%
from transfer_lib.taught.lesson_01 import label_shift

x, y = moons(2000, seed=course.seed + 2)
rng = np.random.default_rng(course.seed)
for share in (0.5, 0.02):
    rows = label_shift(y, share, 500, rng)
    print(
        f"{share:3.0%} of class 1: old classifier {old.score(x[rows], y[rows]):.0%} right,", end=" "
    )
    print(f"always answering 0: {np.mean(y[rows] == 0):.0%}")

# %% [markdown] tags=["slide"]
# Under a strong label shift a constant answer looks as good as the classifier. Look at each class by
# itself before you believe an accuracy.
#
# ## 3. What moves: shared layers
#
# Knowledge can travel as *examples*, as *features*, as *parameters* or as *relations*; [lesson
# 08](08_four_ways.ipynb) has a method of each. In a network two of them travel together: its lower
# layers compute features, together the *representation* of an input, and their weights are parameters.
# Layers that two tasks use are **shared**; the last layer of each task, its **head**, is **task-specific**.
# Losses belong to tasks: a layer has no loss of its own, it is shared or it is not.
#
# Here is the network of lesson 00 with its 1,000 answers, and with ten new ones.

# %%
body = networks.load("efficientnet-lite0", include_top=False)
features = keras.layers.GlobalAveragePooling2D()(body.output)
imagenet = keras.Model(body.input, keras.layers.Dense(1000)(features))
game = keras.Model(body.input, keras.layers.Dense(10)(features))
print(f"{imagenet.count_params():,} and {game.count_params():,} numbers")

# %% [markdown] tags=["slide"]
# ### Exercise: how many numbers are shared?
#
# Two models share a weight when both hold the *same object*; equal values are not enough, since
# training one would leave the other as it is. `model.weights` is a list, and `weight.shape` a tuple.


# %% tags=["keep", "slide"] exercise="01.shared"
def shared(one, other):
    """Return how many numbers two Keras models share."""
    ### BEGIN SOLUTION
    total = 0
    for weight in one.weights:
        if any(weight is theirs for theirs in other.weights):
            total += int(np.prod(weight.shape))
    return total
    ### END SOLUTION


ex.shared.check(shared)

# %%
from transfer_lib.taught.lesson_01 import shared

print(f"shared: {shared(imagenet, game):,}; the new head alone: {1280 * 10 + 10:,}")

# %% [markdown] tags=["slide"]
# Nearly everything is shared. What a task adds is small, and so are the labels that it needs.
#
# ## 4. Pretrain, fine-tune, test
#
# Most transfer today takes three phases: **pretrain** on much source data, **fine-tune**
# on little target data, **test** on target data never seen. Here it is in full, on a pair
# that you can see: scanned digits upright, and the same task on a page that lies askew.


# %% tags=["keep"]
def scans(angle):
    """Return the 1,797 digits turned by an angle, as rows of 64 pixels from 0 to 1."""
    images = rotate(load_digits().images, angle, axes=(1, 2), reshape=False, order=1)
    return (images.reshape(-1, 64) / 16).astype("float32")


def new_network():
    """Return two shared layers with a head for ten digits, untrained."""
    sizes = [keras.layers.Dense(64, "relu"), keras.layers.Dense(64, "relu"), keras.layers.Dense(10)]
    return keras.Sequential([keras.Input((64,)), *sizes])


def train(model, x, y, steps, rate=3e-3, batch=32):
    """Train for so many steps on random batches; the rate falls to zero along a cosine."""
    falling = keras.optimizers.schedules.CosineDecay(rate, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(falling), loss)
    rows = np.random.randint(len(x), size=steps * batch)
    model.fit(x[rows], y[rows], batch_size=batch, verbose=0)
    return model


# %% tags=["keep"]
def accuracy(model, x, y):
    """Return the percentage of inputs whose highest score is that of their label."""
    return 100 * np.mean(model.predict(x, batch_size=1000, verbose=0).argmax(1) == y)


def few_of_each(y, among, per_class, rng):
    """Return the rows of `per_class` random images of each digit, out of the rows `among`."""
    return np.concatenate([rng.permutation(among[y[among] == k])[:per_class] for k in range(10)])


# %%
keras.utils.set_random_seed(course.seed)
digits, upright, askew = load_digits().target, scans(0), scans(25)
source, target, test = np.split(rng.permutation(len(digits)), [800, 1200])
pairs = np.concatenate([upright[source[:6]], askew[source[:6]]]).reshape(-1, 8, 8)
plots.image_grid(np.clip(pairs, 0, 1), np.tile(digits[source[:6]], 2), ncols=6)

# %% tags=["nbval-ignore-output"]
from tqdm.auto import tqdm

pretrained = train(new_network(), upright[source], digits[source], 300).get_weights()
results = {"from scratch": {}, "pretrained, fine-tuned": {}}
for k in tqdm((1, 2, 5, 10)):
    for name in results:
        results[name][k] = []
        for _ in range(3):
            model, rows = new_network(), few_of_each(digits, target, k, rng)
            if name != "from scratch":
                model.set_weights(pretrained)
            train(model, askew[rows], digits[rows], 150)
            results[name][k].append(accuracy(model, askew[test], digits[test]) / 100)

# %% tags=["hide-input", "nbval-ignore-output", "slide"]
plots.accuracy_by_labels(results, title="Upright digits, then 25 degrees askew")

# %% [markdown] tags=["slide"]
# The blue line is the control: the same network, untrained, with as many steps on the target as
# fine-tuning takes. The 300 steps of pretraining come on top; section 5 gives each way as many in all.
# The distance *upwards* is points gained; the distance to the *right* is labels saved. Labels cost
# more than points.
#
# ### Exercise: read off the labels saved
#
# A curve is a dict, labels per class to accuracy. How many labels per class does transfer save at a
# wanted accuracy? Each method needs the smallest number of labels at which it is at least as good.


# %% tags=["keep"] exercise="01.labels_saved"
def labels_saved(scratch, transfer, wanted):
    """Return labels needed from scratch minus with transfer; None if one never gets there."""
    ### BEGIN SOLUTION
    needed = []
    for curve in (scratch, transfer):
        enough = [k for k, accuracy in curve.items() if accuracy >= wanted]
        if not enough:
            return None
        needed.append(min(enough))
    return needed[0] - needed[1]
    ### END SOLUTION


ex.labels_saved.check(labels_saved)

# %% tags=["hide-input", "slide"]
from transfer_lib.claims import claim

for name in ("gain-1", "gain-2", "gain-10"):
    claim(f"01.{name}")

# %% [markdown] tags=["slide"]
# ## 5. Transfer, pooling, multi-task, scratch
#
# | | trains on | heads | when |
# |---|---|---|---|
# | **scratch** | target | one | the target has enough labels |
# | **pooling** | both, mixed | one | the same labels and rules hold in both |
# | **multi-task** | both at once | one each | both tasks matter, now and later |
# | **transfer** | source, *then* target | one | only the target matters in the end |
#
# With 2 labels per digit, and 450 steps for each; transfer spends 300 of them on the source:

# %% tags=["keep"]


def two_heads():
    """Return a network with two shared layers and a head for each of two tasks."""
    first, second = keras.layers.Dense(64, "relu"), keras.layers.Dense(64, "relu")
    inputs = {name: keras.Input((64,), name=name) for name in ("source", "target")}
    heads = {
        n: keras.layers.Dense(10, name=f"{n}_head")(second(first(x))) for n, x in inputs.items()
    }
    return keras.Model(inputs, heads)


def multi_task(x_s, y_s, x_t, y_t, steps, rate=3e-3, batch=32):
    """Train on both tasks at once; return the model for the target."""
    model = two_heads()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    falling = keras.optimizers.schedules.CosineDecay(rate, steps)
    model.compile(keras.optimizers.Adam(falling), {"source": loss, "target": loss})
    s, t = (np.random.randint(len(x), size=steps * batch) for x in (x_s, x_t))
    inputs, labels = {"source": x_s[s], "target": x_t[t]}, {"source": y_s[s], "target": y_t[t]}
    model.fit(inputs, labels, batch_size=batch, verbose=0)
    return keras.Model(model.input["target"], model.output["target"])


# %% tags=["nbval-ignore-output"]
ways = {"scratch": [], "pooling": [], "multi-task": [], "transfer": []}
x_s, y_s = upright[source], digits[source]
for _ in tqdm(range(3)):
    rows = few_of_each(digits, target, 2, rng)
    x_t, y_t = askew[rows], digits[rows]
    both = np.concatenate([x_s, x_t]), np.concatenate([y_s, y_t])
    moved = new_network()
    moved.set_weights(pretrained)
    models = {
        "scratch": train(new_network(), x_t, y_t, 450),
        "pooling": train(new_network(), *both, 450),
        "multi-task": multi_task(x_s, y_s, x_t, y_t, 450),
        "transfer": train(moved, x_t, y_t, 150),
    }
    for name, model in models.items():
        ways[name].append(accuracy(model, askew[test], digits[test]))
plots.bars(ways, "Right of the target's test images (%)", title="Two labels per digit")

# %% tags=["hide-input"]
for name in ("transfer-pooling", "multi-scratch"):
    claim(f"01.{name}")

# %% [markdown] tags=["slide"]
# Here transfer leads, and multi-task learning ties with scratch. The figure does not say why. Likely
# reasons: in the pool, 800 upright images outvote 20; and transfer brings the source's head along, while
# the multi-task head for the target starts new, with 20 labels. Other pairs, other orders, so choose by
# what is wanted.
#
# ### Exercise: which way?
#
# Use `"scratch"`, `"pooling"`, `"multi-task"` and `"transfer"`.
#
# - *hospitals*: one network serves two hospitals, with different lists of diagnoses; both need it
#   every day, both have some labels.
# - *cameras*: two cameras of one type see the same ten products; 5,000 labels from one, 4,000 from
#   the other; one model for both.
# - *orchid*: 60 labelled photographs of orchids; a network trained on a million photographs is at
#   hand, its data are not.
# - *meter*: 200,000 labelled readings of an electricity meter; the only source is a network for
#   speech.

# %% tags=["slide"] exercise="01.which_way"
hospitals = "multi-task"  ### SOLUTION
cameras = "pooling"  ### SOLUTION
orchid = "transfer"  ### SOLUTION
meter = "scratch"  ### SOLUTION
ex.which_way.check(hospitals, cameras, orchid, meter)

# %% [markdown] tags=["slide"]
# ## 6. Negative transfer
#
# Sometimes the target model is worse *with* the source than without. That is **negative transfer**
# , and its sign is one subtraction on labelled target data:
#
# $$\text{gain} = \text{accuracy with transfer} - \text{accuracy from scratch}$$
#
# The target now is the upright digits, 3 labels each. Four sources: upright digits; askew by 25
# degrees; on their side, 90 degrees; and upright, but every digit labelled as the next one. Which of
# them will harm? Decide, then run.

# %%
sources = {
    "upright": (upright, digits),
    "25 degrees askew": (askew, digits),
    "90 degrees askew": (scans(90), digits),
    "labels moved by one": (upright, (digits + 1) % 10),
}


# %% tags=["keep"]
def gain_over_scratch(weights, x, y, x_test, y_test, steps=100):
    """Return the points gained by starting from these weights: same images, same steps."""
    fresh, moved = new_network(), new_network()
    moved.set_weights(weights)
    new, control = (accuracy(train(m, x, y, steps), x_test, y_test) for m in (moved, fresh))
    return new - control


# %% tags=["nbval-ignore-output"]
gains = {}
for name, (x, y) in tqdm(sources.items()):
    weights = train(new_network(), x[source], y[source], 300).get_weights()
    draws = [few_of_each(digits, target, 3, rng) for _ in range(3)]
    gains[name] = [
        gain_over_scratch(weights, upright[rows], digits[rows], upright[test], digits[test])
        for rows in draws
    ]
plots.bars(gains, "Gain over scratch (points)", title="Four sources for upright digits")

# %% tags=["hide-input", "slide"]
for name in ("same", "turned-90", "moved-labels"):
    claim(f"01.{name}")

# %% [markdown] tags=["slide"]
# Nothing in the training told you: the loss fell in all four. Keep the control from scratch among the
# candidates, and choose by **validation on target data**.
#
# ### Exercise: write the guard
#
# `validation` and `on_source` are dicts, candidate to accuracy, on held-out target data and on the
# source; one candidate is `"scratch"`. Return the name to use. On equal scores the control wins.


# %% tags=["slide"] exercise="01.guard"
def guard(validation, on_source):
    """Return the name of the candidate to use."""
    ### BEGIN SOLUTION
    best = max(validation, key=validation.get)
    if validation[best] > validation["scratch"]:
        return best
    return "scratch"
    ### END SOLUTION


ex.guard.check(guard)

# %% [markdown] tags=["slide"]
# ## 7. Now they count: the three questions of the beginning

# %% tags=["slide"]
ex.q_turned.ask(...)

# %% tags=["slide"]
ex.q_layers.ask(...)

# %% tags=["slide"]
ex.q_negative.ask(...)

# %%
course.progress()

# %% [markdown] tags=["slide"]
# ## Key points
#
# - A domain is $\{\mathcal X, P(X)\}$, a task is $\{\mathcal Y, P(Y \mid X)\}$: four things can
#   differ. Name which, before you choose a method.
# - In a network nearly all numbers are shared; the head belongs to the task, and so does the loss.
# - Gain is measured upwards in points and sideways in labels. It shrinks as labels grow.
# - The gain can be negative. The training does not tell; a control and target labels do.
#
# **Next:** [lesson 02](02_two_losses.ipynb) takes the losses apart; [lesson 03](03_digits.ipynb) does
# all three phases with a convolutional network.
#
# ## Sources
#
# - S. J. Pan and Q. Yang (2010), [A survey on transfer learning](https://doi.org/10.1109/TKDE.2009.191)
# - J. G. Moreno-Torres et al. (2012), [A unifying view on dataset
#   shift](https://doi.org/10.1016/j.patcog.2011.06.019)
# - R. Caruana (1997), [Multitask learning](https://doi.org/10.1023/A:1007379606734)
# - Z. Wang et al. (2019), [Characterizing and avoiding negative
#   transfer](https://arxiv.org/abs/1811.09751)
