"""What automl clean finds, what it removes, and what it never touches."""

import fcntl
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from automl.app.clean import LeftoverKind, find_leftovers, remove_all
from automl.cli.clean_commands import findings_text
from automl.cli.main import main
from automl.processes import started_at
from automl.study.lock import StudyLock
from automl.study.records import FailureClass, OutcomeState
from automl.trainers.docker import leftovers
from automl.trainers.docker.engine import EngineAway
from automl.trainers.docker.leftovers import LeftoverContainer
from tests.unit.reports.study_builder import StudyBuilder, Told, params


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine is asked unless a test brings one."""

    def away(_: Path) -> tuple[LeftoverContainer, ...]:
        raise EngineAway("no engine here")

    monkeypatch.setattr(leftovers, "leftover_containers", away)


@pytest.fixture
def study(studies_dir: Path) -> StudyBuilder:
    """Trial 0 ended well and trial 1 ran out of memory; each has one checkpoint."""
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.1, 0.3, 0.2]))
    told = Told(params(1e-3), [0.1], OutcomeState.FAILED, FailureClass.OOM, "out of memory")
    builder.add(1, told)
    return builder


def checkpoint(study: StudyBuilder, number: int, epoch: int) -> Path:
    path = study.paths.attempt(number, 1).folder / f"model_epoch_{epoch:03d}_step_00100.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("weights", bytes(1000))
    return path


def kinds(study: StudyBuilder, cache: Path | None = None) -> list[tuple[str, str]]:
    found = find_leftovers([study.paths], study.folder.parent, cache)
    return [(one.kind, one.what) for one in found.leftovers]


def test_a_clean_study_has_nothing_to_remove(study: StudyBuilder) -> None:
    assert kinds(study) == []


def test_checkpoints_beyond_the_best_are_found_and_removed(study: StudyBuilder) -> None:
    best = next(study.paths.attempt(0, 1).folder.glob("*.pth"))
    too_much = checkpoint(study, 0, 2)
    findings = find_leftovers([study.paths], study.folder.parent, None)
    assert [one.path for one in findings.leftovers] == [too_much]
    assert findings.n_bytes == too_much.stat().st_size
    remove_all(findings, lambda _: None)
    assert best.is_file()
    assert not too_much.exists()


def test_a_failed_trial_keeps_its_newest_whole_checkpoint_too(study: StudyBuilder) -> None:
    older, newest = checkpoint(study, 1, 1), checkpoint(study, 1, 2)
    assert kinds(study) == [(LeftoverKind.CHECKPOINT, study.paths.relative(older))]
    assert newest.is_file()


def test_a_paused_trial_keeps_what_it_goes_on_from_and_its_best_epoch(
    study: StudyBuilder,
) -> None:
    study.add(2, Told(params(2e-3), [0.3, 0.2, 0.1], OutcomeState.PAUSED, evidence="3rd of 4"))
    (place,) = study.paths.attempt(2, 1).folder.glob("model_epoch_002_*.pth")
    best, between, beyond = (checkpoint(study, 2, epoch) for epoch in (0, 1, 7))
    found = kinds(study)
    assert found == [(LeftoverKind.CHECKPOINT, study.paths.relative(between))]
    remove_all(find_leftovers([study.paths], study.folder.parent, None), lambda _: None)
    assert best.is_file()
    assert place.is_file()
    assert beyond.is_file()


def test_nothing_of_a_trial_goes_whose_result_is_not_there(study: StudyBuilder) -> None:
    for path in study.paths.attempt(0, 1).folder.glob("*.pth"):
        path.unlink()
    checkpoint(study, 0, 2)
    assert kinds(study) == []


def test_unfinished_files_of_a_study(study: StudyBuilder) -> None:
    path = study.folder / ".state.json.a1b2c3d4"
    path.write_bytes(bytes(10))
    assert kinds(study) == [(LeftoverKind.UNFINISHED, str(path))]


@pytest.mark.parametrize("store", ["archives", "remote", "staged", "synth"])
def test_unfinished_folders_of_the_cache(study: StudyBuilder, tmp_path: Path, store: str) -> None:
    left = tmp_path / "cache" / store / ".abc.k1ll3d00"
    left.mkdir(parents=True)
    (left / "half").write_bytes(bytes(2000))
    findings = find_leftovers([study.paths], study.folder.parent, tmp_path / "cache")
    assert [(one.path, one.n_bytes) for one in findings.leftovers] == [(left, 2000)]
    remove_all(findings, lambda _: None)
    assert not left.exists()


def test_what_a_live_process_writes_in_the_cache_is_left_alone(
    study: StudyBuilder, tmp_path: Path
) -> None:
    store = tmp_path / "cache" / "remote"
    (store / ".abc.inuse123").mkdir(parents=True)
    with (store / "abc.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert kinds(study, tmp_path / "cache") == []
    assert len(kinds(study, tmp_path / "cache")) == 1


def test_a_study_in_use_is_neither_looked_at_nor_touched(study: StudyBuilder) -> None:
    checkpoint(study, 0, 2)
    findings = find_leftovers([study.paths], study.folder.parent, None)
    with StudyLock(study.paths):
        held = find_leftovers([study.paths], study.folder.parent, None)
        assert held.leftovers == ()
        assert f"in use by pid {os.getpid()}" in held.kept[0]
        gone: list[object] = []
        kept = remove_all(findings, gone.append)  # found before somebody took the study
    assert gone == []
    assert "one process at a time" in kept[0]
    assert checkpoint(study, 0, 2).is_file()


def test_a_trainer_that_outlived_its_driver_is_ended(study: StudyBuilder) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True
    ) as process:
        pid_path = study.paths.attempt(1, 1).pid
        started = started_at(process.pid)
        # its guard is dead: that of another start has this id now
        ids = {"pid": process.pid, "started": started, "guard": 1, "guard_started": "0"}
        pid_path.write_text(json.dumps(ids))
        findings = find_leftovers([study.paths], study.folder.parent, None)
        assert [one.what for one in findings.leftovers] == [f"pid {process.pid}"]
        remove_all(findings, lambda _: None)
        assert process.wait(timeout=10) == -9
    assert kinds(study) == []


def test_containers_nobody_waits_for(study: StudyBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    def container(name: str, *, is_resumable: bool) -> LeftoverContainer:
        folder = study.paths.attempt(1, 1).folder
        return LeftoverContainer(name, name, "exited", "bike-fan", 1, 1, folder, is_resumable)

    found = (container("dead", is_resumable=False), container("alive", is_resumable=True))
    removed: list[str] = []
    monkeypatch.setattr(leftovers, "leftover_containers", lambda _: found)
    monkeypatch.setattr(
        leftovers, "remove_leftovers", lambda ones: removed.extend(o.id for o in ones)
    )
    findings = find_leftovers([study.paths], study.folder.parent, None)
    assert [one.what for one in findings.leftovers] == ["dead"]
    assert "automl resume bike-fan goes on with it" in findings.kept[0]
    assert findings_text(findings, is_removed=False).splitlines() == [
        "kind       size  what  why",
        "─" * 54,
        "container        dead  no driver waits for it (exited)",
        "1 thing; automl clean --yes removes all of it",
    ]
    remove_all(findings, lambda _: None)
    assert removed == ["dead"]


def test_the_command_shows_first_and_removes_when_told(
    study: StudyBuilder, studies_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    too_much = checkpoint(study, 0, 2)
    where = ["--study", "bike-fan", "--studies-dir", str(studies_dir)]
    assert main(["clean", "bike-fan", *where[2:]]) == 0
    told = capsys.readouterr()
    assert f"automl clean --studies-dir {studies_dir} --yes removes all of it" in told.out
    assert "no engine here" in told.err
    assert too_much.is_file()
    assert main(["clean", *where, "--yes", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["removed"] == [study.paths.relative(too_much)]
    assert not too_much.exists()
    assert main(["clean", *where]) == 0
    assert "nothing to remove" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["best", "report", "trials/0000/1/log.txt"])
def test_a_study_with_a_link_in_it_is_left_alone(
    study: StudyBuilder, tmp_path: Path, name: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / ".report.json.a1b2c3d4").write_text("mine")
    link = study.folder / name
    if link.is_dir():
        link.rename(tmp_path / "before")
    link.unlink(missing_ok=True)
    link.symlink_to(outside)
    found = find_leftovers([study.paths], study.folder.parent, None)
    assert found.leftovers == ()
    assert any("not links" in text and str(link) in text for text in found.kept)
    assert [entry.name for entry in outside.iterdir()] == [".report.json.a1b2c3d4"]
