"""The doctor: is this machine ready for the course, and if not, what helps?

``python -m transfer_lib doctor`` in a terminal; ``doctor.problems()`` or ``doctor.examine()`` in a
notebook. It changes nothing on the machine, and sends nothing but one HEAD request to each host.
"""

import argparse
import html
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from transfer_lib import settings

PYTHONS = ((3, 11), (3, 13))  # first and last tested
WIDGET_MANAGERS = {"7": "1", "8": "3"}  # major versions: ipywidgets, jupyterlab_widgets
LOW_MEMORY, LOW_DISK = 4e9, 2e9  # bytes
CGROUP = Path("/sys/fs/cgroup")  # where a container finds its limit of memory
SECONDS = 3.5  # for all download hosts together


@dataclass(frozen=True)
class Finding:
    """What a check found; something to do unless `fix` is empty; a lesson stops if `failed`."""

    name: str
    message: str
    fix: str = ""
    failed: bool = False

    def __str__(self):
        status = "FAILED" if self.failed else "warning" if self.fix else "ok"
        to_do = f"\n{'To do:':>15} {self.fix}" if self.fix else ""
        return f"{status:<8} {self.name}: {self.message}{to_do}"


@dataclass(frozen=True, repr=False)
class Report:
    """All findings; shown are those with something to do, and how many are fine."""

    findings: tuple[Finding, ...]

    @property
    def problems(self):
        """The findings with something to do."""
        return [finding for finding in self.findings if finding.fix]

    @property
    def fine(self):
        """The findings with nothing to do."""
        return [finding for finding in self.findings if not finding.fix]

    def __repr__(self):
        lines = [str(finding) for finding in self.problems] or ["No problems found."]
        return "\n".join(lines + [f"{len(self.fine)} checks are fine."] * bool(self.fine))

    def _repr_html_(self):
        text = "\n".join(str(finding) for finding in self.problems) or "No problems found."
        page = f'<pre style="white-space: pre-wrap">{html.escape(text)}</pre>'
        if self.fine:
            lines = html.escape("\n".join(map(str, self.fine)))
            page += f"<details><summary>{len(self.fine)} checks are fine.</summary>"
            page += f"<pre>{lines}</pre></details>"
        return page


def examine(*, network=True) -> Report:
    """Examine this machine; ask the download hosts, unless told not to."""
    checks = [_python, _packages, _backend, _device, _memory, _disk, _widgets, _folders, _settings]
    findings = []
    for check in checks + [_network] * network:
        try:
            findings += check()
        except settings.SettingError as error:
            problem, _, fix = str(error).partition(". ")
            findings.append(Finding("settings", problem, fix, failed=True))
        except Exception as error:
            message = f"could not check: {type(error).__name__}: {error}"
            fix = "The other checks stand. If a lesson stops here too, report this line."
            findings.append(Finding(check.__name__.strip("_"), message, fix))
    return Report(tuple(dict.fromkeys(findings)))


def problems() -> Report:
    """Return a report of what needs doing and of nothing else; the network is not asked."""
    return Report(tuple(examine(network=False).problems))


def main(argv=None) -> int:
    """Examine the machine, print the report; return 1 when a lesson will stop and 0 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m transfer_lib doctor", description=__doc__)
    parser.add_argument("--all", action="store_true", help="list the checks that are fine, too")
    parser.add_argument("--no-network", action="store_true", help="do not ask download hosts")
    options = parser.parse_args(argv)
    report = examine(network=not options.no_network)
    if options.all:
        print(*report.fine, sep="\n")
    print(report)
    return int(any(finding.failed for finding in report.findings))


def _python():
    first, last = (".".join(map(str, version)) for version in PYTHONS)
    this, version = sys.version_info[:2], ".".join(map(str, sys.version_info[:3]))
    fix = f"Set the course up again with Python {last}."
    if this < PYTHONS[0]:
        yield Finding("Python", f"{version} is too old; the course needs {first}", fix, True)
    elif this > PYTHONS[1]:
        fix = f"If a package does not install or import: {fix}"
        yield Finding("Python", f"{version} is newer than tested ({first} to {last})", fix)
    else:
        yield Finding("Python", version)


def _packages():
    """Yield a finding for each package that the course needs, or that is here through an extra."""
    from packaging.requirements import Requirement

    for line in metadata.requires("transfer-lib"):
        requirement = Requirement(line)
        name, found = requirement.name, _version(requirement.name)
        needed = not requirement.marker or requirement.marker.evaluate({"extra": ""})
        if not needed and (not found or 'extra == "dev"' in line):
            continue
        if found and requirement.specifier.contains(found, prereleases=True):
            yield Finding(f"package {name}", found)
        else:
            wanted = f"{name}{requirement.specifier}"
            message = f"{found or 'not installed'}; the course needs {wanted}"
            yield Finding(f"package {name}", message, _install(wanted), failed=needed)


def _backend():
    from transfer_lib.session import BACKENDS

    backend = os.environ.get("KERAS_BACKEND", "torch")
    if backend not in BACKENDS:
        fix = f"Set it to one of {', '.join(BACKENDS)}, or unset it for torch; restart the kernel."
        yield Finding("Keras backend", f"KERAS_BACKEND is {backend!r}", fix, failed=True)
    elif not _version(backend):
        fix = f"{_install(backend)} Or unset KERAS_BACKEND for torch."
        yield Finding("Keras backend", f"{backend} is not installed", fix, failed=True)
    else:
        yield Finding("Keras backend", f"{backend} {_version(backend)}")


def _device():
    try:
        import torch

        name = torch.cuda.is_available() and torch.cuda.get_device_name(0)
        if name:
            torch.ones(1, device="cuda").add(1).item()  # a GPU too old for this torch fails here
    except Exception as error:
        fix = "Set the course up again in a new environment. For a GPU: update its driver, or set "
        fix += "`CUDA_VISIBLE_DEVICES=-1` to use the CPU."
        message = f"torch does not work: {str(error).partition(chr(10))[0]}"
        yield Finding("device", message, fix, failed=True)
    else:
        apple = torch.backends.mps.is_available()
        yield Finding("device", name or ("Apple GPU" if apple else "CPU"))


def memory() -> tuple[float, float]:
    """Return the bytes of memory available and in total, within a container's limit."""
    import psutil

    machine = psutil.virtual_memory()
    try:
        limit = int((CGROUP / "memory.max").read_text())  # "max": no limit
        used = int((CGROUP / "memory.current").read_text())
        stat = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return machine.available, machine.total
    left = limit - used + int(stat["inactive_file"])  # a cache that gives way
    return min(machine.available, max(left, 0)), min(machine.total, limit)


