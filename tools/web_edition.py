"""Build the web edition of the course: the answered lessons as a site that needs no network.

The pages come from ``solutions/`` and ``docs/``, by Sphinx with myst-nb. Answers are folded. The
result, ``build/web``, is plain files: any web server shows them.
"""

import argparse
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
from nbformat.v4 import new_markdown_cell

import cells
from notebooks import answers, markdown_map, table

ROOT = cells.ROOT
SOURCE, SITE = ROOT / "build/web-source", ROOT / "build/web"
MATHJAX = ROOT / "node_modules/mathjax/es5"
PAGES = ("LICENCES.md", "docs/*.md")  # beside the lessons
QUESTION = re.compile(r"ex\.\w+\.(ask|guess)\(.*\)")
ONLY_HERE = {"course.progress()"}  # says how the build did, not how a reader does

INDEX = """\
# Transfer learning

Take what a network has learned where data is plentiful to where it is scarce.

This is the answered edition, to read and to look things up: each lesson as it runs, its figures,
the answers folded. To learn, work through the notebooks yourself: each page has one to download.

{map}

```{{toctree}}
:hidden:
:caption: Lessons

{lessons}
```

```{{toctree}}
:hidden:
:caption: Beside the lessons

{pages}
```
"""


def page_of(notebook, name, starters):
    """Return a solution as a page: alt texts where myst-nb reads them, answers folded.

    Parameters
    ----------
    notebook : NotebookNode
        The solution, with its outputs.
    name : str
        The file name of the lesson, without its ending.
    starters : dict
        Exercise id to the code that a learner finds (`notebooks.answers`).
    """
    page = nbformat.from_dict(dict(notebook, cells=[]))
    for cell in notebook.cells:
        if cell.source.strip() in ONLY_HERE:
            continue
        if cell.cell_type == "code" and QUESTION.fullmatch(cell.source.strip()):
            page.cells.append(_question(cell))
            continue
        id = cell.metadata.get("exercise")
        if id:
            starter = starters[id]["starter"]
            page.cells.append(new_markdown_cell(f"```python\n{starter}\n```"))
            _fold(cell, "hide-cell", "the answer")
        elif "hide-input" in cell.metadata.get("tags", []):
            _fold(cell, "hide-input", "the code")
        for output in cell.get("outputs", []):
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if alt:
                cell.metadata.setdefault("mystnb", {})["image"] = {"alt": alt.replace("\n", " ")}
        page.cells.append(cell)
    first = page.cells[0]
    title, _, rest = first.source.partition("\n")
    here = f'<a href="notebooks/{name}.ipynb" download>Download this lesson as a notebook</a>'
    first.source = f"{title}\n\n{here}\n{rest}"
    return page


def _fold(cell, tag, what):
    tags = [one for one in cell.metadata.get("tags", []) if not one.startswith("hide-")]
    prompts = {"code_prompt_show": f"Show {what}", "code_prompt_hide": f"Hide {what}"}
    cell.metadata |= {"tags": [*tags, tag], "mystnb": prompts}


def _question(cell):
    """Return a question as text, with what the answer says folded."""
    asked, *said = cell.outputs
    choice = re.search(r'\("(\w)"\)', cell.source)
    lines = [asked.data["text/html"]]
    if said:
        words = said[0].data["text/plain"].strip()
        lines += [
            '<details class="answer"><summary>Show the answer</summary>',
            f"<p><strong>{choice[1]})</strong> {words}</p></details>",
        ]
    return new_markdown_cell("\n".join(lines))


def copy_mathjax(folder):
    """Copy what pages with formulae need into ``folder/mathjax``."""
    for name in ("tex-chtml.js", "output/chtml", "input/tex"):
        target = folder / "mathjax" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (MATHJAX / name).is_dir():
            shutil.copytree(MATHJAX / name, target, dirs_exist_ok=True)
        else:
            shutil.copy(MATHJAX / name, target)


