"""Lesson 06, BERT: from text to a classifier: its cells tagged `keep`, built."""

import copy

import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import nn
from torch.nn import functional as F
from transformers import get_linear_schedule_with_warmup

from transfer_lib import checkpoints, encoders


def mean_pool(states, mask):
    """Return the mean over the real tokens, shape (batch, width).

    `states` is a tensor of shape (batch, tokens, width), `mask` one of shape (batch, tokens).
    """
    real = mask[:, :, None]
    total = (states * real).sum(dim=1)
    count = real.sum(dim=1)
    return total / count


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


def training_step(model, optimizer, inputs, mask, target):
    """Train the model on one batch; return the loss."""
    logits = model(inputs, mask)
    loss = F.cross_entropy(logits, target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def make_optimizer(model, rate, decay=0.01):
    """Return AdamW: only matrices decay, and the head learns ten times as fast."""
    groups = []
    for module, its_rate in ((model.upper, rate), (model.head, 10 * rate)):
        for matrices in (True, False):
            chosen = [p for p in module.parameters() if (p.ndim > 1) == matrices]
            groups.append({"params": chosen, "lr": its_rate, "weight_decay": decay * matrices})
    return torch.optim.AdamW(groups, fused=True)


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
