"""How long everything that tests the project takes, and how much disk the course does."""

import subprocess
import sys
import time

from bench.case import ROOT, Case

MIB = 2**20


def _minutes():
    """Run what `make test` runs, its output into build/tests.log; return the minutes."""
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", "--quiet"]
    start = time.perf_counter()
    with open(ROOT / "build/tests.log", "w", encoding="utf8") as log:
        subprocess.run(command, check=True, cwd=ROOT, stdout=log, stderr=log)
    return (time.perf_counter() - start) / 60


def _size(paths):
    return sum(path.stat().st_size for path in paths if path.is_file()) / MIB


def _tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, cwd=ROOT, capture_output=True)
    return _size(ROOT / name for name in listed.stdout.decode().split("\0") if name)


def cases():
    """Yield the cases."""
    yield Case("disk: the files of the course", "", _tracked, runs=1, metric="MiB")
    yield Case("disk: what make setup and the tests install", "",
               lambda: _size((ROOT / ".venv").rglob("*")), runs=1, metric="MiB")  # fmt: skip
    yield Case("make test", "the limit of 25 minutes", _minutes, runs=1, metric="minutes",
               goal="ours < 25")  # fmt: skip
