"""The search: what to start next, whether a trial goes on, and how its end is recorded.

The engine holds nothing that must outlive it. Every question is answered from the Optuna study, so
a new engine over the same storage answers as the old one would have; a crash between any two of
its writes leaves something that ``recover`` can repair.
"""

import threading
from dataclasses import replace
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from automl.search.added import adopted, is_own
from automl.search.budget import Budget
from automl.search.cost import relative_costs
from automl.search.decision import Continue, Decision, SearchEnd, Stop
from automl.search.earlier import earlier_observations
from automl.search.halting import Halting
from automl.search.judging import Judge
from automl.search.method import Method
from automl.search.methods.limits import has_room
from automl.search.methods.table import make_method
from automl.search.outcome_recorder import OutcomeRecorder
from automl.search.prediction import predictor
from automl.search.proposals import default_trial
from automl.search.queued_trial import QueuedTrial
from automl.search.recovery import FindCheckpoint, ReadHistory, Recovered, Recovery
from automl.search.retrying import Retry, retry_failed
from automl.search.samplers import SamplerSource
from automl.search.screening import Screening
from automl.search.signature import sign_study
from automl.search.trial_queue import TrialQueue
from automl.search.trial_store import TrialStore
from automl.search.view import ViewSource
from automl.skill.tree import ParamValue
from automl.space.model import SearchSpace
from automl.space.proposal import suggest
from automl.study import attributes
from automl.study.clock import Clock, utc_now
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths
from automl.study.measured import paused_of
from automl.study.race import winner
from automl.study.records import (
    Attempt,
    Measurement,
    Outcome,
    OutcomeState,
    TrialRecord,
)

__all__ = ["Engine"]


