"""Each lesson run once as it is answered, quick profile: on one thread, then two side by side.

The limits are the design's: a lesson 90 s on one thread (06, 07, 12 and 13: 120 s), all together
24 minutes on one thread and half of that on two cores.
"""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from io import StringIO

from bench.case import ROOT, Case

LONGER = {"06": 120, "07": 120, "12": 120, "13": 120}


def _run(path):
    """Run the solution of a lesson in a kernel of its own; return the seconds."""
    import build

    notebook = build.solution_of(build.read(path))
    with redirect_stdout(StringIO()):
        start = time.perf_counter()
        build.execute(notebook, path.stem, answered=True)
    return time.perf_counter() - start


def _together(paths):
    """Run all lessons on two cores, those first that take longest; return the minutes."""
    start = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_run, paths))
    return (time.perf_counter() - start) / 60


def cases():
    """Yield a case for each lesson, then those of all together."""
    sys.path.append(str(ROOT / "tools"))
    import build

    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        seconds = {}
        for path in build.sources():
            number = build.number_of(path)

            def ours(path=path):
                seconds[path] = _run(path)
                return seconds[path]

            limit = LONGER.get(number, 90)
            yield Case(f"lesson {number} once, one thread", f"the design's {limit} s", ours,
                       runs=1, goal=f"ours < {limit}")  # fmt: skip
        total = sum(seconds.values()) / 60
        yield Case("all lessons one after the other, one thread", "the design's 24 minutes",
                   lambda: total, runs=1, metric="minutes", goal="ours < 24")  # fmt: skip
        longest_first = sorted(seconds, key=seconds.get, reverse=True)
        yield Case("all lessons, two side by side", "the design's 12 minutes",
                   lambda: _together(longest_first), runs=1, metric="minutes",
                   goal="ours < 12")  # fmt: skip
    finally:
        del os.environ["OMP_NUM_THREADS"]
