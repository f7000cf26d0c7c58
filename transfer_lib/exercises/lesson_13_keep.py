"""Exercises of lesson 13 on forgetting: between two networks, a penalty, Fisher information."""

from transfer_lib.practice import NotAttempted, Wrong, array, call, close, exercise


def _net(seed):
    import torch
    from torch import nn

    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))


def _values(model):
    return [p.detach().clone() for p in model.parameters()]


@exercise(
    "13.between",
    hints=[
        "Start with `model = copy.deepcopy(old)`: the old network is still needed.",
        "Under `torch.no_grad()` go through both: `for p, q in zip(model.parameters(), "
        "new.parameters())`.",
        "`p.copy_((1 - t) * p + t * q)`, and return the model.",
    ],
)
def between(answer):
    """Return a network whose weights lie between those of two others."""
    import torch
    from torch import nn

    old, new = _net(0), _net(1)
    first, second = _values(old), _values(new)
    model = call(answer, old, new, 0.25)
    if not isinstance(model, nn.Module):
        raise Wrong("Return a network, a copy of `old` with other weights.")
    found = _values(model)
    if model is old or not all(map(close, _values(old), first)):
        raise Wrong("`old` itself has changed. Make a copy of it first: `copy.deepcopy(old)`.")
    if model is new or not all(map(close, _values(new), second)):
        raise Wrong("`new` itself has changed. Make a copy of `old`, and change that.")

    def mixed(a, b):
        return [a * p + b * q for p, q in zip(first, second, strict=True)]

    table = [
        (mixed(0.25, 0.75), "Turned round: at t = 0 it should be the old network."),
        (mixed(1, 0), "These are the weights of `old`. Are they written into the copy: `copy_`?"),
        (mixed(0, 1), "These are the weights of `new`, whatever t is."),
        (mixed(1, 0.25), "The new weights are added. The old ones lose the share t: (1 − t)."),
        (mixed(0.5, 0.5), "This is the middle, whatever t is."),
    ]
    if not all(map(close, found, mixed(0.75, 0.25))):
        for wrong, words in table:
            if all(map(close, found, wrong)):
                raise Wrong(words)
        weights = all(
            close(p, q) for p, q in zip(found, mixed(0.75, 0.25), strict=True) if p.ndim > 1
        )
        if weights:
            raise Wrong("The matrices are right, the biases are not: every parameter moves.")
        raise Wrong("The weights are not (1 − t) times the old plus t times the new.")
    if not all(p.requires_grad for p in model.parameters()):
        raise Wrong("The copy can no longer be trained. Write into its parameters under no_grad.")
    with torch.no_grad():
        ends = [call(answer, old, new, t)(torch.ones(1, 4)) for t in (0.0, 1.0)]
        wanted = [net(torch.ones(1, 4)) for net in (old, new)]
    if not all(map(close, ends, wanted)):
        raise Wrong("At t = 0 it should compute what `old` does, at t = 1 what `new` does.")
    return "No training, no old data, and one number to choose."


@exercise(
    "13.penalty",
    hints=[
        "Go through three lists at once: `zip(model.parameters(), start, importance)`.",
        "Each triple adds `(f * (p - w) ** 2).sum()`.",
        "Return `strength / 2` times the sum of all.",
    ],
)
def penalty(answer):
    """Return strength / 2 times the weighted squared distance from the old weights."""
    import torch

    model = _net(2)
    old = _net(3)
    start = _values(old)
    torch.manual_seed(4)
    importance = [torch.rand_like(p) for p in start]
    value = call(answer, model, start, importance, 3.0)
    if not isinstance(value, torch.Tensor):
        raise Wrong("Return a tensor with a gradient: the sum of what each parameter adds.")
    if value.numel() != 1:
        raise Wrong(f"The penalty is one number; yours has the shape {tuple(value.shape)}.")
    moved = [p.detach() - w for p, w in zip(model.parameters(), start, strict=True)]
    parts = [(f * m**2).sum() for f, m in zip(importance, moved, strict=True)]
    right = 1.5 * float(sum(parts))
    table = [
        (2 * right, "The half is missing: strength / 2."),
        (right / 3, "`strength` is missing."),
        (1.5 * float(sum((m**2).sum() for m in moved)), "`importance` is not used: each weight "
         "counts as much as another."),
        (1.5 * float(sum((f * m).pow(2).sum() for f, m in zip(importance, moved, strict=True))),
         "The importance is squared as well. It stands outside of the square."),
        (1.5 * float(sum((f * m.abs()).sum() for f, m in zip(importance, moved, strict=True))),
         "These are absolute values. Square the differences."),
        (1.5 * float(parts[0]), "Only the first parameter counts. Add up over all of them."),
        (1.5 * float(parts[-1]), "Only the last parameter counts. Add up over all of them."),
        (1.5 * float(sum(p.mean() for p in
                         (f * m**2 for f, m in zip(importance, moved, strict=True)))),
         "The mean of each parameter. Take the sum, or a small layer counts as much as a large."),
        (-right, "The sign is turned: the penalty would be a reward."),
        (1.5 * float(sum((f * p.detach() ** 2).sum()
                         for f, p in zip(importance, model.parameters(), strict=True))),
         "This pulls the weights to zero. They shall stay near `start`."),
    ]  # fmt: skip
    if not close(float(value.detach()), right):
        for wrong, words in table:
            if close(float(value.detach()), wrong):
                raise Wrong(words)
        raise Wrong(f"The penalty is {right:.4f} here; yours is {float(value.detach()):.4f}.")
    if not value.requires_grad:
        raise Wrong("The penalty has no gradient: it would change nothing. Do not detach.")
    slopes = torch.autograd.grad(value, list(model.parameters()), allow_unused=True)
    wanted = [3 * f * m for f, m in zip(importance, moved, strict=True)]
    if any(s is None for s in slopes) or not all(map(close, slopes, wanted)):
        raise Wrong("The value is right, but not its gradient, which is strength · F · (w − w⁰).")
    still = call(answer, old, start, [1] * len(start), 3.0)
    if not close(float(torch.as_tensor(still).detach()), 0.0):
        raise Wrong("A model that has not moved should pay nothing.")
    return "At the start it is zero, and so is its gradient: nothing holds a weight that stays."


