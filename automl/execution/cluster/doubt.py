"""What it means that a worker gave no answer but an error; not all of it is known at once."""

import time
from dataclasses import dataclass

from automl.errors import AutomlError, ResumeLater
from automl.execution.cluster.losses import Loss
from automl.execution.ray_errors import said

__all__ = ["Doubt", "doubt_of"]

#: Seconds after the end of a worker within which its node may turn out to have died: Ray notices
#: that by health checks, five of them three seconds apart.
_DOUBT_S = 3.0
_DOUBT_UNAVAILABLE_S = 27.0


@dataclass(frozen=True, slots=True)
class Doubt:
    """A worker that is gone, and whose node may be.

    Attributes:
        until: When it counts as gone alone, by the monotonic clock.
        loss: How it was lost then.
        because: The same, as part of a sentence.
    """

    until: float
    loss: Loss
    because: str


def doubt_of(error: Exception) -> Doubt:
    """What the error of a worker may mean.

    Args:
        error: As Ray raised it; what the worker itself raised is its cause.
    """
    from ray.exceptions import ActorDiedError, ActorUnavailableError, OutOfMemoryError

    now = time.monotonic()
    if isinstance(error, ActorUnavailableError):
        return Doubt(now + _DOUBT_UNAVAILABLE_S, Loss.SILENT, str(Loss.SILENT))
    cause = getattr(error, "cause", None)
    if isinstance(cause, ResumeLater):
        return Doubt(now + _DOUBT_S, Loss.STORE, f"{Loss.STORE} ({cause.got})")
    if isinstance(error, OutOfMemoryError):
        why = ": Ray ended it because its node was running out of memory"
    elif isinstance(error, ActorDiedError):
        why = ""  # what Ray says then is a paragraph about Ray
    elif isinstance(cause, AutomlError):
        why = f" ({cause.rule}, got {cause.got or cause.where})"
    else:
        why = f" ({said(error)})"
    return Doubt(now + _DOUBT_S, Loss.WORKER, f"{Loss.WORKER}{why}")
