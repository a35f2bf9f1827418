"""Lines of a check-up that trainers have in common."""

from collections.abc import Iterator, Sequence

from automl.checkup import Check, Result
from automl.trainers.base import Problem

__all__ = ["check_problems", "check_shared_memory"]

_GIB = 1 << 30


def check_problems(trainer: str, problems: Sequence[Problem]) -> Iterator[Check]:
    """What the trainer itself finds wrong before it is started."""
    for problem in problems:
        detail = problem.rule + (f", but got {problem.got}" if problem.got else "")
        yield Check("trainer", Result.FAIL, detail, problem.fix)
    if not problems:
        yield Check("trainer", Result.OK, f"{trainer} can be started")


def check_shared_memory(available_bytes: int, needed_bytes: int) -> Check:
    """Shared memory of this machine for the loaders of the trials that run at the same time."""
    name, needed = "shared memory", f"{needed_bytes / _GIB:.1f} GiB may be wanted"
    detail = f"{available_bytes / _GIB:.1f} GiB in /dev/shm, {needed}"
    if available_bytes >= needed_bytes:
        return Check(name, Result.OK, detail)
    fix = "lower the number of data workers or --max-concurrent, or mount a larger /dev/shm"
    return Check(name, Result.WARN, detail, fix)
