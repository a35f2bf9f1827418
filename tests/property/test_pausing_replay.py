"""A search whose trials pause, killed at every one of its writes: it comes to the same end."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState as OptunaState

from automl.search.decision import Pause
from automl.search.engine import Engine
from automl.space.distributions import FloatRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study.config import Direction, Objective, SearchSettings, StudyConfig
from automl.study.grouped_journal import GroupedJournal
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.limits import Limits
from automl.study.records import Attempt, Measurement, Outcome, OutcomeState, TrialState
from automl.study.storage import open_study
from automl.study.trials import by_number, read_records
from tests.power import Disk, DiskBackend, PowerCutError
from tests.property.halving import ThirdGoesOn

TRIALS, EPOCHS, RUNGS = 9, 9, (2, 4)
OBJECTIVE = Objective("score", Direction.MAXIMIZE)
SPACE = SearchSpace(
    (Parameter("lr", "float", FloatRange(1e-5, 1e-2, log=True), default=1e-4),),
)


def config(trials: int = TRIALS) -> StudyConfig:
    search = SearchSettings(sampler="tpe", seed=5, startup_trials=3, rungs=RUNGS, n_epochs=EPOCHS)
    limits = Limits(trials, same_failures=0, confirm=1)
    return StudyConfig(
        "pauses", "/skill", "on", "default", OBJECTIVE, search=search, limits=limits
    )


@dataclass(frozen=True, slots=True)
class Found:
    epoch: int
    path: Path


@dataclass
class Folders:
    """What attempts leave: their status files, checkpoints and outcomes."""

    root: StudyPaths
    measured: dict[tuple[int, int], list[Measurement]] = field(default_factory=dict)

    def key(self, paths: AttemptPaths) -> tuple[int, int]:
        return int(paths.folder.parent.name), int(paths.folder.name)

    def history(self, paths: AttemptPaths) -> tuple[Measurement, ...]:
        return tuple(self.measured.get(self.key(paths), ()))

    def checkpoint(self, paths: AttemptPaths, epoch: int | None) -> Found | None:
        """Every epoch leaves one."""
        epochs = [entry.epoch for entry in self.history(paths)]
        wanted = [each for each in epochs if epoch is None or each <= epoch]
        return Found(wanted[-1], paths.folder / f"{wanted[-1]}.pth") if wanted else None


def score(attempt: Attempt, epoch: int) -> float:
    lr = attempt.params["lr"]
    assert isinstance(lr, float)
    return (epoch + 1) / EPOCHS * (1.0 - abs(lr - 1e-3)) + (attempt.seed or 0) % 7 / 1000


class Life:
    """One driver's life over what earlier ones left.

    Attributes:
        lag: Epochs that a trainer is ahead of the search.
    """

    def __init__(self, disk: Disk, folders: Folders, lag: int = 0, trials: int = TRIALS) -> None:
        self.folders, self.lag = folders, lag
        study = open_study(GroupedJournal(DiskBackend(disk)), "pauses", OBJECTIVE)
        self.engine = Engine(study, SPACE, config(trials), method=ThirdGoesOn())
        self.engine.recover(folders.root, folders.history, folders.checkpoint)

    def drive(self) -> Engine:
        while (attempt := self.engine.ask()) is not None:
            self.train(attempt)
        return self.engine

    def train(self, attempt: Attempt) -> None:
        key = (attempt.number, attempt.attempt)
        own = self.folders.measured.setdefault(key, [])
        first = self.first_epoch(attempt)
        for epoch in range(first, EPOCHS):
            for ahead in range(first + len(own), min(epoch + self.lag + 1, EPOCHS)):
                measured = {"score": score(attempt, ahead), "train_loss": 1.0 / (ahead + 1)}
                own.append(Measurement(ahead, measured, float(ahead - first + 1)))
                self.save(attempt, ahead)
            decision = self.engine.report(attempt.number, own[epoch - first])
            if isinstance(decision, Pause):
                self.finish(
                    attempt, OutcomeState.PAUSED, own[: epoch - first + 1], decision.reason
                )
                return
        self.finish(attempt, OutcomeState.OK, own)

    def save(self, attempt: Attempt, epoch: int) -> None:
        place = self.folders.root.attempt(attempt.number, attempt.attempt).folder
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{epoch}.pth").touch()

    def first_epoch(self, attempt: Attempt) -> int:
        if attempt.resume_from is None:
            assert not attempt.history
            return 0
        epochs = [entry.epoch for entry in attempt.history]
        assert (self.folders.root.folder / attempt.resume_from).is_file()
        last = int(Path(attempt.resume_from).stem)
        assert epochs == list(range(last + 1))
        return last + 1

    def finish(
        self, attempt: Attempt, state: OutcomeState, own: list[Measurement], why: str = ""
    ) -> None:
        place = self.folders.root.attempt(attempt.number, attempt.attempt)
        last = (*attempt.history, *own)[-1].epoch
        self.engine.finish(
            Outcome(
                attempt.number,
                attempt.attempt,
                state,
                (*attempt.history, *own),
                evidence=why,
                checkpoint=self.folders.root.relative(place.folder / f"{last}.pth"),
            )
        )


def end_of(engine: Engine) -> list[Any]:
    return [
        (record.number, record.state, record.params, dict(record.values), record.confirms)
        for record in engine.records()
    ]


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(StudyPaths(tmp_path))


def fresh() -> Iterator[Folders]:
    with tempfile.TemporaryDirectory() as folder:
        yield Folders(StudyPaths(Path(folder)))


@pytest.fixture(scope="module")
def uninterrupted() -> tuple[list[Any], int]:
    disk = Disk()
    (folders,) = fresh()
    return end_of(Life(disk, folders).drive()), len(disk.lines)


def drive_through(cuts: list[int], folders: Folders, lag: int = 0) -> tuple[Disk, Engine]:
    """Lives one after the other, each cut off after so many writes, then one to the end."""
    disk = Disk()
    for writes in cuts:
        disk.writes_left = writes
        try:
            Life(disk, folders, lag).drive()
        except PowerCutError:
            continue
        disk.writes_left = None
        break
    disk.writes_left = None
    return disk, Life(disk, folders, lag).drive()


def test_killed_at_any_of_its_writes_it_comes_to_the_same_end(
    uninterrupted: tuple[list[Any], int], tmp_path: Path
) -> None:
    expected, n_writes = uninterrupted
    assert {state for _, state, *_ in expected} == {TrialState.COMPLETE, TrialState.PRUNED}
    for writes in range(n_writes):
        disk, engine = drive_through([writes], Folders(StudyPaths(tmp_path)))
        assert end_of(engine) == expected, writes
        study = open_study(GroupedJournal(DiskBackend(disk)), "pauses", OBJECTIVE)
        assert read_records(study, OBJECTIVE) == engine.records()
        assert OptunaState.RUNNING not in [trial.state for trial in study.trials]


@settings(max_examples=25, deadline=None)
@example(cuts=[43, 4], lag=0)
@given(cuts=st.lists(st.integers(0, 60), max_size=8), lag=st.integers(0, 2))
def test_killed_again_and_again_nothing_is_lost_and_no_number_is_given_twice(
    uninterrupted: tuple[list[Any], int], cuts: list[int], lag: int
) -> None:
    (folders,) = fresh()
    _, engine = drive_through(cuts, folders, lag)
    if lag == 0:
        assert end_of(engine) == uninterrupted[0]
    numbers = [record.number for record in engine.records()]
    assert numbers == list(range(len(numbers)))
    for record in engine.records():
        assert record.state in (TrialState.COMPLETE, TrialState.PRUNED)
        assert list(record.values) == list(range(len(record.values)))
        if record.state is TrialState.PRUNED:
            assert len(record.values) in RUNGS


def test_a_larger_budget_lets_paused_trials_go_on_after_the_end(folders: Folders) -> None:
    disk = Disk()
    before = {record.number: record for record in Life(disk, folders).drive().records()}
    after = Life(disk, folders, trials=3 * TRIALS).drive().records()
    gone_on = [
        record
        for record in after
        if record.number in before
        and before[record.number].state is TrialState.PRUNED
        and len(record.values) > len(before[record.number].values)
    ]
    assert gone_on
    assert all(record.attempts == before[record.number].attempts + 1 for record in gone_on)


def test_paused_trials_whose_checkpoints_have_gone_stay_stopped(folders: Folders) -> None:
    disk = Disk()
    before = Life(disk, folders).drive().records()
    stopped = [record for record in before if record.state is TrialState.PRUNED]
    lost = stopped[0]
    (folders.root.folder / str(lost.checkpoint)).unlink()
    after = Life(disk, folders, trials=5 * TRIALS).drive().records()
    assert after[lost.number] == lost
    others = [after[record.number] for record in stopped[1:]]
    assert any(record.attempts > before[record.number].attempts for record in others)


def test_what_is_told_of_a_trial_that_stays_paused(folders: Folders) -> None:
    disk = Disk()
    engine = Life(disk, folders).drive()
    study = open_study(GroupedJournal(DiskBackend(disk)), "pauses", OBJECTIVE)
    for record in engine.records():
        if record.state is TrialState.PRUNED:
            told = by_number(study.trials)[record.number][-1]
            assert told.state is OptunaState.PRUNED
            assert told.value == list(record.values.values())[-1]
            assert "of which" in record.evidence
