"""``automl doctor --fix``: each thing is said, asked for, and done or left alone."""

import sys
from typing import TYPE_CHECKING, Any

from automl.errors import AutomlError
from automl.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from automl.app.doctor_fix import Fix

__all__ = ["apply_fixes"]


def apply_fixes(fixes: "Iterable[Fix]", *, yes: bool) -> list[dict[str, Any]]:
    """Says what each fix does and why, and does what is agreed to.

    Args:
        fixes: What can be put in order.
        yes: Whether nothing is asked.

    Returns:
        For each: ``what``, ``why``, ``done``, and ``error`` where it could not be done.
    """
    told = []
    for fix in fixes:
        _say(f"fix: {fix.what} ({fix.why})")
        done, error = False, ""
        if yes or _agreed():
            try:
                fix.apply()
                done = True
            except (AutomlError, OSError) as failed:
                error = str(failed)
                _say(f"     could not be done: {error}")
        else:
            _say("     left alone" + ("" if sys.stdin.isatty() else "; --yes does it"))
        told.append({"what": fix.what, "why": fix.why, "done": done, "error": error})
    if not told:
        _say("fix: nothing here needs it")
    return told


def _agreed() -> bool:
    """Whether a person at the terminal says yes; nobody there says no."""
    if not sys.stdin.isatty():
        return False
    print("     do it? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _say(text: str) -> None:
    print(visible(text, keep=""), file=sys.stderr)
