"""Memory: what a training would need, told before it begins; and arrays that are made and freed at every step."""

import ctypes
import sys
from pathlib import Path

from rnn_pipelines.errors import ParameterError

# Parameters of glibc's mallopt, and the greatest size that it takes for the first.
M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -3, -1
MAX_MMAP_THRESHOLD = 2**25
KEPT_BYTES = 2**30


def keep_freed_memory() -> None:
    """Has the C library keep freed memory for the next arrays, up to 1 GiB, for as long as the process lives.

    By default it gives arrays back to the system at once, which then clears the same pages anew at every step: a third
    of the time of a training of small networks. Only glibc has the switch; elsewhere nothing happens.

    Source: mallopt(3).
    """
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(M_MMAP_THRESHOLD, MAX_MMAP_THRESHOLD)
        library.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


# Limits of the container's memory, and what of it is taken, where there is one.
CGROUP_LIMITS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),
)


def require_memory(num_bytes: float, what: str, remedy: str) -> None:
    """Ends a run before it takes more memory than there is, because the system would end it without a word.

    Args:
        num_bytes: that are needed, about.
        what: needs them.
        remedy: what needs less.
    Raises:
        ParameterError: there is less; the message holds both figures.
    """
    free = find_free_bytes()
    if num_bytes > free:
        raise ParameterError(
            f"{what} needs about {num_bytes / 2**30:,.0f} GiB of memory, and this machine has {free / 2**30:,.1f} GiB "
            f"free. Less {remedy} need less."
        )


def find_free_bytes() -> int:
    """Memory that this process can still take: that of the machine, or of the container that it runs in."""
    import psutil

    free = int(psutil.virtual_memory().available)
    for limit, taken in CGROUP_LIMITS:
        if limit.is_file() and taken.is_file() and limit.read_text().strip().isdecimal():
            free = min(free, max(0, int(limit.read_text()) - int(taken.read_text())))
    return free


def estimate_recurrent_bytes(num_gates: int, num_inputs: int, units: int, time: int, batch: int) -> float:
    """What one recurrent layer takes in training, float32.

    Of each weight there are five (itself, its gradient, Adam's two means, their running mean), and as many for a
    moment; of each step and window, on the way there and back, the inputs and gates twice, and the states three times.

    Args:
        num_gates: of the cell, 1 to 4.
        num_inputs: that it reads at a step.
        units: its width.
        time, batch: steps, and windows or texts, of a gradient step.
    """
    width = num_gates * units
    weights = (num_inputs + units + 2) * width
    return 4.0 * (8 * weights + time * batch * (2 * num_inputs + 3 * width + 3 * units))
