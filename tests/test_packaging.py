"""pyproject.toml, constraints.txt and environment.yml agree and admit Colab's versions."""

import json
import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

import licences

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))


def requirements():
    lists = [
        PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"].values(),
    ]
    found = [Requirement(line) for lines in lists for line in lines]
    return [one for one in found if one.name != PROJECT["project"]["name"]]


def pinned(text):
    return {
        name.lower().replace("_", "-"): version
        for name, version in re.findall(r"^([\w.-]+)==([^+\s]+)", text, re.M)
    }


CONSTRAINTS = pinned((ROOT / "constraints.txt").read_text("utf8"))


@pytest.mark.parametrize("requirement", requirements(), ids=lambda one: one.name)
def test_each_dependency_is_pinned_inside_its_range(requirement):
    assert requirement.specifier.contains(CONSTRAINTS[requirement.name.lower()])


def test_each_dependency_says_why():
    for line in (ROOT / "pyproject.toml").read_text("utf8").splitlines():
        if re.match(r'^    "[\w-]+[>=]', line):
            assert "# " in line, line


def test_constraints_are_exact_and_hold_no_address():
    for line in (ROOT / "constraints.txt").read_text("utf8").splitlines():
        assert line.startswith("#") or re.fullmatch(r"[\w.-]+==[\w.]+", line), line
    assert "torch" in CONSTRAINTS


def test_readme_names_variables_that_there_are():
    from transfer_lib import settings

    named = re.findall(r"`(TRANSFER_LIB_[A-Z]+)`", (ROOT / "README.md").read_text("utf8"))
    assert {f"``{name}``" for name in named} <= set(settings.__doc__.split())


def test_conda_environment_uses_the_same_versions():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf8"))
    conda = [line for line in environment["dependencies"] if isinstance(line, str)]
    (pip,) = [d["pip"] for d in environment["dependencies"] if isinstance(d, dict)]
    assert "--constraint constraints.txt" in pip
    assert any(line.startswith("--editable .[lab]") for line in pip)
    (python,) = [line.split("=")[1] for line in conda if line.startswith("python=")]
    supported = Requirement(f"python{PROJECT['project']['requires-python']}").specifier
    assert supported.contains(python)


def test_colabs_versions_are_admitted():
    folder = os.environ.get("TRANSFER_LIB_DATA")
    lists = sorted(Path(folder).glob("colab-*.txt")) if folder else []
    if not lists:
        pytest.skip("TRANSFER_LIB_DATA is not set to a folder with Colab's package list")
    shipped = pinned(lists[-1].read_text("utf8"))
    known = [one for one in requirements() if one.name.lower() in shipped and one.extras == set()]
    base = {Requirement(line).name for line in PROJECT["project"]["dependencies"]}
    assert len(base & {one.name for one in known}) >= 10
    for one in known:
        if one.name in base:
            version = Version(shipped[one.name.lower()])
            assert one.specifier.contains(version), f"Colab ships {one.name} {version}"


def test_no_file_is_too_long():
    files = [p for name in ("transfer_lib", "tests", "tools") for p in (ROOT / name).rglob("*.py")]
    lines = {path: len(path.read_text("utf8").splitlines()) for path in files}
    assert {path.name: count for path, count in lines.items() if count > 400} == {}


def test_the_library_stays_small():
    """Exercises are content, and what the lessons keep is counted there."""
    files = [p for p in (ROOT / "transfer_lib").rglob("*.py")]
    files = [p for p in files if not {"exercises", "taught"} & set(p.parts)]
    assert sum(bool(line.strip()) for p in files for line in p.open(encoding="utf8")) <= 4355


def test_the_licences_are_those_of_the_registry():
    assert (ROOT / "LICENCES.md").read_text("utf8") == licences.text(), "run tools/licences.py"


def test_workflows_and_devcontainer_take_what_is_there():
    """They have not been run; what they name must at least exist."""
    text = (ROOT / ".github/workflows/tests.yml").read_text("utf8")
    jobs = yaml.safe_load(text)["jobs"]
    container = (ROOT / ".devcontainer/devcontainer.json").read_text("utf8")
    json.loads(re.sub(r"(?m)^//.*$", "", container))
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text("utf8")))
    steps = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    commands = "\n".join([*steps, container])
    assert set(re.findall(r"\bmake ([a-z-]+)", commands)) <= targets
    for tool in re.findall(r"tools/\w+\.py", commands):
        assert (ROOT / tool).is_file()
    pythons = {str(python) for job in jobs.values() for python in _pythons(job)}
    assert pythons == {"3.11", "3.12", "3.13", "3.14"}


def _pythons(job):
    matrix = job.get("strategy", {}).get("matrix", {})
    return [*matrix.get("python", []), *(row["python"] for row in matrix.get("include", []))]
