"""Measure speed side by side: ``make bench``.

Every module in ``bench/cases/`` has a function ``cases()`` that yields `bench.case.Case`. The two
sides of a case take turns, since machines are noisy and only the ratio means something. Writes
``build/bench.json`` after each row, then ``docs/bench.json`` and the tables of ``docs/bench.md``.
Rows of modules that were not run are kept there if they come from the same kind of machine.
"""

import argparse
import contextlib
import importlib
import io
import json
import os
import platform
import re
import shutil
import statistics
import sys
import time
import traceback
from datetime import date
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as transfer_lib.setup does, see there
ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "bench.md"
FIGURE = "bench_growth.svg"
UNITS = {"seconds": "s", "minutes": "min", "MiB": "MiB", "power": "", "Gflop/s": "Gflop/s"}


def value(function) -> float:
    """Return the number that a call returns, or else the seconds that it takes.

    What it prints is swallowed.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        start = time.perf_counter()
        found = function()
        seconds = time.perf_counter() - start
    return seconds if found is None else float(found)


def measure(case) -> dict:
    """Measure both sides of a case in turn and return one row.

    Parameters
    ----------
    case : bench.case.Case
        What is measured.

    Returns
    -------
    dict
        ``case``, ``peer``, ``metric``, ``ours`` and ``theirs`` (medians, in the unit of
        ``metric``), ``ratio`` (theirs over ours), ``runs``, the quartiles of both, and what the
        case adds. Without a peer ``theirs``, ``theirs_quartiles`` and ``ratio`` are None. With a
        goal, ``goal`` and ``met``.
    """
    sides = [case.ours] + ([case.theirs] if case.theirs else [])
    columns = list(zip(*[[value(side) for side in sides] for _ in range(case.runs)], strict=True))
    medians = [statistics.median(column) for column in columns] + [None]
    quartiles = [_quartiles(sorted(column)) for column in columns] + [None]
    row = {
        "case": case.name,
        "peer": case.peer,
        "metric": case.metric,
        "ours": medians[0],
        "theirs": medians[1],
        "ratio": medians[1] / medians[0] if case.theirs else None,
        "runs": case.runs,
        "ours_quartiles": quartiles[0],
        "theirs_quartiles": quartiles[1],
    } | (case.more() if case.more else {})
    if case.goal:
        row["goal"] = case.goal
        row["met"] = _met(row, case.goal)
    return row


def _met(row, goal):
    """Say whether a goal such as ``ratio >= 8`` or ``ours < 0.3`` is reached."""
    name, sign, limit = goal.split()
    return row[name] >= float(limit) if sign == ">=" else row[name] < float(limit)


def _quartiles(values):
    return statistics.quantiles(values, n=4)[::2] if len(values) > 1 else [values[0]] * 2


def table(rows) -> str:
    """Return the rows as a Markdown table."""
    lines = [
        "| case | ours | peer | theirs | theirs / ours | runs | goal |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ratio = f"{row['ratio']:.2f}" if row["ratio"] else ""
        goal = f"{row['goal']}: {'met' if row['met'] else '**not met**'}" if "goal" in row else ""
        lines.append(
            f"| {row['case']} | {_cell(row, 'ours')} | {row['peer']} | {_cell(row, 'theirs')} "
            f"| {ratio} | {row['runs']} | {goal} |"
        )
    return "\n".join(lines)


def _cell(row, side):
    """Return a median with its unit, and the quartiles if there were several runs."""
    if row[side] is None:
        return ""
    text = f"{row[side]:.3g} {UNITS[row['metric']]}"
    if row["runs"] > 1:
        low, high = row[side + "_quartiles"]
        text += f" ({low:.3g}–{high:.3g})"
    notes = [f"{key.removeprefix(side + '_')} {row[key]:.3g}" for key in row if _note(key, side)]
    return "<br>".join([text, *notes])


def _note(key, side):
    return key.startswith(side + "_") and not key.endswith("_quartiles")


def machine() -> dict:
    """Return what the figures depend on."""
    import torch

    return {
        "date": date.today().isoformat(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def publish(about, rows):
    """Write the rows beside the page, and each module's table between its marks in the page."""
    stored, measured = PAGE.with_suffix(".json"), {row["module"] for row in rows}
    if stored.exists():
        before = json.loads(stored.read_text("utf8"))
        if _same(before["machine"], about):
            rows = [row for row in before["rows"] if row["module"] not in measured] + rows
    text = PAGE.read_text("utf8")
    for module in sorted({row["module"] for row in rows}):
        its_rows = [row for row in rows if row["module"] == module]
        text = _between(text, module, table(its_rows))
    text = _between(text, "machine", ", ".join(f"{key} {about[key]}" for key in about) + ".")
    stored.write_text(json.dumps({"machine": about, "rows": rows}, indent=1) + "\n", "utf8")
    PAGE.write_text(text, "utf8")
    if (figure := ROOT / "build" / FIGURE).exists():
        shutil.copy(figure, PAGE.with_name(FIGURE))


def _same(machine, other):
    """Say whether two descriptions differ in the date only."""
    return machine | {"date": ""} == other | {"date": ""}


def _between(text, name, new):
    """Return the page with `new` between the two marks of that name."""
    mark, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    if mark not in text:
        sys.exit(f"{PAGE}: expected the line '{mark}'; add it and '{end}' around its table")
    return re.sub(f"{mark}.*?{end}", lambda _: f"{mark}\n{new}\n{end}", text, flags=re.DOTALL)


def modules() -> list[str]:
    """Return the names of the files in bench/cases/."""
    return sorted(path.stem for path in (ROOT / "bench" / "cases").glob("*.py"))


def run(names):
    """Measure the cases of the named modules, saying each row when it is there.

    Returns
    -------
    rows : list of dict
    failed : list of str
        Modules that ended with an error; the others are measured all the same.
    """
    rows, failed = [], []
    out = ROOT / "build"
    out.mkdir(exist_ok=True)
    for name in names:
        try:
            for case in importlib.import_module(f"bench.cases.{name}").cases():
                rows.append({"module": name} | measure(case))
                print(table(rows[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
                (out / "bench.json").write_text(json.dumps(rows, indent=1) + "\n", "utf8")
        except (Exception, SystemExit):
            traceback.print_exc()
            failed.append(name)
    return rows, failed


def main():
    """Run all cases, or those whose module is named."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("modules", nargs="*", help="names of files in bench/cases/; none means all")
    chosen = parser.parse_args().modules or modules()
    if unknown := set(chosen) - set(modules()):
        parser.error(f"no cases in {', '.join(sorted(unknown))}; there are {', '.join(modules())}")
    rows, failed = run(chosen)
    print(table(rows))
    publish(machine(), [row for row in rows if row["module"] not in failed])
    if failed:
        sys.exit(f"failed, and left as before on the page: {', '.join(failed)}")


if __name__ == "__main__":
    main()
