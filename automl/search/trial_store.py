"""The trials of one Optuna study, written so that any crash between two writes is recoverable.

Each Optuna trial is born in the queue, in one write that already holds its logical number: no
start is ever without one. A trial goes on as another Optuna trial by queueing the new one first
and ending the old one after, so that no number is ever lost; where both are there, the old one is
merely ended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import optuna
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from automl.skill.tree import ParamValue
from automl.study import attributes
from automl.study.config import Objective
from automl.study.measured import Judged, Pausing, history_of, measured_of
from automl.study.records import Measurement
from automl.study.trials import by_number, values_of

__all__ = ["QueuedTrial", "TrialStore", "continued", "drawn"]

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


class TrialStore:
    """Queueing, finding and ending the trials of a study.

    Args:
        study: The Optuna study; nothing is known that is not in it.
        objective: Whose values are recorded.
    """

    def __init__(self, study: optuna.Study, objective: Objective) -> None:
        self._study = study
        self._objective = objective

    def trials(self, *states: OptunaState) -> list[FrozenTrial]:
        """The Optuna trials in these states, or all of them, oldest first."""
        return self._study.get_trials(deepcopy=False, states=states or None)

    def grouped(self) -> dict[int, list[FrozenTrial]]:
        """The Optuna trials of each logical number, oldest first."""
        return by_number(self.trials())

    def measured(self, trial: FrozenTrial) -> tuple[Measurement, ...]:
        """Every measurement that counts for an attempt, by epoch."""
        return measured_of(trial, self._objective.metric)

    def latest(self, number: int) -> FrozenTrial | None:
        """The Optuna trial that says where a logical trial stands."""
        for trial in reversed(self.trials()):
            if trial.user_attrs.get(attributes.NUMBER) == number:
                return trial
        return None

    def enqueue(self, queued: QueuedTrial) -> None:
        """Puts a trial into the queue, in one write."""
        self._study.enqueue_trial(dict(queued.fixed), user_attrs=queued.attrs())

    def handle(self, trial: FrozenTrial) -> optuna.Trial:
        """A trial as something that can be written to."""
        return optuna.Trial(self._study, trial._trial_id)

    def adopt(self, trial: FrozenTrial, number: int) -> None:
        """Queues what another program put into the queue again, under a number of ours."""
        fixed = trial.system_attrs.get(_OPTUNA_FIXED, {})
        self.enqueue(QueuedTrial(number, source=attributes.SOURCE_USER, fixed=fixed))
        self.supersede(trial.number, f"goes on as trial {number}")

    def supersede(self, optuna_number: int, why: str) -> None:
        """Ends a running Optuna trial without a result.

        Args:
            optuna_number: Optuna's number of it.
            why: What goes on in its place, in words.
        """
        trial = self._study.get_trials(deepcopy=False)[optuna_number]
        self.handle(trial).set_user_attr(attributes.SUPERSEDED, why)
        self._study.tell(optuna_number, state=OptunaState.FAIL)

    def withdraw(self, trial: FrozenTrial, why: str) -> None:
        """Ends a trial that never began, and gives its number back."""
        self.handle(trial).set_user_attr(attributes.NUMBER, None)
        self.supersede(trial.number, why)

    def replace(self, trial: FrozenTrial, queued: QueuedTrial, why: str) -> None:
        """Lets a running trial go on from the queue: first the new one, then the old end."""
        self.enqueue(queued)
        self.supersede(trial.number, why)

    def refuse(
        self, trial: FrozenTrial, queued: QueuedTrial, params: Mapping[str, ParamValue], why: str
    ) -> None:
        """Ends a proposal that is not to be started, and queues the next draw in its place.

        What is written first decides: after a crash the refusal is completed, never forgotten.
        """
        handle = self.handle(trial)
        handle.set_user_attr(attributes.REFUSED, why)
        handle.set_user_attr(attributes.PARAMS, dict(params))
        self.draw_again(trial, queued)

    def draw_again(self, trial: FrozenTrial, queued: QueuedTrial) -> None:
        """Completes a refusal that has been written down."""
        self.enqueue(replace(queued, draw=queued.draw + 1, params=None))
        self.end_refused(trial)

    def end_refused(self, trial: FrozenTrial) -> None:
        """Ends a refused proposal with the worst value; without any value, as ranked last."""
        worst = self.worst()
        state = OptunaState.PRUNED if worst is None else OptunaState.COMPLETE
        self.tell(trial, state, worst)

    def go_on(self, trial: FrozenTrial, queued: QueuedTrial, why: str) -> None:
        """Lets a paused trial go on from the queue: first the new one, then the old end.

        Of a study that has ended since Optuna has been told the pause as the trial's end.
        """
        self.enqueue(queued)
        if trial.state is OptunaState.RUNNING:
            self.supersede(trial.number, why)

    def pause(self, trial: FrozenTrial, pausing: Pausing) -> None:
        """Notes that a trial may go on later; it stays running."""
        handle = self.handle(trial)
        handle.set_user_attr(attributes.EVIDENCE, pausing.reason)
        handle.set_user_attr(attributes.PAUSED, pausing.to_json())

    def stop_paused(self, trial: FrozenTrial, why: str) -> None:
        """Ends a paused trial for good."""
        handle = self.handle(trial)
        handle.set_user_attr(attributes.EVIDENCE, why)
        handle.set_user_attr(attributes.PAUSED, None)
        self.tell(trial, OptunaState.PRUNED)

    def judge(self, trial: FrozenTrial, judged: Judged) -> None:
        """Records a measurement with what was decided by it; an epoch's first value stands.

        The metrics and the decision are one write: no crash parts them.
        """
        epoch = judged.measurement.epoch
        handle = self.handle(trial)
        if judged.audited:
            handle.set_user_attr(attributes.AUDITED, judged.audited)
        if epoch in trial.intermediate_values:
            return
        if judged.name not in trial.user_attrs:
            handle.set_user_attr(judged.name, judged.to_json())
        handle.report(judged.measurement.metrics[self._objective.metric], epoch)

    def report(self, trial: FrozenTrial, measurements: Sequence[Measurement]) -> None:
        """Records the measurements that are not there yet; an epoch's first value stands."""
        inherited = history_of(trial)
        handle = self.handle(trial)
        for entry in measurements:
            value = entry.metrics.get(self._objective.metric)
            if value is None or entry.epoch in trial.intermediate_values:
                continue
            if entry in inherited:
                handle.report(value, entry.epoch)
            else:
                self.judge(trial, Judged(entry))

    def tell(self, trial: FrozenTrial, state: OptunaState, value: float | None = None) -> None:
        """Ends a running trial."""
        self._study.tell(trial.number, value, state=state)

    def worst(self) -> float | None:
        """The worst value there can be, else the worst seen; None before the first value."""
        if self._objective.worst is not None:
            return self._objective.worst
        seen = [
            value
            for trial in self.trials()
            for value in values_of(trial, self._objective.metric).values()
        ]
        return max(seen, key=self._objective.loss, default=None)
