"""Pictures of the learner's own: a folder of them, or one from an upload button.

``own = images.read_folder("photos")`` reads ``photos/CLASS/picture.jpg`` and splits it without a
leak; ``print(own.report)`` says what was left out and why. ``images.upload_button(show)`` hands
one picture to the function ``show``.
"""

from .folder import ImageFolder, Skipped, read_folder
from .upload import PictureError, read_picture, upload_button

__all__ = [
    "ImageFolder",
    "PictureError",
    "Skipped",
    "read_folder",
    "read_picture",
    "upload_button",
]
