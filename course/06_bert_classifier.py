# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lesson 03; a class and `for` loops in Python" engine="torch"
# # 06. BERT: from text to a classifier
#
# An encoder that has read more text than you ever will, two hundred labelled reviews, and a classifier. Then
# you take it apart, and build the part that learns. Afterwards you can
#
# - say what a tokeniser did to your text, and what a transformer layer computes;
# - compare word counts, frozen features and fine-tuning fairly;
# - write the training step and the epoch, and read a whole run;
# - find the faults in a recipe that is passed around.
#
# Terms are in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("06")
ex = course.exercises

# %% [markdown]
# Three questions first. They come back at the end, and then they count.

# %%
ex.before("q_unknown", "q_attention", "q_baseline")

# %% tags=["keep"]
import copy
import tempfile
from functools import partial

import numpy as np
import pandas as pd
import torch
import transformers
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import nn
from torch.nn import functional as F
from tqdm.auto import tqdm
from transformers import AutoModel, AutoTokenizer, get_linear_schedule_with_warmup

from transfer_lib import checkpoints, encoders, plots
from transfer_lib.claims import claim
from transfer_lib.data import reviews

# %% [markdown]
# ## 1. A classifier for your own sentence
#
# The encoder is MiniLM, a small BERT of six layers (in the full profile: BERT base). For one of your own, set
# `name, pinned = "its name", {}`: BERT, RoBERTa, DistilBERT, ELECTRA, ModernBERT. The texts are 944 short reviews that were
# written for this course (in the full profile the films are sentences of the Stanford Sentiment Treebank): films and
# household devices, each for or against.

# %% tags=["nbval-ignore-output"]
name, pinned = encoders.find(course.quick)  # `pinned`: a revision, for a name may get other weights
tokenizer = AutoTokenizer.from_pretrained(name, **pinned)
encoder = AutoModel.from_pretrained(  # "eager": the fastest attention for short texts on a CPU
    name, use_safetensors=True, attn_implementation="eager", **pinned
).to(encoders.device()).eval()  # fmt: skip
frame = reviews.load(full=not course.quick)
texts, labels = frame["text"].tolist(), frame["label"].to_numpy()
train, validation, test = reviews.parts(frame)


# %% [markdown]
# The classifier: each text becomes one vector, the mean of what the encoder says about its words; a logistic
# regression learns from 200 of them. Put sentences of your own into `mine`.


# %% tags=["nbval-ignore-output"]
@torch.no_grad()
def vector(text):
    inputs = tokenizer(text, return_tensors="pt").to(encoder.device)
    return encoder(**inputs).last_hidden_state[0].mean(0).cpu().numpy()


some = np.random.default_rng(course.seed).permutation(train)[:200]
head = LogisticRegression(C=10, max_iter=2000)
head.fit([vector(texts[i]) for i in tqdm(some)], labels[some])
mine = ["Not bad at all, this cup!", "I would not part with it.", "Not a single dull minute."]
for sentence, p in zip(mine, head.predict_proba([vector(s) for s in mine])[:, 1]):
    print(f"{p:4.0%} positive: {sentence}")

# %% [markdown]
# No rule says what *not bad* means. Yet some of your sentences will be judged badly, and sections 5 to 7 do
# something about that. First: what happened between the text and the vector?
#
# ## 2. From text to numbers
#
# The **tokeniser** cuts a text into **word pieces** of a fixed vocabulary, and gives each its number. A
# frequent word is one piece; a rare one is put together, and `##` marks a piece that continues a word. `[CLS]`
# and `[SEP]` are added. Try a word that does not exist, a sign such as 💜, `great💜` in one word, your name.

# %%
plots.token_widget(tokenizer, "Not bad at all, this unspillable cup!")

# %% [markdown]
# A sign that no piece covers turns its whole word into `[UNK]`: *great💜* loses its *great*.
#
# Sentences differ in length, a **tensor**, PyTorch's array, does not. Shorter ones are filled up with `[PAD]`
# (**padding**), and the **attention mask** says what is real: 1 for a token, 0 for padding.

# %%
batch = tokenizer(["Great.", "Not great.", "Great? It broke."], padding=True, return_tensors="pt")
for row, mask in zip(batch["input_ids"], batch["attention_mask"]):
    print(tokenizer.convert_ids_to_tokens(row), mask.tolist())

