"""Unpack zip and tar archives, all or nothing, and never outside their folder."""

import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from lzma import LZMAError
from pathlib import Path, PureWindowsPath
from typing import IO, NamedTuple

from .errors import CorruptFileError, DataError, UnsafeArchiveError, cache_error

_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    LZMAError,
    EOFError,
    OSError,  # gzip: wrong checksum
    RuntimeError,  # zipfile: the member needs a password
    NotImplementedError,  # zipfile: unknown compression
)


class _Member(NamedTuple):
    name: str
    size: int
    is_folder: bool
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack `archive` into `folder` and return `folder`.

    The members are written into a temporary folder beside `folder`, which gets its final name
    only when all of them are there. A `folder` that already holds every member at its size is
    left as it is; one that does not is replaced.

    Only plain files and folders are accepted. Permissions and owners in the archive are ignored.

    Parameters
    ----------
    archive : Path
        A zip file or a tar file (plain, gzip, bzip2 or xz).
    folder : Path
        The folder to make.

    Raises
    ------
    UnsafeArchiveError
        If a member has an absolute path, a ``..`` in its path, or is a link or a device.
        Nothing is written then.
    CorruptFileError
        If the archive cannot be read to its end.
    CacheError
        If `folder` cannot be written.
    """
    import filelock

    with _members(archive) as members:
        if _is_complete(folder, members):
            return folder
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(folder.with_name(f"{folder.name}.lock")):
                if not _is_complete(folder, members):  # another process may have been faster
                    _replace(folder, members, archive)
        except OSError as error:
            raise cache_error(error, folder.parent) from error
    return folder


def _replace(folder: Path, members: list[_Member], archive: Path) -> None:
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        inside = temporary / "files"  # mkdtemp makes a folder that only its owner can read
        inside.mkdir()
        for member in members:
            _write(member, inside, archive)
        if folder.exists():
            shutil.rmtree(folder)
        inside.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _members(archive: Path) -> Iterator[list[_Member]]:
    """Open `archive` and yield its members, every one of them checked."""
    try:
        with open(archive, "rb") as file:
            is_zip = file.read(2) == b"PK"
        if is_zip:
            with zipfile.ZipFile(archive) as file:
                yield [_zip_member(file, item, archive) for item in file.infolist()]
        else:
            with tarfile.open(archive) as file:
                members = [_tar_member(file, item, archive) for item in file.getmembers()]
                while file.fileobj.read(1 << 20):  # to the end, where gzip has its checksum
                    pass
                yield members
    except DataError:  # raised in here or by the caller; itself a RuntimeError
        raise
    except _DAMAGED as error:
        raise _damaged(archive, error) from error


def _zip_member(file: zipfile.ZipFile, item: zipfile.ZipInfo, archive: Path) -> _Member:
    kind = stat.S_IFMT(item.external_attr >> 16)  # 0 where the writer was not a Unix tool
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _unsafe(archive, item.filename, "is a link or a device")
    _check_path(item.filename, archive)
    return _Member(item.filename, item.file_size, item.is_dir(), lambda: file.open(item))


def _tar_member(file: tarfile.TarFile, item: tarfile.TarInfo, archive: Path) -> _Member:
    if not (item.isfile() or item.isdir()):
        raise _unsafe(archive, item.name, "is a link or a device")
    _check_path(item.name, archive)
    return _Member(item.name, item.size, item.isdir(), lambda: file.extractfile(item))


def _check_path(name: str, archive: Path) -> None:
    """Refuse a path that escapes on any system: Windows' rules hold all of Unix's."""
    path = PureWindowsPath(name)
    if path.drive or path.root:
        raise _unsafe(archive, name, "has an absolute path")
    if ".." in path.parts:
        raise _unsafe(archive, name, "leads out of its folder with '..'")


def _write(member: _Member, folder: Path, archive: Path) -> None:
    target = folder / member.name
    if member.is_folder:
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with member.open() as source, open(target, "wb") as file:
        while chunk := _read(source, archive):
            file.write(chunk)
    if target.stat().st_size != member.size:
        raise _damaged(archive, f"{member.name} is shorter than it should be")


def _read(source: IO[bytes], archive: Path) -> bytes:
    """Read on; an OSError here is the archive's (gzip's bad checksum), not the disk's."""
    try:
        return source.read(1 << 20)
    except OSError as error:
        raise _damaged(archive, error) from error


def _is_complete(folder: Path, members: list[_Member]) -> bool:
    paths = [(folder / member.name, member) for member in members]
    return folder.is_dir() and all(
        path.is_dir() if member.is_folder else path.is_file() and path.stat().st_size == member.size
        for path, member in paths
    )


def _unsafe(archive: Path, name: str, why: str) -> UnsafeArchiveError:
    return UnsafeArchiveError(
        f"{archive} was not unpacked: its member {name!r} {why}. "
        "A data archive has no need of that; get the file again from its source."
    )


def _damaged(archive: Path, why: object) -> CorruptFileError:
    return CorruptFileError(
        f"{archive} is damaged or is no zip or tar archive ({why}). "
        "Delete it and fetch it again; nothing of it was unpacked."
    )
