"""The exercises of lesson 12: right answers in every form, wrong ones with their words."""

import copy

import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

import exercise_cases
from exercise_cases import Arguments
from transfer_lib import exercises
from transfer_lib.practice import Outcome
from transfer_lib.taught.lesson_12 import LoRA


class AsModules(nn.Module):
    """With two linear layers, B zero."""

    def __init__(self, base, rank=8, alpha=16):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.down = nn.Linear(base.in_features, rank, bias=False)
        self.up = nn.Linear(rank, base.out_features, bias=False)
        nn.init.zeros_(self.up.weight)
        self.scale = alpha / rank

    def forward(self, x):
        return self.base(x) + self.scale * self.up(self.down(x))

    def merged(self):
        whole = nn.Linear(self.base.in_features, self.base.out_features)
        with torch.no_grad():
            whole.weight.copy_(self.base.weight + self.scale * self.up.weight @ self.down.weight)
            whole.bias.copy_(self.base.bias)
        return whole


class ZeroA(LoRA):
    """A zero and B random is as good."""

    def __init__(self, base, rank=8, alpha=16):
        super().__init__(base, rank, alpha)
        self.a = nn.Parameter(torch.zeros(rank, base.in_features))
        self.b = nn.Parameter(torch.randn(base.out_features, rank))


class BothRandom(LoRA):
    def __init__(self, base, rank=8, alpha=16):
        super().__init__(base, rank, alpha)
        nn.init.normal_(self.b)


class BothZero(LoRA):
    def __init__(self, base, rank=8, alpha=16):
        super().__init__(base, rank, alpha)
        nn.init.zeros_(self.a)


class FreeBase(LoRA):
    def __init__(self, base, rank=8, alpha=16):
        super().__init__(base, rank, alpha)
        base.requires_grad_(True)


class NoParameters(LoRA):
    def __init__(self, base, rank=8, alpha=16):
        super().__init__(base, rank, alpha)
        a, b = self.a.detach(), self.b.detach()
        del self.a, self.b
        self.a, self.b = a, b


class Square(LoRA):
    def __init__(self, base, rank=8, alpha=16):
        super().__init__(base, base.in_features, alpha)


class NotScaled(LoRA):
    def __init__(self, base, rank=8, alpha=16):
        super().__init__(base, rank, alpha)
        self.scale = 1.0


class OtherScale(LoRA):
    def __init__(self, base, rank=8, alpha=16):
        super().__init__(base, rank, alpha)
        self.scale = rank / alpha


class MergesBase(LoRA):
    def merged(self):
        return copy.deepcopy(self.base)


class MergesWithoutScale(LoRA):
    def merged(self):
        whole = copy.deepcopy(self.base)
        with torch.no_grad():
            whole.weight += self.b @ self.a
        return whole


class MergesInPlace(LoRA):
    def merged(self):
        with torch.no_grad():
            self.base.weight += self.scale * self.b @ self.a
        scale, self.scale = self.scale, 0.0
        whole = copy.deepcopy(self.base)
        self.scale = scale
        return whole


class MergesWithoutBias(LoRA):
    def merged(self):
        whole = nn.Linear(self.base.in_features, self.base.out_features, bias=False)
        with torch.no_grad():
            whole.weight.copy_(self.base.weight + self.scale * self.b @ self.a)
        return whole


class Returns(LoRA):
    def forward(self, x):
        return None


def bitfit(model):
    for name, p in model.named_parameters():
        p.requires_grad_(name.endswith("bias") or name.startswith("head"))
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def bitfit_in_parts(model):
    model.requires_grad_(False)
    model.head.requires_grad_(True)
    total = sum(p.numel() for p in model.head.parameters())
    for name, p in model.upper.named_parameters():
        if "bias" in name.split("."):
            p.requires_grad = True
            total += len(p)
    return torch.tensor(total)


def bitfit_by_modules(model):
    model.requires_grad_(False)
    model.head.requires_grad_(True)
    for module in model.upper.modules():
        if getattr(module, "bias", None) is not None:
            module.bias.requires_grad_(True)
    return float(sum(p.numel() for p in model.parameters() if p.requires_grad))


def flags(choose, count=None):
    def answer(model):
        for name, p in model.named_parameters():
            p.requires_grad_(choose(name))
        return count or sum(p.numel() for p in model.parameters() if p.requires_grad)

    return answer


def only_on(model):
    for name, p in model.named_parameters():
        if name.endswith("bias") or name.startswith("head"):
            p.requires_grad_(True)
    return 27


