# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Report: PROJECT
#
# > Fill in every heading; what stands in grey is for you to read and may go. When all is done, restart the kernel, run
# > from top to bottom, save, and run `python -m transfer_lib capstone check report_PROJECT.ipynb`. The predictions of a
# > second run may differ a little; then the first score is shown again, and the seal stays closed.

# %%
from transfer_lib.exercises import capstone

project = capstone.load("PROJECT")
project

# %% [markdown]
# ## 1. Question and shift
#
# > Read the card. Source and target, domain and task of each. What is shared? What differs: inputs, labels, shares of
# > classes, or what a label means? Name the shift, and say how you would notice it.

# %%
project.card()

# %% [markdown]
# ## 2. Data, licence, bias
#
# > Look at both sides before you train anything: at least one figure. Licence, origin, who is missing.

# %%
...

# %% [markdown]
# ## 3. Plan, before any result
#
# > How many labels of the target, how many draws, which seeds; labels used for choosing count as well. Which systems. What
# > decides among them, on which rows. What you expect, with a number.

# %% [markdown]
# ## 4. Controls
#
# > Three at least: what there would be without the transfer that you claim, with its recipe and as many steps (the
# > network untrained; if you start from one that others have pretrained, that one on the target alone); the source alone;
# > the strongest simple method on the target's labels alone.

# %%
...

# %% [markdown]
# ## 5. Transfer

# %%
...

# %% [markdown]
# ## 6. Choice, without the test
#
# > Which system would you hand over, and which rows of which people or texts said so?

# %%
...

# %% [markdown]
# ## 7. The sealed test, once
#
# > All systems together, all draws, the transfer first: `project.score({"transfer": ..., "from nothing": ..., ...})`. The
# > table has each class, and each system minus the first, with the standard error of that difference.

# %%
...

# %% [markdown]
# ## 8. Does transfer harm?
#
# > Against which control, where, for which class, as far as its few inputs allow? If nothing is harmed, say how large a
# > harm you could have seen.

# %% [markdown]
# ## 9. Cost
#
# > Labels, seconds, size of what runs in the end.

# %% [markdown]
# ## 10. Conclusion
#
# > Three sentences: what you found, how sure you are, what would change your mind.
