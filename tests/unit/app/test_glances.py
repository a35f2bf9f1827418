"""Glances of studies: what was kept is shown while it holds, and never after."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from automl.app import run
from automl.app.glance_keeper import GlanceKeeper
from automl.app.glances import glance_at, write_glance
from automl.app.screen import Silent
from automl.errors import FixInput
from automl.execution import ray_driver, serial
from automl.reports.glance import Glance
from automl.reports.glancing import glance_of
from automl.reports.status import status_text
from automl.reports.summary import read_summary
from automl.study.layout import StudyPaths
from automl.study.lock import Owner, StudyLock, read_owner
from automl.study.state import read_state, write_state
from tests.bench.scale_folder import make_study
from tests.unit.app.kit import MakePlan
from tests.unit.cli_live.watched_study import NOW, watched_study

_SCRIPT = "script:\n  epoch_s: 0.0\n  faults: {1: {kind: oom}}\n"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyPaths:
    """A study that has ended."""
    monkeypatch.setenv("AUTOML_CACHE_DIR", str(tmp_path / "cache"))
    return make_study(tmp_path / "studies", "bikes", 3)


def read(paths: StudyPaths, now: datetime) -> Glance:
    return glance_of(read_summary(paths.folder, lambda: now), read_state(paths), now)


def refused() -> Glance:
    raise AssertionError("what was kept still holds")


def text_of(paths: StudyPaths, glance: Glance, now: datetime) -> str:
    return status_text(glance, paths.folder, read_state(paths), now)


def test_a_glance_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    glance = read(watched_study(tmp_path).paths, NOW)
    assert glance.left is not None
    assert glance.changed
    assert Glance.from_json(glance.to_json()) == glance


def test_a_study_that_has_ended_is_read_once(study: StudyPaths) -> None:
    now = datetime.now(UTC)
    first, was_kept = glance_at(study, lambda: read(study, now))
    assert not was_kept
    again, was_kept = glance_at(study, refused)
    assert was_kept
    assert again.glance == first.glance


@pytest.mark.parametrize(
    "change",
    [
        lambda paths: paths.journal.write_bytes(paths.journal.read_bytes()[:-200]),
        lambda paths: paths.state.unlink(),
        lambda paths: paths.provenance.write_text("{}"),
        lambda paths: paths.space.touch(),
        lambda paths: paths.trial(7).mkdir(),
        lambda paths: (paths.best.mkdir(), paths.best_provenance.write_text("{}")),
    ],
)
def test_what_was_written_to_is_read_again(
    study: StudyPaths, change: Callable[[StudyPaths], object]
) -> None:
    now = datetime.now(UTC)
    glance_at(study, lambda: read(study, now))
    change(study)
    n_read: list[int] = []
    with pytest.raises(FixInput):
        glance_at(study, lambda: _broken(n_read))
    assert n_read == [1]


def _broken(seen: list[int]) -> Glance:
    seen.append(1)
    raise FixInput("a study must be whole")


def test_a_study_with_a_note_is_read_each_time(study: StudyPaths) -> None:
    study.attempt(1, 1).outcome.write_text("{")
    now = datetime.now(UTC)
    for _ in range(2):
        seen, was_kept = glance_at(study, lambda: read(study, now))
        assert not was_kept
        assert "outcome.json" in seen.glance.notes[0]


def test_a_glance_of_a_driver_holds_while_that_driver_lives_and_renews_it(
    tmp_path: Path,
) -> None:
    paths, now = watched_study(tmp_path).paths, datetime.now(UTC)
    glance = read(paths, NOW)
    with StudyLock(paths):
        owner = read_owner(paths)
        assert owner is not None
        write_glance(paths, glance, now, owner)
        paths.journal.touch()
        later = now + timedelta(seconds=12)
        seen, was_kept = glance_at(paths, refused, lambda: later)
        assert (was_kept, seen.age_s, seen.glance) == (True, 12.0, glance)
        assert "trials as of 12s ago" in status_text(
            glance, paths.folder, read_state(paths), later, seen.age_s
        )
        much_later = now + timedelta(seconds=90)
        _, was_kept = glance_at(paths, lambda: read(paths, now), lambda: much_later)
        assert not was_kept
        write_glance(paths, glance, now, _another(owner))
        _, was_kept = glance_at(paths, lambda: read(paths, now), lambda: later)
        assert not was_kept
    write_glance(paths, glance, now, owner)
    _, was_kept = glance_at(paths, lambda: read(paths, now), lambda: later)
    assert not was_kept, "its driver has gone"


def _another(owner: Owner) -> Owner:
    return Owner(owner.pid, owner.host, owner.process_started + 1, owner.started_at, "")


def test_a_driver_keeps_what_a_reader_would_read(
    plan: MakePlan, studies_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_driver, "drive", serial.drive)
    argv = ("--set", "train.num_epochs=2", "--name", "bikes", "--trials", "3")
    run.start(plan(*argv, file=_SCRIPT), Silent())
    paths, now = StudyPaths(studies_dir / "bikes"), datetime.now(UTC)
    seen, was_kept = glance_at(paths, refused)
    assert was_kept
    fresh = read(paths, now)
    assert text_of(paths, seen.glance, now) == text_of(paths, fresh, now)
    assert seen.glance.listing == fresh.listing


def test_a_trial_is_read_again_by_the_driver_once_it_has_changed(study: StudyPaths) -> None:
    summary, state = read_summary(study.folder), read_state(study)
    assert state is not None
    keeper, now = GlanceKeeper(study, summary.config), datetime.now(UTC)
    records = [trial.record for trial in summary.trials]
    keeper.keep(records[:2], state, 0)
    write_state(study, state)
    keeper.keep(records, state, 0)
    seen, was_kept = glance_at(study, refused)
    assert was_kept
    assert text_of(study, seen.glance, now) == text_of(study, read(study, now), now)
