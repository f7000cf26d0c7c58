"""The two exercises of lesson 06 that make up a training loop."""

from functools import partial

from transfer_lib.practice import Wrong, call, close, exercise, number

LEARNING_RATE = 0.5
near = partial(close, rtol=0, atol=1e-5)


def _model():
    """Return a small model of (states, mask) that notes in which mode it was called."""
    import torch

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.head = torch.nn.Linear(3, 2)
            self.calls = []

        def forward(self, states, mask):
            self.calls.append((len(states), self.training, torch.is_grad_enabled()))
            real = mask[..., None]
            return self.head((states * real).sum(1) / real.sum(1))

    torch.manual_seed(0)
    return Model()


def _batches(sizes):
    """Return random triples (states, mask, target)."""
    import torch

    rng = torch.Generator().manual_seed(1)
    triples = []
    for size in sizes:
        mask = torch.ones(size, 4, dtype=torch.long)
        mask[0, 2:] = 0
        target = torch.randint(0, 2, (size,), generator=rng)
        triples.append((2 * torch.randn(size, 4, 3, generator=rng), mask, target))
    return triples


def _weights(model):
    import torch

    return torch.cat([p.detach().flatten() for p in model.parameters()])


def _trained(batches, loss_of=None, clear=True):
    """Return the losses of plain gradient descent, and the weights after each step."""
    import torch

    model = _model()
    optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE)
    losses, weights = [], []
    for states, mask, target in batches:
        loss = (loss_of or torch.nn.functional.cross_entropy)(model(states, mask), target)
        if clear:
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        weights.append(_weights(model))
    return losses, weights


@exercise(
    "06.training_step",
    hints=[
        "Five things, in an order: what the model says, how wrong it is, and three calls.",
        "`F.cross_entropy(logits, target)` takes the logits as they are. Then clear the old "
        "gradients, compute the new ones, and let the optimiser step.",
        "`optimizer.zero_grad()`, `loss.backward()`, `optimizer.step()`; a tensor of one number "
        "becomes a float by `.item()`.",
    ],
)
def training_step(answer):
    """Train the model on one batch, a step of the optimiser, and return the loss, a float."""
    import torch
    from torch.nn import functional as F

    batches = _batches((6, 6))
    right, weights = _trained(batches)
    model = _model()
    start = _weights(model)
    optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE)
    losses, after = [], []
    for batch in batches:
        loss = call(answer, model, optimizer, *batch)
        if isinstance(loss, torch.Tensor) and loss.requires_grad:
            raise Wrong(
                "The loss still carries its gradient, and with it the memory of the whole step. "
                "Return a number: `loss.item()`."
            )
        losses.append(number(loss, "the loss"))
        after.append(_weights(model))
    if not model.calls:
        raise Wrong("The model was not called: `model(inputs, mask)` gives the logits.")
    if near(after[0], start):
        if near(after[1], start):
            raise Wrong(
                "The weights have not moved. A step needs `loss.backward()`, then "
                "`optimizer.step()`, and the gradients must not be cleared between the two."
            )
        raise Wrong(
            "The first step moved nothing, the second did: you step before the gradient is there. "
            "`backward` comes first, then `step`."
        )

    def softmax_first(logits, target):
        return F.cross_entropy(logits.softmax(1), target)

    def summed(logits, target):
        return F.cross_entropy(logits, target, reduction="sum")

    def squared(logits, target):
        return F.mse_loss(logits, F.one_hot(target, 2).float())

    if near(after[1], _trained(batches, clear=False)[1][1]):
        raise Wrong(
            "The first step is right, the second is not: the gradient of the first was still there "
            "and was added. Clear it: `optimizer.zero_grad()`."
        )
    if near(after[0], _trained(batches, softmax_first)[1][0]):
        raise Wrong("`cross_entropy` takes logits and applies the softmax itself. Leave yours out.")
    if near(after[0], _trained(batches, summed)[1][0]):
        raise Wrong("The loss is summed over the texts. Take the mean, which is the default.")
    if near(after[0], _trained(batches, squared)[1][0]):
        raise Wrong("This is the squared error. For classes, take the cross-entropy.")
    if near(after[0], 2 * start - weights[0]):
        raise Wrong("It goes uphill: the sign of the loss is turned.")
    if not near(after[0], weights[0]) or not near(after[1], weights[1]):
        apart = max(float((a - b).abs().max()) for a, b in zip(after, weights, strict=True))
        raise Wrong(
            f"After two steps the weights are up to {apart:.2g} away from those of the reference. "
            "Is it one step per call, with the cross-entropy of `model(inputs, mask)` and `target`?"
        )
    if not near(losses, right):
        raise Wrong(
            f"The steps are right. The losses of the two batches are {right[0]:.4f} and "
            f"{right[1]:.4f}, before each step; yours are {losses[0]:.4f} and {losses[1]:.4f}."
        )
    return "Five lines: all that is called training is made of them."


@exercise(
    "06.epoch",
    hints=[
        "Training mode first. Then a loop over the batches: one `training_step` each.",
        "The loss of a batch is a mean over its texts. Multiply it by their number before you add.",
        "Keep two sums, of `loss * len(target)` and of `len(target)`, and return their ratio.",
    ],
)
def epoch(answer):
    """Train on each batch once, in training mode; return the mean loss of a text."""
    import torch

    sizes = (6, 6, 2)
    batches = _batches(sizes)
    losses, weights = _trained(batches)
    model = _model().eval()
    start = _weights(model)
    optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE)
    value = number(call(answer, model, optimizer, list(batches)), "the mean loss")
    seen = [size for size, _, _ in model.calls]
    if not seen:
        raise Wrong("The model was never called. Loop over the batches, one training step each.")
    if not all(training for _, training, _ in model.calls):
        raise Wrong("The model is not in training mode, so dropout is off: `model.train()` first.")
    if len(seen) != len(sizes):
        raise Wrong(
            f"There were {len(sizes)} batches, and the model was called {len(seen)} times. Go "
            "through all of them, once each."
        )
    moved = _weights(model)
    if near(moved, start):
        raise Wrong("The weights have not moved. Each batch needs a whole training step.")
    if not near(moved, weights[-1]):
        raise Wrong(
            "The weights are not those of the reference after one epoch. Take the batches in their "
            "order, with one `training_step` each, and change nothing else."
        )
    right = sum(a * b for a, b in zip(losses, sizes, strict=True)) / sum(sizes)
    total = sum(losses)
    mistakes = {
        total
        / 3: "This is the mean of the batches' losses. The last batch has 2 texts, the others "
        "6: a text of the last would count three times as much. Weigh by the number of texts.",
        total: "These losses are summed. Divide, so that it does not depend on how many batches "
        "there are.",
        right * sum(sizes): "This is the sum over all texts. Divide by their number.",
        total / sum(sizes): "The losses of the batches are means already: multiply each by the "
        "number of its texts before you divide by that of all.",
        losses[-1]: "This is the loss of the last batch alone.",
        right * sum(sizes) / 3: "Divide by the number of texts, not of batches.",
    }
    if near(value, right):
        return "This is the training loss that the curves of an epoch show."
    for mistaken, words in mistakes.items():
        if near(value, mistaken):
            raise Wrong(words)
    raise Wrong(f"The weights are right. The mean loss is {right:.4f}; yours is {value:.4f}.")
