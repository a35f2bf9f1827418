"""A search without trainings: the real engine, driven by a clock that jumps from event to event.

``Engine`` decides here as it does in a run, over an Optuna study in memory. In place of trainers
stands a ``Curves``, and time passes only in the sums of what its epochs take. So another sampler,
or another way to stop trials early, can be tried on known curves in seconds.
"""

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import optuna

from automl.search.curves import Curve, Curves
from automl.search.decision import Continue, Decision, EndCause, Pause, Stop
from automl.search.engine import Engine
from automl.search.simulation import Incumbent, SimulatedEvent, SimulatedTrial, Simulation
from automl.space.model import SearchSpace
from automl.study.config import StudyConfig
from automl.study.ranking import best_trial
from automl.study.records import Attempt, Measurement, Outcome, OutcomeState, TrialRecord
from automl.study.storage import memory_study

__all__ = ["Costs", "Until", "simulate"]

_BEGIN = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Costs:
    """What a training takes beside its epochs.

    Attributes:
        start_s: Seconds from the start of an attempt to its first epoch.
        resume_s: The same for an attempt that goes on from a checkpoint.
    """

    start_s: float = 0.0
    resume_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Until:
    """When a simulated search ends, if its own limits do not end it before.

    Attributes:
        budget: Full trainings after which it is cut off, running trials included.
        resumes: How often it is resumed after it stopped itself because too many trials failed.
    """

    budget: float = math.inf
    resumes: int = 0


def simulate(
    space: SearchSpace,
    config: StudyConfig,
    curves: Curves,
    costs: Costs = Costs(),
    until: Until = Until(),
    study: optuna.Study | None = None,
) -> Simulation:
    """Runs a search over known curves.

    Args:
        space: What is searched.
        config: Method, limits, seed; ``resources.max_concurrent`` is the number of places.
        curves: What each training measures.
        costs: What starting and going on take.
        until: When it is cut off, and whether one that stopped itself is resumed.
        study: Where the trials are kept; None for memory.

    Returns:
        What was trained, when, and what it had found at each cost. The same arguments give the
        same simulation.
    """
    simulator = _Simulator(space, config, curves, costs, study)
    return simulator.run(until)


