"""What ``/proc`` says of processes: live, ended and not waited for, and gone."""

import os
import subprocess
import sys
import time

from automl.processes import children_of, started_at, stat_of


def test_a_live_process_has_the_same_start_whenever_it_is_asked_for() -> None:
    started = started_at(os.getpid())
    assert int(started) > 0
    assert started_at("self") == started
    age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - int(started) / os.sysconf("SC_CLK_TCK")
    assert age_s >= 0


def test_a_child_is_found_until_it_is_waited_for_but_has_no_start_once_it_ended() -> None:
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as child:
        assert child.pid in children_of(os.getpid())
        assert int(started_at(child.pid)) >= int(started_at(os.getpid()))
        assert child.stdin is not None
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert stat_of(child.pid)[0] == "Z"
        assert started_at(child.pid) == ""
        assert child.pid in children_of(os.getpid())
    assert child.pid not in children_of(os.getpid())
    assert stat_of(child.pid) == []


def test_a_name_with_spaces_and_brackets_shifts_no_field() -> None:
    program = (
        "import sys\n"
        "open('/proc/self/comm', 'w').write('a) S 1 (b')\n"
        "print('named', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "named\n"
        assert stat_of(child.pid)[1] == str(os.getpid())
        assert int(started_at(child.pid)) > 0
        child.kill()
