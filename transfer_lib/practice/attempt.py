"""Has the learner started? Tell an exercise that was left as it stands from an answer."""

import types
from functools import cache


def untouched(answer, starter):
    """Return True for ``...``, for a collection with one in it, and for an untouched function.

    Parameters
    ----------
    answer : object
    starter : str
        The code that the exercise begins with.
    """
    if answer is ...:
        return True
    if isinstance(answer, (list, tuple)):
        return any(item is ... for item in answer)
    if isinstance(answer, dict):
        return any(item is ... for item in answer.values())
    if isinstance(answer, types.FunctionType):
        code = answer.__code__
        begun = _functions_of(starter).get(code.co_name)
        return _does_nothing(code) or (begun is not None and _same_code(code, begun))
    return False


def _does_nothing(code):
    """Return True for a body of only a docstring, ``...`` or ``pass``."""
    import dis

    names = {step.opname for step in dis.get_instructions(code)}
    harmless = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE", "CACHE"}
    returned = [c for c in code.co_consts if c is not None and c is not ...]
    only_docstring = all(isinstance(c, str) for c in returned)
    return names <= harmless and only_docstring and not _returns_text(code)


def _returns_text(code):
    import dis

    steps = [s for s in dis.get_instructions(code) if s.opname in ("LOAD_CONST", "RETURN_CONST")]
    return bool(steps) and isinstance(steps[-1].argval, str)


@cache
def _functions_of(source):
    try:
        module = compile(source, "<starter>", "exec")
    except SyntaxError:
        return {}
    return {c.co_name: c for c in module.co_consts if isinstance(c, types.CodeType)}


def _same_code(one, other):
    def parts(code):
        constants = [parts(c) if isinstance(c, types.CodeType) else c for c in code.co_consts]
        return code.co_code, code.co_names, code.co_varnames, constants

    return parts(one) == parts(other)
