"""Is the course ready to be published? Says what is missing, one line each.

python tools/publish.py            before the first push: address, badges, links
python tools/publish.py --online   after it: the address answers, and has what is here
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import requests

import notebooks

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\((?!https?:|mailto:|#|attachment:)([^)\s]+)\)")


def dead_links() -> list[str]:
    """Return the links to files that are not there, of the notebooks and of the Markdown files."""
    texts = {path: path.read_text("utf8") for path in ROOT.glob("*.md")}
    for path in [*ROOT.glob("docs/*.md"), *ROOT.glob("deploy/*.md")]:
        texts[path] = path.read_text("utf8")
    for path in ROOT.glob("lessons/*.ipynb"):
        cells = nbformat.read(path, 4).cells
        texts[path] = "\n".join(c.source for c in cells if c.cell_type == "markdown")
    found = []
    for path, text in texts.items():
        text = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.S)
        for link in LINK.findall(text):
            if not (path.parent / link.partition("#")[0]).exists():
                found.append(f"{path.relative_to(ROOT)}: the link {link} leads nowhere.")
    return found


def missing(where) -> list[str]:
    """Return what is missing for a course at this address, in words."""
    if not notebooks.published(where):
        return [
            f"pyproject.toml still has the placeholder {notebooks.PLACEHOLDER}: put the address "
            "of your repository into [tool.course], run `make build`, and commit what it built."
        ]
    found, line = [], f"git+{where['repository']}@{where['branch']}"
    for path in sorted(ROOT.glob("lessons/*.ipynb")):
        text = path.read_text("utf8")
        if line not in text or f"/blob/{where['branch']}/lessons/{path.name}" not in text:
            found.append(f"{path.name} has not this address: run `make build`.")
    return found


def unpublished(where) -> list[str]:
    """Return what the published repository lacks; it is asked over the network."""
    run = subprocess.run(
        ["git", "ls-remote", where["repository"], where["branch"]], capture_output=True, text=True
    )
    here = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()
    if run.returncode or not run.stdout:
        return [f"{where['repository']} has no branch {where['branch']}: {run.stderr.strip()}"]
    found = [] if run.stdout.startswith(here) else ["The published branch is not what is here."]
    for path in sorted(ROOT.glob("lessons/*.ipynb")):
        url = f"{where['repository']}/blob/{where['branch']}/lessons/{path.name}"
        code = requests.head(url, timeout=30, allow_redirects=True).status_code
        found += [f"{url} answers {code}."] if code != 200 else []
    return found


def main():
    """Print what is missing; exit with 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--online", action="store_true", help="ask the address, too")
    options = parser.parse_args()
    where = notebooks.address()
    found = missing(where) + dead_links()
    if options.online and not found:
        found = unpublished(where)
    print("\n".join(found) or f"Ready: {where['repository']}, branch {where['branch']}.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
