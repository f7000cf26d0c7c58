"""Exercises of appendix A1."""

from transfer_lib.exercises import lesson_A1_questions

# The questions, after the exercises.
q_few = lesson_A1_questions.q_few
