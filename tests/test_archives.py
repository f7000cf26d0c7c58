"""Archives: unpacked whole or not at all, and never outside their folder."""

import errno
import io
import os
import shutil
import tarfile
import zipfile

import pytest

from transfer_lib.data import DataError
from transfer_lib.data.download import unpack

FILES = {"photos/cat.txt": b"cat" * 1000, "photos/deep/dog.txt": b"dog", "empty.txt": b""}
KINDS = ["zip", "tar", "tar.gz", "tgz", "tar.xz"]


def tar_item(name, kind=tarfile.REGTYPE, size=0, link=""):
    item = tarfile.TarInfo(name)
    item.type, item.size, item.linkname = kind, size, link
    return item


def make(path, files=FILES, extra=None):
    """Write an archive whose kind is its ending; `extra` is one more, special member."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name, body in files.items():
                file.writestr(name, body)
            if extra is not None:
                file.writestr(extra, b"/etc/passwd")
    else:
        mode = {".tar": "w", ".gz": "w:gz", ".tgz": "w:gz", ".xz": "w:xz"}[path.suffix]
        with tarfile.open(path, mode) as file:
            for name, body in files.items():
                file.addfile(tar_item(name, size=len(body)), io.BytesIO(body))
            if extra is not None:
                file.addfile(extra)
    return path


def tree(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def left(folder):
    """Return what lies in the folder, without the lock."""
    return sorted(p.name for p in folder.glob("*") if p.suffix != ".lock")


@pytest.mark.parametrize("kind", KINDS)
def test_unpacks_once(tmp_path, kind):
    archive = make(tmp_path / f"a.{kind}")
    folder = tmp_path / "cache" / "out"
    assert unpack(archive, folder) == folder
    assert tree(folder) == FILES
    assert left(folder.parent) == ["out"]
    archive.unlink()
    assert unpack(archive, folder) == folder  # it is there, so it is whole


DOTS = ["../escaped.txt", "photos/../../../escaped.txt"]
TAR = {
    "link": tar_item("link", tarfile.SYMTYPE, link="/etc"),
    "hard link": tar_item("hard", tarfile.LNKTYPE, link="/etc/passwd"),
    "device": tar_item("disk", tarfile.BLKTYPE),
    **{name: tar_item(name) for name in DOTS},
}


@pytest.mark.parametrize("case", TAR)
def test_unsafe_tar_is_refused(tmp_path, case):
    archive = make(tmp_path / "a.tar.gz", extra=TAR[case])
    with pytest.raises(DataError, match="damaged or unsafe") as caught:
        unpack(archive, tmp_path / "deep" / "cache" / "out")
    assert str(archive) in str(caught.value)
    assert left(tmp_path / "deep" / "cache") == [] and not list(tmp_path.rglob("escaped*"))


@pytest.mark.parametrize("name", [*DOTS, "/escaped.txt"])
def test_member_of_a_zip_that_leads_out_is_left_out(tmp_path, name):
    archive = make(tmp_path / "a.zip", extra=name)
    assert tree(unpack(archive, tmp_path / "deep" / "out")) == FILES
    assert not list(tmp_path.rglob("escaped*")) and not os.path.exists("/escaped.txt")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_truncated_archive(tmp_path, kind, keep):
    noise = {f"{i}.bin": os.urandom(20_000) for i in range(5)}
    archive = make(tmp_path / f"a.{kind}", files=noise)
    archive.write_bytes(archive.read_bytes()[: int(archive.stat().st_size * keep)])
    with pytest.raises(DataError, match="is damaged") as caught:
        unpack(archive, tmp_path / "cache" / "out")
    assert str(archive) in str(caught.value)
    assert left(tmp_path / "cache") == []


def test_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(archive, folder, **_):
        (folder / "half").mkdir(parents=True)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "unpack_archive", full)
    with pytest.raises(DataError, match="is full"):
        unpack(make(tmp_path / "a.zip"), tmp_path / "cache" / "out")
    assert left(tmp_path / "cache") == []


def test_file_in_place_of_the_cache(tmp_path):
    blocked = tmp_path / "cache"
    blocked.write_text("a file")
    with pytest.raises(DataError, match="cannot be written"):
        unpack(make(tmp_path / "a.tar"), blocked / "out")
    assert blocked.read_text() == "a file"
