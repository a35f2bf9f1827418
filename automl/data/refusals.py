"""What a store of data on another machine refused, in this program's words.

The clients of the stores have errors of their own: a web server that nobody reaches is told by
``fsspec`` as a missing file, and the errors of S3's client are no ``OSError``. What decides is the
first error of the chain, the one that all the others were raised from.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from automl.errors import AutomlError, FixInput, PrepareMachine

__all__ = ["explained"]

_QUERY = re.compile(r"\?[^\s'\")]+")
_FORBIDDEN = (401, 403, 407)
_GONE = (404, 410)


@contextmanager
def explained(shown: str, *, has_begun: bool = False) -> Iterator[None]:
    """Says in this program's words what a store refused.

    Args:
        shown: The address, as it may be written down.
        has_begun: Whether the store has answered before.

    Raises:
        FixInput: Nothing is there, or it may not be read.
        PrepareMachine: Nobody answers, or the connection broke.
    """
    try:
        yield
    except _known() as error:
        raise _told(_first(error), shown, has_begun=has_begun) from error


def _first(error: BaseException) -> BaseException:
    """What a missing file was raised from, where that is a connection that failed."""
    while isinstance(error, FileNotFoundError) and isinstance(error.__cause__, _known()):
        error = error.__cause__
    return error


def _told(error: BaseException, shown: str, *, has_begun: bool) -> AutomlError:
    status = getattr(error, "status", None)
    if isinstance(error, FileNotFoundError) or status in _GONE:
        return FixInput("data must lie at the address that is given", got=f"nothing at {shown}")
    if isinstance(error, _refusals()) or status in _FORBIDDEN:
        return FixInput(
            "data at an address must be readable from here",
            got=_words(error),
            where=shown,
            fix="give credentials through the environment, as the store's own tools take them",
        )
    got = f"{type(error).__name__}: {_words(error)}".rstrip(": ")
    if has_begun:
        return PrepareMachine(
            "data must be fetched from its address",
            got=got,
            where=shown,
            fix="try again: nothing half was kept",
        )
    return PrepareMachine(
        "the server of the data must be reachable from this machine",
        got=got,
        where=shown,
        fix="check the address and this machine's network; or bring the data here yourself",
    )


def _words(error: BaseException) -> str:
    """What an error says; without the queries of addresses, which may hold a token."""
    return _QUERY.sub("", " ".join(str(error).split()))


def _known() -> tuple[type[Exception], ...]:
    return *_refusals(), *_transfer_errors()


def _refusals() -> tuple[type[Exception], ...]:
    """What a store raises that lets nobody in; S3's client has no ``PermissionError`` for it."""
    s3 = sys.modules.get("botocore.exceptions")
    own = (PermissionError,)
    return own if s3 is None else (*own, s3.NoCredentialsError, s3.PartialCredentialsError)


def _transfer_errors() -> tuple[type[Exception], ...]:
    """What a broken connection raises; the clients' own errors are no ``OSError``."""
    http, s3 = sys.modules.get("aiohttp"), sys.modules.get("botocore.exceptions")
    found: list[type[Exception]] = [OSError, EOFError]
    found += [] if http is None else [http.ClientError, TimeoutError]
    found += [] if s3 is None else [s3.BotoCoreError]
    return tuple(found)
