"""Run a learner's code: with a time limit, with captured output, its exceptions kept apart."""

import ctypes
import io
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

PACKAGE = str(Path(__file__).parents[1])
SHOWN = 2000
"""Characters of a learner's output that are kept, for each of the two streams."""


class TimeLimit(BaseException):
    """Raised inside code that runs too long.

    It derives from BaseException so that an ``except Exception`` in the code cannot swallow it.
    """


class _EveryLine:
    """Raises in each line that a trace function is told of, outside of this package.

    A Python trace function is dropped when it raises, so one ``except:`` around another would
    survive it. This object is given to a C function of the interpreter instead, which stays.
    """

    def __init__(self, exception):
        self.exception = exception

    def __delitem__(self, frame):
        if not frame.f_code.co_filename.startswith((PACKAGE, threading.__file__)):
            raise self.exception

    def trace(self):
        api = ctypes.pythonapi
        api.PyEval_SetTrace(
            ctypes.cast(api.PyObject_DelItem, ctypes.c_void_p), ctypes.py_object(self)
        )


class Guard:
    """A ``with`` block that ends with :class:`TimeLimit` after ``seconds``.

    The exception arrives between two Python instructions, on every platform and in every
    thread. A single long call into C code ends first. Code that catches it gets it again in
    every line that it goes on with.

    Attributes
    ----------
    interrupted : bool
        Whether the user pressed Ctrl-C meanwhile (or "stop" in a notebook).
    output : tuple of _Captured
        What was printed and what went to stderr.
    """

    def __init__(self, seconds):
        self.seconds, self.interrupted = seconds, False
        self.output = _Captured(), _Captured()
        self._lock, self._finished = threading.Lock(), threading.Event()
        self._pending = False

    def __enter__(self):
        self._streams, self._tracer, self._handler = (sys.stdout, sys.stderr), sys.gettrace(), None
        sys.stdout, sys.stderr = self.output
        if threading.current_thread() is threading.main_thread():
            self._handler = signal.getsignal(signal.SIGINT)
            if callable(self._handler):
                signal.signal(signal.SIGINT, self._interrupt)
        self._exception = self._make_exception()
        self._thread = ctypes.c_ulong(threading.get_ident())
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def __exit__(self, *raised):
        while True:
            try:
                with self._lock:
                    self._finished.set()
                while self._pending:  # it is on its way: let it arrive here, not later
                    time.sleep(0)
                if sys.gettrace() is not self._tracer:
                    sys.settrace(self._tracer)
                self._watcher.join()
                if callable(self._handler):
                    signal.signal(signal.SIGINT, self._handler)
                sys.stdout, sys.stderr = self._streams
                return
            except TimeLimit:
                continue

    def _make_exception(guard):
        class Stop(TimeLimit):
            def __init__(self):
                if guard._pending:  # made in the thread that is to stop, before a handler runs
                    guard._pending = False
                    _EveryLine(Stop).trace()

        return Stop

    def _watch(self):
        wait = self.seconds
        while not self._finished.wait(wait):
            with self._lock:
                if not (self._finished.is_set() or self._pending):
                    self._pending = True
                    # It is never withdrawn: on Python 3.11 that leaves a mark which makes every
                    # later trace function, pdb for one, wait for good.
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(
                        self._thread, ctypes.py_object(self._exception)
                    )
            wait = 0.1

    def _interrupt(self, number, frame):
        self.interrupted = True
        self._handler(number, frame)


class _Captured(io.TextIOBase):
    """A text stream that keeps its beginning and counts the rest."""

    def __init__(self):
        self.text, self.length = "", 0

    encoding = "utf-8"

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self.text += text[: max(0, SHOWN - self.length)]
        self.length += len(text)
        return len(text)


def text_of(value, show=str) -> str:
    """Return ``str(value)``, or words instead when that raises."""
    try:
        return show(value)
    except TimeLimit:
        raise
    except BaseException as error:
        return f"(a {type(value).__name__}; its own text raised {type(error).__name__})"


def learner_traceback(error: BaseException) -> str:
    """Return the error and the lines of the learner's own code that led to it, no file paths."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(PACKAGE)
    ]
    lines = [f"{type(error).__name__}: {text_of(error)}".rstrip(": ")]
    own = [frame for frame in frames if "site-packages" not in frame.filename]
    for frame in own[-4:]:
        lines.append(f"  line {frame.lineno}, in {frame.name}: {frame.line or '(no source)'}")
    return "\n".join(lines)
