"""A link where a study has a file or folder of its own is refused by name, and not followed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from automl.errors import FixInput
from automl.study.choice import find_study
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.links import drop_links, refuse_links
from automl.study.lock import StudyLock
from automl.study.outcomes import read_outcome, write_outcome
from automl.study.records import Outcome, OutcomeState

Place = Callable[[StudyPaths], Path]
PLACES: dict[str, Place] = {
    "journal": lambda paths: paths.journal,
    "torn": lambda paths: paths.journal_torn,
    "state": lambda paths: paths.state,
    "lock": lambda paths: paths.lock,
    "provenance": lambda paths: paths.provenance,
    "stop": lambda paths: paths.stop,
    "ray": lambda paths: paths.ray,
    "trials": lambda paths: paths.trials,
    "best": lambda paths: paths.best,
    "report": lambda paths: paths.report,
    "actions": lambda paths: paths.actions,
    "spec of best": lambda paths: paths.best_spec,
    "page": lambda paths: paths.report / "index.html",
    "trial": lambda paths: paths.trial(3),
    "attempt": lambda paths: paths.attempt(3, 1).folder,
    "log": lambda paths: paths.attempt(3, 1).log,
    "outcome": lambda paths: paths.attempt(3, 1).outcome,
    "container": lambda paths: paths.attempt(3, 1).container,
    "pid": lambda paths: paths.attempt(3, 1).pid,
    "spec": lambda paths: paths.attempt(3, 1).spec,
    "stop of an attempt": lambda paths: paths.attempt(3, 1).stop,
    "action": lambda paths: paths.actions / "export-1",
    "log of an action": lambda paths: AttemptPaths(paths.actions / "export-1").log,
}


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    paths = StudyPaths(tmp_path / "studies" / "bikes")
    paths.folder.mkdir(parents=True)
    paths.resolved.write_text("{}")
    return paths


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_link_is_refused_by_name(paths: StudyPaths, tmp_path: Path, place: Place) -> None:
    link = place(paths)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(tmp_path / "elsewhere")
    for refuse in (
        lambda: refuse_links(paths),
        lambda: find_study(paths.folder.parent, "bikes"),
        lambda: find_study(paths.folder.parent),
        lambda: StudyLock(paths).__enter__(),
    ):
        with pytest.raises(FixInput, match="not links") as refused:
            refuse()
        assert str(link) in str(refused.value)
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_no_part_of_the_layout_may_be_a_link(paths: StudyPaths, tmp_path: Path) -> None:
    attempt = paths.attempt(0, 1).folder
    attempt.mkdir(parents=True)
    (attempt / "centerpose_model_latest.pth").symlink_to("model_epoch_001_step_00010.pth")
    (paths.actions / "export-1").mkdir(parents=True)
    (paths.actions / "export-1" / "engine").symlink_to("model.onnx")
    refuse_links(paths)
    aliases = tmp_path / "aliases"
    aliases.symlink_to(paths.folder.parent)
    (paths.folder.parent / "bikes-too").symlink_to(paths.folder)
    assert find_study(aliases, "bikes").folder == aliases / "bikes"
    assert find_study(aliases, "bikes-too").resolved.is_file()


def test_links_of_an_ended_container_are_taken_away(paths: StudyPaths, tmp_path: Path) -> None:
    outside, attempt = tmp_path / "outside.txt", paths.attempt(3, 1)
    outside.write_text("mine")
    attempt.folder.mkdir(parents=True)
    latest = attempt.folder / "centerpose_model_latest.pth"
    for link in (attempt.log, attempt.stop, latest):
        link.symlink_to(outside)
    attempt.spec.write_text("spec")
    drop_links(attempt)
    assert {entry.name for entry in attempt.folder.iterdir()} == {attempt.spec.name, latest.name}
    assert outside.read_text() == "mine"
    refuse_links(paths)


@pytest.mark.parametrize("name", ["../../secret.pth", "/etc/passwd", "trials/../../x.pth"])
def test_a_checkpoint_elsewhere_is_no_outcome(paths: StudyPaths, name: str) -> None:
    attempt = paths.attempt(0, 1)
    write_outcome(attempt, Outcome(0, 1, OutcomeState.OK, checkpoint=name))
    outcome, note = read_outcome(attempt)
    assert outcome is None
    assert "below the study" in note


def test_an_outcome_behind_a_link_counts_as_absent(paths: StudyPaths, tmp_path: Path) -> None:
    elsewhere = AttemptPaths(tmp_path / "elsewhere")
    write_outcome(elsewhere, Outcome(0, 1, OutcomeState.OK))
    attempt = paths.attempt(0, 1)
    attempt.folder.mkdir(parents=True)
    attempt.outcome.symlink_to(elsewhere.outcome)
    assert read_outcome(attempt)[0] is None
