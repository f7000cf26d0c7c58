"""The kit for a room without network: what it packs, how it installs, and thirty at one server."""

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys

import pytest
import workshop_kit
from kit import workshop

from transfer_lib import data, lessons

CLIENT = """
import sys
from transfer_lib.data import registry
size, known_hash = int(sys.argv[1]), sys.argv[2]
registry.ENTRIES["room"] = registry.Entry("room", "", "", "", "room.bin", size, known_hash)
print(registry.fetch("room"))
"""
SCRIPT = workshop.__file__


def test_thirty_clients_get_whole_files_though_a_third_of_connections_is_cut(server, tmp_path):
    content = random.Random(0).randbytes(600_000)
    digest = hashlib.sha256(content).hexdigest()
    draw = random.Random(1)
    trouble = [("cut", draw.randrange(1, 500_000)) if draw.random() < 1 / 3 else None
               for _ in range(1000)]  # fmt: skip
    server.serve("data/room.bin", content, *trouble)
    env = os.environ | {"TRANSFER_LIB_MIRROR": server.url, "NO_PROXY": "127.0.0.1"}
    env.pop("TRANSFER_LIB_DATA", None)
    clients = []
    for number in range(30):
        env["TRANSFER_LIB_HOME"] = str(tmp_path / str(number))
        command = [sys.executable, "-c", CLIENT, str(len(content)), digest]
        clients.append(subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True))
    paths = [client.communicate(timeout=300)[0].strip() for client in clients]
    assert all(client.returncode == 0 for client in clients)
    for path in paths:
        with open(path, "rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == digest
    assert len(set(paths)) == 30
    cut = sum(request.sent < len(content) and request.status == 200 for request in server.requests)
    assert cut >= 5 and len(server.requests) > 30


def test_a_mirror_that_is_no_address_is_named(monkeypatch):
    monkeypatch.setenv("TRANSFER_LIB_MIRROR", "192.168.1.5:8000")
    monkeypatch.delenv("TRANSFER_LIB_DATA", raising=False)
    with pytest.raises(ValueError, match="TRANSFER_LIB_MIRROR is '192.168.1.5:8000'"):
        data.fetch("mnist")


def test_a_mirror_without_the_file_is_passed_over(server, quick_downloads, monkeypatch):
    monkeypatch.setenv("TRANSFER_LIB_MIRROR", server.url + "/")
    content = b"from elsewhere"
    digest = hashlib.sha256(content).hexdigest()
    url = server.serve("elsewhere/x.bin", content)
    entry = data.Entry("x", "", "", "", "x.bin", len(content), digest, urls=[url])
    monkeypatch.setitem(data.registry.ENTRIES, "x", entry)
    assert data.fetch("x").read_bytes() == content
    assert server.requests[0].path == "/data/x.bin"


def test_what_the_lessons_download_is_packed_in_the_full_profile_only():
    numbers = [lesson.number for lesson in lessons.LESSONS]
    assert workshop_kit.names_of_data(numbers, "quick") == []
    names = workshop_kit.names_of_data(numbers, "full")
    assert names and set(names) <= set(data.names()) and len(set(names)) == len(names)
    assert set(workshop_kit.DATA) | set(workshop_kit.CACHES) <= set(numbers)


def test_a_file_that_cannot_be_had_stops_the_packing(server, quick_downloads, tmp_path):
    url = server.serve("x.whl", b"other")
    with pytest.raises(SystemExit, match="x.whl could not be had"):
        workshop_kit.fetch("x.whl", [url], "0" * 64, 7, tmp_path)


def test_wheels_of_an_earlier_kit_are_removed(tmp_path):
    for name in ("a-1.0-py3-none-any.whl", "a-2.0-py3-none-any.whl", "a-3.0.whl.part"):
        (tmp_path / name).touch()
    workshop_kit.remove_others(tmp_path, {"a-1.0-py3-none-any.whl": {}})
    assert {path.name for path in tmp_path.iterdir()} == {
        "a-1.0-py3-none-any.whl",
        "a-3.0.whl.part",
    }


def test_half_a_copy_is_copied_again(tmp_path):
    given, folder = tmp_path / "given.whl", tmp_path / "kit"
    given.write_bytes(b"a wheel")
    folder.mkdir()
    (folder / "x.whl").write_bytes(b"a wh")
    digest = hashlib.sha256(b"a wheel").hexdigest()
    workshop_kit.fetch("x.whl", [], digest, 7, folder, given)
    assert (folder / "x.whl").read_bytes() == b"a wheel"


def test_a_damaged_file_is_found(tmp_path):
    (tmp_path / "wheels").mkdir()
    for name in ("wheels/a.whl", "wheels/b.whl", "READ ME FIRST.txt"):
        (tmp_path / name).write_bytes(name.encode())
    workshop_kit.checksums(tmp_path)
    assert workshop.damaged(tmp_path) == []
    (tmp_path / "wheels/a.whl").write_bytes(b"other")
    (tmp_path / "wheels/b.whl").unlink()
    assert workshop.damaged(tmp_path) == ["wheels/a.whl", "wheels/b.whl"]


@pytest.mark.parametrize(
    ("pythons", "options", "words"),
    [
        (["2.7"], [], "Python 2.7 is needed; this is 3."),
        (None, [], "b.whl differs from what it should be"),
        (None, ["--from", "http://127.0.0.1:9"], "refused|does not answer"),
    ],
)
def test_what_a_learner_is_told(tmp_path, pythons, options, words):
    this = "{}.{}".format(*sys.version_info)
    kit = {"pythons": pythons or [this], "profile": "quick", "first": "x", "packed": []}
    (tmp_path / "kit.json").write_text(json.dumps(kit))
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  b.whl\n")
    shutil.copy(SCRIPT, tmp_path)
    command = [sys.executable, "workshop.py", *options]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 1 and "Traceback" not in run.stderr
    assert re.search(words, run.stderr), run.stderr
