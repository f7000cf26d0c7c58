"""Run a learner's code with a time limit, and keep its exceptions apart from ours."""

import ctypes
import threading
import traceback
from contextlib import contextmanager
from pathlib import Path

PACKAGE = str(Path(__file__).parent)


class TimeLimit(BaseException):
    """Raised inside code that runs too long.

    It derives from BaseException so that an ``except Exception`` in the code cannot swallow it.
    """


@contextmanager
def time_limit(seconds: float):
    """Raise :class:`TimeLimit` in this thread when the block takes longer than ``seconds``.

    The exception arrives between two Python instructions, on every platform and in every
    thread. A single long call into C code ends first. A loop that catches the exception gets
    it again, every tenth of a second.
    """
    thread = ctypes.c_ulong(threading.get_ident())
    set_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc
    lock, finished = threading.Lock(), threading.Event()

    def watch():
        wait = seconds
        while not finished.wait(wait):
            with lock:
                if not finished.is_set():
                    set_exception(thread, ctypes.py_object(TimeLimit))
            wait = 0.1

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        _finish(lock, finished, set_exception, thread)
        watcher.join()


def _finish(lock, finished, set_exception, thread):
    """Stop the watcher and withdraw an exception that has not arrived yet."""
    while True:
        try:
            with lock:
                finished.set()
                set_exception(thread, None)
            return
        except TimeLimit:  # it arrived in here: the block is over, so only stop the watcher
            continue


def learner_traceback(error: BaseException) -> str:
    """Return the error and the lines of the learner's own code that led to it, no file paths."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(PACKAGE)
    ]
    lines = [f"{type(error).__name__}: {error}".rstrip(": ")]
    own = [frame for frame in frames if "site-packages" not in frame.filename]
    for frame in own[-4:]:
        lines.append(f"  line {frame.lineno}, in {frame.name}: {frame.line or '(no source)'}")
    return "\n".join(lines)
