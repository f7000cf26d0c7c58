"""The doctor's report as a whole: its three forms, exit codes, checks that crash, a run in time."""

import errno
import json
import socket
import subprocess
import sys
import time

import pytest
from doctor_findings import FAILED, OK, SKIPPED, WARNING

from transfer_lib import doctor
from transfer_lib.doctor import Finding, Report, Status, machine, network, software

pytestmark = pytest.mark.usefixtures("bare_machine")
REPORT = Report(
    (
        Finding("Python", OK, "3.11.9"),
        Finding("memory", WARNING, "1 GB & less", "Run `free -h`, then close <things>."),
        Finding("package numpy", FAILED, "1.26 is too old", "Run pip."),
        Finding("network", SKIPPED, "not asked", "Ask."),
    )
)
READY = Report(REPORT.findings[:2])


def test_a_finding_that_is_not_ok_must_say_what_to_do():
    with pytest.raises(ValueError, match="says no fix"):
        Finding("memory", WARNING, "little")


def test_report_as_text_is_aligned():
    lines = str(REPORT).splitlines()
    assert lines[0] == "ok       Python         3.11.9"
    assert lines[1] == "warning  memory         1 GB & less"
    assert lines[2] == " " * 24 + "To do: Run `free -h`, then close <things>."
    assert lines[-2] == "4 findings: 1 ok, 1 warning, 1 failed, 1 skipped."
    assert lines[-1] == REPORT.summary
    assert repr(REPORT) == str(REPORT)
    assert str(REPORT).isascii()  # an old Windows console shows it, too


def test_summary_is_the_same_wherever_nothing_failed():
    assert READY.summary == Report(READY.findings[:1]).summary
    assert REPORT.summary == "This machine is not ready yet. Failed: package numpy."


def test_report_as_html():
    text = REPORT._repr_html_()
    for status in Status:
        assert f">{status}<" in text
    assert "1 GB &amp; less" in text
    assert "<code>free -h</code>, then close &lt;things&gt;." in text
    assert 'scope="row"' in text
    assert "color" not in text
    assert "background" not in text


def test_report_as_json():
    content = json.loads(REPORT.to_json())
    assert list(content) == ["ready", "counts", "findings"]
    assert content["ready"] is False
    assert content["counts"] == {"ok": 1, "warning": 1, "failed": 1, "skipped": 1}
    assert content["findings"][0] == {
        "name": "Python",
        "status": "ok",
        "message": "3.11.9",
        "fix": "",
    }
    assert len(content["findings"]) == 4


@pytest.mark.parametrize(("report", "code"), [(READY, 0), (REPORT, 1)])
def test_exit_code_and_options(monkeypatch, capsys, report, code):
    asked = []

    def examine(**options):
        asked.append(options)
        return report

    monkeypatch.setattr(doctor, "examine", examine)
    assert doctor.main(["--json", "--no-torch"]) == code
    assert json.loads(capsys.readouterr().out)["ready"] is (code == 0)
    assert doctor.main(["--no-network"]) == code
    assert report.summary in capsys.readouterr().out
    assert asked == [{"network": True, "torch": False}, {"network": False, "torch": True}]


def test_unknown_option_is_refused(capsys):
    with pytest.raises(SystemExit) as error:
        doctor.main(["--jsn"])
    assert error.value.code == 2
    assert "--jsn" in capsys.readouterr().err


def test_a_check_that_crashes_is_a_finding(monkeypatch):
    def crash(*args):
        raise ZeroDivisionError("a bug")

    def crash_late():
        yield Finding("disk", OK, "9 GB")
        crash()

    monkeypatch.setattr(software, "check_python", crash)
    monkeypatch.setattr(machine, "check_disk", crash_late)
    monkeypatch.setattr(network, "start", crash)
    report = doctor.examine(torch=False)
    crashed = [finding for finding in report.findings if "could not check" in finding.message]
    assert [finding.name for finding in crashed] == ["Python", "disk", "network"]
    assert all(finding.status is WARNING and finding.fix for finding in crashed)
    assert "ZeroDivisionError: a bug" in crashed[0].message
    assert Finding("disk", OK, "9 GB") in report.findings
    assert "a bug" in crashed[2].message


def test_whole_run_offline_in_time(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    began = time.monotonic()
    report = doctor.examine(torch=False)
    assert time.monotonic() - began < 8
    names = [finding.name for finding in report.findings]
    assert {"Python", "Keras backend", "accelerator", "memory", "disk", "cache"} <= set(names)
    assert not [finding for finding in report.findings if "could not check" in finding.message]
    (finding,) = [finding for finding in report.findings if finding.name == "network"]
    assert finding.status is WARNING


def test_command_without_network_or_torch_loads_nothing_heavy():
    code = (
        "import sys\nfrom transfer_lib.doctor import main\n"
        "code = main(['--json', '--no-network', '--no-torch'])\n"
        "print([m for m in ('torch', 'keras', 'matplotlib', 'sklearn') if m in sys.modules],"
        " file=sys.stderr)\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["ready"] else 1)
    assert done.stderr.strip() == "[]"
