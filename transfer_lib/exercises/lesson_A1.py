"""Exercise of the appendix: which way for which project."""

import difflib

from transfer_lib.practice import NotAttempted, Wrong, exercise

WAYS = {
    "features": "a pretrained network, frozen, and a small classifier on its features",
    "fine-tune": "a pretrained network, trained further at a low rate",
    "sentences": "classes put into words, compared with the input",
    "adapt": "unlabelled target data, moments aligned or information maximised",
    "label": "some labels of the target first, then decide",
    "nothing": "a network trained from nothing, beside a pretrained one",
    "map": "a mapping learned from those who are in both domains, as a prior",
    "stop": "no transfer and no training: say so to the owner",
}
"""The ways by their short names."""

PROJECTS = {
    "leaves": (
        "features",
        {
            "fine-tune": "With five photographs per leaf, training all of a large network costs "
            "more than it brings, and the recipe that is passed around fails (lesson 05).",
            "nothing": "Eight times five photographs teach a network from nothing very little "
            "(lesson 00).",
        },
    ),
    "archive": (
        ("fine-tune", "nothing"),  # they tie: lesson 16
        {
            "features": "The network reads print, this is handwriting: frozen features hold on to "
            "print. With labels for it, train on at a low rate (lessons 03 and 14).",
            "adapt": "There are a hundred labels. Adapting is for those who have none (lesson 10).",
        },
    ),
    "desk": (
        "sentences",
        {
            "label": "In a day it could be done; but it has to run this afternoon, and the topics "
            "have names. What can be put into words needs no label (lesson 13).",
            "adapt": "Adaptation needs a source with the same classes. There is none; but the "
            "classes have names (lesson 13).",
        },
    ),
    "camera": (
        "adapt",
        {
            "stop": "Same classes, same shares, near domains: this is what adaptation without "
            "labels can do (lesson 10).",
            "fine-tune": "On which labels? There are none of the new camera.",
            "label": "Labels would help, and nobody can make any here. The wishes of adaptation "
            "hold: same classes, same shares (lesson 10).",
        },
    ),
    "ward": (
        "label",
        {
            "adapt": "The shares of the classes differ, so aligning pulls the rare ones to where "
            "the common ones are, and nothing tells you (lesson 10). Twenty labels do.",
            "fine-tune": "On which labels? Get some first: they also tell whether it worked.",
            "features": "A classifier needs labels, too. Get some first.",
        },
    ),
    "factory": (
        "nothing",
        {
            "fine-tune": "Perhaps. But with 200,000 labels the gain may be zero (lesson 03), and "
            "the small network costs less to run (lesson 12). Train one from nothing beside it.",
            "features": "Frozen features are for few labels. Here the images speak for themselves.",
        },
    ),
    "shop": (
        "map",
        {
            "fine-tune": "One table with one taste for each is pooling: where tastes differ, it "
            "harms (lesson 15). Learn from those in both how much carries over.",
            "label": "Each rating is a label, and the newcomers have none yet. What says anything "
            "before the first (lesson 15)?",
        },
    ),
    "weeks": (
        "stop",
        {
            "fine-tune": "It learns by heart and stays at chance (lesson 14, patient 9).",
            "features": "The features hold what pictures show. The week is not in them (lesson "
            "14).",
            "label": "There are labels enough; they have nothing to do with the images (lesson "
            "14).",
        },
    ),
}  # fmt: skip
"""Name to the way that is right, or to several, and the words for some that are not."""


def _ways(best):
    return (best,) if isinstance(best, str) else best


@exercise(
    "A1.plan",
    hints=[
        "Ask of each: are there labels of the target? Is there a source with the same classes? "
        "Does an image hold what the label says?",
        "Two have no label of the target and the same classes as the source. Do the shares of the "
        "classes differ?",
        "`leaves` features, `archive` fine-tune, `desk` sentences, `factory` nothing; the other "
        "four are in lessons 10, 14 and 15.",
    ],
)
def plan(answer):
    """Choose a way for each of the eight projects."""
    try:
        given = dict(answer)
    except (TypeError, ValueError):
        raise Wrong("Give a dict: the name of a project, and the name of a way.") from None
    if not given:
        raise NotAttempted
    missing = [name for name in PROJECTS if name not in given]
    if missing:
        raise Wrong(f"There is no way yet for {', '.join(missing)}.")
    right, first = 0, None
    for name, (best, words) in PROJECTS.items():
        way = given[name]
        if way not in WAYS:
            near = difflib.get_close_matches(str(way), WAYS, 1)
            told = f" Did you mean {near[0]!r}?" if near else ""
            raise Wrong(f"{way!r}, for {name}, is none of {', '.join(WAYS)}.{told}")
        right += way in _ways(best)
        if way not in _ways(best) and first is None:
            first = f"`{name}`, {way!r}: " + words.get(
                way, "look at what the project has: labels, a source, the same classes?"
            )
    if first:
        raise Wrong(f"{right} of {len(PROJECTS)} are as the lessons found. {first}")
    return "Eight projects; what decides is what is there: labels, classes, shares."
