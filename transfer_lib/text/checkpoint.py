"""Checkpoints that survive a kill."""

import os
import tempfile
from pathlib import Path

from .table import TextDataError


def save_checkpoint(path, state):
    """Write a training state so that a kill at any moment leaves a whole file.

    The bytes go to a temporary file beside `path`, are flushed to the disk, and then take the
    place of the previous checkpoint in one step.

    Parameters
    ----------
    path : str or Path
    state : dict
        Tensors, numbers, strings, and lists and dicts of these, such as ``state_dict()``. The
        states of torch's random generators (CPU and CUDA) are added under ``"random"``.

    Raises
    ------
    OSError
        If it cannot be written; the previous checkpoint is still there.
    """
    import torch

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    random = {"cpu": torch.get_rng_state(), "cuda": _cuda_states(torch)}
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(dict(state, random=random), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load_checkpoint(path, device="cpu") -> dict | None:
    """Return what `save_checkpoint` wrote, with torch's random generators set back.

    Parameters
    ----------
    path : str or Path
    device : str or torch.device
        Where the tensors of the state go.

    Returns
    -------
    dict or None
        None when there is no such file. It is read with ``weights_only=True``: a checkpoint of
        unknown origin cannot run code.

    Raises
    ------
    TextDataError
        If the file is damaged.
    """
    import pickle

    import torch

    path = Path(path)
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        random = state.pop("random")
    except (RuntimeError, EOFError, KeyError, pickle.UnpicklingError) as error:
        raise TextDataError(
            f"{path} is no checkpoint of this course ({error}). Delete it to start anew."
        ) from None
    torch.set_rng_state(random["cpu"].cpu())
    if random["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all([state.cpu() for state in random["cuda"]])
    return state


def _cuda_states(torch):
    return torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
