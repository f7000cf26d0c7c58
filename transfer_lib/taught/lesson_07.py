"""Lesson 07, BERT: what goes wrong, and your own texts: its cells tagged `keep`, built."""

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from transformers import AutoModel, AutoTokenizer


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


def same_label(vectors, y, n=5):
    """Return the share of the n nearest by cosine that have the label of the text itself."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similar = unit @ unit.T - 2 * np.eye(len(unit))  # never its own neighbour
    nearest = np.argsort(-similar, axis=1)[:, :n]
    return 100 * np.mean(y[nearest] == y[:, None]), nearest


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
