"""Downloads against a local server: every failure named, nothing half-written left."""

import errno
import hashlib
import os
import random
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from transfer_lib.data import DataError
from transfer_lib.data import download as module

BODY = random.Random(0).randbytes(1_300_000)  # above the progress bar's limit
SHA256 = hashlib.sha256(BODY).hexdigest()
CUT = 700_000
CHUNK = 1 << 16


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """Do not wait between attempts; no proxy; keep the progress bar out of the test's output."""
    waits = []
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=waits.append))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("TRANSFER_LIB_STRICT", "1")
    return waits


def ask(folder: Path, *urls: str):
    return module.download("file.bin", urls, SHA256, len(BODY), folder)


def get(folder: Path, *urls: str) -> Path:
    path, reasons = ask(folder, *urls)
    assert path == folder / "file.bin" and reasons == {}
    return path


def why(folder: Path, *urls: str) -> list[str]:
    path, reasons = ask(folder, *urls)
    assert path is None and list(reasons) == list(urls)
    return list(reasons.values())


def left(folder: Path) -> list[str]:
    """Return what lies in the folder, without the lock."""
    found = folder.iterdir() if folder.exists() else []
    return sorted(p.name for p in found if p.suffix != ".lock")


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_happy_path_downloads_once(server, tmp_path):
    url = server.serve("a", BODY)
    path = get(tmp_path / "new" / "folder", url)
    assert path.read_bytes() == BODY
    assert left(path.parent) == ["file.bin"]
    assert get(path.parent, url) == path
    assert len(server.requests) == 1 and server.sent == len(BODY)


def test_cut_connection_is_resumed_not_restarted(server, tmp_path):
    path = get(tmp_path, server.serve("a", BODY, ("cut", CUT), ("cut", 300_000)))
    assert path.read_bytes() == BODY
    assert [r.status for r in server.requests] == [200, 206, 206]
    assert len(BODY) <= server.sent <= len(BODY) + 2 * CHUNK  # a cut costs at most one chunk
    assert left(tmp_path) == ["file.bin"]


def test_next_call_goes_on_where_the_last_one_ended(server, tmp_path):
    cuts = [("cut", CUT)] + [("cut", 0)] * (module.ATTEMPTS - 1)
    url = server.serve("a", BODY, *cuts)
    assert why(tmp_path, url)
    assert left(tmp_path) == ["file.bin.part"]  # kept on purpose, under no other name
    before = (tmp_path / "file.bin.part").stat().st_size
    assert CUT - CHUNK <= before <= CUT
    server.requests.clear()
    assert get(tmp_path, url).read_bytes() == BODY
    assert [r.range for r in server.requests] == [f"bytes={before}-"]
    assert left(tmp_path) == ["file.bin"]


def test_server_that_ignores_range(server, tmp_path):
    server.ranges = False
    path = get(tmp_path, server.serve("a", BODY, ("cut", CUT)))
    assert path.read_bytes() == BODY
    assert server.requests[-1].range is None
    assert left(tmp_path) == ["file.bin"]


@pytest.mark.parametrize("part", [b"\0" * CUT, BODY + b"more", b"\0" * len(BODY)])
def test_wrong_part_is_discarded_and_the_download_restarted(server, tmp_path, part):
    (tmp_path / "file.bin.part").write_bytes(part)
    assert get(tmp_path, server.serve("a", BODY)).read_bytes() == BODY
    assert server.requests[-1].range is None and len(server.requests) <= 2
    assert left(tmp_path) == ["file.bin"]


def test_wrong_hash(server, tmp_path):
    (reason,) = why(tmp_path, server.serve("a", BODY[:-1] + b"?"))
    assert reason == "it sent another file: its hash is wrong"
    assert left(tmp_path) == []


@pytest.mark.parametrize("lengths", [True, False])
@pytest.mark.parametrize("body", [BODY[:-1], b"<html>log in</html>", BODY + b"more"])
def test_file_of_another_length(server, tmp_path, body, lengths):
    server.lengths = lengths
    (reason,) = why(tmp_path, server.serve("a", body))
    assert f"of {len(body):,} bytes instead of {len(BODY):,}" in reason
    assert ("a web page" in reason) is body.startswith(b"<html>")
    assert len(server.requests) == 1  # asking again brings nothing
    assert left(tmp_path) == []


