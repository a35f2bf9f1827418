"""What a simulated search did: plain values, each with a JSON form."""

from dataclasses import asdict, dataclass
from typing import Any

from automl.search.decision import SearchEnd
from automl.study.records import TrialRecord

__all__ = ["Incumbent", "SimulatedEvent", "SimulatedTrial", "Simulation"]


@dataclass(frozen=True, slots=True)
class SimulatedTrial:
    """One trial and what was spent on it.

    Attributes:
        record: The trial as the study holds it at the end.
        n_epochs: Epochs that were trained, over all its attempts.
        seconds: Seconds that it held a place, over all its attempts.
    """

    record: TrialRecord
    n_epochs: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """A plain value."""
        return {
            "number": self.record.number,
            "state": str(self.record.state),
            "params": dict(self.record.params),
            "best_value": self.record.best_value,
            "best_epoch": self.record.best_epoch,
            "failure": None if self.record.failure is None else str(self.record.failure),
            "evidence": self.record.evidence,
            "n_epochs": self.n_epochs,
            "seconds": self.seconds,
        }


@dataclass(frozen=True, slots=True)
class Incumbent:
    """From when on a trial was the best.

    Attributes:
        number: The trial.
        value: Its objective value.
        trainings: What had been spent until then, in full trainings.
        gpu_seconds: The same in GPU seconds; 0 without GPUs.
        at_s: Wall seconds from the beginning of the search.
    """

    number: int
    value: float
    trainings: float
    gpu_seconds: float
    at_s: float


@dataclass(frozen=True, slots=True)
class SimulatedEvent:
    """Something that happened to a trial.

    Attributes:
        at_s: Wall seconds from the beginning of the search.
        number: The trial.
        n_epochs: Epochs that its training has behind it.
        what: ``starts``, ``goes on``, ``audited``, ``pauses``, ``stops``, ``ends`` or ``fails``.
        reason: Why, as a sentence for the reader; empty where there is nothing to say.
        trainings: What had been spent by then, in full trainings.
    """

    at_s: float
    number: int
    n_epochs: int
    what: str
    reason: str = ""
    trainings: float = 0.0


@dataclass(frozen=True, slots=True)
class Simulation:
    """A whole simulated search.

    Attributes:
        trials: Every trial, by number.
        incumbents: Who was best from when on, in order.
        events: Everything that happened, in order.
        trainings: What was spent, in full trainings: epochs over the epochs of a whole training.
        seconds: Wall seconds from the beginning to the end.
        gpu_seconds: Seconds that places were held, times the GPUs of a place; 0 without GPUs.
        end: Why it ended; None where its budget cut it off.
    """

    trials: tuple[SimulatedTrial, ...]
    incumbents: tuple[Incumbent, ...]
    events: tuple[SimulatedEvent, ...]
    trainings: float
    seconds: float
    gpu_seconds: float
    end: SearchEnd | None

    @property
    def best(self) -> Incumbent | None:
        """The last incumbent; None where no trial was usable."""
        return self.incumbents[-1] if self.incumbents else None

    def params_of(self, number: int) -> dict[str, Any]:
        """The settings of a trial."""
        return dict(self.trials[number].record.params)

    def best_at(self, trainings: float) -> Incumbent | None:
        """Who was the best after a cost in full trainings; None before there was one."""
        reached = [one for one in self.incumbents if one.trainings <= trainings]
        return reached[-1] if reached else None

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        return {
            "trials": [trial.to_json() for trial in self.trials],
            "incumbents": [asdict(one) for one in self.incumbents],
            "events": [asdict(event) for event in self.events],
            "trainings": self.trainings,
            "seconds": self.seconds,
            "gpu_seconds": self.gpu_seconds,
            "end": None if self.end is None else self.end.reason,
        }
