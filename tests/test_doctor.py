"""The doctor: each check with good and bad facts, the three forms of the report, exit codes."""

import collections
import errno
import http.server
import importlib.metadata
import json
import os
import socket
import subprocess
import sys
import threading
import time
import types

import pytest

from transfer_lib import data, doctor, settings
from transfer_lib.doctor import Finding, Report, Status, machine, network, software

OK, WARNING, FAILED, SKIPPED = Status.OK, Status.WARNING, Status.FAILED, Status.SKIPPED
VARIABLES = ("KERAS_BACKEND", "KERAS_HOME", "COLAB_RELEASE_TAG", "VSCODE_PID", "VSCODE_CWD")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """A terminal, an empty home folder, none of the variables that the doctor reads."""
    for name in list(os.environ):
        if name.startswith("TRANSFER_LIB_") or name in VARIABLES or name.upper() in PROXIES:
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


def only(findings, status):
    """Return the one finding, after checking its status and that it advises when not ok."""
    (finding,) = findings
    assert finding.status is status, finding
    assert bool(finding.fix) is (status is not OK)
    return finding


# Python and packages


@pytest.mark.parametrize(
    ("version", "status"),
    [((3, 10, 9), FAILED), ((3, 11, 0), OK), ((3, 13, 5), OK), ((3, 14, 0), WARNING)],
)
def test_python_version(monkeypatch, version, status):
    monkeypatch.setattr(sys, "version_info", version)
    finding = only(software.check_python(), status)
    assert ".".join(map(str, version)) in finding.message
    assert "3.11 to 3.13" in finding.message


@pytest.fixture
def required(monkeypatch):
    """The course needs numpy>=2.0,<3; its extra lab jupyterlab>=4.2; its extra dev pytest>=8."""
    lines = [
        "numpy>=2.0,<3",
        'jupyterlab>=4.2; extra == "lab"',
        'transfer-lib[lab]; extra == "dev"',
        'pytest>=8; extra == "dev"',
    ]
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: lines)
    monkeypatch.setattr(software, "tested_versions", lambda: {"numpy": "2.4.1"})


def test_package_as_tested(installed, required):
    installed["numpy"] = "2.4.1+local"
    assert only(software.check_packages(), OK).message == "2.4.1+local, as tested"


@pytest.mark.parametrize("version", ["2.1.3", "2.5.0rc1", "2.9"])
def test_package_in_range_but_not_the_tested_one(installed, required, version):
    installed["numpy"] = version
    finding = only(software.check_packages(), OK)
    assert finding.message == f"{version} (tested with 2.4.1)"


@pytest.mark.parametrize("version", ["1.26.4", "3.0", "not a version", None])
def test_package_out_of_range_or_missing(installed, required, version):
    if version:
        installed["numpy"] = version
    finding = only(software.check_packages(), FAILED)
    assert finding.name == "package numpy"
    assert f'{sys.executable} -m pip install "numpy==2.4.1"' in finding.fix


def test_package_fix_on_colab_asks_for_the_range_in_a_cell(installed, required, monkeypatch):
    installed["numpy"] = "1.26.4"
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    fix = only(software.check_packages(), FAILED).fix
    assert '%pip install "numpy<3,>=2.0"' in fix
    assert "restart the kernel" in fix


def test_package_of_an_extra_matters_only_when_it_is_there(installed, required):
    installed.update(numpy="2.4.1", pytest="1.0")
    assert len(list(software.check_packages())) == 1
    installed["jupyterlab"] = "3.6"
    numpy, lab = software.check_packages()
    assert (numpy.status, lab.status) == (OK, WARNING)
    assert '"jupyterlab>=4.2"' in lab.fix


