"""What an exception that left Ray means: Ray failed on this machine, or our own code did."""

from types import TracebackType
from typing import TypeGuard

from automl.errors import AutomlError

__all__ = ["is_ours", "raised_by_worker", "said"]

_PACKAGE = __name__.partition(".")[0]
_LONGEST = 200
#: What Ray says of an actor whose constructor raised an exception.
_IN_CREATION = "error raised in its creation task"


def is_ours(error: BaseException) -> bool:
    """Whether this package's own code raised an exception, and not what it had called."""
    return isinstance(error, AutomlError) or _module_that_raised(error.__traceback__) == _PACKAGE


def raised_by_worker(error: BaseException | None) -> TypeGuard[BaseException]:
    """Whether a worker's own Python raised it, so that the worker was not killed."""
    from ray.exceptions import RayActorError, RayTaskError

    if isinstance(error, RayActorError):
        return _IN_CREATION in str(error)
    return isinstance(error, RayTaskError)


def _module_that_raised(trace: TracebackType | None) -> str:
    name = ""
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        trace = trace.tb_next
    return name.partition(".")[0]


def said(error: BaseException) -> str:
    """What an exception of Ray's says, in one line.

    Ray hands on the texts of whole tracebacks, whose last line says what happened.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    kind = type(error).__name__
    text = last if len(lines) > 1 else f"{kind}: {last}" if last else kind
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
