# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Nothing" engine="none"
# # T1. Before the course
#
# Twelve questions on what the course is about. Answer from the gut, and leave out what says nothing to you: nothing is
# judged, and no answer is shown. [After the course](T2_after.ipynb) you are asked the same things in other words, and
# see both side by side.

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("T1")
ex = course.exercises

# %%
ex.before("kinds", "losses", "gain", "layers", "tuning", "text")

# %% [markdown]
# The other six:

# %%
ex.before("leak", "harm", "align", "choose", "small", "memory")

# %% [markdown]
# **Next:** [a first transfer](00_first_transfer.ipynb).
