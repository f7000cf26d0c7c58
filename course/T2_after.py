# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="The course" engine="none"
# # T2. After the course
#
# Twelve questions, one for each of [those before the course](T1_before.ipynb). Only your first answer counts in the
# table at the end, which also says where to read again.

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("T2")
ex = course.exercises

# %%
ex.kinds.ask(...)

# %%
ex.losses.ask(...)

# %%
ex.gain.ask(...)

# %%
ex.layers.ask(...)

# %%
ex.tuning.ask(...)

# %%
ex.text.ask(...)

# %%
ex.leak.ask(...)

# %%
ex.harm.ask(...)

# %%
ex.align.ask(...)

# %%
ex.choose.ask(...)

# %%
ex.small.ask(...)

# %%
ex.memory.ask(...)

# %% tags=["hide-input", "nbval-ignore-output"]
from transfer_lib.exercises import exam

exam.table()

# %% [markdown]
# **Next:** where transfer is used, and what people ask, stands in [the appendix](A1_fields_and_questions.ipynb).
