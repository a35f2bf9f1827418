"""A trial in the queue: what it is born with, and what follows an attempt that came to no end."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from optuna.trial import FrozenTrial

from automl.skill.tree import ParamValue
from automl.study import attributes
from automl.study.measured import Judged, history_of
from automl.study.records import Measurement

__all__ = ["QueuedTrial", "continued", "drawn", "fixed_by_others"]

# Where Optuna keeps the values of a trial that somebody else put into the queue.
_OPTUNA_FIXED = "fixed_params"


@dataclass(frozen=True, slots=True)
class QueuedTrial:
    """A trial in the queue.

    Attributes:
        number: Logical number, from 0.
        source: Why it is tried.
        attempt: From 1.
        draw: Proposals thrown away for this number so far.
        fixed: Values that are not drawn, by Optuna's parameter name.
        params: Dotted key to value where they are known already.
        outside: Why ``params`` are not in the space; empty if they are, or are yet to be drawn.
        resume_from: Checkpoint to continue from, relative to the study folder.
        history: Measurements up to that checkpoint.
        confirms: The trial whose params are trained again; None of the search itself.
        seed: What such a training is seeded with.
        audited: Why it would have ended, where it goes on so that this can be checked.
        goes_on: Why it goes on after it was paused.
        judged: What the same attempt has measured already, where its training goes on unseen.
    """

    number: int
    source: str = attributes.SOURCE_SAMPLER
    attempt: int = 1
    draw: int = 0
    fixed: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, ParamValue] | None = None
    outside: str = ""
    resume_from: str | None = None
    history: tuple[Measurement, ...] = ()
    confirms: int | None = None
    seed: int | None = None
    audited: str = ""
    goes_on: str = ""
    judged: tuple[Judged, ...] = ()

    def attrs(self) -> dict[str, Any]:
        """What the trial is born with."""
        attrs: dict[str, Any] = {
            attributes.NUMBER: self.number,
            attributes.SOURCE: self.source,
            attributes.ATTEMPT: self.attempt,
            attributes.DRAW: self.draw,
        }
        optional = {
            attributes.FIXED: dict(self.fixed),
            attributes.PARAMS: None if self.params is None else dict(self.params),
            attributes.OUTSIDE: self.outside,
            attributes.RESUME_FROM: self.resume_from,
            attributes.HISTORY: [entry.to_json() for entry in self.history],
            attributes.CONFIRMS: self.confirms,
            attributes.SEED: self.seed,
            attributes.AUDITED: self.audited,
            attributes.GOES_ON: self.goes_on,
            **{each.name: each.to_json() for each in self.judged},
        }
        known = {name: value for name, value in optional.items() if value not in (None, "", [])}
        return attrs | known

    @classmethod
    def of(cls, trial: FrozenTrial) -> "QueuedTrial":
        """What was queued for a trial."""
        attrs = trial.user_attrs
        return cls(
            number=int(attrs[attributes.NUMBER]),
            source=str(attrs.get(attributes.SOURCE, attributes.SOURCE_SAMPLER)),
            attempt=int(attrs.get(attributes.ATTEMPT, 1)),
            draw=int(attrs.get(attributes.DRAW, 0)),
            fixed=attrs.get(attributes.FIXED, {}),
            params=attrs.get(attributes.PARAMS),
            outside=str(attrs.get(attributes.OUTSIDE, "")),
            resume_from=attrs.get(attributes.RESUME_FROM),
            history=history_of(trial),
            confirms=attrs.get(attributes.CONFIRMS),
            seed=attrs.get(attributes.SEED),
            audited=str(attrs.get(attributes.AUDITED, "")),
            goes_on=str(attrs.get(attributes.GOES_ON, "")),
        )


def fixed_by_others(trial: FrozenTrial) -> dict[str, Any]:
    """The values that another process gave a trial which it put into the queue."""
    return dict(trial.system_attrs.get(_OPTUNA_FIXED, {}))


def continued(
    trial: FrozenTrial,
    queued: QueuedTrial,
    resume_from: str | None,
    history: tuple[Measurement, ...],
) -> QueuedTrial:
    """The attempt after an interrupted or paused one: the same params, not drawn again.

    Args:
        trial: The start that came to no end.
        queued: What was queued for it.
        resume_from: Checkpoint to continue from; None to start again.
        history: Measurements up to that checkpoint.
    """
    return replace(
        drawn(trial, queued),
        attempt=queued.attempt + 1,
        resume_from=resume_from,
        history=history if resume_from else (),
    )


def drawn(trial: FrozenTrial, queued: QueuedTrial) -> QueuedTrial:
    """The same attempt, to be queued with the parameters that were drawn for it."""
    return replace(queued, fixed=trial.params, params=trial.user_attrs.get(attributes.PARAMS))
