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
# > second run may differ a little: then score with `again="ran from the top"`.

# %%
from transfer_lib.exercises import capstone

project = capstone.load("PROJECT")
project

# %% [markdown]
# ## 1. Question and shift
#
# > Source and target, domain and task of each. What is shared? What differs: inputs, labels, shares of classes, or what
# > a label means? Name the shift, and say how you would notice it.

# %% [markdown]
# ## 2. Data, licence, bias
#
# > Look at both sides before you train anything: at least one figure. Licence, origin, who is missing.

# %%
project.card()

# %% [markdown]
# ## 3. Plan, before any result
#
# > How many labels of the target, how many draws, which seeds. Which systems. What decides among them, on which rows.
# > What you expect, with a number.

# %% [markdown]
# ## 4. Controls
#
# > Three at least: the same architecture untrained, with the recipe and the number of steps of the transfer; the source
# > alone; the strongest simple method on the target's labels alone.

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
# > All systems together, all draws: `project.score({"transfer": ..., "from nothing": ..., ...})`.

# %%
...

# %% [markdown]
# ## 8. Does transfer harm?
#
# > Against which control, where, for which class? If nothing is harmed, say how large a harm you could have seen.

# %% [markdown]
# ## 9. Cost
#
# > Labels, seconds, size of what runs in the end.

# %% [markdown]
# ## 10. Conclusion
#
# > Three sentences: what you found, how sure you are, what would change your mind.
