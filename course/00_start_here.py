# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Python" engine="none"
# # 00. Start here
#
# A network that has learned one task already knows much of what a second task needs.
# **Transfer learning** (迁移学习) is the craft of using that: you take what was learned where data
# is plentiful, the *source*, to where it is scarce, the *target*.
#
# ## What you will do here
#
# - run your first cell, and see what a lesson looks like;
# - let the course examine this machine, and mend what it finds;
# - solve a first exercise, with a wrong answer on the way;
# - choose where to go next.

# %% [markdown]
# ## 1. The set-up cell
#
# A notebook is a row of cells. Click into the cell below and press **Shift+Enter**: its code
# runs, and what it prints appears under it. Every lesson begins with such a cell.

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("00")

# %% [markdown]
# It has told you three things: which *profile* the lesson uses, what it runs on, and its seed.
#
# - The **quick** profile needs no network and no GPU. It uses real data and real trained weights
#   that are installed with the course.
# - The **full** profile downloads the large, well-known data sets and models. It is the default
#   on a machine with an NVIDIA GPU.
#
# To choose yourself, write `transfer_lib.setup("00", profile="full")`.

# %% [markdown]
# ## 2. The first data
#
# Here are handwritten digits, scanned from forms and reduced to 8×8 pixels. They are one of the
# targets of this course: a network will learn to read them from very few labelled examples.
# Their pixels are whole numbers from 0 to 16, so dividing by 16 brings them to the range from 0
# to 1.

# %%
from transfer_lib import data, plots

digits = data.load("digits")
plots.image_grid(digits.x_train[:16] / 16, digits.y_train[:16], ncols=8)

# %% [markdown]
# Above each picture stands its *label*, the digit that the data set says it shows. Every figure of
# the course carries a description in words for those who do not see it.

# %% [markdown]
# ## 3. The doctor
#
# This cell examines the machine: versions, memory, graphics card, network, caches. Each line that
# is not `ok` says what to do about it. A warning does not stop you.

# %% tags=["nbval-ignore-output"]
from transfer_lib import doctor

report = doctor.examine()
report

# %% [markdown]
# In a terminal, `python -m transfer_lib doctor` prints the same.

# %% [markdown]
# ## 4. The first exercise
#
# How good are predictions? The plainest measure is **accuracy** (准确率): the fraction of
# predictions that equal their label. In an exercise you replace the `...` by your code and run
# the cell. As long as the `...` stands there, the answer counts as *not attempted*, and the
# lesson runs on without it.

# %%
import numpy as np

from transfer_lib.exercises import lesson_00 as ex


# %% exercise="00.accuracy"
def accuracy(predicted, labels):
    """Return the fraction of right predictions; both arguments are arrays of whole numbers."""
    ### BEGIN SOLUTION
    return np.mean(predicted == labels)
    ### END SOLUTION


ex.accuracy.check(accuracy)

# %% [markdown]
# A check compares what your code *does*, so every way of writing it counts. When an answer is
# wrong, the check looks for the mistake behind it. Here are three answers that people give. The
# method `judge` is `check` without keeping score.


# %%
def counted(predicted, labels):
    return np.sum(predicted == labels)


ex.accuracy.judge(counted)


# %%
def crashed(predicted, labels):
    return np.mean(predicted == label)  # noqa: F821 (a typing error, on purpose)


ex.accuracy.judge(crashed)


# %%
def by_hand(predicted, labels):
    right = 0
    for one, other in zip(predicted, labels):
        right += one == other
    return right / len(labels)


ex.accuracy.judge(by_hand)

# %% [markdown]
# Stuck? Ask for the next hint, as often as you like. `ex.accuracy.solution()` shows the
# solution; there is no shame in it.

# %%
ex.accuracy.hint()

# %% [markdown]
# ## 5. The first question
#
# Click the letter of your answer (with the keyboard: Tab to it, then Space). Or type it into the
# cell, as in `choice = "a"`, and run the cell.

# %% exercise="00.q_profile"
choice = (
    ### BEGIN SOLUTION
    "b"
    ### END SOLUTION
)
ex.q_profile.ask(choice)

# %% [markdown]
# ## 6. The lessons
#
# LESSON_MAP
#
# Every lesson stands alone: it brings its own set-up and its own data, so you may open them in
# any order.

# %% [markdown]
# ## 7. Where help is
#
# - `ex.name.hint()` and `ex.name.solution()` in every exercise;
# - the notebooks in the folder `solutions`, which are the lessons with the answers in;
# - `python -m transfer_lib doctor`, when something does not run;
# - in a notebook, **Kernel → Restart Kernel and Run All Cells**, when variables got mixed up.
#
# Your progress is kept in one small file on this machine and goes nowhere else. In a terminal,
# `python -m transfer_lib progress` shows all of it and `--reset all` forgets it.

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - Shift+Enter runs a cell; the set-up cell comes first in every lesson.
# - The quick profile needs no network; the full profile uses the well-known data sets and models.
# - An exercise has four outcomes: not attempted, your code raised an error, not yet, right.
#
# **Next:** [lesson 03](03_mnist_pretrain_finetune.ipynb) takes a network through the whole cycle
# of transfer learning.
#
# ## Sources
#
# - The digits: E. Alpaydin and C. Kaynak (1998),
#   [Optical Recognition of Handwritten Digits](https://doi.org/10.24432/C50P49), UCI Machine
#   Learning Repository, CC BY 4.0; the copy that scikit-learn installs.