def fill():
    """Write what Sphinx reads into `SOURCE`."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    extra, static = SOURCE / "_extra/notebooks", SOURCE / "_static"
    extra.mkdir(parents=True)
    copy_mathjax(static)
    for name in ("conf.py", "course.css", "course.js"):
        shutil.copy(ROOT / "tools/web" / name, SOURCE if name == "conf.py" else static)
    starters, rows = answers(), table()
    for row in rows:
        notebook = nbformat.read(ROOT / f"solutions/{row.name}.ipynb", 4)
        nbformat.write(page_of(notebook, row.name, starters), SOURCE / f"{row.name}.ipynb")
        shutil.copy(ROOT / f"lessons/{row.name}.ipynb", extra)
    shutil.copy(ROOT / "solutions/glossary.md", SOURCE)
    pages = ["glossary"]
    for path in sorted(path for pattern in PAGES for path in ROOT.glob(pattern)):
        text = re.sub(
            r"\]\((\.\./)?(lessons|solutions|docs|capstone)/", "](", path.read_text("utf8")
        )
        text = re.sub(r"\[([^]]*)\]\((\.\./)?LICENSE\)", r"\1", text.replace("](../", "]("))
        (SOURCE / path.name).write_text(text, "utf8")
        pages.append(path.stem)
    for name in ("bench.json", "bench_growth.svg"):
        shutil.copy(ROOT / "docs" / name, SOURCE)
    for path in sorted(ROOT.glob("docs/capstone/*.ipynb")):
        text = path.read_text("utf8").replace("](../capstone.md)", "](capstone.md)")
        (SOURCE / path.name).write_text(text, "utf8")
        pages.append(path.stem)
    lessons = "\n".join(row.name for row in rows)
    map = markdown_map(table=rows)
    index = INDEX.format(map=map, lessons=lessons, pages="\n".join(pages))
    (SOURCE / "index.md").write_text(index, "utf8")


class _Links(HTMLParser):
    """The anchors of a page, and what it links to."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.targets, self.loaded = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found[key] for key in ("id", "name") if found.get(key)}
        self.targets += [found[key] for key in ("href", "src") if found.get(key)]
        if tag in ("script", "link") and found.get("rel") in (None, "stylesheet"):
            self.loaded += [found[key] for key in ("href", "src") if found.get(key)]


def broken_links(site) -> list[str]:
    """Return each link of the built pages that leads nowhere, each script taken from outside."""
    paths = [path for path in sorted(Path(site).rglob("*.html")) if "_static" not in path.parts]
    pages = {path: _Links(path.read_text("utf8")) for path in paths}
    found = []
    for path, page in pages.items():
        for target in page.targets:
            url = urlsplit(target)
            if url.scheme or url.netloc:
                if target in page.loaded:
                    found.append(f"{path.relative_to(site)} loads {target}")
                continue
            to = (path.parent / unquote(url.path)).resolve() if url.path else path
            if to.is_dir():
                to /= "index.html"
            missing = url.fragment and to in pages and url.fragment not in pages[to].anchors
            if not to.is_file() or missing:
                found.append(f"{path.relative_to(site)}: {target}")
    return found


def main():
    """Build the site; end with 1 if Sphinx warns or a link leads nowhere."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--online", action="store_true", help="ask the links to other sites too")
    online = parser.parse_args().online
    if not MATHJAX.is_dir():
        sys.exit("MathJax is missing. `npm install --no-package-lock` puts it into node_modules.")
    fill()
    shutil.rmtree(SITE, ignore_errors=True)
    command = ["-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-j", "2"]
    if subprocess.run([sys.executable, *command, SOURCE, SITE]).returncode:
        sys.exit("Sphinx has warned.")
    if online:
        links = ["-m", "sphinx", "-b", "linkcheck", "-q", SOURCE, ROOT / "build/web-links"]
        if subprocess.run([sys.executable, *links]).returncode:
            sys.exit("A link to another site does not answer.")
    found = broken_links(SITE)
    print(*found, sep="\n")
    size = sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file())
    print(f"{SITE.relative_to(ROOT)}: {size / 1e6:.0f} MB, {len(found)} broken links")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
