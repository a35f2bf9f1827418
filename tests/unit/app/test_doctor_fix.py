"""What automl doctor --fix puts in order, and what it never touches."""

import io
import json
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from automl.app.doctor_fix import fixes_of
from automl.cli.main import main
from automl.files import write_json
from automl.study.clock import utc_now
from automl.study.lock import Owner, StudyLock, read_owner
from automl.trainers.docker import leftovers
from automl.trainers.docker.engine import EngineAway
from automl.trainers.docker.leftovers import LeftoverContainer
from tests.unit.reports.study_builder import StudyBuilder, Told, params


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own; no engine is asked."""

    def away(_: Path) -> tuple[LeftoverContainer, ...]:
        raise EngineAway("no engine here")

    monkeypatch.setattr(leftovers, "leftover_containers", away)
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("AUTOML_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def study(studies_dir: Path) -> StudyBuilder:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.1, 0.3, 0.2]))
    return builder


def dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def leave_mark(study: StudyBuilder, host: str = "") -> None:
    now = utc_now().isoformat()
    owner = Owner(dead_pid(), host or socket.gethostname(), 4711, now, now)
    write_json(study.paths.lock, asdict(owner))


def whats(studies_dir: Path) -> list[str]:
    return [fix.what for fix in fixes_of(studies_dir)]


def test_where_all_is_well_there_is_nothing_to_fix(study: StudyBuilder, studies_dir: Path) -> None:
    assert whats(studies_dir) == []


def test_the_mark_of_a_dead_driver_is_cleared(study: StudyBuilder, studies_dir: Path) -> None:
    leave_mark(study)
    (fix,) = fixes_of(studies_dir)
    assert fix.what == "clear the lock of the study bike-fan"
    assert "has died" in fix.why
    fix.apply()
    assert read_owner(study.paths) is None
    assert whats(studies_dir) == []


def test_a_driver_elsewhere_or_alive_is_left_alone(study: StudyBuilder, studies_dir: Path) -> None:
    leave_mark(study, host="ws-07")
    assert whats(studies_dir) == []
    study.paths.lock.unlink()
    with StudyLock(study.paths):
        assert whats(studies_dir) == []


def test_folders_are_made_and_opened_to_their_owner(tmp_path: Path, cache: Path) -> None:
    cache.chmod(0o500)
    missing = tmp_path / "new" / "studies"
    fixes = list(fixes_of(missing))
    assert [fix.what for fix in fixes] == [
        f"make the folder {missing}",
        f"let its owner write to {cache}",
    ]
    for fix in fixes:
        fix.apply()
    assert missing.is_dir()
    assert cache.stat().st_mode & 0o777 == 0o700


def test_unfinished_files_go_and_checkpoints_stay(study: StudyBuilder, studies_dir: Path) -> None:
    attempt = study.paths.attempt(0, 1).folder
    more = attempt / "model_epoch_002_step_00300.pth"
    more.write_bytes(next(attempt.glob("*.pth")).read_bytes())
    torn = study.paths.folder / ".state.json.abcd1234"
    torn.write_text("{")
    (fix,) = fixes_of(studies_dir)
    assert fix.what == f"delete the unfinished {torn}"
    fix.apply()
    assert not torn.exists()
    assert more.is_file()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stdin", "words", "cleared"),
    [
        (io.StringIO("y\n"), (), False),
        (io.StringIO(), ("--yes",), True),
        (_Terminal("y\n"), (), True),
        (_Terminal("\n"), (), False),
    ],
    ids=["nobody there", "--yes", "agreed", "not agreed"],
)
def test_each_thing_is_said_and_asked_for(
    study: StudyBuilder,
    studies_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stdin: io.StringIO,
    words: tuple[str, ...],
    cleared: bool,
) -> None:
    leave_mark(study)
    monkeypatch.setattr(sys, "stdin", stdin)
    main(["doctor", "--fix", "--studies-dir", str(studies_dir), "--json", *words])
    told = capsys.readouterr()
    assert "fix: clear the lock of the study bike-fan (its driver, pid" in told.err
    assert (read_owner(study.paths) is None) is cleared
    (fix,) = json.loads(told.out)["fixes"]
    assert fix["done"] is cleared
    assert ("left alone" in told.err) is not cleared


def test_a_study_is_named_by_its_place(
    study: StudyBuilder, studies_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "bike-fam", "--studies-dir", str(studies_dir)]) == 2
    assert "did you mean bike-fan?" in capsys.readouterr().err
