"""Check the claims that a lesson itself measures, over several seeds: ``make claims-lessons``.

Runs each solution notebook once per seed, in order, and writes ``build/claims.json``: one row
per claim with ``lesson``, ``id``, ``text``, ``values`` (one per seed), ``bound`` and ``holds``.
Exits with 1 when a claim fails on any seed.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from nbclient import NotebookClient

import build

OUT = build.ROOT / "build"


def run(path, seed, profile, root=build.ROOT, kernel="python3"):
    """Run one lesson with one seed and return its claims as they were recorded.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "claims.jsonl"
        env = os.environ | {
            "TRANSFER_LIB_HOME": os.environ.get("TRANSFER_LIB_HOME", str(OUT / "home")),
            "TRANSFER_LIB_CLAIMS": str(record),
            "TRANSFER_LIB_SEED": str(seed),
            "TRANSFER_LIB_STRICT": "1",
            "TRANSFER_LIB_PROFILE": profile,
            "PYTHONPATH": str(root),
        }
        notebook = build.lesson_of(build.read(path))
        where = {"metadata": {"path": folder}}
        client = NotebookClient(notebook, timeout=3600, kernel_name=kernel, resources=where)
        client.execute(env=env)
        lines = record.read_text("utf8").splitlines() if record.exists() else []
    return [json.loads(line) for line in lines]


def gather(lesson, runs):
    """Turn the claims of several runs of one lesson into one row per claim.

    Raises
    ------
    ValueError
        If the runs do not make the same claims, or one run makes a claim twice.
    """
    ids = [[claim["id"] for claim in run] for run in runs]
    if any(one != ids[0] or len(set(one)) != len(one) for one in ids):
        raise ValueError(f"lesson {lesson}: its runs make different claims: {ids}")
    return [
        {
            "lesson": lesson,
            "id": claims[0]["id"],
            "text": claims[0]["text"],
            "values": [claim["value"] for claim in claims],
            "bound": claims[0]["bound"],
            "holds": all(claim["holds"] for claim in claims),
        }
        for claims in zip(*runs, strict=True)
    ]


def table(rows) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| claim | bound | measured, one per seed | holds |", "|---|---|---|---|"]
    for row in rows:
        values = ", ".join(f"{value:.3g}" for value in row["values"])
        verdict = "yes" if row["holds"] else "**no**"
        lines.append(f"| {row['id']}: {row['text']} | {row['bound']} | {values} | {verdict} |")
    return "\n".join(lines)


def main():
    """Run the lessons named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("lessons", nargs="*", help="numbers, such as 03; none means all")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--profile", choices=("quick", "full"), default="quick")
    arguments = parser.parse_args()

    rows = []
    for path in build.sources():
        number = build.number_of(path)
        if arguments.lessons and number not in arguments.lessons:
            continue
        runs = []
        for seed in range(arguments.seeds):
            start = time.perf_counter()
            runs.append(run(path, seed, arguments.profile))
            print(f"lesson {number}, seed {seed}: {time.perf_counter() - start:.0f} s", flush=True)
        rows += gather(number, runs)
    OUT.mkdir(exist_ok=True)
    (OUT / "claims.json").write_text(json.dumps(rows, indent=1) + "\n", "utf8")
    (OUT / "claims.md").write_text(table(rows) + "\n", "utf8")
    print(table(rows))
    sys.exit(0 if all(row["holds"] for row in rows) else 1)


if __name__ == "__main__":
    main()
