"""The doctor: each check on a machine of our choice, and what its report shows."""

import errno
import importlib.metadata
import socket
import subprocess
import sys
import threading
import types

import pytest

from transfer_lib import doctor, settings
from transfer_lib.doctor import Finding, Report

pytestmark = pytest.mark.usefixtures("bare_machine")
REPORT = Report(
    (
        Finding("Python", "3.11.9"),
        Finding("memory", "1 GB & less", "Close <things>."),
        Finding("package numpy", "1.26 is too old", "Run pip.", failed=True),
    )
)
FINE = Report(REPORT.findings[:1])


def only(check, status):
    """Return the one finding of a check that is not of the status "ok", or its only one."""
    found = list(check())
    found = [finding for finding in found if finding.fix] or found[-1:]
    assert len(found) == 1 and str(found[0]).startswith(status), found
    return found[0]


# The report


def test_problems_are_shown_and_the_rest_is_folded():
    assert repr(REPORT).splitlines() == [
        "warning  memory: 1 GB & less",
        "         To do: Close <things>.",
        "FAILED   package numpy: 1.26 is too old",
        "         To do: Run pip.",
        "1 checks are fine.",
    ]
    assert repr(FINE) == "No problems found.\n1 checks are fine."
    page = REPORT._repr_html_()
    assert "1 GB &amp; less" in page and "Close &lt;things&gt;." in page
    assert "<summary>1 checks are fine.</summary><pre>ok       Python: 3.11.9</pre>" in page


def test_only_the_problems(monkeypatch):
    asked = []
    monkeypatch.setattr(doctor, "examine", lambda network: asked.append(network) or FINE)
    assert repr(doctor.problems()) == "No problems found."
    assert "details" not in doctor.problems()._repr_html_()
    assert asked == [False, False]
    monkeypatch.setattr(doctor, "examine", lambda network: REPORT)
    assert repr(doctor.problems()).startswith("warning  memory")
    assert "fine" not in repr(doctor.problems())


@pytest.mark.parametrize(("report", "code"), [(FINE, 0), (REPORT, 1)])
def test_command_line(monkeypatch, capsys, report, code):
    asked = []
    monkeypatch.setattr(doctor, "examine", lambda network: asked.append(network) or report)
    assert doctor.main([]) == doctor.main(["--no-network"]) == code
    assert "ok       Python" not in capsys.readouterr().out
    assert doctor.main(["--all"]) == code
    assert capsys.readouterr().out.startswith("ok       Python: 3.11.9\n")
    assert asked == [True, False, True]
    with pytest.raises(SystemExit):
        doctor.main(["--al-l"])


def test_a_check_that_crashes_is_a_finding(monkeypatch):
    def _disk():
        yield Finding("disk", "9 GB")
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(doctor, "_disk", _disk)
    (crashed,) = [f for f in doctor.examine(network=False).problems if f.name == "disk"]
    assert crashed.message == "could not check: ZeroDivisionError: a bug" and not crashed.failed


