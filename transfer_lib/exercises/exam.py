"""Before and after the course: twelve topics, each asked twice in other words.

T1 asks before the course and judges nothing; T2 asks after it. ``table()`` puts both side by side,
with the lesson to go back to.
"""

from transfer_lib import exercises, show
from transfer_lib.practice import journal

TOPICS = {
    "kinds": ("domain and task", "01"),
    "losses": ("two losses, one total", "02"),
    "gain": ("what a gain stands against", "16"),
    "layers": ("layers and the untrained twin", "04"),
    "tuning": ("freezing and fine-tuning", "05"),
    "text": ("vectors of texts", "06"),
    "leak": ("an honest test", "14"),
    "harm": ("negative transfer", "15"),
    "align": ("aligning domains", "10"),
    "choose": ("choosing a network", "11"),
    "small": ("small and cheap", "12"),
    "memory": ("few labels, and forgetting", "13"),
}
"""Name of the question in both forms to its topic and its lesson."""


def results() -> dict:
    """Return for each topic if the answer before, and the first one after, were right, or None."""
    kept = journal.load()
    before = vars(exercises.of("T1"))
    found = {}
    for name in TOPICS:
        guess = kept.get(f"T1.{name}", journal.EMPTY)["guess"]
        row = kept.get(f"T2.{name}", journal.EMPTY)
        first = row["outcome"] == "right" and row["attempts"] == 1 if row["attempts"] else None
        found[name] = (guess == before[name].right if guess else None, first)
    return found


def table() -> show.Table:
    """Return what was right before and after, topic by topic."""
    words = {True: "right", False: "not yet", None: "not answered"}
    found = results()
    rows = [
        (TOPICS[name][0], words[before], words[after], f"lesson {TOPICS[name][1]}")
        for name, (before, after) in found.items()
    ]
    sums = [sum(pair[i] is True for pair in found.values()) for i in (0, 1)]
    title = f"Before the course {sums[0]} of {len(TOPICS)}, after it {sums[1]}"
    return show.Table(title, [("topic", "before", "after, first answer", "more in"), *rows])
