"""Exercises of lesson A2: batches over processes, an accuracy over them, a file that is whole."""

from transfer_lib.practice import LearnerError, Wrong, array, call, close, exercise, number

__all__ = ["accuracy", "counts", "write_once"]

NEVER = "`compute` was never called. Does what a killed worker left count as done?"
NAMES = "texts, batch, processes, split"
RUNS = [
    (96, 8, 2, False), (96, 8, 2, True), (1000, 64, 4, False), (1000, 64, 4, True),
    (130, 12, 3, False), (130, 12, 3, True), (50, 16, 1, False),
]  # fmt: skip


@exercise(
    "A2.counts",
    hints=[
        "By default each process takes `batch` texts. With `split` all of them together do.",
        "`each = batch // processes if split else batch`; the total is `each * processes`.",
        "`math.ceil(texts / total)` are the steps of an epoch: the last batch may be smaller.",
    ],
)
def counts(answer):
    """Return the texts of a step for one process, for all together, and the steps of an epoch."""
    for run in RUNS:
        found = call(answer, *run)
        if not isinstance(found, (tuple, list)) or len(found) != 3:
            raise Wrong("Return three numbers: for one process, for all together, and the steps.")
        names = ("texts of one process", "texts of all processes", "steps")
        _compare(run, *(number(x, name) for x, name in zip(found, names, strict=True)))
    return "Dropout draws by process, so with it the curves differ a little in any case."


