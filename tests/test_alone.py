"""A notebook opened from a link alone: it installs the course from its address and runs."""

import os
import site
import subprocess
import sys
import venv
from pathlib import Path

import nbformat
import other_environment
import pytest

import build

ROOT = Path(__file__).resolve().parent.parent


def test_the_network_is_blocked_where_notebooks_run():
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=20)"
    for target in ("'192.0.2.1'", "'example.org'"):
        run = subprocess.run(
            [sys.executable, "-c", code.replace("'192.0.2.1'", target)],
            env=os.environ | {"PYTHONPATH": str(ROOT / "tests/offline")},
            capture_output=True,
            text=True,
            timeout=15,
        )
        assert "the network is blocked in tests" in run.stderr


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout to install from")
def test_a_notebook_alone_in_an_empty_folder_installs_and_runs(tmp_path):
    """The environment has everything but the course, as Colab has; pip may reach no index."""
    venv.create(tmp_path / "venv", with_pip=True)
    scripts = "Scripts" if os.name == "nt" else "bin"
    python = tmp_path / "venv" / scripts / "python"
    where = "import site; print(site.getsitepackages()[0])"
    own = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True)
    # An old setuptools that came with the environment would hide the one of the path below.
    uninstall = [python, "-m", "pip", "uninstall", "--yes", "--quiet", "setuptools"]
    subprocess.run(uninstall, check=True, capture_output=True)
    # Packages are found through this path; the course itself, installed as a link, is not.
    Path(own.stdout.strip(), "shared.pth").write_text(site.getsitepackages()[0] + "\n")
    (tmp_path / "alone").mkdir()
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {
        "COLAB_RELEASE_TAG": "test",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this one the other way round
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }
    command = [python, "-m", "IPython", "--colors=NoColor", "00_first_transfer.ipynb"]
    alone = tmp_path / "alone"
    with other_environment.served() as where:
        notebook = build.lesson_of(build.read(build.source_of("00"), where))
        nbformat.write(notebook, alone / "00_first_transfer.ipynb")
        run = subprocess.run(
            command, cwd=alone, env=env, capture_output=True, text=True, timeout=240
        )
    assert "Lesson 00, quick profile" in run.stdout, run.stdout[-3000:] + run.stderr[-2000:]
    assert "Not attempted yet. Click a letter" in run.stdout, run.stdout[-3000:]
    assert "Error" not in run.stderr, run.stderr
    check = "import transfer_lib; print(transfer_lib.__file__)"
    found = subprocess.run(
        [python, "-c", check], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert str(tmp_path / "venv") in found.stdout, "it runs from what pip installed"
