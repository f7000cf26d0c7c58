# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lesson 06" engine="torch"
# # 07. BERT: what goes wrong, and your own texts
#
# In lesson 06 you fine-tuned BERT on 200 reviews, and it went well. Here it goes wrong in seven ways,
# so that you know each by its symptom. Then you look inside the model, take it to another domain, and
# put your own texts in.
#
# ## What you will be able to do
#
# 1. recognise seven failures, and mend them;
# 2. train only the upper layers, and say what that saves;
# 3. look inside: attention, occlusion, nearest sentences, errors;
# 4. measure a domain shift;
# 5. save the model, abstain when it is unsure, and bring your own CSV file.
#
# Terms are explained where they first appear; the [glossary](glossary.md) has them all in
# English and Chinese.

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("07")
ex = course.exercises

# %% [markdown]
# The model, the reviews and the functions are those of [lesson 06](06_bert_classifier.ipynb). For a
# model of your own choice, write `model_name, pinned = "its name", {}`.

# %%
import os

if course.quick:
    os.environ["HF_HUB_OFFLINE"] = "1"  # set before the import: nothing is asked of the network

# %% tags=["keep"]
import copy
import tempfile
import time
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
import transformers
from torch import nn
from transformers import AutoModel, AutoTokenizer, get_linear_schedule_with_warmup

from transfer_lib import claim, plots
from transfer_lib.data import DataError
from transfer_lib.data import texts as tables
from transfer_lib.taught.lesson_06 import (
    BATCH,
    draw,
    find_device,
    find_model,
    fine_tune,
    linear_head,
    load_encoder,
    padded,
    predict,
    run_layers,
    scores,
    tfidf,
    tuned,
    with_sst2,
)

transformers.utils.logging.set_verbosity_error()  # only errors: no notes on unused weights
transformers.utils.logging.disable_progress_bar()

# %%
model_name, pinned = find_model(course.quick)
tokenizer, encoder = load_encoder(model_name, pinned, find_device(course.device))
depth = encoder.config.num_hidden_layers
MIDDLE, HIGH = depth // 2, 2 * depth // 3
RATE = 2e-4 if course.quick else 5e-5

own = tables.read_csv(files("transfer_lib") / "data/files/reviews.csv")
texts, labels = own.frame["text"].tolist(), own.frame["label"].to_numpy()
domain, part = own.frame["domain"].to_numpy(), own.frame["split"].to_numpy()
if not course.quick:
    texts, labels, domain, part = with_sst2(texts, labels, domain, part)
class_names = ["negative", "positive"]
train, validation, test = (np.flatnonzero(part == p) for p in ("train", "validation", "test"))

# %% [markdown]
# The frozen layers are run once, and one classifier is fine-tuned: the one that we shall question.

# %% tags=["nbval-ignore-output"]
states = run_layers(encoder, tokenizer, texts, keep=(0, MIDDLE, HIGH, depth))
mean = np.stack([state.mean(0).cpu().numpy() for state in states[depth]])


def mean_of_all(chosen, tested, C):
    return linear_head(mean, labels, chosen, tested, C)


SEED = 3 * course.seed  # that of the first draw in lesson 06
best_model, _ = fine_tune(encoder, states[MIDDLE], labels, draw(labels, train, 200, SEED),
                          validation, frozen=MIDDLE, rate=RATE, seed=SEED)  # fmt: skip
right = predict(best_model, states[MIDDLE], test).argmax(1) == labels[test]
print(f"fine-tuned on 200 reviews: {100 * right.mean():.0f} % of the test texts right")

# %% [markdown]
# ## 1. What goes wrong
#
# Seven failures, each shown, diagnosed and mended.
#
# ### 1.1 The learning rate is too high
#
# 0.003 is a usual rate for a small network from scratch. Here is the death of what was pretrained:
# the same run twice, for two epochs, once at our rate and once at this one. (The head learns at ten
# times the rate, in both.)

# %% tags=["nbval-ignore-output"]
rows, losses = draw(labels, train, 200, SEED), {}
for rate in (RATE, 3e-3):
    _, history = fine_tune(encoder, states[MIDDLE], labels, rows, validation[:16], frozen=MIDDLE,
                           rate=rate, epochs=2, seed=SEED)  # fmt: skip
    losses[rate] = [record["loss"] for record in history]
    print(f"rate {rate:g}: training loss", np.round(losses[rate], 2))

