"""Encoders of any make: run in two parts, or refused before the training."""

import numpy as np
import pytest
import torch
import transformers

from transfer_lib import encoders
from transfer_lib.taught import lesson_06 as lesson

SMALL = dict(
    vocab_size=30522, hidden_size=24, num_hidden_layers=3, num_attention_heads=2,
    intermediate_size=48, pad_token_id=0,
)  # fmt: skip
OTHER = {
    "distilbert": dict(
        vocab_size=30522, pad_token_id=0, dim=24, n_layers=3, n_heads=2, hidden_dim=48
    ),
    "electra": SMALL | {"embedding_size": 16},
    "modernbert": SMALL | dict.fromkeys(
        ("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"), 1
    ),
}  # fmt: skip
KINDS = ["bert", "roberta", "camembert", "xlm-roberta", "mpnet", "deberta-v2", *OTHER]
TEXTS = [
    f"{w} {t}" for w in ("good", "bad", "fine", "poor") for t in ("film", "new kettle", "a b c")
]
LABELS = np.array([0, 0, 0, 1, 1, 1] * 2)


def encoder_of(kind):
    config = transformers.AutoConfig.for_model(kind, **OTHER.get(kind, SMALL))
    torch.manual_seed(0)
    return transformers.AutoModel.from_config(config).eval()


@pytest.fixture(scope="module")
def tokenizer():
    name, _ = encoders.find(quick=True)
    return transformers.AutoTokenizer.from_pretrained(name)


@pytest.mark.parametrize("kind", KINDS)
def test_the_upper_layers_continue_what_the_lower_ones_began(tokenizer, kind):
    encoder = encoder_of(kind)
    inputs = tokenizer(TEXTS, padding=True, return_tensors="pt")
    inputs.pop("token_type_ids", None)
    with torch.no_grad():
        whole = encoder(**inputs).last_hidden_state
    mask = inputs["attention_mask"][..., None]
    expected = (whole * mask).sum(1) / mask.sum(1)
    kept = encoders.run_layers(encoder, tokenizer, TEXTS, keep=(0, 1, 2))
    for frozen in (0, 1, 2):
        model = lesson.Classifier(encoder, frozen).eval()
        with torch.no_grad():
            pooled = model.pool(*encoders.padded(kept[frozen], np.arange(len(TEXTS))))
        torch.testing.assert_close(pooled, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_any_of_them_is_trained(tokenizer, kind):
    encoder = encoder_of(kind)
    kept = encoders.run_layers(encoder, tokenizer, TEXTS, keep=(1,))[1]
    rows = np.arange(len(TEXTS))
    _, history = lesson.fine_tune(
        encoder, kept, LABELS, rows, rows, frozen=1, rate=1e-3, epochs=2, bfloat16=False, size=5
    )
    assert len(history) == 2 and all(np.isfinite(record["loss"]) for record in history)


def test_one_that_cannot_be_cut_is_named_before_the_training(tokenizer):
    encoder = encoder_of("albert")
    with pytest.raises(ValueError, match="AlbertModel has no list of 3 layers.*DistilBERT"):
        encoders.run_layers(encoder, tokenizer, TEXTS, keep=(1,))


def test_out_of_memory_halves_the_batch_once_and_says_so(capsys):
    sizes = []

    @encoders.halved_once
    def train(rows, size=32):
        sizes.append(size)
        if size > rows:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return size

    assert train(100) == 32 and capsys.readouterr().out == ""
    assert train(16) == 16 and sizes[-2:] == [32, 16]
    assert "no room for 32 texts at once: it starts again with 16" in capsys.readouterr().out
    with pytest.raises(torch.OutOfMemoryError):
        train(4, size=12)
    assert sizes[-2:] == [12, 6]
    assert train.__name__ == "train" and encoders.run_layers.__doc__


def test_a_whole_training_starts_again_with_half_the_batch(tokenizer, monkeypatch, capsys):
    encoder = encoder_of("bert")
    states = encoders.run_layers(encoder, tokenizer, TEXTS, keep=[1])[1]
    sizes, real = [], encoders.padded

    def padded(kept, rows):
        sizes.append(len(rows))
        if len(rows) > 6:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(kept, rows)

    monkeypatch.setattr(encoders, "padded", padded)
    y, rows = np.arange(len(TEXTS)) % 2, np.arange(len(TEXTS))
    size = len(TEXTS)
    monkeypatch.setattr(encoders, "measured", lambda *_: {"val_loss": 1.0, "val_accuracy": 0.5})
    lesson.fine_tune(encoder, states, y, rows, rows, frozen=1, rate=1e-3, epochs=1, size=size)
    assert sizes[0] == size and max(sizes[1:]) <= -(-size // 2)
    assert f"no room for {size} texts" in capsys.readouterr().out
