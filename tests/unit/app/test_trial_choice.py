"""Which checkpoint stands for a trial that has not trained to its end."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from automl.app.plan import Plan
from automl.app.prepare import Preparer
from automl.app.trial_choice import find_trial
from automl.files import sha256_of
from automl.study.layout import StudyPaths
from automl.study.outcomes import write_outcome
from automl.study.records import Attempt, Outcome, OutcomeState
from tests.unit.app.act_kit import add_checkpoint, study_of
from tests.unit.app.kit import MakePlan


@pytest.fixture
def made(plan: MakePlan, splits: Path) -> Plan:
    data = [f"--{split}-data={splits / split}" for split in ("train", "val")]
    return plan("--policy", "off", "--name", "bikes", *data, "--set=train.num_epochs=9")


def add_attempt(
    paths: StudyPaths, made: Plan, attempt: int, epochs: Sequence[int], state: OutcomeState | None
) -> list[Path]:
    """One attempt of trial 0 and its checkpoints; None for one that has not ended."""
    Preparer(paths, made.config, made.skill, made.base_spec).prepare(Attempt(0, attempt, {}))
    folder = paths.attempt(0, attempt)
    files = [add_checkpoint(folder.folder, epoch, epoch + 1) for epoch in epochs]
    if state is not None:
        name, digest = paths.relative(files[-1]), sha256_of(files[-1])
        ended = Outcome(0, attempt, state, checkpoint=name, checkpoint_sha256=digest)
        write_outcome(folder, ended)
    return files


def test_a_paused_trial_is_what_its_last_rung_left(made: Plan) -> None:
    paths = study_of(made)
    add_attempt(paths, made, 1, (0, 1), OutcomeState.PAUSED)
    last = add_attempt(paths, made, 2, (2, 5), OutcomeState.PAUSED)[-1]
    found = find_trial(paths, "0")
    assert found.best == last
    assert found.sha256 == sha256_of(last)


def test_where_the_recorded_one_has_gone_an_earlier_record_counts(made: Plan) -> None:
    paths = study_of(made)
    first = add_attempt(paths, made, 1, (1,), OutcomeState.PAUSED)[-1]
    gone = add_attempt(paths, made, 2, (5,), OutcomeState.PAUSED)[-1]
    gone.unlink()
    found = find_trial(paths, "0")
    assert found.best == first
    assert found.sha256 == sha256_of(first)


def test_without_a_record_it_is_the_newest_whole_one(made: Plan) -> None:
    paths = study_of(made)
    files = add_attempt(paths, made, 1, (0, 1, 2), None)
    files[-1].write_bytes(files[-1].read_bytes()[:20])
    found = find_trial(paths, "0")
    assert found.best == files[1]
    assert found.sha256 is None


def test_a_trial_that_ended_is_never_taken_for_another_epoch(made: Plan) -> None:
    """Its best epoch is recorded; a file beside it is not what was measured."""
    paths = study_of(made)
    recorded = add_attempt(paths, made, 1, (0, 8), OutcomeState.OK)[-1]
    recorded.unlink()
    assert find_trial(paths, "0").best == recorded
