"""The one call at the top of each notebook."""

import json
import os
import random
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

from transfer_lib import lessons, settings

BACKENDS = ("torch", "jax", "tensorflow")


@dataclass(frozen=True)
class Course:
    """What this run of a lesson uses.

    Attributes
    ----------
    lesson, profile : str
        Two digits; ``"quick"``, with data that are installed, or ``"full"``, with real downloads.
    seed : int
    backend : str or None
        The Keras backend; None in a lesson that needs no deep learning.
    device : str
        ``"CPU"`` or the name of the GPU.
    """

    lesson: str
    profile: str
    seed: int
    backend: str | None
    device: str

    @property
    def quick(self) -> bool:
        """True in the quick profile."""
        return self.profile == "quick"

    @cached_property
    def exercises(self):
        """This lesson's exercises and questions, each by its name."""
        from . import exercises

        return exercises.of(self.lesson)

    def progress(self):
        """Return the table of this lesson's exercises, solved and not."""
        return self.exercises.progress(f"Lesson {self.lesson}")


def setup(lesson, *, profile=None, seed=None, terms=None) -> Course:
    """Prepare a notebook: backend, seed, device, plot style; say what runs where.

    Call it before the first ``import keras``.

    Parameters
    ----------
    lesson : str
        The lesson's number, ``"03"``.
    profile : {"quick", "full"}, optional
        By default ``TRANSFER_LIB_PROFILE``, else full with an NVIDIA GPU and quick without.
    seed : int, optional
        By default ``TRANSFER_LIB_SEED``, else 0.
    terms : {"zh"}, optional
        Show the lesson's terms with their Chinese names.

    Returns
    -------
    Course

    Raises
    ------
    ValueError, KeyError
        If the profile, the lesson or an environment variable cannot be.
    """
    this = lessons.get(lesson)
    wanted = profile or settings.profile()
    if wanted not in (None, *settings.PROFILES):
        raise ValueError(f"profile is {profile!r}; it can be 'quick' or 'full'")
    settings.data_dir()  # a wrong TRANSFER_LIB_DATA is told here, not in the middle of a lesson
    seed = settings.seed() if seed is None else seed

    # Threads that wait shall sleep, not spin: two that spin beside another busy program made small
    # networks tens of times slower. It has to be set before torch or scikit-learn is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    warnings = []
    backend, engine, device = None, "no deep learning needed", "CPU"
    if this.engine == "keras":
        backend = _choose_backend(warnings)
        engine, device = _describe(["keras", backend])
    elif this.engine == "torch":
        engine, device = _describe(["torch", "transformers"])
    wanted = wanted or ("full" if "NVIDIA" in device else "quick")
    if wanted == "quick" and "OMP_NUM_THREADS" not in os.environ:
        _one_thread(backend)

    _seed_and_style(seed)

    data = (
        "data and weights that are installed with the course; no network needed"
        if wanted == "quick"
        else "the full data sets and models, downloaded once and kept in the cache"
    )
    print(f"Lesson {this.number}, {wanted} profile: {data}.")
    print(f"Runs on the {device} with Python {sys.version.split()[0]}; {engine}.")
    print(f"Seed {seed}. Your answers and your progress stay on this machine.")
    for warning in warnings:
        print(f"Warning: {warning}")
    if terms:
        _show_terms(this.number, terms)
    return Course(this.number, wanted, seed, backend, device)


def _one_thread(backend):
    """Let each small model run on one thread: the quick profile's are slower on two."""
    import numpy  # noqa: F401  both bring a BLAS, which has to be there to be told
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")
    if backend == "torch":
        import torch

        torch.set_num_threads(1)


def _show_terms(number, language):
    from . import show

    if language != "zh":
        raise ValueError(f"terms is {language!r}; it can be 'zh', Chinese")
    kept = json.loads((files("transfer_lib.exercises") / "terms.json").read_text("utf8"))
    show.show(show.Table(f"Terms of lesson {number}", kept[number]))


def _choose_backend(warnings):
    """Set KERAS_BACKEND to torch unless the user has set it; return the backend in force."""
    if "keras" in sys.modules:
        backend = sys.modules["keras"].backend.backend()
        asked = os.environ.get("KERAS_BACKEND", "torch")
        if backend != asked:
            warnings.append(
                f"Keras was imported earlier and runs on {backend}, not on {asked}. Restart the "
                "kernel and run the set-up cell first."
            )
        return backend
    backend = os.environ.setdefault("KERAS_BACKEND", "torch")
    if backend not in BACKENDS:
        raise ValueError(
            f"KERAS_BACKEND is {backend!r}; it can be {', '.join(BACKENDS)}. Unset it for torch."
        )
    return backend


def _describe(packages):
    """Return two phrases: the packages with their versions, and the device."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        versions = " with ".join(f"{name} {version(name)}" for name in packages)
    except PackageNotFoundError as error:
        name = error.name
        why = f" (KERAS_BACKEND is {name!r}; unset it for torch)" if name in BACKENDS[1:] else ""
        raise ImportError(
            f"{name} is not installed{why}. Install it with `pip install {name}`."
        ) from None
    if "torch" not in packages:
        return versions, "CPU"  # the course asks only torch about its devices
    import torch

    if torch.cuda.is_available():
        return versions, f"NVIDIA GPU ({torch.cuda.get_device_name(0)})"
    if torch.backends.mps.is_available():
        return versions, "Apple GPU"
    return versions, "CPU"


def _seed_and_style(seed):
    import numpy as np

    from . import plots

    random.seed(seed)
    np.random.seed(seed)
    plots.use_style()
