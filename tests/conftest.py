"""Shared by all tests: an empty home, no stray settings, strict claims; fixtures of several."""

import importlib.metadata
import os
import sys

import numpy as np
import pytest

import file_server

os.environ.setdefault("KERAS_BACKEND", "torch")  # before any test imports keras


@pytest.fixture(autouse=True)
def empty_home(tmp_path, monkeypatch):
    """Each test has its own cache and progress, and the quick profile."""
    for name in list(os.environ):
        if name.startswith("TRANSFER_LIB_") and name != "TRANSFER_LIB_DATA":
            monkeypatch.delenv(name)
    monkeypatch.setenv("TRANSFER_LIB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TRANSFER_LIB_STRICT", "1")
    monkeypatch.setenv("TRANSFER_LIB_PROFILE", "quick")
    return tmp_path / "home"


@pytest.fixture(autouse=True)
def plain_scikit_learn():
    """Importing skada changes how scikit-learn passes arguments; each test starts without."""
    if "sklearn" in sys.modules:
        sys.modules["sklearn"].set_config(enable_metadata_routing=False)


@pytest.fixture
def server():
    """A `file_server.FileServer` on this machine."""
    with file_server.running() as state:
        yield state


@pytest.fixture
def quick_downloads(monkeypatch):
    """No folder of the user's own data, no proxy, no wait between two attempts."""
    monkeypatch.delenv("TRANSFER_LIB_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("transfer_lib.data.download.WAIT", 0)


@pytest.fixture
def bare_machine(monkeypatch, tmp_path):
    """A terminal, an empty home folder, none of the variables that the doctor reads."""
    variables = ("KERAS_BACKEND", "KERAS_HOME", "COLAB_RELEASE_TAG", "VSCODE_PID", "VSCODE_CWD")
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
    for name in list(os.environ):
        if name.startswith("TRANSFER_LIB_") or name in variables or name.upper() in proxies:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("TRANSFER_LIB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)


@pytest.fixture
def installed(monkeypatch):
    """A dict of distribution to version that stands for what is installed."""
    versions = {}

    def version(name):
        if name not in versions:
            raise importlib.metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(importlib.metadata, "version", version)
    return versions


@pytest.fixture
def pixels():
    """Eight random images, whole numbers from 0 to 255, both ends included."""
    x = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3)).astype(np.float32)
    x[0, 0, 0] = 0
    x[0, 0, 1] = 255
    return x
