"""Locks on files: who waits, who is refused, and what a file system without locks is answered."""

import errno
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from automl.errors import PrepareMachine
from automl.filelock import is_locked, lock, locked, try_lock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "a.lock"


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until a line arrives on its input, or it is killed."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from automl.filelock import locked\n"
        "with locked(Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.readline()\n"
    )
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_lock_that_another_process_holds_is_refused(
    path: Path, holder: subprocess.Popen[str]
) -> None:
    with path.open("r+") as file:
        assert not try_lock(file.fileno(), path)
    assert is_locked(path)


def test_a_lock_goes_with_its_killed_holder(path: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    assert not is_locked(path)
    with path.open("r+") as file:
        assert try_lock(file.fileno(), path)


def test_a_lock_is_waited_for(path: Path, holder: subprocess.Popen[str]) -> None:
    assert holder.stdin is not None
    holder.stdin.write("\n")
    holder.stdin.flush()
    with locked(path):
        assert is_locked(path)
    assert not is_locked(path)
    assert path.exists()


def test_a_file_that_is_not_there_is_not_locked(path: Path) -> None:
    assert not is_locked(path)


def test_a_file_system_without_locks_is_the_machines_affair(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(file: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    path.parent.mkdir()
    path.touch()
    monkeypatch.setattr("fcntl.flock", refuse)
    with path.open("r+") as file:
        for take in (lock, try_lock):
            with pytest.raises(PrepareMachine, match="No locks available") as caught:
                take(file.fileno(), path)
            assert caught.value.where == str(path)
    assert is_locked(path)
