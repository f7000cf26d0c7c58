"""Exercises of lesson 12: few weights, a small student."""

from transfer_lib.exercises.lesson_12_size import decide, prune, quantise
from transfer_lib.practice import NotAttempted, Wrong, array, call, close, exercise, number

__all__ = ["LoRA", "bitfit", "decide", "distil", "prune", "quantise"]


def _linear(rows=6, columns=5):
    import torch

    torch.manual_seed(0)
    return torch.nn.Linear(columns, rows)


def _trained(layer, x, target, steps=3):
    """Take a few steps with what may be trained; return what has moved, by name."""
    import torch

    before = {name: p.detach().clone() for name, p in layer.named_parameters()}
    optimizer = torch.optim.Adam([p for p in layer.parameters() if p.requires_grad], 0.05)
    for _ in range(steps):
        loss = ((layer(x) - target) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {n: float((p.detach() - before[n]).abs().max()) for n, p in layer.named_parameters()}


@exercise(
    "12.LoRA",
    hints=[
        "A has the shape (rank, base.in_features), B the shape (base.out_features, rank). Both are "
        "`nn.Parameter`. One starts at zero, so that nothing changes at first; the other random.",
        "`self.a = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5)` and "
        "`self.b = nn.Parameter(torch.zeros(base.out_features, rank))`.",
        "forward: `self.base(x) + self.scale * (x @ self.a.T @ self.b.T)`. In `merged` the weight "
        "is `self.base.weight + self.scale * self.b @ self.a`.",
    ],
)
def LoRA(answer):
    """Add a trained product of two thin matrices to a linear layer, and merge it in the end."""
    import torch

    base = _linear()
    torch.manual_seed(1)
    x, target = torch.randn(40, 5), torch.randn(40, 6)
    frozen = base.weight.detach().clone(), base.bias.detach().clone()
    first = base(x).detach()
    layer = call(answer, base, 2, 6)
    if not isinstance(layer, torch.nn.Module):
        raise Wrong("LoRA is a class, an `nn.Module`; the check makes one of a linear layer.")
    out = layer(x)
    if out is None and {name for name, _ in layer.named_parameters()} <= {
        "base.weight",
        "base.bias",
    }:
        raise NotAttempted()
    if not isinstance(out, torch.Tensor):
        raise Wrong("`forward` returns a tensor. Does it end with `return ...`?")
    if out.shape != (40, 6):
        raise Wrong(f"Expected an output of shape (40, 6); yours has {tuple(out.shape)}.")
    if not close(out.detach(), first, 1e-5):
        raise Wrong(
            "Untrained, it should compute what the base does: one of A and B starts at zero. "
            "Otherwise the pretrained layer is disturbed before the first step."
        )
    free = sum(p.numel() for p in layer.parameters() if p.requires_grad)
    if not free:
        raise Wrong("Nothing can be trained: A and B are no `nn.Parameter`, or are frozen.")
    if free == 2 * (5 + 6) + 30 + 6:
        raise Wrong("The base is trained as well. Freeze it: `base.requires_grad_(False)`.")
    if free not in (22, 28):
        raise Wrong(
            f"{free} numbers would be trained; with rank 2 A and B hold 2 · 5 + 6 · 2 = 22."
        )
    moved = _trained(layer, x, target)
    if not close(base.weight.detach(), frozen[0]) or not close(base.bias.detach(), frozen[1]):
        raise Wrong("The base has moved. It stays as it is; A and B alone are trained.")
    still = [name for name, by in moved.items() if by == 0 and not name.startswith("base")]
    if len(still) == 2:
        raise Wrong(
            "Neither A nor B moves. If both start at zero, each has a gradient times the other: "
            "zero, for ever. Let one of them be random."
        )
    with torch.no_grad():
        change = layer(x) - first
        parts = {tuple(p.shape): p for n, p in layer.named_parameters() if p.requires_grad}
        pair = (parts.get((6, 2)), parts.get((2, 5)))
        if None not in pair:
            product = x @ (pair[0] @ pair[1]).T
            ratio = float((change * product).sum() / (product**2).sum())
            if abs(ratio - 1) < 1e-3:
                raise Wrong("The product is not scaled: multiply it by `alpha / rank`, here 3.")
            if abs(ratio - 3) > 1e-3 and close(change, ratio * product, 1e-4):
                raise Wrong(f"The product is scaled by {ratio:.2f}; alpha / rank is 3 here.")
        whole = call(layer.merged)
        if not isinstance(whole, torch.nn.Linear):
            raise Wrong("`merged` returns an ordinary `nn.Linear`.")
        if whole.bias is None:
            raise Wrong("The merged layer has lost the bias of the base.")
        if close(whole.weight, frozen[0], 1e-6):
            raise Wrong("The merged layer has the weights of the base: what was learned is gone.")
        if not close(layer(x), first + change, 1e-5):
            raise Wrong("`merged` has changed the layer itself: it now adds the product twice.")
        difference = float((whole(x) - layer(x)).abs().max())
        if difference > 1e-4:
            raise Wrong(
                f"Merged, the outputs differ by {difference:.2g}. The weight is that of the base "
                "plus scale · B A; look at the order of the two, and at the scale."
            )
    return "Untrained it is the base, trained a little more, and merged it costs nothing to run."


@exercise(
    "12.bitfit",
    hints=[
        "`model.named_parameters()` gives pairs of a name and a tensor. A bias has a name that "
        'ends with "bias"; the head\'s names start with "head".',
        '`p.requires_grad_(name.endswith("bias") or name.startswith("head"))` for each pair.',
        "Return the sum of `p.numel()` over those with `p.requires_grad`.",
    ],
)
def bitfit(answer):
    """Let only biases and the head be trained; return how many numbers that are."""
    from collections import OrderedDict

    import torch
    from torch import nn

    def make():
        torch.manual_seed(0)
        inner = OrderedDict(dense=nn.Linear(4, 4), norm=nn.LayerNorm(4), out=nn.Linear(4, 4))
        return nn.Sequential(OrderedDict(upper=nn.Sequential(inner), head=nn.Linear(4, 3)))

    model = make().requires_grad_(False)  # as it comes out of another experiment
    value = call(answer, model, may_return_none=True)
    free = {name for name, p in model.named_parameters() if p.requires_grad}
    heads = {"head.weight", "head.bias"}
    wanted = {"upper.dense.bias", "upper.norm.bias", "upper.out.bias"} | heads
    if not close(model.upper.dense.bias.detach(), make().upper.dense.bias.detach()):
        raise Wrong("Values have changed. Only say what may be trained: `requires_grad_`.")
    if not free:
        raise Wrong("Nothing may be trained now. The flag has to be set to True for some.")
    if free == wanted - heads:
        raise Wrong("The head is frozen as well. It is new: all of it has to learn.")
    if "head.weight" not in free:
        raise Wrong("The head's matrix is frozen. It is new: all of it has to learn.")
    if free - wanted == {"upper.norm.weight"}:
        raise Wrong("The scale of the normalisation is trained, too. Its name ends with `weight`.")
    if free - wanted:
        raise Wrong(
            f"{sorted(free - wanted)[0]} may be trained, too. Only names ending with `bias`."
        )
    if free != wanted:
        raise Wrong(f"{sorted(wanted - free)[0]} is frozen.")
    again = make()
    call(answer, again, may_return_none=True)
    if {name for name, p in again.named_parameters() if p.requires_grad} != wanted:
        raise Wrong("In a model that is free all over, set the flag to False for the others.")
    if value is None:
        raise Wrong("The flags are right. Return how many numbers are trained.")
    if number(value, "the count") == 5:
        raise Wrong("Five tensors are trained; the question is how many numbers: `p.numel()`.")
    if number(value, "the count") != 27:
        raise Wrong(f"3 · 4 biases and 4 · 3 + 3 of the head are 27 numbers; yours is {value}.")
    return "No matrix of the encoder moves, and yet it learns something."


def _soft(logits):
    import torch

    return torch.softmax(logits, dim=1)


@exercise(
    "12.distil",
    hints=[
        "Divide both logits by `T`. The softmax of the teacher's is the target; of the student's "
        "take `F.log_softmax`.",
        "The cross-entropy of a row is `-(target * log_q).sum(dim=1)`; take the mean of the rows.",
        "Multiply by `T**2`. PyTorch's `F.cross_entropy` takes probabilities as a target, too: "
        "`T**2 * F.cross_entropy(student / T, (teacher / T).softmax(dim=1))`.",
    ],
)
def distil(answer):
    """Return the cross-entropy of the student to the softened teacher, times T squared."""
    import torch
    from torch.nn import functional as F

    torch.manual_seed(3)
    s, t, T = 2 * torch.randn(7, 3), 3 * torch.randn(7, 3), 2.5
    student = s.clone().requires_grad_(True)
    loss = call(answer, student, t.clone(), T)
    if not isinstance(loss, torch.Tensor):
        raise Wrong("Return a tensor, so that the loss has a gradient.")
    value = array(loss.detach(), "the loss")
    if value.size != 1:
        raise Wrong(f"The loss is one number; yours has the shape {value.shape}.")
    value = float(value.reshape(()))

    def entropy(a, b):
        return float(-(_soft(b) * F.log_softmax(a, dim=1)).sum(1).mean())

    right = T**2 * entropy(s / T, t / T)
    own = T**2 * float(-(_soft(t / T) * F.log_softmax(t / T, dim=1)).sum(1).mean())
    table = [
        (entropy(s / T, t / T), "The factor T² is missing. Softened gradients are smaller by 1/T²; "
         "the factor makes up for it."),
        (T * entropy(s / T, t / T), "The factor is T squared."),
        (T**2 * entropy(s, t / T), "Only the teacher is softened. Divide both logits by T."),
        (T**2 * entropy(s / T, t), "Only the student is softened. Divide both logits by T."),
        (T**2 * entropy(t / T, s / T), "Turned round: the teacher's probabilities are the target."),
        (7 * right, "The rows are added up. Take their mean."),
        (right / 3, "The mean goes over the classes as well. Add up over classes, `sum(dim=1)`, "
         "then take the mean of the rows."),
        (T**2 * F.cross_entropy(s / T, t.argmax(1)).item(), "These are the teacher's *hard* "
         "labels. Give its probabilities, with all that it finds half likely."),
        (T**2 * entropy(s * T, t * T), "Multiplied by T. A high temperature makes soft: divide."),
        (-right, "The sign is turned."),
    ]  # fmt: skip
    divergence = close(value, right - own, 1e-4)
    if not divergence and not close(value, right, 1e-4):
        for wrong, words in table:
            if close(value, wrong, 1e-4):
                raise Wrong(words)
        raise Wrong(f"For the check's logits the loss is {right:.4f}; yours is {value:.4f}.")
    if not loss.requires_grad:
        raise Wrong("The loss has no gradient: do not leave torch on the way.")
    loss.backward()
    slope = T * (_soft(s / T) - _soft(t / T)) / 7
    if student.grad is None or not close(student.grad, slope, 1e-4):
        raise Wrong("The value is right, but not its gradient. Do not detach the student.")
    return "Its gradient is T · (q − p) / n, on the scale of hard labels at any temperature." + (
        " (Yours is the divergence: it differs by a constant, so the gradient is the same.)"
        if divergence
        else ""
    )
