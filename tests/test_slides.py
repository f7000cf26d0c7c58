"""Slides: what is shown, what is only said, and that a slide fits on the wall."""

import nbformat
import pytest
import slides
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import build
import lab
from cells import BuildError

TAGGED = [path for path in build.sources() if '"slide"' in path.read_text("utf8")]
NO_NPM = pytest.mark.skipif(
    not (slides.REVEAL / "dist").is_dir() or not slides.web_edition.MATHJAX.is_dir(),
    reason="reveal.js and MathJax come with `npm install`, which `make slides` runs",
)
TEXT = """said first

## 2. Heading
shown

said

- shown too

| a | b |
|---|---|

$$x

y$$

said again

### Next
shown"""


def kinds(notebook):
    return [(c.metadata["slideshow"]["slide_type"], c.source) for c in notebook.cells]


def tagged(make, source, **more):
    cell = make(source, **more)
    cell.metadata["tags"] = ["slide"]
    return cell


def test_headings_begin_slides_and_long_text_is_said():
    made = slides.slides_of(new_notebook(cells=[tagged(new_markdown_cell, TEXT)]), {})
    assert kinds(made) == [
        ("notes", "said first"),
        ("slide", "## 2. Heading\n\nshown\n\n- shown too\n\n| a | b |\n|---|---|\n\n$$x\n\ny$$"),
        ("notes", "said\n\nsaid again"),
        ("slide", "### Next\n\nshown"),
    ]


def test_answers_are_only_said():
    exercise = tagged(new_code_cell, "answer")
    exercise.metadata["exercise"] = "00.a"
    said = [
        new_output("display_data", {"text/html": "<p>What?</p>", "text/plain": "What?"}),
        new_output("display_data", {"text/plain": "Right. Because."}),
    ]
    question = tagged(new_code_cell, 'ex.q_a.ask("b")', outputs=said)
    starters = {"00.a": {"starter": "fill", "solution": "answer"}}
    made = slides.slides_of(new_notebook(cells=[exercise, question]), starters)
    assert kinds(made) == [
        ("-", "```python\nfill\n```"),
        ("notes", "```python\nanswer\n```"),
        ("slide", "<p>What?</p>"),
        ("notes", "**b)** Right. Because."),
    ]


def test_a_lesson_without_tags_is_told():
    with pytest.raises(BuildError, match="tagged `slide`"):
        slides.slides_of(new_notebook(cells=[new_markdown_cell("text")]), {})


@pytest.mark.parametrize("path", TAGGED, ids=lambda path: path.stem)
def test_every_tagged_lesson_has_slides_and_notes(path):
    solution = nbformat.read(build.ROOT / f"solutions/{path.stem}.ipynb", 4)
    made = kinds(slides.slides_of(solution, build.answers()))
    assert sum(kind == "slide" for kind, _ in made) >= 12
    assert made[0][1].startswith("# ") and any("Key points" in text for _, text in made)


@NO_NPM
@pytest.mark.slow
@pytest.mark.parametrize("path", TAGGED, ids=lambda path: path.stem)
def test_slides_in_a_browser(path, tmp_path, monkeypatch):
    """Nothing from outside, no script error; slides fit; figures have words; notes are there."""
    monkeypatch.setattr(slides, "OUT", tmp_path)
    page_path = slides.build(build.number_of(path))
    slides.copy_scripts()
    told = []
    with lab.page() as page:
        page.set_viewport_size({"width": 1366, "height": 768})
        page.on("request", lambda r: told.append(r.url) if r.url.startswith("http") else None)
        page.on("requestfailed", lambda r: told.append(r.url))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.goto(page_path.as_uri())
        page.wait_for_function("window.Reveal && Reveal.isReady()")
        page.wait_for_timeout(1500)
        count = page.evaluate("Reveal.getTotalSlides()")
        for number in range(count):
            page.evaluate(f"Reveal.slide({number})")
            height = page.evaluate("Reveal.getCurrentSlide().scrollHeight")
            if height > 800:
                text = page.evaluate("Reveal.getCurrentSlide().innerText")
                told.append(f"slide {number + 1} is {height} high: {text[:80]}")
        bare = "img:not([alt]), img[alt=''], img[alt^='No description']"
        assert page.locator(bare).count() == 0
        assert page.locator("aside.notes").count() >= 5
    assert told == [], "\n".join(told)
