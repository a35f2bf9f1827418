"""An engine that follows a script, and a request over it in a temporary folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from automl.errors import FixInput
from automl.execution.control import Control
from automl.execution.driver import DriveRequest, Event, TrainerChoice
from automl.search.decision import Continue, Decision, Pause, Stop
from automl.skill.model import Skill
from automl.study.config import Direction, Objective, Resources
from automl.study.layout import StudyPaths
from automl.study.records import (
    Attempt,
    Measurement,
    Outcome,
    OutcomeState,
    TrialRecord,
    TrialState,
)
from automl.trainers.attempt_settings import AttemptSettings
from automl.trainers.base import TrialTask

STATES = {
    OutcomeState.OK: TrialState.COMPLETE,
    OutcomeState.PRUNED: TrialState.PRUNED,
    OutcomeState.PAUSED: TrialState.PAUSED,
    OutcomeState.FAILED: TrialState.FAILED,
    OutcomeState.INTERRUPTED: TrialState.WAITING,
}


@dataclass
class ListedEngine:
    """Asks for a number of trials, stops those that a test names, and remembers all reports."""

    trials: int
    stops: Mapping[int, str] = field(default_factory=dict)
    pauses: Mapping[int, int] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    reported: list[tuple[int, int]] = field(default_factory=list)
    finished: list[Outcome] = field(default_factory=list)

    def ask(self) -> Attempt | None:
        if len(self.asked) >= self.trials:
            return None
        self.asked.append(len(self.asked))
        return Attempt(self.asked[-1], 1, {"train.optim.lr": 1e-3})

    def report(self, number: int, measurement: Measurement) -> Decision:
        self.reported.append((number, measurement.epoch))
        if self.pauses.get(number) == measurement.epoch:
            return Pause("rung")
        return Stop(self.stops[number]) if number in self.stops else Continue()

    def finish(self, outcome: Outcome) -> TrialRecord:
        assert outcome.number not in [entry.number for entry in self.finished], "finished twice"
        self.finished.append(outcome)
        return TrialRecord(outcome.number, STATES[outcome.state], {}, failure=outcome.failure)


@dataclass
class Asked:
    """A request, and everything around it that a test looks at."""

    request: DriveRequest
    engine: ListedEngine
    paths: StudyPaths
    events: list[Event]
    notices: list[str]


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Asked]:
    """Makes a request over scripted trials."""

    def make(
        engine: ListedEngine,
        options: Mapping[str, Any] | None = None,
        *,
        epochs: int = 2,
        timeout_s: float | None = None,
        resources: Resources | None = None,
        unpreparable: tuple[int, ...] = (),
        on_event: Callable[[Event, Control], None] | None = None,
    ) -> Asked:
        paths = StudyPaths(tmp_path / "study")
        paths.trials.mkdir(parents=True)

        def prepare(attempt: Attempt) -> TrialTask:
            if attempt.number in unpreparable:
                raise FixInput("the spec must be whole", got="half of one")
            place = paths.attempt(attempt.number, attempt.attempt)
            place.folder.mkdir(parents=True)
            place.spec.write_text(f"train: {{num_epochs: {epochs}, optim: {{lr: 0.001}}}}\n")
            return TrialTask(
                "study", attempt.number, attempt.attempt, place.folder, place.spec, place.log
            )

        events: list[Event] = []
        notices: list[str] = []
        control = Control(paths.stop, notices.append)

        def take(event: Event) -> None:
            events.append(event)
            if on_event is not None:
                on_event(event, control)

        request = DriveRequest(
            engine=engine,
            prepare=prepare,
            trainer=TrainerChoice(
                "scripted", Skill(tmp_path, "s", "s", True), {"epoch_s": 0.0, **(options or {})}
            ),
            settings=AttemptSettings(paths, Objective("val_3DIoU", Direction.MAXIMIZE), timeout_s),
            resources=resources or Resources(),
            control=control,
            on_event=take,
        )
        return Asked(request, engine, paths, events, notices)

    return make


@pytest.fixture
def listed_engine() -> type[ListedEngine]:
    return ListedEngine