def _memory():
    available, total = memory()
    fix = "Shut down other notebooks' kernels, close other programs, stay with the quick profile."
    message = f"{available / 1e9:.1f} GB of {total / 1e9:.1f} GB available"
    yield Finding("memory", message, fix if available < LOW_MEMORY else "")


def _disk():
    free = shutil.disk_usage(_existing(settings.cache_dir())).free
    fix = "Free some space for the full profile, or set TRANSFER_LIB_HOME to another disk."
    yield Finding("disk", f"{free / 1e9:.1f} GB free", fix if free < LOW_DISK else "")


def _widgets():
    found, manager = _version("ipywidgets"), _version("jupyterlab_widgets")
    wanted = WIDGET_MANAGERS.get((found or "8").split(".")[0])
    # Without JupyterLab here, the server brings the manager; Colab and VS Code have their own.
    elsewhere = not _version("jupyterlab") or {"COLAB_RELEASE_TAG", "VSCODE_PID"} & set(os.environ)
    if found and (elsewhere or not wanted or (manager or "").split(".")[0] == wanted):
        yield Finding("widgets", f"ipywidgets {found}")
    else:
        fix = f"{_install('ipywidgets==8.*', 'jupyterlab_widgets==3.*')} Then reload the page."
        message = f"ipywidgets {found} does not fit jupyterlab_widgets {manager}"
        yield Finding("widgets", message, fix, failed=True)


def _folders():
    folders = {"cache": settings.cache_dir(), "progress": settings.progress_file().parent}
    for name, folder in folders.items():
        fix, message = "", str(folder).replace(os.path.expanduser("~"), "~", 1)
        try:
            with tempfile.TemporaryFile(dir=_existing(folder)):  # os.access is wrong on some disks
                pass
        except OSError as error:
            message += f" cannot be written: {error.strerror or error}"
            fix = "Set TRANSFER_LIB_HOME to a folder that you can write to; restart the kernel."
        yield Finding(name, message, fix)


def _settings():
    for name in ("profile", "seed", "data_dir", "mirror"):
        try:
            yield Finding(f"setting {name}", str(getattr(settings, name)() or "default"))
        except settings.SettingError as error:
            problem, _, fix = str(error).partition(". ")
            yield Finding(f"setting {name}", problem, fix or "Correct it or unset it.", failed=True)
    known = set(re.findall(r"TRANSFER_LIB_[A-Z]+", settings.__doc__))
    for name in sorted(set(os.environ) - known):
        if name.startswith("TRANSFER_LIB_"):
            fix = f"Unset it, or correct its name: there are {', '.join(sorted(known))}."
            yield Finding(name, "is not a variable of the course", fix)


def _network():
    import requests  # it honours the proxy variables, as the downloads do

    from transfer_lib import data

    known = [url for name in data.names() for url in data.info(name).urls]
    urls = [urlsplit(url) for url in [settings.mirror(), *known] if url]
    answers = dict.fromkeys([f"{url.scheme}://{url.netloc}/" for url in urls], "no answer")

    def ask(host):
        try:
            code = requests.head(host, timeout=2, allow_redirects=False).status_code
            answers[host] = "" if code != 407 and code < 500 else f"HTTP error {code}"
        except Exception as error:
            answers[host] = type(error).__name__

    # Daemons, not a pool: a name look-up that hangs must not keep Python from ending.
    threads = [threading.Thread(target=ask, args=(host,), daemon=True) for host in answers]
    end = time.monotonic() + SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    silent = [f"{urlsplit(host).netloc}: {why}" for host, why in answers.copy().items() if why]
    message = f"{len(answers) - len(silent)} of {len(answers)} download hosts answer"
    fix = "Nothing, for the quick profile. For the full one: connect; behind a proxy, set "
    fix += "HTTPS_PROXY; or put the files into a folder and set TRANSFER_LIB_DATA to it."
    message += f" ({'; '.join(silent)})" if silent else ""
    yield Finding("network", message, fix if len(silent) == len(answers) else "")


def _install(*requirements):
    """Return the command that installs these into this very Python, ready to paste."""
    wanted = " ".join(f'"{requirement}"' for requirement in requirements)
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if getattr(shell, "kernel", None):
        return f"Run `%pip install {wanted}` in a cell, then restart the kernel."
    return f'Run `"{sys.executable}" -m pip install {wanted}`.'


def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _existing(path):
    """Return the nearest folder above that exists."""
    return next(place for place in (path, *path.absolute().parents) if place.exists())