# %% [markdown]
# Symptom: the loss does not fall below ln 2 = 0.69, that of a coin, and may jump far above it.
# Diagnosis: the first large steps have wiped out the pretrained weights, and 200 texts cannot
# bring them back. Cure: a small rate, and warm-up. Start with 2e-5 to 5e-5 for BERT-base; small
# encoders bear more. When in doubt, try three rates and let the validation texts choose.

# %%
claim(
    "07.rate",
    "The loss of the second epoch is lower at the small rate than at the large one.",
    losses[3e-3][1] - losses[RATE][1],
    at_least=0.05,
    unit="nats",
)

# %% [markdown]
# ### 1.2 No warm-up
#
# Adam divides each gradient by its own running size. In the first step that size is known from a
# single batch, so every weight moves by the full learning rate, whatever its gradient. The
# schedule decides what this first, blind step may do.

# %%
print("step   with warm-up   without")
parameter = nn.Parameter(torch.zeros(1))
for step in range(0, 40, 8):
    factors = []
    for warm in (12, 0):
        optimizer = torch.optim.AdamW([parameter], lr=2e-4)
        schedule = get_linear_schedule_with_warmup(optimizer, warm, 120)
        factors.append(2e-4 * schedule.lr_lambdas[0](step))
    print(f"{step:4}   {factors[0]:.1e}        {factors[1]:.1e}")

# %% tags=["nbval-ignore-output"]
rows = draw(labels, train, 64, course.seed)
steps = 3 * len(rows) // BATCH
for warm in (0.0, 0.33):
    _, history = fine_tune(encoder, states[HIGH], labels, rows, validation[:16], frozen=HIGH,
                           rate=1e-3, epochs=3, seed=course.seed, warmup=warm,
                           patience=9)  # fmt: skip
    print(f"{int(warm * steps)} of {steps} steps of warm-up: training loss at rate 0.001:",
          [round(record["loss"], 2) for record in history])  # fmt: skip

# %% [markdown]
# Compare the first epochs: that is where the blind steps are. With so few texts the difference is
# small, and with another seed it may turn around. Cure: warm-up. Count its steps: a tenth of 12 steps
# is a single one.

# %% [markdown]
# ### 1.3 Too many epochs
#
# 100 texts, 10 epochs, no early stopping:

# %% tags=["nbval-ignore-output"]
rows = draw(labels, train, 100, course.seed)
_, history = fine_tune(encoder, states[HIGH], labels, rows, validation, frozen=HIGH, rate=RATE,
                       epochs=10, seed=course.seed, patience=99)  # fmt: skip
plots.learning_curves(
    {"training": [h["loss"] for h in history], "validation": [h["val_loss"] for h in history]},
    metric="loss",
    title="100 texts, 10 epochs",
)

# %%
lowest = min(range(10), key=lambda e: history[e]["val_loss"])
claim(
    "07.overfits",
    "The validation loss at the end is at least 0.05 nats above its lowest value.",
    history[-1]["val_loss"] - history[lowest]["val_loss"],
    at_least=0.05,
    unit="nats",
)

# %% [markdown]
# Symptom: the training loss goes to zero, the validation loss turns and rises. The model becomes
# more and more certain of its errors; its accuracy may hardly move. Cure: early stopping with the
# best weights kept, or more labels. Our `fine_tune` looks at the accuracy first, so a rising loss
# alone does not stop it. When you need honest probabilities, rank the epochs by the loss.

# %% [markdown]
# ### 1.4 Duplicates leak labels
#
# Suppose that half of the test texts also stand in the training file, as happens when the same
# review was collected twice.

# %%
twice, once = test[::2], test[1::2]
leaky = np.concatenate([draw(labels, train, 200, course.seed), twice])
for name, tested in (("seen in training", twice), ("not seen", once)):
    right = tfidf(texts, labels, leaky, tested, C=10).argmax(1) == labels[tested]
    print(f"{name:18} {'more' if right.mean() > 0.95 else 'less'} than 95 % right")

