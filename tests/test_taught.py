"""What the lessons keep: written from the cells tagged ``keep``, whole, formatted, importable."""

import importlib

import pytest

import cells
import taught

SOURCE = '''# %% [markdown] needs="Python" engine="none"
# # 00. A "first" transfer

# %% tags=["keep"]
import math
import os
from math import pi

import numpy as np

LIMIT, SIDE = 10, 28
model = np.ones(3)

# %% tags=["keep"]
# Said above the function.
def area(radius, scale=LIMIT):
    """Return the area."""
    return [scale * pi * np.square( r ) for r in radius]


area([1]);

# %% exercise="00.half" tags=["keep"]
class Half:
    ### BEGIN SOLUTION
    share = 1 / 2
    ### END SOLUTION


ex.half.check(Half)

# %%
def shown_only():
    return model
'''

BUILT = '''"""Lesson 00, A "first" transfer: its cells tagged `keep`, built."""

from math import pi

import numpy as np

LIMIT, SIDE = 10, 28


# Said above the function.
def area(radius, scale=LIMIT):
    """Return the area."""
    return [scale * pi * np.square(r) for r in radius]


class Half:
    share = 1 / 2
'''


@pytest.fixture
def write(tmp_path, monkeypatch):
    """A course of one lesson, whose text a test writes."""
    (tmp_path / "course").mkdir()
    pyproject = (cells.ROOT / "pyproject.toml").read_text("utf8")
    (tmp_path / "pyproject.toml").write_text(pyproject, "utf8")
    monkeypatch.setattr(cells, "ROOT", tmp_path)

    def write(text):
        path = tmp_path / "course/00_first_transfer.py"
        path.write_text(text, "utf8")
        return path

    return write


def test_kept_are_imports_functions_classes_and_constants_answers_in(write):
    assert taught.module(write(SOURCE)) == BUILT


def test_a_lesson_that_keeps_nothing_has_no_module(write):
    path = write(SOURCE.replace(' tags=["keep"]', ""))
    assert taught.module(path) == ""
    assert [file.name for file in taught.files()] == ["__init__.py"]
    folder = cells.ROOT / "transfer_lib/taught"
    folder.mkdir(parents=True)
    (folder / "lesson_00.py").write_text("")
    assert taught.stale() == [folder / "lesson_00.py"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("np.square( r )", "model[ r ]", "needs model, which no kept cell defines"),
        ("import numpy as np\n", "", "needs np"),
        ("class Half", "class area", "area is kept twice"),
        ("area([1]);", "area([1)", "no Python"),
    ],
)
def test_what_cannot_stand_alone_is_refused(write, old, new, words):
    with pytest.raises(cells.BuildError, match=words):
        taught.module(write(SOURCE.replace(old, new)))


@pytest.mark.parametrize(
    ("code", "bound", "needed"),
    [
        ("x = y", {"x"}, {"y"}),
        ("def f(a, b=c):\n    d = a + e\n    return d", {"f"}, {"c", "e"}),
        ("def f():\n    return g()\ndef g(): return f()", {"f", "g"}, set()),
        ("z = [i * k for i in range(3)]", {"z"}, {"k"}),
        ("class A(B):\n    c = 1\n    def m(self): return d, self", {"A"}, {"B", "d"}),
        ("import a.b\nfrom c import d as e\na.b(e)", {"a", "e"}, set()),
        ("print(f'{v:.2f}')\nx += 1", {"x"}, {"v", "x"}),
        ("lambda q: q + w", set(), {"w"}),
        ("m = f(m)", {"m"}, {"f", "m"}),
        ("for i in n:\n    print(i)", {"i"}, {"n"}),
    ],
)
def test_names_that_code_defines_and_needs(code, bound, needed):
    assert taught.bound(code) == bound
    assert taught.needed(code) == needed


@pytest.mark.parametrize("path", sorted(taught.files()), ids=lambda path: path.stem)
def test_what_is_kept_can_be_imported(path):
    importlib.import_module(f"transfer_lib.taught.{path.stem}")
