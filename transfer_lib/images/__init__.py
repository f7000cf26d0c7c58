"""Pictures of the learner's own: a folder of them, one file, or one from an upload button.

``own = images.read_folder("photos")`` reads ``photos/CLASS/picture.jpg`` and splits it;
``print(own.report)`` says what was left out and why. ``images.upload_button(show)`` hands one
picture to the function ``show``.
"""

from .files import MAX_BYTES, PictureError, check_pixels, read_picture
from .folder import read_folder
from .upload import BUTTON_BYTES, upload_button
