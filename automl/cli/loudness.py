"""How much a command says beside its result: ``-q`` less, ``-v`` more."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["is_quiet", "is_verbose", "loudness"]

_LOUDNESS: ContextVar[int] = ContextVar("loudness", default=0)
_PACKAGE = "automl"


def is_quiet() -> bool:
    """Whether only results and errors are wanted."""
    return _LOUDNESS.get() < 0


def is_verbose() -> bool:
    """Whether the causes of errors and the package's own log are wanted too."""
    return _LOUDNESS.get() > 0


@contextmanager
def loudness(level: int) -> Iterator[None]:
    """Says so much inside the block.

    Args:
        level: Below 0 for less, above 0 for more.
    """
    token = _LOUDNESS.set(level)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    log = logging.getLogger(_PACKAGE)
    before = log.level
    if level > 0:
        log.setLevel(logging.DEBUG)
        log.addHandler(handler)
    try:
        yield
    finally:
        _LOUDNESS.reset(token)
        log.setLevel(before)
        log.removeHandler(handler)