class Engine:
    """Asks, reports and tells, over one Optuna study; may be used from several threads.

    Args:
        study: The study, of one objective; this process is its only writer.
        space: What is searched; without parameters every trial is the default.
        config: Objective, sampler, seed and limits.
        clock: The time of day.
        method: Decides what starts and what goes on; None for the one that ``config`` names.

    Raises:
        FixInput: The sampler, the pruner or the method is unknown.
        ResolveConflict: The study was started with another search space, or by a version of this
            program that wrote it in another way.
    """

    def __init__(
        self,
        study: optuna.Study,
        space: SearchSpace,
        config: StudyConfig,
        clock: Clock = utc_now,
        method: Method | None = None,
    ) -> None:
        method = make_method(config) if method is None else method
        self._space = space
        self._config = config
        self._clock = clock
        self._guard = threading.RLock()
        self._store = TrialStore(study, config.objective)
        self._budget = Budget(self._store, config, clock)
        self._screening = Screening(self._store, config, self._budget)
        self._views = ViewSource(self._store, space, config, self._budget)
        self._queue = TrialQueue(self._store, self._views, method, self._budget, space)
        self._judge = Judge(self._store, self._views, method)
        self._recorder = OutcomeRecorder(self._store, config.objective)
        self._sampler = SamplerSource(
            config.search,
            space,
            config.limits.trials,
            config.objective.metric,
            earlier=earlier_observations(config, space),
        )
        self._halting = Halting(self._budget, config.limits, self.records)
        self._live: dict[int, optuna.Trial] = {}
        sign_study(self._store.study, space.digest, config.name)

    # Starting

    def ask(self) -> Attempt | None:
        """The next attempt to start: an interrupted trial first, else a new one.

        Returns:
            None while there is nothing to start; ``stopped`` says why.
        """
        with self._guard:
            while self._halting.now() is None:
                if not self._store.trials(OptunaState.WAITING) and not self._queue.fill():
                    self.settle()
                    return None
                with self._store.together():
                    attempt = self._begin(self._store.study.ask())
                if attempt is not None:
                    return attempt
            return None

    def _begin(self, trial: optuna.Trial) -> Attempt | None:
        """Hands a trial from the queue out; None if another one was queued in its place."""
        frozen = self._frozen(trial)
        if attributes.NUMBER not in frozen.user_attrs:
            self._take_over(frozen)
            return None
        queued = QueuedTrial.of(frozen)
        params = self._params(trial, queued)
        is_drawn = queued.params is None and not queued.fixed
        if is_drawn and self._screening.turns_away(trial, queued, params):
            return None
        if queued.params is None:
            trial.set_user_attr(attributes.PARAMS, params)
        trial.set_user_attr(attributes.ASKED_AT, self._clock().isoformat())
        self._live[queued.number] = trial
        return Attempt(
            queued.number,
            queued.attempt,
            params,
            queued.resume_from,
            queued.history,
            queued.seed,
        )

    def _take_over(self, trial: FrozenTrial) -> None:
        """A trial that another process put into the queue is run under the next number.

        One that a person added goes beyond the total if need be; the default comes before it.
        """
        if not self._store.grouped():
            self._store.enqueue(default_trial(self._space))
        if is_own(trial) or has_room(self._views.view()):
            number = self._store.next_number()
            self._store.replace(trial, adopted(trial, number), f"goes on as trial {number}")
        else:
            self._store.supersede(trial.number, "the trials asked for are used up")

    def _params(self, trial: optuna.Trial, queued: QueuedTrial) -> dict[str, ParamValue]:
        if queued.outside and queued.params is not None:
            return dict(queued.params)
        modelled = self._store.tally.n_modelled
        view = self._views.view()
        costs = relative_costs((each.record for each in view.searched()), self._config)
        source = replace(self._sampler, predict=predictor(view), cost=costs)
        self._store.study.sampler = source.make(queued.number, queued.draw, modelled)
        proposed = suggest(self._space, trial)
        return dict(proposed if queued.params is None else queued.params)

    def _frozen(self, trial: optuna.Trial) -> FrozenTrial:
        return self._store.trial(trial.number)

    # Going on

    def report(self, number: int, measurement: Measurement) -> Decision:
        """Records a measurement of a running trial; whether the trial goes on.

        A repeated epoch records nothing and is answered as before; nor does a missing objective.
        A trial that is to pause must be ended as paused, with the checkpoint of this very epoch.
        """
        with self._guard:
            trial = self._live.get(number)
            if trial is None:
                return Stop(f"trial {number} has already ended")
            if self._config.objective.metric not in measurement.metrics:
                return Continue()
            with self._store.together():
                return self._judge.take(self._frozen(trial), measurement)

    # Ending

    def finish(self, outcome: Outcome) -> TrialRecord:
        """Records how an attempt ended.

        An attempt that has ended already is left as it is: its end may be reported twice, once by
        the trainer's end and once by the file that says so.

        Raises:
            ValueError: The trial was never asked for.
        """
        with self._guard:
            with self._store.together():
                recorded = self._recorder.record(outcome)
            if recorded is not None:
                self._live.pop(outcome.number, None)
            record = self._store.record(outcome.number)
            if recorded is not None and recorded.state is not OutcomeState.INTERRUPTED:
                self._halting.observe(recorded.failure, record)
            return record

    def recover(
        self,
        paths: StudyPaths,
        read_history: ReadHistory,
        find_checkpoint: FindCheckpoint,
        held: frozenset[Path] = frozenset(),
        retry: Retry | None = None,
    ) -> tuple[Recovered, ...]:
        """Recovers every start that a driver left running; to be called before the first ``ask``.

        Args:
            paths: The study folder.
            read_history: What an attempt's status file holds, ``elapsed_s`` from its own start.
            find_checkpoint: The newest whole checkpoint in an attempt's folder, of an epoch or an
                earlier one if an epoch is given.
            held: Folders of the attempts whose trainings were left running.
            retry: Failed trials that are queued again with the same parameters; None for none.
        """
        with self._guard:
            recovery = Recovery(
                store=self._store,
                finish=self._recorder.record,
                paths=paths,
                read_history=read_history,
                find_checkpoint=find_checkpoint,
                gpus_held=self._config.resources.gpus_held,
                held=held,
                rungs=self._config.search.rungs,
            )
            recovered = recovery.recover_all()
            self._views.lose(recovery.lost())
            again = retry_failed(self._store, retry, paths, find_checkpoint)
            return (*recovered, *again)

    def settle(self) -> None:
        """Tells Optuna that what stays paused was stopped early, once nothing will follow."""
        with self._guard:
            if self._halting.known is not None or self.stopped is None:
                return
            running = self._store.trials(OptunaState.RUNNING)
            if all(paused_of(trial) is not None for trial in running):
                self._queue.settle()

    def overdrawn(self) -> SearchEnd | None:
        """Why running trainings must end now: the time is used up; None while it is not."""
        with self._guard:
            return self._budget.over()

    def left(self) -> str:
        """What is left of the study's time, in words; empty where nothing limits it."""
        with self._guard:
            return self._budget.left()

    # Looking

    @property
    def stopped(self) -> SearchEnd | None:
        """Why no further trial is started; None while one may be."""
        with self._guard:
            if self._halting.now() is not None or self._store.trials(OptunaState.WAITING):
                return self._halting.known
            return self._queue.ended()

    def records(self) -> tuple[TrialRecord, ...]:
        """Every trial, by number."""
        with self._guard:
            return self._store.records()

    @property
    def n_refused(self) -> int:
        """Proposals that were refused before they were started."""
        with self._guard:
            return self._store.tally.n_refused

    def incumbent(self) -> TrialRecord | None:
        """The trial that the study names as its best; None before there is one."""
        return winner(self.records(), self._config)
