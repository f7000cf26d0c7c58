"""Confusion matrices, grids of images and scatter plots of embeddings."""

import textwrap
from collections import Counter

import numpy as np

from transfer_lib.plots import check
from transfer_lib.plots.charts import annotated_table
from transfer_lib.plots.check import number
from transfer_lib.plots.style import COLORS, MARKERS, TEXT, WRONG, describe, figure

MAX_IMAGES = 100


def confusion_matrix(y_true, y_pred, class_names, *, title="Confusion matrix"):
    """Draw how often each class was predicted as each class.

    Parameters
    ----------
    y_true, y_pred : array_like, shape (n,)
        True and predicted labels: numbers from 0, or names from `class_names`.
    class_names : list of str
        At most 20.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
        Rows are true classes, columns predicted ones; numbers count examples, colours show the
        share of the row.

    Raises
    ------
    ValueError
        If the lengths differ, a label is no class, or there are too many classes.
    """
    from sklearn import metrics

    names = check.class_names_checked(class_names)
    true = check.class_numbers("y_true", y_true, names)
    predicted = check.class_numbers("y_pred", y_pred, names)
    if len(true) != len(predicted):
        raise ValueError(f"y_true has {len(true)} labels, but y_pred has {len(predicted)}.")
    counts = metrics.confusion_matrix(true, predicted, labels=range(len(names)))
    totals = counts.sum(axis=1, keepdims=True)
    share = 100 * counts / np.maximum(totals, 1)
    texts = [[str(cell) for cell in row] for row in counts]
    fig, ax = annotated_table(share, texts, names, names, "Share of true class (%)", (0, 100))
    ax.set(xlabel="Predicted class (name)", ylabel="True class (name)", title=title)

    right = int(np.trace(counts))
    wrong = counts - np.diag(np.diag(counts))
    if wrong.any():
        i, j = np.unravel_index(np.argmax(wrong), wrong.shape)
        ties = int((wrong == wrong[i, j]).sum()) - 1
        worst = (
            f"Most often confused: {names[i]} predicted as {names[j]}, {wrong[i, j]} of "
            f"{check.count(int(totals[i, 0]), 'example')} of {names[i]}"
            + (f" ({check.count(ties, 'other pair')} as often)." if ties else ".")
        )
    else:
        worst = "No example is confused."
    seen = totals[:, 0] > 0
    hit = np.where(seen, np.diag(share), np.inf)
    low = int(np.argmin(hit))
    unseen = [name for name, there in zip(names, seen, strict=True) if not there]
    return describe(
        fig,
        f"{title}: {check.count(len(true), 'example')}, {len(names)} classes. Accuracy "
        f"{number(100 * right / len(true))} % ({right} of {len(true)}). {worst} Hardest class: "
        f"{names[low]}, {number(hit[low])} % right."
        + (f" No true example of {check.listing(unseen)}." if unseen else ""),
    )