def zeroed(model):
    with torch.no_grad():
        model.upper.dense.bias.zero_()
    return bitfit(model)


def soft(s, t, T):
    return T**2 * F.cross_entropy(s / T, (t / T).softmax(1))


def by_hand(s, t, T):
    return -(T**2) * ((t / T).softmax(1) * (s / T).log_softmax(1)).sum(1).mean()


def divergence(s, t, T):
    log_p, log_q = (t / T).log_softmax(1), (s / T).log_softmax(1)
    return T**2 * F.kl_div(log_q, log_p, reduction="batchmean", log_target=True)


def prune(weights, share):
    threshold = torch.quantile(torch.cat([w.abs().flatten() for w in weights]), share)
    return [w.abs() > threshold for w in weights]


def prune_by_sorting(weights, share):
    sizes = torch.cat([w.abs().flatten() for w in weights])
    threshold = torch.sort(sizes).values[int(share * len(sizes)) - 1]
    return tuple((w.abs() > threshold).float() for w in weights)


def prune_by_numpy(weights, share):
    import numpy as np

    values = [np.abs(w.numpy()) for w in weights]
    order = np.sort(np.concatenate([v.ravel() for v in values]))
    return [v >= order[int(share * len(order))] for v in values]


def quantise(w):
    scale = w.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
    return torch.round(w / scale).to(torch.int8), scale


def quantise_flat(w):
    scale = (w.abs().max(dim=1).values / 127).clamp(min=1e-9)
    return (w / scale[:, None]).round().clamp(-127, 127).char(), scale


def quantise_in_numpy(w):
    import numpy as np

    scale = np.maximum(np.abs(w.numpy()).max(axis=1, keepdims=True), 1e-9) / 127
    return torch.tensor(np.rint(w.numpy() / scale).astype("int8")), scale


def scaled(w, scale):
    return torch.round(w / scale).to(torch.int8), scale


def largest(w):
    return w.abs().amax(1, True).clamp(min=1e-9)


TABLE = pd.DataFrame(
    {
        "accuracy": [65.0, 70.0, 80.0, 81.5, 81.0],
        "MB": [0.7, 91.0, 91.2, 91.0, 58.6],
        "MB of 20 tasks": [14.0, 91.0, 94.0, 1820.0, 1172.0],
        "ms": [0.5, 13.0, 13.0, 13.0, 7.0],
    },
    index=["student", "head alone", "LoRA", "all", "all, int8"],
)
CHOICE = {"doorbell": "student", "phone": "all, int8", "server": "LoRA"}
NEAR = TABLE.assign(accuracy=[65.0, 79.0, 80.0, 81.5, 81.0])

RIGHT = {
    "LoRA": [LoRA, AsModules, ZeroA],
    "bitfit": [bitfit, bitfit_in_parts, bitfit_by_modules],
    "distil": [soft, by_hand, divergence],
    "prune": [prune, prune_by_sorting, prune_by_numpy],
    "quantise": [quantise, quantise_flat, quantise_in_numpy],
    "decide": [
        Arguments([CHOICE, TABLE]),
        Arguments([CHOICE | {"server": "head alone"}, NEAR]),  # within two points of the best
        Arguments([dict(reversed(CHOICE.items())), TABLE]),
    ],
}