def test_whole_run_offline(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    report = doctor.examine()
    assert not [f for f in report.findings if "could not check" in f.message or f.failed]
    names = {finding.name.split()[0] for finding in report.findings}
    assert names >= {"Python", "package", "Keras", "device", "memory", "disk", "widgets", "cache"}
    assert "network" in [finding.name for finding in report.problems]
    others = [finding for finding in report.problems if finding.name != "network"]
    assert "torch" not in str(others)


def test_the_command_runs_and_loads_no_keras():
    code = (
        "import sys\nfrom transfer_lib.doctor import main\nmain(['--no-network'])\n"
        "print([m for m in ('keras', 'matplotlib', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-2].endswith("checks are fine.")
    assert done.stdout.splitlines()[-1] == "[]"


# Python and packages


@pytest.mark.parametrize(
    ("version", "status"),
    [((3, 10, 9), "FAILED"), ((3, 11, 0), "ok"), ((3, 13, 5), "ok"), ((3, 14, 0), "warning")],
)
def test_python_version(monkeypatch, version, status):
    monkeypatch.setattr(sys, "version_info", version)
    assert ".".join(map(str, version)) in only(doctor._python, status).message


@pytest.fixture
def required(monkeypatch):
    """The course needs numpy>=2.0,<3; its extra lab jupyterlab>=4.2; its extra dev pytest>=8."""
    lines = ["numpy>=2.0,<3", 'jupyterlab>=4.2; extra == "lab"', 'pytest>=8; extra == "dev"']
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: lines)


@pytest.mark.parametrize("version", ["2.4.1", "2.4.1+local", "2.5.0rc1"])
def test_package_that_fits(installed, required, version):
    installed.update(numpy=version, pytest="1.0")  # an extra for developers does not matter
    assert only(doctor._packages, "ok").message == version


@pytest.mark.parametrize("version", ["1.26.4", "3.0", None])
def test_package_out_of_range_or_missing(installed, required, version, monkeypatch):
    if version:
        installed["numpy"] = version
    finding = only(doctor._packages, "FAILED")
    assert finding.name == "package numpy" and (version or "not installed") in finding.message
    assert f'"{sys.executable}" -m pip install "numpy<3,>=2.0"' in finding.fix
    shell = types.SimpleNamespace(kernel=object())
    ipython = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert only(doctor._packages, "FAILED").fix.startswith('Run `%pip install "numpy<3,>=2.0"`')


def test_package_of_an_extra_warns(installed, required):
    installed.update(numpy="2.4.1", jupyterlab="3.6")
    assert '"jupyterlab>=4.2"' in only(doctor._packages, "warning").fix


# Keras, device, memory, widgets


@pytest.mark.parametrize(
    ("backend", "status"),
    [("torch", "ok"), ("jax", "FAILED"), ("Torch", "FAILED"), ("", "FAILED")],
)
def test_backend(installed, monkeypatch, backend, status):
    installed["torch"] = "2.13.0"
    monkeypatch.setenv("KERAS_BACKEND", backend)
    finding = only(doctor._backend, status)
    assert status == "ok" or backend in finding.message and "unset" in finding.fix


@pytest.mark.parametrize(
    ("cuda", "mps", "broken", "status", "word"),
    [
        (True, False, False, "ok", "Tesla T4"),
        (True, False, True, "FAILED", "no kernel image"),
        (False, True, False, "ok", "Apple GPU"),
        (False, False, False, "ok", "CPU"),
    ],
)
def test_device(monkeypatch, cuda, mps, broken, status, word):
    def ones(*shape, device):
        if broken:
            raise RuntimeError("no kernel image\nlong text")
        return types.SimpleNamespace(add=lambda x: types.SimpleNamespace(item=lambda: 2.0))

    torch = types.ModuleType("torch")
    torch.ones = ones
    torch.cuda = types.SimpleNamespace(
        is_available=lambda: cuda, get_device_name=lambda index: "Tesla T4"
    )
    torch.backends = types.SimpleNamespace(mps=types.SimpleNamespace(is_available=lambda: mps))
    monkeypatch.setitem(sys.modules, "torch", torch)
    finding = only(doctor._device, status)
    assert word in finding.message and "long text" not in finding.message
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it raises ImportError
    only(doctor._device, "FAILED")


@pytest.mark.parametrize(("available", "status"), [(3.9e9, "warning"), (4.1e9, "ok")])
def test_memory_also_of_a_container(monkeypatch, tmp_path, available, status):
    import psutil

    facts = types.SimpleNamespace(available=available, total=8e9)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: facts)
    monkeypatch.setattr(doctor, "CGROUP", tmp_path)
    assert "of 8.0 GB" in only(doctor._memory, status).message
    facts.available = facts.total = 100e9
    for name, text in (
        ("max", "8000000000\n"),
        ("current", f"{8e9 - available + 6e8:.0f}\n"),
        ("stat", "anon 1\ninactive_file 600000000\n"),
    ):
        (tmp_path / f"memory.{name}").write_text(text)
    assert doctor.memory() == (available, 8e9)
    only(doctor._memory, status)
    (tmp_path / "memory.max").write_text("max\n")
    assert doctor.memory() == (100e9, 100e9)


