"""Rerun the answered notebooks as other machines would: ``make test-processors``.

A notebook's compared outputs may depend on nothing but its source. So ``solutions/`` is rerun, and
every output compared, with the instructions of older processors, with one and two threads, and
beside two programs that keep both cores busy. ``--only NAME`` takes one setting, and arguments
after ``--`` go to pytest, such as a notebook's name.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SETTINGS = {
    "one-thread": {"OMP_NUM_THREADS": "1"},
    "two-threads": {"OMP_NUM_THREADS": "2"},
    "avx2": {
        "OMP_NUM_THREADS": "1",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
    },
    "sse41": {
        "OMP_NUM_THREADS": "1",
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "OPENBLAS_CORETYPE": "Nehalem",
    },
    "busy": {},
}
"""Name to environment. PyTorch, oneDNN and OpenBLAS each choose their own instructions."""

BUSY_LOOPS = 2


def run(name, arguments) -> bool:
    """Rerun the notebooks in one setting; return whether all compared outputs are the same."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += arguments or ["solutions"]
    loop = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(loop) for _ in range(BUSY_LOOPS if name == "busy" else 0)]
    start = time.perf_counter()
    try:
        done = subprocess.run(command, cwd=ROOT, env=os.environ | SETTINGS[name])
    finally:
        for other in others:
            other.kill()
    seconds = time.perf_counter() - start
    verdict = "the same" if done.returncode == 0 else "DIFFERS"
    print(f"{name}: {verdict}, {seconds:.0f} s", flush=True)
    return done.returncode == 0


def main():
    """Run all settings, or those named."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=SETTINGS, action="append")
    parser.add_argument("pytest", nargs="*", help="what pytest runs; solutions/ by default")
    arguments = parser.parse_args()
    same = [run(name, arguments.pytest) for name in arguments.only or SETTINGS]
    sys.exit(0 if all(same) else 1)


if __name__ == "__main__":
    main()