WRONG = {
    "LoRA": [
        (BothRandom, "Untrained, it should compute"),
        (BothZero, "Neither A nor B moves"),
        (FreeBase, "The base is trained as well"),
        (NoParameters, "Nothing can be trained"),
        (Square, "numbers would be trained"),
        (NotScaled, "The product is not scaled"),
        (OtherScale, "scaled by 0.33"),
        (MergesBase, "what was learned is gone"),
        (MergesWithoutScale, "Merged, the outputs differ"),
        (MergesInPlace, "the product twice"),
        (MergesWithoutBias, "lost the bias"),
        (Returns, "`forward` returns a tensor"),
        (lambda base, rank, alpha: 3, "a class"),
    ],
    "bitfit": [
        (flags(lambda n: n.endswith("bias") and "head" not in n), "The head is frozen as well"),
        (flags(lambda n: n.endswith("bias")), "The head's matrix is frozen"),
        (flags(lambda n: "norm" in n or "bias" in n or "head" in n), "scale of the normalisation"),
        (flags(lambda n: True), "may be trained, too"),
        (flags(lambda n: n.startswith("head")), "is frozen"),
        (flags(lambda n: False, 27), "Nothing may be trained now"),
        (flags(lambda n: n.endswith("bias") or "head" in n, 5), "Five tensors"),
        (flags(lambda n: n.endswith("bias") or "head" in n, 26), "are 27 numbers"),
        (only_on, "free all over"),
        (zeroed, "Values have changed"),
    ],
    "distil": [
        (lambda s, t, T: soft(s, t, T) / T**2, "factor T² is missing"),
        (lambda s, t, T: soft(s, t, T) / T, "T squared"),
        (lambda s, t, T: T**2 * F.cross_entropy(s, (t / T).softmax(1)), "Only the teacher"),
        (lambda s, t, T: T**2 * F.cross_entropy(s / T, t.softmax(1)), "Only the student"),
        (lambda s, t, T: soft(t, s, T), "Turned round"),
        (lambda s, t, T: 7 * soft(s, t, T), "rows are added up"),
        (lambda s, t, T: soft(s, t, T) / 3, "over the classes as well"),
        (lambda s, t, T: T**2 * F.cross_entropy(s / T, t.argmax(1)), "*hard*"),
        (lambda s, t, T: T**2 * F.cross_entropy(s * T, (t * T).softmax(1)), "Multiplied by T"),
        (lambda s, t, T: -soft(s, t, T), "The sign is turned"),
        (lambda s, t, T: soft(s.detach(), t, T), "has no gradient"),
        (lambda s, t, T: soft(s, t, T).item(), "Return a tensor"),
        (lambda s, t, T: s, "one number"),
        (lambda s, t, T: s.sum() * 0 + 1, "the loss is"),
    ],
    "prune": [
        (lambda ws, share: [~m for m in prune(ws, share)], "keep the small ones"),
        (lambda ws, share: [prune([w], share)[0] for w in ws], "the same share"),
        (
            lambda ws, share: [
                w > torch.quantile(torch.cat([v.flatten() for v in ws]), share) for w in ws
            ],
            "A weight of −3",
        ),
        (lambda ws, share: prune(ws, 1 - share), "`share` is what is dropped"),
        (lambda ws, share: [w.abs() > share for w in ws], "not a threshold"),
        (
            lambda ws, share: [w * m for w, m in zip(ws, prune(ws, share), strict=True)],
            "These are pruned weights",
        ),
        (lambda ws, share: prune(ws, 0.7), "40 % should be"),
        (lambda ws, share: prune(ws, share)[0], "a list of masks"),
        (lambda ws, share: [m.T for m in prune(ws, share)], "the shape of its matrix"),
    ],
    "quantise": [
        (lambda w: scaled(w, w.abs().max() / 127), "One scale for the whole"),
        (lambda w: scaled(w, w.amax(1, True).clamp(min=1e-9) / 127)[:1], "two tensors"),
        (lambda w: (torch.round(127 * w / largest(w)), largest(w) / 127), "should be torch.int8"),
        (
            lambda w: ((127 * w / largest(w)).round().char(), 127 / largest(w)),
            "multiplied by",
        ),
        (lambda w: scaled(w, largest(w) / 200), "wrong sign"),
        (lambda w: ((127 * w / largest(w)).char(), largest(w) / 127), "Cut off"),
        (lambda w: scaled(w, largest(w) / 60), "a coarse one"),
        (lambda w: scaled(w, w.abs().amax(1, True) / 127), "not a number"),
        (lambda w: (quantise(w)[0].T, quantise(w)[1]), "Expected the shape"),
        (lambda w: w, "two tensors"),
    ],
    "decide": [
        (Arguments(["student", TABLE]), "A dict with the keys"),
        (Arguments([CHOICE | {"phone": "GPT"}, TABLE]), "is no row of the table"),
        (Arguments([CHOICE | {"doorbell": "LoRA"}, TABLE]), "doorbell: LoRA takes 91 MB"),
        (Arguments([CHOICE | {"server": "all"}, TABLE]), "for 20 tasks"),
        (Arguments([CHOICE | {"phone": "student"}, TABLE]), "16 points better"),
        (Arguments([CHOICE | {"server": "head alone"}, TABLE]), "10 points better"),
    ],
}

test_right, test_wrong, test_complete = exercise_cases.tests("12", RIGHT, WRONG)


def test_a_class_as_it_stands_in_the_lesson_is_not_an_attempt():
    class AsGiven(nn.Module):
        def __init__(self, base, rank=8, alpha=16):
            super().__init__()
            self.base = base.requires_grad_(False)
            ...

        def forward(self, x):
            """Return what the base gives, plus scale times B A x."""
            ...

    assert exercises.of("12").LoRA.judge(AsGiven).outcome is Outcome.NOT_ATTEMPTED
