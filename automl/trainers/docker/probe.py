"""Whether the engine gives GPUs: a container that asks for them as a trial's does, and ends.

A list of the engine's runtimes is no proof: GPUs are handed over by a hook that the engine looks
for when a container asks, and what fails then fails for a reason that only the attempt shows.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from automl.study.records import FailureClass
from automl.trainers.base import CannotStart
from automl.trainers.docker.engine import DockerEngine
from automl.trainers.docker.errors import ContainerGone, EngineAway
from automl.trainers.docker.facts import ContainerState

__all__ = ["Probed", "probe_gpus"]

_END_S = 30.0
_POLL_S = 0.05
#: Codes by which a container's first process says that it found no such program.
_NO_PROGRAM = (126, 127)
_UUID = "GPU-"


@dataclass(frozen=True, slots=True)
class Probed:
    """What became of a probe container.

    Attributes:
        gpus: Ids or UUIDs of the GPUs that it asked for.
        refusal: Why it got none, in the engine's own words; empty if it was started.
        failure: The class of the refusal; None if it was started or the engine did not answer.
        seconds: From the request until it ran.
        uuids: The GPUs that it saw; None where its image has no ``nvidia-smi``.
        error: What ``nvidia-smi`` said inside where it failed; else empty.
    """

    gpus: tuple[str, ...]
    refusal: str = ""
    failure: FailureClass | None = None
    seconds: float = 0.0
    uuids: tuple[str, ...] | None = None
    error: str = ""


def probe_gpus(engine: DockerEngine, image: str, gpus: Sequence[str]) -> Probed:
    """Starts a container that asks for GPUs, waits for its end, and removes it in any case.

    Args:
        engine: The engine.
        image: An image that the engine has.
        gpus: Ids or UUIDs of the GPUs.
    """
    begin = time.monotonic()
    try:
        container = engine.create_probe(image, gpus)
        try:
            engine.start(container, image)
            seconds = time.monotonic() - begin
            uuids, error = _seen(engine, container)
        finally:
            engine.remove(container)
    except CannotStart as refused:
        return Probed(tuple(gpus), str(refused), refused.failure)
    except EngineAway as away:
        return Probed(tuple(gpus), str(away))
    return Probed(tuple(gpus), seconds=seconds, uuids=uuids, error=error)


def _seen(engine: DockerEngine, container: str) -> tuple[tuple[str, ...] | None, str]:
    """The UUIDs that a probe has listed, and its last line where it failed."""
    try:
        state = _ended(engine, container)
        if state is None or state.exit_code in _NO_PROGRAM:
            return None, ""
        text = b"".join(engine.logs(container)).decode(errors="replace")
    except ContainerGone:
        return None, ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if state.exit_code:
        return None, lines[-1] if lines else f"exit code {state.exit_code}"
    return tuple(line for line in lines if line.startswith(_UUID)), ""


def _ended(engine: DockerEngine, container: str) -> ContainerState | None:
    """The last state of a container; None if it does not end."""
    deadline = time.monotonic() + _END_S
    while time.monotonic() < deadline:
        state = engine.state(container)
        if state.has_ended:
            return state
        time.sleep(_POLL_S)
    return None
