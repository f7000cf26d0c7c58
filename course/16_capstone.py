# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lessons 05 and 06" engine="torch"
# # 16. Capstone: a project of your own
#
# The course ends with a project of yours, on data that no lesson has used, with a test whose labels are hidden. This
# lesson is what you need before you start. Afterwards you can
#
# - build the control that can overturn a claim;
# - divide data so that validation tells what the test will say;
# - say whether a difference on a test is one;
# - read a report as a reviewer, and write one that stands.
#
# Terms are in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("16")
ex = course.exercises

# %%
ex.before("q_steps", "q_split", "q_second")

# %% tags=["keep"]
import copy

import numpy as np
import torch
from sklearn.neighbors import KNeighborsClassifier
from tqdm.auto import tqdm

from transfer_lib import data, plots
from transfer_lib.claims import claim
from transfer_lib.exercises import clinic

# %% [markdown]
# ## 1. A gain of many points
#
# A colleague reports: *a network that was pretrained on printed digits, 8 epochs, then fine-tuned on 100 scans, 8 epochs,
# is far ahead of the same network that had the 100 scans alone, 8 epochs.* Same network, same labels, same rate, same
# number of epochs.


# %% tags=["keep", "hide-input"]
def train(model, x, y, steps, seed, rate=1e-3):
    """Return the model after so many steps on batches of 32; x as delivered, 0 to 16."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), rate)
    model.train()
    for _ in tqdm(range(steps), leave=False, delay=1):
        rows = torch.randint(len(x), (32,), generator=generator)
        loss = torch.nn.functional.cross_entropy(model(x[rows] / 16), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def said(model, x):
    """Return the classes that a network gives."""
    with torch.no_grad():
        return model(x / 16).argmax(1).numpy()


def draw(y, per_class, seed):
    """Return rows of so many labels per class."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.permutation(np.flatnonzero(y == k))[:per_class] for k in range(10)])


def fresh(seed):
    """Return the untrained network of a seed."""
    torch.manual_seed(seed)
    return clinic.network()


