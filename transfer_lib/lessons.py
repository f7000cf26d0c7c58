"""The lessons of the course: one table that the set-up, the lesson map and the README share."""

from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes
    ----------
    number : str
        Two digits, ``"03"``.
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
    Lesson(
        "01",
        "01_concepts",
        "What transfers: domains, tasks and four ways to carry knowledge",
        60,
        "none",
        "Python, NumPy arrays",
    ),
    Lesson(
        "02",
        "02_loss_mathematics",
        "The mathematics of transfer losses, proved in code",
        75,
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
    Lesson("04", "04_vgg16_features", "VGG16: features", 60, "keras", "Lesson 03"),
    Lesson(
        "05",
        "05_vgg16_finetuning",
        "VGG16: heads, fine-tuning, fusion",
        60,
        "keras",
        "Lesson 04",
    ),
    Lesson(
        "06",
        "06_bert_classifier",
        "BERT: from text to a classifier",
        60,
        "torch",
        "Lesson 03; a little PyTorch helps",
    ),
    Lesson(
        "07",
        "07_bert_own_texts",
        "BERT: what goes wrong, and your own texts",
        60,
        "torch",
        "Lesson 06",
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
