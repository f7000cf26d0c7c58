"""Pictures of the learner's own: a folder of them, one file, or one from an upload button.

``own = images.read_folder("photos")`` reads ``photos/CLASS/picture.jpg`` and splits it;
``print(own.report)`` says what was left out and why. ``images.upload_button(show)`` hands one
picture to the function ``show``.
"""

import hashlib
import html
import io
import re
import warnings
from collections import Counter, defaultdict
from pathlib import Path
from types import SimpleNamespace

MAX_BYTES = 20_000_000
# Jupyter's web socket closes, without a word, on messages over 10 MiB; `make lab`
# raises that, so that a file over MAX_BYTES is answered.
BUTTON_BYTES = 7_000_000
MAX_PIXELS = 64_000_000  # more than any phone's camera makes; 192 MB as RGB
# No others: Pillow hands some, such as EPS, to a program that runs what is in the file.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM")
EXPECTED = "JPEG, PNG, WebP, GIF, BMP or TIFF"
PART = re.compile(r"(train|test|valid|val|dev|eval)(ing|ation)?[-_ ]?(set)?\d*", re.IGNORECASE)
UNEVEN = 2  # times: the report warns when the biggest class is so much bigger than the smallest
MOST = 20  # lines of one kind in a report


class PictureError(ValueError):
    """A picture, or a folder of pictures, cannot be used; the message says what to do."""


def read_picture(source, name="", least=None):
    """Return the RGB pixels of an image file.

    A photograph is turned upright as its EXIF says, grey becomes RGB, and transparent parts become
    white. Of an animation the first picture is taken. Of more than 8 bits, those in use are scaled
    to 8: a file of 16 bits with no value over 4095 comes from a camera of 12.

    Parameters
    ----------
    source : str, Path or bytes-like
        The file, or what it holds.
    name : str
        What the messages call it.
    least : int, optional
        No more pixels than this are needed in height and width: a big JPEG is read faster.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        RGB, 0 to 255. `PictureError` if it cannot be opened, is empty, no picture, broken, or has
        over 20 MB or 64 million pixels.
    """
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    content, name = _content(source, name)
    Image.init()
    formats = [known for known in FORMATS if known in Image.OPEN]  # AVIF: from Pillow 11.3
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bombs, which are counted here, and of metadata
            picture = Image.open(io.BytesIO(content), formats=formats)
            if picture.width * picture.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            if least:
                picture.draft("RGB", (least, least))
            try:
                picture = ImageOps.exif_transpose(picture)
            except (OSError, SyntaxError, ValueError, TypeError, KeyError):
                pass  # damaged EXIF says nothing about the pixels; broken pixels raise below
            return np.array(_rgb(picture, name))
    except PictureError:
        raise
    except Image.DecompressionBombError:
        raise PictureError(
            f"{name} has more than {MAX_PIXELS / 1e6:g} million pixels. "
            "Make it smaller with an image editor; 1,000 x 1,000 pixels are plenty."
        ) from None
    except UnidentifiedImageError:
        heic = content[4:8] == b"ftyp"
        what = "is a HEIC photograph or a film" if heic else "is not a picture that can be read"
        raise PictureError(f"{name} {what}. Export it as {EXPECTED}.") from None
    except Exception as error:  # decoders raise nearly anything on broken bytes
        raise PictureError(
            f"{name} is broken or cut short ({error}). Save or download it again."
        ) from error


