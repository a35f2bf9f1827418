import errno
import gc
import json
import logging
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState as OptunaState

from automl.errors import FixInput, ResolveConflict
from automl.study.config import Direction, Objective, StudyConfig
from automl.study.journal import repair_journal
from automl.study.layout import StudyPaths
from automl.study.storage import create_study, open_storage, open_study, read_study

OBJECTIVE = Objective("val_3DIoU", Direction.MAXIMIZE)
CONFIG = StudyConfig("bikes", "/skill", "on", "default", OBJECTIVE)


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    return StudyPaths(tmp_path)


def filled(paths: StudyPaths) -> optuna.Study:
    study = create_study(open_storage(paths), "bikes", OBJECTIVE)
    for value in (0.1, 0.2):
        trial = study.ask()
        trial.suggest_float("lr", 1e-5, 1e-2, log=True)
        study.tell(trial, value)
    return study


def test_a_study_reads_back_as_it_was_written(paths: StudyPaths) -> None:
    written = filled(paths)
    read = read_study(paths, CONFIG)
    assert read is not None
    assert read.trials == written.trials
    assert read.direction is optuna.study.StudyDirection.MAXIMIZE


def test_reading_makes_nothing(paths: StudyPaths) -> None:
    assert read_study(paths, CONFIG) is None
    assert list(paths.folder.iterdir()) == []


def test_the_name_of_a_study_is_new_in_its_storage(paths: StudyPaths) -> None:
    filled(paths)
    with pytest.raises(ResolveConflict, match="bikes"):
        create_study(open_storage(paths), "bikes", OBJECTIVE)


def test_a_resumed_study_is_opened_or_made(paths: StudyPaths) -> None:
    assert open_study(open_storage(paths), "bikes", OBJECTIVE).trials == []
    lines = paths.journal.read_text().splitlines()
    assert open_study(open_storage(paths), "bikes", OBJECTIVE).trials == []
    assert paths.journal.read_text().splitlines() == lines


def test_a_study_keeps_its_direction(paths: StudyPaths) -> None:
    filled(paths)
    with pytest.raises(ResolveConflict, match="maximize val_3DIoU, but got minimize"):
        open_study(open_storage(paths), "bikes", Objective("val_3DIoU", Direction.MINIMIZE))


def test_a_journal_cut_anywhere_loses_its_last_line_at_most(
    paths: StudyPaths, caplog: pytest.LogCaptureFixture
) -> None:
    filled(paths)
    content = paths.journal.read_bytes()
    start = content.rindex(b"\n", 0, -1) + 1
    for cut in range(start, len(content)):
        paths.journal.write_bytes(content[:cut])
        study = open_study(open_storage(paths), "bikes", OBJECTIVE)
        assert [trial.state for trial in study.trials] == [
            OptunaState.COMPLETE,
            OptunaState.RUNNING,
        ]
        study.tell(1, 0.2)
        assert [json.loads(line) for line in paths.journal.read_bytes().splitlines()]
        again = read_study(paths, CONFIG)
        assert again is not None
        assert again.trials[1].value == 0.2
    torn = paths.journal_torn.read_bytes().splitlines()
    assert torn == [content[start:cut] for cut in range(start + 1, len(content))]


def test_the_note_says_what_was_cut_off(
    paths: StudyPaths, caplog: pytest.LogCaptureFixture
) -> None:
    filled(paths)
    assert repair_journal(paths) is None
    with paths.journal.open("ab") as file:
        file.write(b'{"op_code": 6, "tri')
    with caplog.at_level(logging.WARNING):
        note = repair_journal(paths)
    assert note is not None
    assert "19 bytes" in note
    assert "study.journal.torn" in note
    assert note in caplog.messages
    assert repair_journal(paths) is None


def test_a_block_of_zeros_after_a_power_cut_is_cut_off(paths: StudyPaths) -> None:
    written = filled(paths).trials
    with paths.journal.open("ab") as file:
        file.write(bytes(100) + b"\n")
    read = read_study(paths, CONFIG)
    assert read is not None
    assert read.trials == written


