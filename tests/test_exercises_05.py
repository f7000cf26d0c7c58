"""The exercises of lesson 05: right answers in every form, wrong ones with their words."""

import numpy as np
import torch
from torch import nn

import exercise_cases


def mask_by_hand(lengths):
    rows = []
    for n in lengths:
        rows.append([1] * n + [0] * (max(lengths) - n))
    return rows


def mask_by_padding(lengths):
    return nn.utils.rnn.pad_sequence([torch.ones(n) for n in lengths], batch_first=True)


def mask_boolean(lengths):
    return np.arange(max(lengths)) < np.array(lengths)[:, None]


def wrong_mask(change):
    return lambda lengths: change(np.array(mask_by_hand(lengths)))


def pool_by_hand(states, mask):
    return [s[m.bool()].mean(0).tolist() for s, m in zip(states, mask, strict=True)]


def pool_einsum(states, mask):
    return torch.einsum("btw,bt->bw", states, mask / mask.sum(1, keepdim=True))


def pool_numpy(states, mask):
    s, m = states.numpy(), mask.numpy()[..., None]
    return (s * m).sum(1) / m.sum(1)


def rate(step, top, warm, total):
    return top * step / warm if step < warm else top * (total - step) / (total - warm)


def rate_interp(step, top, warm, total):
    return np.interp(step, [0, warm, total], [0.0, top, 0.0])


def rate_min(step, top, warm, total):
    return torch.tensor(top * min(step / warm, (total - step) / (total - warm))).double()


def rate_library(step, top, warm, total):
    from transformers import get_linear_schedule_with_warmup

    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    return top * get_linear_schedule_with_warmup(optimizer, warm, total).lr_lambdas[0](step)


def by_ndim(named):
    return [n for n, p in named if p.ndim > 1]


def by_dim(named):
    return {n for n, p in named if p.dim() == 2}


def by_shape(named):
    return tuple(n for n, p in dict(named).items() if len(p.shape) != 1)


def plain(text):
    return " ".join(text.lower().split())


def leaks(training, tested):
    return [t for t in tested if plain(t) in {plain(s) for s in training}]


def leaks_casefold(training, tested):
    seen = ["".join(s.split()).casefold() for s in training]
    return tuple(t for t in tested if "".join(t.split()).casefold() in seen)


def leaks_pandas(training, tested):
    return np.array(tested)[[plain(t) in map(plain, training) for t in tested]]


def weights_by_hand(y):
    y = list(y)
    classes = sorted(set(y))
    return [len(y) / (len(classes) * y.count(c)) for c in classes]


def weights_sklearn(y):
    from sklearn.utils.class_weight import compute_class_weight

    return compute_class_weight("balanced", classes=np.unique(y), y=y)


def weights_torch(y):
    counts = torch.bincount(torch.tensor(y))
    return counts.sum() / (len(counts) * counts)


def freezer(layers=lambda encoder, k: encoder.encoder.layer[:k], embeddings=True, count=None):
    def freeze(encoder, k):
        if embeddings:
            encoder.embeddings.requires_grad_(False)
        for layer in layers(encoder, k):
            layer.requires_grad_(False)
        return (count or trainable)(encoder)

    return freeze


def trainable(encoder):
    return sum(p.numel() for p in encoder.parameters() if p.requires_grad)


def freeze_by_parameter(encoder, k):
    frozen = list(encoder.embeddings.parameters())
    frozen += [p for layer in list(encoder.encoder.layer)[:k] for p in layer.parameters()]
    for p in frozen:
        p.requires_grad = False
    return np.int64(trainable(encoder))


def freeze_by_name(encoder, k):
    for name, p in encoder.named_parameters():
        first = any(name.startswith(f"encoder.layer.{i}.") for i in range(k))
        p.requires_grad = not (name.startswith("embeddings") or first)
    return torch.tensor(trainable(encoder))


def abstain(p, threshold):
    return np.where(p.max(1) >= threshold, p.argmax(1), -1)


def abstain_by_hand(p, threshold):
    return [int(np.argmax(row)) if max(row) >= threshold else -1 for row in p]


def abstain_torch(p, threshold):
    best = torch.tensor(p).max(1)
    return best.indices.masked_fill(best.values < threshold, -1)


