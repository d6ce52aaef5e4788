"""Memory: checks before a training starts, and faster reuse of freed arrays."""

import ctypes
import sys
from pathlib import Path

from rnn_pipelines.errors import ParameterError

# Parameters of glibc's mallopt, and the largest value of the first.
M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -3, -1
MAX_MMAP_THRESHOLD = 2**25
KEPT_BYTES = 2**30


def keep_freed_memory() -> None:
    """Let the C library keep up to 1 GiB of freed memory for new arrays, until the process ends.

    By default it returns freed arrays to the system, which clears the same pages again at every step. This takes a
    third of the time of training small networks. It affects the whole process, so it is only called in Kedro's runs
    and in the workers of `fan_out`. Without glibc, this function does nothing. Source: mallopt(3).
    """
    if sys.platform.startswith("linux") and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(M_MMAP_THRESHOLD, MAX_MMAP_THRESHOLD)
        library.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def reuse_freed_memory() -> None:
    """Let glibc keep up to 64 MiB of freed memory, as it does by itself once it has freed a block of nearly 32 MiB."""
    bytes(MAX_MMAP_THRESHOLD - 2**16)


# Files of the container's memory limit and its memory in use, if there is a container.
CGROUP_LIMITS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)


def require_memory(num_bytes: float, what: str, remedy: str) -> None:
    """Raise a ParameterError with both figures if too little memory is free; the system would just kill the process.

    `what` names the computation, and `remedy` the parameters to reduce.
    """
    if num_bytes > (free := find_free_bytes()):
        raise ParameterError(
            f"{what} needs about {num_bytes / 2**30:,.0f} GiB of memory, and this machine has {free / 2**30:,.1f} GiB "
            f"free. Reduce {remedy}."
        )


def find_free_bytes() -> int:
    """Return the free memory in bytes: of the machine, or of the container if that is less."""
    import psutil

    free = int(psutil.virtual_memory().available)
    for limit, taken in CGROUP_LIMITS:
        if limit.is_file() and taken.is_file() and limit.read_text().strip().isdecimal():
            free = min(free, max(0, int(limit.read_text()) - int(taken.read_text())))
    return free


def estimate_recurrent_bytes(
    num_gates: int, num_inputs: int, units: int, time: int, batch: int
) -> float:
    """Return the memory of training one recurrent layer, float32, in bytes, with batches of examples of some steps.

    Each weight has five arrays (itself, its gradient, Adam's two means, the running mean), plus temporary ones. Each
    step of each example has its inputs and gates twice and its states three times, for both passes.
    """
    width = num_gates * units
    weights = (num_inputs + units + 2) * width
    return 4.0 * (8 * weights + time * batch * (2 * num_inputs + 3 * width + 3 * units))
