# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lesson 06" engine="torch"
# # 13. Few labels or none, and not forgetting
#
# Ten sentences can replace sixteen labels, and fifty old pictures save what a network knew. Afterwards you can
#
# - make a classifier from sentences, and say what their wording is worth;
# - learn from a few labels, from pairs, and from pictures that nobody has labelled;
# - measure forgetting, and choose what to do against it.
#
# Terms are in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("13")
ex = course.exercises

# %% [markdown]
# Three questions first. Answer from the gut: they come back at the end, and then they count.

# %%
ex.before("q_sentences", "q_turned", "q_keep")

# %% tags=["keep"]
import copy
from functools import partial

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from transfer_lib import data, encoders, plots
from transfer_lib.claims import claim
from transfer_lib.data import reviews
from transfer_lib.taught.lesson_06 import Classifier, tfidf

# %% [markdown]
# ## 1. No label at all
#
# The reviews of lesson 06 are about films or devices. MiniLM makes a vector of each, the mean of its last layer, of
# length 1. Nobody says which is about what. We only write two sentences. Predict: how many test texts will be right?


# %% tags=["keep", "hide-input"]
def unit(x):
    """Return the rows of x, each with the length 1."""
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def vectors_of(kept):
    """Return one vector of length 1 per text: the mean of its states."""
    return unit(np.stack([state.mean(0).float().cpu().numpy() for state in kept]))


def embed(encoder, tokenizer, some):
    """Return the vectors of some texts."""
    depth = len(encoders.layers(encoder))
    return vectors_of(encoders.run_layers(encoder, tokenizer, some, keep=(depth,))[depth])