def test_packages_of_a_folder_that_is_not_installed(monkeypatch):
    def requires(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", requires)
    assert "pip install -e" in only(software.check_packages(), SKIPPED).fix


def test_tested_versions_are_read_or_absent(monkeypatch, tmp_path):
    monkeypatch.setattr(software.resources, "files", lambda package: tmp_path)
    assert software.tested_versions() == {}
    (tmp_path / "tested_versions.txt").write_text(
        "# comment\n--extra-index-url x\nscikit_learn==1.9.0  # why\n"
        'old==1 ; python_version < "3"\nfree>=1\n'
    )
    assert software.tested_versions() == {"scikit-learn": "1.9.0"}


# Keras


def test_backend_defaults_to_torch(installed):
    installed["torch"] = "2.13.0"
    assert only(software.check_backend(), OK).message == "torch 2.13.0 (the course's default)"


def test_backend_of_the_variable(installed, monkeypatch):
    installed["jax"] = "0.9"
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert "from KERAS_BACKEND" in only(software.check_backend(), OK).message


def test_backend_not_installed(installed, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    fix = only(software.check_backend(), FAILED).fix
    assert 'pip install "jax"' in fix
    assert "unset KERAS_BACKEND" in fix


@pytest.mark.parametrize("backend", ["pytorch", "Torch", "", "theano"])
def test_backend_unknown(installed, monkeypatch, backend):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    finding = only(software.check_backend(), FAILED)
    assert repr(backend) in finding.message
    assert "torch, jax, tensorflow" in finding.fix


def test_backend_that_keras_already_runs_on(installed, monkeypatch):
    installed["torch"] = "2.13.0"
    keras = types.SimpleNamespace(backend=types.SimpleNamespace(backend=lambda: "jax"))
    monkeypatch.setitem(sys.modules, "keras", keras)
    assert "Restart the kernel" in only(software.check_backend(), WARNING).fix


@pytest.mark.parametrize(
    ("content", "status", "word"),
    [
        (None, OK, "no keras.json"),
        # Keras itself writes "tensorflow" on its first import, whatever runs.
        ('{"backend": "tensorflow", "floatx": "float32", "epsilon": 1e-07}', OK, "fits"),
        ("{not json", WARNING, "cannot be read"),
        ("[]", FAILED, "no JSON object"),
        ('{"backend": "thean"}', WARNING, "'thean'"),
        ('{"floatx": "float16"}', WARNING, "float16"),
        ('{"floatx": "double"}', FAILED, "'double'"),
        ('{"image_data_format": "channels_first"}', WARNING, "channels_first"),
        ('{"image_data_format": ["x"]}', FAILED, "['x']"),
        ('{"epsilon": 1}', FAILED, "epsilon"),
    ],
)
def test_keras_settings(tmp_path, content, status, word):
    if content is not None:
        (tmp_path / "keras").mkdir()
        (tmp_path / "keras" / "keras.json").write_text(content)
    assert word in only(software.check_keras_settings(), status).message


# Front end and widgets


def shell(monkeypatch, kernel=True, **user_ns):
    """Let this process look like an IPython shell."""
    fake = types.SimpleNamespace(kernel=object() if kernel else None, user_ns=user_ns)
    module = types.SimpleNamespace(get_ipython=lambda: fake)
    monkeypatch.setitem(sys.modules, "IPython", module)


def test_front_end(monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert software.front_end() is software.FrontEnd.TERMINAL
    shell(monkeypatch, kernel=False)
    assert software.front_end() is software.FrontEnd.IPYTHON
    shell(monkeypatch)
    assert software.front_end() is software.FrontEnd.JUPYTER
    monkeypatch.setenv("VSCODE_PID", "1")
    assert software.front_end() is software.FrontEnd.VSCODE
    monkeypatch.setenv("JPY_SESSION_NAME", "00.ipynb")  # JupyterLab from VS Code's terminal
    assert software.front_end() is software.FrontEnd.JUPYTER
    shell(monkeypatch, __vsc_ipynb_file__="00.ipynb")
    assert software.front_end() is software.FrontEnd.VSCODE
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    assert software.front_end() is software.FrontEnd.COLAB
    assert only(software.check_front_end(), OK).message == "Google Colab"


@pytest.mark.parametrize(
    ("ipywidgets", "lab", "notebook", "status"),
    [
        ("8.1.9", "3.0.17", "4.0.16", OK),
        ("7.8.1", "1.1.7", "3.6.6", OK),
        ("8.1.9", "1.1.7", "4.0.16", FAILED),
        ("7.7.1", "3.0.16", "3.6.10", FAILED),
        ("8.1.9", None, "4.0.16", FAILED),
        ("9.0", "4.0", "5.0", WARNING),
    ],
)
def test_widgets(installed, ipywidgets, lab, notebook, status):
    installed.update(ipywidgets=ipywidgets, widgetsnbextension=notebook, jupyterlab="4.6")
    if lab:
        installed["jupyterlab_widgets"] = lab
    finding = only(software.check_widgets(), status)
    if status is FAILED:
        wanted = '"ipywidgets==8.*" "jupyterlab_widgets==3.*" "widgetsnbextension==4.*"'
        assert f"pip install {wanted}" in finding.fix


def test_widgets_of_colab_and_of_a_server_elsewhere(installed, monkeypatch):
    assert "ipywidgets" in only(software.check_widgets(), FAILED).fix
    installed["ipywidgets"] = "8.1.9"
    only(software.check_widgets(), OK)  # no JupyterLab here: the server brings the manager
    installed.update(ipywidgets="7.7.1", jupyterlab_widgets="3.0.16", jupyterlab="4.6")
    only(software.check_widgets(), FAILED)
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    assert "Colab" in only(software.check_widgets(), OK).message


# Device, memory, disk


class FakeTorch(types.ModuleType):
    """torch with a device of our choice."""

    def __init__(self, cuda=False, mps=False, threads=2, free=20e9, broken=False):
        super().__init__("torch")

        def ones(*shape, device):
            if broken:
                raise RuntimeError("no kernel image is available\nlong text")
            return types.SimpleNamespace(add=lambda x: types.SimpleNamespace(item=lambda: 2.0))

        self.ones, self.get_num_threads = ones, lambda: threads
        self.cuda = types.SimpleNamespace(
            is_available=lambda: cuda,
            get_device_name=lambda index: "Tesla T4",
            mem_get_info=lambda index: (free, 24e9),
        )
        available = types.SimpleNamespace(is_available=lambda: mps)
        self.backends = types.SimpleNamespace(mps=available)


@pytest.mark.parametrize(
    ("facts", "cores", "status", "word"),
    [
        ({"cuda": True}, 2, OK, "Tesla T4, 20.0 GB of 24.0 GB free"),
        ({"cuda": True, "free": 1e9}, 2, WARNING, "1.0 GB"),
        ({"cuda": True, "broken": True}, 2, FAILED, "no kernel image is available"),
        ({"mps": True}, 8, OK, "Apple GPU"),
        ({"threads": 2}, 2, OK, "2 threads of torch on 2 cores"),
        ({"threads": 1}, 1, OK, "1 thread of torch on 1 core"),
        ({"threads": 1}, 4, WARNING, "1 thread of"),
    ],
)
def test_accelerator(installed, monkeypatch, facts, cores, status, word):
    installed["torch"] = "2.13.0"
    monkeypatch.setitem(sys.modules, "torch", FakeTorch(**facts))
    monkeypatch.setattr(machine, "usable_cores", lambda: cores)
    monkeypatch.setattr(machine.shutil, "which", lambda name: None)
    message = only(machine.check_accelerator(), status).message
    assert word in message
    assert "long text" not in message


@pytest.mark.parametrize(
    ("code", "listing", "status"),
    [(0, "GPU 0: Tesla T4", WARNING), (9, "", OK), (0, "No devices found", OK)],
)
def test_gpu_that_torch_cannot_use(installed, monkeypatch, code, listing, status):
    installed["torch"] = "2.13.0"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setitem(sys.modules, "torch", FakeTorch())
    monkeypatch.setattr(machine.shutil, "which", lambda name: "/bin/nvidia-smi")
    answer = subprocess.CompletedProcess([], code, stdout=listing)
    monkeypatch.setattr(machine.subprocess, "run", lambda *args, **kwargs: answer)
    only(machine.check_accelerator(), status)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")  # hidden on purpose
    only(machine.check_accelerator(), OK)


def test_accelerator_not_examined(installed, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it raises ImportError
    assert "--no-torch" in only(machine.check_accelerator(False), SKIPPED).fix
    only(machine.check_accelerator(), SKIPPED)
    installed["torch"] = "2.13.0"
    assert "cannot be imported" in only(machine.check_accelerator(), FAILED).message


@pytest.mark.parametrize(("available", "status"), [(3.9e9, WARNING), (4.1e9, OK)])
def test_memory(monkeypatch, tmp_path, available, status):
    import psutil

    facts = types.SimpleNamespace(available=available, total=8e9)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: facts)
    monkeypatch.setattr(machine, "CGROUP_FOLDER", tmp_path)
    assert "of 8.0 GB" in only(machine.check_memory(), status).message


@pytest.mark.parametrize("version", [0, 1])
def test_memory_in_a_container(monkeypatch, tmp_path, version):
    import psutil

    facts = types.SimpleNamespace(available=100e9, total=128e9)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: facts)
    monkeypatch.setattr(machine, "CGROUP_FOLDER", tmp_path)
    limit, used, stat, reclaimable = machine.CGROUPS[version]
    (tmp_path / "memory").mkdir()
    (tmp_path / limit).write_text("2000000000\n")
    (tmp_path / used).write_text("1500000000\n")
    (tmp_path / stat).write_text(f"anon 1\n{reclaimable} 600000000\n")
    assert machine.memory() == (1_100_000_000, 2_000_000_000)
    only(machine.check_memory(), WARNING)
    (tmp_path / limit).write_text("max\n")
    assert machine.memory() == (100e9, 128e9)


@pytest.mark.parametrize(("free", "status"), [(1.9e9, WARNING), (2.1e9, OK)])
def test_disk(monkeypatch, tmp_path, free, status):
    asked = []
    usage = collections.namedtuple("usage", "total used free")

    def disk_usage(path):
        asked.append(path)
        return usage(9e9, 0, free)

    monkeypatch.setattr(machine.shutil, "disk_usage", disk_usage)
    only(machine.check_disk(), status)
    assert asked == [tmp_path]  # the cache folder does not exist yet: the nearest one above


# Cache, data sets, progress, variables


def test_cache_is_listed_and_not_made():
    folder = settings.cache_dir()
    assert "(empty)" in only(machine.check_cache(), OK).message
    assert not folder.exists()
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "mnist.npz").write_bytes(bytes(1_500_000))
    assert "(1 file, 1.5 MB)" in only(machine.check_cache(), OK).message


def test_paths_do_not_show_the_home_folder(tmp_path):
    message = only(machine.check_cache(), OK).message
    assert str(tmp_path) not in message
    assert message.startswith("~")


def test_cache_and_progress_that_cannot_be_written(monkeypatch):
    def refuse(dir):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(machine.tempfile, "TemporaryFile", refuse)
    for check in (machine.check_cache, machine.check_progress):
        finding = only(check(), WARNING)
        assert "Read-only file system" in finding.message
        assert "TRANSFER_LIB_HOME" in finding.fix


def test_data_sets(monkeypatch):
    findings = {finding.name: finding for finding in machine.check_cached_files()}
    assert list(findings) == [f"data {name}" for name in data.names()]
    assert findings["data digits"].message.startswith("embedded")
    assert findings["data mnist"].message.startswith("not downloaded, 11.5 MB")
    entry = data.info("mnist")
    data.data_cache().mkdir(parents=True)
    with open(data.data_cache() / entry.filename, "wb") as file:
        file.truncate(entry.size)
    findings = {finding.name: finding for finding in machine.check_cached_files()}
    assert findings["data mnist"].message == "cached, 11.5 MB"


def test_data_sets_that_are_damaged_or_not_looked_up(monkeypatch, tmp_path):
    def fetch(name):
        raise data.CorruptFileError("digits is damaged. Reinstall sklearn.")

    monkeypatch.setattr(data, "fetch", fetch)
    findings = {finding.name: finding.status for finding in machine.check_cached_files()}
    assert findings["data digits"] is FAILED
    assert findings["data mnist"] is OK
    monkeypatch.setenv("TRANSFER_LIB_DATA", str(tmp_path / "nowhere"))
    findings = {finding.name: finding.status for finding in machine.check_cached_files()}
    assert findings["data mnist"] is SKIPPED


def test_progress_file():
    path = settings.progress_file()
    assert "nothing recorded" in only(machine.check_progress(), OK).message
    path.parent.mkdir(parents=True)
    rows = {"03.a": {"outcome": "right"}, "03.b": {"outcome": "wrong"}}
    path.write_text(json.dumps({"exercises": rows}))
    assert "1 exercise right, 2 tried" in only(machine.check_progress(), OK).message
    for damaged in ("{", "[]", '{"exercises": 3}', '{"exercises": {"a": 1}}'):
        path.write_text(damaged)
        only(machine.check_progress(), WARNING)
        assert path.read_text() == damaged  # the doctor changes nothing
    path.unlink()
    path.mkdir()
    assert "cannot be read" in only(machine.check_progress(), WARNING).message


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("PROFILE", "quick", OK),
        ("PROFILE", "fast", FAILED),
        ("SEED", "3", OK),
        ("SEED", "three", FAILED),
        ("DATA", ".", OK),
        ("DATA", "/no/such/folder", FAILED),
        ("HOME", __file__, FAILED),
        ("HOME", "relative", WARNING),
        ("STRICT", "1", OK),
        ("STRICT", "false", WARNING),
        ("CLAIMS", "/no/such/folder/claims.jsonl", FAILED),
        ("PROFIL", "quick", WARNING),
    ],
)
def test_variables(monkeypatch, name, value, status):
    monkeypatch.setenv(f"TRANSFER_LIB_{name}", value)
    assert f"TRANSFER_LIB_{name}" in only(machine.check_variables(), status).message


