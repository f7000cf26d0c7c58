"""For the tests of the doctor: the names of a finding's status, and a look at a single finding."""

from transfer_lib.doctor import Status

OK, WARNING, FAILED, SKIPPED = Status.OK, Status.WARNING, Status.FAILED, Status.SKIPPED


def only(findings, status):
    """Return the one finding, after checking its status and that it advises when not ok."""
    (finding,) = findings
    assert finding.status is status, finding
    assert bool(finding.fix) is (status is not OK)
    return finding
