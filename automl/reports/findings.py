"""What follows from the trials of a study: the winner, its rivals, the failures, the cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from automl.reports.calling import wrapped
from automl.reports.confirmation import Confirmed
from automl.reports.weighed import Weighed
from automl.skill.tree import ParamValue
from automl.study.records import FailureClass, TrialState

__all__ = [
    "NOT_BEATEN",
    "ONE_SEED",
    "UNCHALLENGED",
    "Change",
    "Command",
    "Cost",
    "EarlyEnds",
    "EdgeHint",
    "FailureGroup",
    "IncumbentPoint",
    "Winner",
]

#: What the difference of two trainings is worth.
ONE_SEED = "not confirmed: one seed each"
NOT_BEATEN = "the default settings were not beaten"
UNCHALLENGED = "nothing challenged the default settings: no other trial ran to its end"


@dataclass(frozen=True, slots=True)
class Change:
    """One parameter in which the winner differs from trial 0."""

    key: str
    base: ParamValue
    value: ParamValue


@dataclass(frozen=True, slots=True)
class Winner:
    """The trial that a study names as its best, measured against trial 0.

    Attributes:
        number: Its number.
        value: The objective at its best epoch.
        epoch: That epoch, zero-based.
        last_value: The objective at its last epoch.
        baseline: The objective of trial 0 at its own best epoch; None if trial 0 has none.
        difference: ``value - baseline``, in the metric's own direction.
        note: What keeps a reader from taking the difference for more than it is.
        changes: The parameters that differ from trial 0's, in the order of the space.
        spec: Its complete spec, relative to the study folder; empty if the file is gone.
        checkpoint: Checkpoint of its best epoch, relative to the study folder; empty if none.
        checkpoint_sha256: SHA-256 of that file, once ``best/`` holds it; else empty.
        confirmed: What trainings with other seeds say; None if there were none.
        weighed: What it is worth by all trials together; None where they are too few to tell.
    """

    number: int
    value: float
    epoch: int | None
    last_value: float | None
    baseline: float | None
    difference: float | None
    note: str
    changes: tuple[Change, ...] = ()
    spec: str = ""
    checkpoint: str = ""
    checkpoint_sha256: str = ""
    confirmed: Confirmed | None = None
    weighed: Weighed | None = None

    @property
    def mean(self) -> float | None:
        """The mean over fresh seeds, which leads wherever there is one."""
        return None if self.confirmed is None else self.confirmed.winner.mean


@dataclass(frozen=True, slots=True)
class IncumbentPoint:
    """One usable trial on the way to the winner.

    Attributes:
        number: The trial that ended.
        value: Its own best value.
        best: The best value of all that had ended by then.
        spent_s: Training seconds of all trials, usable or not, that had ended by then.
    """

    number: int
    value: float
    best: float
    spent_s: float


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """All trials that failed for one reason.

    Attributes:
        failure: The class.
        numbers: The trials.
        seconds: Training time lost with them.
        gpu_seconds: GPU time lost with them.
        example: The evidence line of the first of them.
        advice: What to do about it: of the known error that the example shows, else of the class.
        cause: What happened, if the example shows a known error; else empty.
    """

    failure: FailureClass
    numbers: tuple[int, ...]
    seconds: float
    gpu_seconds: float
    example: str
    advice: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the study took.

    Attributes:
        wall_s: From each driver's start to its end, added up; pauses between drivers do not count.
            Where no driver wrote it down, the time during which at least one attempt ran.
        seconds: Training time of all trials added up.
        gpu_seconds: GPU time of all trials added up.
        seconds_by_state: Training time by the state the trials are in.
        gpu_seconds_by_state: GPU time by that state.
        busy_s: The part of the wall time during which at least one attempt ran.
    """

    wall_s: float = 0.0
    seconds: float = 0.0
    gpu_seconds: float = 0.0
    seconds_by_state: Mapping[TrialState, float] = field(default_factory=dict)
    gpu_seconds_by_state: Mapping[TrialState, float] = field(default_factory=dict)
    busy_s: float = 0.0


@dataclass(frozen=True, slots=True)
class EarlyEnds:
    """What ending trials early has saved, and how often it was right.

    Attributes:
        numbers: The trials of the search that were stopped before their last epoch, or are paused.
        saved_epochs: Epochs that they were not trained.
        saved: The same as a share of what all trials would have been trained without rungs.
        saved_s: About how much training time, at each trial's own pace; None if not known.
        audited: Trials that would have ended early and were trained to their end instead, so that
            the decision could be checked.
        right: Those of them that did not beat the best of all others, so that nothing would have
            been lost.
        regret: By how much the best of ``audited`` beats the best of all others; 0 where none
            does.
        excused: Why rungs judge no more, of the newest trial that would have ended there; empty
            while all do.
    """

    numbers: tuple[int, ...]
    saved_epochs: int
    saved: float
    saved_s: float | None
    audited: tuple[int, ...] = ()
    right: tuple[int, ...] = ()
    regret: float = 0.0
    excused: str = ""


@dataclass(frozen=True, slots=True)
class EdgeHint:
    """The winner lies within 5 % of an end of a parameter's range, on the range's own scale."""

    key: str
    side: str
    bound: float
    value: float


@dataclass(frozen=True, slots=True)
class Command:
    """A command line that is ready to use.

    Attributes:
        name: What it does in a word: ``resume``, ``evaluate``, ``export``, ``retrain``,
            ``confirm``, ``best``, ``explain``, ``report``, ``repeat``.
        purpose: What it is for, in words for a reader.
        line: The command line.
    """

    name: str
    purpose: str
    line: str

    @property
    def shown(self) -> str:
        """The same in lines of at most 100 columns, which a shell reads as one."""
        return "\n".join(wrapped(self.line))