def three(seed, epochs=8):
    """Return what three networks say of the test scans, and how many steps each was trained."""
    x_print, y_print, *_ = clinic.digits("font_digits")
    x, y, x_test, _ = clinic.digits("digits")
    rows = draw(y, 10, seed)
    first, then = (epochs * -(-n // 32) for n in (len(x_print), len(rows)))
    source = train(fresh(seed), x_print, y_print, first, seed)
    networks = {
        "pretrained, fine-tuned": train(copy.deepcopy(source), x[rows], y[rows], then, seed),
        "from nothing, 8 epochs": train(fresh(seed), x[rows], y[rows], then, seed),
        "from nothing, as many steps": train(fresh(seed), x[rows], y[rows], first + then, seed),
    }
    return {name: said(net, x_test) for name, net in networks.items()}, (first, then)


# %% tags=["nbval-ignore-output"]
torch.set_num_threads(1)  # small networks are faster on one
answers, (first, then) = three(course.seed)
truth = clinic.digits("digits")[3].numpy()
right = {name: 100 * np.mean(k == truth) for name, k in answers.items()}
reported = list(right)[:2]
plots.bars({name: right[name] for name in reported}, "Right (%)", title="As reported")

# %% [markdown]
# It is true, and you can run it. Would you publish it? An epoch of print has many more steps than an epoch of 100 scans:

# %% tags=["nbval-ignore-output"]
print(f"pretrained and fine-tuned: {first} + {then} steps; from nothing, 8 epochs: {then} steps")

# %% [markdown]
# ### Exercise: the twin
#
# Write down the control: the same network, untrained, on the target alone, with as many steps in all. Everything else
# stays. `recipe` is a dict; its `"stages"` are pairs of data and steps, the last on the target; it has other entries.


# %% tags=["keep"] exercise="16.twin"
def twin(recipe):
    """Return the recipe of the control: `start` untrained, one stage on the target."""
    ### BEGIN SOLUTION
    steps = sum(steps for _, steps in recipe["stages"])
    return {**recipe, "start": "untrained", "stages": [("target", steps)]}
    ### END SOLUTION


ex.twin.check(twin)

# %% [markdown]
# Predict, then run: how much of the gain is left?

# %% tags=["nbval-ignore-output"]
plots.bars(right, "Right (%)", title="With the control")

# %% tags=["hide-input"]
for name in ("epochs", "steps"):
    claim(f"16.{name}")

# %% [markdown]
# Nearly all of the gain was one of steps. (With one label per class print seems to help: lesson 03, section 10, where only the
# steps on the target are the same.) The control did it, and no care with seeds or figures would have.
#
# ## 2. A validation that cannot fail
#
# Each of 100 scans is photographed four times, a little noise in each. A quarter of the *photographs* is kept for
# validation. Nearest neighbour on pixels, 40 draws.


# %% tags=["keep", "hide-input"]
def photographed(seed, scans=100, times=4):
    """Return photographs (n, 64), their labels, and which scan each is of."""
    d, rng = data.load("digits"), np.random.default_rng(seed)
    rows = draw(d.y_train, scans // 10, seed)
    flat = d.x_train[rows].reshape(scans, -1).astype(float)
    shots = np.concatenate([flat + 1.5 * rng.normal(size=flat.shape) for _ in range(times)])
    return shots, np.tile(d.y_train[rows], times), np.tile(np.arange(scans), times)


def judged(x, y, kept):
    """Return accuracy on the rows kept for validation, and on the test scans, in percent."""
    d = data.load("digits")
    model = KNeighborsClassifier(1).fit(x[~kept], y[~kept])
    flat = d.x_test.reshape(len(d.x_test), -1)
    return 100 * model.score(x[kept], y[kept]), 100 * model.score(flat, d.y_test)


# %% tags=["nbval-ignore-output"]
by_photo = []
for seed in tqdm(range(40)):
    x, y, scan = photographed(course.seed + seed)
    kept = np.random.default_rng(seed).random(len(x)) < 0.25
    by_photo.append(judged(x, y, kept))
print(f"validation {np.mean(by_photo, axis=0)[0]:.1f} %, test {np.mean(by_photo, axis=0)[1]:.1f} %")

# %% [markdown]
# ### Exercise: split by group
#
# A validation that always says 100 chooses nothing. Keep whole groups: scans here, people or photographs in your
# project.


# %% tags=["keep"] exercise="16.split_by"
def split_by(groups, share, seed):
    """Return True (n,) for rows kept for validation: whole groups, about `share` of them, by lot."""
    ### BEGIN SOLUTION
    names = np.unique(groups)
    lot = np.random.default_rng(seed).permutation(names)
    return np.isin(groups, lot[: round(share * len(names))])
    ### END SOLUTION


ex.split_by.check(split_by)

# %%
from transfer_lib.taught.lesson_16 import split_by

# %% tags=["nbval-ignore-output"]
by_scan = []
for seed in tqdm(range(40)):
    x, y, scan = photographed(course.seed + seed)
    by_scan.append(judged(x, y, split_by(scan, 0.25, seed)))
fig, axes = plots.figure(ncols=2, figsize=(9, 3.6))
for ax, (name, found) in zip(axes, {"photograph": by_photo, "scan": by_scan}.items(), strict=True):
    ax.scatter(*np.transpose(found), s=20)
    ax.axline((85, 85), slope=1, color="0.6")
    ax.set(xlim=(60, 102), ylim=(60, 102), xlabel="Validation (%)", ylabel="Test (%)")
    ax.set_title(f"Split by {name}")
fig

# %% tags=["hide-input"]
for name in ("by-photo", "by-scan"):
    claim(f"16.{name}")

# %% [markdown]
# Split by scan, validation is as right as the test in the mean, and scatters: it has few scans. That scatter is the
# truth about how much you know.
#
# ## 3. Is it a difference?
#
# Two systems answer the same test. What counts are the inputs on which one is right and the other is wrong. For each
# input let $d_i$ be 1, 0 or −1: right for $a$, less right for $b$. The difference is the mean of $d$, its standard error
# the standard deviation of $d$ over $\sqrt n$.
#
# ### Exercise: paired


# %% tags=["keep"] exercise="16.paired"
def paired(a, b, truth):
    """Return the accuracy of a less that of b, and its standard error, both in points."""
    ### BEGIN SOLUTION
    d = 1.0 * (a == truth) - 1.0 * (b == truth)
    return 100 * d.mean(), 100 * d.std() / np.sqrt(len(d))
    ### END SOLUTION


ex.paired.check(paired)

# %%
from transfer_lib.taught.lesson_16 import paired

# %% [markdown]
# The bars are two standard errors. From how many test inputs on is the reported gain one that you believe? And the other?

# %% tags=["hide-input", "nbval-ignore-output"]
sizes, order = (25, 50, 100, 200, 400, 901), np.random.default_rng(course.seed).permutation(901)
fig, ax = plots.figure(figsize=(7.5, 3.8))
tuned, *controls = answers.values()
for shift, (name, control) in enumerate(zip(list(answers)[1:], controls, strict=True)):
    found = [paired(tuned[order[:n]], control[order[:n]], truth[order[:n]]) for n in sizes]
    gain, error = np.transpose(found)
    ax.errorbar(np.arange(len(sizes)) + 0.1 * shift, gain, 2 * error, fmt="o", label=f"over {name}")
ax.axhline(0, color="0.5")
ax.set_xticks(range(len(sizes)), sizes)
ax.set(xlabel="Test inputs", ylabel="Gain of pretraining (points)")
ax.legend(loc="upper right")
fig

# %% [markdown]
# This says how well the *test* knows it. Draws of the labels are another source of chance: show both.
#
# ## 4. Be the reviewer
#
# | | from a report |
# |---|---|
# | 1 | Source: printed digits. Target: 100 labelled scans, 901 more as a test. |
# | 2 | Pretrained for 8 epochs on print, then 8 on scans. The control had the same 8 epochs on scans. |
# | 3 | The rate, one of three, is that with the best accuracy on the 901 scans. |
# | 4 | Over five draws of the labels: mean 92, from 91 to 93. |
# | 5 | From nothing the network is 16 points behind, so it is print that helps. |
# | 6 | Each scan was photographed four times; a quarter of the photographs is the validation. |
# | 7 | Logistic regression on the pixels of the same labels gets 86. |
# | 8 | Training takes 5 s on two cores, and the network has 24,000 weights. |
# | 9 | We have not tried handwriting of other countries, or a camera. |
#
# ### Exercise: review
#
# Which of the nine would you send back? Give a set, such as `{1, 4}`.

# %% exercise="16.review"
objections = {2, 3, 5, 6}  ### SOLUTION

ex.review.check(objections)

# %% [markdown]
# ## 5. Your project
#
# | project | source | target | lessons that help |
# |---|---|---|---|
# | `watch` | right arms of six people, seven exercises | left arms of other people | lessons 03, 06, 10 |
# | `inbox` | messages to a library, four wishes | messages to a workshop | lessons 06, 07, 13 |
#
# No lesson has used them. The test has inputs and no labels: each label is replaced by a *seal*, a hash that tells a
# right answer from a wrong one. `project.score` takes the predictions of all systems at once, and opens the seal for
# them. Afterwards it shows that score again, unless you say why it has to be another.

# %%
from transfer_lib.exercises import capstone

project = capstone.load("watch")
rows, others = project.draw(5, seed=0)  # five of each class of the target, and the other rows
print(len(rows), len(others), project.target.inputs[rows].shape, project.target.labels[rows][:8])
project

# %% [markdown]
# `project.source` has the same attributes, `project.test` no labels, and `people` says who wore the watch. Vectors of
# texts come from `transfer_lib.taught.lesson_13.embed`. `capstone.start("watch")` lays an empty report beside this
# notebook. Half a day, or four evenings, with some minutes of computing:
#
# 1. **Look** (an hour). Headings 1 and 2: name the shift before you train anything.
# 2. **Plan** (half an hour). Heading 3. Show it to somebody.
# 3. **Controls, then transfer** (two hours). Headings 4 to 6. The controls first.
# 4. **Score once, write** (an hour). Headings 7 to 10.
# 5. **Check**: `python -m transfer_lib capstone check report_watch.ipynb` says what is missing, not whether it is right.
# 6. **Swap** with a peer, and grade each other, 0, 1 or 2 for each line:
#
# | | 2 points if |
# |---|---|
# | shift | it is named, shown in a figure, and explains a result |
# | untrained control | what there is without the transfer: same network, recipe, labels, as many steps |
# | source alone | it is there, and its failure or success is explained |
# | simple method | the strongest you know on the target's labels alone |
# | choice | no test, and other people or texts than those trained on |
# | draws | three at least, the same for all systems, spread shown |
# | test | scored once, all systems at once, its error stated |
# | harm | asked against each control, and class by class |
# | cost, licence, bias | all three, with a number for the cost |
# | conclusion | only what the figures show, and what would change it |
#
# 14 of 20 is good, if *untrained control*, *choice* and *test* have a point each. One point where it is
# there in part. Transfer need not win: a tie, with its error, has full marks.
#
# ## 6. The three questions of the beginning, and one more

# %%
ex.q_steps.ask(...)

# %%
ex.q_split.ask(...)

# %%
ex.q_second.ask(...)

# %%
ex.q_tie.ask(...)

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - Equal epochs are not equal steps: here nearly the whole gain was a gain of steps.
# - A validation that shares scans, people or photographs with training cannot fail, and so says nothing.
# - Two systems on one test: the inputs on which they differ decide, and there are few.
# - Plan, choose, score once, say what would change your mind.
#
# **Next:** your project; then [the test after the course](T2_after.ipynb). If one machine is too small for it:
# [A2](A2_past_one_machine.ipynb).
#
# ## Sources
#
# - T. Dietterich (1998), [Approximate statistical tests for comparing classifiers](https://doi.org/10.1162/089976698300017197)
# - C. Dwork et al. (2015), [The reusable holdout](https://doi.org/10.1126/science.aaa9375)
# - S. Kapoor et al. (2024), [REFORMS: consensus-based recommendations for machine-learning-based science](https://doi.org/10.1126/sciadv.adk3452)
# - D. Burns et al. (2018), [Shoulder physiotherapy exercise recognition](https://arxiv.org/abs/1802.01489)