# %% [markdown]
# Symptom: too good to be true. Cure: compare the parts before you train, without regard to
# capitals and spaces, and keep a duplicate only in the test part. (`text.read_csv` looks past
# punctuation too.)
#
# ### Your turn: find the leak


# %% exercise="07.leaks"
def leaks(training_texts, test_texts):
    """Return the list of test texts that also stand in training, whatever their case and spaces."""
    ### BEGIN SOLUTION
    seen = {" ".join(t.lower().split()) for t in training_texts}
    return [t for t in test_texts if " ".join(t.lower().split()) in seen]
    ### END SOLUTION


ex.leaks.check(leaks)

# %% [markdown]
# ### 1.5 One class is rare
#
# 200 positive reviews and 20 negative ones to learn from, and a test part of the same mix: always
# saying *positive* is 91 % right there. We train a linear head, with and without weights for the
# classes, on twenty draws.


# %% tags=["nbval-ignore-output"]
def uneven(rows, seed, positive, negative):
    """Return that many rows of each class."""
    rng = np.random.default_rng(seed)
    first, second = (rng.permutation(rows[labels[rows] == label]) for label in (0, 1))
    return np.concatenate([first[:negative], second[:positive]])


def weighted_head(chosen, tested, C):
    return linear_head(mean, labels, chosen, tested, C, weights="balanced")


rare = {"unweighted": [], "weighted by class": []}
for seed in range(20 * course.seed, 20 * course.seed + 20):
    rows, mixed = uneven(train, seed, 200, 20), uneven(test, seed, 110, 11)
    for name, method in zip(rare, (mean_of_all, weighted_head)):
        guesses = tuned(method, labels, rows, validation, mixed).argmax(1)
        accuracy, f1 = scores(np.eye(2)[guesses], labels[mixed])[:2]
        recall = [np.mean(guesses[labels[mixed] == label] == label) for label in (0, 1)]
        rare[name].append([100 * accuracy, 100 * f1, 100 * recall[0], 100 * recall[1]])
print(f"{'in %':18} accuracy  macro F1  negatives found  positives found")
for name, values in rare.items():
    print("{:18} {:8.0f} {:9.0f} {:16.0f} {:16.0f}".format(name, *np.mean(values, axis=0)))

# %%
gain = np.mean(rare["weighted by class"], axis=0) - np.mean(rare["unweighted"], axis=0)
claim(
    "07.imbalance",
    "With class weights, at least 10 points more of the rare class are found.",
    gain[2],
    at_least=10,
    unit="points",
)
claim(
    "07.imbalance-price",
    "They are paid for: accuracy is at least 1 point lower.",
    -gain[0],
    at_least=1,
    unit="points",
)

# %% [markdown]
# Symptom: high accuracy, low macro F1, since the rare class is hardly found. What helps: weigh each
# class by the inverse of its frequency. It does not cure. Most of the negatives are still missed,
# and more positives are taken for negative, so that accuracy falls although macro F1 rises. From 20
# examples nobody learns a class well: collect more of them, or move the threshold at which you say
# *negative*, on validation texts, until misses and false alarms cost you the same.
#
# ### Your turn: class weights
#
# `weight of a class = rows / (classes * rows of that class)`, so that an even set has weights 1.


# %% exercise="07.class_weights"
def class_weights(y):
    """Return one weight per class; `y` holds the labels 0, 1, ..., each at least once."""
    ### BEGIN SOLUTION
    counts = np.bincount(y)
    return len(y) / (len(counts) * counts)
    ### END SOLUTION


ex.class_weights.check(class_weights)

# %% [markdown]
# `fine_tune` takes them as a tensor:
# `weights=torch.tensor(class_weights(y), dtype=torch.float32, device=encoder.device)`.

# %% [markdown]
# ### 1.6 Truncation cuts off the answer
#
# We cut the test texts after a few tokens; and since reviews may decide in their last words, we
# also keep those instead of the first.


# %% tags=["nbval-ignore-output"]
def classify(model, some_texts):
    """Return probabilities for any texts, with the frozen layers run first."""
    kept = run_layers(encoder, tokenizer, some_texts, [model.frozen])[model.frozen]
    return predict(model, kept, np.arange(len(kept)))