def test_variables_hide_the_address_and_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("TRANSFER_LIB_SOURCE", "git+https://me:secret@example.org/x")
    message = only(machine.check_variables(), OK).message
    assert "TRANSFER_LIB_SOURCE" in message
    assert "secret" not in message
    assert str(tmp_path) not in message
    monkeypatch.delenv("TRANSFER_LIB_HOME")
    monkeypatch.delenv("TRANSFER_LIB_SOURCE")
    assert only(machine.check_variables(), OK).message == "none set"


# Network

HOSTS = ["https://one.example/", "https://two.example/"]


def answer_with(monkeypatch, answers):
    """Let requests.head return a status code or raise, host by host."""
    import requests

    def head(url, timeout, allow_redirects):
        answer = answers[url]
        if isinstance(answer, Exception):
            raise answer
        return types.SimpleNamespace(status_code=answer)

    monkeypatch.setattr(requests, "head", head)


def test_download_hosts_are_those_of_the_registry():
    hosts = network.download_hosts()
    assert "https://storage.googleapis.com/" in hosts
    assert len(hosts) == len(set(hosts))
    urls = [url for name in data.names() for url in data.info(name).urls]
    assert all(any(url.startswith(host) for host in hosts) for url in urls)


def test_all_hosts_answer(monkeypatch):
    answer_with(monkeypatch, {HOSTS[0]: 200, HOSTS[1]: 403})
    findings = network.start(hosts=HOSTS)()
    assert [finding.status for finding in findings] == [OK, OK, OK]
    assert findings[0].message == "2 of 2 download hosts answer"
    assert [finding.name for finding in findings[1:]] == ["host one.example", "host two.example"]


