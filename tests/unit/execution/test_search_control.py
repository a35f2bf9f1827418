"""Signals, stages and the watcher's thread."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.errors import ResolveConflict
from automl.execution.control import Control, Stage
from automl.execution.observe import Observer


def eventually(condition: Callable[[], bool], within_s: float = 20.0) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


class TestControl:
    @pytest.fixture
    def notices(self) -> list[str]:
        return []

    @pytest.fixture
    def control(self, tmp_path: Path, notices: list[str]) -> Control:
        return Control(tmp_path / "stop", notices.append)

    def test_the_first_interrupt_stops_after_the_running_trials(
        self, control: Control, notices: list[str], tmp_path: Path
    ) -> None:
        with control.handling_signals():
            os.kill(os.getpid(), signal.SIGINT)
        assert control.stage is Stage.AFTER_RUNNING
        assert not control.is_asking
        assert not (tmp_path / "stop").exists()
        assert eventually(lambda: len(notices) == 1)
        assert "after the running trials" in notices[0]
        assert control.signal is signal.SIGINT

    def test_the_second_stops_them_now(
        self, control: Control, notices: list[str], tmp_path: Path
    ) -> None:
        with control.handling_signals():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        assert control.stage is Stage.NOW
        assert (tmp_path / "stop").exists()
        assert eventually(lambda: len(notices) == 2)
        assert any("checkpoints are kept" in notice for notice in notices)

    def test_a_request_to_terminate_stops_them_now(self, control: Control) -> None:
        with control.handling_signals():
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
        assert control.stage is Stage.NOW
        assert control.signal is signal.SIGTERM

    def test_a_closed_terminal_stops_them_now(self, control: Control) -> None:
        with control.handling_signals():
            os.kill(os.getpid(), signal.SIGHUP)
        assert control.stage is Stage.NOW
        assert control.signal is signal.SIGHUP

    def test_a_closed_terminal_that_is_ignored_stops_nothing(self, control: Control) -> None:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            with control.handling_signals(), control.waiting_for_signals():
                os.kill(os.getpid(), signal.SIGHUP)
                control.wait(0.0)
        finally:
            signal.signal(signal.SIGHUP, before)
        assert control.stage is Stage.RUNNING

    def test_signals_are_waited_for_whatever_became_of_their_handlers(
        self, control: Control
    ) -> None:
        with control.handling_signals(), control.waiting_for_signals():
            # To this thread alone: others of the tests' own process would end it.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
            control.wait(5.0)
            assert control.stage is Stage.NOW
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        assert control.signal is signal.SIGTERM

    def test_before_a_study_is_held_its_stop_file_is_another_drivers(
        self, tmp_path: Path, notices: list[str]
    ) -> None:
        control = Control(tmp_path / "stop", notices.append, held=False)
        control.stop_now()
        assert not (tmp_path / "stop").exists()
        assert control.stage is Stage.NOW
        (tmp_path / "stop").touch()
        fresh = Control(tmp_path / "stop", notices.append, held=False)
        assert fresh.is_asking
        fresh.hold()
        assert fresh.is_asking

    def test_a_gentle_request_of_another_process_is_heard_once(
        self, tmp_path: Path, notices: list[str]
    ) -> None:
        gentle = tmp_path / "gently"
        control = Control(tmp_path / "stop", notices.append, gentle)
        gentle.touch()
        control.look()
        control.look()
        assert control.stage is Stage.AFTER_RUNNING
        assert not gentle.exists()
        assert eventually(lambda: len(notices) == 1)

    def test_a_gentle_stop_does_not_take_back_a_stop_now(self, control: Control) -> None:
        control.stop_now()
        control.stop_after_running()
        assert control.stage is Stage.NOW

    def test_a_stop_file_that_somebody_made_stops_them_now(
        self, control: Control, tmp_path: Path
    ) -> None:
        (tmp_path / "stop").touch()
        assert not control.is_asking
        (tmp_path / "stop").unlink()
        assert control.stage is Stage.NOW
        assert control.signal is None

    def test_the_handlers_before_come_back(self, control: Control) -> None:
        before = signal.getsignal(signal.SIGINT)
        with control.handling_signals(), control.handling_signals():
            assert signal.getsignal(signal.SIGINT) != before
        assert signal.getsignal(signal.SIGINT) == before

    def test_another_thread_leaves_them_alone(self, control: Control) -> None:
        seen = []

        def enter() -> None:
            with control.handling_signals():
                seen.append(signal.getsignal(signal.SIGINT))

        before = signal.getsignal(signal.SIGINT)
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        assert seen == [before]

    def test_the_third_leaves_at_once(self, tmp_path: Path) -> None:
        program = (
            "import os, pathlib, signal\n"
            "from automl.execution.control import Control\n"
            f"control = Control(pathlib.Path({str(tmp_path / 'stop')!r}), print)\n"
            "with control.handling_signals():\n"
            "    for _ in range(3): os.kill(os.getpid(), signal.SIGINT)\n"
            "print('not reached')\n"
        )
        ended = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        assert ended.returncode == 128 + signal.SIGINT
        assert "not reached" not in ended.stdout


class TestObserver:
    def test_looks_again_and_again_and_once_at_the_end(self) -> None:
        looks: list[float] = []
        with Observer(lambda: looks.append(1.0), interval_s=0.01):
            assert eventually(lambda: len(looks) >= 3)
        before = len(looks)
        with Observer(lambda: looks.append(1.0), interval_s=60):
            pass
        assert len(looks) == before + 1

    def test_a_failing_look_is_reported_once_and_raised_at_the_end(self) -> None:
        failures: list[str] = []

        def look() -> None:
            raise ResolveConflict("another driver owns the study")

        def watch() -> None:
            observer = Observer(look, interval_s=0.01, on_failure=lambda: failures.append("x"))
            with observer:
                assert eventually(lambda: bool(failures))

        with pytest.raises(ResolveConflict, match="another driver"):
            watch()
        assert failures == ["x"]

    def test_an_error_of_the_block_is_not_hidden(self) -> None:
        def look() -> None:
            raise OSError("disk")

        with pytest.raises(KeyError), Observer(look, interval_s=60):
            raise KeyError("inner")
