"""Measure speed side by side: ``make bench``.

Every module in ``bench/`` has a function ``cases()`` that yields (name, peer, ours, theirs,
runs). The two callables take turns in this one process, since machines are noisy and only the
ratio means something. Writes ``build/bench.json`` and ``build/bench.md``.
"""

import argparse
import contextlib
import importlib.util
import io
import json
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as transfer_lib.setup does, see there
ROOT = Path(__file__).resolve().parent.parent


def seconds(function) -> float:
    """Return how long one call takes. Its prints are swallowed."""
    with contextlib.redirect_stdout(io.StringIO()):
        start = time.perf_counter()
        function()
        return time.perf_counter() - start


def measure(name, peer, ours, theirs, runs) -> dict:
    """Time two callables in turn and return one row.

    Returns
    -------
    dict
        ``case``, ``peer``, ``metric``, ``ours`` and ``theirs`` (medians, seconds),
        ``ratio`` (theirs over ours), ``runs``, and the quartiles of both.
    """
    times = [(seconds(ours), seconds(theirs)) for _ in range(runs)]
    mine, other = (sorted(column) for column in zip(*times, strict=True))
    return {
        "case": name,
        "peer": peer,
        "metric": "seconds",
        "ours": statistics.median(mine),
        "theirs": statistics.median(other),
        "ratio": statistics.median(other) / statistics.median(mine),
        "runs": runs,
        "ours_quartiles": _quartiles(mine),
        "theirs_quartiles": _quartiles(other),
    }


def _quartiles(values):
    return statistics.quantiles(values, n=4)[::2] if len(values) > 1 else [values[0]] * 2


def table(rows) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| case | ours | peer | theirs | theirs / ours | runs |", "|---|---|---|---|---|---|"]
    for row in rows:
        ours, theirs = (
            f"{row[key]:.3g} s ({row[key + '_quartiles'][0]:.3g}–{row[key + '_quartiles'][1]:.3g})"
            for key in ("ours", "theirs")
        )
        lines.append(
            f"| {row['case']} | {ours} | {row['peer']} | {theirs} | {row['ratio']:.2f} "
            f"| {row['runs']} |"
        )
    return "\n".join(lines)


def main():
    """Run all cases, or those whose module is named."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("modules", nargs="*", help="names of files in bench/; none means all")
    arguments = parser.parse_args()
    rows = []
    for path in sorted((ROOT / "bench").glob("*.py")):
        if arguments.modules and path.stem not in arguments.modules:
            continue
        spec = importlib.util.spec_from_file_location(f"bench_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for case in module.cases():
            rows.append(measure(*case))
            print(table(rows[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
    out = ROOT / "build"
    out.mkdir(exist_ok=True)
    (out / "bench.json").write_text(json.dumps(rows, indent=1) + "\n", "utf8")
    (out / "bench.md").write_text(table(rows) + "\n", "utf8")
    print(table(rows))


if __name__ == "__main__":
    main()
