"""`make bench`: what it measures and writes, that a goal can be missed, that its page is kept."""

import json
import sys
from types import SimpleNamespace

import pytest

from bench import __main__ as bench
from bench.case import Case, Process


def test_both_sides_take_turns():
    calls = []
    case = Case("c", "p", lambda: calls.append("us"), lambda: calls.append("them"))
    row = bench.measure(case)
    assert calls == ["us", "them"] * 3
    assert {"case", "peer", "metric", "ours", "theirs", "ratio", "runs"} <= set(row)
    assert row["ratio"] == pytest.approx(row["theirs"] / row["ours"]) and row["runs"] == 3
    assert "| c |" in bench.table([row])


def test_a_number_is_taken_as_it_is():
    values = iter([3.0, 1.0, 2.0])
    row = bench.measure(Case("c", "p", lambda: next(values), metric="MiB"))
    assert row["ours"] == 2 and row["ours_quartiles"] == [1, 3]
    assert row["theirs"] is None and row["ratio"] is None
    assert "2 MiB (1–3)" in bench.table([row])


@pytest.mark.parametrize(
    ("goal", "met"),
    [("ratio >= 8", True), ("ratio >= 9", False), ("ours < 2", True), ("ours < 1", False)],
)
def test_goal(goal, met):
    row = bench.measure(Case("c", "p", lambda: 1, lambda: 8, goal=goal))
    assert row["met"] is met
    assert ("**not met**" in bench.table([row])) is not met


def test_further_numbers_stand_under_their_side():
    row = bench.measure(Case("c", "p", lambda: 1, lambda: 2, more=lambda: {"ours_accuracy": 0.5}))
    assert "| 1 s (1–1)<br>accuracy 0.5 |" in bench.table([row])


def test_process(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.case.ROOT", tmp_path)
    peers = tmp_path / "bench" / "peers"
    peers.mkdir(parents=True)
    (peers / "good.py").write_text(
        "import sys\nprint('noise')\nprint('{\"seconds\": 7, \"a\": 1}')"
    )
    (peers / "bad.py").write_text("raise SystemExit('no such network')")
    good = Process("good")
    assert good() == 7 and good.last["a"] == 1 and good.command[0] == sys.executable
    with pytest.raises(RuntimeError, match="no such network"):
        Process("bad")()


def test_a_module_that_is_not_there(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["bench", "speed"])
    with pytest.raises(SystemExit):
        bench.main()
    assert "no cases in speed; there are adaptation, " in capsys.readouterr().err


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page with the marks of the modules m and n, instead of the real one."""
    page = tmp_path / "bench.md"
    marks = "".join(f"<!-- {name} --><!-- end of {name} -->\n" for name in ("m", "n", "machine"))
    page.write_text(f"before {marks} after")
    monkeypatch.setattr(bench, "PAGE", page)
    monkeypatch.setattr(bench, "FIGURE", "none.svg")
    return page


def row(module, ours=1):
    return {"module": module} | bench.measure(Case("c", "p", lambda: ours, lambda: 2))


def test_publish(page):
    bench.publish({"date": "1", "cores": 2}, [row("m"), row("n")])
    text = page.read_text()
    assert "| c | 1 s (1–1) | p | 2 s (2–2) | 2.00 | 3 |" in text and "cores 2." in text
    assert text.startswith("before") and text.endswith("after")
    bench.publish({"date": "2", "cores": 2}, [row("n", 4)])
    rows = json.loads(page.with_suffix(".json").read_text())["rows"]
    assert [(one["module"], one["ours"]) for one in rows] == [("m", 1), ("n", 4)]
    bench.publish({"date": "3", "cores": 8}, [row("n", 5)])
    assert len(json.loads(page.with_suffix(".json").read_text())["rows"]) == 1


def test_a_page_without_a_mark(page):
    page.write_text("")
    with pytest.raises(SystemExit, match="expected the line '<!-- m -->'"):
        bench.publish({"date": "1"}, [row("m")])


def test_a_module_that_fails_costs_no_other(monkeypatch, tmp_path, capsys):
    def broken():
        yield Case("first", "p", lambda: 1)
        raise SystemExit("the accuracies differ")

    cases = {"bad": broken, "good": lambda: [Case("c", "p", lambda: 1)]}
    named = {f"bench.cases.{name}": SimpleNamespace(cases=go) for name, go in cases.items()}
    monkeypatch.setattr(bench, "importlib", SimpleNamespace(import_module=named.get))
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    rows, failed = bench.run(["bad", "good"])
    assert failed == ["bad"] and [one["module"] for one in rows] == ["bad", "good"]
    assert "the accuracies differ" in capsys.readouterr().err


def test_the_page_is_in_step_with_its_figures():
    text = bench.PAGE.read_text("utf8")
    report = json.loads(bench.PAGE.with_suffix(".json").read_text("utf8"))
    assert {one["module"] for one in report["rows"]} <= set(bench.modules())
    for module in bench.modules():
        rows = [one for one in report["rows"] if one["module"] == module]
        kept = f"{bench.table(rows)}\n" if rows else ""
        assert f"<!-- {module} -->\n{kept}<!-- end of {module} -->" in text