@dataclass(slots=True)
class _Run:
    """A live attempt.

    Attributes:
        attempt: What was asked for.
        curve: What its training measures.
        epoch: The next one, from 0.
        began_s: When it took its place.
        measured: Its measurements, inherited ones first.
    """

    attempt: Attempt
    curve: Curve
    epoch: int
    began_s: float
    measured: list[Measurement] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether the curve has no further epoch."""
        return self.epoch >= len(self.curve.epochs)

    def elapsed(self, now_s: float) -> float:
        """Seconds since its trial began, attempts added up."""
        before = self.attempt.history[-1].elapsed_s if self.attempt.history else 0.0
        return before + now_s - self.began_s


class _Simulator:
    """One simulated search."""

    def __init__(
        self,
        space: SearchSpace,
        config: StudyConfig,
        curves: Curves,
        costs: Costs,
        study: optuna.Study | None,
    ) -> None:
        self._config = config
        self._curves = curves
        self._costs = costs
        self._now_s = 0.0
        self._space = space
        self._study = memory_study(config.objective) if study is None else study
        self._engine = self._opened()
        self._queue: list[tuple[float, int, _Run]] = []
        self._n_scheduled = 0
        self._n_epochs: dict[int, int] = {}
        self._n_trained = 0
        self._best: TrialRecord | None = None
        self._seconds: dict[int, float] = {}
        self._events: list[SimulatedEvent] = []
        self._incumbents: list[Incumbent] = []

    def _clock(self) -> datetime:
        return _BEGIN + timedelta(seconds=self._now_s)

    def _opened(self) -> Engine:
        """A new engine over the study, as a new driver has it."""
        return Engine(self._study, self._space, self._config, clock=self._clock)

    def run(self, until: Until) -> Simulation:
        self._drive(until.budget)
        for _ in range(until.resumes):
            end = self._engine.stopped
            if end is None or end.cause is not EndCause.CIRCUIT_BREAKER:
                break
            self._engine = self._opened()
            self._drive(until.budget)
        for _, _, run in self._queue:
            self._hold(run)
        return self._simulation()

    def _drive(self, budget: float) -> None:
        """Goes from event to event until nothing runs any more, or the budget is spent."""
        self._fill()
        while self._queue and self._trainings < budget:
            self._now_s, _, run = heapq.heappop(self._queue)
            self._advance(run)
            self._fill()

    @property
    def _trainings(self) -> float:
        return self._n_trained / self._curves.n_epochs

    # Starting

    def _fill(self) -> None:
        """Starts attempts on the free places."""
        while len(self._queue) < self._config.resources.max_concurrent:
            attempt = self._engine.ask()
            if attempt is None:
                return
            self._start(attempt)

    def _start(self, attempt: Attempt) -> None:
        curve = self._curves.train(attempt.params, attempt.seed)
        epoch = attempt.history[-1].epoch + 1 if attempt.resume_from else 0
        run = _Run(attempt, curve, epoch, self._now_s, list(attempt.history))
        is_resumed = attempt.resume_from is not None
        self._note(run, "goes on" if is_resumed else "starts")
        self._schedule(run, self._costs.resume_s if is_resumed else self._costs.start_s)

    def _schedule(self, run: _Run, after_s: float = 0.0) -> None:
        """Puts the end of a run's next epoch into the queue, or at once its own end."""
        epoch_s = 0.0 if run.is_over else run.curve.epochs[run.epoch].seconds
        self._n_scheduled += 1
        heapq.heappush(self._queue, (self._now_s + after_s + epoch_s, self._n_scheduled, run))

    # Going on

    def _advance(self, run: _Run) -> None:
        """One epoch of a run has passed."""
        number = run.attempt.number
        decision: Decision = Continue()
        if not run.is_over:
            metrics = run.curve.epochs[run.epoch].metrics
            run.epoch += 1
            self._n_epochs[number] = self._n_epochs.get(number, 0) + 1
            self._n_trained += 1
            decision = self._measure(run, metrics)
        if not isinstance(decision, Continue):
            self._stop(run, decision)
        elif run.is_over:
            self._end(run)
        else:
            self._schedule(run)

    def _measure(self, run: _Run, metrics: Mapping[str, float]) -> Decision:
        """Reports the epoch that has passed, where it was validated."""
        if not metrics:
            return Continue()
        measurement = Measurement(run.epoch - 1, metrics, run.elapsed(self._now_s))
        run.measured.append(measurement)
        decision = self._engine.report(run.attempt.number, measurement)
        if isinstance(decision, Continue) and decision.audited:
            self._note(run, "audited", decision.audited)
        return decision

    # Ending

    def _stop(self, run: _Run, decision: Pause | Stop) -> None:
        pauses = isinstance(decision, Pause)
        self._note(run, "pauses" if pauses else "stops", decision.reason)
        state = OutcomeState.PAUSED if pauses else OutcomeState.PRUNED
        self._finish(run, Outcome(*_of(run), state, evidence=decision.reason))

    def _end(self, run: _Run) -> None:
        failure, evidence = run.curve.failure, run.curve.evidence
        self._note(run, "fails" if failure else "ends", evidence)
        state = OutcomeState.OK if failure is None else OutcomeState.FAILED
        self._finish(run, Outcome(*_of(run), state, failure=failure, evidence=evidence))

    def _finish(self, run: _Run, outcome: Outcome) -> None:
        seconds = self._hold(run)
        record = self._engine.finish(
            replace(
                outcome,
                measurements=tuple(run.measured),
                checkpoint=f"epoch-{run.measured[-1].epoch}" if run.measured else None,
                seconds=seconds,
                gpu_seconds=seconds * self._config.resources.gpus_held,
            )
        )
        self._look(record)

    def _hold(self, run: _Run) -> float:
        """Charges a trial with the time that it held its place."""
        number, seconds = run.attempt.number, self._now_s - run.began_s
        self._seconds[number] = self._seconds.get(number, 0.0) + seconds
        return seconds

    # Looking

    def _note(self, run: _Run, what: str, reason: str = "") -> None:
        at = (self._now_s, run.attempt.number, run.epoch)
        self._events.append(SimulatedEvent(*at, what, reason, self._trainings))

    def _look(self, record: TrialRecord) -> None:
        """Notes the best value so far where it is another trial's."""
        known = [record] if self._best is None else [self._best, record]
        best = self._best = best_trial(known, self._config.objective)
        if best is None or best.best_value is None:
            return
        if self._incumbents and self._incumbents[-1].number == best.number:
            return
        gpu_seconds = sum(self._seconds.values()) * self._config.resources.gpus_held
        self._incumbents.append(
            Incumbent(best.number, best.best_value, self._trainings, gpu_seconds, self._now_s)
        )

    def _trial(self, record: TrialRecord) -> SimulatedTrial:
        return SimulatedTrial(
            record,
            self._n_epochs.get(record.number, 0),
            self._seconds.get(record.number, 0.0),
        )

    def _simulation(self) -> Simulation:
        return Simulation(
            trials=tuple(map(self._trial, self._engine.records())),
            incumbents=tuple(self._incumbents),
            events=tuple(self._events),
            trainings=self._trainings,
            seconds=self._now_s,
            gpu_seconds=sum(self._seconds.values()) * self._config.resources.gpus_held,
            end=self._engine.stopped,
        )


def _of(run: _Run) -> tuple[int, int]:
    """Whose outcome it is."""
    return run.attempt.number, run.attempt.attempt
