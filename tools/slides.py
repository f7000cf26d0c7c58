"""Slides of a lesson, from the cells that its source tags ``slide``: ``make slides LESSON=00``.

A heading begins a slide; shown are its first paragraph, lists, tables and formulae. What else the
text says is in the speaker's notes, which the key S opens, and so are the answers. Figures and
code have a slide each. ``build/slides/NN_name.html`` needs no network: nbconvert makes it, and
reveal.js and MathJax lie beside it.
"""

import argparse
import html
import re
import shutil
import sys

import nbformat
import web_edition
from nbconvert import SlidesExporter
from nbconvert.preprocessors import TagRemovePreprocessor
from nbformat.v4 import new_markdown_cell, new_notebook

import cells
from notebooks import answers, number_of, sources

ROOT = cells.ROOT
OUT = ROOT / "build/slides"
REVEAL = ROOT / "node_modules/reveal.js"
SHOWN = re.compile(r"\s*(#|[-*] |\d+\. |\||\$\$|!\[|```)")  # blocks that are shown, not only said


def slides_of(notebook, starters):
    """Return the notebook whose cells are the slides and the notes.

    Parameters
    ----------
    notebook : NotebookNode
        A solution, with its outputs.
    starters : dict
        Exercise id to the code that a learner finds and to its solution (`notebooks.answers`).

    Raises
    ------
    cells.BuildError
        If no cell is tagged.
    """
    made = []
    for cell in notebook.cells:
        if "slide" not in cell.metadata.get("tags", []):
            continue
        if cell.cell_type == "markdown":
            made += _from_text(cell.source)
        elif web_edition.QUESTION.fullmatch(cell.source.strip()):
            made += _from_question(cell)
        elif cell.metadata.get("exercise"):
            both = starters[cell.metadata["exercise"]]
            made += [_cell(f"```python\n{both['starter']}\n```", "-")]  # below its task
            made += [_cell(f"```python\n{both['solution']}\n```", "notes")]
        elif not _is_only_live(cell):
            made.append(_figure(cell))
    if not made:
        raise cells.BuildError("no cell of this lesson is tagged `slide`")
    return new_notebook(cells=made, metadata=notebook.metadata)


def _cell(source, kind):
    return new_markdown_cell(source, metadata={"slideshow": {"slide_type": kind}})


def _from_text(source):
    """Return slides and notes of a text; what stands before its first heading is only said."""
    made, shown, said, has_text = [], [], [], True
    source = re.split(r"(?m)^#+ Sources", source)[0]
    for block in _blocks(source):
        if block.startswith("#"):
            made += _close(shown, said)
            shown, said, has_text = [block], [], False
        elif SHOWN.match(block) and shown or not has_text:
            shown.append(block)
            has_text = True
        else:
            said.append(block)
    return made + _close(shown, said)


def _close(shown, said):
    made = [_cell("\n\n".join(shown), "slide")] if shown else []
    return made + ([_cell("\n\n".join(said), "notes")] if said else [])


def _blocks(source):
    """Return the blocks of a text; a heading is one, and code and formulae stay whole."""
    parts = re.split(r"(```.*?```|\$\$.*?\$\$)", source, flags=re.DOTALL)
    found = []
    for number, part in enumerate(parts):
        if number % 2:
            found.append(part)
            continue
        spaced = re.sub(r"(?m)^(#+ .*)$", r"\n\1\n", part)
        found += [block.strip("\n") for block in re.split(r"\n\s*\n", spaced) if block.strip()]
    return found


def _from_question(cell):
    asked, *said = cell.outputs
    made = [_cell(asked.data["text/html"], "slide")]
    choice = re.search(r'\("(\w)"\)', cell.source)
    if choice and said:
        words = said[0].data["text/plain"].strip()
        made.append(_cell(f"**{choice[1]})** {words}", "notes"))
    return made


def _is_only_live(cell):
    """Return whether a cell has nothing to show outside a notebook."""
    return all("Run the cell in a notebook" in str(output.get("data")) for output in cell.outputs)


def _figure(cell):
    """Return a code cell as a slide: its outputs, and its code unless the lesson folds it."""
    pictures = [output for output in cell.outputs if "image/png" in output.get("data", {})]
    folded = "hide-input" in cell.metadata.get("tags", []) or bool(pictures)
    cell.metadata = {"slideshow": {"slide_type": "slide"}, "tags": ["no-code"] if folded else []}
    for output in pictures:  # the picture alone: what stands beside it is its description
        output.data = {"image/png": output.data["image/png"]}
    cell.outputs = pictures or cell.outputs
    return cell


def build(number):
    """Write the slides of one lesson; return their path."""
    source = cells.source_of(number)
    notebook = slides_of(nbformat.read(ROOT / f"solutions/{source.stem}.ipynb", 4), answers())
    exporter = SlidesExporter(
        extra_template_basedirs=[str(ROOT / "tools")],
        template_name="slides_template",
        reveal_url_prefix="reveal",
        reveal_theme="white",
        reveal_width="1280",
        reveal_height="800",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    remover = TagRemovePreprocessor(remove_input_tags={"no-code"}, enabled=True)
    exporter.register_preprocessor(remover, enabled=True)
    page, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": source.stem}})
    words = iter(_alt_texts(notebook))  # nbconvert's own template drops them
    page = re.sub(r'(?<=<img )alt="No description[^"]*"', lambda _: f'alt="{next(words)}"', page)
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{source.stem}.html"
    path.write_text(page, "utf8")
    return path


def _alt_texts(notebook):
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                yield html.escape(output.metadata["image/png"]["alt"])


def copy_scripts():
    """Put reveal.js and MathJax beside the pages."""
    for name in ("dist", "plugin/notes"):
        shutil.copytree(REVEAL / name, OUT / "reveal" / name, dirs_exist_ok=True)
    web_edition.copy_mathjax(OUT)


def main():
    """Build the slides of the lessons named on the command line, or of all that have some."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("lessons", nargs="*", help="numbers; all with tagged cells when none")
    chosen = parser.parse_args().lessons
    if not (REVEAL / "dist").is_dir():
        sys.exit("reveal.js is missing. `npm install --no-package-lock` puts it in node_modules.")
    tagged = [path for path in sources() if '"slide"' in path.read_text("utf8")]
    for number in chosen or [number_of(path) for path in tagged]:
        print(build(number).relative_to(ROOT))
    copy_scripts()


if __name__ == "__main__":
    main()
