"""How a folder says which class each picture is, and which part of a split it belongs to.

Three layouts are recognised: a folder for each class; these inside ``train`` and ``test``; and one
flat folder with names such as ``cat.12.jpg``.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .files import PictureError

PART = re.compile(r"(train|test|valid|val|dev|eval)(ing|ation)?[-_ ]?(set)?\d*", re.IGNORECASE)
NUMBERED = re.compile(r"(?P<name>.*?[^\W\d].*?)[-_. ]*\(?\d+\)?")
# What cameras, phones and programs call their files says nothing about a class.
CAMERA = re.compile(
    r"(img|image|dsc[a-z]?|dscf|dscn|pict?|pxl|photo|picture|screenshot|scan|mvi|frame|untitled|file)"
    r"([-_ ].*)?",
    re.IGNORECASE,
)
ENDINGS = "jpg jpeg jpe jfif png webp avif gif bmp tif tiff ppm pgm heic heif".split()
EXAMPLE = "Expected a folder with one subfolder for each class, as in photos/cat/1.jpg."


@dataclass
class Layout:
    """What was found in a folder.

    Attributes
    ----------
    files : list of (path, class, part)
        The part is None where the folder does not say it.
    classes : set of str
        Also those without a file.
    skipped : dict of str to str
        File or folder, relative to the folder, and why it was left out.
    remark : str
        What the report says of the layout; empty for a folder with one subfolder for each class.
    """

    files: list
    classes: set
    skipped: dict = field(default_factory=dict)
    remark: str = ""


def find(folder: Path) -> Layout:
    """Return the pictures of a folder and their classes; `PictureError` if there are none."""
    if not folder.is_dir():
        raise PictureError(
            f"{folder} is not a folder; it was looked for in {Path.cwd()}. {EXAMPLE}"
        )
    inside = [path for path in visible(folder) if path.is_dir()]
    parts = [path for path in inside if PART.fullmatch(path.name)]
    trains = [path for path in parts if path.name.lower().startswith("train")]
    if parts and (parts == inside or 0 < len(trains) < len(parts)):
        found = _parts(folder, parts)
        others = [path for path in visible(folder) if path not in parts]
        found.skipped |= {path.name: f"{path.name} is no part of the split." for path in others}
        return found
    if len(inside) >= 2:
        return _classes(folder, folder, None)
    if inside:
        hint = ""
        if sum(path.is_dir() for path in visible(inside[0])) >= 2:
            hint = f" Is it one deeper: read_folder({str(inside[0])!r})?"
        found = ", ".join(path.name for path in visible(folder)[:3])
        raise PictureError(f"{folder} holds {found}, no two classes. {EXAMPLE}{hint}")
    return _flat(folder, folder, None)


def _classes(root, folder, part):
    """Read a folder with a subfolder for each class."""
    found = Layout([], set())
    for path in visible(folder):
        if not path.is_dir():
            name = path.relative_to(root).as_posix()
            found.skipped[name] = f"{name} lies in no class folder."
            continue
        found.classes.add(path.name)
        for file in visible(path):
            name = file.relative_to(root).as_posix()
            if file.is_dir():
                found.skipped[name] = f"{name} is a folder inside a class; not read."
            else:
                found.files.append((file, path.name, part))
    return found


def _flat(root, folder, part):
    """Read a folder without subfolders, where the file names say the class."""
    files = [path for path in visible(folder) if path.suffix.lower()[1:] in ENDINGS]
    names = {path: NUMBERED.fullmatch(path.stem) for path in files}
    classes = {path: match["name"].rstrip("-_. (") for path, match in names.items() if match}
    counts = Counter(classes.values())
    known = {name for name, count in counts.items() if count >= 2 and not CAMERA.fullmatch(name)}
    if len(known) < 2 or sum(counts[name] for name in known) < len(files) / 2:
        held = ", ".join(path.name for path in visible(folder)[:3]) or "nothing"
        message = f"{folder} holds {held}, no two classes. {EXAMPLE}"
        if files:
            place, one = folder / "cat", files[0]
            message += (
                " The names of these files do not tell it, as cat.1.jpg and dog.1.jpg would. "
                "Make a folder for each class and move each picture into its own, in a terminal:\n"
                f'  mkdir "{place}"\n  mv "{one}" "{place}"'
            )
        raise PictureError(message)
    files = [(path, classes[path], part) for path in files if classes.get(path) in known]
    found = Layout(files, known)
    example, name, _ = found.files[0]
    found.remark = f"The file names say the class: {example.name} is a {name!r}."
    for path in visible(folder):
        if classes.get(path) not in known:
            file = path.relative_to(root).as_posix()
            found.skipped[file] = f"{file} has no class in its name."
    return found


def _parts(folder, inside):
    """Read a folder that somebody has split: classes, or flat names, inside the parts."""
    names = ", ".join(path.name for path in inside)
    train = next((path for path in inside if path.name.lower().startswith("train")), None)
    read = {}
    for path in inside:
        part = "train" if path is train else "test"
        deeper = any(child.is_dir() for child in visible(path))
        try:
            read[path] = (_classes if deeper else _flat)(folder, path, part)
        except PictureError:  # pictures without a class: the answers of a competition
            continue
    if train not in read:
        raise PictureError(
            f"{folder} holds {names}: parts of a split, not classes, and no training part with a "
            f"folder for each class inside. {EXAMPLE} Make such folders in a terminal:\n"
            f'  mkdir "{inside[0] / "cat"}"\n'
            f'  mv "{inside[0]}"/cat* "{inside[0] / "cat"}"'
        )
    others = sorted(
        (path for path in read if path is not train),
        key=lambda path: not path.name.lower().startswith("test"),
    )
    result = read[train]
    for path in inside:
        if path not in (train, *others[:1]):
            why = "is another part" if path in read else "does not say the class of its pictures"
            result.skipped[path.name] = f"{path.name} {why}; not read."
    if not others:
        result.files = [(path, name, None) for path, name, _ in result.files]
        result.remark = f"Of {names} only {train.name} is read, and split. {result.remark}".strip()
        return result
    test = read[others[0]]
    for path, name, _ in test.files:
        if name not in result.classes:
            file = path.relative_to(folder).as_posix()
            test.skipped[file] = f"{file}: no picture of {name!r} in {train.name}."
    result.files += [row for row in test.files if row[1] in result.classes]
    result.skipped |= test.skipped
    remark = f"The folder is split already: {train.name} to train, {others[0].name} to test."
    result.remark = f"{remark} {result.remark}".strip()
    return result


def visible(folder):
    """Return what lies in a folder, in an order that no file system changes."""
    left = {"thumbs.db", "desktop.ini", "__macosx"}  # by systems; hidden files as well
    found = (path for path in folder.iterdir() if path.name[0] != ".")
    return sorted((p for p in found if p.name.lower() not in left), key=lambda path: path.name)
