# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lesson 06" engine="torch"
# # 12. Small and cheap
#
# Twenty tasks, twenty fine-tuned encoders of 90 megabytes each? One file of 150 kilobytes per task does about
# as well. Here you build that, and three other ways to make a network smaller. Afterwards you can
#
# - write LoRA, merge it, and say what it saves and what it does not;
# - let a large network teach a small one, beside the control that most reports leave out;
# - drop weights, and store the others in one byte each;
# - choose among them for a given device.
#
# Terms are in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("12")
ex = course.exercises

# %% [markdown]
# Three questions first. Answer from the gut: they come back at the end, and then they count.

# %%
ex.before("q_zero", "q_seconds", "q_hard")

# %% tags=["keep"]
import copy
import io
import time
import warnings

import numpy as np
import pandas as pd
import torch
from peft import LoraConfig, get_peft_model
from sklearn.feature_extraction.text import TfidfVectorizer
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.prune import custom_from_mask
from tqdm.auto import tqdm
from transformers import get_linear_schedule_with_warmup

from transfer_lib import checkpoints, encoders, plots
from transfer_lib.data import reviews
from transfer_lib.taught.lesson_06 import Classifier, one_epoch
from transfer_lib.taught.lesson_07 import whole_encoder

# %% [markdown]
# ## 1. 150 kilobytes
#
# MiniLM and the reviews of lesson 06, 200 of them with labels; the lower three layers have run once.

# %% tags=["nbval-ignore-output"]
tokenizer, encoder = encoders.load(*encoders.find(course.quick))
frame = reviews.load(full=not course.quick)
texts, labels = frame["text"].tolist(), frame["label"].to_numpy()
train, validation, test = reviews.parts(frame)
middle = len(encoders.layers(encoder)) // 2
states = encoders.run_layers(encoder, tokenizer, texts, keep=(middle,))[middle]
rows = reviews.draw(labels, train, 100, np.random.default_rng(course.seed))
# %% [markdown]
# Three ways to train: the head alone; everything above the middle; and **LoRA**, a few thousand new numbers
# beside the old ones, which you write in section 2. The same texts, the same five epochs. Write down what
# you expect of each: accuracy, seconds, numbers to store.


# %% tags=["keep", "hide-input"]
RATES = {"head alone": 0, "biases": 6e-3, "LoRA": 1e-2, "all": 2e-4}  # by validation