def _compare(run, each, total, steps):
    texts, batch, processes, split = run
    right_each = batch // processes if split else batch
    right_total = right_each * processes
    right_steps = -(-texts // right_total)
    where = f"For {NAMES} = {', '.join(map(str, run))}: "
    if close([each, total, steps], [right_each, right_total, right_steps]):
        return
    if processes > 1 and close([each, total], [right_total, right_each]):
        raise Wrong(f"{where}first the texts of one process, then those of all together.")
    if not split and close(total, batch):
        raise Wrong(f"{where}by default each process takes a batch of its own, so all together "
                    f"take {right_total} texts in a step, not {batch}.")  # fmt: skip
    if not split and close(each, batch / processes):
        raise Wrong(f"{where}without `split` nothing is divided: each process takes {batch}.")
    if split and close(each, batch):
        raise Wrong(f"{where}with `split` the batch is that of all processes; each takes "
                    f"{right_each}.")  # fmt: skip
    if not close(each, right_each):
        raise Wrong(f"{where}each process takes {right_each} texts in a step; yours is {each:g}.")
    if not close(total, right_total):
        raise Wrong(f"{where}all together take {right_total} texts in a step; yours is {total:g}.")
    if close(steps, texts // right_total):
        raise Wrong(f"{where}the last batch is smaller, and still a step. Round up.")
    if close(steps, texts / right_total):
        raise Wrong(f"{where}there are no {steps:g} steps: a smaller last batch is a step. "
                    "Round up.")  # fmt: skip
    if close(steps, -(-texts // right_each)):
        raise Wrong(f"{where}you divided by the texts of one process. A step takes those of all, "
                    f"{right_total}, so there are {right_steps} steps.")  # fmt: skip
    raise Wrong(f"{where}an epoch has {right_steps} steps; yours is {steps:g}.")


@exercise(
    "A2.accuracy",
    hints=[
        "Print the rows of both processes for the ten texts above. Which stand twice?",
        "Put what was said where it belongs: `answer[rows] = said`, an array as long as `truth`.",
        "Then compare with `truth` once: `np.mean(answer == truth)`.",
    ],
)
def accuracy(answer):
    """Return the share of right answers over processes, each row counted once."""
    import numpy as np

    for n, batch, processes in ((10, 4, 2), (23, 4, 3), (9, 8, 2), (16, 4, 2)):
        truth = np.random.default_rng(n).integers(0, 3, n)
        right = np.random.default_rng(0).random(n) < 0.7  # in the first case each mistake shows
        said = np.where(right, truth, (truth + 1) % 3)
        filled = np.arange(-(-n // (batch * processes)) * batch * processes) % n
        shares = filled.reshape(-1, processes, batch).swapaxes(0, 1).reshape(processes, -1)
        parts = [(rows, said[rows]) for rows in shares]
        found = number(call(answer, parts, truth), "the accuracy")
        if not close(found, right.mean()):
            raise Wrong(_why(found, parts, truth, right.mean(), (n, batch, processes)))
    return "A test of which a part counts twice is another test: with 100 texts it may be points."


def _why(found, parts, truth, right, sizes):
    import numpy as np

    n, batch, processes = sizes
    hits = [said == truth[rows] for rows, said in parts]
    everything = np.concatenate(hits)
    start = f"{n} texts, batches of {batch}, {processes} processes: "
    for wrong, words in [
        (100 * right, "return a share from 0 to 1, not percent."),
        (right * n, "this is how many are right. Divide by the number of rows."),
        (everything.sum() / n, "you count the right answers of rows that stand twice, and divide "
         "by the rows that there are."),
        (right * n / len(everything), "each right row counts once, but you divide by all answers, "
         f"{len(everything)}. There are {n} rows."),
        (np.mean([h.mean() for h in hits]), "this is the mean over all answers, so the rows that "
         "fill up the last batches count twice."),
        (hits[0].mean(), "this is what the first process says of its own rows. Take all "
         "processes."),
        (everything[:n].mean(), f"the first {n} answers are not the {n} rows: each process has "
         "its own in turn. Go by their numbers."),
    ]:  # fmt: skip
        if close(found, wrong):
            return start + words
    return f"{start}{right:.4f} of the rows are right; yours is {found:.4f}."


@exercise(
    "A2.write_once",
    hints=[
        "Three steps: return if `path` is there; write under another name beside it; rename.",
        "`path.with_name(path.stem + '.part')` is another name. `np.save` adds `.npy` to a name "
        "that lacks it, but not to an open file: `with open(part, 'wb') as file`.",
        "`os.replace(part, path)` is the last step, after the file is closed; then `return path`.",
    ],
)
def write_once(answer):
    """Store an array under its final name only when it is whole, and only if it is not there."""
    import tempfile
    from pathlib import Path

    import numpy as np

    values = np.arange(12.0).reshape(3, 4)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "shards")
        folder.mkdir()
        for path, left in ((folder / "00.npy", False), (folder / "01.npy", True)):
            if left:
                _killed(answer, path, values)
            calls, opened = [], []
            with _watched(opened):
                found = _ask(answer, path, lambda calls=calls: calls.append(1) or values.copy())
            _whole(path, values, opened, calls, found)
            again = []
            _ask(answer, path, lambda again=again: again.append(1) or values.copy())
            if again:
                raise Wrong("The second call computed it again. Look first if `path` is there.")
    return "The rename is atomic: everybody sees no file, or the whole file, and nothing between."


def _ask(answer, path, compute):
    """Call the learner's function; say in words what commonly goes wrong."""
    try:
        return call(answer, path, compute, may_return_none=True)
    except LearnerError as error:
        cause = error.__cause__
        if isinstance(cause, FileNotFoundError):
            made = sorted(p.name for p in path.parent.iterdir())
            raise Wrong(f"There is no file {cause.filename!r} to rename; there are {made}. "
                        "`np.save` adds `.npy` to a name that lacks it.") from None  # fmt: skip
        if isinstance(cause, FileExistsError):
            raise Wrong("A file that a killed worker left stopped you. Write over what it left "
                        "under the other name.") from None  # fmt: skip
        raise


def _whole(path, values, opened, calls, found):
    """Judge what lies there after a first call."""
    import numpy as np

    if not calls:
        raise Wrong(NEVER)
    if not path.exists():
        others = sorted(p.name for p in path.parent.iterdir())
        raise Wrong(f"There is no {path.name} after the call, only {others}. Rename at the end.")
    if path in opened:
        raise Wrong("You open the file under its final name. A worker that is killed while it "
                    "writes leaves half a file there, and the next one skips it.")  # fmt: skip
    elsewhere = [p for p in opened if p.parent != path.parent]
    if elsewhere:
        raise Wrong("The other name lies in another folder. That may be another disk, and between "
                    "disks nothing can be renamed. Write beside `path`.")  # fmt: skip
    try:
        stored = np.load(path)
    except (ValueError, OSError, EOFError):
        raise Wrong("What lies under the final name is no whole .npy file. Rename after it is "
                    "closed.") from None  # fmt: skip
    if not close(array(stored), values):
        raise Wrong("What is stored is not what `compute()` returned.")
    if len(calls) > 1:
        raise Wrong("`compute` was called twice. Keep what it returns.")
    if found is None or str(found) != str(path):
        raise Wrong("Return `path`, also if the file was there.")


class Killed(BaseException):
    """Ends a call in the middle, as far as an exception can."""


def _killed(answer, path, values):
    """End a call while it computes; leave half of what each name held that it wrote before."""
    opened = []
    with _watched(opened):
        _ask(answer, path.with_name("99.npy"), values.copy)
    names = [p.name.replace("99", path.stem) for p in opened if p.parent == path.parent]
    for name in {f"{path.stem}.part", *names} - {path.name}:
        (path.parent / name).write_bytes(b"\x93NUMPY half")

    def compute():
        raise Killed

    try:
        _ask(answer, path, compute)
    except LearnerError as error:
        if not isinstance(error.__cause__, Killed):
            raise
    else:
        raise Wrong(NEVER)
    if path.exists():
        raise Wrong("A worker was killed while it computed, and a file lies under the final name.")


def _watched(opened):
    """Patch `open`; the paths of files that are opened to write go into the list."""
    import io
    import os
    from contextlib import ExitStack
    from pathlib import Path
    from unittest import mock

    original = io.open

    def watching(file, mode="r", *args, **kwargs):
        if isinstance(file, (str, os.PathLike)) and set("wax+") & set(mode):
            opened.append(Path(file))
        return original(file, mode, *args, **kwargs)

    stack = ExitStack()
    stack.enter_context(mock.patch("builtins.open", watching))
    stack.enter_context(mock.patch("io.open", watching))
    return stack