# %% [markdown]
# ### Exercise: the mean, without the padding
#
# In section 1 a text came alone. In a batch some positions are padding, and must not enter the mean.


# %% tags=["keep"] exercise="06.mean_pool"
def mean_pool(states, mask):
    """Return the mean over the real tokens, shape (batch, width).

    `states` is a tensor of shape (batch, tokens, width), `mask` one of shape (batch, tokens).
    """
    ### BEGIN SOLUTION
    real = mask[:, :, None]
    total = (states * real).sum(dim=1)
    count = real.sum(dim=1)
    return total / count
    ### END SOLUTION


ex.mean_pool.check(mean_pool)

# %% [markdown]
# ## 3. What a layer computes
#
# In *the bank raised its rates*, what does *bank* mean? The other words say so. **Attention** lets each token
# take from the others. From its vector each token makes three: a *query* (what do I look for?), a *key* (what
# do I offer?), and a *value* (what do I hand over?). Where a query fits a key, their product is large; a softmax
# turns the products into shares, and the token receives the *mean of the values, weighted by these shares*.
#
# Four words by hand, with two numbers each:

# %% tags=["hide-input"]
words = ["the", "bank", "raised", "rates"]
by_hand = torch.tensor([[0.0, 0.0], [3.0, 1.0], [0.0, 2.0], [3.0, 0.0]])
shares = torch.softmax(by_hand @ by_hand.T / 2**0.5, dim=1)
plots.heatmap(
    (100 * shares).round().numpy(), words, words, xlabel="takes from (word)", ylabel="word",
    unit="Share (%)", title="Vectors (0, 0), (3, 1), (0, 2), (3, 0) as queries and as keys",
)  # fmt: skip

# %% [markdown]
# *the* fits none better than another: it takes evenly. *bank* takes from itself and from *rates*.
#
# ### Exercise: attention
#
# `softmax(q kᵀ / √d) v`, where `d` is the length of a query: divided by √d, the products keep to a range in which
# the softmax does not choose one word alone.


# %% exercise="06.attention"
def attention(q, k, v):
    """Return the weighted means; q, k, v and the result have the shape (tokens, width)."""
    ### BEGIN SOLUTION
    width = q.shape[-1]
    products = q @ k.T / width**0.5
    shares = torch.softmax(products, dim=-1)
    return shares @ v
    ### END SOLUTION


ex.attention.check(attention)

# %% [markdown]
# A layer does this several times side by side, with small vectors: its **attention heads** (not the head of a classifier)
# may each look for something else. It adds the result to its input, sends every token on its own through two dense layers,
# and adds that, too. After each sum **LayerNorm** brings a token's numbers to mean 0 and variance 1, times and plus learned
# numbers; between the dense layers **GELU** lets large numbers pass and takes negative ones nearly to 0. PyTorch has your
# function built in. Here is a whole layer against the encoder's own (of BERT, RoBERTa, ELECTRA; others name parts otherwise):


# %% tags=["keep"]
def layer_by_hand(x, layer, heads):
    """Compute what a BERT layer computes; x has the shape (tokens, width)."""
    own, out = layer.attention.self, layer.attention.output
    q, k, v = (
        part(x).unflatten(1, (heads, -1)).transpose(0, 1)  # (heads, tokens, width / heads)
        for part in (own.query, own.key, own.value)
    )
    mixed = F.scaled_dot_product_attention(q, k, v).transpose(0, 1).flatten(1)
    x = out.LayerNorm(x + out.dense(mixed))
    inner = F.gelu(layer.intermediate.dense(x))
    return layer.output.LayerNorm(x + layer.output.dense(inner))


# %% tags=["nbval-ignore-output"]
sentence = tokenizer("the bank raised its rates", return_tensors="pt").to(encoder.device)
with torch.no_grad():
    seen = encoder(**sentence, output_hidden_states=True, output_attentions=True)
    x, heads = seen.hidden_states[0][0], encoder.config.num_attention_heads
    for layer, theirs in zip(encoders.layers(encoder), seen.hidden_states[1:]):
        x = layer_by_hand(x, layer, heads)
        print(f"largest difference {(x - theirs[0]).abs().max().item():.0e}")

# %% [markdown]
# That is all of BERT: the vectors of the pieces and of their places, then this, six or twelve times. And what
# do its heads look at? In MiniLM, head 4 of layer 1 lets *bank* take most from *rates*. Move the knobs: many other
# heads put more than half on `[CLS]` and `[SEP]`, where nothing is to be found.