@pytest.mark.parametrize(("free", "status"), [(1.9e9, "warning"), (2.1e9, "ok")])
def test_disk(monkeypatch, free, status):
    usage = types.SimpleNamespace(free=free)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage)
    only(doctor._disk, status)


@pytest.mark.parametrize(
    ("ipywidgets", "manager", "status"),
    [
        ("8.1.9", "3.0.17", "ok"),
        ("7.8.1", "1.1.7", "ok"),
        ("8.1.9", "1.1.7", "FAILED"),
        ("8.1.9", None, "FAILED"),
        (None, "3.0.17", "FAILED"),
        ("9.0", "4.0", "ok"),
    ],
)
def test_widgets(installed, monkeypatch, ipywidgets, manager, status):
    found = {"ipywidgets": ipywidgets, "jupyterlab_widgets": manager, "jupyterlab": "4.6"}
    installed.update({name: version for name, version in found.items() if version})
    only(doctor._widgets, status)
    if ipywidgets:
        monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
        only(doctor._widgets, "ok")


# Folders, settings, network


def test_folders_are_not_made_and_do_not_show_the_home_folder(tmp_path):
    for finding in doctor._folders():
        assert not finding.fix and finding.message.startswith("~")
    assert not settings.cache_dir().exists()


def test_folders_that_cannot_be_written(monkeypatch):
    def refuse(dir):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    for finding in doctor._folders():
        assert finding.message.endswith("cannot be written: Read-only file system")
        assert "TRANSFER_LIB_HOME" in finding.fix and not finding.failed


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("PROFILE", "quick", "ok"),
        ("PROFILE", "fast", "FAILED"),
        ("SEED", "three", "FAILED"),
        ("DATA", ".", "ok"),
        ("DATA", "/no/such/folder", "FAILED"),
        ("PROFIL", "quick", "warning"),
    ],
)
def test_settings(monkeypatch, name, value, status):
    monkeypatch.setenv(f"TRANSFER_LIB_{name}", value)
    finding = only(doctor._settings, status)
    assert status == "ok" or f"TRANSFER_LIB_{name}" in str(finding)
    assert "secret" not in str(list(doctor._settings()))


@pytest.mark.parametrize(
    ("answers", "status", "word"),
    [
        ([200, 403, 301, 200], "ok", "4 of 4 download hosts answer"),
        ([200, 503, OSError(), 407], "ok", "HTTP error 503"),
        ([503, 407, OSError(), OSError()], "warning", "0 of 4 download hosts answer"),
    ],
)
def test_network(monkeypatch, answers, status, word):
    import requests

    from transfer_lib import data

    urls = [f"https://host{i}.example/file" for i in range(4)]
    answer_of = dict(zip((url.removesuffix("file") for url in urls), answers, strict=True))

    def head(url, timeout, allow_redirects):
        if isinstance(answer_of[url], Exception):
            raise answer_of[url]
        return types.SimpleNamespace(status_code=answer_of[url])

    monkeypatch.setattr(requests, "head", head)
    monkeypatch.setattr(data, "names", lambda: ["one", "two"])
    monkeypatch.setattr(data, "info", lambda name: types.SimpleNamespace(urls=urls))
    assert word in only(doctor._network, status).message


def test_name_look_up_that_hangs_is_not_waited_for(monkeypatch):
    import requests

    go_on, ended = threading.Event(), []

    def head(*args, **kwargs):
        go_on.wait(60)
        ended.append(args)

    monkeypatch.setattr(requests, "head", head)
    monkeypatch.setattr(doctor, "SECONDS", 0.2)
    try:
        assert "no answer" in only(doctor._network, "warning").message
        assert not ended
    finally:
        go_on.set()
