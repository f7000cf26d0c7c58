"""Run the course in an environment of its own: ``jax``, or the versions that ``colab`` ships.

- ``jax``: runs the Keras lessons on the torch and on the JAX backend. Their code must be
  backend-neutral, so both must run from top to bottom with the claims holding.
- ``colab``: installs the versions of ``TRANSFER_LIB_DATA/colab-gpu-*.txt`` for the packages that
  the course uses; then each notebook, alone in an empty folder, installs the course from this
  repository by its own first cell, changes none of those versions, and runs.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import venv
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
TORCH = re.search(r"^torch==.*$", (ROOT / "constraints.txt").read_text("utf8"), re.MULTILINE)[0]


def requirements(*extras) -> list[Requirement]:
    """Return what the course depends on, with the given extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    found = [Requirement(line) for line in lines]
    return [one for one in found if one.name != project["name"]]


def make(name) -> str:
    """Create ``.venv-NAME`` unless it exists, and return its Python."""
    folder = ROOT / f".venv-{name}"
    if not folder.exists():
        venv.create(folder, with_pip=True)
    return str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")


def free_port() -> int:
    """Return a port of this machine that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def pip_install(python, *arguments):
    """Install with that Python's pip."""
    subprocess.run([python, "-m", "pip", "install", "--quiet", *arguments], check=True)


def versions(python) -> dict:
    """Return name to version of what that Python has installed."""
    command = [python, "-m", "pip", "list", "--format=freeze"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(line.lower().split("==")[:2] for line in out.splitlines() if "==" in line)


@contextmanager
def served():
    """Serve what is committed here by HTTP, as a code host would; yield its address."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder, "course.git")
        git = partial(subprocess.run, check=True, capture_output=True)
        git(["git", "init", "--bare", bare])
        git(["git", "-C", bare, "fetch", ROOT, "HEAD:refs/heads/main"])
        git(["git", "-C", bare, "symbolic-ref", "HEAD", "refs/heads/main"])
        git(["git", "-C", bare, "update-server-info"])
        handler = partial(_Quiet, directory=folder)
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            repository = f"http://127.0.0.1:{server.server_port}/course.git"
            yield {"repository": repository, "branch": "main"}
            server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def run_lesson(python, path, where=None, alone=False, **env):
    """Run a lesson in a kernel of that Python, seed 0, quick profile, in an empty folder.

    The notebook is built and driven from here; that Python needs only what a learner has. With
    `where` it is the notebook as it is published at that address; `alone`, nothing is beside it.
    """
    import build

    kernels = ROOT / "build" / "kernels"
    name = Path(python).parent.parent.name.removeprefix(".venv-")
    install = [python, "-m", "ipykernel", "install", "--prefix", str(kernels), "--name", name]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
    os.environ |= {"JUPYTER_PATH": str(kernels / "share/jupyter")} | env
    start = time.perf_counter()
    notebook = build.lesson_of(build.read(path, where))
    build.execute(notebook, path.stem, answered=False, kernel=name, alone=alone)
    print(f"{path.stem}: ran in {time.perf_counter() - start:.0f} s", flush=True)


def jax():
    """Run the Keras lessons on torch and on JAX."""
    sys.path.insert(0, str(ROOT))
    import build
    from transfer_lib import lessons

    keras = {lesson.number for lesson in lessons.LESSONS if lesson.engine == "keras"}
    python = make("jax")
    pip_install(python, "--constraint", str(ROOT / "constraints.txt"), "--editable", ".[lab]")
    pip_install(python, "jax")
    for backend in ("torch", "jax"):
        print(f"Backend {backend}", flush=True)
        check = [python, str(ROOT / "tools/make_lite0_reference.py"), "--check"]
        found = subprocess.check_output(check, env=os.environ | {"KERAS_BACKEND": backend})
        print(f"EfficientNet-Lite0 is {float(found.split()[-1]):.1e} off at most", flush=True)
        if float(found.split()[-1]) > 1e-3:
            sys.exit(1)
        for path in build.sources():
            if build.number_of(path) in keras:
                run_lesson(python, path, KERAS_BACKEND=backend)


def colab():
    """Install Colab's versions, then the course, and run all lessons."""
    folder = os.environ.get("TRANSFER_LIB_DATA")
    listed = sorted(Path(folder).glob("colab-*.txt")) if folder else []
    if not listed:
        sys.exit("Set TRANSFER_LIB_DATA to a folder with Colab's list of packages, colab-*.txt.")
    shipped = dict(
        re.match(r"([\w.-]+)==([^+\s]+)", line).groups()
        for line in listed[-1].read_text("utf8").lower().splitlines()
        if "==" in line
    )
    wanted = {one.name.lower() for one in requirements()} | {"ipython", "ipykernel"}
    wanted.add("sentence-transformers")  # the text extra's own requirement
    pins = [f"{name}=={shipped[name]}" for name in sorted(wanted & set(shipped))]
    pins = [pin for pin in pins if not pin.startswith("torch==")] + [TORCH]
    python = make("colab")
    pip_install(python, *pins, "setuptools")
    import build

    added = {one.name.lower() for one in requirements("images", "text")} - wanted
    with served() as where:
        for path in build.sources():
            _run_on_colab(python, path, where, added)


def _run_on_colab(python, path, where, added):
    """Run one published notebook where neither the course nor the packages `added` are."""
    remove = [python, "-m", "pip", "uninstall", "--yes", "--quiet", "transfer-lib", *added]
    subprocess.run(remove, check=True, stderr=subprocess.DEVNULL)
    before = versions(python)
    run_lesson(python, path, where, alone=True, COLAB_RELEASE_TAG="test")
    after = versions(python)
    if changed := {name: after.get(name) for name in before if after.get(name) != before[name]}:
        sys.exit(f"{path.stem} changed what Colab ships: {changed}")
    print(f"  installed: {', '.join(sorted(set(after) - set(before)))}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("which", choices=("jax", "colab"))
    os.chdir(ROOT)
    {"jax": jax, "colab": colab}[parser.parse_args().which]()