RIGHT = {
    "attention_mask": [mask_by_hand, mask_by_padding, mask_boolean],
    "mean_pool": [pool_by_hand, pool_einsum, pool_numpy],
    "learning_rate": [rate, rate_interp, rate_min, rate_library],
    "decaying": [by_ndim, by_dim, by_shape],
    "leaks": [leaks, leaks_casefold, leaks_pandas],
    "class_weights": [weights_by_hand, weights_sklearn, weights_torch],
    "freeze": [freezer(), freeze_by_parameter, freeze_by_name],
    "abstain": [abstain, abstain_by_hand, abstain_torch],
}
WRONG = {
    "attention_mask": [
        (wrong_mask(lambda m: m.T), "transposed"),
        (wrong_mask(lambda m: 1 - m), "wrong way round"),
        (wrong_mask(lambda m: m[:, ::-1]), "pads on the left"),
        (lambda n: np.arange(max(n)) <= np.array(n)[:, None], "One too many"),
        (lambda n: np.arange(8) < np.array(n)[:, None], "shape (3, 5)"),
        (lambda n: np.arange(5) < np.array(n)[:, None], "use the longest of the argument"),
        (lambda n: "mask", "Expected numbers"),
    ],
    "mean_pool": [
        (lambda s, m: s.mean(1), "padding is in this mean"),
        (lambda s, m: (s * m[..., None]).mean(1), "divided by the padded length"),
        (lambda s, m: (s * m[..., None]).sum(1), "This is the sum"),
        (lambda s, m: s[:, 0], "first token"),
        (lambda s, m: (s * m[..., None]).sum(1) / m.sum(), "the whole batch"),
        (lambda s, m: s.mean(2), "shape (2, 3)"),
        (lambda s, m: (s * m[..., None])[:, 1], "The first text's vector"),
    ],
    "learning_rate": [
        (
            lambda s, top, warm, total: top * (total - s) / total + 0 * warm,
            "at step 0 the rate is 0",
        ),
        (lambda s, top, warm, total: top, "no warm-up"),
        (lambda s, top, warm, total: rate(s, 1.0, warm, total), "multiply it by top"),
        (lambda s, top, warm, total: top * min(1, s / warm), "stays at top"),
        (
            lambda s, top, warm, total: top * (s / warm if s < warm else (total - s) / total),
            "jumps at the end",
        ),
        (lambda s, top, warm, total: top * s / warm, "goes on rising"),
        (
            lambda s, top, warm, total: top * (s / warm if s < warm else 1 + (s - warm) / total),
            "goes on rising",
        ),
        (
            lambda s, top, warm, total: top * (s / warm if s < warm else 1 - (s - warm) / total),
            "does not reach 0",
        ),
    ],
    "decaying": [
        (lambda named: [n for n, _ in named], "Nothing is left out"),
        (lambda named: [n for n, _ in named if "bias" not in n], "still in"),
        (lambda named: [n for n, p in named if p.ndim == 1], "other half"),
        (
            lambda named: [n for n, _ in named if "bias" not in n and "LayerNorm" not in n],
            "need not say",
        ),
        (lambda named: ["dense"], "names out of the pairs"),
        (lambda named: 3, "list of names"),
    ],
    "leaks": [
        (lambda a, b: [t for t in b if t in a], "differ in case"),
        (
            lambda a, b: [t for t in b if t.lower() in [s.lower() for s in a]],
            "strip the ends",
        ),
        (
            lambda a, b: [t for t in b if t.strip() in [s.strip() for s in a]],
            "case must not matter",
        ),
        (
            lambda a, b: [t for t in b if t.lower().strip() in [s.lower().strip() for s in a]],
            "two spaces",
        ),
        (lambda a, b: a, "the training texts"),
        (lambda a, b: [t for t in b if any(plain(s) in plain(t) for s in a)], "whole texts"),
        (lambda a, b: [i for i, t in enumerate(b) if plain(t)], "not numbers"),
        (lambda a, b: [plain(t) for t in leaks(a, b)] + ["it"], "as they were given"),
    ],
    "class_weights": [
        (lambda y: np.bincount(y) / len(y), "other way round"),
        (lambda y: len(y) / np.bincount(y), "number of classes"),
        (lambda y: 1 / np.bincount(y), "size is not"),
        (lambda y: np.ones(len(y)), "per row"),
        (lambda y: [1.0, 1.0], "three weights"),
        (lambda y: [1.0, 1.0, 1.0], "For 6, 2 and 4 rows"),
    ],
    "freeze": [
        (freezer(embeddings=False), "the embeddings are not"),
        (freezer(lambda e, k: []), "can still be trained"),
        (freezer(lambda e, k: e.encoder.layer), "All layers are frozen"),
        (freezer(lambda e, k: e.encoder.layer[-k:]), "upper layers"),
        (freezer(lambda e, k: e.encoder.layer[: k - 1]), "three layers are frozen"),
        (freezer(lambda e, k: [*e.encoder.layer[:k], e.pooler]), "you froze it too"),
        (freezer(count=lambda e: sum(p.numel() for p in e.parameters())), "counts all"),
        (freezer(count=lambda e: sum(p.requires_grad for p in e.parameters())), "counts tensors"),
    ],
    "abstain": [
        (lambda p, t: p.argmax(1), "no effect"),
        (lambda p, t: np.where(p.max(1) < t, p.argmax(1), -1), "wrong way round"),
        (lambda p, t: np.where(p.max(1) > t, p.argmax(1), -1), "use >="),
        (lambda p, t: np.where(p[:, 1] >= t, p.argmax(1), -1), "class 1 only"),
        (lambda p, t: p.max(1), "This is the confidence"),
        (lambda p, t: p.argmax(1)[p.max(1) >= t], "One class for each row"),
        (lambda p, t: abstain(p, 0.8), "Use the argument threshold"),
    ],
}
test_right, test_wrong, test_complete = exercise_cases.tests("05", RIGHT, WRONG)
