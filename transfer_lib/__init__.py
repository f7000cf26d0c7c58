"""Helpers for the transfer learning course.

Importing this package loads neither Keras nor torch: :func:`setup` chooses the backend first.
"""

from importlib.metadata import PackageNotFoundError, version

from transfer_lib.session import Course, setup

try:
    __version__ = version("transfer-lib")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0+unknown"

__all__ = ["Course", "setup"]
