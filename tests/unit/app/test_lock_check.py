"""Locks of a folder, tried by two processes."""

import fcntl
from pathlib import Path

import pytest

from automl.app import lock_check
from automl.app.doctor_checks import FolderFacts, check_folder
from automl.app.lock_check import check_locks, lock_problem
from automl.checkup import Result
from automl.errors import PrepareMachine


def test_locks_that_hold_and_leave_nothing(tmp_path: Path) -> None:
    assert lock_problem(tmp_path) == ""
    assert [*tmp_path.iterdir()] == []


def test_a_lock_that_two_processes_were_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a mount whose locks stay within each machine: the first process holds nothing."""
    monkeypatch.setattr(lock_check, "try_lock", lambda *_: True)
    assert lock_problem(tmp_path) == "two processes were given one lock"


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_file: int, _operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert lock_problem(tmp_path) == "it has no locks: Operation not supported"


def test_a_network_mount_whose_locks_do_not_hold_is_refused_with_what_else_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_check, "lock_problem", lambda _: "two processes were given one lock")
    check_locks(tmp_path / "studies")  # a disk of this machine is not tried
    monkeypatch.setattr(lock_check, "file_system", lambda _: "nfs4")
    with pytest.raises(PrepareMachine, match=r"given one lock \(nfs4\).*--storage"):
        check_locks(tmp_path / "studies")


def test_the_check_up_says_so(tmp_path: Path) -> None:
    facts = FolderFacts(tmp_path, file_system="nfs4", locks="two processes were given one lock")
    _, found = check_folder(facts, is_root=False)
    assert (found.name, found.result) == ("file locks", Result.FAIL)
    assert "--storage" in found.fix
