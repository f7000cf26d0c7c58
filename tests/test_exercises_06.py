"""The exercises of lesson 06: right answers in every form, wrong ones with their words."""

import numpy as np
import torch
from torch import nn

import exercise_cases


def pool_by_hand(states, mask):
    return [s[m.bool()].mean(0).tolist() for s, m in zip(states, mask, strict=True)]


def pool_einsum(states, mask):
    return torch.einsum("btw,bt->bw", states, mask / mask.sum(1, keepdim=True))


def pool_numpy(states, mask):
    s, m = states.numpy(), mask.numpy()[..., None]
    return (s * m).sum(1) / m.sum(1)


def pool_nanmean(states, mask):
    return states.masked_fill(mask[..., None] == 0, float("nan")).nanmean(1)


def pool_overwriting(states, mask):
    states[mask == 0] = 0
    return states.sum(1) / mask.sum(1, keepdim=True)


def pool_copy(states, mask):
    return pool_overwriting(states.clone(), mask)


def steps(*lines):
    """Return a training step made of these lines."""
    body = "\n    ".join(lines)
    scope = {"F": nn.functional, "torch": torch}
    exec(f"def step(model, optimizer, inputs, mask, target):\n    {body}", scope)
    return scope["step"]


LOSS = "loss = F.cross_entropy(model(inputs, mask), target)"
CLEAR, BACK, STEP = "optimizer.zero_grad()", "loss.backward()", "optimizer.step()"
ITEM = "return loss.item()"
plain = steps(LOSS, CLEAR, BACK, STEP, ITEM)


def loss_is(expression):
    return steps(f"loss = {expression}", CLEAR, BACK, STEP, ITEM)


def loss_after(model, optimizer, inputs, mask, target):
    plain(model, optimizer, inputs, mask, target)
    with torch.no_grad():
        return nn.functional.cross_entropy(model(inputs, mask), target).item()


def epoch_sum(model, optimizer, batches):
    model.train()
    pairs = [(plain(model, optimizer, *batch), len(batch[2])) for batch in batches]
    return sum(loss * n for loss, n in pairs) / sum(n for _, n in pairs)


def epoch_average(model, optimizer, batches):
    model.train()
    losses = [plain(model, optimizer, *batch) for batch in batches]
    return np.average(losses, weights=[len(target) for _, _, target in batches])


def epoch_alone(model, optimizer, batches):
    """Without a step function of its own."""
    model.train(True)
    every = []
    for inputs, mask, target in batches:
        optimizer.zero_grad()
        losses = nn.functional.cross_entropy(model(inputs, mask), target, reduction="none")
        losses.mean().backward()
        optimizer.step()
        every.extend(losses.tolist())
    return torch.tensor(every).mean()


def epoch_by(summary, train=True, batches_of=lambda batches: batches, step=plain):
    def epoch(model, optimizer, batches):
        model.train(train)
        chosen = batches_of(batches)
        losses = np.array([step(model, optimizer, *batch) for batch in chosen])
        return summary(losses, np.array([len(batch[2]) for batch in chosen]))

    return epoch


def attention_torch(q, k, v):
    return nn.functional.scaled_dot_product_attention(q[None], k[None], v[None])[0]


def attention_loop(q, k, v):
    means = []
    for query in q:
        weights = torch.exp(k @ query / len(query) ** 0.5)
        means.append((weights[:, None] * v).sum(0) / weights.sum())
    return torch.stack(means)


def attention_numpy(q, k, v):
    q, k, v = q.numpy(), k.numpy(), v.numpy()
    e = np.exp(q @ k.T / np.sqrt(q.shape[1]))
    return e / e.sum(1, keepdims=True) @ v


def shares(q, k, scale=0.5, dim=-1):
    return torch.softmax(q @ k.T * scale, dim)


