"""Checks that images are what a pretrained network expects, with errors that name the mistake.

Every ``preprocess_input`` of Keras takes pixels from 0 to 255 and trusts its caller.
:func:`check_pixels` looks at what goes in, :func:`check_preprocessed` at what a VGG16 gets.
"""

import numpy as np

# What VGG16's preprocess_input subtracts from 0..255: ImageNet's means, in the order BGR.
MEAN_BGR = np.array([103.939, 116.779, 123.68], np.float32)
# The other two habits: MobileNet's and InceptionV3's -1..1, and torchvision's (x - mean) / std.
SCALED = (("-1 to 1", -1.0, 1.0), ("mean and deviation", -2.2, 2.7))
SAMPLE = 20_000  # pixels that are looked at for whole numbers


class PreprocessingError(ValueError):
    """Images are not what the network expects.

    Attributes
    ----------
    mistake : str
        Which mistake it is: ``"channels"``, ``"not finite"``, ``"0 to 1"``, ``"-1 to 1"``,
        ``"mean and deviation"``, ``"RGB for BGR"``, ``"normalised twice"``,
        ``"not preprocessed"`` or ``"range"``.
    """

    def __init__(self, mistake: str, message: str):
        super().__init__(message)
        self.mistake = mistake


def check_pixels(x, data_format="channels_last"):
    """Raise a `PreprocessingError` unless `x` holds pixels: three channels, 0 to 255.

    It suits every backbone whose ``preprocess_input`` takes raw pixels.

    Parameters
    ----------
    x : array or tensor, shape (n, height, width, 3) or (height, width, 3)
        One image or a batch. Of a symbolic tensor only the shape is checked.
    data_format : {"channels_last", "channels_first"}
        Where the channels are.
    """
    values = _values(x, data_format)
    if values is None:
        return
    low, high = float(values.min()), float(values.max())
    seen = f"Values run from {low:.4g} to {high:.4g}; expected are pixels from 0 to 255. "
    if low >= 0 and 0 < high <= 1:
        raise PreprocessingError(
            "0 to 1",
            seen + "They were scaled to 0 to 1: multiply by 255, or leave out what scaled them "
            "(img_as_float, Rescaling(1/255), ToTensor).",
        )
    if low < 0:
        _raise_if_scaled(low, high, seen)
        if low >= -MEAN_BGR.max() and high <= 255 - MEAN_BGR.min():
            raise PreprocessingError(
                "normalised twice",
                seen + "They went through preprocess_input already, and it must run only once.",
            )
    if low < 0 or high > 255:
        raise PreprocessingError(
            "range",
            seen + "Clip what a resize overshot (np.clip(x, 0, 255)); divide 16-bit images by 257.",
        )


def check_preprocessed(x, data_format="channels_last"):
    """Raise a `PreprocessingError` if `x` cannot be what VGG16's ``preprocess_input`` returns.

    Adding the means back must give pixels. Where it does not, other means are tried: those in
    the order RGB, both orders, the same twice, none. A wrong order or a second subtraction shows
    where a pixel is dark or bright enough, and always where pixels were whole numbers, for the
    three means have different decimals. What no check of values can see: photographs that were
    BGR before a right ``preprocess_input``.

    Parameters
    ----------
    x : array or tensor, shape (n, height, width, 3) or (height, width, 3)
        What is about to be given to a VGG16. Of a symbolic tensor only the shape is checked.
    data_format : {"channels_last", "channels_first"}
        Where the channels are.
    """
    values = _values(x, data_format)
    if values is None or values.min() == values.max():
        return
    low, high = values.min(axis=0), values.max(axis=0)  # of each channel
    seen = f"Values run from {low.min():.4g} to {high.max():.4g}. "
    advice = " Call preprocess_input once, on RGB pixels from 0 to 255."
    if low.min() >= 0 and high.max() <= 1:
        raise PreprocessingError("0 to 1", f"{seen}These are pixels scaled to 0 to 1.{advice}")
    _raise_if_scaled(low.min(), high.max(), seen)
    if (low + MEAN_BGR).min() > -0.01 and 0.01 < (high + MEAN_BGR).max() < 1.01:
        raise PreprocessingError(
            "0 to 1", f"{seen}The means were subtracted from pixels scaled to 0 to 1.{advice}"
        )
    candidates = (
        (None, MEAN_BGR, ""),
        ("RGB for BGR", MEAN_BGR[::-1], "The channels are in the order RGB, and VGG16 takes BGR."),
        ("normalised twice", MEAN_BGR + MEAN_BGR[::-1], "preprocess_input ran twice."),
        ("normalised twice", 2 * MEAN_BGR, "The means were subtracted twice."),
        ("not preprocessed", 0 * MEAN_BGR, "These are raw pixels."),
    )
    possible = [c for c in candidates if _in_range(low + c[1]) and _in_range(high + c[1])]
    exact = [c for c in possible if _whole(values[:SAMPLE] + c[1])]
    if not possible:
        raise PreprocessingError("range", f"{seen}No means added back make pixels of this.{advice}")
    mistake, _, words = (exact or possible)[0]
    if mistake is not None:
        raise PreprocessingError(mistake, seen + words + advice)


def _in_range(values):
    return bool(values.min() > -0.01 and values.max() < 255.01)


def _whole(values):
    return bool(np.abs(values - np.round(values)).max() < 0.01)


def _raise_if_scaled(low, high, seen):
    """Raise if all values are small: made for another family of networks."""
    for mistake, least, most in SCALED:
        if low >= least and high <= most:
            raise PreprocessingError(
                mistake,
                f"{seen}They were normalised for another network ({mistake}): "
                "use the preprocess_input of the network that you call, on pixels from 0 to 255.",
            )


def _values(x, data_format):
    """Return the values as (pixels, 3) float32, or None where they are not known yet."""
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f"data_format={data_format!r}; 'channels_last' or 'channels_first'.")
    axis = -1 if data_format == "channels_last" else -3
    shape = tuple(x.shape)
    if len(shape) not in (3, 4) or shape[axis] != 3:
        raise PreprocessingError(
            "channels",
            f"The shape {shape} is not that of images with three channels "
            f"{data_format.split('_')[1]}. Repeat a grey image three times "
            "(np.repeat(x[..., None], 3, -1)); drop a fourth channel, alpha (x[..., :3]).",
        )
    if not isinstance(x, np.ndarray):
        x = _concrete(x)
    if x is None or x.size == 0:
        return None
    values = np.moveaxis(np.asarray(x, np.float32), axis, -1).reshape(-1, 3)
    if not np.isfinite(values).all():
        raise PreprocessingError("not finite", "The images hold NaN or infinite values.")
    return values


def _concrete(x):
    """Return the NumPy values of a tensor, or None for one that has only a shape as yet."""
    import keras

    if isinstance(x, keras.KerasTensor):
        return None
    try:
        return keras.ops.convert_to_numpy(x)
    except (TypeError, NotImplementedError, AttributeError):  # inside a compiled function
        return None