pieces = {
    "first 4 words": slice(4),
    "first 8 words": slice(8),
    "last 8 words": slice(-8, None),
    "first 16 words": slice(16),
    "whole text": slice(None),
}
after = {}
for name, piece in pieces.items():
    cut = [" ".join(texts[i].split()[piece]) for i in test]
    after[name] = 100 * np.mean(classify(best_model, cut).argmax(1) == labels[test])
plots.bars(after, "Test accuracy (%)", title="What is left of each text")

# %%
claim(
    "07.truncation",
    "Whole texts are classified at least 5 points better than their first four words.",
    after["whole text"] - after["first 4 words"],
    at_least=5,
    unit="points",
)

# %% [markdown]
# Compare the first and the last eight words too: what is cut off should be what decides least.
#
# Symptom: errors pile up among long texts. Diagnosis: count how many texts reach `max_length`.
# Cure: a larger `max_length`, keeping the end as well as the beginning, or several windows per
# text.

# %% [markdown]
# ### 1.7 NaN in half precision
#
# **float16** has 5 bits for the exponent: nothing above 65,504 and almost nothing below 6e-8.
# **bfloat16** has 8, as float32 has, and fewer digits.

# %%
for dtype in (torch.float16, torch.bfloat16):
    large = torch.tensor([70_000.0, 1.0]).to(dtype)
    tiny = torch.tensor(1e-8).to(dtype)
    print(f"{str(dtype):15} 70,000 -> {large[0].item():g}", end="   ")
    print(f"softmax -> {(large - large.max()).softmax(0).tolist()}   1e-8 -> {tiny.item():.0e}")

# %% [markdown]
# Symptom: the loss is `nan` from some step on, and stays so. Diagnosis: a number overflowed to
# infinity, and infinity minus infinity is no number. In the other direction, small gradients become
# 0 and the model stops learning. Cure: bfloat16 where the hardware has it, as `one_epoch` of lesson 06 does with
# `torch.autocast`; else, on a GPU, float16 with `torch.amp.GradScaler`; the loss itself always in
# float32. Processors without instructions for bfloat16 gain nothing from it and stay in float32.

# %%
ex.q_nan.ask(...)

# %% [markdown]
# ## 2. Partly frozen
#
# How many layers should be frozen? `frozen=0` here means: the embeddings only. One run each:

# %% tags=["nbval-ignore-output"]
# On the CPU we count processor seconds, which other programs do not disturb.
clock = time.perf_counter if encoder.device.type == "cuda" else time.process_time
rows = draw(labels, train, 200, SEED)
by_depth, times = {}, {}
for frozen in sorted(states):
    started = clock()
    model, _ = fine_tune(encoder, states[frozen], labels, rows, validation, frozen=frozen,
                         rate=RATE, epochs=3, seed=SEED)  # fmt: skip
    times[f"{frozen} layers frozen"] = clock() - started
    right = predict(model, states[frozen], test).argmax(1) == labels[test]
    by_depth[f"{frozen} layers frozen"] = 100 * right.mean()
for name in times:
    print(f"{name}: test accuracy {by_depth[name]:.0f} %, {times[name]:.1f} s for three epochs")

# %% tags=["nbval-ignore-output"]
plots.bars(by_depth, "Test accuracy (%)", title="Accuracy against frozen layers, three epochs")

# %% tags=["nbval-ignore-output"]
plots.bars(times, "Time (seconds)", title="Time against frozen layers, three epochs")

# %%
fractions = list(times.values())
claim(
    "07.frozen-time",
    "Freezing half of the layers takes at most three quarters of the time of freezing none.",
    fractions[1] / fractions[0],
    at_most=0.75,
)

# %% [markdown]
# With everything frozen, only the head learns. Each layer that is trained costs time; how many pay
# for it depends on how far the task is from what was pretrained, so measure it. These are single
# runs on one test part: the step from the head alone to trained layers is real, but a gap of a few
# points between neighbours may turn around with another seed.

# %%
names = list(by_depth)
claim(
    "07.frozen-accuracy",
    "Training all layers beats training only the head by at least 3 points.",
    by_depth[names[0]] - by_depth[names[-1]],
    at_least=3,
    unit="points",
)

# %% [markdown]
# Two refinements need only a few lines. **Layer-wise learning rates** (分层学习率) give lower layers
# smaller steps. **Gradual unfreezing** (逐层解冻) trains the head first, then one more layer per
# epoch, from above.


