"""A folder of pictures as arrays, split into training and test part without a leak."""

import hashlib
from collections import Counter, defaultdict
from pathlib import Path
from types import SimpleNamespace

from . import layout
from .files import PictureError, read_values, to_bytes, value_range

UNEVEN = 2  # times: the report warns when the biggest class is so much bigger than the smallest
MOST = 20  # lines of one kind in a report


def read_folder(folder, size=32, test_share=0.25, seed=0):
    """Read ``folder/CLASS/picture.jpg``: square RGB pictures, split into training and test.

    Each picture is turned upright, cropped to its central square and resized with antialiasing.
    What cannot be read is left out and reported. Pictures that are the same are in one part; of
    one that lies in two classes nothing is kept. Two photographs of one thing are for you to put
    apart.

    Parameters
    ----------
    folder : str or Path
        With one subfolder for each class, named like the class. Two other layouts are recognised:
        class folders inside ``train`` and ``test`` (or ``val``), whose split is kept; and one flat
        folder of names such as ``cat.12.jpg``.
    size, test_share, seed
        Height and width of the result, pixels; the share of each class for the test part; another
        seed draws another split. The last two do nothing where the folder is split already.

    Returns
    -------
    SimpleNamespace
        ``x_train`` and ``x_test`` (n, size, size, 3), uint8, RGB; ``y_train`` and ``y_test`` (n,),
        indices into ``class_names``; ``files_train`` and ``files_test``; ``skipped``, file to
        reason; ``report``, all this in words. `PictureError` if `folder` is not such a folder,
        or a class has fewer than two pictures that can be read.
    """
    import numpy as np

    folder = Path(folder).expanduser()
    found = layout.find(folder)
    class_of, part_of, paths = {}, {}, {}
    for path, name, part in found.files:
        file = path.relative_to(folder).as_posix()
        class_of[file], part_of[file], paths[file] = name, part, path
    pictures, skipped, ranges = _read(paths, size)
    own = SimpleNamespace(class_names=tuple(sorted(found.classes)))
    skipped |= found.skipped
    alike = defaultdict(list)
    for file, picture in pictures.items():
        alike[hashlib.sha256(picture.tobytes()).digest()].append(file)
    twins = sum(len(files) for files in alike.values() if len(files) > 1)
    groups = {name: [] for name in own.class_names}
    for files in alike.values():
        if len(classes := {class_of[file] for file in files}) == 1:
            groups[classes.pop()].append(files)
            continue
        for file in files:
            other = next(one for one in files if class_of[one] != class_of[file])
            skipped[file] = f"{file} is the same picture as {other}. Delete the wrong one."
    split = _given if any(part_of.values()) else _drawn
    own.files_train, own.files_test = [], []
    for name, different in groups.items():
        train, test = split(name, different, part_of, skipped, test_share, seed)
        own.files_train += train
        own.files_test += test
    if not own.files_test:
        raise PictureError(f"No picture of the test part of {folder} can be used.")
    for part in ("train", "test"):
        files = vars(own)[f"files_{part}"]
        labels = [own.class_names.index(class_of[file]) for file in files]
        vars(own)[f"x_{part}"] = np.array([pictures[file] for file in files])
        vars(own)[f"y_{part}"] = np.array(labels, np.int64)
    own.skipped = dict(sorted(skipped.items()))
    own.report = _report(own, twins, found.remark, ranges)
    return own


