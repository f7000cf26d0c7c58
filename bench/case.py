"""What is measured, and the processes that measure a side of it elsewhere."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What a peer needs beside what it names. Peers whose versions the course cannot have beside its
# own live in environments of their own, `.venv-bench-NAME`, made on first use.
ENVIRONMENTS = {
    "keras-backends": ["keras", "jax", "tensorflow-cpu", "platformdirs", "filelock"],
    "adapt": ["adapt", "tensorflow-cpu", "setuptools"],
    "fastai": ["fastai", "timm", "torch==2.14.1", "torchvision==0.29.1"],
}


@dataclass(frozen=True)
class Case:
    """Two ways to the same thing.

    Attributes
    ----------
    name, peer : str
        What the course does, and what it is measured against: a peer, or a limit.
    ours, theirs : callable
        Called without arguments. It is timed, unless it returns a number: that is then the
        value, for example seconds measured in another process. `theirs` may be None.
    runs : int
        How often each is called, in turn.
    metric : {"seconds", "minutes", "MiB", "power", "Gflop/s"}
        The unit of the values.
    goal : str, optional
        ``"ratio >= 8"`` or ``"ours < 0.3"``.
    more : callable, optional
        Called after the runs; returns a dict of further numbers of the row, whose keys begin
        with ``ours_`` or ``theirs_``, for example ``ours_accuracy``.
    """

    name: str
    peer: str
    ours: Callable
    theirs: Callable | None = None
    runs: int = 3
    metric: str = "seconds"
    goal: str | None = None
    more: Callable | None = None


def environment(name) -> str:
    """Return the Python of the environment `name`, which is made on first use."""
    folder = ROOT / f".venv-bench-{name}"
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    done = folder / "done"
    if not done.exists():
        print(f"making {folder.name}", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", *ENVIRONMENTS[name]]
        subprocess.run(install, check=True)
        done.touch()
    return str(python)


class Process:
    """A side of a case that runs in a process of its own: ``bench/peers/SCRIPT.py``.

    Each call starts the script anew. The last line that it prints is a JSON object; the call
    returns its `key`, and the whole object is kept in `last`.

    Parameters
    ----------
    script : str
        Name of a file in ``bench/peers/``.
    arguments : str
        Arguments of the script.
    key : str
        Which number of the object is the value.
    python : str, optional
        Another environment's Python.
    env : str
        Variables of the environment.
    """

    def __init__(self, script, *arguments, key="seconds", python=sys.executable, **env):
        file = ROOT / "bench" / "peers" / f"{script}.py"
        self.command = [python, str(file), *map(str, arguments)]
        self.env, self.key, self.last = env, key, {}

    def __call__(self) -> float:
        found = subprocess.run(
            self.command, env=os.environ | {"PYTHONPATH": str(ROOT)} | self.env, text=True,
            capture_output=True,
        )  # fmt: skip
        if found.returncode:
            raise RuntimeError(f"{' '.join(self.command)} failed:\n{found.stderr[-3000:]}")
        self.last = json.loads(found.stdout.strip().splitlines()[-1])
        return self.last[self.key]
