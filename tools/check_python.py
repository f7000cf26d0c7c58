"""Say plainly when this Python cannot run the course. Runs on any Python 3."""

import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.exit(
        "The course needs Python 3.11, 3.12 or 3.13; this is Python %d.%d.\n"
        "Install one of these, then name it: make setup PYTHON=python3.12" % sys.version_info[:2]
    )
try:
    import ensurepip  # noqa: F401
    import venv  # noqa: F401
except ImportError:
    sys.exit("This Python has no venv module. On Debian and Ubuntu: apt-get install python3-venv")
