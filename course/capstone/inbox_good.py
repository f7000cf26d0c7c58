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
# # Report: inbox
#
# A sample report. It is graded in [the capstone's guide](../capstone.md).

# %%
import time

import numpy as np
import pandas as pd
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from transformers import AutoModel

from transfer_lib import encoders, plots
from transfer_lib.exercises import capstone

project = capstone.load("inbox")
project

# %% [markdown]
# ## 1. Question and shift
#
# What does the writer of a message want: know something, complain, thank, or have something undone? Source: a library's
# inbox. Target: a bicycle workshop's. The task and the four classes are the same, and all classes are equally frequent on
# both sides. The words differ (shift of $P(X)$). And something subtler: in a library a broken thing is a complaint. In a
# workshop a broken thing is the normal case, and who describes one *asks* for a repair; a complaint is about what the
# workshop did. So the meaning of "broken" for the label changes, $P(Y \mid X)$. I would notice it by questions that the
# source's classifier calls faults.

# %% [markdown]
# ## 2. Data, licence, bias
#
# 264 messages written for the course, MIT licence. One hand wrote them all, in correct sentences; real ones have
# misspellings, two wishes in one message, and other languages. Nobody's name is in them. The figure shows messages in
# which something is broken, by class: I counted words that I chose before looking at the target.

# %%
project.card()

# %%
BROKEN = "broken break broke crack bent flat loose leak squeak wrong rattle".split()


def speaks_of_broken(text):
    """Return whether a message holds one of the words."""
    return any(word in text.lower() for word in BROKEN)


fig, ax = plots.figure(figsize=(6.4, 3.2))
for offset, (name, part) in enumerate(
    {"library": project.source, "workshop": project.target}.items()
):
    hits = np.array([speaks_of_broken(text) for text in part.inputs])
    share = [100 * hits[part.labels == k].mean() for k in range(4)]
    ax.barh(np.arange(4) + 0.35 * offset, share, 0.35, label=name)
ax.set(xlabel="Messages with a word of something broken (%)")
ax.set_yticks(np.arange(4) + 0.17, project.classes)
ax.legend()
fig

# %% [markdown]
# A quarter of the workshop's questions have one, and no question of the library.

# %% [markdown]
# ## 3. Plan, before any result
#
# Five labels of the target per class, 20 in all, five draws (seeds 0 to 4). Every system is logistic regression on one
# vector per message, the mean of the last states of MiniLM, 384 numbers. Systems: the pretrained vectors with the 20
# labels; the source alone; both together, with the target's messages counting as 1, 3 or 10. Controls beside the source
# alone: an *untrained* MiniLM, same architecture, source and 20 labels together; word counts, with the 20 labels and with
# both together, the strongest simple methods.
#
# The weight is chosen by the 44 messages of the target that were not drawn, in each draw. I expect 5 points of both
# together over the source alone, most of it in questions.


# %%
def vectors(encoder, texts):
    """Return one vector of length 1 per text."""
    depth = len(encoders.layers(encoder))
    states = encoders.run_layers(encoder, tokenizer, texts, keep=(depth,))[depth]
    found = np.stack([state.mean(0).float().numpy() for state in states])
    return found / np.linalg.norm(found, axis=1, keepdims=True)


tokenizer, encoder = encoders.load(*encoders.find(quick=True))
torch.manual_seed(0)
untrained = AutoModel.from_config(encoder.config).eval()
start = time.perf_counter()
parts = {"source": project.source, "target": project.target, "test": project.test}
pretrained = {name: vectors(encoder, part.inputs) for name, part in parts.items()}
seconds = time.perf_counter() - start
raw = {name: vectors(untrained, part.inputs) for name, part in parts.items()}


def fitted(x, y, weights=None):
    """Return logistic regression, the same for every system."""
    return LogisticRegression(C=10, max_iter=3000).fit(x, y, weights)


def both(found, rows, asked, weight):
    """Return what source and some rows of the target together say of messages of one part."""
    x = np.concatenate([found["source"], found["target"][rows]])
    y = np.concatenate([project.source.labels, project.target.labels[rows]])
    weights = np.r_[np.ones(len(project.source)), np.full(len(rows), weight)]
    return fitted(x, y, weights).predict(asked)


