"""The words of a status line for each kind of failure."""

from automl.errors import AutomlError, FixData

__all__ = ["RankFailed", "failure_text", "is_expected"]


class RankFailed(Exception):
    """A process of the training ended without success; the message is that of a status line."""


def failure_text(error: Exception) -> str:
    """The text of a status line for a failure: a prefix by its kind, then what it says."""
    kinds: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
        (FixData, "Data error"),
        (AutomlError, "Configuration error"),
        (NotImplementedError, "Feature not implemented"),
        ((ValueError, TypeError), "Parameter validation error"),
        (OSError, "File system error"),
    )
    if isinstance(error, RankFailed):
        return str(error)
    for kind, prefix in kinds:
        if isinstance(error, kind):
            return f"{prefix}: {error}"
    return f"Unexpected error: {type(error).__name__}: {error}"


def is_expected(error: Exception) -> bool:
    """Whether the failure's own words say all, so that no traceback is needed."""
    return isinstance(error, AutomlError | NotImplementedError | RankFailed)
