"""Shared by all tests: an empty home, no stray settings, strict claims."""

import os

import pytest

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