# %% tags=["hide-input", "nbval-ignore-output"]
pieces = tokenizer.convert_ids_to_tokens(sentence["input_ids"][0])
looks = [(100 * a[0]).round().cpu().numpy() for a in seen.attentions]


def show_attention(head, layer):
    return plots.heatmap(
        looks[layer - 1][head - 1], pieces, pieces, xlabel="takes from (token)", ylabel="token",
        unit="Share (%)", title=f"Layer {layer}, head {head}",
    )  # fmt: skip


others = [head for head in range(1, heads + 1) if head != 4]
plots.interactive(show_attention, head=[4, *others], layer=list(range(1, len(looks) + 1)))

# %% [markdown]
# ## 4. What it was taught
#
# BERT learned by **masked language modelling**: 15 % of the pieces are chosen, most of them are hidden, and the
# network gives a probability to every piece of the vocabulary. Its loss is `-log p` of the right one. Before
# you look: what would you write in *The film was so [MASK] that I fell asleep*?

# %% tags=["nbval-ignore-output"]
guesses = {"slow": 0.3, "long": 0.2, "quiet": 0.1, "thrilling": 0.01}  # invented, to show the form
if not course.quick:
    fill = transformers.pipeline("fill-mask", encoders.BERT, revision=encoders.REVISION)
    guesses = fill("The film was so [MASK] that I fell asleep.", top_k=5)
    guesses = {guess["token_str"]: guess["score"] for guess in guesses}
pd.DataFrame({"p": guesses, "loss": {word: -np.log(p) for word, p in guesses.items()}}).round(2)

# %% [markdown]
# The full profile asks BERT, which also learned to tell whether one sentence follows another. MiniLM cannot answer:
# its layer for words was not published. It was distilled from such a model, and *then tuned on about a billion pairs
# of sentences*, so that the means of two that belong together lie close. That is what section 1 lived on.
#
# ## 5. Three ways, one effort
#
# - **TF-IDF** (term frequency times inverse document frequency): word counts, rare words weighted up, with logistic
#   regression. No transfer: the *baseline*.
# - **Frozen**: the encoder stays as it is; logistic regression on the mean of its last layer.
# - **Fine-tuned**: the upper half of the layers is trained along with a linear head.
#
# Each learns from the same labels, and has *five candidates*, of which the validation texts choose: five values
# of `C`, or the weights after each of five epochs. The validation labels count as well: 140 of them.
#
# Without dropout, a frozen layer gives the same output in every epoch. So it is run once: `states[k]` holds, for each
# text, what it looks like after k layers.

# %% tags=["nbval-ignore-output"]
depth = len(encoders.layers(encoder))
middle = depth // 2
states = encoders.run_layers(encoder, tokenizer, texts, keep=(middle, depth))
means = np.stack([state.mean(0).cpu().numpy() for state in states[depth]])


# %% tags=["keep"]
def tuned(features, labels, chosen, valid, make=LogisticRegression):
    """Return a model with the C of five that is best on the validation rows."""
    models = [make(C=C, max_iter=2000) for C in (0.01, 0.1, 1, 10, 100)]
    for model in models:
        model.fit([features[i] for i in chosen], labels[chosen])
    return max(models, key=lambda m: m.score([features[i] for i in valid], labels[valid]))


