"""Write ``transfer_lib/taught/lesson_NN.py`` from the cells tagged ``keep``.

A function is written and read once, in a lesson; later lessons and the tests import it from here.
"""

import ast
import builtins
import subprocess
import symtable
import sys
from pathlib import Path

import cells
from cells import BuildError

PACKAGE = '"""What the lessons have taught, for later lessons and tests to import. Built."""\n'
KEPT = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
KNOWN = {*dir(builtins), "__file__", "__name__", "__doc__"}


def files() -> dict[Path, str]:
    """Return path to text of the package ``transfer_lib.taught``, as the sources have it."""
    folder = cells.ROOT / "transfer_lib/taught"
    modules = {path: module(path) for path in cells.sources()}
    return {folder / "__init__.py": PACKAGE} | {
        folder / f"lesson_{cells.number_of(path)}.py": text
        for path, text in modules.items()
        if text
    }


def stale() -> list[Path]:
    """Return the built modules that no source stands behind."""
    return sorted(set((cells.ROOT / "transfer_lib/taught").glob("*.py")) - set(files()))


def module(path) -> str:
    """Return the formatted module of one lesson's ``keep`` cells, or an empty string.

    Kept are imports, functions, classes, and constants, which are written in capitals.

    Raises
    ------
    BuildError
        If a kept cell is no Python, defines a name twice, or needs one that no kept cell has.
    """
    notebook = cells.parse(path)
    title = notebook.cells[0].source.split("\n")[0]
    notebook.cells = [c for c in notebook.cells if "keep" in c.metadata.get("tags", [])]
    imports, rest, names = [], [], {}
    for cell in [c.source for c in cells.solution_of(notebook).cells]:
        for node, text in _kept(cell, path.name):
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports.append(text)
            else:
                rest.append((cell, text))
                for name in bound(text):
                    if name in names:
                        raise BuildError(f"{path.name}: {name} is kept twice, again in:\n{cell}")
                    names[name] = cell
    if not rest:
        return ""
    defined = set(names) | bound("\n".join(imports))
    for cell, text in rest:
        missing = sorted(needed(text) - defined)
        if missing:
            raise BuildError(
                f"{path.name}: a kept cell needs {', '.join(missing)}, which no kept cell defines; "
                f"tag that cell `keep` or make it an argument:\n{cell}"
            )
    number = cells.number_of(path)
    title = title.removeprefix(f"# {number}. ")
    head = f'"""Lesson {number}, {title}: its cells tagged `keep`, built."""'
    return _formatted("\n".join([head, *dict.fromkeys(imports), *(text for _, text in rest)]))


def bound(code) -> set[str]:
    """Return the names that code defines at its top level."""
    if not code.strip():
        return set()
    symbols = symtable.symtable(code, "cell", "exec").get_symbols()
    return {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}


def needed(code) -> set[str]:
    """Return the names that code takes from outside: used before it defines them, or never does."""
    found, known = set(), set(KNOWN)
    for node in ast.parse(code).body:
        text = ast.unparse(node)
        now, later = _used(text)
        if isinstance(node, ast.AugAssign):
            now |= bound(text)
        elif isinstance(node, ast.Assign):  # the value is computed first
            now |= _used(ast.unparse(node.value))[0]
        else:
            known |= bound(text)
        found |= (now - known) | (later - bound(code) - known)
        known |= bound(text)
    return found


def _used(code):
    """Return the names used at the top level and not defined in it, and those in inner scopes."""
    top = symtable.symtable(code, "cell", "exec")
    now = {s.get_name() for s in top.get_symbols() if s.is_referenced()} - bound(code)
    later, inner = set(), list(top.get_children())
    while inner:
        scope = inner.pop()
        inner += scope.get_children()
        later |= {s.get_name() for s in scope.get_symbols() if s.is_global() and s.is_referenced()}
    return now, later


def _kept(cell, name):
    """Return (node, text) of what is kept of a cell, each with the comment right above it."""
    try:
        body = ast.parse(cell).body
    except SyntaxError as error:
        raise BuildError(f"{name}: a kept cell is no Python ({error}):\n{cell}") from None
    lines, found = cell.split("\n"), []
    for node in body:
        if not isinstance(node, KEPT) and not _constant(node):
            continue
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) - 1
        while first and lines[first - 1].startswith("#"):
            first -= 1
        found.append((node, "\n".join(lines[first : node.end_lineno])))
    return found


def _constant(node):
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    else:
        return False
    return all(isinstance(n, ast.Name) and n.id.isupper() for t in targets for n in _parts(t))


def _parts(target):
    return target.elts if isinstance(target, ast.Tuple) else [target]


def _formatted(text):
    """Sort the imports, drop those that nothing needs, and format, as the repository does."""
    name = str(cells.ROOT / "transfer_lib/taught/lesson.py")
    check = ["check", "--quiet", "--select", "I,F401", "--fix", "--stdin-filename", name, "-"]
    for command in (check, ["format", "--quiet", "--stdin-filename", name, "-"]):
        run = subprocess.run(
            [sys.executable, "-m", "ruff", *command], input=text, capture_output=True, text=True,
            cwd=cells.ROOT, encoding="utf8",
        )  # fmt: skip
        if run.returncode and not run.stdout:
            raise BuildError(f"ruff could not read what is kept:\n{run.stderr}\n{text}")
        text = run.stdout
    return text
