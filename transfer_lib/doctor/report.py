"""What the doctor says: findings, and how a list of them is shown."""

import html
import json
from dataclasses import asdict, dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"  # all works, but not as well as it could
    FAILED = "failed"  # something in a lesson will not work
    SKIPPED = "skipped"  # not checked, by choice or for want of something


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes
    ----------
    name : str
        What was checked.
    status : Status
    message : str
        What was found.
    fix : str
        What to do; empty only when the status is ok.
    """

    name: str
    status: Status
    message: str
    fix: str = ""

    def __post_init__(self):
        if self.status is not Status.OK and not self.fix:
            raise ValueError(f"the finding {self.name!r} is {self.status} but says no fix")


@dataclass(frozen=True)
class Report:
    """All findings; text when printed, a table in a notebook.

    Attributes
    ----------
    findings : tuple of Finding
        In the order of the checks.
    """

    findings: tuple[Finding, ...]

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The findings with status failed."""
        return tuple(finding for finding in self.findings if finding.status is Status.FAILED)

    @property
    def ready(self) -> bool:
        """True when nothing failed."""
        return not self.failed

    @property
    def exit_code(self) -> int:
        """0 when nothing failed, else 1."""
        return 0 if self.ready else 1

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each status."""
        statuses = [finding.status for finding in self.findings]
        return {status.value: statuses.count(status) for status in Status}

    @property
    def summary(self) -> str:
        """One line, the same on every machine where nothing failed."""
        if self.ready:
            return "This machine is ready for the course: no check failed."
        names = ", ".join(finding.name for finding in self.failed)
        return f"This machine is not ready yet. Failed: {names}."

    def to_json(self) -> str:
        """Return the report as JSON: ``ready``, ``counts`` and the list ``findings``."""
        content = {
            "ready": self.ready,
            "counts": self.counts,
            "findings": [asdict(finding) for finding in self.findings],
        }
        return json.dumps(content, indent=2)

    def __str__(self):
        status_width = max(len(status) for status in Status)
        name_width = max((len(finding.name) for finding in self.findings), default=0)
        indent = " " * (status_width + name_width + 4)
        lines = []
        for finding in self.findings:
            lines.append(
                f"{finding.status:<{status_width}}  {finding.name:<{name_width}}  {finding.message}"
            )
            if finding.fix:
                lines.append(f"{indent}To do: {finding.fix}")
        return "\n".join([*lines, "", self._count_line(), self.summary])

    __repr__ = __str__

    def _repr_html_(self):
        from transfer_lib.feedback import code_spans

        left = ' style="text-align:left; vertical-align:top"'
        head = "".join(
            f'<th scope="col"{left}>{title}</th>'
            for title in ("Status", "Check", "Found", "What to do")
        )
        rows = "".join(
            f"<tr><td{left}>{_emphasised(finding.status)}</td>"
            f'<th scope="row"{left}>{html.escape(finding.name)}</th>'
            f"<td{left}>{code_spans(finding.message)}</td>"
            f"<td{left}>{code_spans(finding.fix)}</td></tr>"
            for finding in self.findings
        )
        return (
            f"<p><strong>{html.escape(self.summary)}</strong> {self._count_line()}</p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )

    def _count_line(self):
        parts = ", ".join(f"{count} {status}" for status, count in self.counts.items())
        return f"{len(self.findings)} findings: {parts}."


def _emphasised(status):
    return status.value if status is Status.OK else f"<strong>{status.value}</strong>"


def ok(name, message):
    """Return a finding with nothing to do."""
    return Finding(name, Status.OK, message)


def warning(name, message, fix):
    """Return a finding on something that works, but not as well as it could."""
    return Finding(name, Status.WARNING, message, fix)


def failed(name, message, fix):
    """Return a finding that something in a lesson will not work."""
    return Finding(name, Status.FAILED, message, fix)


def skipped(name, message, fix):
    """Return a finding for a check that was not made."""
    return Finding(name, Status.SKIPPED, message, fix)
