"""`make claims-lessons` and `make bench`: what they write, and that they can fail."""

import json

import pytest

import bench
import build
import run_lesson_claims

LESSON = """# %% [markdown]
# # 00. Start here

# %%
from transfer_lib import claim, settings

claim("00.seed", "The seed is small.", settings.seed(), at_most={bound})
"""


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    (tmp_path / "course").mkdir()
    path = tmp_path / "course/00_first_transfer.py"
    monkeypatch.setattr(build, "sources", lambda: [path])
    monkeypatch.setattr(run_lesson_claims, "OUT", tmp_path / "build")

    def write(bound):
        path.write_text(LESSON.format(bound=bound), "utf8")

    return write


@pytest.mark.parametrize(("bound", "code"), [(1, 0), (0, 1)])
def test_claims_over_seeds(lesson, tmp_path, monkeypatch, capsys, bound, code):
    lesson(bound)
    monkeypatch.setattr("sys.argv", ["run_lesson_claims.py", "00", "--seeds", "2"])
    with pytest.raises(SystemExit) as end:
        run_lesson_claims.main()
    assert end.value.code == code
    (row,) = json.loads((tmp_path / "build/claims.json").read_text())
    assert row == {
        "lesson": "00",
        "id": "00.seed",
        "text": "The seed is small.",
        "values": [0.0, 1.0],
        "bound": f"at most {bound}",
        "holds": code == 0,
    }
    assert "| 0, 1 |" in capsys.readouterr().out


def test_claims_must_be_the_same_in_each_run():
    row = {"id": "a", "text": "t", "value": 1.0, "bound": "b", "holds": True}
    with pytest.raises(ValueError, match="different claims"):
        run_lesson_claims.gather("00", [[row], []])
    with pytest.raises(ValueError, match="different claims"):
        run_lesson_claims.gather("00", [[row, row]])


def test_bench_row():
    calls = []
    row = bench.measure("c", "p", lambda: calls.append("us"), lambda: calls.append("them"), 3)
    assert calls == ["us", "them"] * 3
    assert {"case", "peer", "metric", "ours", "theirs", "ratio", "runs"} <= set(row)
    assert row["ratio"] == pytest.approx(row["theirs"] / row["ours"]) and row["runs"] == 3
    assert "| c |" in bench.table([row])