def failures():
    from requests import exceptions

    return [
        (503, "HTTP error 503"),
        (407, "HTTP error 407"),
        (exceptions.ConnectTimeout(), "no answer within 2 s"),
        (exceptions.ProxyError(), "proxy"),
        (exceptions.SSLError(), "certificate"),
        (exceptions.ConnectionError(), "no connection"),
        (exceptions.InvalidSchema("no SOCKS"), "InvalidSchema: no SOCKS"),
        (RuntimeError("sockets are blocked"), "RuntimeError: sockets are blocked"),
    ]


@pytest.mark.parametrize(("answer", "word"), failures())
def test_one_host_does_not_answer(monkeypatch, answer, word):
    answer_with(monkeypatch, {HOSTS[0]: 200, HOSTS[1]: answer})
    overall, one, two = network.start(hosts=HOSTS)()
    assert (overall.status, one.status, two.status) == (OK, OK, WARNING)
    assert overall.message == "1 of 2 download hosts answer"
    assert word in two.message


@pytest.mark.parametrize(("answer", "word"), failures())
def test_no_host_answers_is_one_warning(monkeypatch, answer, word):
    answer_with(monkeypatch, dict.fromkeys(HOSTS, answer))
    finding = only(network.start(hosts=HOSTS)(), WARNING)
    assert word in finding.message
    assert "quick profile: it needs no network" in finding.fix


