"""A check survives any answer and leaves no trace: the right answer is right after each attack."""

import asyncio
import importlib
import io
import os
import random
import signal
import subprocess
import sys
import time
import warnings

import keras
import numpy as np
import pytest
import torch

from transfer_lib.practice import Outcome, Wrong, array, call, close, exercise, reading

module = importlib.import_module("transfer_lib.practice.exercise")  # `exercise` is its function


@exercise("00.accuracy")
def double(answer):
    """Return twice the argument."""
    x = np.array([1.5, 2.0, -3.0])
    if not close(array(call(answer, x)), [3.0, 4.0, -6.0]):
        raise Wrong("Not twice.")


def right(x):
    return 2 * x


class Unprintable(Exception):
    def __str__(self):
        raise ValueError

    __repr__ = __str__


class OwnBase(BaseException):
    pass


def raises(error):
    def answer(x):
        raise error

    return answer


def bare_except(x):
    while True:
        try:
            time.sleep(0.001)
        except:  # noqa: E722
            pass


def bare_except_twice(x):
    while True:
        try:
            while True:
                try:
                    str(x)
                except:  # noqa: E722
                    pass
        except:  # noqa: E722
            pass


def endless_printing(x):
    while True:
        try:
            print("all work and no play" * 10)
            print("errors", file=sys.stderr)
        except:  # noqa: E722
            pass


def leave(x):
    sys.exit("bye")


class Unreadable:
    shape = property(raises(SystemExit()))
    __array__ = __len__ = __iter__ = __repr__ = raises(OwnBase())


ATTACKS = [
    (bare_except, "loop that never ends", ""),
    (bare_except_twice, "loop that never ends", ""),
    (endless_printing, "the first 2,000 are shown", ""),
    (leave, "would end Python", "SystemExit: bye"),
    (raises(KeyboardInterrupt()), "what Ctrl-C raises", "KeyboardInterrupt"),
    (raises(GeneratorExit()), "closes a generator", "GeneratorExit"),
    (raises(asyncio.CancelledError()), "cancels a task", "CancelledError"),
    (raises(OwnBase("mine")), "comes from your code", "OwnBase: mine"),
    (raises(Unprintable()), "comes from your code", "its own text raised ValueError"),
    (lambda x: Unreadable(), "comes from your code", "OwnBase"),
]


@pytest.mark.parametrize(("answer", "words", "details"), ATTACKS)
def test_an_attack_has_its_words_and_changes_nothing(monkeypatch, capsys, answer, words, details):
    monkeypatch.setattr(module, "TIME_LIMIT", 0.2)
    monkeypatch.setattr(
        "transfer_lib.practice.journal.record", lambda id, outcome: recorded.append(outcome)
    )
    recorded, before = [], world()
    verdict = double.judge(answer)
    assert verdict.outcome is Outcome.ERROR
    assert words in verdict.message and details in verdict.details
    assert_same(world(), before)
    double.check(answer)
    double.check(right)
    assert recorded == [Outcome.ERROR, Outcome.RIGHT]
    assert len(capsys.readouterr().out) < 5000


def world():
    """Return what a check may not change."""
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state()[1].tolist(),
        "numpy errors": np.geterr(),
        "torch": torch.get_rng_state().tolist(),
        "torch state": (torch.get_default_dtype(), torch.is_grad_enabled()),
        "threads": torch.get_num_threads(),
        "keras": keras.config.dtype_policy().name,
        "keras formats": (keras.config.floatx(), keras.config.image_data_format()),
        "filters": list(warnings.filters),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "streams": (sys.stdout, sys.stderr),
        "interrupt": signal.getsignal(signal.SIGINT),
        "trace": sys.gettrace(),
    }


def assert_same(now, before):
    assert [name for name in before if now[name] != before[name]] == []


def havoc(x):
    random.random(), np.random.rand(), torch.rand(1), keras.random.normal((1,))
    np.seterr(all="raise")
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.set_num_threads(torch.get_num_threads() + 1)
    keras.config.set_dtype_policy("mixed_float16")
    keras.config.set_floatx("float64")
    keras.config.set_image_data_format("channels_first")
    warnings.simplefilter("error")
    os.environ["ATTACK"] = "1"
    del os.environ["PATH"]
    os.chdir("/")
    sys.stdout = io.StringIO()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.settrace(lambda *event: None)
    return 2 * x


def test_a_check_leaves_the_world_as_it_was():
    keras.utils.clear_session()
    keras.utils.set_random_seed(3)
    expected = keras.random.normal((2,)).tolist(), keras.layers.Dense(1).name
    keras.utils.clear_session()
    keras.utils.set_random_seed(3)
    before = world()
    assert double.judge(havoc).outcome is Outcome.RIGHT
    assert_same(world(), before)
    assert keras.random.normal((2,)).tolist() == expected[0]
    assert keras.layers.Dense(1).name == expected[1]