def _read(paths, size):
    """Return name to square picture, name to reason of the others, and lines on deep pictures.

    The range of deep pictures is that of the folder, not of each: a dark one stays dark.
    """
    import numpy as np
    from PIL import Image, ImageOps
    from tqdm.auto import tqdm

    def square(values):
        fitted = ImageOps.fit(Image.fromarray(values), (size, size), Image.Resampling.BICUBIC)
        return np.asarray(fitted)

    pictures, skipped, deep = {}, {}, {"iu": {}, "f": {}}
    for name, path in tqdm(paths.items(), desc="pictures", disable=len(paths) < 300):
        try:
            values = read_values(path, name, least=2 * size)
        except PictureError as error:
            skipped[name] = str(error)
            continue
        if values.ndim == 3:
            pictures[name] = square(values)
        else:
            kind = "f" if values.dtype.kind == "f" else "iu"
            deep[kind][name] = (square(values.astype("float32")), values.min(), values.max())
    lines = []
    for kind, found in deep.items():
        if found:
            low, high = min(row[1] for row in found.values()), max(row[2] for row in found.values())
            black, white = value_range(low, high, kind == "iu")
            pictures |= {name: to_bytes(row[0], black, white) for name, row in found.items()}
            what = "fractions" if kind == "f" else "more than 8 bits"
            lines.append(
                f"{len(found):,} pictures hold {what}, from {low:,.5g} to {high:,.5g}: "
                f"{black:,.5g} became black, {white:,.5g} white."
            )
    return {name: pictures[name] for name in paths if name in pictures}, skipped, lines


def _drawn(name, different, part_of, skipped, test_share, seed):
    """Draw the test part of a class from its different pictures."""
    from sklearn.model_selection import train_test_split

    if len(different) < 2:
        raise PictureError(
            f"The class {name!r} has {len(different)} different pictures that can be used. It "
            "needs at least 2, one to train and one to test: add some, or remove the folder."
            + _reasons(name, skipped)
        )
    count = min(max(round(test_share * len(different)), 1), len(different) - 1)
    parts = train_test_split(different, test_size=count, random_state=seed)
    return [[file for files in chosen for file in files] for chosen in parts]


def _given(name, different, part_of, skipped, test_share, seed):
    """Keep the folder's own split of a class, less the test pictures that are in training."""
    train = [file for files in different for file in files if part_of[file] == "train"]
    if not train:
        raise PictureError(
            f"The class {name!r} has no training picture that can be used: add some, or remove the "
            "folder." + _reasons(name, skipped)
        )
    test = []
    for files in different:
        twin = next((file for file in files if part_of[file] == "train"), None)
        for file in (file for file in files if part_of[file] == "test"):
            if twin:
                skipped[file] = f"{file} is the same picture as {twin}, which is for training."
            else:
                test.append(file)
    return train, test


def _reasons(name, skipped):
    """Return, on lines of their own, why pictures of a class were left out."""
    found = [reason for file, reason in skipped.items() if name in file]
    return "".join(f"\n  {reason}" for reason in found[:MOST])


def _report(own, twins, remark, ranges):
    """Say how many pictures of each class there are, what guessing would get, what was left out."""
    train, test = (Counter(map(int, y)) for y in (own.y_train, own.y_test))
    names, total = own.class_names, len(own.y_train) + len(own.y_test)
    lines = [f"{total:,} pictures of {len(names)} classes read, {len(own.skipped):,} left out."]
    lines += [remark] if remark else []
    lines += [
        f"  {name}: {train[i]:,} to train, {test[i]:,} to test" for i, name in enumerate(names)
    ]
    (big, most), (small, least) = train.most_common()[0], train.most_common()[-1]
    lines.append(
        f"Always guessing {names[big]!r} is right for {test[big] / len(own.y_test):.0%} of the "
        "test pictures."
    )
    if most >= UNEVEN * least:
        lines.append(
            f"The classes are uneven: {names[big]!r} has {most / least:.1f} times the training "
            f"pictures of {names[small]!r}. Look at the accuracy of each class."
        )
    lines += ranges
    if twins:
        lines.append(f"{twins:,} pictures have a duplicate; those that are the same share a part.")
    lines += ["Left out:"] if own.skipped else []
    lines += [f"  {reason}" for reason in list(own.skipped.values())[:MOST]]
    lines += [f"  and {len(own.skipped) - MOST:,} more"] if len(own.skipped) > MOST else []
    return "\n".join(lines)