def test_a_break_before_the_end_is_an_error_with_its_line(paths: StudyPaths) -> None:
    filled(paths)
    lines = paths.journal.read_bytes().splitlines(keepends=True)
    lines[2] = b"{broken\n"
    paths.journal.write_bytes(b"".join(lines))
    with pytest.raises(FixInput, match="line 3"):
        open_storage(paths)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_reader_who_may_not_write_reads_over_a_torn_end(paths: StudyPaths) -> None:
    filled(paths)
    with paths.journal.open("ab") as file:
        file.write(b"{")
    paths.journal.chmod(stat.S_IRUSR)
    assert read_study(paths, CONFIG) is not None


def test_a_study_on_a_read_only_disk_is_read_over_a_torn_end(
    paths: StudyPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(paths)
    with paths.journal.open("ab") as file:
        file.write(b"{")

    may_open = os.open

    def refuse(path: str, flags: int, *more: Any, **options: Any) -> int:
        if flags & os.O_ACCMODE != os.O_RDONLY:
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return may_open(path, flags, *more, **options)

    monkeypatch.setattr(os, "open", refuse)
    assert read_study(paths, CONFIG) is not None
    assert paths.journal.read_bytes().endswith(b"{")


def test_an_unfinished_line_of_a_live_writer_is_left_alone(paths: StudyPaths) -> None:
    filled(paths)
    with paths.journal.open("ab") as file:
        file.write(b'{"op_')
    torn = paths.journal.read_bytes()
    holder = _holder(paths.journal)
    try:
        assert repair_journal(paths) is None
        assert paths.journal.read_bytes() == torn
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()  # type: ignore[union-attr]
    assert repair_journal(paths) is not None


def test_a_writer_killed_while_it_holds_the_lock_does_not_hold_up_the_next(
    paths: StudyPaths,
) -> None:
    filled(paths)
    holder = _holder(paths.journal)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()  # type: ignore[union-attr]
    # Would wait out a grace period of 30 s with Optuna's own locks, past the test's time limit.
    Path(f"{paths.journal}.lock").symlink_to(paths.journal)
    study = open_study(open_storage(paths), "bikes", OBJECTIVE)
    study.tell(study.ask(), 0.3)
    assert len(study.trials) == 3


def _holder(path: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock of the journal until it is killed."""
    program = (
        "import fcntl, sys, time\n"
        "file = open(sys.argv[1], 'r+b')\n"
        "fcntl.flock(file, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(path)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def _append(folder: Path, count: int) -> None:
    study = open_study(open_storage(StudyPaths(folder)), "bikes", OBJECTIVE)
    for _ in range(count):
        study.tell(study.ask(), 0.5)


def test_two_processes_never_mix_their_lines(paths: StudyPaths) -> None:
    filled(paths)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append, args=(paths.folder, 10)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    read = read_study(paths, CONFIG)
    assert read is not None
    assert len(read.trials) == 22
    assert all(trial.state is OptunaState.COMPLETE for trial in read.trials)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_database_holds_a_study_too(paths: StudyPaths, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'trials.db'}"
    study = create_study(open_storage(paths, url), "bikes", OBJECTIVE)
    study.tell(study.ask(), 0.4)
    config = StudyConfig("bikes", "/skill", "on", "default", OBJECTIVE, storage_url=url)
    read = read_study(paths, config)
    assert read is not None
    assert read.trials[0].value == 0.4
    assert not paths.journal.exists()
    # From Python 3.13 on a connection that is not closed warns when it goes: here, not later.
    del study, read
    gc.collect()


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/at/all.db", "no database", "postgresql+nodriver://host/db"]
)
def test_a_database_that_cannot_be_opened_is_the_users_to_fix(paths: StudyPaths, url: str) -> None:
    with pytest.raises(FixInput) as caught:
        open_storage(paths, url)
    assert caught.value.where == "storage"
    assert caught.value.fix
