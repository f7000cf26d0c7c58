"""Figures that carry a text alternative.

Every figure of the course is made here or with :func:`figure`. It is shown as a PNG image whose
metadata hold the alternative text, followed by a line that opens to the same words. They are read
from what is drawn, unless an author wrote better ones.
"""

from .charts import accuracy_by_labels, bars, confusion_matrix, heatmap, image_grid, learning_curves
from .guess import Guess, guess
from .style import COLORS, LINESTYLES, MARKERS, alt_text, describe, figure, to_png, use_style
from .tokens import token_table, token_widget
from .widget import interactive