RIGHT = {
    "attention": [
        attention_torch,
        attention_loop,
        attention_numpy,
        lambda q, k, v: shares(q, k) @ v,
    ],
    "mean_pool": [pool_by_hand, pool_einsum, pool_numpy, pool_nanmean, pool_copy],
    "training_step": [
        plain,
        steps(CLEAR, LOSS, BACK, STEP, ITEM),
        steps(LOSS, BACK, STEP, CLEAR, "return float(loss)"),
        steps(
            "loss = torch.nn.CrossEntropyLoss()(model(inputs, mask), target)",
            CLEAR,
            BACK,
            STEP,
            "return loss.detach()",
        ),
        loss_is("F.nll_loss(model(inputs, mask).log_softmax(1), target)"),
    ],
    "epoch": [epoch_sum, epoch_average, epoch_alone],
    "faults": [{1, 4, 16, 17}, [17, 16, 4, 1], (1, 4, 16, 17), np.array([1, 4, 16, 17])],
}
WRONG = {
    "attention": [
        (lambda q, k, v: shares(q, k), "These are the shares"),
        (lambda q, k, v: shares(q, k, 1) @ v, "not divided by √d"),
        (lambda q, k, v: shares(q, k, 1 / 4) @ v, "not by its root"),
        (lambda q, k, v: shares(q, k, dim=0) @ v, "runs over the queries"),
        (lambda q, k, v: q @ k.T / 2 @ v, "There is no softmax"),
        (lambda q, k, v: shares(q, k, 1) / 2 @ v, "after the softmax"),
        (lambda q, k, v: shares(q, k, 5**-0.5) @ v, "number of tokens"),
        (lambda q, k, v: shares(q, k, 2) @ v, "multiplied by √d"),
        (lambda q, k, v: v.mean(0).expand(3, 2), "the plain mean"),
        (lambda q, k, v: shares(k, q) @ v[:3], "the shape (3, 2); yours"),
        (lambda q, k, v: shares(q, k) @ v + 1, "The first mean is"),
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
    "training_step": [
        (steps(LOSS, BACK, STEP, ITEM), "Clear it"),
        (steps(LOSS, CLEAR, BACK, ITEM), "have not moved"),
        (steps(LOSS, BACK, CLEAR, STEP, ITEM), "have not moved"),
        (steps(LOSS, CLEAR, STEP, BACK, ITEM), "have not moved"),
        (steps(LOSS, STEP, BACK, ITEM), "step before the gradient"),
        (steps(LOSS, CLEAR, BACK, STEP, "return loss"), "loss.item()"),
        (loss_is("F.cross_entropy(model(inputs, mask).softmax(1), target)"), "takes logits"),
        (loss_is("F.cross_entropy(model(inputs, mask), target, reduction='sum')"), "summed"),
        (loss_is("F.mse_loss(model(inputs, mask), F.one_hot(target, 2).float())"), "squared error"),
        (loss_is("-F.cross_entropy(model(inputs, mask), target)"), "uphill"),
        (steps(LOSS, CLEAR, BACK, STEP, STEP, ITEM), "away from those of the reference"),
        (loss_after, "before each step"),
        (lambda *given: 0.5, "was not called"),
    ],
    "epoch": [
        (epoch_by(lambda losses, n: losses.mean()), "the mean of the batches' losses"),
        (epoch_by(lambda losses, n: losses.sum()), "summed"),
        (epoch_by(lambda losses, n: (losses * n).sum()), "sum over all texts"),
        (epoch_by(lambda losses, n: losses.sum() / n.sum()), "are means already"),
        (epoch_by(lambda losses, n: losses[-1]), "the last batch alone"),
        (epoch_by(lambda losses, n: (losses * n).sum() / len(n)), "not of batches"),
        (epoch_by(lambda losses, n: losses.mean(), train=False), "not in training mode"),
        (epoch_by(lambda losses, n: 0.1, batches_of=lambda b: b[:1]), "called 1 times"),
        (
            epoch_by(lambda losses, n: 0.1, batches_of=lambda b: b[::-1]),
            "Take the batches in their",
        ),
        (epoch_by(lambda losses, n: 0.1, step=steps(LOSS, ITEM)), "have not moved"),
        (epoch_by(lambda losses, n: 0.1), "The weights are right"),
        (lambda model, optimizer, batches: 0.5, "never called"),
    ],
    "faults": [
        ({1, 4, 16}, "3 of 4, all of them right. Look at what is printed"),
        ({1, 4, 7, 16}, "Line 7 has no fault"),
        ({4, 16, 17}, "Look at what is imported"),
        ({1, 4, 16, 30}, "There is no line 30"),
        ("1, 4", "as a set"),
    ],
}


test_right, test_wrong, test_complete = exercise_cases.tests("06", RIGHT, WRONG)
