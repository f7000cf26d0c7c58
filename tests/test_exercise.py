"""The exercise engine: four outcomes, kept apart, for any kind of answer."""

import importlib
import re
import time
from pathlib import Path

import numpy as np
import pytest

from transfer_lib import exercises, lessons
from transfer_lib.practice import (
    Outcome,
    Wrong,
    answer_text,
    array,
    call,
    close,
    exercise,
    number,
)

module = importlib.import_module("transfer_lib.practice.exercise")  # `exercise` is its function


@exercise("00.accuracy", hints=["one", "two"])
def double(answer):
    """Return twice the argument."""
    value = number(call(answer, 2.0))
    if close(value, 2.0):
        raise Wrong("You returned the argument itself.")
    if not close(value, 4.0):
        raise Wrong("Not twice.")
    return "Twice it is."


@exercise("00.value")
def value(answer):
    """Give 0.3."""
    if not close(number(answer), 0.3):
        raise Wrong("Not 0.3.")


def stub(x):
    """A docstring."""
    ...


def stub_pass(x):
    pass


def stub_return(x):
    return ...


@pytest.mark.parametrize(
    "answer", [..., stub, stub_pass, stub_return, lambda x: ..., [...], (1, ...), {"a": ...}]
)
def test_not_attempted(answer):
    verdict = double.judge(answer)
    assert verdict.outcome is Outcome.NOT_ATTEMPTED
    assert "ex.accuracy.hint()" in verdict.message


def test_starter_code_counts_as_not_attempted(monkeypatch):
    starter = "def leaky(x):\n    y = x + 1\n    return [v for v in range(int(y))]\n"
    monkeypatch.setattr(module, "answers_of_lessons", lambda: {"00.accuracy": {"starter": starter}})
    space = {}
    exec(starter, space)
    assert double.judge(space["leaky"]).outcome is Outcome.NOT_ATTEMPTED
    exec(starter.replace("x + 1", "x + 2"), space)
    assert double.judge(space["leaky"]).outcome is not Outcome.NOT_ATTEMPTED


def right_forms():
    import torch

    yield lambda x: 2 * x
    yield lambda x: np.float32(2 * x)
    yield lambda x: np.array([2 * x])
    yield lambda x: [2 * x]
    yield lambda x: torch.tensor(2 * x, requires_grad=True)
    yield lambda x: sum([0.1, 0.2, 3.7])  # 4.000000000000001 or the like


@pytest.mark.parametrize("answer", list(right_forms()))
def test_right_in_every_form(answer):
    verdict = double.judge(answer)
    assert (verdict.outcome, verdict.message) == (Outcome.RIGHT, "Twice it is.")


@pytest.mark.parametrize("answer", [0.1 + 0.2, np.float64(0.3), np.array(0.3), np.array([[0.3]])])
def test_right_values(answer):
    assert value.judge(answer).outcome is Outcome.RIGHT


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: x, "argument itself"),
        (lambda x: 5, "Not twice"),
        (lambda x: print(), "returned None"),
        (lambda: 4, "Keep the arguments"),
        (4.0, "the function itself, without brackets"),
        (lambda x: "four", "Expected numbers"),
        (lambda x: [1, 2], "Expected one number"),
        (lambda x: float("nan"), "NaN"),
        (lambda x: object(), "Expected numbers"),
    ],
)
def test_wrong_with_its_words(answer, words):
    verdict = double.judge(answer)
    assert verdict.outcome is Outcome.WRONG
    assert words in verdict.message


def test_learners_exception_is_shown_as_theirs():
    def broken(x):
        return x / 0

    verdict = double.judge(broken)
    assert verdict.outcome is Outcome.ERROR
    assert "your code" in verdict.message
    assert "ZeroDivisionError" in verdict.details
    assert "return x / 0" in verdict.details
    assert "/" not in verdict.details.replace("x / 0", ""), "no file path"


def test_a_crash_of_the_check_is_not_thrown_at_the_learner():
    @exercise("00.crash")
    def crash(answer):
        """Give a list."""
        return answer[0]

    verdict = crash.judge(3)
    assert verdict.outcome is Outcome.WRONG
    assert "could not read this answer, a int: 3" in verdict.message


@pytest.mark.parametrize("swallow", [False, True])
def test_endless_loop_ends_with_a_message(monkeypatch, swallow):
    monkeypatch.setattr(module, "TIME_LIMIT", 0.3)

    def endless(x):
        while True:
            try:
                x += 1
            except Exception:
                if not swallow:
                    raise

    verdict = double.judge(endless)
    assert verdict.outcome is Outcome.ERROR
    assert "loop that never ends" in verdict.message


