"""The lessons of the course: one table that the set-up, the lesson map and the README share."""

from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes
    ----------
    number : str
        Two characters: ``"03"``, or ``"A1"`` for an appendix.
    name : str
        The file name without its ending, ``"03_mnist_pretrain_finetune"``.
    title : str
        The title in words.
    minutes : int
        Time to work through it, exercises included.
    engine : str
        What it computes with: ``"none"``, ``"keras"`` or ``"torch"`` (with transformers).
    needs : str
        What to know before it.
    """

    number: str
    name: str
    title: str
    minutes: int
    engine: str
    needs: str


LESSONS = (
    Lesson("00", "00_start_here", "Start here", 10, "none", "Python"),
    Lesson("01", "01_what_transfers", "What transfers", 50, "none", "Python, NumPy arrays"),
    Lesson(
        "02",
        "02_two_losses",
        "Two losses, one total",
        60,
        "keras",
        "Python, NumPy arrays, derivatives, matrices and eigenvectors",
    ),
    Lesson(
        "03",
        "03_mnist_pretrain_finetune",
        "Pretrain, transfer, fine-tune: handwritten digits",
        60,
        "keras",
        "Python, NumPy arrays, what a neural network is",
    ),
    Lesson("04", "04_vgg16_features", "VGG16 as a feature extractor", 90, "keras", "Lesson 03"),
    Lesson(
        "05",
        "05_bert_text",
        "BERT: text classification by fine-tuning",
        90,
        "torch",
        "Lesson 03; a little PyTorch helps",
    ),
    Lesson("08", "08_four_ways", "Four ways to carry knowledge", 60, "none", "Lesson 01"),
    Lesson(
        "09",
        "09_aligning_domains",
        "Aligning domains: the mathematics",
        55,
        "none",
        "Lesson 02",
    ),
    Lesson(
        "A1",
        "A1_fields_and_questions",
        "Fields of application and frequent questions",
        15,
        "none",
        "Lesson 01",
    ),
)


def get(number: str) -> Lesson:
    """Return the lesson with this number.

    Raises
    ------
    KeyError
        If there is no such lesson; the message lists those that there are.
    """
    for lesson in LESSONS:
        if number in (lesson.number, lesson.name):
            return lesson
    known = ", ".join(lesson.number for lesson in LESSONS)
    raise KeyError(f"there is no lesson {number!r}; the lessons are {known}")


def exercises(number: str) -> dict:
    """Return the exercises and questions of a lesson, name to object, in their order."""
    from transfer_lib.checking import Exercise

    module = import_module(f"transfer_lib.exercises.lesson_{get(number).number}")
    return {name: value for name, value in vars(module).items() if isinstance(value, Exercise)}


def markdown_map(folder="") -> str:
    """Return the map of lessons as a Markdown table, with links into ``folder``."""
    lines = ["| Lesson | Minutes | You need |", "|---|---|---|"]
    for lesson in LESSONS:
        link = f"[{lesson.number}. {lesson.title}]({folder}{lesson.name}.ipynb)"
        lines.append(f"| {link} | {lesson.minutes} | {lesson.needs} |")
    return "\n".join(lines)
