"""Driving one study from where it stands to its end, for ``run`` and ``resume`` alike."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path

from automl.app.drive import attempt_settings, cluster_of, drive_trials, is_elsewhere, store_end
from automl.app.following import Following
from automl.app.glance_keeper import GlanceKeeper
from automl.app.pose_evaluations import PoseEvaluations, can_evaluate
from automl.app.prepare import Preparer
from automl.app.race_notes import RaceNotes
from automl.app.room import room_at, size_of
from automl.app.screen import Ending, Screen, Sight, Silent
from automl.app.sparing import Sparing
from automl.app.standing import state_of
from automl.app.winner import keep_best_current
from automl.errors import AutomlError, FixAndResume, NoUsableTrial, PrepareMachine
from automl.execution.control import PAUSED, Control, Stage
from automl.execution.driver import (
    DriveRequest,
    Event,
    Note,
    TrainerChoice,
    TrialEnded,
    TrialStarted,
)
from automl.execution.gpu_sampling import open_meter, sampling
from automl.execution.local_ray import check_python
from automl.execution.observe import Observer
from automl.files import FULL
from automl.reports.words import count
from automl.reports.write import write_report
from automl.search.decision import EndCause
from automl.search.engine import Engine
from automl.skill.model import Skill
from automl.study.config import StudyConfig
from automl.study.confirmation import n_asked
from automl.study.gpu_samples import put_away
from automl.study.layout import StudyPaths
from automl.study.lock import StudyLock
from automl.study.nodes import NodeRecord
from automl.study.records import TrialRecord
from automl.study.state import StudyStatus, read_state, write_state
from automl.study.sweep import sweep_own
from automl.trainers.base import ChecksPaths
from automl.trainers.table import make_trainer

__all__ = ["Session", "check_trainer"]

RESUMABLE, _SIGNALLED = 75, 128
_STATE_EVERY_S = 3.0
_ENDED_AS = {
    0: StudyStatus.FINISHED,
    NoUsableTrial.exit_code: StudyStatus.FAILED,
    FixAndResume.exit_code: StudyStatus.STOPPED,
}


def check_trainer(config: StudyConfig, skill: Skill, studies: Path) -> None:
    """Makes sure that a trial could be started at all.

    Args:
        config: What the study asks for.
        skill: Whose command is run.
        studies: Folder that the study is in, or will be.

    Raises:
        PrepareMachine: The trainer says what is missing, or Ray cannot be imported.
    """
    if config.searches:
        check_python()
    if is_elsewhere(config):
        return  # each node says for itself what it lacks
    trainer = make_trainer(config.trainer, skill, config.trainer_options)
    problems = [*trainer.check()]
    if not problems and isinstance(trainer, ChecksPaths):
        above = next(each for each in (studies, *studies.parents) if each.exists())
        problems += trainer.check_paths([above, *map(Path, filter(None, astuple(config.data)))])
    for problem in problems:
        raise PrepareMachine(
            problem.rule, got=problem.got, where=f"trainer {config.trainer}", fix=problem.fix
        )


@dataclass(slots=True)
class Session:
    """One driver's hold on a study.

    Attributes:
        paths: The study.
        config: What it was asked.
        skill: The model skill.
        engine: The search over the study's storage.
        preparer: Makes the folder and spec of an attempt.
        lock: The study's lock, held.
        screen: Who watches; one that can no longer be written to is replaced by a silent one.
        control: How the search is ended early; its signals are handled while the study is held.
    """

    paths: StudyPaths
    config: StudyConfig
    skill: Skill
    engine: Engine
    preparer: Preparer
    lock: StudyLock
    screen: Screen
    control: Control
    _state_at: float = field(default=0.0, init=False)
    _began_s: float = field(default=0.0, init=False)
    _trial_bytes: int = field(default=0, init=False)
    _best_note: str = field(default="", init=False)
    _naming: Sparing = field(default_factory=Sparing, init=False)
    _best: TrialRecord | None = field(default=None, init=False)
    _nodes: tuple[NodeRecord, ...] = field(default=(), init=False)
    _following: Following = field(init=False)
    _glances: GlanceKeeper = field(init=False)
    _race: RaceNotes = field(init=False)

    def __post_init__(self) -> None:
        self._glances = GlanceKeeper(self.paths, self.config)
        self._race = RaceNotes(self.config)
        self._following = Following(self.paths, self.config.objective)

    def drive(self, notes: Sequence[str] = ()) -> Ending:
        """Runs trials until the limits are reached or somebody stops it; writes the report.

        Args:
            notes: What is reported before the first trial.
        """
        state = read_state(self.paths)
        self._began_s = time.monotonic() - (0.0 if state is None else state.wall_s)
        sweep_own(self.paths)
        self._show(lambda screen: screen.opened(self.paths, self.config))
        self._keep_best()
        for text in notes:
            self._event(Note(text))
        try:
            if self.engine.stopped is None:
                meter = open_meter(self.config.resources)
                with (
                    sampling(meter, self.paths),
                    Observer(self._look, on_failure=self.control.stop_now),
                ):
                    if can_evaluate(self.config, self.skill):
                        self._evaluations().at_start()
                    self._run()
            return self._end()
        except (AutomlError, OSError) as error:
            full = isinstance(error, OSError) and error.errno in FULL
            shown = self._disk_is_full() if full else error
            with suppress(OSError):
                self._write_state(StudyStatus.INTERRUPTED, str(shown))
            raise shown from (error if full else error.__cause__)

    def _disk_is_full(self) -> PrepareMachine:
        ended = sum(record.state.is_finished for record in self.engine.records())
        return PrepareMachine(
            "a study needs space on its disk to go on",
            got="none left",
            where=str(self.paths.folder),
            fix=f"free some, then automl resume {self.config.name} goes on; "
            f"{count(ended, 'trial')} that ended and all checkpoints are safe",
        )

    def _end(self) -> Ending:
        self.engine.settle()
        put_away(self.paths)
        ending = self._ending()
        self._keep_best()
        if not ending.exit_code and can_evaluate(self.config, self.skill):
            with Observer(self._look):
                self._evaluations().at_end(self.engine.records())
        status = _ENDED_AS.get(ending.exit_code, StudyStatus.INTERRUPTED)
        sight = Sight(self.engine.records(), self._write_state(status, ending.reason))
        self._show(lambda screen: screen.look(sight))
        write_report(self.paths.folder)
        return ending

    def _evaluations(self) -> PoseEvaluations:
        return PoseEvaluations(
            self.paths, self.config, self.control, lambda text: self._event(Note(text))
        )

    def _keep_best(self) -> None:
        with self._naming.look():
            self._best = self.engine.incumbent()
        note = keep_best_current(self.paths, self._best, self.config.keys)
        if note and note != self._best_note:
            self._show(lambda screen: screen.event(Note(note)))
        self._best_note = note

    def _show(self, show: Callable[[Screen], None]) -> None:
        """Shows something; that the output can no longer be written to stops nothing."""
        try:
            show(self.screen)
        except OSError:
            self.screen = Silent()

    def _run(self) -> None:
        config = self.config
        request = DriveRequest(
            engine=self.engine,
            prepare=self.preparer.prepare,
            trainer=TrainerChoice(config.trainer, self.skill, config.trainer_options),
            settings=attempt_settings(self.paths, config),
            resources=config.resources,
            control=self.control,
            on_event=self._event,
            cluster=cluster_of(config, self.paths, self._see_nodes, self.preparer.give_gpus),
        )
        drive_trials(request, searches=config.searches)

    def _see_nodes(self, nodes: tuple[NodeRecord, ...]) -> None:
        self._nodes = nodes

    def _event(self, event: Event) -> None:
        self._following.event(event)
        if isinstance(event, TrialEnded):
            size = size_of(self.paths.trial(event.outcome.number))
            self._trial_bytes = max(self._trial_bytes, size)
            if self._naming.is_due:
                self._keep_best()
        if isinstance(event, TrialStarted) and event.attempt.seed is not None:
            self._say(self._race.price(self.engine.records()))
        self._show(lambda screen: screen.event(event))
        if isinstance(event, TrialEnded) and event.record.confirms is not None:
            self._say(self._race.standing(self.engine.records()))

    def _say(self, sentences: Iterable[str]) -> None:
        for text in sentences:
            self._event(Note(text))

    def _look(self) -> None:
        self.lock.heartbeat()
        self.control.look()
        self._look_at_disk()
        self._look_at_budget()
        records, wall_s = self.engine.records(), time.monotonic() - self._began_s
        if time.monotonic() - self._state_at >= _STATE_EVERY_S:
            self._state_at = time.monotonic()
            self._following.look()
            self._write_state(StudyStatus.RUNNING, "")
        sight = Sight(records, wall_s, self._following.live, self._following.samples)
        self._show(lambda screen: screen.look(sight))

    def _look_at_disk(self) -> None:
        """Starts no further trial where it would fill the disk."""
        room = room_at(self.paths.folder, self._trial_bytes)
        if room.is_short and self.control.is_asking:
            why = f"the disk of {self.paths.folder} has no room for another trial ({room})"
            self.control.stop_after_running(why)
            self._show(lambda screen: screen.event(Note(f"{why}: no further one is started")))

    def _look_at_budget(self) -> None:
        """Ends the running trials where the time is used up; their checkpoints are kept."""
        over = self.engine.overdrawn()
        if over is not None and self.control.is_asking:
            self.control.stop_now(str(over))
            self._show(lambda screen: screen.event(Note(f"{over}: running trials end now")))

    def _ending(self) -> Ending:
        control, records = self.control, self.engine.records()
        unfinished = sum(not record.state.is_finished for record in records)
        asked = n_asked(records, self.config)
        missing = asked - len(records) + unfinished
        ended = self.engine.stopped
        if missing and ended is not None and ended.cause is EndCause.CIRCUIT_BREAKER:
            reason = (
                f"{ended}; fix the cause, then automl resume goes on, and --retry-failed trains "
            )
            reason += "those trials again"
            return Ending(FixAndResume.exit_code, reason, self.paths)
        if missing and ended is not None and ended.cause is EndCause.NO_METRIC:
            reason = f"{ended}; start a new study with --metric NAME"
            return Ending(FixAndResume.exit_code, reason, self.paths)
        if missing and control.stage is not Stage.RUNNING:
            number = control.signal
            code = RESUMABLE if number is None else _SIGNALLED + number
            why = f"{control.reason}: stopped" if control.reason else "stopped"
            how = PAUSED if control.reason == PAUSED else why
            reason = f"{how} with {missing} of {asked} trials to go"
            return Ending(code, f"{reason}; automl resume goes on", self.paths)
        if self.engine.incumbent() is None:
            return Ending(NoUsableTrial.exit_code, "no trial ended usable", self.paths)
        return Ending(0, str(ended) if ended else "every trial has ended", self.paths)

    def _write_state(self, status: StudyStatus, reason: str) -> float:
        """Writes where the study stands, and returns the wall time that it says."""
        wall_s = time.monotonic() - self._began_s
        found = state_of(self.config, self.engine, self._following, status, self._best)
        state = replace(found, reason=reason, wall_s=wall_s, nodes=self._nodes)
        write_state(self.paths, state)
        self._glances.keep(self.engine.records(), state, self.engine.n_refused)
        if status is not StudyStatus.RUNNING:
            store_end(self.paths, self.config)
        return wall_s
