"""Measure the claims of ``evidence/NN_*.py`` on fresh seeds: ``make claims`` (``LESSON=03``).

A module of evidence holds ``CLAIMS``, id to (sentence, bound), and ``measure(seed)``, which
returns id to value. Bounds are set on seeds 0 to 4 (``--seeds 0-4``, which writes nothing). The
default, seeds 5 to 9, is what counts: it writes ``evidence/results.json``, one row per claim, and
the copy that the package carries. Rows of other lessons are kept. Exits with 1 when a claim fails.
"""

import argparse
import ast
import hashlib
import importlib.util
import json
import multiprocessing
import os
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from transfer_lib.claims import Bound

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "evidence/results.json"
PACKAGED = ROOT / "transfer_lib/exercises/claims.json"
FRESH = (5, 6, 7, 8, 9)
PROCESSES = 2


def modules(lessons=()) -> dict:
    """Return lesson number to file of evidence, in order, for some lessons or all."""
    found = {path.stem.split("_")[0]: path for path in sorted(RESULTS.parent.glob("??_*.py"))}
    return {number: path for number, path in found.items() if not lessons or number in lessons}


def claims(path) -> dict:
    """Return the ``CLAIMS`` of a file of evidence, id to (sentence, bound), without running it.

    Raises
    ------
    ValueError
        If there are none, or a bound cannot be read.
    """
    for node in ast.parse(path.read_text("utf8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "CLAIMS":
            found = ast.literal_eval(node.value)
            for _, bound in found.values():
                Bound.parse(bound)
            return found
    raise ValueError(f"{path.name} has no CLAIMS")


def packaged(rows) -> str:
    """Return what the package keeps of the rows of ``evidence/results.json``, as JSON text."""
    kept = [{key: row[key] for key in ("id", "text", "bound", "values")} for row in rows]
    return json.dumps(kept, indent=1, ensure_ascii=False) + "\n"


def hash_of(path) -> str:
    """Return a hash of a file of evidence and of all taught modules that it stands on."""
    seen, waiting, digest = set(), [path], hashlib.sha256()
    while waiting:
        file = waiting.pop(0)
        source = file.read_text("utf8")
        digest.update(source.encode())
        for number in sorted(set(re.findall(r"transfer_lib\.taught\.lesson_(\w+)", source))):
            if number not in seen:
                seen.add(number)
                waiting.append(ROOT / f"transfer_lib/taught/lesson_{number}.py")
    return digest.hexdigest()[:16]


def results() -> list:
    """Return the rows that are stored."""
    return json.loads(RESULTS.read_text("utf8")) if RESULTS.exists() else []


def load(path):
    """Return a file of evidence as a module."""
    specification = importlib.util.spec_from_file_location(f"evidence_{path.stem}", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def measured(path, seed):
    """Run ``measure(seed)`` of a file of evidence in this process; return the values, seconds.

    Raises
    ------
    ValueError
        If it measured other claims than ``CLAIMS`` names.
    """
    start = time.perf_counter()
    module = load(path)
    values = {id: float(value) for id, value in module.measure(seed).items()}
    if set(values) != set(module.CLAIMS):
        different = sorted(set(values) ^ set(module.CLAIMS))
        raise ValueError(f"{path.name}: CLAIMS and measure() differ in {different}")
    return values, time.perf_counter() - start


def rows_of(number, path, seeds, runs) -> list:
    """Return one row per claim of a lesson from the values of each seed."""
    rows = []
    for id, (text, bound) in claims(path).items():
        values = [round(run[id], 6) for run in runs]
        rows.append(
            {
                "id": id,
                "lesson": number,
                "text": text,
                "bound": bound,
                "seeds": list(seeds),
                "values": values,
                "holds": all(map(Bound.parse(bound).holds, values)),
                "hash": hash_of(path),
            }
        )
    return rows


def stale(rows) -> list:
    """Return what does not fit between files of evidence and stored rows, in words."""
    stored = {row["id"]: row for row in rows}
    found = []
    for path in modules().values():
        now = hash_of(path)
        for id, (text, bound) in claims(path).items():
            row = stored.pop(id, None)
            if row is None:
                found.append(f"{id} has not been measured")
            elif (row["text"], row["bound"], row["hash"]) != (text, bound, now):
                found.append(f"{id} was measured with other code or another text")
            elif not row["holds"]:
                found.append(f"{id} does not hold: {row['values']}, bound {bound}")
    return found + [f"{id} is stored, but no file of evidence makes this claim" for id in stored]


def table(rows) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| claim | bound | measured, one per seed | holds |", "|---|---|---|---|"]
    for row in rows:
        values = ", ".join(f"{value:.3g}" for value in row["values"])
        verdict = "yes" if row["holds"] else "**no**"
        lines.append(f"| {row['id']}: {row['text']} | {row['bound']} | {values} | {verdict} |")
    return "\n".join(lines)


def write(rows):
    """Store rows in the place of those of the same lessons."""
    new = {row["lesson"] for row in rows}
    kept = [row for row in results() if row["lesson"] not in new and row["lesson"] in modules()]
    rows = sorted(kept + rows, key=lambda row: row["lesson"])
    text = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    RESULTS.write_text(f"[\n{text}\n]\n", "utf8")
    PACKAGED.write_text(packaged(rows), "utf8")


def _seeds(text):
    first, _, last = text.partition("-")
    return tuple(range(int(first), int(last or first) + 1))


def main():
    """Measure the claims of the lessons named on the command line, or of all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("lessons", nargs="*", help="numbers, such as 03; none means all")
    parser.add_argument("--seeds", type=_seeds, default=FRESH, help="0-4 to set bounds on")
    arguments = parser.parse_args()
    chosen = modules(arguments.lessons)
    if not chosen:
        parser.error(f"no evidence for {' '.join(arguments.lessons) or 'any lesson'}")

    os.environ |= {"TRANSFER_LIB_PROFILE": "quick", "OMP_NUM_THREADS": "1"}
    os.environ.setdefault("KERAS_BACKEND", "torch")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=spawn, max_tasks_per_child=1) as pool:
        jobs = {
            (number, seed): pool.submit(measured, path, seed)
            for number, path in chosen.items()
            for seed in arguments.seeds
        }
        rows = []
        for number, path in chosen.items():
            runs = []
            for seed in arguments.seeds:
                values, seconds = jobs[number, seed].result()
                runs.append(values)
                print(f"lesson {number}, seed {seed}: {seconds:.0f} s", flush=True)
            rows += rows_of(number, path, arguments.seeds, runs)
    if arguments.seeds == FRESH:
        write(rows)
    print(table(rows))
    sys.exit(0 if all(row["holds"] for row in rows) else 1)


if __name__ == "__main__":
    main()
