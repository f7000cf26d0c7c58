"""The doctor: is this machine ready for the course, and if not, what helps?

``python -m transfer_lib doctor`` in a terminal, or in a notebook::

    from transfer_lib import doctor

    doctor.examine()

It changes nothing on the machine, and sends nothing but one HEAD request to each download host.
"""

import argparse

from transfer_lib.doctor import machine, network, software
from transfer_lib.doctor.report import Finding, Report, Status

__all__ = ["Finding", "Report", "Status", "examine", "main"]


def examine(*, network=True, torch=True) -> Report:
    """Examine this machine.

    Parameters
    ----------
    network : bool
        Ask the download hosts whether they answer, for at most four seconds.
    torch : bool
        Import torch to see which device it computes on; this takes a few seconds.

    Returns
    -------
    Report
        One finding or more for each check. A check that crashes becomes a finding too.
    """
    hosts = _start_network(network)
    findings = []
    for name, check in [
        ("Python", software.check_python),
        ("packages", software.check_packages),
        ("Keras backend", software.check_backend),
        ("Keras settings", software.check_keras_settings),
        ("accelerator", lambda: machine.check_accelerator(torch)),
        ("memory", machine.check_memory),
        ("disk", machine.check_disk),
        ("front end", software.check_front_end),
        ("widgets", software.check_widgets),
        ("cache", machine.check_cache),
        ("cached files", machine.check_cached_files),
        ("progress", machine.check_progress),
        ("variables", machine.check_variables),
        ("network", hosts),
    ]:
        findings += _guarded(name, check)
    return Report(tuple(findings))


def main(argv=None) -> int:
    """Examine the machine, print the report; return 1 when a check failed and 0 otherwise."""
    parser = argparse.ArgumentParser(
        prog="python -m transfer_lib doctor",
        description="Say whether this machine is ready for the course, and what helps if not.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("--no-network", action="store_true", help="do not ask download hosts")
    parser.add_argument("--no-torch", action="store_true", help="do not import torch")
    options = parser.parse_args(argv)
    report = examine(network=not options.no_network, torch=not options.no_torch)
    print(report.to_json() if options.json else report)
    return report.exit_code


def _start_network(wanted):
    """Start the requests at once, so that they run while the other checks do."""
    try:
        return network.start(wanted)
    except Exception as error:
        message = str(error)

        def crashed():
            raise RuntimeError(message)

        return crashed


def _guarded(name, check):
    """Return what a check finds; keep what it found before it crashed, if it does."""
    found = []
    try:
        found.extend(check())
    except Exception as error:
        found.append(
            Finding(
                name,
                Status.WARNING,
                f"could not check: {type(error).__name__}: {error}",
                "The other checks stand on their own. If a lesson stops here too, report this "
                "line to the authors of the course.",
            )
        )
    return found