# %% tags=["keep"]
def layer_wise(model, rate, factor=0.8, decay=0.01):
    """Return AdamW with a rate that shrinks by `factor` from each layer to the one below."""
    parts = [(model.head, 10 * rate)]
    for i, layer in enumerate(reversed(model.upper.encoder.layer)):
        parts.append((layer, rate * factor**i))
    groups = []
    for module, its_rate in parts:
        matrices = [p for p in module.parameters() if p.ndim > 1]
        vectors = [p for p in module.parameters() if p.ndim == 1]
        groups.append({"params": matrices, "lr": its_rate, "weight_decay": decay})
        groups.append({"params": vectors, "lr": its_rate, "weight_decay": 0.0})
    return torch.optim.AdamW(groups)


def unfreeze_gradually(model, epoch):
    """Before each epoch: let one more layer learn, from the top down."""
    layers = list(model.upper.encoder.layer)
    for i, layer in enumerate(layers):
        layer.requires_grad_(i >= len(layers) - epoch)


# %% tags=["nbval-ignore-output"]
model, _ = fine_tune(encoder, states[MIDDLE], labels, rows, validation, frozen=MIDDLE,
                     rate=RATE, epochs=2 * MIDDLE, patience=99, seed=SEED,
                     optimizer_for=layer_wise, before_epoch=unfreeze_gradually)  # fmt: skip
right = predict(model, states[MIDDLE], test).argmax(1) == labels[test]
print(f"one rate, all at once, 3 epochs: {by_depth[f'{MIDDLE} layers frozen']:.0f} % right")
print(
    f"layer-wise rates, one more layer per epoch, {2 * MIDDLE} epochs: {100 * right.mean():.0f} %"
)

# %% [markdown]
# The second run got twice the epochs, since the lowest of its layers learns only in the later ones.
# Compare the two numbers, and remember how uncertain each is. Both refinements guard what was
# pretrained; they matter most when many layers are trained on few texts.

# %% [markdown]
# ### Your turn: freeze
#
# In a whole encoder, set `requires_grad` of the embeddings and of the first `k` layers to False,
# and leave the rest trainable. Return the number of trainable parameters.


# %% exercise="07.freeze"
def freeze(encoder, k):
    """Freeze encoder.embeddings and encoder.encoder.layer[:k]; count what can still be trained."""
    ### BEGIN SOLUTION
    encoder.embeddings.requires_grad_(False)
    for layer in encoder.encoder.layer[:k]:
        layer.requires_grad_(False)
    return sum(p.numel() for p in encoder.parameters() if p.requires_grad)
    ### END SOLUTION


ex.freeze.check(freeze)

# %% [markdown]
# ## 3. Look inside
#
# **Attention** (注意力) says how much each token takes from each other one. The fast implementations
# do not store these weights, so we load the pretrained encoder with the slow one, called *eager*.

# %% tags=["nbval-ignore-output"]
eager = AutoModel.from_pretrained(
    model_name, attn_implementation="eager", use_safetensors=True, **pinned
).eval()
sentence = "the plot is thin but I loved it"
inputs = tokenizer(sentence, return_tensors="pt")
with torch.no_grad():
    attention = eager(**inputs, output_attentions=True).attentions