def test_a_network_built_in_a_check_does_not_break_the_next_one():
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = keras.layers.Dense(2)

        def call(self, x):
            return self.head(x)

    def answer(x):
        Model()(np.ones((1, 3)))
        return 2 * x

    Model()(np.ones((1, 3)))  # Keras keeps its list of weights to fill from now on
    assert double.judge(answer).outcome is Outcome.RIGHT
    with keras.StatelessScope():  # fills at its end what is on that list; a filled one raises
        pass


def test_a_check_does_not_depend_on_what_was_left_on():
    def answer(x):
        warnings.warn("only a warning", stacklevel=2)
        assert torch.ones(1).dtype == torch.float32 and torch.is_grad_enabled()
        assert keras.layers.Dense(1).compute_dtype == "float32"
        drawn.append((random.random(), np.random.rand(), torch.rand(1).item()))
        drawn[-1] += tuple(keras.random.normal((2,)).tolist())
        np.log(np.zeros(1))
        return 2 * x

    drawn = []
    assert double.judge(answer).outcome is Outcome.RIGHT
    try:
        with warnings.catch_warnings(), torch.no_grad(), np.errstate(all="raise"):
            warnings.simplefilter("error")
            keras.config.set_dtype_policy("mixed_float16")
            torch.set_default_dtype(torch.float64)
            keras.utils.set_random_seed(11)
            verdict = double.judge(answer)
    finally:
        keras.config.set_dtype_policy("float32")
        torch.set_default_dtype(torch.float32)
    assert verdict.outcome is Outcome.RIGHT, verdict
    assert drawn[0] == drawn[1]


@pytest.fixture
def interruptible():
    """Ctrl-C raises, also where these tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_real_interrupt_is_not_swallowed(interruptible):
    before = world()

    def answer(x):
        signal.raise_signal(signal.SIGINT)  # as a terminal or a notebook's stop button does

    with pytest.raises(KeyboardInterrupt):
        double.judge(answer)
    assert_same(world(), before)


def test_what_an_answer_prints_is_shown_before_the_verdict(capsys):
    double.check(lambda x: print("x is", x) or 2 * x)
    out = capsys.readouterr().out
    assert out.startswith("x is [ 1.5  2.  -3. ]\n") and "Right." in out


def test_arguments_are_copies_and_a_change_is_a_remark():
    def answer(x):
        x *= 2
        return x

    verdict = double.judge(answer)
    assert verdict.outcome is Outcome.RIGHT
    assert verdict.message.count("also changed its argument `x`") == 1


@pytest.mark.parametrize(
    "data",
    [
        np.array([1.0, np.nan]),
        torch.tensor([1, 2]),
        torch.ones(2, dtype=torch.bfloat16),
        [1, [2, 3]],
        {"a": np.ones(2)},
        {3},
        np.array(["a", None], dtype=object),
    ],
)
def test_copies_of_every_kind(data):
    copy = reading.copied(data)
    assert copy is not data and reading.same(copy, data)

    def change(x):
        while isinstance(x, dict) or type(x) is list and type(x[-1]) is list:
            x = x["a"] if isinstance(x, dict) else x[-1]
        x.add(4) if isinstance(x, set) else x.__setitem__(0, 9)
        return 1

    @exercise("00.accuracy")
    def changes(answer):
        """Change."""
        kept = reading.copied(data)
        call(answer, data, mutation=mutation)
        assert reading.same(data, kept)

    for mutation, outcome in (("remark", "right"), ("allowed", "right"), ("Do not.", "not yet")):
        verdict = changes.judge(change)
        assert verdict.outcome == outcome
        assert ("also changed" in verdict.message) == (mutation == "remark")
    assert verdict.message == "Do not."


def test_models_are_passed_as_they_are():
    model = keras.Sequential([keras.layers.Dense(1)])
    weight = torch.ones(2, requires_grad=True)
    assert reading.copied([model, weight]) == [model, weight]


AFTERWARDS = """
import io, pdb, sys, time
sys.path.insert(0, "tests")
from transfer_lib.practice import call, exercise
module = sys.modules["transfer_lib.practice.exercise"]

@exercise("00.accuracy")
def one(answer):
    "Give 1."
    call(answer)

def slow():
    while True:
        try: time.sleep(0.001)
        except: pass

module.TIME_LIMIT = 0.2
print(one.judge(lambda: 1).outcome, one.judge(slow).outcome)
"""
PDB = """
debugger = pdb.Pdb(stdin=io.StringIO("next\\nnext\\np a + 40\\ncontinue\\n"), stdout=sys.stdout)
def stepped():
    debugger.set_trace()
    a = 2
    return a
stepped()
"""
TRACED = """
seen = []
def trace(frame, event, argument):
    seen.append(event)
    return trace
sys.settrace(trace)
print(one.judge(lambda: 1).outcome, one.judge(slow).outcome)
assert sys.gettrace() is trace
sys.settrace(None)
print(42 if seen else 0)
"""


@pytest.mark.parametrize("code", [PDB, TRACED])
def test_debuggers_and_coverage_work_after_and_during_a_check(code):
    command = [sys.executable, "-c", AFTERWARDS + code]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert "right your code raised an error" in run.stdout
    assert "42" in run.stdout