@exercise(
    "13.fisher",
    hints=[
        "`for k in range(len(log_p))`: the gradient of `log_p[k]` for all parameters is "
        "`torch.autograd.grad(log_p[k], parameters, retain_graph=True)`.",
        "Each gradient is squared and weighted with the probability of k, `log_p[k].exp()`, "
        "detached; the mean over images divides by `len(images)`.",
        "`for f, g in zip(found, gradients): f += log_p[k].exp().detach() * g**2 / len(images)`.",
    ],
)
def fisher(answer):
    """Return the Fisher information of each weight; Kirkpatrick et al. (2017), section 2."""
    import torch
    from torch.nn import functional as F

    model = _net(5)
    torch.manual_seed(6)
    images = 1.5 * torch.randn(8, 4)
    parameters = list(model.parameters())
    before = _values(model)
    found = call(answer, model, images)
    if not isinstance(found, list | tuple) or len(found) != len(parameters):
        raise Wrong(f"Return a list of {len(parameters)} tensors, one per parameter.")
    found = [torch.as_tensor(array(f, "a tensor"), dtype=torch.float32) for f in found]
    if any(f.shape != p.shape for f, p in zip(found, parameters, strict=True)):
        raise Wrong("Each tensor has the shape of its parameter.")
    if not any(f.any() for f in found):
        raise NotAttempted()
    if not all(map(close, _values(model), before)):
        raise Wrong("The model has changed. Only measure it.")
    log_p = F.log_softmax(model(images), dim=1)
    each = [
        [torch.autograd.grad(log_p[i, k], parameters, retain_graph=True) for k in range(3)]
        for i in range(8)
    ]
    p = log_p.detach().exp()

    def total(weight):
        return [
            sum(weight(i, k, each[i][k][j]) for i in range(8) for k in range(3))
            for j in range(len(parameters))
        ]

    def same(one, other):
        return all(close(a, b, 1e-3, 1e-6) for a, b in zip(one, other, strict=True))

    right = total(lambda i, k, g: p[i, k] * g**2 / 8)
    if same(found, right):
        return "It needs no label: the network's own probabilities say what it would answer."
    best = p.argmax(dim=1)
    mean_first = [sum(each[i][int(best[i])][j] for i in range(8)) ** 2 / 64 for j in range(4)]
    table = [
        ([8 * f for f in right], "Added up over the images. Take the mean."),
        (total(lambda i, k, g: g**2 / 8), "Every class counts the same. Weight the square with "
         "the probability of the class."),
        (total(lambda i, k, g: g**2 / 24), "Every class counts the same. Weight the square with "
         "the probability of the class."),
        (total(lambda i, k, g: (p[i, k] * g) ** 2 / 8), "The probability is squared as well. It "
         "stands outside of the square."),
        (total(lambda i, k, g: p[i, k] * g / 8), "The gradients are not squared. Their mean is "
         "zero, which is why nothing is left."),
        (total(lambda i, k, g: p[i, k] * g.abs() / 8), "These are absolute values. Square them."),
        (total(lambda i, k, g: (k == best[i]) * g**2 / 8), "Only the most probable class counts. "
         "Add up over all classes, each with its probability."),
        (mean_first, "The gradients are averaged first and then squared. Square each."),
        (total(lambda i, k, g: (i == 7) * p[i, k] * g**2 / 8), "Only the last image counts: "
         "add to `found` with `+=`."),
        (total(lambda i, k, g: log_p[i, k].detach() * g**2 / 8), "Weighted with the logarithm of "
         "the probability. Take `.exp()`."),
    ]  # fmt: skip
    if not any(f.abs().max() > 1e-6 for f in found):
        raise Wrong(table[4][1])
    for wrong, words in table:
        if same(found, wrong):
            raise Wrong(words)
    raise Wrong(
        f"The head's first bias has the information {float(right[-1][0]):.4f}; yours says "
        f"{float(found[-1].flatten()[0]):.4f}."
    )