def test_name_look_up_that_hangs_is_not_waited_for(monkeypatch):
    release = threading.Event()

    def getaddrinfo(*args, **kwargs):
        release.wait(20)
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(network, "DEADLINE", 0.3)
    began = time.monotonic()
    finding = only(network.start(hosts=HOSTS)(), WARNING)
    release.set()
    assert time.monotonic() - began < 2
    assert finding.message.count("no answer within 0.3 s") == 2


def test_proxy_is_used(monkeypatch):
    asked = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
        findings = network.start(hosts=["http://mirror.example/"])()
        server.shutdown()
    assert asked == ["http://mirror.example/"]
    assert findings[0].status is OK


def test_proxy_is_named_without_its_password(monkeypatch):
    answer_with(monkeypatch, dict.fromkeys(HOSTS, 200))
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy.example:3128")
    message = network.start(hosts=HOSTS)()[0].message
    assert message.endswith("through HTTPS_PROXY")


def test_network_not_asked(monkeypatch):
    answer_with(monkeypatch, {})
    assert "--no-network" in only(network.start(False)(), SKIPPED).fix
    only(network.start(hosts=[])(), OK)


# The report as a whole

REPORT = Report(
    (
        Finding("Python", OK, "3.11.9"),
        Finding("memory", WARNING, "1 GB & less", "Run `free -h`, then close <things>."),
        Finding("package numpy", FAILED, "1.26 is too old", "Run pip."),
        Finding("network", SKIPPED, "not asked", "Ask."),
    )
)
READY = Report(REPORT.findings[:2])


