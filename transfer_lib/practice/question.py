"""Multiple-choice questions: clicked as a widget or answered with a letter."""

import hashlib
import tomllib
from pathlib import Path

from .. import show
from . import journal
from .exercise import Exercise, Verdict
from .reading import Wrong


class Question(Exercise):
    """A question with one right choice and feedback for each choice.

    The letters follow an order that the id and the choices' texts fix.

    Parameters
    ----------
    id : str
        As for `Exercise`.
    text : str
        The question.
    choices : list of dict
        Each with ``text`` and ``feedback``; the right one with ``right`` true.

    Attributes
    ----------
    choices : dict of str to tuple of str
        Letter to (choice, feedback on it).
    right : str
        The letter of the right choice.

    Raises
    ------
    ValueError
        If not exactly one of at least two choices is right, or one lacks its feedback.
    """

    def __init__(self, id, text, choices):
        if len(choices) < 2 or sum(choice.get("right", False) for choice in choices) != 1:
            raise ValueError(f"question {id!r} needs at least two choices, one of them right")
        if not all(choice.get("text") and choice.get("feedback") for choice in choices):
            raise ValueError(f"question {id!r}: every choice needs a text and its feedback")

        def drawn(choice):
            return hashlib.sha256(f"{id} {choice['text']}".encode()).digest()

        self.text, self.choices = text, {}
        for letter, choice in zip("abcdefgh", sorted(choices, key=drawn), strict=False):
            self.choices[letter] = choice["text"], choice["feedback"]
            if choice.get("right"):
                self.right = letter
        super().__init__(id, self._judge_choice, (), text)

    def _judge_choice(self, choice):
        letters = ", ".join(f'"{letter}"' for letter in self.choices)
        if not isinstance(choice, str):
            raise Wrong(f"Answer with a letter in quotes, one of {letters}.")
        given = choice.strip().strip("().").lower()
        by_text = {text.lower(): letter for letter, (text, _) in self.choices.items()}
        letter = given if given in self.choices else by_text.get(choice.strip().lower())
        if letter is None:
            raise Wrong(f"{choice!r} is not one of the choices; answer with one of {letters}.")
        if letter != self.right:
            raise Wrong(self.choices[letter][1])
        return self.choices[letter][1]

    def judge(self, *answers):
        """Return the verdict on a choice, without showing or recording it."""
        verdict = super().judge(*answers)
        if answers and answers[0] is ...:
            message = "Click a letter, or replace the `...` by it, in quotes."
            return Verdict(verdict.outcome, message)
        return verdict

    def ask(self, choice=...):
        """Show the question with buttons, and the verdict on ``choice`` below them."""
        verdict = self.judge(choice)
        journal.record(self.id, verdict.outcome)
        before = journal.load().get(self.id, journal.EMPTY)["guess"]
        reminder = f"<p>Before the lesson you answered {before}.</p>" if before else ""

        def answered(letter):
            clicked = self.judge(letter)
            journal.record(self.id, clicked.outcome)
            return f"{letter}) {clicked._repr_html_()}{reminder}"

        show.show(self)
        show.show_widget(self._buttons(verdict._repr_html_(), answered), repr(verdict))

    def guess(self):
        """Show the question before the lesson: an answer is kept, and judged when asked again."""

        def answered(letter):
            journal.record_guess(self.id, letter)
            return f"Noted: {letter}. You will be asked again at the end of the lesson."

        show.show(self)
        fallback = "(Run the cell in a notebook to answer with buttons.)"
        show.show_widget(self._buttons("", answered), fallback)

    def _buttons(self, text, answered):
        """Return a button for each letter, and below them what `answered` makes of a click."""
        import ipywidgets as widgets

        below = widgets.HTML(text)

        def click(button):
            below.value = answered(button.description)

        buttons = []
        for letter, (choice, _) in self.choices.items():
            button = widgets.Button(description=letter, tooltip=choice)
            button.layout.width = "4em"
            button.on_click(click)
            buttons.append(button)
        return widgets.VBox([widgets.HBox(buttons), below])

    def __repr__(self):
        lines = [f"  {letter}) {text}" for letter, (text, _) in self.choices.items()]
        return "\n".join([self.text, *lines])

    def _repr_html_(self):
        items = "".join(
            f"<li><strong>{letter})</strong> {show.code_spans(text)}</li>"
            for letter, (text, _) in self.choices.items()
        )
        return f'<p>{show.code_spans(self.text)}</p><ul style="list-style:none">{items}</ul>'


def read_questions(path: Path, number: str) -> dict:
    """Return name to `Question` from a file with one table for each question of a lesson."""
    rows = tomllib.loads(path.read_text("utf8")) if path.exists() else {}
    return {name: Question(f"{number}.{name}", **row) for name, row in rows.items()}
