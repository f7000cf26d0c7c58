"""What the exercises share in which a learner names the faulty lines of a recipe."""

from transfer_lib.practice import Wrong, number


def judge(answer, faults, fine):
    """Raise Wrong unless the answer holds exactly the numbers of the faulty lines.

    Parameters
    ----------
    answer : iterable of int
    faults, fine : dict
        Line number to where to look again, and to why it is no fault.
    """
    if isinstance(answer, (str, bytes)) or not hasattr(answer, "__iter__"):
        raise Wrong("Give the four line numbers as a set, as in {1, 2, 3, 4}.")
    lines = {int(number(line, "a line number")) for line in answer}
    for line in sorted(lines):
        if line not in faults and line not in fine:
            raise Wrong(f"There is no line {line}.")
    for line in sorted(lines & set(fine)):
        raise Wrong(f"Line {line} has no fault. {fine[line]}")
    missing = sorted(set(faults) - lines)
    if missing:
        raise Wrong(
            f"{len(lines)} of {len(faults)}, all of them right. Look at {faults[missing[0]]} once "
            "more."
        )
