"""How nbval runs the notebooks: an empty home each, no network, quick profile, strict claims."""

import os
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

ROOT = Path(__file__).resolve().parent
NOT_COMPARED = ("stderr", "text/html", "image/svg+xml")
"""Warnings of libraries; HTML repeats the plain text, which is compared."""

THREADS = {"OMP_WAIT_POLICY": "PASSIVE"}  # as transfer_lib.setup does, see there
if "PYTEST_XDIST_WORKER" in os.environ:  # two workers on two cores
    THREADS["OMP_NUM_THREADS"] = "1"
session = pytest.MonkeyPatch()
for name in THREADS.keys() - os.environ.keys():  # now, for NumPy reads them when it is imported
    session.setenv(name, THREADS[name])


def pytest_unconfigure():
    session.undo()


def pytest_collectstart(collector):
    if isinstance(collector, IPyNbFile):
        collector.skip_compare += NOT_COMPARED


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item):
    if not isinstance(item, IPyNbCell):
        return (yield)
    with pytest.MonkeyPatch.context() as patch:  # the kernel starts with the first cell, inside
        home = item.config._tmp_path_factory.getbasetemp() / item.parent.path.name
        patch.setenv("TRANSFER_LIB_HOME", str(home))
        patch.setenv("TRANSFER_LIB_STRICT", "1")
        patch.setenv("TRANSFER_LIB_PROFILE", "quick")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "tests/offline"), str(ROOT)]))
        patch.delenv("TRANSFER_LIB_SEED", raising=False)
        return (yield)
