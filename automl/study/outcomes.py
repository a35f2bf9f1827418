"""``outcome.json``: how an attempt ended, written once and read strictly."""

from typing import Any

from automl.files import write_json
from automl.jsontext import read_json
from automl.study.layout import AttemptPaths
from automl.study.records import Outcome

__all__ = ["read_outcome", "write_outcome"]


def write_outcome(paths: AttemptPaths, outcome: Outcome) -> Outcome:
    """Writes how the attempt ended, whole or not at all; the first outcome of an attempt stands.

    Returns:
        The outcome that stands: the one that was there already, else the given one.

    Raises:
        ValueError: A measurement is not finite.
    """
    earlier, _ = read_outcome(paths)
    if earlier is None:
        write_json(paths.outcome, outcome.to_json())
    return earlier or outcome


def read_outcome(paths: AttemptPaths) -> tuple[Outcome | None, str]:
    """How the attempt ended, and a note if its file says nothing that can be trusted.

    Returns:
        The outcome and an empty note; or None, with a note where a file is there but broken: it
        then counts as absent, because a wrong outcome would be worse than a repeated attempt.
    """
    try:
        return Outcome.from_json(read_json(paths.outcome, finite=True, follow=False)), ""
    except FileNotFoundError:
        return None, ""
    except (OSError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        return None, _note(paths, error)


def _note(paths: AttemptPaths, error: Exception) -> str:
    detail: Any = error.args[0] if isinstance(error, KeyError) and error.args else error
    return f"{paths.outcome} counts as absent: {type(error).__name__}: {detail}"
