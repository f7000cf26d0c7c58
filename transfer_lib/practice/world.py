"""What a check shares with the notebook around it: fixed for the check, put back after it.

Only libraries that are loaded already are touched.
"""

import os
import random
import sys
import warnings
from contextlib import ExitStack, contextmanager, suppress


@contextmanager
def undisturbed():
    """Run a block in a fixed state, and leave every state as it was before.

    That is: the random states of Python, NumPy, torch and Keras; Keras's dtype policy, image
    format and layer names; torch's default dtype, threads and gradient mode; NumPy's error
    mode; warnings as errors; environment variables and the working directory.
    """
    with ExitStack() as stack:
        for part in (_process, _numpy, _torch, _keras):
            stack.enter_context(contextmanager(part)())
        yield


def _process():
    state, environment = random.getstate(), dict(os.environ)
    folder = None
    with suppress(OSError):  # a folder that is gone
        folder = os.getcwd()
    random.seed(0)
    try:
        with warnings.catch_warnings():
            kept = [item for item in warnings.filters if item[0] != "error"]
            warnings.resetwarnings()
            warnings.filters.extend(kept)
            yield
    finally:
        random.setstate(state)
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        for name, value in environment.items():
            if os.environ.get(name) != value:
                os.environ[name] = value
        if folder is not None:
            with suppress(OSError):
                os.chdir(folder)


def _numpy():
    np = sys.modules.get("numpy")
    if np is None:
        yield
        return
    state = np.random.get_state()
    np.random.seed(0)
    try:
        with np.errstate(divide="warn", over="warn", under="ignore", invalid="warn", call=None):
            yield
    finally:
        np.random.set_state(state)


def _torch():
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    cuda = torch.cuda
    state = torch.get_rng_state()
    gpu = cuda.get_rng_state_all() if cuda.is_initialized() else None
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    torch.random.default_generator.manual_seed(0)  # torch.manual_seed would mark the GPU's too
    if gpu:
        cuda.manual_seed_all(0)
    torch.set_default_dtype(torch.float32)
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.set_default_dtype(dtype)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        torch.set_rng_state(state)
        if gpu:
            cuda.set_rng_state_all(gpu)
        elif cuda.is_initialized():  # by this check: as it would have begun
            cuda.manual_seed_all(torch.initial_seed())


def _keras():
    keras = sys.modules.get("keras")
    tracker = sys.modules.get("keras.src.backend.common.global_state")
    if tracker is None or not hasattr(keras, "config"):
        yield
        return
    config = keras.config
    before = config.floatx(), config.epsilon(), config.image_data_format()
    attributes = vars(tracker.GLOBAL_STATE_TRACKER)
    kept = dict(attributes)
    for name, value in kept.items():  # the numbers of layers and the list of weights to fill
        if isinstance(value, (dict, list)):  # change in place
            attributes[name] = value.copy()
    attributes.pop("global_seed_generator", None)  # Keras makes another from the next one
    attributes["global_random_seed"] = 0
    config.set_floatx("float32")
    config.set_epsilon(1e-7)
    config.set_dtype_policy("float32")
    # Only put back: the networks that a lesson hands to a check were built in its own format.
    try:
        yield
    finally:
        config.set_floatx(before[0])
        config.set_epsilon(before[1])
        config.set_image_data_format(before[2])
        attributes.clear()
        attributes.update(kept)