def tfidf(**options):
    """Return a classifier of word counts, single words and pairs."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    return make_pipeline(words, LogisticRegression(**options))


# %% tags=["nbval-ignore-output"]
def of_words(chosen):
    model = tuned(texts, labels, chosen, validation, tfidf)
    return 100 * model.score([texts[i] for i in test], labels[test])


def of_means(chosen):
    return 100 * tuned(means, labels, chosen, validation).score(means[test], labels[test])


rng = np.random.default_rng(course.seed)
draws = [reviews.draw(labels, train, 100, rng) for _ in range(2)]
found = {"TF-IDF": [*map(of_words, draws)], "frozen": [*map(of_means, draws)]}
pd.DataFrame(found).round(1)

# %% [markdown]
# ## 6. The loop is yours
#
# The model: the layers above the frozen ones, your mean, dropout, a new head. It takes the stored states.


# %%
from transfer_lib.taught.lesson_06 import mean_pool  # should yours not be finished


# %% tags=["keep"]
class Classifier(nn.Module):
    """The layers of an encoder above the first `frozen` ones, the mean over tokens, a new head."""

    def __init__(self, encoder, frozen, classes=2):
        super().__init__()
        self.frozen, self.upper = frozen, encoders.above(encoder, frozen)
        self.head = nn.Linear(encoder.config.hidden_size, classes)

    def pool(self, states, mask):
        out = self.upper(inputs_embeds=states, attention_mask=mask)
        return mean_pool(out.last_hidden_state, mask)

    def forward(self, states, mask):
        return self.head(F.dropout(self.pool(states, mask), 0.1, self.training))


# %% [markdown]
# ### Exercise: the training step
#
# One batch, one step: the logits of `model(inputs, mask)`, the cross-entropy against `target`, the gradient, the
# step. Gradients add up in PyTorch until `zero_grad` clears them. Return the loss as a float.


# %% tags=["keep"] exercise="06.training_step"
def training_step(model, optimizer, inputs, mask, target):
    """Train the model on one batch; return the loss."""
    ### BEGIN SOLUTION
    logits = model(inputs, mask)
    loss = F.cross_entropy(logits, target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
    ### END SOLUTION


ex.training_step.check(training_step)

# %% [markdown]
# ### Exercise: the epoch
#
# All batches once, in training mode. Each is a triple `(inputs, mask, target)`; the last may be smaller. Return the
# mean loss *of a text*.

# %%
from transfer_lib.taught.lesson_06 import training_step


# %% exercise="06.epoch"
def epoch(model, optimizer, batches):
    """Train the model on each batch once; return the mean loss of a text."""
    ### BEGIN SOLUTION
    model.train()
    total, count = 0.0, 0
    for inputs, mask, target in batches:
        size = len(target)
        loss = training_step(model, optimizer, inputs, mask, target)
        total += loss * size
        count += size
    return total / count
    ### END SOLUTION


ex.epoch.check(epoch)

# %% [markdown]
# ## 7. A whole run, to read
#
# Around your loop, a run has five guards. Find each in the code. The rate **warms up** over a tenth of the steps, then
# falls to 0. The gradient is **clipped**: longer than 1, it is shortened to 1. **Weight decay** pulls matrices towards
# 0, but no biases. The weights of the best epoch are kept, and after `patience` epochs without a better one it **stops
# early**. After each epoch all that the next needs is saved: the run can be **resumed**. (`bfloat16`: numbers of 16 bits.)


# %% tags=["keep"]
def make_optimizer(model, rate, decay=0.01):
    """Return AdamW: only matrices decay, and the head learns ten times as fast."""
    groups = []
    for module, its_rate in ((model.upper, rate), (model.head, 10 * rate)):
        for matrices in (True, False):
            chosen = [p for p in module.parameters() if (p.ndim > 1) == matrices]
            groups.append({"params": chosen, "lr": its_rate, "weight_decay": decay * matrices})
    return torch.optim.AdamW(groups, fused=True)


# %% tags=["keep"]
def one_epoch(run, kept, y, rows, size, bfloat16=None, weights=None):
    """Your epoch, with clipping, the schedule, and bfloat16 where the processor has it."""
    run.model.train()
    total, device = 0.0, kept[0].device
    half = encoders.computes_in_bfloat16(device) if bfloat16 is None else bfloat16
    for chosen in encoders.batches(kept, rows, run.generator, size):
        inputs, mask = encoders.padded(kept, chosen)
        target = torch.as_tensor(y[chosen], device=device)
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            logits = run.model(inputs, mask)
        loss = F.cross_entropy(logits.float(), target, weight=weights)
        run.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(run.model.parameters(), 1.0)
        run.optimizer.step()
        run.schedule.step()
        total += loss.item() * len(chosen)
    return total / len(rows)


# %% tags=["keep"]
@encoders.halved_once
def fine_tune(encoder, kept, y, rows, valid, *, frozen, rate, epochs=5, patience=5, seed=0,
              warmup=0.1, classes=2, size=32, bfloat16=None, weights=None, checkpoint=None,
              optimizer_for=make_optimizer):  # fmt: skip
    """Train a Classifier; return it with its best weights, and one record per epoch."""
    torch.manual_seed(seed)
    model = Classifier(encoder, frozen, classes).to(kept[0].device)
    optimizer, steps = optimizer_for(model, rate), epochs * -(-len(rows) // size)
    schedule = get_linear_schedule_with_warmup(optimizer, int(warmup * steps), steps)
    run = checkpoints.Run(model, optimizer, schedule, torch.Generator().manual_seed(seed))
    checkpoints.resume(run, checkpoint)
    while len(run.history) < epochs and encoders.epochs_since_best(run.history) < patience:
        loss = one_epoch(run, kept, y, rows, size, bfloat16, weights)
        run.history.append({"loss": loss} | encoders.measured(model, kept, y, valid))
        if encoders.epochs_since_best(run.history) == 0:
            run.best = copy.deepcopy(model.state_dict())
        if checkpoint:
            checkpoints.save(run, checkpoint)
    model.load_state_dict(run.best)
    return model, run.history


# %% [markdown]
# Five epochs, two draws of 200 labels. Beside them the *untrained twin*: the same architecture with random
# weights, the same recipe, the same steps. So its lower half, frozen as well, stays random. Where will the two land?

# %% tags=["nbval-ignore-output"]
RATE = 2e-4 if course.quick else 5e-5  # BERT's authors: 2e-5 to 5e-5; a small encoder bears more
blank = AutoModel.from_config(encoder.config).to(encoder.device).eval()
blank_states = encoders.run_layers(blank, tokenizer, texts, keep=(middle,))[middle]


def fine_tuned(encoder, kept, chosen, seed=0):
    recipe = {"frozen": middle, "rate": RATE, "seed": seed}
    model, _ = fine_tune(encoder, kept, labels, chosen, validation, **recipe)
    return 100 * encoders.measured(model, kept, labels, test)["val_accuracy"]


found["fine-tuned"] = [fine_tuned(encoder, states[middle], c) for c in tqdm(draws)]
found["untrained twin"] = [fine_tuned(blank, blank_states, c) for c in tqdm(draws)]

# %% tags=["nbval-ignore-output"]
plots.bars(found, "Right (%)", title="200 labels, two draws")

# %% tags=["hide-input"]
claim("06.frozen")
claim("06.tuned")
claim("06.twin")

# %% [markdown]
# Untrained, the architecture hardly does better than a coin: with the lower half frozen, pretraining is the whole gain. And
# a caution: these reviews were *written to be hard for word counts*. They praise with *not bad*, condemn with *could have
# been great*. On the Stanford Sentiment Treebank, with as many labels, fine-tuning adds much less to frozen features:

# %% tags=["hide-input"]
claim("06.sst2-frozen")
claim("06.sst2-tuned")

# %% [markdown]
# ### How many labels does it take?

# %% tags=["nbval-ignore-output"]
tune = partial(fine_tuned, encoder, states[middle])
ways = {"TF-IDF": of_words, "frozen": of_means, "fine-tuned": tune}
by_labels = {name: {200: np.array(found[name]) / 100} for name in ways}
for n in tqdm((20, 50, 100), desc="labels"):
    drawn = [reviews.draw(labels, train, n // 2, rng) for _ in range(2)]
    for name, way in ways.items():
        by_labels[name][n] = np.array([*map(way, drawn)]) / 100
plots.accuracy_by_labels(by_labels, xlabel="Labelled texts (count, log scale)")

# %% tags=["hide-input"]
claim("06.frozen-20")
claim("06.tuned-50")

# %% [markdown]
# 236 test texts leave an accuracy $p$ uncertain by five to six points either way: two **standard errors**, each
# $\sqrt{p (1 - p) / 236}$; about 19 of 20 such tests come that near to the truth. A lead of two points in one run says nothing.

# %% [markdown] tags=["optional"]
# ## 8. Optional: `Trainer`, in the same epochs
#
# The library has such a loop ready. Same texts, frozen layers and epochs. Different: one rate for all (our head learns ten
# times as fast), a head on `[CLS]` (ours: on the mean), the epoch of least validation loss kept (ours: highest accuracy).

# %% tags=["optional", "nbval-ignore-output"]
kind = transformers.AutoModelForSequenceClassification
theirs = kind.from_pretrained(encoder.name_or_path, use_safetensors=True)
theirs.base_model.embeddings.requires_grad_(False)
encoders.layers(theirs.base_model)[:middle].requires_grad_(False)
ids = tokenizer(texts, truncation=True, max_length=128)["input_ids"]
rows = [{"input_ids": i, "labels": int(label)} for i, label in zip(ids, labels)]

# %% tags=["optional", "nbval-ignore-output"]
arguments = transformers.TrainingArguments(
    tempfile.mkdtemp(), num_train_epochs=5, learning_rate=RATE, warmup_steps=0.1, weight_decay=0.01,
    per_device_train_batch_size=32, bf16=encoders.computes_in_bfloat16(encoder.device),
    eval_strategy="epoch", save_strategy="best", load_best_model_at_end=True, save_total_limit=1,
    metric_for_best_model="loss", save_only_model=True, seed=course.seed, report_to="none",
    logging_strategy="no", use_cpu=encoder.device.type == "cpu",
)  # fmt: skip
trainer = transformers.Trainer(
    theirs, arguments, processing_class=tokenizer, eval_dataset=[rows[i] for i in validation],
    train_dataset=[rows[i] for i in draws[0]],
)  # fmt: skip
trainer.train()
judged = trainer.predict([rows[i] for i in test]).predictions.argmax(1)
print(
    f"Trainer: {100 * np.mean(judged == labels[test]):.0f} %, ours {found['fine-tuned'][0]:.0f} %"
)

# %% [markdown] tags=["optional"]
# One draw each: a few points either way mean nothing. Take `Trainer` for a standard task, several GPUs, and what others
# shall maintain; your own loop to understand or change a step, for odd losses, or to run frozen layers only once.

# %% tags=["optional"]
ex.q_trainer.ask(...)

# %% [markdown]
# ## 9. A recipe that is passed around
#
# One of the articles that this course grew from has such a recipe, and so have many others. Written anew, it has
# **four** faulty lines: three stop it, one would report a wrong number.
#
# ```
#  1  from torchtext.data import BucketIterator, LabelField, TabularDataset
#  2  tokenizer = BertTokenizer.from_pretrained("bert-base-uncased")
#  3  model = BertForSequenceClassification.from_pretrained("bert-base-uncased")
#  4  columns = [("label", LabelField(dtype=torch.long))]       # label,text
#  5  parts = TabularDataset.splits(".", "csv", columns, train="train.csv", test="test.csv")
#  6  train, test = BucketIterator.splits(parts, batch_size=16)
#  7  optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5)
#  8  model.train()
#  9  for batch in train:
# 10      inputs = tokenizer(batch.text, padding=True, truncation=True, return_tensors="pt")
# 11      loss = model(**inputs, labels=batch.label).loss
# 12      optimizer.zero_grad(); loss.backward(); optimizer.step()
# 13  model.eval()
# 14  for batch in test:
# 15      inputs = tokenizer(batch.text, padding=True, truncation=True, return_tensors="pt")
# 16      accuracy = model(**inputs, labels=batch.label).acc
# 17  print(f"test accuracy: {accuracy:.2f}")
# ```
#
# ### Exercise: name the four lines

# %% exercise="06.faults"
faults = {1, 4, 16, 17}  ### SOLUTION
ex.faults.check(faults)

# %% [markdown]
# ## 10. Now they count: the three questions of the beginning

# %%
ex.q_unknown.ask(...)

# %%
ex.q_attention.ask(...)

# %%
ex.q_baseline.ask(...)

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - A tokeniser cuts texts into pieces; padding and its mask make tensors of them.
# - A layer mixes the tokens by attention, a weighted mean, and then works on each of them alone.
# - The untrained twin shows that the gain is the pretraining's; word counts show what it is worth.
# - Small rate, warm-up, clipping, weight decay, early stopping, best weights kept: that is a run.
# - Frozen layers without dropout give the same output every epoch: run them once.
#
# **Where next:** [lesson 07](07_bert_own_texts.ipynb) shows what goes wrong, and brings your own texts.
#
# ## Sources
#
# [BERT](https://arxiv.org/abs/1810.04805) (Devlin 2019), [attention](https://arxiv.org/abs/1706.03762) (Vaswani 2017, 3.2),
# [what its heads look at](https://arxiv.org/abs/1906.04341) (Clark 2019), [MiniLM](https://arxiv.org/abs/2002.10957) (Wang
# 2020), [Sentence-BERT](https://arxiv.org/abs/1908.10084) (Reimers and Gurevych 2019), [the
# Treebank](https://aclanthology.org/D13-1170/) (Socher 2013).
