"""Lesson 12: LoRA against peft, the student's gradient, what pruning and int8 leave."""

import copy

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from torch.nn import functional as F
from transformers import BertConfig, BertModel

from transfer_lib import encoders
from transfer_lib.taught import lesson_12 as lesson
from transfer_lib.taught.lesson_06 import Classifier


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = BertConfig(vocab_size=50, intermediate_size=32, max_position_embeddings=20, **sizes)
    return BertModel(config).eval()


@pytest.fixture
def kept():
    torch.manual_seed(1)
    return [torch.randn(3 + i % 4, 16) for i in range(24)]


LABELS = np.arange(24) % 2


def disturbed(model):
    """Give each B values, as training would."""
    torch.manual_seed(2)
    for module in model.modules():
        if isinstance(module, lesson.LoRA):
            nn.init.normal_(module.b, std=0.3)
    return model


def test_lora_is_that_of_peft(encoder, kept):
    """The same A and B in peft's own layers give the same states."""
    ours = disturbed(lesson.with_lora(Classifier(encoder, 1), rank=4, alpha=8))
    config = LoraConfig(r=4, lora_alpha=8, target_modules=["query", "value"])
    theirs = get_peft_model(encoders.above(encoder, 1), config)
    layers = zip(encoders.layers(ours.upper), encoders.layers(theirs.base_model.model), strict=True)
    for own, other in layers:
        for name in ("query", "value"):
            mine = getattr(own.attention.self, name)
            peft = getattr(other.attention.self, name)
            peft.lora_A["default"].weight.data.copy_(mine.a)
            peft.lora_B["default"].weight.data.copy_(mine.b)
    states, mask = encoders.padded(kept, range(5))
    with torch.no_grad():
        expected = theirs(inputs_embeds=states, attention_mask=mask).last_hidden_state
        found = ours.upper(inputs_embeds=states, attention_mask=mask).last_hidden_state
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    heads = sum(p.numel() for p in ours.head.parameters())
    trained = sum(p.numel() for p in theirs.parameters() if p.requires_grad)
    assert lesson.count(ours) - heads == trained


def test_merging_gives_the_same_model_without_lora(encoder, kept):
    model = disturbed(lesson.with_lora(Classifier(encoder, 1)))
    merged = lesson.merge(model)
    assert not any(isinstance(module, lesson.LoRA) for module in merged.modules())
    assert any(isinstance(module, lesson.LoRA) for module in model.modules())
    rows = range(len(kept))
    expected = encoders.predict(model, kept, rows)
    np.testing.assert_allclose(encoders.predict(merged, kept, rows), expected, atol=1e-5)


def test_lora_starts_as_the_encoder(encoder, kept):
    plain = Classifier(encoder, 1)
    other = lesson.with_lora(copy.deepcopy(plain))
    rows = range(len(kept))
    expected = encoders.predict(plain, kept, rows)
    np.testing.assert_allclose(encoders.predict(other, kept, rows), expected, atol=1e-6)


@pytest.mark.parametrize("way", ["head alone", "biases", "LoRA", "all"])
def test_tune_trains_what_it_may_and_nothing_else(encoder, kept, way):
    model = Classifier(encoder, 1)
    if way == "head alone":
        model.upper.requires_grad_(False)
    elif way == "biases":
        lesson.bitfit(model)
    elif way == "LoRA":
        lesson.with_lora(model)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    lesson.tune(model, kept, LABELS, np.arange(24), 1e-2, epochs=3)
    for name, p in model.named_parameters():
        moved = not torch.equal(p, before[name])
        # A key's bias adds the same to all products of a query, which the softmax does not see.
        assert moved == p.requires_grad or name.endswith("key.bias"), name


def test_the_gradient_of_distil_is_the_known_one():
    """T (q − p) / n, here by autograd and by finite differences."""
    torch.manual_seed(3)
    student = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    teacher, T = 3 * torch.randn(5, 4, dtype=torch.float64), 3.0
    lesson.distil(student, teacher, T).backward()
    expected = T * ((student / T).softmax(1) - (teacher / T).softmax(1)) / 5
    torch.testing.assert_close(student.grad, expected.detach())
    assert torch.autograd.gradcheck(lambda z: lesson.distil(z, teacher, T), (student,))


def test_distil_of_hard_answers_is_the_cross_entropy():
    torch.manual_seed(4)
    logits, answers = torch.randn(6, 2), torch.tensor([0, 1, 1, 0, 1, 0])
    found = lesson.distil(logits, lesson.hard(answers), 1)
    torch.testing.assert_close(found, F.cross_entropy(logits, answers))


def test_a_student_learns_from_the_rows_that_it_is_given():
    torch.manual_seed(5)
    x, answers = torch.randn(80, 30), (torch.arange(80) % 2)
    student = lesson.teach(x, np.arange(40), lesson.hard(answers), 1)
    said = student(x).argmax(dim=1)
    assert (said[:40] == answers[:40]).all() and not (said[40:] == answers[40:]).all()


def test_what_is_pruned_stays_zero_when_trained_on(encoder, kept):
    model = lesson.pruned(Classifier(encoder, 1), 0.6)
    linear = [m for m in model.upper.modules() if isinstance(m, nn.Linear)]
    zero = [m.weight == 0 for m in linear]
    share = sum(int(z.sum()) for z in zero) / sum(z.numel() for z in zero)
    assert share == pytest.approx(0.6, abs=1e-3)
    lesson.tune(model, kept, LABELS, np.arange(24), 1e-2, epochs=2)
    for module, was in zip(linear, zero, strict=True):
        weight = module.weight_orig * module.weight_mask
        assert (weight[was] == 0).all() and (module.weight_orig.grad is not None)


def test_int8_is_smaller_and_answers_nearly_the_same(encoder):
    small = lesson.in_int8(encoder)
    assert lesson.megabytes(small) < lesson.megabytes(encoder)
    ids = torch.arange(12).reshape(2, 6)
    with torch.no_grad():
        states, other = (one(input_ids=ids).last_hidden_state for one in (encoder, small))
    assert 0 < float((states - other).abs().max()) < 0.3
    assert next(encoder.parameters()).dtype == torch.float32  # the given one is left as it was


def test_quantised_rows_come_back_within_half_a_step():
    torch.manual_seed(6)
    w = torch.randn(8, 50) * torch.logspace(-3, 3, 8)[:, None]
    q, scale = lesson.quantise(w)
    assert q.dtype == torch.int8 and float(((q * scale - w).abs() / scale).max()) <= 0.5001
    assert (q.abs().amax(dim=1) == 127).all()


def test_means_of_leave_the_padding_out(encoder):
    class Tokenizer:
        def __call__(self, some, **options):
            length = max(map(len, some))
            ids = torch.tensor([[ord(c) % 50 for c in t] + [0] * (length - len(t)) for t in some])
            mask = torch.tensor([[1] * len(t) + [0] * (length - len(t)) for t in some])
            return {"input_ids": ids, "attention_mask": mask}

    both = lesson.means_of(encoder, Tokenizer(), ["abc", "abcdefgh"])
    alone = lesson.means_of(encoder, Tokenizer(), ["abc"])
    torch.testing.assert_close(both[:1], alone, atol=1e-5, rtol=1e-5)
