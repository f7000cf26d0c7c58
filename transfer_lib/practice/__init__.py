"""The practice of a lesson: exercises and questions that judge an answer and say what is wrong.

``exercise`` makes one from a judging function, `Formula` one from a right expression and a table
of wrong ones. What a learner does is kept by `journal`.
"""

from .exercise import Exercise, Outcome, Verdict, answer_text, exercise
from .formula import Formula
from .question import Question
from .reading import LearnerError, NotAttempted, Wrong, array, call, close, number
