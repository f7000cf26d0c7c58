"""What lesson 13 teaches, on small data and against reference libraries."""

import copy

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestCentroid
from torch import nn
from torch.nn import functional as F
from transformers import BertConfig, BertModel

from transfer_lib.taught import lesson_13 as lesson


@pytest.fixture
def digits():
    generator = torch.Generator().manual_seed(0)
    centres = torch.rand(10, 1, 8, 8, generator=generator)
    y = torch.arange(10).repeat(12)
    return (centres[y] + 0.1 * torch.rand(120, 1, 8, 8, generator=generator)).clamp(0, 1), y


def small():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


def test_nearest_is_the_nearest_centroid_of_directions():
    """For rows of length 1 the largest product is the smallest distance to the unit mean."""
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = lesson.unit(rng.normal(size=(60, 5)) + 2 * np.eye(3, 5)[y])
    asked = lesson.unit(rng.normal(size=(200, 5)))
    means = lesson.unit(np.stack([x[y == k].mean(axis=0) for k in range(3)]))
    reference = NearestCentroid().fit(means, np.arange(3))
    assert (lesson.nearest(x, y, asked) == reference.predict(asked)).all()


def test_zero_shot_with_one_sentence_each_is_the_nearest_sentence():
    rng = np.random.default_rng(1)
    vectors, sentences = (lesson.unit(rng.normal(size=(n, 6))) for n in (50, 2))
    scores = lesson.zero_shot(vectors, sentences[:1], sentences[1:])
    classes = lesson.nearest(sentences, np.array([1, 0]), vectors)
    assert ((scores > 0) == (classes == 1)).all()


def test_contrast_of_two_views_is_the_cross_entropy_of_finding_the_partner():
    """NT-Xent as Chen et al. (2020) define it, equation 1, row by row."""
    torch.manual_seed(2)
    z = torch.randn(12, 5, dtype=torch.float64)
    unit, rows = F.normalize(z, dim=1), []
    for i in range(12):
        others = [j for j in range(12) if j != i]
        logits = unit[others] @ unit[i] / 0.2
        rows.append(F.cross_entropy(logits[None], torch.tensor([others.index((i + 6) % 12)])))
    found = lesson.contrast(z, torch.arange(6).repeat(2))
    torch.testing.assert_close(found, torch.stack(rows).mean())


def test_the_gradient_of_contrast_is_that_of_finite_differences():
    torch.manual_seed(3)
    z = torch.randn(7, 4, dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0, 1, 0, 2, 1, 2, 0])
    assert torch.autograd.gradcheck(lambda z: lesson.contrast(z, y), (z,))


def test_fisher_is_the_curvature_of_the_mean_divergence():
    """At the model itself, the second derivative of KL(p || p') is the Fisher information."""
    torch.manual_seed(4)
    model = nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    images = torch.randn(9, 1, 2, 3, dtype=torch.float64)
    names = [name for name, _ in model.named_parameters()]
    sizes = [p.numel() for p in model.parameters()]
    before = model(images).softmax(dim=1).detach()

    def divergence(flat):
        parts = [
            part.view_as(p) for part, p in zip(flat.split(sizes), model.parameters(), strict=True)
        ]
        logits = torch.func.functional_call(model, dict(zip(names, parts, strict=True)), (images,))
        return F.kl_div(logits.log_softmax(dim=1), before, reduction="batchmean")

    flat = torch.cat([p.detach().flatten() for p in model.parameters()])
    hessian = torch.autograd.functional.hessian(divergence, flat)
    found = torch.cat([f.flatten() for f in lesson.fisher(model, images)])
    torch.testing.assert_close(found, hessian.diagonal())


def test_the_penalty_pulls_only_where_weights_have_moved_and_matter():
    model = small()
    start = [p.detach().clone() for p in model.parameters()]
    with torch.no_grad():
        model[1].weight[0] += 1.0
    importance = [torch.zeros_like(p) for p in start]
    importance[0][0, 3] = 2.0
    value = lesson.penalty(model, start, importance, 5.0)
    value.backward()
    assert value.item() == pytest.approx(5.0)
    assert model[1].weight.grad[0, 3].item() == pytest.approx(10.0)
    assert int((model[1].weight.grad != 0).sum()) == 1


