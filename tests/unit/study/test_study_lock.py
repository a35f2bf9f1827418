import json
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from automl.errors import ResolveConflict
from automl.study.layout import StudyPaths
from automl.study.lock import Owner, StudyLock, read_owner

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    return StudyPaths(tmp_path)


class Clock:
    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time

    def tick(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def owner_elsewhere(heartbeat_at: datetime) -> str:
    owner = {
        "pid": 4711,
        "host": "ws-07",
        "process_started": 5,
        "started_at": NOON.isoformat(),
        "heartbeat_at": heartbeat_at.isoformat(),
    }
    return json.dumps(owner)


def test_the_owner_is_written_down_while_it_holds(paths: StudyPaths) -> None:
    clock = Clock()
    with StudyLock(paths, clock) as lock:
        clock.tick(5)
        lock.heartbeat()
        owner = read_owner(paths)
        assert owner is not None
        assert (owner.pid, owner.host) == (os.getpid(), socket.gethostname())
        assert owner.started_at == NOON.isoformat()
        clock.tick(3)
        assert owner.heartbeat_age_s(clock()) == 3
        assert owner.is_alive(clock())
    assert read_owner(paths) is None


def test_a_second_driver_is_refused_by_name(paths: StudyPaths) -> None:
    clock = Clock()
    with StudyLock(paths, clock):
        clock.tick(7)
        with pytest.raises(ResolveConflict) as caught, StudyLock(paths, clock):
            pytest.fail("two drivers")
    assert caught.value.exit_code == 7
    assert (
        caught.value.got == f"pid {os.getpid()} on {socket.gethostname()}, last heartbeat 7 s ago"
    )


def test_the_lock_is_free_after_the_block_and_after_an_error(paths: StudyPaths) -> None:
    with pytest.raises(KeyError), StudyLock(paths):
        raise KeyError
    with StudyLock(paths):
        pass


def test_a_late_heartbeat_after_the_end_writes_nothing(paths: StudyPaths) -> None:
    with StudyLock(paths) as lock:
        pass
    lock.heartbeat()
    assert read_owner(paths) is None


@pytest.mark.parametrize(("age_s", "is_refused"), [(5.0, True), (59.0, True), (61.0, False)])
def test_a_fresh_heartbeat_from_another_host_is_believed(
    paths: StudyPaths, age_s: float, is_refused: bool
) -> None:
    paths.lock.write_text(owner_elsewhere(NOON - timedelta(seconds=age_s)))
    if not is_refused:
        with StudyLock(paths, Clock()):
            return
    with pytest.raises(ResolveConflict, match="pid 4711 on ws-07"), StudyLock(paths, Clock()):
        pytest.fail("two drivers")


def test_a_heartbeat_without_a_zone_is_taken_for_utc(paths: StudyPaths) -> None:
    paths.lock.write_text(owner_elsewhere((NOON - timedelta(seconds=5)).replace(tzinfo=None)))
    with pytest.raises(ResolveConflict, match="last heartbeat 5 s ago"), StudyLock(paths, Clock()):
        pytest.fail("two drivers")


@pytest.mark.parametrize("content", ["", "{", '{"pid": 1}', "[]", "\0" * 64])
def test_a_lock_file_that_says_nothing_is_taken(paths: StudyPaths, content: str) -> None:
    paths.lock.write_text(content)
    with StudyLock(paths):
        assert read_owner(paths) is not None


def test_a_killed_driver_leaves_a_lock_that_the_next_one_takes(paths: StudyPaths) -> None:
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from automl.study.layout import StudyPaths\n"
        "from automl.study.lock import StudyLock\n"
        "with StudyLock(StudyPaths(Path(sys.argv[1]))):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(paths.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "held\n"
        with pytest.raises(ResolveConflict, match=f"pid {driver.pid} "), StudyLock(paths):
            pytest.fail("two drivers")
        driver.send_signal(signal.SIGKILL)
    left = read_owner(paths)
    assert left is not None
    assert left.pid == driver.pid
    assert not left.is_alive(datetime.now(UTC))
    with StudyLock(paths):
        owner = read_owner(paths)
        assert owner is not None
        assert owner.pid == os.getpid()


def test_a_later_process_with_the_same_id_is_not_the_owner() -> None:
    now = NOON.isoformat()
    other = Owner(os.getpid(), socket.gethostname(), 1, now, now)
    assert not other.is_alive(NOON)
