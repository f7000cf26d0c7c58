"""The budget of a lesson: what is counted, what is computed from it, and what is refused."""

import json

import pytest

import budget
import cells

HEAD = '# %% [markdown] needs="Python" engine="none"\n# # 00. Start here\n'
LESSON = (
    HEAD
    + """
# %% tags=["setup"]
import transfer_lib

# %%
import numpy as np

x = 1  # counted
# not counted

# %% exercise="00.a"
def f(x):
    y = x
    ### BEGIN SOLUTION
    y = 2 * y
    return y
    ### END SOLUTION


ex.a.check(f)

# %%
ex.q.ask(...)

# %% [markdown] tags=["optional"]
# ## 2. Further

# %% exercise="00.b"
g = x + 1  ### SOLUTION
ex.b.check(g)

# %% [markdown]
# ### 2.1 Still further

# %% [markdown]
# ## 3. The end

# %% tags=["hide-input"]
a = 1
b = 2
"""
)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """A course of one lesson, whose text a test writes."""
    (tmp_path / "course").mkdir()
    monkeypatch.setattr(cells, "ROOT", tmp_path)

    def write(text):
        path = tmp_path / "course/00_first_transfer.py"
        path.write_text(text, "utf8")
        return path

    return write


@pytest.mark.parametrize(
    ("markdown", "count"),
    [
        ("## 2. Two words", 3),
        ("One [link to](https://example.org/a/b) *it*.", 4),
        ("Code `a.b(c)` is one, $x^2 + y$ too.", 6),
        ("$$\nL = a + b\n$$", 1),
        ("```\nnot counted\n```\nBut this.", 2),
        ("**Transfer learning** (迁移学习) isn't 1,000 words.", 6),
        ("<details><summary>Hint</summary></details> <!-- no word -->", 1),
        ("| a | b |\n|---|---|\n| c | 0.5 |", 4),
        ("![a picture](x.png)", 0),
    ],
)
def test_words(markdown, count):
    assert budget.words(markdown) == count


def test_what_is_counted(write):
    path = write(LESSON)
    found = budget.measure(path)
    assert found.required == budget.Part(words=6, lines=6, exercises=1, questions=1)
    assert found.extra == budget.Part(words=5, lines=2, exercises=1)
    assert found.sizes == [2, 3, 1, 2] and found.solved == 3
    assert found.source == LESSON.count("\n")


def test_minutes_by_the_formula(write):
    found = budget.measure(write(LESSON))
    assert found.required.minutes == pytest.approx(6 / 120 + 6 * 4 / 60 + 4 + 1)
    assert found.figures()["minutes"] == pytest.approx(found.required.minutes + 1.5)
    assert (found.minutes, found.optional) == (10, 5)
    (cells.ROOT / "course/seconds.json").write_text(json.dumps({"00": 600}))
    assert budget.measure(cells.source_of("00")).minutes == 20


EXERCISE = '# %% exercise="00.x"\n' + "".join(f"x{i} = {i}  ### SOLUTION\n" for i in range(20))


@pytest.mark.parametrize(
    ("cells_", "words"),
    [
        ("# %% [markdown]\n# " + "word " * 1801 + "\n", "1804 words, at most 1800"),
        ("# %%\n1\n2\n" * 176, "372 visible lines of code, at most 350"),
        ("# %%\n" + "1\n" * 21, "21 lines in the longest visible cell, at most 20"),
        ("# %%\n" + "1\n" * 17, "18.5 lines in the median visible cell, at most 8"),
        ("# %%\n1\n" * 181, "9.05 % of the code lines left to the learner, at least 10"),
        ("# a comment\n" * 600, "624 lines of source, at most 600"),
        ('# %%\nex.q.ask("a")\n' * 60, "70.86 minutes on the required path, at most 60"),
    ],
)
def test_each_limit_is_kept(write, cells_, words):
    path = write(HEAD + "\n" + EXERCISE + cells_)
    with pytest.raises(cells.BuildError, match=f"lesson 00: .*{words}"):
        budget.refuse([path])


def test_an_exception_is_allowed_until_it_is_not_needed(write):
    path = write(LESSON.replace("## 3. The end", "word " * 2000))
    assert len(budget.problems(path)) == 1
    table = '[00]\nlimits = ["words"]\nreason = "Old."\n'
    (cells.ROOT / "course/exceptions.toml").write_text(table)
    assert budget.problems(path) == budget.unneeded() == []
    write(LESSON)
    assert budget.unneeded() == ["lesson 00: no exception for words is needed"]


def test_the_report_stars_what_is_broken(write, monkeypatch, capsys):
    write(LESSON.replace("## 3. The end", "word " * 2000))
    monkeypatch.setattr("sys.argv", ["budget.py"])
    budget.main()
    shown = capsys.readouterr().out
    assert "2008*" in shown and "lesson 00: 2008 words, at most 1800" in shown
    monkeypatch.setattr("sys.argv", ["budget.py", "--exceptions"])
    budget.main()
    assert '[00]\nlimits = ["words"]' in capsys.readouterr().out
