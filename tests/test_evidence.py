"""Sentences and their proofs: the stored results fit, and the tool can fail."""

import json
import re

import pytest

import build
import run_claims
from transfer_lib import claims
from transfer_lib.claims import Bound, claim

MODULE = """from transfer_lib.taught.lesson_03 import draw

CLAIMS = {{"03.a": ("More than the seed.", "{bound}"), "03.b": ("Nothing.", "-1 .. 1 points")}}


def measure(seed):
    return {{"03.a": seed + 0.5, "03.b": 0}}
"""


def test_what_is_stored_fits_the_evidence():
    assert run_claims.stale(run_claims.results()) == []


def test_the_package_carries_what_is_stored():
    text = run_claims.PACKAGED.read_text("utf8")
    assert text == run_claims.packaged(run_claims.results()), "run `make claims`"


def test_every_claim_of_a_lesson_is_measured_and_every_measured_one_is_made():
    made = {}
    for path in build.sources():
        text = path.read_text("utf8")
        loops = re.findall(r'for name in \(([^()]*)\):\n    claim\(f"(\w\w)\.\{name\}"\)', text)
        ids = [
            f"{number}.{name}" for names, number in loops for name in re.findall(r'"(.+?)"', names)
        ]
        ids += re.findall(r'^claim\("([\w.-]+)"\)', text, re.M)
        made |= dict.fromkeys(ids, path.name)
    assert set(made) == {row["id"] for row in run_claims.results()}


def test_the_seeds_are_fresh():
    for row in run_claims.results():
        assert tuple(row["seeds"]) == run_claims.FRESH and len(row["values"]) == 5


@pytest.mark.parametrize(
    ("text", "expected", "words"),
    [
        (">= 10 points", (10, float("inf"), "points"), "at least 10 points"),
        ("<= 3 %", (-float("inf"), 3, "%"), "at most 3 %"),
        ("-2 .. 2 points", (-2, 2, "points"), "from -2 to 2 points"),
        ("0.25..1", (0.25, 1, ""), "from 0.25 to 1"),
    ],
)
def test_a_bound_is_read_and_said(text, expected, words):
    bound = Bound.parse(text)
    assert (bound.low, bound.high, bound.unit) == expected and str(bound) == words
    limits = [limit for limit in (bound.low, bound.high) if abs(limit) < 1e9]
    assert all(map(bound.holds, limits))
    assert not any(bound.holds(limit + (0.1 if limit == bound.high else -0.1)) for limit in limits)


@pytest.mark.parametrize("text", ["10 points", "> 10", "2 .. -2", ">= ten", ""])
def test_what_is_no_bound_is_refused(text):
    with pytest.raises(ValueError, match="is no bound"):
        Bound.parse(text)


@pytest.fixture
def stored(monkeypatch):
    def store(values):
        row = {"id": "03.a", "text": "It gains <much>.", "bound": ">= 10 points", "values": values}
        monkeypatch.setattr(claims, "stored", lambda: {"03.a": row})

    return store


def test_the_line_below_a_sentence(stored, capsys, monkeypatch):
    stored([11.84, 19.06, 15, 12, 13])
    claim("03.a")
    words = (
        "It gains <much>. Over five fresh seeds: 11.8 to 19.1 points (bound: at least 10 points)."
    )
    assert capsys.readouterr().out == words + "\n"
    shown = []
    monkeypatch.setattr(claims, "show", shown.append)
    claim("03.a")
    assert "<strong>It gains &lt;much&gt;.</strong>" in shown[0]._repr_html_()


def test_a_claim_without_measurement_says_what_to_run(stored):
    stored([1])
    with pytest.raises(KeyError, match="make claims"):
        claim("03.b")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with one file of evidence and the taught module that it imports."""
    for folder in ("evidence", "transfer_lib/taught", "transfer_lib/exercises"):
        (tmp_path / folder).mkdir(parents=True)
    taught = tmp_path / "transfer_lib/taught/lesson_03.py"
    taught.write_text("def draw():\n    pass\n")
    monkeypatch.setattr(run_claims, "ROOT", tmp_path)
    monkeypatch.setattr(run_claims, "RESULTS", tmp_path / "evidence/results.json")
    monkeypatch.setattr(run_claims, "PACKAGED", tmp_path / "transfer_lib/exercises/claims.json")

    def write(bound):
        path = tmp_path / "evidence/03_digits.py"
        path.write_text(MODULE.format(bound=bound), "utf8")
        return path, taught

    return write


def rows(path, seeds=(5, 6)):
    values = [{"03.a": seed + 0.5, "03.b": 0.0} for seed in seeds]
    return run_claims.rows_of("03", path, seeds, values)


def test_rows_are_stored_and_those_of_other_lessons_kept(project, tmp_path):
    path, _ = project(">= 6 points")
    (tmp_path / "evidence/04_vgg16.py").write_text("CLAIMS = {}\n")
    other = {"id": "04.x", "lesson": "04", "text": "t", "bound": ">= 1", "values": [1]}
    run_claims.RESULTS.write_text(json.dumps([other, other | {"lesson": "07"}]))
    run_claims.write(rows(path))
    assert [row["id"] for row in run_claims.results()] == ["03.a", "03.b", "04.x"]
    first = run_claims.results()[0]
    assert (first["values"], first["holds"]) == ([5.5, 6.5], False)
    assert "| 5.5, 6.5 | **no** |" in run_claims.table([first])
    assert json.loads(run_claims.PACKAGED.read_text())[0]["text"] == "More than the seed."


@pytest.mark.parametrize("change", ["bound", "taught", "gone", "fails"])
def test_stale_results_are_found(project, change):
    path, taught = project(">= 5 points" if change != "fails" else ">= 6 points")
    stored = rows(path)
    if change == "bound":
        project(">= 4 points")
    elif change == "taught":
        taught.write_text("def draw():\n    return 1\n")
    elif change == "gone":
        stored[0]["id"] = "03.c"
    found = " ".join(run_claims.stale(stored))
    words = {"gone": "no file of evidence makes", "fails": "03.a does not hold"}
    assert words.get(change, "other code") in found
    assert run_claims.stale(rows(project(">= 5 points")[0])) == []


def test_measure_must_give_what_claims_names(project, monkeypatch):
    path, _ = project(">= 5 points")
    text = path.read_text().split("\n", 1)[1]  # this test runs it, without the import
    path.write_text(text)
    assert run_claims.measured(path, 7)[0] == {"03.a": 7.5, "03.b": 0.0}
    path.write_text(text.replace('"03.b": 0}', "}"))
    with pytest.raises(ValueError, match="differ in"):
        run_claims.measured(path, 7)


@pytest.mark.parametrize(("bound", "code"), [(5, 0), (6, 1)])
def test_make_claims_runs_all_seeds_and_stores(project, monkeypatch, capsys, bound, code):
    path, _ = project(f">= {bound} points")
    path.write_text(path.read_text().split("\n", 1)[1])
    for seeds, stored in (("0-1", 0), ("5-9", 2)):
        monkeypatch.setattr("sys.argv", ["run_claims.py", "03", "--seeds", seeds])
        with pytest.raises(SystemExit) as end:
            run_claims.main()
        assert len(run_claims.results()) == stored
    assert end.value.code == code and "5.5, 6.5, 7.5, 8.5, 9.5" in capsys.readouterr().out


def test_seeds_from_the_command_line():
    assert run_claims._seeds("0-4") == (0, 1, 2, 3, 4) and run_claims._seeds("3") == (3,)
