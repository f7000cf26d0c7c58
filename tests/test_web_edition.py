"""The web edition: what a page keeps, what it folds, and which links it refuses.

The whole site is built and read in a browser by `make test-site`.
"""

import json
import shutil
import subprocess
import sys

import nbformat
import pytest
import web_edition

import build

STARTERS = build.answers()


def page(name):
    solution = nbformat.read(build.ROOT / f"solutions/{name}.ipynb", 4)
    return solution, web_edition.page_of(nbformat.from_dict(solution), name, STARTERS)


@pytest.mark.parametrize("path", build.sources(), ids=lambda path: path.stem)
def test_a_page_keeps_all_figures_and_their_words(path):
    solution, built = page(path.stem)
    nbformat.validate(built)
    for cell in built.cells:
        for output in cell.get("outputs", []):
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if alt:
                assert cell.metadata["mystnb"]["image"]["alt"] == alt.replace("\n", " ")
    figures = [json.dumps(book).count('"image/png":') for book in (solution, built)]
    assert figures[0] == figures[1]


@pytest.mark.parametrize("path", build.sources(), ids=lambda path: path.stem)
def test_answers_are_folded_and_what_to_fill_is_shown(path):
    _, built = page(path.stem)
    number = path.stem[:2]
    text = "\n".join(cell.source for cell in built.cells if cell.cell_type == "markdown")
    for id, both in STARTERS.items():
        if not id.startswith(number):
            continue
        if both["starter"].endswith(".ask(...)"):
            assert both["solution"] not in "\n".join(cell.source for cell in built.cells)
        else:
            assert both["starter"] in text
            (cell,) = [one for one in built.cells if one.metadata.get("exercise") == id]
            assert "hide-cell" in cell.metadata["tags"]
            assert cell.metadata["mystnb"]["code_prompt_show"] == "Show the answer"
    asked = text.count('<details class="answer">')
    assert asked == sum(".ask(" in STARTERS[id]["starter"] for id in STARTERS if id[:2] == number)
    assert f'href="notebooks/{path.stem}.ipynb"' in built.cells[0].source
    assert "course.progress()" not in [cell.source.strip() for cell in built.cells]


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ('<a href="other.html#there">', None),
        ('<a href="#here">', None),
        ('<a href="https://example.org/page">', None),
        ('<a href="gone.html">', "page.html: gone.html"),
        ('<a href="other.html#gone">', "page.html: other.html#gone"),
        ('<a href="#gone">', "page.html: #gone"),
        ('<img src="gone.png">', "page.html: gone.png"),
        ('<script src="https://example.org/a.js"></script>', "page.html loads https://example.org"),
        ('<link rel="stylesheet" href="//example.org/a.css">', "page.html loads //example.org"),
    ],
)
def test_links(tmp_path, link, told):
    (tmp_path / "page.html").write_text(f'<p id="here">{link}</p>')
    (tmp_path / "other.html").write_text('<p id="there"></p>')
    found = web_edition.broken_links(tmp_path)
    assert found == [] if told is None else found[0].startswith(told)


@pytest.mark.slow
def test_pages_build_without_a_warning(tmp_path, monkeypatch):
    """As `make site` does, but without MathJax, which npm brings."""
    mathjax = tmp_path / "mathjax"
    for name in ("output/chtml", "input/tex"):
        (mathjax / name).mkdir(parents=True)
    (mathjax / "tex-chtml.js").write_text("")
    monkeypatch.setattr(web_edition, "MATHJAX", mathjax)
    monkeypatch.setattr(web_edition, "SOURCE", tmp_path / "source")
    web_edition.fill()
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q"]
    run = subprocess.run(
        [*command, tmp_path / "source", tmp_path / "site"], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert web_edition.broken_links(tmp_path / "site") == []
    shutil.rmtree(tmp_path / "site")
