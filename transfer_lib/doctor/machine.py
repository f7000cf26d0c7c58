"""Checks of the machine: device, memory, disk, cache, progress file, environment variables."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from transfer_lib import settings
from transfer_lib.doctor.report import failed, ok, skipped, warning
from transfer_lib.doctor.software import FrontEnd, front_end, installed_version, short

GB = 1e9  # bytes
LOW_MEMORY = 4 * GB
LOW_DISK = 2 * GB
LOW_GPU_MEMORY = 2 * GB
CGROUPS = (  # where containers find their limit, use, and reclaimable cache: version 2, then 1
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    (
        "memory/memory.limit_in_bytes",
        "memory/memory.usage_in_bytes",
        "memory/memory.stat",
        "total_inactive_file",
    ),
)
CGROUP_FOLDER = Path("/sys/fs/cgroup")
VARIABLES = ("HOME", "DATA", "PROFILE", "SEED", "STRICT", "CLAIMS", "SOURCE")


def check_accelerator(import_torch=True):
    """Yield the device that torch computes on."""
    name = "accelerator"
    if not import_torch:
        yield skipped(name, "torch was not imported, by choice", "Run without --no-torch to see.")
        return
    if installed_version("torch") is None:
        yield skipped(name, "torch is not installed", "Mend the line on torch, then run again.")
        return
    try:
        import torch
    except Exception as error:
        fix = "Install torch again in a new environment; see the README. On Windows, install the "
        fix += "Microsoft Visual C++ Redistributable first."
        yield failed(name, f"torch cannot be imported: {type(error).__name__}: {error}", fix)
        return
    if torch.cuda.is_available():
        yield _examine_nvidia(torch)
    elif torch.backends.mps.is_available():
        yield ok(name, "Apple GPU (MPS)")
    else:
        yield _examine_cpu(torch)


def _examine_nvidia(torch):
    name = "accelerator"
    try:
        device = torch.cuda.get_device_name(0)
        torch.ones(1, device="cuda").add(1).item()  # a GPU too old for this torch fails here
        free, total = torch.cuda.mem_get_info(0)
    except Exception as error:
        fix = "Update the NVIDIA driver, install a torch that fits the GPU, or set "
        fix += "`CUDA_VISIBLE_DEVICES=-1` to use the CPU."
        first = (str(error).splitlines() or [""])[0]
        return failed(name, f"torch sees an NVIDIA GPU but cannot compute on it: {first}", fix)
    message = f"NVIDIA GPU: {device}, {free / GB:.1f} GB of {total / GB:.1f} GB free"
    if free < LOW_GPU_MEMORY:
        fix = "Shut down the kernels and programs that hold its memory; `nvidia-smi` lists them."
        return warning(name, message, fix)
    return ok(name, message)


def _examine_cpu(torch):
    name, threads, cores = "accelerator", torch.get_num_threads(), usable_cores()
    message = f"CPU, {_count(threads, 'thread')} of torch on {_count(cores, 'core')}"
    if "CUDA_VISIBLE_DEVICES" not in os.environ and _driver_lists_gpu():
        fix = "Install a torch built for CUDA (https://pytorch.org/get-started/locally) or update "
        fix += "the NVIDIA driver. The quick profile runs well without."
        return warning(name, f"{message}; there is an NVIDIA GPU that torch cannot use", fix)
    if threads < min(2, cores):
        fix = "Unset OMP_NUM_THREADS and MKL_NUM_THREADS, then restart the kernel. Large networks "
        fix += "train faster on all cores."
        return warning(name, message, fix)
    if front_end() is FrontEnd.COLAB:
        return ok(name, f"{message}; for a GPU: Runtime > Change runtime type")
    return ok(name, f"{message}; the quick profile is made for this")


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _driver_lists_gpu():
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    try:
        listing = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=1)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listing.returncode == 0 and listing.stdout.startswith("GPU ")


def memory() -> tuple[int, int]:
    """Return the bytes of memory available and in total, within a container's limit."""
    import psutil

    machine = psutil.virtual_memory()
    for limit_file, used_file, stat_file, reclaimable in CGROUPS:
        try:
            limit = int((CGROUP_FOLDER / limit_file).read_text())  # "max": no limit
            used = int((CGROUP_FOLDER / used_file).read_text())
            lines = (CGROUP_FOLDER / stat_file).read_text().splitlines()
            used -= int(dict(line.split() for line in lines).get(reclaimable, 0))
        except (OSError, ValueError):
            continue
        if limit < machine.total:
            return min(machine.available, max(0, limit - used)), limit
    return machine.available, machine.total


def check_memory():
    """Yield whether enough memory is available."""
    available, total = memory()
    message = f"{available / GB:.1f} GB of {total / GB:.1f} GB available"
    if available >= LOW_MEMORY:
        yield ok("memory", message)
        return
    fix = "Shut down other notebooks' kernels, close other programs, and stay with the quick "
    fix += "profile. If a kernel dies, open the lesson on Colab."
    yield warning("memory", f"{message}; {LOW_MEMORY / GB:.0f} GB are comfortable", fix)


def check_disk():
    """Yield whether the disk of the cache folder has room."""
    free = shutil.disk_usage(_existing(settings.cache_dir())).free
    message = f"{free / GB:.1f} GB free where the cache is"
    if free >= LOW_DISK:
        yield ok("disk", message)
        return
    fix = "Free some space, or set TRANSFER_LIB_HOME to a folder on another disk."
    yield warning("disk", f"{message}; the full profile needs {LOW_DISK / GB:.0f} GB", fix)


