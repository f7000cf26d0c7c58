"""Archives: unpacked whole or not at all, and never outside their folder."""

import errno
import io
import os
import stat
import tarfile
import zipfile

import pytest

from transfer_lib.data import CacheError, CorruptFileError, UnsafeArchiveError
from transfer_lib.data import archives as module

FILES = {"photos/cat.txt": b"cat" * 1000, "photos/deep/dog.txt": b"dog", "empty.txt": b""}
KINDS = ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"]


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
        ending = path.suffix[1:]
        with tarfile.open(path, "w" if ending == "tar" else f"w:{ending}") as file:
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
def test_unpacks(tmp_path, kind):
    archive = make(tmp_path / f"a.{kind}", extra=None)
    folder = tmp_path / "cache" / "out"
    assert module.unpack(archive, folder) == folder
    assert tree(folder) == FILES
    assert left(folder.parent) == ["out"]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_second_call_writes_nothing_but_a_damaged_folder_is_replaced(tmp_path, kind):
    archive, folder = make(tmp_path / f"a.{kind}"), tmp_path / "out"
    module.unpack(archive, folder)
    (folder / "mine.txt").write_text("kept")
    module.unpack(archive, folder)
    assert (folder / "mine.txt").read_text() == "kept"
    (folder / "photos" / "cat.txt").write_text("short")
    module.unpack(archive, folder)
    assert tree(folder) == FILES


ABSOLUTE = ["/escaped.txt", "C:\\escaped.txt", "C:escaped.txt", "\\\\host\\escaped.txt"]
DOTS = ["../escaped.txt", "photos/../../escaped.txt", "..\\escaped.txt", "photos/.."]
ZIP_MODES = {"link": stat.S_IFLNK, "device": stat.S_IFBLK, "pipe": stat.S_IFIFO}


def zip_special(mode):
    item = zipfile.ZipInfo("special")
    item.external_attr = (mode | 0o777) << 16
    return item


ESCAPES = {
    **{f"zip {name}": ("zip", zipfile.ZipInfo(name)) for name in ABSOLUTE + DOTS},
    **{f"tar {name}": ("tar", tar_item(name)) for name in ABSOLUTE + DOTS},
    **{f"zip {what}": ("zip", zip_special(mode)) for what, mode in ZIP_MODES.items()},
    "tar folder ..": ("tar", tar_item("../escaped", tarfile.DIRTYPE)),
    "tar link": ("tar.gz", tar_item("link", tarfile.SYMTYPE, link="/etc")),
    "tar inner link": ("tar.gz", tar_item("link", tarfile.SYMTYPE, link="photos")),
    "tar hard link": ("tar", tar_item("hard", tarfile.LNKTYPE, link="/etc/passwd")),
    "tar block device": ("tar", tar_item("disk", tarfile.BLKTYPE)),
    "tar character device": ("tar", tar_item("null", tarfile.CHRTYPE)),
    "tar pipe": ("tar", tar_item("pipe", tarfile.FIFOTYPE)),
}


@pytest.mark.parametrize("case", ESCAPES)
def test_escape_is_refused_before_anything_is_written(tmp_path, case):
    kind, member = ESCAPES[case]
    archive = make(tmp_path / f"a.{kind}", extra=member)
    with pytest.raises(UnsafeArchiveError) as caught:
        module.unpack(archive, tmp_path / "deep" / "cache" / "out")
    name = member.filename if kind == "zip" else member.name
    assert str(archive) in str(caught.value) and repr(name) in str(caught.value)
    assert os.listdir(tmp_path) == [archive.name]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_truncated_archive(tmp_path, kind, keep):
    noise = {f"{i}.bin": os.urandom(20_000) for i in range(5)}
    archive = make(tmp_path / f"a.{kind}", files=noise)
    archive.write_bytes(archive.read_bytes()[: int(archive.stat().st_size * keep)])
    with pytest.raises(CorruptFileError, match="is damaged") as caught:
        module.unpack(archive, tmp_path / "cache" / "out")
    assert str(archive) in str(caught.value)
    assert left(tmp_path / "cache") == []


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.bz2", "tar.xz"])
def test_flipped_bytes(tmp_path, kind):
    archive = make(tmp_path / f"a.{kind}", files={"a.bin": os.urandom(50_000)})
    body = bytearray(archive.read_bytes())
    body[20_000:20_040] = bytes(b ^ 255 for b in body[20_000:20_040])
    archive.write_bytes(body)
    with pytest.raises(CorruptFileError, match="is damaged"):
        module.unpack(archive, tmp_path / "cache" / "out")
    assert left(tmp_path / "cache") == []


def test_the_process_that_waits_finds_the_folder_and_leaves_it(tmp_path, monkeypatch):
    archive, folder = make(tmp_path / "a.zip"), tmp_path / "out"
    module.unpack(archive, folder)
    answers = iter([False, True])  # incomplete when asked first, complete once it has the lock
    monkeypatch.setattr(module, "_is_complete", lambda *_: next(answers))
    (folder / "mine.txt").write_text("kept")
    module.unpack(archive, folder)
    assert (folder / "mine.txt").exists() and next(answers, None) is None


def test_not_an_archive(tmp_path):
    page = tmp_path / "a.zip"
    page.write_text("<html>log in</html>")
    with pytest.raises(CorruptFileError):
        module.unpack(page, tmp_path / "out")
    assert os.listdir(tmp_path) == ["a.zip"]


def test_tar_that_holds_a_zip_is_a_tar(tmp_path):
    inner = make(tmp_path / "inner.zip").read_bytes()
    archive = make(tmp_path / "a.tar", files={"inner.zip": inner})
    assert tree(module.unpack(archive, tmp_path / "out")) == {"inner.zip": inner}


def test_full_disk_keeps_the_old_folder_and_leaves_nothing_else(tmp_path, monkeypatch):
    archive, folder = make(tmp_path / "a.zip"), tmp_path / "cache" / "out"
    module.unpack(archive, folder)
    (folder / "empty.txt").unlink()  # so that it has to be unpacked again
    real, written = module._write, []

    def write(member, *rest):
        if written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(member, *rest)
        written.append(member)

    monkeypatch.setattr(module, "_write", write)
    with pytest.raises(CacheError, match="is full"):
        module.unpack(archive, folder)
    assert written
    assert left(folder.parent) == ["out"]
    assert "photos/cat.txt" in tree(folder)


def test_file_in_place_of_the_cache(tmp_path):
    blocked = tmp_path / "cache"
    blocked.write_text("a file")
    with pytest.raises(CacheError, match="cannot be written"):
        module.unpack(make(tmp_path / "a.tar"), blocked / "out")
    assert blocked.read_text() == "a file"
