"""What an engine answers when it does not do as asked, in words that a trainer can act on.

The engine may go away and come back while a container runs (it is restarted, a connection breaks):
``EngineAway`` says so, and the caller that waits for a container asks again.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from automl.study.records import FailureClass
from automl.trainers.base import CannotStart

__all__ = [
    "CONFLICT",
    "SOCKET",
    "TIMEOUT_S",
    "ContainerGone",
    "EngineAway",
    "engine_call",
    "message_of",
    "refusals",
]

SOCKET = "/var/run/docker.sock"
#: Status of an answer that a container is not in the state that the request needs.
CONFLICT = 409
#: Seconds that one answer may take; a stop by the engine is never asked for.
TIMEOUT_S = 60

#: Text of an error of the engine to the class of failure that it is.
_CLASSES: Sequence[tuple[str, FailureClass]] = (
    ("could not select device driver", FailureClass.GPU),
    ("nvidia-container", FailureClass.GPU),
    ("bind source path does not exist", FailureClass.DATA),
    ("no space left on device", FailureClass.DISK),
)


class EngineAway(OSError):
    """The engine does not answer."""


class ContainerGone(LookupError):
    """There is no such container any more."""


@contextmanager
def engine_call() -> Iterator[None]:
    """Turns every way in which an engine fails to answer into ``EngineAway``."""
    import requests
    import urllib3
    from docker.errors import APIError, DockerException, NotFound

    try:
        _check_socket(os.environ.get("DOCKER_HOST", ""))
        yield
    except EngineAway:
        raise
    except NotFound as error:
        raise ContainerGone(message_of(error)) from error
    except APIError as error:
        if _is_away(error):
            raise EngineAway(message_of(error)) from error
        raise
    except (
        *(DockerException, requests.RequestException),
        *(urllib3.exceptions.HTTPError, OSError),
    ) as error:
        raise EngineAway(message_of(error)) from error


def _check_socket(host: str) -> None:
    """Fails where nothing listens; the docker package would leave a socket open at each try.

    Raises:
        OSError: Nothing listens.
    """
    if not host or host.startswith("unix://"):
        path = host.removeprefix("unix://") or SOCKET
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(TIMEOUT_S)
            try:
                probe.connect(path)
            except FileNotFoundError as error:
                raise OSError(f"no socket {path}") from error


def _is_away(error: Any) -> bool:
    """Whether an error's answer is that of an engine that shuts down."""
    return "shutting down" in message_of(error) or error.status_code == 503


def message_of(error: Any) -> str:
    """What an error says, in one line; the engine's own words where it answered."""
    text = str(getattr(error, "explanation", "") or error)
    return " ".join(text.split())


@contextmanager
def refusals(image: str) -> Iterator[None]:
    """Turns the engine's refusals into a failure with its class."""
    from docker.errors import APIError

    try:
        with engine_call():
            yield
    except ContainerGone as error:
        raise CannotStart(
            FailureClass.IMAGE, f"the engine has no image {image}: {error}"
        ) from error
    except APIError as error:
        text = message_of(error)
        failure = next((known for part, known in _CLASSES if part in text), FailureClass.IMAGE)
        hint = ": the engine has no NVIDIA runtime" if "device driver" in text else ""
        raise CannotStart(failure, f"the engine refused the container{hint}: {text}") from error