def test_between_ends_at_the_two_networks(digits):
    torch.manual_seed(5)
    old, new = small(), small()
    for t, end in ((0, old), (1, new)):
        torch.testing.assert_close(lesson.between(old, new, t)(digits[0]), end(digits[0]))
    half = lesson.between(old, new, 0.5)  # a linear network: the mean of the outputs
    torch.testing.assert_close(half(digits[0]), (old(digits[0]) + new(digits[0])) / 2)


def test_fine_tune_leaves_the_old_network_and_trains_on_both_sets(digits):
    x, y = digits
    torch.manual_seed(6)
    old = lesson.fine_tune(small(), (x, y), steps=80)
    kept = copy.deepcopy(old.state_dict())
    others = (x, (y + 1) % 10)  # what cannot be right for both
    alone = lesson.fine_tune(old, others, steps=80)
    both = lesson.fine_tune(old, others, (x, y), steps=80)
    for name, value in old.state_dict().items():
        assert torch.equal(value, kept[name])
    assert lesson.right(alone, *others) > 60
    assert lesson.right(both, x, y) > lesson.right(alone, x, y) + 10


def test_remedies_begin_at_the_old_network_and_a_strong_penalty_stays_near_it(digits):
    x, y = digits
    torch.manual_seed(7)
    old = lesson.fine_tune(nn.Sequential(lesson.body(), nn.Linear(64, 10)), (x, y), steps=60)
    importance = lesson.fisher(old, x[:20])
    found = lesson.remedies(old, (x, y), (1 - x[:40], y[:40]), importance, 0)
    assert list(found) == ["line", "L2-SP", "EWC", "50 old images", "all old images"]
    assert lesson.right(found["line"][0], x, y) == lesson.right(old, x, y)

    def moved(model):
        pairs = zip(model.parameters(), old.parameters(), strict=True)
        return sum(float(((p - q) ** 2).sum().detach()) for p, q in pairs)

    for name in ("L2-SP", "EWC"):
        assert moved(found[name][2]) < moved(found[name][0])
    assert moved(found["L2-SP"][2]) < moved(found["line"][-1])


def test_views_move_images_little_and_differ():
    images = torch.zeros(6, 1, 8, 8)
    images[:, :, 3:5, 3:5] = 1
    generator = torch.Generator().manual_seed(8)
    one, other = lesson.views(images, generator), lesson.views(images, generator)
    assert one.shape == images.shape and not torch.equal(one, other)
    assert (one[:, :, 2:6, 2:6].sum((1, 2, 3)) > 0.5 * one.sum((1, 2, 3))).all()
    assert 0 <= float(one.min()) and float(one.max()) <= 1


@pytest.mark.parametrize("task", [lesson.find_partner, lesson.find_turn])
def test_pretraining_lowers_the_loss_of_its_task(digits, task):
    losses = []

    def noted(model, images, generator):
        losses.append(task(model, images, generator))
        return losses[-1]

    body = lesson.pretrain(digits[0], noted, 32, steps=30)
    assert body(digits[0]).shape == (120, 64)
    first, last = (float(torch.stack(some).mean().detach()) for some in (losses[:5], losses[-5:]))
    assert last < first


def test_scanners_draws_ten_images_of_each_digit_and_inverts_them():
    prints, print_test, shifts = lesson.scanners(3)
    (x, y), (x_test, y_test) = shifts["scans"]
    (dark, same), _ = shifts["negatives"]
    assert torch.bincount(y).tolist() == [10] * 10 and torch.equal(y, same)
    torch.testing.assert_close(dark, 1 - x)
    assert len(x_test) == len(y_test) == 901 and len(prints[0]) == 13094
    assert len(print_test[0]) == 2906


def test_training_on_pairs_draws_the_classes_apart():
    torch.manual_seed(11)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = BertConfig(vocab_size=50, intermediate_size=32, max_position_embeddings=20, **sizes)
    encoder = BertModel(config).eval()
    kept = [torch.randn(3 + i % 4, 16) for i in range(40)]
    y = np.arange(40) % 2
    before, losses = {name: p.clone() for name, p in encoder.named_parameters()}, []

    def noted(z, target):
        losses.append(lesson.contrast(z, target))
        return losses[-1]

    moved = lesson.tuned_vectors(encoder, kept, y, np.arange(16), noted)
    assert moved.shape == (40, 16) and losses[-1].item() < losses[0].item()
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-5)
    assert all(torch.equal(p, before[name]) for name, p in encoder.named_parameters())
