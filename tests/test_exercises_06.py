"""The exercises of lesson 06: right answers in every form, wrong ones with their words."""

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


def mask_of_array(lengths):
    return np.arange(lengths.max()) < lengths[:, None]


def mask_of_tensors(lengths):
    return [torch.tensor(row) for row in mask_by_hand(lengths)]


def pool_nanmean(states, mask):
    return states.masked_fill(mask[..., None] == 0, float("nan")).nanmean(1)


def pool_overwriting(states, mask):
    states[mask == 0] = 0
    return states.sum(1) / mask.sum(1, keepdim=True)


def pool_copy(states, mask):
    return pool_overwriting(states.clone(), mask)


def rate_single(step, top, warm, total):
    top = torch.tensor(top)  # float32
    return top - top / (total - warm) * (step - warm) if step >= warm else top / warm * step


def rate_cosine(step, top, warm, total):
    falling = top * (1 + np.cos(np.pi * (step - warm) / (total - warm))) / 2
    return top * step / warm if step < warm else falling


def by_generator(named):
    return (n for n, p in named if len(p.size()) > 1)


RIGHT = {
    "attention_mask": [mask_by_hand, mask_by_padding, mask_boolean, mask_of_array, mask_of_tensors],
    "mean_pool": [pool_by_hand, pool_einsum, pool_numpy, pool_nanmean, pool_copy],
    "learning_rate": [rate, rate_interp, rate_min, rate_library, rate_single],
    "decaying": [by_ndim, by_dim, by_shape, by_generator],
}
WRONG = {
    "attention_mask": [
        (wrong_mask(lambda m: m.T), "transposed"),
        (wrong_mask(lambda m: 1 - m), "wrong way round"),
        (wrong_mask(lambda m: m[:, ::-1]), "pads on the left"),
        (lambda n: np.arange(max(n)) <= np.array(n)[:, None], "One too many"),
        (lambda n: np.arange(8) < np.array(n)[:, None], "shape (3, 5)"),
        (lambda n: np.arange(5) < np.array(n)[:, None], "use the longest of the argument"),
        (lambda n: [[1] * k for k in n], "The rows differ in length"),
        (lambda n: np.arange(1, max(n) + 1) < np.array(n)[:, None], "One too few"),
        (wrong_mask(lambda m: m[np.argsort(m.sum(1))]), "sorted by length"),
        (wrong_mask(lambda m: m[[0] * len(m)]), "row 1 is [1, 1, 1, 1, 1]; yours is [1, 1, 1, 0"),
        (lambda n: mask_by_hand(n) if len(n) == 3 else np.ones((2, 4)), "not for [2, 4]"),
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
        (lambda s, m: pool_numpy(s, m[:1].expand(2, -1)), "The second text's vector"),
        (lambda s, m: s.sum(1) / m.sum(1)[:, None], "the padding is in the sum"),
        (lambda s, m: (s * m[..., None]).amax(1), "not the maximum"),
        (lambda s, m: pool_numpy(s, 1 - m), "mean of the padding"),
        (lambda s, m: pool_numpy(s[:, 1:], m[:, 1:]), "first token is left out"),
        (lambda s, m: nn.functional.normalize(pool_einsum(s, m)), "scaled to length 1"),
        (lambda s, m: pool_einsum(s, m)[:, None], "without `keepdim`"),
        (pool_overwriting, "overwritten its arguments"),
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
        (rate_cosine, "no straight line"),
        (lambda s, top, warm, total: rate(s, top, warm, total) * (-1) ** (s > warm), "negative"),
        (lambda s, top, warm, total: rate(s, 1.0003 * top, warm, total), "yours is 0.00020006"),
        (
            lambda s, top, warm, total: (
                top * (s // warm) if s < warm else rate(s, top, warm, total)
            ),
            "no straight line",
        ),
        (lambda s, top, warm, total: rate(s, 2e-4, 10, 110), "right for one schedule only"),
        (lambda s, top, warm, total: rate(s, top, 10, 110), "right for one schedule only"),
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
        (
            lambda named: [n for n, _ in named if "bias" not in n and "norm" not in n.lower()],
            "need not say",
        ),
        (lambda named: [p for _, p in named if p.ndim > 1], "the parameters themselves"),
        (lambda named: [(n, p) for n, p in named if p.ndim > 1], "These are the pairs"),
        (lambda named: " ".join(by_ndim(named)), "This is one text"),
        (lambda named: np.array([p.ndim > 1 for _, p in named]), "list of names"),
        (lambda named: [n for n, _ in named if "LayerNorm" not in n], "bias of dense"),
        (lambda named: by_ndim(named)[:1], "embed.weight is missing"),
        (lambda named: [], "The list is empty"),
    ],
}
test_right, test_wrong, test_complete = exercise_cases.tests("06", RIGHT, WRONG)
