"""`make bench`: what it measures and writes, that a goal can be missed, that its page is kept."""

import json
import sys

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


def test_publish(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "PAGE", tmp_path / "bench.md")
    rows = [{"module": "m"} | bench.measure(Case("c", "p", lambda: 1, lambda: 2))]
    report = {"machine": {"cores": 2}, "rows": rows}
    bench.PAGE.write_text(
        "before <!-- m -->\n<!-- end of m --> after\n<!-- machine --><!-- end of machine -->"
    )
    bench.publish(report)
    text = bench.PAGE.read_text()
    assert "| c | 1 s (1–1) | p | 2 s (2–2) | 2.00 | 3 |" in text and "cores 2" in text
    assert text.startswith("before") and "after" in text
    assert json.loads((tmp_path / "bench.json").read_text()) == report
    bench.PAGE.write_text("")
    with pytest.raises(SystemExit, match="expected the line '<!-- m -->'"):
        bench.publish(report)


def test_the_page_is_in_step_with_its_figures():
    text = bench.PAGE.read_text("utf8")
    report = json.loads(bench.PAGE.with_suffix(".json").read_text("utf8"))
    assert {row["module"] for row in report["rows"]} == set(bench.modules())
    for module in bench.modules():
        rows = [row for row in report["rows"] if row["module"] == module]
        assert f"<!-- {module} -->\n{bench.table(rows)}\n<!-- end of {module} -->" in text
