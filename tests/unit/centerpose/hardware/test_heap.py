"""The heap of a training on a CPU, in processes of their own."""

import platform
import subprocess
import sys

import pytest

PAGES = """
import resource, sys
import numpy as np
from automl.centerpose.hardware.heap import give_back, keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(8):
        np.ones(12 << 20, np.uint8)
        np.ones(80 << 20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
def resident_mib():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() >> 20
faults()
again, held = faults(), resident_mib()
give_back()
print(again, held - resident_mib())
"""


def measured(mode: str) -> tuple[int, int]:
    """Page faults of arrays like some before, and MiB given back."""
    command = [sys.executable, "-c", PAGES, mode]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    faults, freed = done.stdout.split()
    return int(faults), int(freed)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_arrays_take_the_pages_of_those_before_until_they_are_given_back() -> None:
    usual, _ = measured("plain")
    kept, freed = measured("keep")
    assert kept < 100 < usual
    assert freed >= 80