def train_on(parameters, loss_of, steps, rate=3e-3, seed=0):
    """Take steps on `loss_of(generator)`, at a rate that falls along a cosine."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(parameters, rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in tqdm(range(steps), leave=False, delay=1):
        loss = loss_of(generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


# %% tags=["nbval-ignore-output"]
tokenizer, encoder = encoders.load(*encoders.find(quick=True))
frame = reviews.load()
texts, labels = frame["text"].tolist(), frame["label"].to_numpy()
films = (frame["domain"] == "films").to_numpy()
train, validation, test = reviews.parts(frame)
depth = len(encoders.layers(encoder))
states = encoders.run_layers(encoder, tokenizer, texts, keep=(depth // 2, depth))
vectors = vectors_of(states[depth])

# %% tags=["nbval-ignore-output"]
from transfer_lib.taught.lesson_13 import zero_shot

about = embed(encoder, tokenizer, ["a review of a film", "a review of a household device"])
scores = zero_shot(vectors, about[:1], about[1:])
topic_right = 100 * np.mean((scores[test] > np.median(scores[train])) == films[test])
print(f"{topic_right:.0f} % right, without a label")

# %% [markdown]
# This is **zero-shot** classification. A text goes to the films if its score is above the median of the training texts,
# whose labels nobody looked at: that supposes that half of them are about films.
#
# ### Exercise: a classifier of sentences
#
# A class may have several sentences. Its vector is their mean, again of length 1. The score of a text is its similarity
# to one class, less that to the other. Similarity is the *cosine* of the angle: for length 1, the dot product.


# %% tags=["keep"] exercise="13.zero_shot"
def zero_shot(vectors, positive, negative):
    """Return one score for each of the vectors (n, d), from sentences (k, d) for either class."""
    ### BEGIN SOLUTION
    towards, away = unit(positive.mean(axis=0)), unit(negative.mean(axis=0))
    return vectors @ (towards - away)
    ### END SOLUTION


ex.zero_shot.check(zero_shot)

# %% [markdown]
# Now harder: is a review *positive*? Five pairs of sentences, written before any was tried. Which is the best?

# %% tags=["keep"]
PAIRS = {
    "This was excellent.": "This was terrible.",
    "I loved it.": "I hated it.",
    "Highly recommended.": "Not recommended.",
    "It is good.": "It is bad.",
    "A positive review.": "A negative review.",
}

# %% tags=["nbval-ignore-output"]
from transfer_lib.taught.lesson_13 import zero_shot

for_it, against = (embed(encoder, tokenizer, list(some)) for some in (PAIRS, PAIRS.values()))
sentiment = {name: zero_shot(vectors, for_it[[i]], against[[i]]) for i, name in enumerate(PAIRS)}
sentiment["all five"] = zero_shot(vectors, for_it, against)
domains = [[np.intersect1d(p, np.flatnonzero(d)) for p in (train, test)] for d in (films, ~films)]
wording = [
    [100 * np.mean((s[tested] > np.median(s[seen])) == labels[tested]) for seen, tested in domains]
    for s in sentiment.values()
]
plots.heatmap(wording, ["films", "devices"], list(sentiment), xlabel="Test texts",
              ylabel="Sentences", unit="Right (%)", title="One pair or another")  # fmt: skip

# %% tags=["hide-input"]
for name in ("topic-zero", "wording"):
    claim(f"13.{name}")

# %% [markdown]
# Wording moves it by many points, and a pair that is good for films can be poor for devices. Whoever reports the best
# pair has chosen by the test. The mean of several needs no choice. Try your own pair: replace two sentences above.
#
# ## 2. One label, five, twenty
#
# ### Exercise: the nearest class mean
#
# Labelled texts take the place of sentences. Each class is the mean of its rows of `x`, again of length 1. Return for
# each row of `asked` the class whose mean has the largest dot product with it.


# %% tags=["keep"] exercise="13.nearest"
def nearest(x, y, asked):
    """Return the class, 0, 1, 2 ..., of each row of `asked`; all rows have length 1."""
    ### BEGIN SOLUTION
    means = unit(np.stack([x[y == k].mean(axis=0) for k in np.unique(y)]))
    return (asked @ means.T).argmax(axis=1)
    ### END SOLUTION


ex.nearest.check(nearest)

# %%
from transfer_lib.taught.lesson_13 import nearest

# %% [markdown]
# Beside it a **probe**, logistic regression on the same vectors, and word counts, which know nothing before. From how
# many labels on do they beat the sentences?


# %% tags=["keep", "hide-input"]
def few(texts, vectors, y, rows, asked):
    """Return what three ways get right of the texts asked about, from the labels of some rows."""
    words = tfidf(C=10).fit([texts[i] for i in rows], y[rows])
    probe = LogisticRegression(C=10, max_iter=2000).fit(vectors[rows], y[rows])
    said = {
        "class means": nearest(vectors[rows], y[rows], vectors[asked]),
        "probe": probe.predict(vectors[asked]),
        "word counts": words.predict([texts[i] for i in asked]),
    }
    return {name: np.mean(one == y[asked]) for name, one in said.items()}


# %% tags=["nbval-ignore-output", "hide-input"]
rng, counts = np.random.default_rng(course.seed), (1, 5, 8, 20, 50)
tasks = {
    "films, positive or negative": (labels, *domains[0], wording[5][0]),
    "film or device": (films.astype(int), train, test, topic_right),
}
curves = {name: {"no label": {n: [one[-1] / 100] for n in counts}} for name, one in tasks.items()}
for task, (y, seen, asked, _) in tasks.items():
    for n in tqdm(counts, desc=task, delay=3):
        for _ in range(10 if course.quick else 50):
            rows = reviews.draw(y, seen, n, rng)
            for name, share in few(texts, vectors, y, rows, asked).items():
                curves[task].setdefault(name, {}).setdefault(n, []).append(share)
plots.interactive(lambda task: plots.accuracy_by_labels(curves[task], title=task), task=list(tasks))

# %% tags=["hide-input"]
for name in ("zero", "topic-one", "means"):
    claim(f"13.{name}")

# %% [markdown]
# The vectors know topics well and sentiment badly. Where labels are few, the mean of a class does as well as the probe.
#
# ## 3. Which belong together?
#
# Until here the encoder stood still. Sixteen labels are few to train it on, but they make 120 **pairs** of texts: of
# one class or of two. **SetFit** draws the first together and pushes the others apart; then it classifies as before.
#
# ### Exercise: a loss of pairs
#
# `z` holds the vectors of a batch (n, d), of any length; `y` their labels, each at least twice. Row by row: the logits
# are the cosine similarities to all *other* rows, divided by `tau` (the smaller, the more the most similar row counts).
# Their softmax says with whom the row belongs. Take minus the mean log-probability of its partners, the other rows with
# its label; then the mean over the rows.


# %% tags=["keep"] exercise="13.contrast"
def contrast(z, y, tau=0.2):
    """Return the mean cross-entropy of finding one's partners among all other rows."""
    ### BEGIN SOLUTION
    z, itself = F.normalize(z, dim=1), torch.eye(len(y), dtype=torch.bool, device=z.device)
    log_p = (z @ z.T / tau).masked_fill(itself, float("-inf")).log_softmax(dim=1)
    partner = (y[:, None] == y) & ~itself
    return -(log_p.masked_fill(~partner, 0).sum(dim=1) / partner.sum(dim=1)).mean()
    ### END SOLUTION


