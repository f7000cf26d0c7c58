"""Checks of what is installed: Python, packages, Keras, widgets, and the front end."""

import json
import os
import sys
from enum import StrEnum
from importlib import metadata, resources
from pathlib import Path

from transfer_lib.doctor.report import failed, ok, skipped, warning

DISTRIBUTION = "transfer-lib"
PYTHONS = ((3, 11), (3, 13))  # first and last tested
WIDGET_MANAGERS = {  # major version of ipywidgets: that of its two front-end packages
    7: {"jupyterlab_widgets": 1, "widgetsnbextension": 3},
    8: {"jupyterlab_widgets": 3, "widgetsnbextension": 4},
}
KERAS_CHOICES = {
    "floatx": ("float16", "float32", "float64"),
    "image_data_format": ("channels_last", "channels_first"),
}
KERAS_WANTED = {"floatx": "float32", "image_data_format": "channels_last"}


class FrontEnd(StrEnum):
    """What shows the output of this Python process."""

    COLAB = "Google Colab"
    VSCODE = "VS Code"
    JUPYTER = "Jupyter (JupyterLab or Notebook)"
    IPYTHON = "IPython in a terminal"
    TERMINAL = "a terminal or a script"


def front_end() -> FrontEnd:
    """Say which front end runs, from environment variables and the IPython shell."""
    if "google.colab" in sys.modules or "COLAB_RELEASE_TAG" in os.environ:
        return FrontEnd.COLAB
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        return FrontEnd.TERMINAL
    if getattr(shell, "kernel", None) is None:
        return FrontEnd.IPYTHON
    # Jupyter servers name the session; one started from VS Code's terminal does so too.
    own = "JPY_SESSION_NAME" not in os.environ and {"VSCODE_PID", "VSCODE_CWD"} & set(os.environ)
    return FrontEnd.VSCODE if own or "__vsc_ipynb_file__" in shell.user_ns else FrontEnd.JUPYTER


def pip_command(*requirements) -> str:
    """Return the command that installs these into this very Python, ready to paste."""
    wanted = " ".join(f'"{requirement}"' for requirement in requirements)
    if front_end() in (FrontEnd.TERMINAL, FrontEnd.IPYTHON):
        python = sys.executable or "python"
        python = f'"{python}"' if " " in python else python
        return f"Run `{python} -m pip install {wanted}`."
    return f"Run `%pip install {wanted}` in a cell, then restart the kernel."


def check_front_end():
    """Yield which front end runs."""
    yield ok("front end", front_end().value)


def check_python():
    """Yield whether this Python is one that the course is tested with."""
    (first, last), this = PYTHONS, tuple(sys.version_info[:2])
    version = ".".join(str(part) for part in sys.version_info[:3])
    tested = f"{first[0]}.{first[1]} to {last[0]}.{last[1]}"
    if this < first:
        fix = f"Install Python {last[0]}.{last[1]} and set the course up again with it."
        yield failed("Python", f"{version} is too old; the course needs {tested}", fix)
    elif this > last:
        fix = f"If a package does not install or import, use Python {last[0]}.{last[1]}."
        yield warning("Python", f"{version} is newer than tested ({tested})", fix)
    else:
        yield ok("Python", f"{version} (tested: {tested})")


def requirements():
    """Return the course's requirements as two lists: needed by all, and by its extras.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        If the course runs from a folder and is not installed.
    """
    from packaging.requirements import Requirement

    needed, extra = [], []
    for line in metadata.requires(DISTRIBUTION) or []:
        requirement = Requirement(line)
        if not requirement.marker or requirement.marker.evaluate({"extra": ""}):
            needed.append(requirement)
        elif requirement.name != DISTRIBUTION and 'extra == "dev"' not in str(requirement.marker):
            extra.append(requirement)
    return needed, extra


def tested_versions() -> dict[str, str]:
    """Return the tested version of each package by normalised name; empty without the file."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    try:
        text = resources.files("transfer_lib").joinpath("tested_versions.txt").read_text("utf8")
    except FileNotFoundError:
        return {}
    versions = {}
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if not line or line.startswith("-"):
            continue
        requirement = Requirement(line)
        exact = [part.version for part in requirement.specifier if part.operator == "=="]
        if exact and (not requirement.marker or requirement.marker.evaluate()):
            versions[canonicalize_name(requirement.name)] = exact[0]
    return versions


def check_packages():
    """Yield one finding for each package that the course needs, or that is there by an extra."""
    try:
        needed, extra = requirements()
    except metadata.PackageNotFoundError:
        yield skipped(
            "packages",
            "the course runs from a folder and is not installed, so its version ranges are unknown",
            "In the folder of the course, run `make setup` or `python -m pip install -e .`.",
        )
        return
    tested = tested_versions()
    for requirement in needed:
        yield _examine_package(requirement, tested, failed)
    for requirement in extra:
        if installed_version(requirement.name):
            yield _examine_package(requirement, tested, warning)


def _examine_package(requirement, tested, out_of_range):
    from packaging.utils import canonicalize_name
    from packaging.version import InvalidVersion, Version

    name, specifier = f"package {requirement.name}", requirement.specifier
    best = tested.get(canonicalize_name(requirement.name))
    pinned = best and specifier.contains(best) and front_end() is not FrontEnd.COLAB
    wanted = f"{requirement.name}{specifier}"
    fix = pip_command(f"{requirement.name}=={best}" if pinned else wanted)
    found = installed_version(requirement.name)
    if found is None:
        return out_of_range(name, f"not installed; the course needs {wanted}", fix)
    try:
        version = Version(found)
    except InvalidVersion:
        return out_of_range(name, f"has the unreadable version {found!r}", fix)
    if not specifier.contains(version, prereleases=True):
        return out_of_range(name, f"{found} is outside of the range {specifier}", fix)
    if best is None:
        return ok(name, found)
    same = version.public == Version(best).public  # 2.13.0+cpu is 2.13.0
    return ok(name, f"{found}, as tested" if same else f"{found} (tested with {best})")


def installed_version(name) -> str | None:
    """Return the version of an installed distribution, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def check_backend():
    """Yield whether the Keras backend is a known one and is installed. Keras is not imported."""
    from transfer_lib.session import BACKENDS

    name, known = "Keras backend", ", ".join(BACKENDS)
    backend = os.environ.get("KERAS_BACKEND", "torch")
    source = "from KERAS_BACKEND" if "KERAS_BACKEND" in os.environ else "the course's default"
    running = getattr(sys.modules.get("keras"), "backend", None)
    if backend not in BACKENDS:
        fix = f"Set KERAS_BACKEND to one of {known}, or unset it for torch; restart the kernel."
        yield failed(name, f"KERAS_BACKEND is {backend!r}, which the course cannot use", fix)
    elif (version := installed_version(backend)) is None:
        fix = pip_command(backend)
        if backend != "torch":
            fix += " Or unset KERAS_BACKEND for torch."
        yield failed(name, f"{backend} ({source}) is not installed", fix)
    elif running and running.backend() != backend:
        fix = "Restart the kernel and run the set-up cell before anything imports Keras."
        message = f"Keras is already imported and runs on {running.backend()}, not on {backend}"
        yield warning(name, message, fix)
    else:
        yield ok(name, f"{backend} {version} ({source})")


