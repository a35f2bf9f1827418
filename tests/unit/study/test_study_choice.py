"""Which study a command without a name means."""

import json
import os
from pathlib import Path

import pytest

from automl.errors import FixInput
from automl.study.choice import Wanted, find_study, studies_meant
from automl.study.config import Direction, Objective, StudyConfig
from automl.study.folder import NewStudy, create_folder, write_study
from automl.study.layout import StudyPaths
from automl.study.lock import StudyLock
from automl.study.standing import Standing, repeated_trial, standing_of
from automl.study.state import StudyState, StudyStatus, write_state

OBJECTIVE = Objective("val_3DIoU", Direction.MAXIMIZE)


@pytest.fixture
def studies_dir(tmp_path: Path) -> Path:
    return tmp_path / "studies"


def make(
    studies_dir: Path,
    name: str,
    status: StudyStatus | None,
    parent: dict[str, object] | None = None,
) -> StudyPaths:
    """A study; each is newer than the one before."""
    age = len(list(studies_dir.iterdir())) if studies_dir.is_dir() else 0
    paths = create_folder(studies_dir, name)
    config = StudyConfig(name, "/skill", "on", "default", OBJECTIVE)
    provenance = {} if parent is None else {"parent": parent}
    write_study(paths, NewStudy({}, config, {"digest": ""}, {}, provenance))
    os.utime(paths.resolved, ns=(0, age * 10**9))
    if status is not None:
        write_state(paths, StudyState(name, status, "2026-11-29T10:00:00+00:00", 4))
    return paths


def named(studies_dir: Path, wanted: Wanted = Wanted.READ) -> tuple[str, list[str]]:
    """The study that is taken, and what is said of it."""
    said: list[str] = []
    return find_study(studies_dir, None, wanted, said.append).folder.name, said


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        (None, Standing.UNFINISHED),
        (StudyStatus.RUNNING, Standing.UNFINISHED),
        (StudyStatus.INTERRUPTED, Standing.UNFINISHED),
        (StudyStatus.STOPPED, Standing.UNFINISHED),
        (StudyStatus.FINISHED, Standing.ENDED),
        (StudyStatus.FAILED, Standing.ENDED),
    ],
)
def test_where_a_study_stands(
    studies_dir: Path, status: StudyStatus | None, standing: Standing
) -> None:
    paths = make(studies_dir, "bikes", status)
    assert standing_of(paths) is standing
    with StudyLock(paths):
        assert standing_of(paths) is Standing.RUNNING


def test_one_that_runs_comes_before_unfinished_ones_and_those_before_the_ended(
    studies_dir: Path,
) -> None:
    runs = make(studies_dir, "runs", StudyStatus.RUNNING)
    make(studies_dir, "stopped", StudyStatus.INTERRUPTED)
    make(studies_dir, "ended", StudyStatus.FINISHED)
    make(studies_dir, "newest", StudyStatus.FINISHED)
    with StudyLock(runs):
        order = [paths.folder.name for paths in studies_meant(studies_dir)]
    assert order == ["runs", "stopped", "newest", "ended"]
    assert named(studies_dir) == ("stopped", [])


def test_resume_never_means_a_study_that_has_ended(studies_dir: Path) -> None:
    make(studies_dir, "stopped", StudyStatus.STOPPED)
    ended = make(studies_dir, "ended", StudyStatus.FINISHED)
    assert named(studies_dir, Wanted.RESUME)[0] == "stopped"
    write_state(
        StudyPaths(studies_dir / "stopped"),
        StudyState("stopped", StudyStatus.FAILED, "2026-11-29T10:00:00+00:00", 4),
    )
    before = {path: path.stat().st_mtime_ns for path in ended.folder.iterdir()}
    with pytest.raises(FixInput, match="nothing to resume: all 2 studies there ended") as caught:
        find_study(studies_dir, None, Wanted.RESUME)
    assert caught.value.fix == "give one more trials: automl resume ended --trials N"
    assert {path: path.stat().st_mtime_ns for path in ended.folder.iterdir()} == before
    assert named(studies_dir) == ("ended", [])


@pytest.mark.parametrize(("made_by", "word"), [("again", "reproduces"), ("retrain", "retrains")])
def test_what_repeats_a_trial_is_not_acted_on_unasked(
    studies_dir: Path, made_by: str, word: str
) -> None:
    parent = {"made_by": made_by, "study": "bikes", "trial": 3}
    make(studies_dir, "bikes", StudyStatus.FINISHED)
    again = make(studies_dir, "bikes-again", StudyStatus.FINISHED, parent)
    assert repeated_trial(again) == f"{word} trial 3 of bikes"
    assert named(studies_dir) == ("bikes-again", [])
    assert named(studies_dir, Wanted.TRAINED) == (
        "bikes",
        [f"takes bikes: bikes-again {word} trial 3 of bikes; --study bikes-again means that one"],
    )


def test_where_nothing_else_is_there_a_repetition_is_taken_and_said(studies_dir: Path) -> None:
    parent = {"made_by": "retrain", "study": "gone", "trial": 1}
    make(studies_dir, "longer", StudyStatus.FINISHED, parent)
    assert named(studies_dir, Wanted.TRAINED) == (
        "longer",
        ["takes longer, which retrains trial 1 of gone"],
    )


@pytest.mark.parametrize("content", [None, "", "[]", "{}", json.dumps({"format": 99})])
def test_a_broken_study_hides_no_other(studies_dir: Path, content: str | None) -> None:
    make(studies_dir, "whole", StudyStatus.FINISHED)
    broken = make(studies_dir, "broken", StudyStatus.FINISHED)
    broken.journal.touch()
    broken.resolved.unlink()
    if content is not None:
        broken.resolved.write_text(content)
    name, said = named(studies_dir)
    assert name == "whole"
    assert said[0].startswith("broken is passed over: ")
    assert "resolved.json" in said[0]
    assert len(said) == 1


def test_where_all_are_broken_the_newest_is_named(studies_dir: Path) -> None:
    for name in ("old", "new"):
        make(studies_dir, name, None).resolved.write_text("[")
    with pytest.raises(FixInput, match=r"resolved\.json") as caught:
        find_study(studies_dir)
    assert str(studies_dir / "new") in caught.value.where
