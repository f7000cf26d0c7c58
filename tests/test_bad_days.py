"""What goes wrong on other people's machines: each either works or says what to do.

More of these stand where their subject is tested: a full disk, a cut or slow connection, a login
page, damaged files, a read-only cache in `test_download.py`; no home folder, a journal that cannot
be written, two writers in `test_journal.py`; encodings of own tables in `test_texts.py`.
"""

import subprocess
import time
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from test_data_registry import put

import build
from transfer_lib import data, settings
from transfer_lib.practice import journal

ROOT = Path(__file__).resolve().parent.parent
HOME = "Jörg Müller 学习"


@pytest.fixture
def one_address(monkeypatch, quick_downloads):
    """Ask for MNIST where one address has it; return what a learner is told."""

    def message(url):
        put(monkeypatch, data.info("mnist"), b"bytes", url)
        with pytest.raises(data.DataError) as caught:
            data.fetch("mnist")
        return str(caught.value)

    return message


def test_no_name_server(one_address):
    told = one_address("http://files.example.invalid/mnist.npz")
    assert "the name of this host was not found: no network, or no name server" in told
    assert "TRANSFER_LIB_DATA" in told and "data.load('mnist_5000')" in told


def test_a_proxy_that_answers_with_a_page(server, one_address, monkeypatch):
    address = "http://files.example.invalid/mnist.npz"
    server.files[address] = b"<!DOCTYPE html><title>Welcome to our guest network</title>" * 20
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, server.url)
    told = one_address(address)
    assert [request.path for request in server.requests] == [address]
    assert "it sent a web page (does this network ask you to log in?)" in told
    assert not list(data.data_cache().glob("*.npz"))


def test_a_windows_checkout_has_the_same_files(tmp_path):
    """Git on Windows turns line ends into CRLF unless told otherwise; hashes would not match."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    config = ["-c", "core.autocrlf=true", "-c", "core.eol=crlf", "-c", "protocol.file.allow=always"]
    subprocess.run(
        ["git", *config, "clone", "--quiet", "--depth=1", ROOT.as_uri(), tmp_path / "there"],
        check=True,
    )
    for path in ("transfer_lib/data/files", "transfer_lib/weights", "course"):
        for file in (tmp_path / "there" / path).rglob("*.*"):
            assert b"\r\n" not in file.read_bytes() or file.suffix in (".npz", ".gz"), file


def test_line_ends_of_windows_in_own_files(tmp_path):
    table = tmp_path / "mine.csv"
    table.write_bytes(b'text,label\r\nfine film,good\r\n"two\r\nlines",bad\r\n')
    read = data.read_texts(table)
    assert [" ".join(text.split()) for text in read.text] == ["fine film", "two lines"]
    assert list(read.label) == ["good", "bad"]
    journal.record("00.a", "right")
    path = settings.progress_file()
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    journal.record("00.b", "right")
    assert list(journal.load()) == ["00.a", "00.b"]


def test_a_home_with_a_drive_and_backslashes(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRANSFER_LIB_HOME", r"C:\Users\Jörg Müller\course")
    journal.record("00.a", "right")
    assert journal.load()["00.a"]["outcome"] == "right"


@pytest.mark.slow
def test_a_kernel_killed_in_training_costs_nothing(tmp_path, monkeypatch):
    """Lesson 00 in a home with spaces and letters of two scripts; the kernel dies in between."""
    home = tmp_path / HOME
    home.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("TRANSFER_LIB_HOME", str(home / "course"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = build.solution_of(build.read(build.source_of("00")))
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    training = next(i for i, cell in enumerate(cells) if "untrained =" in cell.source)
    manager = KernelManager()
    manager.start_kernel(cwd=str(home))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    for cell in cells[:training]:
        reply = client.execute(cell.source, reply=True, timeout=120)
        assert reply["content"]["status"] == "ok", reply["content"]
    client.execute("while True:\n    " + cells[training].source.replace("\n", "\n    "))
    time.sleep(3)
    manager.provisioner.process.kill()
    client.stop_channels()
    manager.cleanup_resources()
    before = journal.load()
    assert before
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(home)}}).execute()
    rows = journal.load()
    assert {id for id, row in rows.items() if row["outcome"] == "right"} == {
        id for id in build.answers() if id.startswith("00.")
    }
    assert all(rows[id]["attempts"] == row["attempts"] + 1 for id, row in before.items())