def read_folder(folder, size=32, test_share=0.25, seed=0):
    """Read ``folder/CLASS/picture.jpg``: square RGB pictures, split into training and test.

    Each picture is turned upright, cropped to its central square and resized with antialiasing.
    What cannot be read is left out and reported. Pictures that are the same are in one part; of
    one that lies in two classes nothing is kept. Two photographs of one thing are for you to put
    apart.

    Parameters
    ----------
    folder : str or Path
        With one subfolder for each class, named like the class.
    size, test_share, seed
        Height and width of the result, pixels; the share of each class for the test part; another
        seed draws another split.

    Returns
    -------
    SimpleNamespace
        ``x_train`` and ``x_test`` (n, size, size, 3), uint8, RGB; ``y_train`` and ``y_test`` (n,),
        indices into ``class_names``; ``files_train`` and ``files_test``; ``skipped``, file to
        reason; ``report``, all this in words. `PictureError` if `folder` is not such a folder,
        or a class has fewer than two pictures that can be read.
    """
    import numpy as np
    from PIL import Image, ImageOps
    from sklearn.model_selection import train_test_split
    from tqdm.auto import tqdm

    folder = Path(folder).expanduser()
    class_names, paths, skipped = _list(folder)
    read, alike = {}, defaultdict(list)
    for path in tqdm(paths, desc="pictures", disable=len(paths) < 300):
        name = path.relative_to(folder).as_posix()
        try:
            picture = Image.fromarray(read_picture(path, name, least=2 * size))
        except PictureError as error:
            skipped[name] = str(error)
            continue
        read[name] = np.asarray(ImageOps.fit(picture, (size, size), Image.Resampling.BICUBIC))
        alike[hashlib.sha256(read[name].tobytes()).digest()].append(name)
    groups = {name: [] for name in class_names}
    for files in alike.values():
        if len(classes := {file.split("/")[0] for file in files}) == 1:
            groups[classes.pop()].append(files)
            continue
        for file in files:
            other = next(one for one in files if one.split("/")[0] != file.split("/")[0])
            skipped[file] = f"{file} is the same picture as {other}. Delete the wrong one."
    own = SimpleNamespace(class_names=class_names, skipped=dict(sorted(skipped.items())))
    own.files_train, own.files_test = [], []
    for name, different in groups.items():
        if len(different) < 2:
            reasons = [reason for file, reason in skipped.items() if file.startswith(f"{name}/")]
            raise PictureError(
                f"The class {name!r} has {len(different)} different pictures that can be used. It "
                "needs at least 2, one to train and one to test: add some, or remove the folder."
                + "".join(f"\n  {reason}" for reason in reasons[:MOST])
            )
        count = min(max(round(test_share * len(different)), 1), len(different) - 1)
        parts = train_test_split(different, test_size=count, random_state=seed)
        for kept, chosen in zip((own.files_train, own.files_test), parts, strict=True):
            kept += [file for files in chosen for file in files]
    for part in ("train", "test"):
        files = vars(own)[f"files_{part}"]
        labels = [own.class_names.index(file.split("/")[0]) for file in files]
        vars(own)[f"x_{part}"] = np.array([read[file] for file in files])
        vars(own)[f"y_{part}"] = np.array(labels, np.int64)
    twins = sum(len(files) for files in alike.values() if len(files) > 1)
    own.report = _report(own, twins)
    return own


def upload_button(show, description="Choose a picture"):
    """Show a button that hands a picture from the reader's machine to `show`.

    The Tab key reaches it and the space bar opens the file dialogue. The picture goes to the
    kernel and nowhere else.

    Parameters
    ----------
    show : callable
        Called as ``show(name, pixels)``: the file's name, and what `read_picture` returns. What
        it prints, displays or raises appears below the button.
    description : str
        What the button says.
    """
    import ipywidgets as widgets

    from .show import show_widget

    button = widgets.FileUpload(accept="image/*", description=description)
    button.layout.width = "18em"
    if button.has_trait("tooltip"):  # ipywidgets 8; its own default reads "null"
        button.tooltip = EXPECTED
    limit = widgets.HTML(
        f"<small>{EXPECTED}, up to {BUTTON_BYTES / 1e6:g} MB, with <code>make lab</code> "
        f"{MAX_BYTES / 1e6:g}. If no answer comes, the front end took no such big file: copy "
        "it beside the notebook and call <code>images.read_picture('my.jpg')</code>.</small>"
    )
    message, output = widgets.HTML(), widgets.Output()

    def update(change):
        for name, content in _uploaded(change["new"])[-1:]:
            message.value = ""
            output.outputs = ()
            try:
                pixels = read_picture(content, name)
            except PictureError as error:
                message.value = f'<p role="alert">{html.escape(str(error))}</p>'
            else:
                with output:  # shows what it prints, displays and raises
                    show(name, pixels)
            if isinstance(button.value, tuple):  # ipywidgets 7 does not let it be set
                button.value = ()  # no copy of the picture stays in the widget's state

    button.observe(update, names="value")
    show_widget(
        widgets.VBox([button, limit, message, output]),
        f"[{description}: this button needs a running notebook. Without it: "
        "images.read_picture('my.jpg')]",
    )


def check_pixels(x):
    """Raise a `PictureError` unless `x` holds pixels: three channels, 0 to 255.

    Parameters
    ----------
    x : array or tensor, shape (n, height, width, 3) or (height, width, 3)
        Of a tensor that has no values yet only the shape is checked.
    """
    import numpy as np

    if isinstance(x, (list, tuple)):
        x = np.asarray(x)
    if len(x.shape) not in (3, 4) or x.shape[-1] != 3:
        raise PictureError(
            f"The shape {tuple(x.shape)} is not (images, height, width, 3). Repeat a grey image "
            "three times (np.repeat(x[..., None], 3, -1)); drop a fourth channel (x[..., :3])."
        )
    if not isinstance(x, np.ndarray):
        import keras

        if isinstance(x, keras.KerasTensor):
            return
        try:
            x = keras.ops.convert_to_numpy(x)
        except (TypeError, NotImplementedError, AttributeError):  # inside a compiled function
            return
    if not x.size:
        return
    low, high = float(x.min()), float(x.max())
    if not (0 <= low <= high <= 255) or 0 < high <= 1:
        raise PictureError(
            f"Values run from {low:.4g} to {high:.4g}; expected are pixels from 0 to 255. Leave "
            "out what scaled them (/ 255, Rescaling, ToTensor), preprocess only once, and clip "
            "what a resize overshot (np.clip(x, 0, 255))."
        )