def counted(texts, labels, asked):
    """Return what word counts say of texts."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = make_pipeline(words, LogisticRegression(C=10, max_iter=3000))
    return model.fit(texts, labels).predict(asked)


# %% [markdown]
# ## 4. Controls


# %%
def controls(rows, part, keep=slice(None)):
    """Return what the controls say of a part, or of some rows of it."""
    texts = [project.target.inputs[i] for i in rows]
    labels, asked = project.target.labels[rows], np.array(parts[part].inputs)[keep]
    joined = [*project.source.inputs, *texts], np.r_[project.source.labels, labels]
    return {
        "source alone": fitted(pretrained["source"], project.source.labels).predict(
            pretrained[part][keep]
        ),
        "untrained, both": both(raw, rows, raw[part][keep], 1),
        "word counts, 20 labels": counted(texts, labels, asked),
        "word counts, both": counted(*joined, asked),
    }


rows, others = project.draw(5, 0)
truth = project.target.labels[others]
{name: round(100 * np.mean(k == truth)) for name, k in controls(rows, "target", others).items()}


# %% [markdown]
# ## 5. Transfer


# %%
def transfers(rows, part, keep=slice(None)):
    """Return what the systems with transfer say of a part, or of some rows of it."""
    found, labels = pretrained[part][keep], project.target.labels[rows]
    said = {"20 labels": fitted(pretrained["target"][rows], labels).predict(found)}
    return said | {f"both, {w}": both(pretrained, rows, found, w) for w in (1, 3, 10)}


{name: round(100 * np.mean(k == truth)) for name, k in transfers(rows, "target", others).items()}

# %% [markdown]
# ## 6. Choice, without the test
#
# The 44 messages that were not drawn decide, over five draws. No message is in both, and each was written by itself.

# %%
choice = {}
for seed in range(5):
    rows, others = project.draw(5, seed)
    said = controls(rows, "target", others) | transfers(rows, "target", others)
    for name, k in said.items():
        choice.setdefault(name, []).append(100 * np.mean(k == project.target.labels[others]))
table = pd.DataFrame({name: [np.mean(v), min(v), max(v)] for name, v in choice.items()})
table.index = ["mean (%)", "lowest", "highest"]
table.T.round(1)

# %%
weight = max((1, 3, 10), key=lambda w: np.mean(choice[f"both, {w}"]))
print(f"the target's messages count {weight}")

# %% [markdown]
# I hand over source and target together, with the weight that the cell above prints. It is 2 points above the source
# alone here, and the draws reach over 9; I make no claim about the weight, and expect little of the gain to stay.

# %% [markdown]
# ## 7. The sealed test, once

# %%
said_of_test = {}
for seed in range(5):
    rows, _ = project.draw(5, seed)
    said = controls(rows, "test") | transfers(rows, "test")
    for name in (f"both, {weight}", *controls(rows, "test"), "20 labels"):
        said_of_test.setdefault(name, []).append(said[name])
scored = project.score(said_of_test)
scored

# %%
print(f"standard error: {project.error(scored.loc[f'both, {weight}', 'mean (%)']):.1f} points")

# %% [markdown]
# ## 8. Does transfer harm?
#
# Against the 20 labels alone, no: the source is ahead of them even alone. But it harms one class. The cell below asks, in
# the 64 labelled messages of the target, which questions the source's classifier calls faults, and how many of those
# speak of something broken. In the test the 20 labels win back questions, where the shift is, and lose as many
# messages of thanks. With 88 messages I could not have seen a harm below 4 or 5 points in all.

# %%
said = fitted(pretrained["source"], project.source.labels).predict(pretrained["target"])
questions = np.flatnonzero(project.target.labels == 0)
lost = [project.target.inputs[i] for i in questions if said[i] == 1]
print(f"{len(lost)} of {len(questions)} questions are called faults by the source:")
print(*lost, sep="\n")

# %% [markdown]
# ## 9. Cost
#
# 20 labels of the target, perhaps half an hour of work, and 112 of the source. A pass over all 264 messages takes the
# seconds below on one thread; the classifier itself 1,540 numbers; the encoder, 90 MB, has to be there for each message.

# %%
print(f"{seconds:.1f} s for {sum(map(len, parts.values()))} messages")

# %% [markdown]
# ## 10. Conclusion
#
# The source's 112 labels are worth more than 20 of the target; 20 more of the target on top change nothing that 88
# messages could show, so my expectation of 5 points was wrong. Pretraining is worth about 10 points over the same
# encoder untrained, and more over word counts. Real messages, with misspellings, or a workshop that also sells, would
# change my mind about the numbers; sixty labels of the target might about the conclusion.