def keras_config() -> Path:
    """Return the path of ``keras.json``, found as ``keras.src.backend.config`` finds it."""
    home = os.environ.get("KERAS_HOME")
    if home is None:
        base = os.path.expanduser("~")
        home = os.path.join(base if os.access(base, os.W_OK) else "/tmp", ".keras")
    return Path(home, "keras.json").expanduser()


def check_keras_settings():
    """Yield whether ``keras.json`` is readable and fits the lessons.

    Its backend hardly counts: the set-up cell sets ``KERAS_BACKEND``, which wins.
    """
    name, path = "Keras settings", keras_config()
    delete = f"Delete {short(path)}; Keras writes a new one."
    try:
        content = json.loads(path.read_text("utf8"))
    except FileNotFoundError:
        yield ok(name, "Keras's defaults (there is no keras.json)")
        return
    except (OSError, ValueError) as error:
        yield warning(name, f"{short(path)} cannot be read: {error}", delete)
        return
    if not isinstance(content, dict):
        yield failed(name, f"{short(path)} holds no JSON object, so Keras will not import", delete)
        return
    problems = list(_keras_problems(content, short(path)))
    yield from problems or [ok(name, f"{short(path)} fits the lessons")]


def _keras_problems(content, path):
    from transfer_lib.session import BACKENDS

    name = "Keras settings"
    for key, choices in KERAS_CHOICES.items():
        value, wanted = content.get(key, KERAS_WANTED[key]), KERAS_WANTED[key]
        if value not in choices:
            message = f"{key} in {path} is {value!r}, so Keras will not import"
            yield failed(name, message, f'Set it to "{wanted}" there.')
        elif value != wanted:
            message = f"{key} in {path} is {value!r}; the lessons expect {wanted!r}"
            yield warning(name, message, f'Set it to "{wanted}" there.')
    if not isinstance(content.get("epsilon", 1e-7), float):
        message = f"epsilon in {path} is not a float, so Keras will not import"
        yield failed(name, message, "Set it to 1e-07 there.")
    backend = content.get("backend", "tensorflow")
    if backend not in (*BACKENDS, "numpy", "openvino"):
        fix = f"Set it to one of {', '.join(BACKENDS)} there."
        yield warning(name, f"the backend in {path} is {backend!r}: unknown", fix)


def check_widgets():
    """Yield whether ipywidgets and the packages that show its widgets fit together."""
    name = "widgets"
    found = installed_version("ipywidgets")
    if found is None:
        fix = pip_command("ipywidgets>=8")
        yield failed(name, "ipywidgets is not installed", fix)
        return
    if front_end() is FrontEnd.COLAB:
        yield ok(name, f"ipywidgets {found} with Colab's own widget manager")
        return
    major = int(found.split(".")[0])
    if major not in WIDGET_MANAGERS:
        fix = "If a widget does not show, " + pip_command("ipywidgets>=8,<9")
        yield warning(name, f"ipywidgets {found} is newer than this check knows", fix)
        return
    managers = WIDGET_MANAGERS[major]
    installed = {package: installed_version(package) for package in managers}
    wrong = [
        f"{package} {version or '(not installed)'}"
        for package, version in installed.items()
        if version is None or int(version.split(".")[0]) != managers[package]
    ]
    # VS Code brings its own manager; without JupyterLab here, the server runs elsewhere.
    elsewhere = front_end() is FrontEnd.VSCODE or installed_version("jupyterlab") is None
    together = ", ".join(f"{package} {managers[package]}" for package in managers)
    if not wrong or elsewhere:
        yield ok(name, f"ipywidgets {found}" + ("" if wrong else f" with {together}"))
        return
    specifiers = [f"{package}=={version}.*" for package, version in WIDGET_MANAGERS[8].items()]
    yield failed(
        name,
        f"ipywidgets {found} needs {together}; found {', '.join(wrong)}",
        pip_command("ipywidgets==8.*", *specifiers) + " Then reload the browser page.",
    )


def short(path) -> str:
    """Return a path with the home folder as ``~``."""
    path, home = Path(path), Path.home()
    return str(Path("~") / path.relative_to(home)) if path.is_relative_to(home) else str(path)
