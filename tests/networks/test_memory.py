"""Memory that arrays free is there for the next ones."""

import platform
import subprocess
import sys

import pytest

COUNT_FAULTS = """
import resource, sys
import numpy as np
from rnn_pipelines.networks.memory import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
def step():
    arrays = [np.ones(2**17) for _ in range(20)]
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def count_faults(mode: str) -> int:
    """Pages that the system gave for 20 steps after the first, of 20 arrays of 1 MiB each; in a process of its own."""
    command = [sys.executable, "-c", COUNT_FAULTS, mode]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has the switch")
def test_arrays_of_the_next_step_ask_for_no_new_pages() -> None:
    assert count_faults("kept") < 10_000 < count_faults("as it is")