pieces = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
weights = 100 * attention[depth // 2][0].mean(0)  # the mean over the heads of one layer
plots.heatmap(
    weights.round().numpy(), pieces, pieces, xlabel="Looked at (token)", ylabel="Looking (token)",
    unit="Attention (%)", title=f"Attention in layer {depth // 2 + 1}, mean of its heads",
)  # fmt: skip

# %%
even = 100 / len(pieces)
claim(
    "07.attention",
    "In this layer [CLS] gets at least twice the attention that an even share would be.",
    weights[:, 0].mean() / even,
    at_least=2,
)

# %% [markdown]
# Each row adds up to 100 %, up to rounding. A large share goes to `[CLS]`, from every token: it
# serves as a resting place for attention that is not needed. Attention shows what *was mixed*, not
# what *decided*.
#
# **Occlusion** (遮挡) asks the fine-tuned model itself: leave a word out, and see how the decision
# moves.

# %% tags=["nbval-ignore-output"]
sentence = "I expected a dull film and got a wonderful one"
words = sentence.split()
without = [" ".join(words[:i] + words[i + 1 :]) for i in range(len(words))]
positive = 100 * classify(best_model, [sentence, *without])[:, 1]
moved = {f"{i + 1} {word}": positive[0] - positive[i + 1] for i, word in enumerate(words)}
plots.bars(moved, "P(positive) with the word minus without (points)", title="What each word adds")

# %% [markdown]
# A positive number means that the word speaks for *positive*. Look at the small words too: leaving
# one out moves the decision although it judges nothing. A sentence with a hole is unlike the texts
# of the training, and the model answers to that as well.

# %% [markdown]
# **Nearest sentences.** Before fine-tuning, neighbours share a *topic*; after it, they share a
# *judgement*. We count, over the test texts, how many of the five nearest have the same label.


# %% tags=["keep"]
def same_label(vectors, y, n=5):
    """Return the share of the n nearest by cosine that have the label of the text itself."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similar = unit @ unit.T - 2 * np.eye(len(unit))  # never its own neighbour
    nearest = np.argsort(-similar, axis=1)[:, :n]
    return 100 * np.mean(y[nearest] == y[:, None]), nearest


# %% tags=["nbval-ignore-output"]
with torch.no_grad():
    pooled = best_model.eval().pool(*padded(states[MIDDLE], test)).cpu().numpy()
before, near_before = same_label(mean[test], labels[test])
after, near_after = same_label(pooled, labels[test])
query = int(np.argmax([len(set(a) & set(b)) == 0 for a, b in zip(near_before, near_after)]))
for title, i in (
    ("text", query),
    ("before", near_before[query][0]),
    ("after", near_after[query][0]),
):
    print(f"{title:7} [{class_names[labels[test][i]]}] {texts[test[i]]}")

# %%
claim(
    "07.neighbours",
    "After fine-tuning, at least 5 points more of a test text's neighbours share its label.",
    after - before,
    at_least=5,
    unit="points",
)

# %% [markdown]
# **Errors, one by one.** The errors with the highest confidence teach most. Read them: is it the
# model, the label, or a text that people would argue about?

# %% tags=["nbval-ignore-output"]
probabilities = predict(best_model, states[MIDDLE], test)
wrong = np.flatnonzero(probabilities.argmax(1) != labels[test])
for i in wrong[np.argsort(-probabilities[wrong].max(1))][:6]:
    truth = class_names[labels[test[i]]]
    print(f"is {truth}, judged {probabilities[i].max():.0%} otherwise: {texts[test[i]]}")

# %% [markdown]
# ## 4. Domain shift
#
# The model is trained on film reviews, and your customers write about dishwashers. Three models
# are measured on the same device reviews, which none of them has seen: trained on 200 film
# reviews; on these and 50 device reviews; on 200 device reviews. Each chooses its `C` on
# validation texts of the domains that it learns from: whoever has no device labels cannot choose
# by them. One draw of so few texts says little, so we take twenty, and for that the linear head
# on frozen features, which trains in milliseconds.

# %% tags=["nbval-ignore-output"]
films, devices = np.flatnonzero(domain == "films"), np.flatnonzero(domain == "devices")
valid_films, valid_devices = (np.intersect1d(validation, rows) for rows in (films, devices))


def shifted(seed):
    """Return training and validation rows of the three models, and unseen device reviews."""
    source = draw(labels, np.intersect1d(train, films), 200, seed)
    target = draw(labels, np.intersect1d(train, devices), 200, seed)
    mixed = np.concatenate([source, draw(labels, target, 50, seed)])
    unseen = np.setdiff1d(devices, np.concatenate([target, validation]))
    return {
        "200 films": (source, valid_films),
        "200 films + 50 devices": (mixed, validation),
        "200 devices": (target, valid_devices),
    }, unseen


shift = {"200 films": [], "200 films + 50 devices": [], "200 devices": []}
for seed in range(20 * course.seed, 20 * course.seed + 20):
    parts, unseen = shifted(seed)
    for name, (chosen, valid) in parts.items():
        right = tuned(mean_of_all, labels, chosen, valid, unseen).argmax(1) == labels[unseen]
        shift[name].append(100 * right.mean())
plots.bars(shift, "Accuracy on devices (%)", title="From films to devices, frozen, twenty draws")

# %%
from_source, _, from_target = (np.mean(values) for values in shift.values())
claim(
    "07.shift-costs",
    "On devices, 200 film labels are at least 4 points worse than 200 device labels.",
    from_target - from_source,
    at_least=4,
    unit="points",
)

# %% [markdown]
# The same fine-tuned, the two upper layers. There is time for one draw only:

# %% tags=["nbval-ignore-output"]
parts, unseen = shifted(course.seed)
for name, (chosen, valid) in parts.items():
    model, _ = fine_tune(encoder, states[HIGH], labels, chosen, valid, frozen=HIGH, rate=RATE,
                         epochs=3, seed=course.seed)  # fmt: skip
    right = predict(model, states[HIGH], unseen).argmax(1) == labels[unseen]
    print(f"fine-tuned on {name:24} {100 * right.mean():.0f} % of the device reviews right")

# %% [markdown]
# Hold these differences against the lines of the twenty draws above. One draw cannot tell whether
# 50 labels repair anything, and it may even show a gain from the wrong domain. Do not decide on one.

# %% [markdown]
# ## 5. Save, reload, predict, abstain
#
# The lower layers were never changed, so the saved encoder is the pretrained one with the tuned
# layers put back. `save_pretrained` writes safetensors.

# %% tags=["keep"]
from safetensors.torch import load_file, save_file

scratch = Path(tempfile.mkdtemp())
folder = scratch / "my_model"
whole = copy.deepcopy(encoder)
for i, layer in enumerate(best_model.upper.encoder.layer):
    whole.encoder.layer[best_model.frozen + i].load_state_dict(layer.state_dict())
whole.save_pretrained(folder)
tokenizer.save_pretrained(folder)
save_file(best_model.head.state_dict(), folder / "head.safetensors")
print(sorted(file.name for file in folder.iterdir()))


# %% tags=["keep"]
class SavedClassifier:
    """What a program that only predicts needs: encoder, tokeniser, head."""

    def __init__(self, folder):
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.encoder = AutoModel.from_pretrained(folder, use_safetensors=True).eval()
        self.head = load_file(folder / "head.safetensors")

    @torch.no_grad()
    def __call__(self, texts):
        inputs = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=128, return_tensors="pt"
        )
        states = self.encoder(**inputs).last_hidden_state
        mask = inputs["attention_mask"][..., None]
        pooled = (states * mask).sum(1) / mask.sum(1)
        return nn.functional.linear(pooled, self.head["weight"], self.head["bias"]).softmax(1)


# %% tags=["nbval-ignore-output"]
saved = SavedClassifier(folder)
some = ["I adored every minute.", "Broke after a day.", "It is a toaster."]
for sentence, p in zip(some, saved(some)):
    print(f"{sentence:24} {class_names[int(p.argmax())]}, confidence {p.max():.0%}")

# %%
again = saved([texts[i] for i in test[:20]]).numpy()
claim(
    "07.reload",
    "The reloaded model gives the same probabilities.",
    np.abs(again - predict(best_model, states[MIDDLE], test[:20])).max(),
    at_most=1e-3,
)

# %% [markdown]
# The toaster gets an answer too, although nothing is judged, and it may be a sure one: confidence
# says little about texts unlike those of the training. Among texts like those it is of use. With a
# threshold, the model **abstains** (弃权) below a certain confidence and leaves the text to a person.
#
# ### Your turn: abstain


# %% exercise="07.abstain"
def abstain(probabilities, threshold):
    """Return the predicted class of each row, or -1 where the confidence is below threshold."""
    ### BEGIN SOLUTION
    return np.where(probabilities.max(1) >= threshold, probabilities.argmax(1), -1)
    ### END SOLUTION


ex.abstain.check(abstain)

# %% [markdown]
# Which threshold? That is a choice, so the validation texts make it: half of them shall be
# answered. What it is worth is then measured on the test texts.

# %% tags=["nbval-ignore-output"]
sure = predict(best_model, states[MIDDLE], validation).max(1)
threshold = np.median(sure)
probabilities = predict(best_model, states[MIDDLE], test)
right = probabilities.argmax(1) == labels[test]
answered = probabilities.max(1) >= threshold
print(f"threshold {threshold:.2f}: {100 * answered.mean():.0f} % of the test texts are answered,")
print(f"{100 * right[answered].mean():.0f} % of these right; of all, {100 * right.mean():.0f} %")

# %% tags=["nbval-ignore-output"]
order = np.argsort(-probabilities.max(1))
share = 100 * np.arange(1, len(test) + 1) / len(test)
accuracy = 100 * np.cumsum(right[order]) / np.arange(1, len(test) + 1)
fig, ax = plots.figure(
    f"Accuracy against the share of texts answered, the surest first: "
    f"{accuracy[len(test) // 2]:.0f} % when half are answered, {accuracy[-1]:.0f} % when all are."
)
ax.plot(share[9:], accuracy[9:], marker="")
ax.set(xlabel="Texts answered (%)", ylabel="Accuracy on these (%)", title="What abstaining buys")
fig

# %% [markdown]
# Read it from the right: the fewer texts the model has to answer, the more of its answers are
# right. The service decides where on this line it wants to be.

# %%
claim(
    "07.abstain",
    "With that threshold, accuracy on the answered texts is at least 3 points above that on all.",
    100 * (right[answered].mean() - right.mean()),
    at_least=3,
    unit="points",
)

# %% [markdown]
# ## 6. Your own CSV
#
# `read_csv` of the course reads a file with a text column and a label column into a pandas frame:
# comma, semicolon, tab or bar between them, two or more classes. UTF-8, and UTF-16 with its mark, are
# recognised; other encodings are guessed, and the report says so. What cannot be used is left out,
# line by line. This file was made to fail:

# %%
lines = """review;stars
Très bon grille-pain;good
;bad
Too loud for a small kitchen;bad
Works;
too loud, for a small kitchen;bad
It does what it should;fair
Never again;bad
Lovely colour and quiet;good
I have no strong feelings about it;fair
Nothing special;fair
Broke in May;bad
Runs and runs;good
Meh;odd
"""
(scratch / "mine.csv").write_text(lines, encoding="utf-16")
mine = tables.read_csv(scratch / "mine.csv", text="review", label="stars")
print(mine.report())
split = mine.random_splits(validation=0.34, test=0.34, seed=1)
print({name: rows.tolist() for name, rows in split.items()})

# %%
try:
    tables.read_csv(scratch / "mine.csv", text="text", label="stars")
except DataError as error:
    print(str(error).replace(str(scratch) + os.sep, ""))

# %% [markdown]
# To train on it:

# %%
kept = run_layers(encoder, tokenizer, mine.frame["text"].tolist(), [MIDDLE])[MIDDLE]
stars = mine.frame["label"].to_numpy()
model, history = fine_tune(encoder, kept, stars, split["train"], split["validation"],
                           classes=len(mine.class_names), frozen=MIDDLE, rate=RATE)  # fmt: skip
judged = predict(model, kept, split["test"]).argmax(1)
print("judged:", len(judged), "texts, each as one of", mine.class_names)

# %% [markdown]
# Nine rows only show the form. Use a few hundred, and the word-count baseline first.

# %%
ex.q_shift.ask(...)

# %% [markdown]
# ## Your progress

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - Small rate, warm-up, clipping, early stopping, best weights kept: each guards against a failure.
# - Compare the parts before you train: a text in two of them makes the test worthless.
# - Frozen layers without dropout give the same output every epoch: run them once.
# - A single run on a few hundred test texts leaves several points uncertain.
# - Test where you will use the model: a domain shift does not announce itself.
#
# **Where next:** put a file of your own into section 6. What to do about a domain shift beyond
# labelling more is the subject of [lesson 08](08_four_ways.ipynb); the losses for it are derived in
# [lesson 09](09_aligning_domains.ipynb).
#
# ## Sources
#
# - J. Devlin, M.-W. Chang, K. Lee and K. Toutanova (2019),
#   [BERT: Pre-training of Deep Bidirectional Transformers](https://arxiv.org/abs/1810.04805).
# - J. Howard and S. Ruder (2018), [ULMFiT](https://arxiv.org/abs/1801.06146): layer-wise rates and
#   gradual unfreezing.
# - S. Jain and B. Wallace (2019), [Attention is not Explanation](https://arxiv.org/abs/1902.10186).