def test_second_address_goes_on_with_the_part_of_the_first(server, tmp_path):
    first = server.serve("a", BODY, ("cut", CUT), 404, 404)
    assert get(tmp_path, first, server.serve("b", BODY)).read_bytes() == BODY
    assert [r.status for r in server.requests] == [200, 404, 404, 206]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_at_the_server_is_retried_with_growing_waits(server, tmp_path, status, waits):
    assert get(tmp_path, server.serve("a", BODY, status, status)).read_bytes() == BODY
    assert [r.status for r in server.requests] == [status, status, 200]
    assert len(waits) == 2 and 0 < waits[0] < waits[1]


def test_every_reason_is_told(server, tmp_path):
    told = why(
        tmp_path,
        f"{server.url}/gone",
        server.serve("broken", BODY, *[500] * 9),
        f"http://127.0.0.1:{closed_port()}/file.bin",
        server.serve("wrong", bytes(len(BODY))),
        "http:///nonsense",
    )
    assert told[0] == "HTTP 404 Not Found"
    assert told[1] == "HTTP 500 Internal Server Error"
    assert "refused" in told[2]
    assert told[3] == "it sent another file: its hash is wrong"
    assert told[4]
    assert sum(r.path == "/broken" for r in server.requests) == module.ATTEMPTS
    assert left(tmp_path) == []


def test_server_that_never_answers(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT", (0.2, 0.2))
    with socket.create_server(("127.0.0.1", 0)) as mute:
        (reason,) = why(tmp_path, f"http://127.0.0.1:{mute.getsockname()[1]}/file.bin")
    assert "no answer in time" in reason
    assert left(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_full_disk_leaves_nothing(server, tmp_path):
    (tmp_path / "file.bin.part").symlink_to("/dev/full")
    urls = server.serve("a", BODY), server.serve("b", BODY)
    with pytest.raises(DataError, match="is full") as caught:
        ask(tmp_path, *urls)
    assert str(tmp_path) in str(caught.value) and "TRANSFER_LIB_HOME" in str(caught.value)
    assert len(server.requests) == 1  # another address would not help
    assert left(tmp_path) == []


def test_read_only_cache(server, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(module.os, "replace", refuse)
    with pytest.raises(DataError, match="cannot be written: Read-only file system") as caught:
        ask(tmp_path, server.serve("a", BODY))
    assert "TRANSFER_LIB_HOME" in str(caught.value) and "TRANSFER_LIB_DATA" in str(caught.value)
    assert not (tmp_path / "file.bin").exists()


def test_file_in_place_of_the_cache(server, tmp_path):
    blocked = tmp_path / "cache"
    blocked.write_text("a file")
    with pytest.raises(DataError, match="cannot be written"):
        ask(blocked / "data", server.serve("a", BODY))
    assert server.requests == []
    assert blocked.read_text() == "a file"


def test_damaged_file_is_downloaded_again(server, tmp_path):
    (tmp_path / "file.bin").write_bytes(BODY[:-1] + b"?")
    assert get(tmp_path, server.serve("a", BODY)).read_bytes() == BODY
    assert left(tmp_path) == ["file.bin"]


def test_two_processes_download_once(server, tmp_path):
    server.pause = 1.0  # so that the second one starts while the first one downloads
    url = server.serve("a", BODY)
    code = (
        "import sys, pathlib; from transfer_lib.data.download import download;"
        f"p, _ = download('file.bin', [{url!r}], {SHA256!r}, {len(BODY)}, "
        "pathlib.Path(sys.argv[1])); print(len(p.read_bytes()))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    root = Path(__file__).parents[1]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) for _ in range(2)]
    for process in both:
        out, _ = process.communicate(timeout=60)
        assert out.strip() == str(len(BODY)).encode()
    assert server.sent == len(BODY)  # the second one waited and found the file
    assert left(tmp_path) == ["file.bin"]


@pytest.mark.parametrize(("strict", "shown"), [("1", False), ("0", True)])
def test_progress_bar(server, tmp_path, monkeypatch, capsys, strict, shown):
    monkeypatch.setenv("TRANSFER_LIB_STRICT", strict)
    get(tmp_path, server.serve("a", BODY))
    captured = capsys.readouterr()
    assert ("100%" in captured.err) is shown and captured.out == ""
