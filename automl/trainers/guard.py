"""The small program that stands between a worker and a trainer, so that no trainer is orphaned.

It is started by path, needs the standard library only and imports nothing of the package but
``automl.processes``, so that it is up in a few hundredths of a second. It puts the trainer into a
session of its own and ends it, with everything the trainer started, as soon as one of these
happens:

- its standard input closes: the worker that held the other end of the pipe is gone;
- the driver's process is gone, or its number now belongs to another process;
- a line ``stop SECONDS`` arrives on standard input, or the guard itself gets SIGTERM.

The guard adopts whatever the trainer leaves behind (child subreaper), so "everything" includes
processes that moved to another session. Should the guard itself be killed, the kernel kills the
trainer (parent death signal). Its exit code is the trainer's, or 128 plus the number of the signal
that ended it; 127 if the program could not be started.

Usage::

    python guard.py PID_FILE DRIVER_PID GRACE_S CHANNEL PROGRAM [ARGUMENT ...]

``DRIVER_PID`` 0 watches the pipe alone. ``CHANNEL`` is an open socket's descriptor that becomes
the program's standard input and output, or 0 for no input and the guard's own output.
"""

# Importing pathlib would double the time to start.
# ruff: noqa: PTH100, PTH105, PTH108, PTH120, PTH123

import ctypes
import json
import os
import select
import signal
import sys
import time

if not __package__:
    # Started by path, without site-packages: the package is found beside this file.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from automl.processes import children_of, started_at

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
WATCH_S = 0.5
POLL_S = 0.02
SWEEP_S = 30.0
NOT_STARTED = 127


class Guard:
    """Runs one program and watches for a reason to end it.

    Args:
        driver: Process to follow; 0 for none.
        grace_s: Seconds between SIGTERM and SIGKILL when the worker or the driver is gone.
    """

    def __init__(self, driver: int, grace_s: float) -> None:
        self.driver = driver
        self.driver_started = started_at(driver) if driver else ""
        self.grace_s = grace_s
        self.child = 0
        self.code: int | None = None
        self.received = b""
        self.wakeup, writer = os.pipe()
        for end in (self.wakeup, writer):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writer)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "received", b"stop\n"))
        for ignored in (signal.SIGINT, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_IGN)
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def start(self, command: list[str], channel: int) -> None:
        """Starts the program in a session of its own, with ``channel`` as its input and output."""
        guard = os.getpid()
        # A request to end that comes before the program does must not be lost on the way to it.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM,))
        self.child = os.fork()
        if self.child:
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            if channel:
                os.close(channel)
            return
        try:
            os.setsid()
            for reset in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(reset, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() == guard:
                os.dup2(channel or os.open(os.devnull, os.O_RDONLY), 0)
                if channel:
                    os.dup2(channel, 1)
                    os.close(channel)
                os.execvp(command[0], command)  # noqa: S606
        except OSError as error:
            os.write(2, os.fsencode(f"cannot start {command[0]}: {error.strerror}\n"))
        finally:
            os._exit(NOT_STARTED)

    def write_pid(self, path: str) -> None:
        """Writes the ids that let a later driver recognise the trainer, whole or not at all."""
        me = os.getpid()
        ids = {
            "pid": self.child,
            "started": started_at(self.child),
            "guard": me,
            "guard_started": started_at(me),
        }
        aside = f"{path}.part"
        with open(aside, "w", encoding="utf-8") as file:
            json.dump(ids, file)
        os.replace(aside, path)

    def watch(self) -> float | None:
        """Waits for the program's end (None) or a reason to end it (the grace in seconds)."""
        while True:
            ready = select.select([0, self.wakeup], [], [], WATCH_S)[0]
            if self.wakeup in ready:
                os.read(self.wakeup, 4096)
            self.reap()
            if self.code is not None:
                return None
            if 0 in ready:
                line = os.read(0, 4096)
                if not line:
                    return self.grace_s
                self.received += line
            if b"\n" in self.received:
                return self._asked_grace()
            if self._driver_is_gone():
                return self.grace_s

    def _driver_is_gone(self) -> bool:
        if not self.driver:
            return False
        return not self.driver_started or started_at(self.driver) != self.driver_started

    def _asked_grace(self) -> float:
        words = self.received.split(b"\n")[0].split()
        try:
            return float(words[1])
        except (IndexError, ValueError):
            return self.grace_s

    def end(self, grace_s: float) -> None:
        """Asks the program's whole group to end, and kills what is left after the grace."""
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + grace_s
        while self.code is None and time.monotonic() < deadline:
            time.sleep(POLL_S)
            self.reap()

    def sweep(self) -> None:
        """Kills everything that is left of the program, and returns when nothing is.

        A process that the kernel itself holds (a wedged driver) is given up after a while.
        """
        deadline = time.monotonic() + SWEEP_S
        while time.monotonic() < deadline:
            self._signal(signal.SIGKILL)
            if not self.reap():
                return
            for pid in children_of(os.getpid()):
                kill(pid, signal.SIGKILL)
            time.sleep(POLL_S)

    def reap(self) -> bool:
        """Takes the exit codes of ended processes; whether any process is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self.child:
                code = os.waitstatus_to_exitcode(status)
                self.code = code if code >= 0 else 128 - code

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.child, number)
        except OSError:
            # Before its setsid the child has no group of its own yet.
            if self.code is None:
                kill(self.child, number)


def kill(pid: int, number: int) -> None:
    """Sends a signal to a process that may be gone."""
    try:
        os.kill(pid, number)
    except OSError:
        return


def main(arguments: list[str]) -> int:
    """Guards one program; the exit code to end with."""
    pid_file, driver, grace_s, channel, *command = arguments
    guard = Guard(int(driver), float(grace_s))
    guard.start(command, int(channel))
    guard.write_pid(pid_file)
    reason = guard.watch()
    if reason is not None:
        guard.end(reason)
    guard.sweep()
    if os.path.exists(pid_file):  # noqa: PTH110
        os.unlink(pid_file)
    return NOT_STARTED if guard.code is None else guard.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