def test_time_limit_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr(module, "TIME_LIMIT", 0.05)
    for pause in np.linspace(0.045, 0.055, 11):

        def slow(x, pause=pause):
            end = time.perf_counter() + pause
            while time.perf_counter() < end:
                pass
            return 2 * x

        assert double.judge(slow).outcome in (Outcome.RIGHT, Outcome.ERROR)
    time.sleep(0.2)  # an exception that was left behind would arrive here


def test_array_reads_every_library():
    import torch

    for form in ([1, 2], (1, 2), np.array([1, 2]), torch.tensor([1, 2]), [np.float32(1), 2]):
        assert np.array_equal(array(form), [1.0, 2.0])
    for bad in ("a", [1, "b"], None, {"a": 1}, [[1], [1, 2]]):
        with pytest.raises(Wrong, match="Expected numbers"):
            array(bad)


def test_close_compares_shapes():
    assert close([1.0, 2.0], [1.0, 2.0 + 1e-7])
    assert not close([1.0, 1.0], 1.0)


def test_an_exercise_needs_a_task():
    with pytest.raises(ValueError, match="docstring"):
        exercise("00.none")(lambda answer: None)


@pytest.mark.parametrize("lesson", lessons.LESSONS, ids=lambda lesson: lesson.number)
def test_every_exercise_is_complete(lesson):
    """Its name is its id, the lesson has its cell, and hints and solution can be shown."""
    found = vars(exercises.of(lesson.number))
    if lesson.number == "T1":  # asked before the course, and never judged there
        root = Path(__file__).resolve().parent.parent
        source = (root / f"course/{lesson.name}.py").read_text("utf8")
        asked = re.findall(r'"(\w+)"', " ".join(re.findall(r"^ex\.before\((.*)\)$", source, re.M)))
        assert asked == list(found)
        return
    for name, item in found.items():
        assert item.id == f"{lesson.number}.{name}"
        answer = answer_text(item.id)
        assert answer["solution"] and answer["solution"] != answer["starter"]
        assert item.hints or hasattr(item, "choices"), f"{item.id} has no hints"
    in_lesson = [id for id in module.answers_of_lessons() if id.startswith(lesson.number)]
    assert in_lesson == [item.id for item in found.values()], "in the lesson's order"


def test_a_name_that_is_not_there():
    ex = exercises.of("02")
    with pytest.raises(AttributeError, match="did you mean ex.total_loss?"):
        ex.total_los  # noqa: B018
    with pytest.raises(AttributeError, match="there are total_loss, "):
        ex.zzz  # noqa: B018
    assert repr(ex).startswith("ex.total_loss: Return L_shared")
    assert "ex.NAME.hint()" in repr(ex.help())


@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
def test_half_precision_is_read_and_named(kind):
    import torch

    half = getattr(torch, kind)
    assert double.judge(lambda x: torch.tensor(2 * x, dtype=half)).outcome is Outcome.RIGHT
    rounded = value.judge(torch.tensor(0.3, dtype=half))  # 0.3008 in bfloat16
    assert rounded.outcome is Outcome.WRONG and f"Your result is in {kind}" in rounded.message


def test_exact_numbers_are_read():
    from decimal import Decimal
    from fractions import Fraction

    assert value.judge(Fraction(3, 10)).outcome is Outcome.RIGHT
    assert value.judge([Decimal("0.3")]).outcome is Outcome.RIGHT


def test_no_module_imports_one_that_imports_it():
    """Walk the imports of transfer_lib, those inside of functions too: there is no circle."""
    import ast
    from pathlib import Path

    import transfer_lib

    root = Path(transfer_lib.__file__).parent
    names = {
        ".".join(["transfer_lib", *path.relative_to(root).with_suffix("").parts]).removesuffix(
            ".__init__"
        ): path
        for path in root.rglob("*.py")
    }

    def imported(name, path):
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for node in ast.walk(ast.parse(path.read_text("utf8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = package.split(".")[: len(package.split(".")) + 1 - node.level]
                start = ".".join(base) if node.level else ""
                start = ".".join(filter(None, [start, node.module]))
                for alias in node.names:
                    inner = f"{start}.{alias.name}"
                    yield inner if inner in names else start

    graph = {
        name: {other for other in imported(name, path) if other in names and other != name}
        for name, path in names.items()
    }
    done, walking = set(), []

    def walk(name):
        assert name not in walking, " -> ".join([*walking[walking.index(name) :], name])
        if name not in done:
            walking.append(name)
            for other in sorted(graph[name]):
                walk(other)
            done.add(walking.pop())

    for name in sorted(graph):
        walk(name)
    assert len(done) > 40