def tune(model, kept, y, rows, rate, epochs=5, seed=0):
    """Train what of a Classifier may be trained, its head at 2e-3; return it."""
    torch.manual_seed(seed)
    body = [p for p in model.upper.parameters() if p.requires_grad]
    groups = [{"params": model.head.parameters(), "lr": 2e-3}, {"params": body, "lr": rate}]
    optimizer, steps = torch.optim.AdamW(groups, weight_decay=0.01), epochs * -(-len(rows) // 32)
    schedule = get_linear_schedule_with_warmup(optimizer, steps // 10, steps)
    run = checkpoints.Run(model, optimizer, schedule, torch.Generator().manual_seed(seed))
    for _ in range(epochs):
        one_epoch(run, kept, y, rows, 32)
    return model


def count(model):
    """Return how many numbers of the model are trained."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


# %% tags=["nbval-ignore-output"]
from transfer_lib.taught.lesson_12 import with_lora

torch.manual_seed(course.seed)
models = {name: Classifier(encoder, middle) for name in ("head alone", "LoRA", "all")}
models["head alone"].upper.requires_grad_(False)
with_lora(models["LoRA"])
table = {}
for name, model in tqdm(models.items()):
    start = time.perf_counter()
    tune(model.to(encoder.device), states, labels, rows, RATES[name], seed=course.seed)
    seconds = time.perf_counter() - start
    right = 100 * encoders.measured(model, states, labels, test)["val_accuracy"]
    table[name] = {"right (%)": right, "seconds": seconds, "numbers trained": count(model)}
pd.DataFrame(table).T.round(1)

# %% tags=["hide-input"]
from transfer_lib.claims import claim

for name in ("lora", "head", "seconds"):
    claim(f"12.{name}")

# %% [markdown]
# With MiniLM 37,634 numbers instead of five million: 150 kilobytes for each task, beside *one* encoder for all.
# But look at the seconds: every layer is still run, forward and backward.
#
# ## 2. LoRA
#
# Fine-tuning adds a change to each weight matrix, $W + \Delta W$. **LoRA** (low-rank adaptation) lets $W$
# be and writes the change as a product of two thin matrices:
#
# $$y = W x + b + \frac{\alpha}{r}\, B A x.$$
#
# $W$ and $b$ are the layer's own: its weights and its **bias**, a number that it adds to each output. $\alpha$ is no
# trained number but chosen, here 16: with $\alpha / r$ the change counts double. With the rank $r = 8$, $A$ has 8 rows and
# $B$ has 8 columns. MiniLM's for queries and values have
# 384 × 384 = 147,456 numbers; $A$ and $B$ together 6,144. After training, $W + \frac{\alpha}{r} B A$ is one ordinary matrix again.
#
# ### Exercise: LoRA
#
# Make `self.a` and `self.b`. Which of the two may be random, when the layer shall start as the base? Then
# `forward`, and `merged`. (`nn.Parameter(tensor)` makes a tensor that is trained.)


# %% tags=["keep"] exercise="12.LoRA"
class LoRA(nn.Module):
    """A linear layer that stays as it is, plus a trained product of two thin matrices."""

    def __init__(self, base, rank=8, alpha=16):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.scale = alpha / rank
        ### BEGIN SOLUTION
        self.a = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5)
        self.b = nn.Parameter(torch.zeros(base.out_features, rank))
        ### END SOLUTION

    def forward(self, x):
        """Return what the base gives, plus scale times B A x."""
        ### BEGIN SOLUTION
        return self.base(x) + self.scale * (x @ self.a.T @ self.b.T)
        ### END SOLUTION

    @torch.no_grad()
    def merged(self):
        """Return an ordinary linear layer that computes the same."""
        whole = copy.deepcopy(self.base)
        ### BEGIN SOLUTION
        whole.weight += self.scale * self.b @ self.a
        ### END SOLUTION
        return whole


ex.LoRA.check(LoRA)

# %%
from transfer_lib.taught.lesson_12 import LoRA


# %% tags=["keep"]
def with_lora(model, rank=8, alpha=16):
    """Freeze a Classifier's layers, put LoRA on their queries and values, and return it."""
    model.upper.requires_grad_(False)
    for layer in encoders.layers(model.upper):
        own = layer.attention.self
        own.query, own.value = (LoRA(part, rank, alpha) for part in (own.query, own.value))
    return model


def merge(model):
    """Return a copy of a Classifier in which each LoRA has become a linear layer."""
    model = copy.deepcopy(model)
    for layer in encoders.layers(model.upper):
        own = layer.attention.self
        own.query, own.value = own.query.merged(), own.value.merged()
    return model


# %% [markdown]
# Merged, nothing is left of it but the result. And `peft`, the library that everyone uses, does the same:

# %% tags=["nbval-ignore-output"]
before = encoders.predict(models["LoRA"], states, test)
after = encoders.predict(merge(models["LoRA"]), states, test)
print(f"largest difference of a probability after merging: {np.abs(after - before).max():.0e}")
theirs = Classifier(encoder, middle)
config = LoraConfig(r=8, lora_alpha=16, target_modules=["query", "value"])
with warnings.catch_warnings(action="ignore"):  # of a name that will change
    theirs.upper = get_peft_model(theirs.upper, config)
print(f"peft trains {count(theirs):,} numbers, yours {count(models['LoRA']):,}")

# %% [markdown]
# A trap: the rate. Lesson 06 trained the upper half at 0.0002 (quick profile). Predict: what does LoRA get at that
# rate?

# %% tags=["nbval-ignore-output"]
slow = with_lora(Classifier(encoder, middle)).to(encoder.device)
tune(slow, states, labels, rows, 2e-4, seed=course.seed)
right = 100 * encoders.measured(slow, states, labels, test)["val_accuracy"]
print(f"LoRA at 0.0002: {right:.1f} %, at {RATES['LoRA']}: {table['LoRA']['right (%)']:.1f} %")

# %% tags=["hide-input"]
for name in ("slow", "whole-50", "whole-200", "whole-1000"):
    claim(f"12.{name}")

# %% [markdown]
# $B$ starts at zero, so at first nearly nothing reaches $A$; thin matrices need long steps. Whoever gives both
# the same rate finds that LoRA fails. At their own rates the two differ by a few points, most with 50 labels.
#
# ### Exercise: still fewer
#
# **BitFit** trains the biases only, the numbers that a layer adds, and the new head. The layers are `model.upper`, the
# head is `model.head`. Set `requires_grad_` of each parameter, and return how many numbers are trained.


# %% tags=["keep"] exercise="12.bitfit"
def bitfit(model):
    """Let only biases and the head be trained; return how many numbers that are."""
    ### BEGIN SOLUTION
    for name, p in model.named_parameters():
        p.requires_grad_(name.endswith("bias") or name.startswith("head"))
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
    ### END SOLUTION


ex.bitfit.check(bitfit)

# %% tags=["nbval-ignore-output"]
from transfer_lib.taught.lesson_12 import bitfit

biases = Classifier(encoder, middle).to(encoder.device)
print(f"{bitfit(biases):,} numbers are trained")
tune(biases, states, labels, rows, RATES["biases"], seed=course.seed)
print(f"{100 * encoders.measured(biases, states, labels, test)['val_accuracy']:.1f} % right")

# %% tags=["hide-input"]
claim("12.bitfit")

# %% [markdown]
# ## 3. A small student
#
# All of these still run MiniLM. A doorbell cannot. **Distillation** trains a small network, the *student*, on what a
# large one, the *teacher*, says about texts without labels. The student here is linear: it counts pieces of
# two to five letters.
#
# The teacher's probabilities say more than its answer: .6 is another thing than .99. With a temperature
# $T > 1$ they are made softer, $p_k \propto e^{z_k / T}$, and the loss is
#
# $$L = T^2 \cdot \frac1n \sum_i \Big(-\sum_k p_{ik} \ln q_{ik}\Big),$$
#
# $p$ the teacher's and $q$ the student's, both at $T$.
#
# ### Exercise: the loss of a student
#
# `student` and `teacher` are logits, (n, classes).


# %% tags=["keep"] exercise="12.distil"
def distil(student, teacher, T):
    """Return T² times the mean cross-entropy of the student to the teacher, both at T."""
    ### BEGIN SOLUTION
    target = (teacher / T).softmax(dim=1)
    log_q = F.log_softmax(student / T, dim=1)
    return -(T**2) * (target * log_q).sum(dim=1).mean()
    ### END SOLUTION


ex.distil.check(distil)

# %% [markdown]
# Is it the softness that helps, or simply more texts? The control: the teacher's *hard* answers on the same
# texts. Four students: 200 labels; hard answers; soft ones; and, out of curiosity, the true labels of all.


# %%
from transfer_lib.taught.lesson_12 import distil


# %% tags=["keep", "hide-input"]
def teach(x, rows, logits, T, steps=100):
    """Return a linear student of features x, trained on logits (one row per row of x)."""
    x, logits = x[list(rows)], logits[list(rows)]
    student = nn.Linear(x.shape[1], logits.shape[1])
    nn.init.zeros_(student.weight)
    optimizer = torch.optim.AdamW(student.parameters(), 0.03, weight_decay=1e-3)
    for _ in range(steps):
        loss = distil(student(x), logits, T)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return student


def hard(answers, classes=2):
    """Return logits that are sure of the given answers."""
    return 40.0 * F.one_hot(torch.tensor([int(a) for a in answers]), classes)


# %% tags=["nbval-ignore-output"]
letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2)
letters.fit([texts[i] for i in train])
x = torch.tensor(letters.transform(texts).toarray(), dtype=torch.float32)
teacher = torch.log(torch.tensor(encoders.predict(models["all"], states, range(len(texts)))) + 1e-9)
lessons = {
    "200 labels": (rows, hard(labels), 1),
    "hard answers": (train, hard(teacher.argmax(dim=1)), 1),
    "soft answers": (train, teacher, 2),
    "all true labels": (train, hard(labels), 1),
}

# %% tags=["nbval-ignore-output"]
students = {name: teach(x, *lesson) for name, lesson in tqdm(lessons.items())}
said = {name: one(x[list(test)]).argmax(1).numpy() for name, one in students.items()}
right = {name: 100 * np.mean(answers == labels[test]) for name, answers in said.items()}
bars = right | {"the teacher": table["all"]["right (%)"]}
plots.bars(bars, "Right (%)", title="What a student learns from")

# %% tags=["hide-input"]
for name in ("student", "soft"):
    claim(f"12.{name}")

# %% [markdown]
# What helps most are the texts. Soft answers bring little more than hard ones, and not always; whoever compares
# the soft student with one that has seen 200 labels takes the texts for the softness.
#
# ## 4. Fewer weights
#
# Are all numbers needed? **Magnitude pruning** sets the smallest to zero.
#
# ### Exercise: prune
#
# `weights` is a list of matrices. Return a list of masks that together drop the `share` of all weights with the
# smallest absolute values: one threshold for all matrices.


# %% tags=["keep"] exercise="12.prune"
def prune(weights, share):
    """Return one boolean mask per matrix: True for what stays."""
    ### BEGIN SOLUTION
    sizes = torch.cat([w.abs().flatten() for w in weights])
    dropped = int(share * len(sizes))
    threshold = torch.sort(sizes).values[dropped - 1] if dropped else -1
    return [w.abs() > threshold for w in weights]
    ### END SOLUTION


ex.prune.check(prune)

# %%
from transfer_lib.taught.lesson_12 import prune


# %% tags=["keep"]
def pruned(model, share, chosen=prune):
    """Return a copy of a Classifier in which a share of the layers' weights is zero and stays so."""
    model = copy.deepcopy(model)
    linear = [m for m in model.upper.modules() if isinstance(m, nn.Linear)]
    masks = chosen([m.weight.detach() for m in linear], share)
    for module, mask in zip(linear, masks, strict=True):
        custom_from_mask(module, "weight", mask)
    return model


# %% [markdown]
# At once; after two more epochs with the same labels; and as many weights drawn at random. Two controls are in it:
# the same share drawn at random, and, at 1 %, two more epochs with nearly nothing gone. Where will each break?

# %% tags=["nbval-ignore-output"]
shares, curves = (
    (0.01, 0.5, 0.8, 0.9, 0.98),
    {"smallest": [], "and two epochs": [], "at random": []},
)
for share in tqdm(shares):
    thin = pruned(models["all"], share)
    lottery = pruned(
        models["all"], share, lambda ws, share: [torch.rand_like(w) > share for w in ws]
    )
    for name, one in (("smallest", thin), ("and two epochs", thin), ("at random", lottery)):
        if name == "and two epochs":
            tune(one, states, labels, rows, 2e-4, epochs=2, seed=course.seed)
        curves[name].append(100 * encoders.measured(one, states, labels, test)["val_accuracy"])

# %% tags=["hide-input", "nbval-ignore-output"]
fig, ax = plots.figure(figsize=(7, 3.4))
for name, values in curves.items():
    ax.plot([100 * share for share in shares], values, label=name)
ax.set(xlabel="Weights of the upper layers set to zero (%)", ylabel="Right (%)", ylim=(45, 90))
ax.legend(loc="lower left")
fig

# %% tags=["hide-input"]
for name in ("prune-50", "prune-90", "lottery"):
    claim(f"12.{name}")

# %% [markdown]
# A matrix with zeros takes as many bytes and as many milliseconds as one without. Only special formats and
# processors turn them into savings.
#
# ## 5. Fewer bits
#
# A weight takes four bytes, and most of its digits do not matter. **Quantisation** stores whole numbers
# from −127 to 127, one byte each, and one scale for each row of a matrix.
#
# ### Exercise: one byte
#
# Return `q`, of the type `torch.int8`, and `scale`, one number per row, so that `q * scale` is nearly `w`. A
# row may be all zeros.


# %% tags=["keep"] exercise="12.quantise"
def quantise(w):
    """Return a matrix as int8 (rows, columns), and scales (rows, 1)."""
    ### BEGIN SOLUTION
    scale = w.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
    return torch.round(w / scale).to(torch.int8), scale
    ### END SOLUTION


ex.quantise.check(quantise)

# %% [markdown]
# PyTorch's own call does so with all linear layers, one scale for a whole matrix, and computes with the bytes.
# (It is on its way out; `torchao` follows it. On a GPU other calls are needed: this runs on the processor.)


# %% tags=["keep", "hide-input"]
def in_int8(encoder):
    """Return a copy of an encoder whose linear layers hold and multiply int8, on the processor."""
    with warnings.catch_warnings(action="ignore"):
        cpu = copy.deepcopy(encoder).cpu()
        return torch.ao.quantization.quantize_dynamic(cpu, {nn.Linear}, torch.qint8)


def megabytes(model):
    """Return the size of a model's file."""
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    return file.tell() / 1e6


def milliseconds(run, times=9):
    """Return the median time of a call, after one that does not count."""
    run()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        taken.append(1000 * (time.perf_counter() - start))
    return np.median(taken)


@torch.no_grad()
def means_of(encoder, tokenizer, some):
    """Return the means of the last layer for some texts, in one batch on the processor."""
    batch = tokenizer(
        list(some), padding=True, truncation=True, max_length=128, return_tensors="pt"
    )
    real = batch["attention_mask"][..., None]
    return (encoder(**batch).last_hidden_state * real).sum(1) / real.sum(1)


# %% tags=["nbval-ignore-output", "hide-input"]
from functools import partial

tuned, head = whole_encoder(encoder, models["all"]).cpu().eval(), models["all"].head.cpu()
forms = {"float32": tuned, "int8": in_int8(tuned)}
groups = np.array_split(test, 8)
said, small = {}, {}
for name, one in tqdm(forms.items()):
    logits = [head(means_of(one, tokenizer, [texts[i] for i in group])) for group in groups]
    said[name] = torch.cat(logits).argmax(dim=1).numpy()
    calls = {
        f"ms, {n} text{'s' * (n > 1)}": partial(means_of, one, tokenizer, texts[:n])
        for n in (1, 32)
    }
    small[name] = {"right (%)": 100 * np.mean(said[name] == labels[test]), "MB": megabytes(one)}
    small[name] |= {what: milliseconds(call) for what, call in calls.items()}
print(f"the two agree on {np.mean(said['float32'] == said['int8']):.0%} of the test texts")
pd.DataFrame(small).T.round(1)

# %% tags=["hide-input"]
for name in ("int8", "agree", "int8-ms"):
    claim(f"12.{name}")

# %% [markdown]
# The file shrinks by a third, not to a quarter: half of MiniLM is its table of words, which stays as it is. And
# some answers are other ones now: look at them before you ship.
#
# ## 6. Which one?
#
# One table of all. `MB` is for one task, `MB of 20 tasks` for twenty.

# %% tags=["nbval-ignore-output", "hide-input"]
import pickle

whole, student = small["float32"]["MB"], students["soft answers"]
pair = len(pickle.dumps((letters.vocabulary_, letters.idf_, student.state_dict()))) / 1e6
adapter = count(models["LoRA"]) * 4 / 1e6
letter_ms = milliseconds(
    lambda: student(torch.tensor(letters.transform(texts[:1]).toarray()).float())
)
large_ms = small["float32"]["ms, 1 text"]
ways = {
    "student": (right["soft answers"], pair, 20 * pair, letter_ms),
    "head alone": (table["head alone"]["right (%)"], whole, whole, large_ms),
    "LoRA": (table["LoRA"]["right (%)"], whole + adapter, whole + 20 * adapter, large_ms),
    "all": (table["all"]["right (%)"], whole, 20 * whole, large_ms),
    "all, int8": (small["int8"]["right (%)"], small["int8"]["MB"], 20 * small["int8"]["MB"],
                  small["int8"]["ms, 1 text"]),
}  # fmt: skip
ways = pd.DataFrame(ways, index=["accuracy", "MB", "MB of 20 tasks", "ms"]).T
ways.round(1)

# %% [markdown]
# ### Exercise: three devices
#
# - **doorbell**: one task, 5 MB;
# - **phone**: one task, 70 MB;
# - **server**: twenty tasks, 200 MB.
#
# Name a row for each. It keeps the limit, and no other row that does is more than 2 points better.

# %% tags=["nbval-ignore-output"] exercise="12.decide"
devices = {
    "doorbell": ...,
    "phone": ...,
    "server": ...,
}
### BEGIN SOLUTION
limits = {"doorbell": ("MB", 5), "phone": ("MB", 70), "server": ("MB of 20 tasks", 200)}
for device, (column, most) in limits.items():
    devices[device] = ways[ways[column] <= most].accuracy.idxmax()
### END SOLUTION
ex.decide.check(devices, ways)

# %% [markdown]
# ## 7. Now they count: the three questions of the beginning, and one more

# %%
ex.q_zero.ask(...)

# %%
ex.q_seconds.ask(...)

# %%
ex.q_hard.ask(...)

# %%
ex.q_bits.ask(...)

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - LoRA trains less than one number in a hundred, and comes near to training all, at a rate of its own.
# - Few numbers save storage, not time: every layer is still run.
# - A student mostly gains by the texts that its teacher has labelled; soft answers add little.
# - Half of the upper weights can go, the smallest. Zeros alone make nothing smaller or faster.
# - int8 makes the file a third smaller and a text quicker; some answers change.
#
# **Next:** [lesson 13](13_few_labels.ipynb), for when labels are few, and the old task must not be forgotten.
#
# ## Sources
#
# - E. Hu et al. (2022), [LoRA: low-rank adaptation of large language models](https://arxiv.org/abs/2106.09685)
# - E. Ben Zaken et al. (2022), [BitFit](https://arxiv.org/abs/2106.10199)
# - G. Hinton, O. Vinyals and J. Dean (2015), [Distilling the knowledge in a neural network](https://arxiv.org/abs/1503.02531)
# - S. Han et al. (2015), [Learning both weights and connections for efficient neural networks](https://arxiv.org/abs/1506.02626)
# - B. Jacob et al. (2018), [Quantization and training of neural networks](https://arxiv.org/abs/1712.05877)
