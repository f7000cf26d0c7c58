"""How nbval runs the notebooks: an empty home each, no network, quick profile, strict claims."""

import os
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as transfer_lib.setup does, see there

ROOT = Path(__file__).resolve().parent
NOT_COMPARED = ("stderr", "text/html", "image/svg+xml")
"""Warnings of libraries; HTML repeats the plain text, which is compared."""


def pytest_collectstart(collector):
    if isinstance(collector, IPyNbFile):
        collector.skip_compare += NOT_COMPARED


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if isinstance(item, IPyNbCell):  # the kernel starts with the first cell and inherits this
        home = item.config._tmp_path_factory.getbasetemp() / item.parent.path.name
        home /= item.parent.path.parent.name
        os.environ |= {
            "TRANSFER_LIB_HOME": str(home),
            "TRANSFER_LIB_STRICT": "1",
            "TRANSFER_LIB_PROFILE": "quick",
            "PYTHONPATH": os.pathsep.join([str(ROOT / "tests/offline"), str(ROOT)]),
        }
        os.environ.pop("TRANSFER_LIB_SEED", None)
