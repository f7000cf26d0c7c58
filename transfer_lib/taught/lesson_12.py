"""Lesson 12, Small and cheap: its cells tagged `keep`, built."""

import copy
import io
import time
import warnings

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.prune import custom_from_mask
from transformers import get_linear_schedule_with_warmup

from transfer_lib import checkpoints, encoders
from transfer_lib.taught.lesson_06 import one_epoch

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


class LoRA(nn.Module):
    """A linear layer that stays as it is, plus a trained product of two thin matrices."""

    def __init__(self, base, rank=8, alpha=16):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.scale = alpha / rank
        self.a = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5)
        self.b = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x):
        """Return what the base gives, plus scale times B A x."""
        return self.base(x) + self.scale * (x @ self.a.T @ self.b.T)

    @torch.no_grad()
    def merged(self):
        """Return an ordinary linear layer that computes the same."""
        whole = copy.deepcopy(self.base)
        whole.weight += self.scale * self.b @ self.a
        return whole


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


def bitfit(model):
    """Let only biases and the head be trained; return how many numbers that are."""
    for name, p in model.named_parameters():
        p.requires_grad_(name.endswith("bias") or name.startswith("head"))
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def distil(student, teacher, T):
    """Return T² times the mean cross-entropy of the student to the teacher, both at T."""
    target = (teacher / T).softmax(dim=1)
    log_q = F.log_softmax(student / T, dim=1)
    return -(T**2) * (target * log_q).sum(dim=1).mean()


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


def prune(weights, share):
    """Return one boolean mask per matrix: True for what stays."""
    sizes = torch.cat([w.abs().flatten() for w in weights])
    dropped = int(share * len(sizes))
    threshold = torch.sort(sizes).values[dropped - 1] if dropped else -1
    return [w.abs() > threshold for w in weights]


def pruned(model, share, chosen=prune):
    """Return a copy of a Classifier in which a share of the layers' weights is zero and stays so."""
    model = copy.deepcopy(model)
    linear = [m for m in model.upper.modules() if isinstance(m, nn.Linear)]
    masks = chosen([m.weight.detach() for m in linear], share)
    for module, mask in zip(linear, masks, strict=True):
        custom_from_mask(module, "weight", mask)
    return model


def quantise(w):
    """Return a matrix as int8 (rows, columns), and scales (rows, 1)."""
    scale = w.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
    return torch.round(w / scale).to(torch.int8), scale


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