def check_cache():
    """Yield where downloads are kept, how much is there, and whether it can be written."""
    folder = settings.cache_dir()
    if reason := _why_not_writable(folder):
        fix = "Set TRANSFER_LIB_HOME to a folder that you can write to, then restart the kernel."
        yield warning("cache", f"{short(folder)} cannot be written: {reason}", fix)
        return
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    contents = f"{_count(len(sizes), 'file')}, {_size(sum(sizes))}" if sizes else "empty"
    yield ok("cache", f"{short(folder)} ({contents})")


def check_cached_files():
    """Yield for each data set whether it is on this machine."""
    from transfer_lib import data

    for dataset in data.names():
        entry, name = data.info(dataset), f"data {dataset}"
        try:
            place = data.where(dataset)
            if entry.embedded:
                data.fetch(dataset)  # only checks that the file is there and whole
        except settings.SettingError as error:
            yield skipped(name, str(error), "Mend the variable, then run the doctor again.")
        except data.DataError as error:
            yield failed(name, str(error), "Install the package that is named here again.")
        else:
            note = "; the full profile downloads it" if place == "not downloaded" else ""
            yield ok(name, f"{place}, {_size(entry.size)}{note}")


def check_progress():
    """Yield whether the progress file can be read and written. It is left as it is."""
    path, name = settings.progress_file(), "progress"
    if reason := _why_not_writable(path.parent):
        fix = "Set TRANSFER_LIB_HOME to a folder that you can write to. The exercises work anyway."
        yield warning(name, f"will not be kept: {short(path)} cannot be written: {reason}", fix)
        return
    try:
        rows = json.loads(path.read_text("utf8"))["exercises"]
        solved = sum(row["outcome"] == "right" for row in rows.values())
    except FileNotFoundError:
        yield ok(name, f"nothing recorded yet; it will be kept in {short(path)}")
    except OSError as error:
        fix = "Make the file readable for you, or delete it to start afresh."
        yield warning(name, f"{short(path)} cannot be read: {error.strerror or error}", fix)
    except (ValueError, KeyError, TypeError, AttributeError):
        fix = "Go on: at the next exercise it is set aside and a new file is started."
        yield warning(name, f"{short(path)} is damaged", fix)
    else:
        yield ok(name, f"{_count(solved, 'exercise')} right, {len(rows)} tried ({short(path)})")


def check_variables():
    """Yield whether the course's environment variables have values that they can have."""
    wrong = [_setting(settings.profile), _setting(settings.seed), _setting(settings.data_dir)]
    wrong += [_examine_home(), _examine_strict(), _examine_claims()]
    prefix = f"{settings.APP.upper()}_"
    used = sorted(name for name in os.environ if name.startswith(prefix))
    for name in used:
        if name.removeprefix(prefix) not in VARIABLES:
            known = ", ".join(prefix + known for known in VARIABLES)
            fix = f"Unset it, or correct its name. There are: {known}."
            wrong.append(warning("variables", f"{name} is not a variable of the course", fix))
    wrong = [finding for finding in wrong if finding]
    yield from wrong
    if not wrong:
        secret = f"{prefix}SOURCE"  # an address can hold a password
        values = [name if name == secret else f"{name}={os.environ[name]}" for name in used]
        yield ok("variables", ", ".join(values).replace(str(Path.home()), "~") or "none set")


def _setting(read):
    try:
        read()
    except settings.SettingError as error:
        problem, _, fix = str(error).partition(". ")
        return failed("variables", problem, fix or "Correct it or unset it; restart the kernel.")
    return None


def _examine_home():
    home = settings.home_dir()
    if home is None:
        return None
    if home.exists() and not home.is_dir():
        fix = "Set it to a folder, or unset it."
        return failed("variables", f"TRANSFER_LIB_HOME is {short(home)}, which is a file", fix)
    if not home.is_absolute():
        message = f"TRANSFER_LIB_HOME is {str(home)!r}: another folder for each working directory"
        return warning("variables", message, f"Set it to a full path such as {home.absolute()}.")
    return None


def _examine_strict():
    value = os.environ.get("TRANSFER_LIB_STRICT", "").strip()
    if value in ("", "0", "1"):
        return None
    message = f"TRANSFER_LIB_STRICT is {value!r}, which counts as 1"
    return warning("variables", message, "Set it to 1 (under tests) or unset it.")


def _examine_claims():
    path = settings.claims_file()
    if path is None or path.parent.is_dir():
        return None
    message = f"TRANSFER_LIB_CLAIMS is in a folder that does not exist: {short(path.parent)}"
    return failed("variables", message, "Make that folder, or unset the variable.")


def _existing(path):
    """Return the nearest folder above that exists."""
    return next(place for place in (path, *path.absolute().parents) if place.exists())


def _why_not_writable(folder):
    """Return why no file can be made in a folder, or would be if it were made; else None."""
    place = _existing(folder)
    if not place.is_dir():
        return f"{short(place)} is a file"
    try:
        with tempfile.TemporaryFile(dir=place):  # os.access is wrong on read-only disks
            return None
    except OSError as error:
        return error.strerror or str(error)


def _count(number, noun):
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _size(count):
    return f"{count / 1e6:.1f} MB" if count < GB else f"{count / GB:.1f} GB"