ex.contrast.check(contrast)

# %%
from transfer_lib.taught.lesson_13 import contrast


# %% tags=["keep"]
def tuned_vectors(encoder, kept, y, rows, loss=contrast, more=(), seed=0):
    """Train the upper half on some rows; return the vectors of all texts."""
    torch.manual_seed(seed)
    model = Classifier(encoder, len(encoders.layers(encoder)) // 2).to(kept[0].device)
    inputs, target = encoders.padded(kept, rows), torch.as_tensor(y[rows], device=kept[0].device)
    groups = [{"params": model.upper.parameters()}, *more]
    train_on(groups, lambda _: loss(model.pool(*inputs), target), 20, 3e-4)
    with torch.no_grad():
        parts = [encoders.padded(kept, part) for part in np.array_split(range(len(kept)), 32)]
        return unit(np.concatenate([model.pool(*part).cpu().numpy() for part in parts]))


# %% tags=["nbval-ignore-output"]
rows = reviews.draw(labels, train, 8, rng)
moved = tuned_vectors(encoder, states[depth // 2], labels, rows, seed=course.seed)
for when, x in (("before", vectors), ("after", moved)):
    share = np.mean(nearest(x[rows], labels[rows], x[test]) == labels[test])
    print(f"{when}: {share:.0%} right by class means of 8 labels each")

# %% tags=["hide-input"]
for name in ("setfit", "setfit-control"):
    claim(f"13.{name}")

# %% [markdown]
# That was one draw of sixteen texts; another changes as much as the pairs do. Over many draws pairs beat the frozen
# vectors, and are about even with as many steps with an ordinary head and cross-entropy, the control.
#
# ## 4. Pictures that nobody has labelled
#
# Pairs need no label if they can be made. **SimCLR** makes two random *views* of each picture; the two are partners.
# The loss is `contrast`, the "label" is the number of the picture. Here are 896 scans of digits, 8 × 8 pixels.


# %% tags=["keep", "hide-input"]
def digits(name):
    """Return images (n, 1, 8, 8) from 0 to 1 and labels, of the training and the test part."""
    d = data.load(name)
    train, test = (torch.tensor(x / d.max_value).float()[:, None] for x in (d.x_train, d.x_test))
    return train, torch.tensor(d.y_train), test, torch.tensor(d.y_test)


def body():
    """Return a small network: an image of 8 × 8 in, 64 features out."""
    layers = []
    for old, new in ((1, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(old, new, 3, padding=1, bias=False), nn.GroupNorm(4, new)]
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten())


def views(images, generator):
    """Return each image turned, sheared, scaled and moved a little, at random."""
    turn, shear, size, across, down = torch.rand(5, len(images), generator=generator) - 0.5
    turn, size = turn * torch.pi / 6, 1 + 0.4 * size
    cos, sin = torch.cos(turn) / size, torch.sin(turn) / size
    maps = torch.stack([cos, 0.5 * shear - sin, 0.5 * across, sin, cos, 0.5 * down], dim=1)
    grid = F.affine_grid(maps.reshape(-1, 2, 3), images.shape, align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def sample(x, y, size, generator):
    """Return a random batch."""
    rows = torch.randperm(len(x), generator=generator)[:size]
    return x[rows], y[rows]


@torch.no_grad()
def by_means(body, scans, counts, draws, rng):
    """Return what class means on a body's features get right, for each number of labels."""
    x, asked = (unit(body(images).numpy() + 1e-9) for images in scans[::2])
    y, answers, found = scans[1].numpy(), scans[3].numpy(), {}
    for n in counts:
        drawn = [reviews.draw(y, np.arange(len(y)), n, rng) for _ in range(draws)]
        found[n] = [np.mean(nearest(x[rows], y[rows], asked) == answers) for rows in drawn]
    return found


def scanners(seed):
    """Return print and its test part, and of two scanners 100 images and a test part."""
    *prints, x_test, y_test = digits("font_digits")
    x, y, other, y_other = digits("digits")
    rows = reviews.draw(y.numpy(), np.arange(len(y)), 10, np.random.default_rng(seed))
    shifts = {"scans": (x[rows], other), "negatives": (1 - x[rows], 1 - other)}
    new = {name: ((few, y[rows]), (test, y_other)) for name, (few, test) in shifts.items()}
    return prints, (x_test, y_test), new


# %% tags=["hide-input", "nbval-ignore-output"]
torch.set_num_threads(1)  # small networks are faster on one
scans, generator = digits("digits"), torch.Generator().manual_seed(course.seed)
shown = [scans[0][:8], views(scans[0][:8], generator), views(scans[0][:8], generator)]
names = [name for name in ("as it is", "one view", "another") for _ in range(8)]
plots.image_grid(torch.cat(shown)[:, 0].numpy(), names, title="Which two belong together?")

# %% [markdown]
# Another task without labels: turn each picture by 0, 90, 180 or 270 degrees; the network says by how much. Predict.


# %% tags=["keep"]
def find_partner(model, images, generator):
    """Return the loss of SimCLR's task."""
    z = torch.cat([model(views(images, generator)) for _ in range(2)])
    return contrast(z, torch.arange(len(images)).repeat(2))


def find_turn(model, images, generator):
    """Return the loss of the task of rotations."""
    turns = torch.randint(4, (len(images),), generator=generator)
    turned = [torch.rot90(x, k, (1, 2)) for x, k in zip(views(images, generator), turns.tolist())]
    return F.cross_entropy(model(torch.stack(turned)), turns)


def pretrain(images, loss_of, outputs, steps=200, seed=0):
    """Return a body, trained on a task with a head that is thrown away."""
    torch.manual_seed(seed)
    model = nn.Sequential(body(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, outputs))

    def one(generator):
        return loss_of(model, sample(images, images, 128, generator)[0], generator)

    train_on(model.parameters(), one, steps, seed=seed)
    return model[0]


# %% tags=["nbval-ignore-output"]
steps = 200 if course.quick else 1000
bodies = {"pixels": nn.Flatten(), "random network": body()}
bodies["SimCLR"] = pretrain(scans[0], find_partner, 32, steps, course.seed)
bodies["rotations"] = pretrain(scans[0], find_turn, 4, steps, course.seed)
found = {name: by_means(one, scans, (1, 5, 20), 20, rng) for name, one in bodies.items()}
plots.accuracy_by_labels(found, title="Class means on four kinds of features")

# %% tags=["hide-input"]
for name in ("simclr-1", "simclr-5", "simclr-random", "simclr-views", "rotations"):
    claim(f"13.{name}")

# %% [markdown]
# A task without labels helps if solving it needs what the real task needs. SimCLR was told, by the views, that a small
# turn changes nothing. Rotations made the network look for what tells a digit from itself upside down.
#
# ## 5. Not forgetting
#
# A network reads printed digits. A new scanner delivers handwriting: 100 labelled scans. Another delivers negatives,
# dark where the others are light. After fine-tuning it must read the new *and* print.


# %% tags=["keep"]
def fine_tune(old, new, also=None, penalty=None, steps=120, seed=0):
    """Return a copy, trained on `new`; `also` is a second set in each batch."""
    model = copy.deepcopy(old)

    def one(generator):
        x, y = sample(*new, 32, generator)
        if also:
            x, y = map(torch.cat, zip((x, y), sample(*also, 32, generator)))
        return F.cross_entropy(model(x), y) + (penalty(model) if penalty else 0)

    train_on(model.parameters(), one, steps, seed=seed)
    return model


@torch.no_grad()
def right(model, x, y):
    """Return the accuracy in percent."""
    return 100 * float((model(x).argmax(dim=1) == y).float().mean())


# %% tags=["nbval-ignore-output"]
prints, print_test, shifts = scanners(course.seed)
old = fine_tune(nn.Sequential(body(), nn.Linear(64, 10)), prints, steps=400, seed=course.seed)
for name, (new, new_test) in shifts.items():
    after = fine_tune(old, new, seed=course.seed)
    for what, tested in ((name, new_test), ("print", print_test)):
        print(f"{name}: {what} {right(old, *tested):.0f} → {right(after, *tested):.0f} % right")

# %% tags=["hide-input"]
claim("13.forgets")
claim("13.forgets-negatives")

# %% [markdown]
# ### Exercise: between two networks
#
# Nothing in the loss speaks of print any more. The first of four remedies: **WiSE-FT** takes the weights *between* the
# old and the tuned network, and trains nothing: return a copy of `old`, each weight $(1 - t)$ old plus $t$ new weight.


# %% tags=["keep"] exercise="13.between"
def between(old, new, t):
    """Return a network whose weights lie the share t of the way from `old` to `new`."""
    ### BEGIN SOLUTION
    model = copy.deepcopy(old)
    with torch.no_grad():
        for p, q in zip(model.parameters(), new.parameters(), strict=True):
            p.copy_((1 - t) * p + t * q)
    return model
    ### END SOLUTION


ex.between.check(between)

# %% [markdown]
# A **penalty** pulls each weight $w_j$ back to its old value $w_j^0$ while it is trained:
# $$L = L_{new} + \frac{\lambda}{2} \sum_j F_j\, (w_j - w_j^0)^2.$$
# With all $F_j = 1$ this is **L2-SP**. **EWC** lets weights that do not matter for print go where they like: $F_j$ is
# the **Fisher information**, how strongly the log-probabilities of old images depend on $w_j$,
# $$F_j = \frac1n \sum_i \sum_k p(k \mid x_i) \left(\frac{\partial \ln p(k \mid x_i)}{\partial w_j}\right)^2.$$
# ### Exercise: the penalty
#
# `start` and `importance` hold one tensor per parameter of the model.


# %% tags=["keep"] exercise="13.penalty"
def penalty(model, start, importance, strength):
    """Return what is added to the loss: how far the model has moved from `start`."""
    ### BEGIN SOLUTION
    triples = zip(model.parameters(), start, importance, strict=True)
    return strength / 2 * sum((f * (p - w) ** 2).sum() for p, w, f in triples)
    ### END SOLUTION


ex.penalty.check(penalty)

# %% [markdown]
# ### Exercise: Fisher
#
# For one image, go through the classes: `torch.autograd.grad(value, parameters, retain_graph=True)`; add to `found`.


# %% tags=["keep"] exercise="13.fisher"
def fisher(model, images):
    """Return one tensor per parameter: its Fisher information, the mean over images."""
    parameters = list(model.parameters())
    found = [torch.zeros_like(p) for p in parameters]
    for image in images:
        log_p = F.log_softmax(model(image[None])[0], dim=0)
        ### BEGIN SOLUTION
        for k, share in enumerate(log_p.detach().exp()):
            gradients = torch.autograd.grad(log_p[k], parameters, retain_graph=True)
            for f, gradient in zip(found, gradients, strict=True):
                f += share * gradient**2 / len(images)
        ### END SOLUTION
    return found


ex.fisher.check(fisher)

# %% tags=["nbval-ignore-output"]
from transfer_lib.taught.lesson_13 import between, fisher, penalty

importance = fisher(old, prints[0][::131])
fig, ax = plots.figure(figsize=(7, 2.8))
for name, i in {"first": 0, "second": 3, "third": 6, "head": 9}.items():
    logs = importance[i].flatten().log10().clamp(min=-8)
    ax.hist(logs, bins=40, range=(-8, 0), histtype="step", label=name)
ax.set(xlabel="Fisher information of a weight (log10)", ylabel="Weights")
ax.legend(title="Layer")
fig

# %% [markdown]
# Some weights matter ten thousand times as much as others. The last remedy is the plainest: **replay** mixes 50 old
# images into each batch; *all* of them are what one would take if they could be kept. Each network will be a point: to
# the right it reads the new better, further up it still reads print. Where will each lie, for scans and for negatives?


# %% tags=["keep"]
def remedies(old, prints, new, importance, seed):
    """Return for each remedy its networks: along the line, at three strengths, or one."""
    start = [p.detach().clone() for p in old.parameters()]  # not the live ones
    tuned, fifty = fine_tune(old, new, seed=seed), torch.Generator().manual_seed(seed)
    found = {"line": [between(old, tuned, t) for t in np.linspace(0, 1, 11)]}
    for name, weights, most in (("L2-SP", [1] * len(start), 2), ("EWC", importance, 2000)):
        pull = partial(penalty, start=start, importance=weights)
        pulls = [partial(pull, strength=most * part) for part in (0.01, 0.1, 1)]
        found[name] = [fine_tune(old, new, penalty=pull, seed=seed) for pull in pulls]
    found["50 old images"] = [fine_tune(old, new, sample(*prints, 50, fifty), seed=seed)]
    found["all old images"] = [fine_tune(old, new, prints, seed=seed)]
    return found


# %% tags=["nbval-ignore-output"]
planes = {}
for shift, (new, new_test) in tqdm(shifts.items()):
    planes[shift] = {
        name: [(right(model, *new_test), right(model, *print_test)) for model in models]
        for name, models in remedies(old, prints, new, importance, course.seed).items()
    }

# %% tags=["hide-input", "nbval-ignore-output"]
order = list(planes["scans"])


def draw_plane(shift, remedy):
    """Draw the points of the remedies up to the chosen one."""
    fig, ax = plots.figure(figsize=(7, 4))
    for name in order[: order.index(remedy) + 1]:
        ax.plot(*np.transpose(sorted(planes[shift][name])), marker="o", label=name)
    ax.set(xlabel=f"Right on {shift} (%)", ylabel="Right on print (%)", ylim=(40, 95))
    ax.legend(loc="lower left")
    return fig


plots.interactive(draw_plane, shift=list(planes), remedy=order)

# %% tags=["hide-input"]
for name in ("scans-replay", "scans-ewc", "scans-l2sp", "scans-head-first"):
    claim(f"13.{name}")
for name in ("replay", "ewc", "l2sp", "joint"):
    claim(f"13.{name}")

# %% [markdown]
# Compare at *equal* accuracy on the new: who does little forgets little. For scans nothing clearly beats the line,
# which needs no old image; training the head first (**LP-FT**) is below it. Negatives are further away: between the two
# networks neither is read well, and 50 old images win.
#
# ## 6. Now they count: the three questions of the beginning, and one more

# %%
ex.q_sentences.ask(...)

# %%
ex.q_turned.ask(...)

# %%
ex.q_keep.ask(...)

# %%
ex.q_pairs.ask(...)

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - Sentences make a classifier without labels. Take several; the best pair is a choice by the test.
# - A task without labels helps when it needs what the real task needs: views did, turns did not.
# - Fine-tuning forgets. Compare remedies at equal accuracy on the new.
# - For a small shift the line between old and new weights is enough. For a large one keep some old data.
#
# **Next:** [lesson 14](14_clinic.ipynb), a ward of projects that run and are ill.
#
# ## Sources
#
# - L. Tunstall et al. (2022), [Efficient few-shot learning without prompts](https://arxiv.org/abs/2209.11055) (SetFit)
# - P. Khosla et al. (2020), [Supervised contrastive learning](https://arxiv.org/abs/2004.11362), whose loss you wrote
# - T. Chen et al. (2020), [A simple framework for contrastive learning](https://arxiv.org/abs/2002.05709) (SimCLR)
# - S. Gidaris et al. (2018), [Unsupervised representation learning by predicting image rotations](https://arxiv.org/abs/1803.07728)
# - X. Li et al. (2018), [Explicit inductive bias for transfer learning](https://arxiv.org/abs/1802.01483) (L2-SP)
# - J. Kirkpatrick et al. (2017), [Overcoming catastrophic forgetting in neural networks](https://arxiv.org/abs/1612.00796) (EWC)
# - M. Wortsman et al. (2022), [Robust fine-tuning of zero-shot models](https://arxiv.org/abs/2109.01903) (WiSE-FT)