def test_a_finding_that_is_not_ok_must_say_what_to_do():
    with pytest.raises(ValueError, match="says no fix"):
        Finding("memory", WARNING, "little")


def test_report_as_text_is_aligned():
    lines = str(REPORT).splitlines()
    assert lines[0] == "ok       Python         3.11.9"
    assert lines[1] == "warning  memory         1 GB & less"
    assert lines[2] == " " * 24 + "To do: Run `free -h`, then close <things>."
    assert lines[-2] == "4 findings: 1 ok, 1 warning, 1 failed, 1 skipped."
    assert lines[-1] == REPORT.summary
    assert repr(REPORT) == str(REPORT)
    assert str(REPORT).isascii()  # an old Windows console shows it, too


def test_summary_is_the_same_wherever_nothing_failed():
    assert READY.summary == Report(READY.findings[:1]).summary
    assert REPORT.summary == "This machine is not ready yet. Failed: package numpy."


def test_report_as_html():
    text = REPORT._repr_html_()
    for status in Status:
        assert f">{status}<" in text
    assert "1 GB &amp; less" in text
    assert "<code>free -h</code>, then close &lt;things&gt;." in text
    assert 'scope="row"' in text
    assert "color" not in text
    assert "background" not in text


def test_report_as_json():
    content = json.loads(REPORT.to_json())
    assert list(content) == ["ready", "counts", "findings"]
    assert content["ready"] is False
    assert content["counts"] == {"ok": 1, "warning": 1, "failed": 1, "skipped": 1}
    assert content["findings"][0] == {
        "name": "Python",
        "status": "ok",
        "message": "3.11.9",
        "fix": "",
    }
    assert len(content["findings"]) == 4


@pytest.mark.parametrize(("report", "code"), [(READY, 0), (REPORT, 1)])
def test_exit_code_and_options(monkeypatch, capsys, report, code):
    asked = []

    def examine(**options):
        asked.append(options)
        return report

    monkeypatch.setattr(doctor, "examine", examine)
    assert doctor.main(["--json", "--no-torch"]) == code
    assert json.loads(capsys.readouterr().out)["ready"] is (code == 0)
    assert doctor.main(["--no-network"]) == code
    assert report.summary in capsys.readouterr().out
    assert asked == [{"network": True, "torch": False}, {"network": False, "torch": True}]


def test_unknown_option_is_refused(capsys):
    with pytest.raises(SystemExit) as error:
        doctor.main(["--jsn"])
    assert error.value.code == 2
    assert "--jsn" in capsys.readouterr().err


def test_a_check_that_crashes_is_a_finding(monkeypatch):
    def crash(*args):
        raise ZeroDivisionError("a bug")

    def crash_late():
        yield Finding("disk", OK, "9 GB")
        crash()

    monkeypatch.setattr(software, "check_python", crash)
    monkeypatch.setattr(machine, "check_disk", crash_late)
    monkeypatch.setattr(network, "start", crash)
    report = doctor.examine(torch=False)
    crashed = [finding for finding in report.findings if "could not check" in finding.message]
    assert [finding.name for finding in crashed] == ["Python", "disk", "network"]
    assert all(finding.status is WARNING and finding.fix for finding in crashed)
    assert "ZeroDivisionError: a bug" in crashed[0].message
    assert Finding("disk", OK, "9 GB") in report.findings
    assert "a bug" in crashed[2].message


def test_whole_run_offline_in_time(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    began = time.monotonic()
    report = doctor.examine(torch=False)
    assert time.monotonic() - began < 8
    names = [finding.name for finding in report.findings]
    assert {"Python", "Keras backend", "accelerator", "memory", "disk", "cache"} <= set(names)
    assert not [finding for finding in report.findings if "could not check" in finding.message]
    (finding,) = [finding for finding in report.findings if finding.name == "network"]
    assert finding.status is WARNING


def test_command_without_network_or_torch_loads_nothing_heavy():
    code = (
        "import sys\nfrom transfer_lib.doctor import main\n"
        "code = main(['--json', '--no-network', '--no-torch'])\n"
        "print([m for m in ('torch', 'keras', 'matplotlib', 'sklearn') if m in sys.modules],"
        " file=sys.stderr)\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["ready"] else 1)
    assert done.stderr.strip() == "[]"
