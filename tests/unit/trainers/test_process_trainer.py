"""The command, the variables and the guard of a local training."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automl.errors import FixInput
from automl.extras import how_to_get
from automl.processes import started_at
from automl.skill.model import ActionInfo, Skill
from automl.study.layout import AttemptPaths, StudyPaths
from automl.trainers import own_program, process
from automl.trainers.leftovers import end_leftover, end_leftovers, leftover_pid
from automl.trainers.process import ProcessTrainer, environment, start_guarded, tail_of

PYTHON = [sys.executable, "-I", "-S", "-c"]


def eventually(condition: Callable[[], bool], within_s: float = 20.0) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def skill(command: str, network: str = "other") -> Skill:
    actions = {"train": ActionInfo("train", command)}
    return Skill(Path("/skill"), "name", network, True, actions=actions)


class TestCommand:
    def test_is_the_skills_with_the_spec_put_in(self) -> None:
        trainer = ProcessTrainer(skill("other train -e {config_path} x=1"))
        assert trainer.command(Path("/a b/spec.yaml")) == [
            *("other", "train", "-e"),
            *("/a b/spec.yaml", "x=1"),
        ]

    def test_runs_this_packages_own_program_for_its_own_network(self) -> None:
        trainer = ProcessTrainer(skill("centerpose train -e {config_path}", "centerpose"))
        assert trainer.command(Path("/spec.yaml")) == [
            *(sys.executable, "-m", "automl.centerpose"),
            *("train", "-e", "/spec.yaml"),
        ]

    def test_a_skill_without_one_is_refused(self) -> None:
        with pytest.raises(FixInput, match="must have a command for the action 'train'"):
            ProcessTrainer(replace(skill(""), actions={})).command(Path("spec.yaml"))

    def test_a_program_that_is_not_there_is_a_problem(self) -> None:
        (problem,) = ProcessTrainer(skill("no-such-program-here train")).check()
        assert "no-such-program-here" in problem.got

    def test_packages_that_are_not_there_are_a_problem(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            own_program, "OWN_PROGRAM_NEEDS", {"no_such_module": "no-such-package"}
        )
        (problem,) = ProcessTrainer(skill("centerpose train", "centerpose")).check()
        assert "no-such-package" in problem.got
        assert problem.fix == how_to_get("trainer")


class TestEnvironment:
    def test_bounds_the_threads_of_every_library(self, task: Any) -> None:
        variables = environment({"OMP_NUM_THREADS": "64"}, replace(task, threads=3), [])
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        assert {variables[name] for name in names} == {"3"}
        assert variables["PYTHONUNBUFFERED"] == "1"

    def test_counts_the_visible_gpus_from_zero(self, task: Any) -> None:
        variables = environment({}, task, ["6", "2"])
        assert variables["CUDA_VISIBLE_DEVICES"] == "6,2"
        assert variables["TAO_VISIBLE_DEVICES"] == "0,1"

    def test_hides_every_gpu_from_a_training_without(self, task: Any) -> None:
        variables = environment({"CUDA_VISIBLE_DEVICES": "0"}, task, [])
        assert variables["CUDA_VISIBLE_DEVICES"] == ""
        assert "TAO_VISIBLE_DEVICES" not in variables

    @pytest.mark.parametrize("name", ["JOB_ID", "WORLD_SIZE", "LOCAL_RANK", "RAY_AUTH_TOKEN"])
    def test_leaves_out_what_would_mislead_a_trainer(self, task: Any, name: str) -> None:
        assert name not in environment({name: "1", "HOME": "/h"}, task, [])
        assert environment({name: "1", "HOME": "/h"}, task, [])["HOME"] == "/h"

    def test_the_tasks_own_variables_win(self, task: Any) -> None:
        own = replace(task, environment={"OMP_NUM_THREADS": "7", "NEW": "1"})
        variables = environment({}, own, [])
        assert (variables["OMP_NUM_THREADS"], variables["NEW"]) == ("7", "1")

    def test_finds_this_package_wherever_it_runs(self, task: Any) -> None:
        variables = environment({"PYTHONPATH": "/mine"}, task, [])
        here = str(Path(process.__file__).parents[2])
        if Path(here).name not in ("site-packages", "dist-packages"):
            assert variables["PYTHONPATH"] == f"{here}{os.pathsep}/mine"


class TestGuard:
    def test_what_the_trainer_leaves_running_ends_with_it(self, task: Any, tmp_path: Path) -> None:
        note = tmp_path / "pid"
        program = (
            "import os, sys, time\n"
            "if os.fork() == 0:\n"
            "    os.setsid()\n"
            f"    open({str(note)!r}, 'w').write(str(os.getpid()))\n"
            "    time.sleep(600)\n"
            f"while not os.path.exists({str(note)!r}) or not open({str(note)!r}).read(): pass\n"
        )
        assert start_guarded([*PYTHON, program], task, []).wait(20) == 0
        assert not started_at(int(note.read_text()))

    def test_a_killed_guard_takes_the_trainer_with_it(
        self, task: Any, attempt_paths: AttemptPaths
    ) -> None:
        handle = start_guarded(["sleep", "600"], task, [])
        assert eventually(attempt_paths.pid.exists)
        ids = json.loads(attempt_paths.pid.read_text())
        os.kill(ids["guard"], signal.SIGKILL)
        assert handle.wait(5) == 128 + signal.SIGKILL
        assert eventually(lambda: not started_at(ids["pid"]))

    def test_a_program_that_cannot_be_executed_says_so_in_the_log(self, task: Any) -> None:
        handle = start_guarded(["/no/such/program"], task, [])
        assert handle.wait(20) == 127
        assert handle.tail(1) == ["cannot start /no/such/program: No such file or directory"]

    def test_a_driver_that_is_already_gone_counts_as_gone(self, task: Any) -> None:
        with subprocess.Popen(["true"]) as driver:
            driver.wait()
        handle = start_guarded(["sleep", "600"], replace(task, driver_pid=driver.pid), [])
        assert handle.wait(5) == 128 + signal.SIGTERM

    def test_the_trainer_gets_signals_though_the_worker_blocks_them(self, task: Any) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            handle = start_guarded(["sleep", "600"], task, [])
            handle.stop(5)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        assert handle.wait(0) == 128 + signal.SIGTERM

    def test_it_does_not_hear_the_terminals_interrupt(self, task: Any) -> None:
        handle = start_guarded(["sleep", "600"], task, [])
        assert os.getpgid(handle._process.pid) != os.getpgid(0)
        handle.stop(5)

    def test_a_process_that_waits_to_be_reaped_counts_as_gone(self) -> None:
        child = subprocess.Popen(["true"])
        assert eventually(lambda: not started_at(child.pid))
        child.wait()

    def test_a_living_process_has_a_start_time(self) -> None:
        assert started_at(os.getpid()).isdigit()


class TestLeftovers:
    def test_an_attempt_that_ended_left_nothing(self, attempt_paths: AttemptPaths) -> None:
        assert not end_leftover(attempt_paths.pid)

    @pytest.mark.parametrize("pid", ["Infinity", "1e400", "null", '"x"', "[]", "1" + "0" * 400])
    def test_a_number_that_is_none_left_nothing(
        self, attempt_paths: AttemptPaths, pid: str
    ) -> None:
        ids = f'{{"pid": {pid}, "started": "1", "guard": {pid}, "guard_started": "1"}}'
        attempt_paths.pid.write_text(ids)
        assert not end_leftover(attempt_paths.pid)
        assert leftover_pid(attempt_paths.pid) is None

    def test_a_number_that_belongs_to_another_process_is_left_alone(
        self, attempt_paths: AttemptPaths
    ) -> None:
        ids = {"pid": os.getpid(), "started": "1", "guard": os.getpid(), "guard_started": "1"}
        attempt_paths.pid.write_text(json.dumps(ids))
        assert not end_leftover(attempt_paths.pid)
        assert not attempt_paths.pid.exists()

    def test_a_trainer_whose_guard_does_nothing_is_killed(
        self, attempt_paths: AttemptPaths, paths: StudyPaths
    ) -> None:
        with subprocess.Popen(["sleep", "600"], start_new_session=True) as child:
            ids = {
                "pid": child.pid,
                "started": started_at(child.pid),
                "guard": 0,
                "guard_started": "",
            }
            attempt_paths.pid.write_text(json.dumps(ids))
            assert end_leftovers(paths, timeout_s=0.1) == ("0000/1",)
            assert child.wait(5) == -signal.SIGKILL

    def test_a_study_without_trials_has_none(self, tmp_path: Path) -> None:
        assert end_leftovers(StudyPaths(tmp_path)) == ()


def test_the_tail_takes_a_progress_bar_apart(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_bytes(b"one\n 10%\r 20%\r 30%\n\nlast \xff\n")
    assert tail_of(log, 3) == [" 20%", " 30%", "last \ufffd"]
    assert tail_of(tmp_path / "none", 3) == []
