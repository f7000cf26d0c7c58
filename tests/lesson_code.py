"""Definitions out of a lesson, so that tests can compare them with a reference library."""

import ast
from types import SimpleNamespace

import build


def definitions(lesson, **given) -> SimpleNamespace:
    """Return the functions and classes that a lesson defines, answers in, nothing else run.

    Parameters
    ----------
    lesson : str
        Its number.
    **given
        Variables that the definitions need, such as defaults of arguments.
    """
    path = build.source_of(lesson)
    kept = []
    for cell in build.solution_of(build.read(path)).cells:
        if cell.cell_type != "code" or "setup" in cell.metadata.get("tags", []):
            continue
        wanted = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
        kept += [node for node in ast.parse(cell.source).body if isinstance(node, wanted)]
    space = dict(given)
    exec(compile(ast.Module(kept, []), str(path), "exec"), space)
    return SimpleNamespace(**{k: v for k, v in space.items() if not k.startswith("__")})