def _content(source, name):
    """Return the bytes of a file and what to call it."""
    if isinstance(source, (str, Path)):
        name = name or str(source)
        try:
            with open(Path(source).expanduser(), "rb") as file:
                source = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise PictureError(f"{name} cannot be opened: {error.strerror}.") from None
    content, name = bytes(source), name or "The file"
    if not content:
        raise PictureError(f"{name} is empty: 0 bytes. Save or download it again.")
    if len(content) > MAX_BYTES:
        raise PictureError(
            f"{name} has more than {MAX_BYTES / 1e6:g} MB. Make it smaller with an image editor."
        )
    return content, name


def _rgb(picture, name):
    """Return the Pillow image in RGB, 8 bits, on white where it is transparent."""
    import numpy as np
    from PIL import Image

    if picture.mode[0] in "IF":  # 16 or 32 bits; Pillow's own conversion would cut them off
        values = np.asarray(picture)
        most = next((most for most in (255, 4095, 65535) if values.max() <= most), None)
        if picture.mode == "F" or values.min() < 0 or most is None:
            raise PictureError(
                f"{name} has pixels of 32 bits, and nothing says which value is white. "
                "Export it as JPEG or PNG."
            )
        picture = Image.fromarray(np.round(values / (most / 255)).astype(np.uint8))
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")


def _list(folder):
    """Return the names of the classes, the files in their folders, and file to reason of others."""
    example = "Expected a folder with one subfolder for each class, as in photos/cat/1.jpg."
    if not folder.is_dir():
        raise PictureError(
            f"{folder} is not a folder; it was looked for in {Path.cwd()}. {example}"
        )
    classes = [path for path in _visible(folder) if path.is_dir()]
    if len(classes) < 2:
        found = ", ".join(path.name for path in _visible(folder)[:3]) or "nothing"
        raise PictureError(f"{folder} holds {found}, no two classes. {example}")
    if all(PART.fullmatch(path.name) for path in classes):
        names = ", ".join(path.name for path in classes)
        part = max(classes, key=lambda path: path.name.lower().startswith("train"))
        raise PictureError(
            f"{folder} holds {names}: parts of a split, not classes. If there is a folder for each "
            f"class inside, read one part: read_folder({str(part)!r}). If the "
            "file names say the class, sort the files into one folder for each class."
        )
    loose = [path for path in _visible(folder) if path not in classes]
    skipped = {path.name: f"{path.name} lies in no class folder." for path in loose}
    files = []
    for path in (path for inside in classes for path in _visible(inside)):
        name = path.relative_to(folder).as_posix()
        if path.is_dir():
            skipped[name] = f"{name} is a folder inside a class; not read."
        else:
            files.append(path)
    return tuple(path.name for path in classes), files, skipped


def _visible(folder):
    """Return what lies in a folder, in an order that no file system changes."""
    left = {"thumbs.db", "desktop.ini", "__macosx"}  # by systems; hidden files as well
    found = (path for path in folder.iterdir() if path.name[0] != ".")
    return sorted((p for p in found if p.name.lower() not in left), key=lambda path: path.name)


def _report(own, twins):
    """Say how many pictures of each class there are, what guessing would get, what was left out."""
    train, test = (Counter(map(int, y)) for y in (own.y_train, own.y_test))
    names, total = own.class_names, len(own.y_train) + len(own.y_test)
    lines = [f"{total:,} pictures of {len(names)} classes read, {len(own.skipped):,} left out."]
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
    if twins:
        lines.append(f"{twins:,} pictures have a duplicate; those that are the same share a part.")
    lines += ["Left out:"] if own.skipped else []
    lines += [f"  {reason}" for reason in list(own.skipped.values())[:MOST]]
    lines += [f"  and {len(own.skipped) - MOST:,} more"] if len(own.skipped) > MOST else []
    return "\n".join(lines)


def _uploaded(value):
    """Return names and contents from the value of a FileUpload, of ipywidgets 7 or 8."""
    if isinstance(value, dict):
        return [(name, bytes(item["content"])) for name, item in value.items()]
    return [(item["name"], bytes(item["content"])) for item in value]
