"""The doctor on the machine: device, memory, disk, cache, data sets, progress, variables."""

import collections
import errno
import json
import subprocess
import sys
import types

import pytest
from doctor_findings import FAILED, OK, SKIPPED, WARNING, only

from transfer_lib import data, settings
from transfer_lib.doctor import machine

pytestmark = pytest.mark.usefixtures("bare_machine")


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
        raise data.DataError("digits is damaged. Reinstall sklearn.")

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