def image_grid(images, labels, ncols=8, predictions=None, *, title=None):
    """Draw images in rows with their labels; a wrong prediction is marked by text and a frame.

    Parameters
    ----------
    images : array_like, shape (n, height, width), (n, height, width, 1) or (n, height, width, 3)
        Grey or RGB; ``uint8`` from 0 to 255, or floats from 0 to 1. At most 100.
    labels : list of str or int, length n
    ncols : int
        Images per row.
    predictions : list of str or int, length n, optional
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the shape, the type or the range of `images` is not one of these, or lengths differ.
    """
    images = _checked_images(images)
    labels = _texts("labels", labels, len(images))
    if isinstance(ncols, bool) or not isinstance(ncols, int | np.integer) or ncols < 1:
        raise ValueError(f"ncols must be a whole number above 0, got {ncols!r}.")
    captions, wrong = labels, []
    if predictions is not None:
        predictions = _texts("predictions", predictions, len(images))
        pairs = list(zip(labels, predictions, strict=True))
        wrong = [i for i, (label, guess) in enumerate(pairs) if label != guess]
        captions = [f"✓ {g}" if t == g else f"✗ {g}, is {t}" for t, g in pairs]
    captions = [textwrap.fill(caption, 18) for caption in captions]

    ncols = min(int(ncols), len(images))
    nrows = -(-len(images) // ncols)
    longest = max(len(line) for caption in captions for line in caption.split("\n"))
    lines = max(caption.count("\n") + 1 for caption in captions)
    width = max(0.95, 0.085 * longest)
    height, aspect = 0.16 * lines + 0.1, images.shape[1] / images.shape[2]
    fig, axes = figure(
        "to be described below",
        nrows,
        ncols,
        squeeze=False,
        figsize=(max(4.0, width * ncols), 0.45 + nrows * (min(1.6, 0.95 * aspect) + height)),
    )
    grey = images.ndim == 3
    top = 255 if images.dtype == np.uint8 else 1
    for i, ax in enumerate(axes.flat):
        ax.set_axis_off()
        if i >= len(images):
            continue
        ax.imshow(images[i], cmap="gray" if grey else None, vmin=0, vmax=top)
        ax.set_title(captions[i], fontsize=9, pad=3, color=WRONG if i in wrong else TEXT)
        if i in wrong:
            ax.set_axis_on()
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set(visible=True, color=WRONG, linewidth=3)
    size = f"{images.shape[1]} × {images.shape[2]} pixels"
    title = title or ("Predictions" if predictions else "Images")
    fig.suptitle(f"{title} ({size})", fontsize=12)

    kinds = ", ".join(f"{how_many} of {name}" for name, how_many in Counter(labels).most_common(10))
    more = len(set(labels)) - 10
    kinds += f" and {check.count(more, 'more label')}" if more > 0 else ""
    words = [f"{title}: {len(images)} {'grey' if grey else 'colour'} images of {size}: {kinds}."]
    if predictions is not None:
        words.append(f"{len(images) - len(wrong)} of {len(images)} predictions are right.")
        if wrong:
            listed = [f"image {i + 1}, {labels[i]} predicted as {predictions[i]}" for i in wrong]
            rest = f"; and {len(wrong) - 8} more" if len(wrong) > 8 else ""
            words.append(f"Wrong: {'; '.join(listed[:8])}{rest}.")
    return describe(fig, " ".join(words))


def embedding(
    points_2d,
    labels,
    class_names,
    *,
    xlabel="First component (no unit)",
    ylabel="Second component (no unit)",
    title="Embedding",
):
    """Draw points in the plane, one colour and one marker per class.

    Parameters
    ----------
    points_2d : array_like, shape (n, 2)
    labels : array_like, shape (n,)
        Numbers from 0, or names from `class_names`.
    class_names : list of str
        At most 10: there are ten markers.
    xlabel, ylabel, title : str

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If shapes do not match, a point is NaN, a label is no class, or there are too many classes.
    """
    points = check.as_array("points_2d", points_2d)
    names = check.class_names_checked(class_names, most=len(MARKERS))
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"points_2d must have shape (n, 2), got {points.shape}.")
    if np.isnan(points).any():
        raise ValueError("points_2d holds NaN; leave those points and their labels out.")
    numbers = check.class_numbers("labels", labels, names)
    if len(numbers) != len(points):
        raise ValueError(f"points_2d has {len(points)} points, but labels has {len(numbers)}.")
    check.label_with_unit("xlabel", xlabel)
    check.label_with_unit("ylabel", ylabel)

    fig, ax = figure("to be described below", figsize=(6.8, 4.4))
    size = 30 if len(points) <= 300 else 14
    present = [k for k in range(len(names)) if (numbers == k).any()]
    for k in present:
        style = {"color": COLORS[k % len(COLORS)], "marker": MARKERS[k]}
        x, y = points[numbers == k].T
        ax.scatter(x, y, s=size, alpha=0.75, linewidths=0, label=names[k], **style)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    fig.legend(loc="outside right upper", markerscale=1 if size == 30 else 1.5)

    sizes = ", ".join(f"{names[k]} {(numbers == k).sum()}" for k in present)
    ranges = [
        f"{number(low)} to {number(high)}"
        for low, high in zip(points.min(axis=0), points.max(axis=0), strict=True)
    ]
    words = (
        f"{title}: {check.count(len(points), 'point')} of {len(present)} "
        f"{'class' if len(present) == 1 else 'classes'} ({sizes}). {xlabel} from {ranges[0]}, "
        f"{ylabel} from {ranges[1]}."
    )
    return describe(fig, words + _separation(points, numbers, names, present))


def _separation(points, numbers, names, present):
    """Say how well the class centres separate the points, and which two are the closest."""
    if len(present) < 2:
        return ""
    centres = np.array([points[numbers == k].mean(axis=0) for k in present])
    distances = np.linalg.norm(points[:, None] - centres, axis=2)
    own = np.array(present)[distances.argmin(axis=1)] == numbers
    gaps = np.linalg.norm(centres[:, None] - centres, axis=2)
    np.fill_diagonal(gaps, np.inf)
    i, j = sorted(np.unravel_index(gaps.argmin(), gaps.shape))
    return (
        f" {number(100 * own.mean())} % of the points lie nearest to the centre of their own "
        f"class. Closest classes: {names[present[i]]} and {names[present[j]]}, centres "
        f"{number(gaps[i, j])} apart."
    )


def _texts(argument, values, expected):
    texts = [str(value) for value in np.asarray(values).ravel()]
    if len(texts) != expected:
        raise ValueError(f"images has {expected} images, but {argument} has {len(texts)} entries.")
    return texts


def _checked_images(images):
    """Return images as an array that can be drawn, grey ones without a channel axis."""
    images = np.asarray(images)
    if images.size == 0:
        raise ValueError("images is empty; there is nothing to draw.")
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim != 3 and not (images.ndim == 4 and images.shape[-1] == 3):
        hint = " Move the channel axis to the end." if images.ndim == 4 else ""
        hint = " For one image, pass images[None]." if images.ndim == 2 else hint
        raise ValueError(
            "images must have shape (n, height, width), (n, height, width, 1) or "
            f"(n, height, width, 3), got {images.shape}.{hint}"
        )
    if len(images) > MAX_IMAGES:
        raise ValueError(f"images has {len(images)} images; at most {MAX_IMAGES} can be seen.")
    if images.dtype == bool:
        return images.astype(float)
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise ValueError(
            f"images has type {images.dtype}; it must be uint8 (0 to 255) or float (0 to 1). "
            "Use images.astype('uint8') when the values are from 0 to 255."
        )
    if not np.isfinite(images).all():
        raise ValueError("images holds NaN or infinite values.")
    low, high = float(images.min()), float(images.max())
    if low < 0 or high > 1:
        raise ValueError(
            f"images holds floats from {low:g} to {high:g}; they must be from 0 to 1. Divide by "
            "255, or undo the normalisation."
        )
    return images.astype(float)
