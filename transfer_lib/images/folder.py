"""A folder of the learner's own pictures: read what can be read, split it without a leak."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .. import settings
from .upload import MAX_BYTES, PictureError, decode

if TYPE_CHECKING:
    from numpy import ndarray

IGNORED = {"thumbs.db", "desktop.ini", "__macosx"}  # what systems leave; hidden files as well
PROGRESS_FROM = 300  # files; fewer get no progress bar
HASH_BITS, HASH_LEVELS = 4, 10  # how far apart near-duplicates may be: bits of 64, grey levels
MOST = 20  # lines of one kind in a report
UNEVEN = 2  # times: the report warns when the biggest class is so much bigger than the smallest


class Skipped(NamedTuple):
    """One file that was left out: where it lies in the folder, and why."""

    file: str
    reason: str


@dataclass(frozen=True, eq=False, repr=False)
class ImageFolder:
    """Pictures with labels, split into a training and a test part.

    Attributes
    ----------
    x_train, x_test : ndarray of uint8, shape (n, size, size, 3)
        RGB, 0 to 255.
    y_train, y_test : ndarray of int64, shape (n,)
        Labels: indices into `class_names`.
    class_names : tuple of str
        The names of the subfolders, in the order of the alphabet.
    files_train, files_test : tuple of str
        Where each picture lies in the folder.
    skipped : tuple of Skipped
        The files that were left out, and why.
    report : str
        All this in words: pictures of each class, the accuracy of always guessing the biggest
        class, duplicates, files left out.
    """

    x_train: "ndarray"
    y_train: "ndarray"
    x_test: "ndarray"
    y_test: "ndarray"
    class_names: tuple[str, ...]
    files_train: tuple[str, ...]
    files_test: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    report: str

    def __repr__(self):
        return (
            f"<ImageFolder: {len(self.x_train):,} training and {len(self.x_test):,} test pictures "
            f"of {len(self.class_names)} classes, {len(self.skipped):,} files left out>"
        )


def read_folder(folder, size=32, test_share=0.25, seed=0) -> ImageFolder:
    """Read ``folder/CLASS/picture.jpg``: square RGB pictures, split into training and test.

    Each picture is turned upright, cropped to its central square and resized with antialiasing.
    What cannot be read is left out and reported. A picture that lies in two classes is left out
    of both.

    The split is drawn class by class. Pictures that are the same or nearly so (same central
    square, up to small changes by saving, brightness or size) are all in one part, so that the
    test is of pictures not seen before. It cannot tell two photographs of one thing: put these
    apart yourself. The same files and `seed` give the same split on every machine.

    Parameters
    ----------
    folder : str or Path
        With one subfolder for each class, named like the class.
    size : int
        Height and width of the result, pixels; at least 8.
    test_share : float
        The share of each class for the test part, between 0 and 1; rounded, at least one
        picture, and less where duplicates do not let it.
    seed : int
        Draws another split.

    Returns
    -------
    ImageFolder

    Raises
    ------
    PictureError
        If `folder` is not such a folder, or a class has fewer than two pictures that can be read
        or cannot be split because all of them are duplicates.
    ValueError
        If `size` or `test_share` is out of range.
    """
    if int(size) != size or size < 8:
        raise ValueError(f"size={size!r}; it must be a whole number of pixels, at least 8.")
    if not 0 < test_share < 1:
        raise ValueError(f"test_share={test_share!r}; it must lie between 0 and 1, as 0.25.")
    folder = Path(folder).expanduser()
    paths, class_names, skipped = _list(folder)
    files, x, y, unreadable = _read(folder, paths, class_names, int(size))
    kept, conflicts = _conflicts(files, x, y, class_names)
    files, x, y = [files[i] for i in kept], x[kept], y[kept]
    skipped = tuple(sorted(skipped + unreadable + conflicts))
    _check_counts(folder, y, class_names, skipped)
    groups = _groups(x)
    test = _split(y, groups, test_share, seed, class_names)
    return ImageFolder(
        x_train=x[~test],
        y_train=y[~test],
        x_test=x[test],
        y_test=y[test],
        class_names=class_names,
        files_train=tuple(files[i] for i in (~test).nonzero()[0]),
        files_test=tuple(files[i] for i in test.nonzero()[0]),
        skipped=skipped,
        report=_report(files, y, test, groups, class_names, skipped),
    )


def _visible(folder: Path) -> list[Path]:
    """Return what lies in a folder, in an order that no file system changes."""
    found = [p for p in folder.iterdir() if p.name[0] != "." and p.name.lower() not in IGNORED]
    return sorted(found, key=lambda path: path.name)


def _list(folder: Path):
    """Return the paths of all files in class folders, the names of the classes, and the rest."""
    example = "Expected a folder with one subfolder for each class, as in photos/cat/1.jpg."
    if folder.is_file():
        raise PictureError(f"{folder} is a file, not a folder. {example} Unpack an archive first.")
    if not folder.is_dir():
        raise PictureError(
            f"There is no folder {folder}; it was looked for in {Path.cwd()}. {example}"
        )
    classes = [path for path in _visible(folder) if path.is_dir()]
    loose = [path for path in _visible(folder) if not path.is_dir()]
    if not classes and loose:
        raise PictureError(
            f"The files lie directly in {folder}, so nothing says their class. {example} "
            "Make the subfolders and move each picture into its own."
        )
    if len(classes) < 2:
        found = f"only {classes[0].name}" if classes else "nothing"
        raise PictureError(f"{folder} holds {found}. {example} At least two classes are needed.")
    skipped = [Skipped(path.name, f"{path.name} lies in no class folder.") for path in loose]
    paths = []
    for inside in classes:
        for path in _visible(inside):
            if path.is_dir():
                name = f"{inside.name}/{path.name}"
                skipped.append(Skipped(name, f"{name} is a folder inside a class; not read."))
            else:
                paths.append(path)
    return paths, tuple(path.name for path in classes), skipped


def _read(folder: Path, paths: list[Path], class_names: tuple[str, ...], size: int):
    """Return the names of the files that can be read, their pixels, labels, and the others."""
    import numpy as np
    from PIL import Image, ImageOps
    from tqdm.auto import tqdm

    files, images, labels, skipped = [], [], [], []
    silent = settings.strict() or len(paths) < PROGRESS_FROM
    for path in tqdm(paths, desc="pictures", disable=silent):
        name = path.relative_to(folder).as_posix()
        try:
            with open(path, "rb") as file:
                content = file.read(MAX_BYTES + 1)
            picture = decode(content, name, least=2 * size)
        except PictureError as error:
            skipped.append(Skipped(name, str(error)))
        except OSError as error:
            skipped.append(Skipped(name, f"{name} cannot be opened: {error.strerror}."))
        else:
            square = ImageOps.fit(picture, (size, size), method=Image.Resampling.BICUBIC)
            files.append(name)
            images.append(np.asarray(square))
            labels.append(class_names.index(path.parent.name))
    x = np.array(images, np.uint8).reshape(-1, size, size, 3)
    return files, x, np.array(labels, np.int64), skipped


def _conflicts(files, x, y, class_names):
    """Return the indices to keep, and the files whose very pixels lie in two classes."""
    alike = defaultdict(list)
    for i, image in enumerate(x):
        alike[hashlib.sha256(image.tobytes()).digest()].append(i)
    kept, skipped = [], []
    for members in alike.values():
        if len({int(y[i]) for i in members}) == 1:
            kept += members
            continue
        for i in members:
            other = next(files[j] for j in members if y[j] != y[i])
            reason = (
                f"{files[i]} is the same picture as {other}, of another class. Delete the wrong "
                "one of them."
            )
            skipped.append(Skipped(files[i], reason))
    return sorted(kept), skipped


def _check_counts(folder: Path, y, class_names: tuple[str, ...], skipped) -> None:
    for label, name in enumerate(class_names):
        count = int((y == label).sum())
        if count < 2:
            out = [item.reason for item in skipped if item.file.startswith(f"{name}/")]
            why = "".join(f"\n  {reason}" for reason in out[:MOST])
            raise PictureError(
                f"The class {name!r} has too few pictures that can be used: {count}. It needs at "
                "least 2, one to train and one to test. Add pictures to "
                f"{folder / name} or remove that folder.{why}"
            )


def _groups(x) -> "ndarray":
    """Return for each picture the number of its group of near-duplicates.

    Two pictures are near-duplicates when their difference hashes differ in at most `HASH_BITS` of
    64 bits and their 9 x 8 thumbnails, each less its own mean, in at most `HASH_LEVELS` grey
    levels on average. The hash is that of Krawetz (2013), "Kind of like that",
    https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html
    """
    import numpy as np
    from PIL import Image
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    small = np.array(
        [Image.fromarray(image).convert("L").resize((9, 8), Image.Resampling.BOX) for image in x],
        np.int64,
    )
    bits = small[:, :, 1:] > small[:, :, :-1]
    hashes = np.packbits(bits.reshape(len(x), 64), axis=1).view(np.uint64).ravel()
    small = small - small.mean(axis=(1, 2), keepdims=True)
    pairs = [np.zeros((2, 0), np.int64)]
    for i in range(len(x)):
        near = i + np.flatnonzero(np.bitwise_count(hashes[i:] ^ hashes[i]) <= HASH_BITS)
        near = near[np.abs(small[near] - small[i]).mean(axis=(1, 2)) <= HASH_LEVELS]
        pairs.append(np.stack([np.full_like(near, i), near]))
    rows, columns = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(x), len(x)))
    return connected_components(graph, directed=False)[1]


def _split(y, groups, test_share: float, seed: int, class_names: tuple[str, ...]) -> "ndarray":
    """Return a mask, True for the test part: whole groups, the same share of each class.

    NumPy freezes the stream of ``RandomState``; scikit-learn promises no such thing for its
    ``StratifiedGroupKFold``.
    """
    import numpy as np

    counts = np.bincount(y)
    room = np.clip(np.round(test_share * counts).astype(int), 1, counts - 1)
    test = np.zeros(len(y), dtype=bool)
    for group in np.random.RandomState(seed).permutation(groups.max() + 1):
        members = groups == group
        wanted = np.bincount(y[members], minlength=len(counts))
        if np.all(wanted <= room):
            test |= members
            room -= wanted
    for label, name in enumerate(class_names):
        if not test[y == label].any():
            raise PictureError(
                f"The class {name!r} cannot be split: nearly all its {counts[label]} pictures "
                "are duplicates of one another. Add different pictures."
            )
    return test


def _report(files, y, test, groups, class_names, skipped) -> str:
    import numpy as np

    train, held = (np.bincount(y[part], minlength=len(class_names)) for part in (~test, test))
    lines = [f"{len(y):,} pictures of {len(class_names)} classes read, {len(skipped):,} left out."]
    lines += [
        f"  {name}: {train[i]:,} to train, {held[i]:,} to test"
        for i, name in enumerate(class_names)
    ]
    big, least = int(train.argmax()), int(train.argmin())
    lines.append(
        f"Always guessing {class_names[big]!r} is right for {held[big] / held.sum():.0%} of the "
        "test pictures."
    )
    if train[big] >= UNEVEN * train[least]:
        lines.append(
            f"The classes are uneven: {class_names[big]!r} has {train[big] / train[least]:.1f} "
            f"times the training pictures of {class_names[least]!r}. Look at the accuracy of each "
            "class, not at the mean alone."
        )
    twins = [np.flatnonzero(groups == g) for g in np.flatnonzero(np.bincount(groups) > 1)]
    if twins:
        lines.append(
            f"{sum(map(len, twins)):,} pictures have a duplicate or near-duplicate; those that "
            "are alike are in the same part."
        )
    mixed = [members for members in twins if len(set(y[members])) > 1]
    for members in mixed[:MOST]:
        lines.append(f"  nearly the same in two classes: {', '.join(files[i] for i in members)}")
    lines += ["Left out:"] if skipped else []
    lines += [f"  {item.reason}" for item in skipped[:MOST]]
    lines += [f"  and {len(skipped) - MOST:,} more"] if len(skipped) > MOST else []
    return "\n".join(lines)
