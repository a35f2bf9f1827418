"""Training as a local process in a session of its own, watched by a guard."""

import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automl.files import write_text
from automl.inside import read_file, writable
from automl.skill.model import ActionInfo, Skill
from automl.spec.formats import spec_text
from automl.study.layout import AttemptPaths
from automl.trainers import guard
from automl.trainers.base import Preview, Problem, TrialTask
from automl.trainers.own_program import OWN_PROGRAMS, missing_packages
from automl.trainers.program import Filled, command_of, script_arguments, thread_variables
from automl.trainers.script import missing_files, variables_of
from automl.yamltext import load_yaml

__all__ = ["OWN_PROGRAMS", "GuardedProcess", "ProcessTrainer", "missing_program", "start_guarded"]

#: Seconds a trainer gets to end by itself once its worker or its driver is gone.
ORPHAN_GRACE_S = 2.0
_GUARD_GRACE_S = 35.0
_TAIL_BYTES = 1 << 16

# Each of these would make a trainer believe that it is one rank of a distributed run, or that it
# must report to a service. Ray's own (the worker's, with its secret) are none of a trainer's
# business either.
_NOT_INHERITED = (
    "JOB_ID",
    "WORLD_SIZE",
    "RANK",
    "LOCAL_RANK",
    "NODE_RANK",
    "MASTER_ADDR",
    "MASTER_PORT",
    "TAO_VISIBLE_DEVICES",
)
_NOT_INHERITED_PREFIX = "RAY_"


@dataclass(frozen=True, slots=True)
class ProcessTrainer:
    """Runs the command of a skill's action as a process on this machine.

    For the networks this package trains itself the command's program is replaced by this package's
    own; any other program is looked up on PATH.

    Attributes:
        skill: The model skill whose command is run.
        action: Which of its actions.
        python: The interpreter of a script; empty for the one that runs this program.
    """

    skill: Skill
    action: str = "train"
    python: str = ""

    def check(self) -> Sequence[Problem]:
        """A missing program, script or interpreter, or the packages its own trainer lacks."""
        execution = self._info.execution
        if execution is not None:
            return missing_files(execution, self.python)
        if self.skill.network_arch in OWN_PROGRAMS:
            return missing_packages()
        program = missing_program(self.skill, self.action)
        if not program:
            return []
        return [
            Problem(
                "the trainer's program must be on PATH",
                got=f"no program {program!r}",
                fix=f"use --trainer docker, whose image holds it, or put a program {program!r}"
                " of your own on PATH",
            )
        ]

    def start(self, task: TrialTask, gpus: Sequence[str]) -> "GuardedProcess":
        """Starts the action on the task's spec, written in the format that its skill declares."""
        paths, info = AttemptPaths(task.folder), self._info
        spec = load_yaml(task.spec_path)
        config = paths.config(info.config_format)
        if config != paths.spec:
            write_text(config, spec_text(spec, info.config_format))
        if info.execution is None:
            return start_guarded(self.command(task.spec_path), task, gpus)
        own = replace(task, environment={**variables_of(self.python), **task.environment})
        words = self.command(task.spec_path)
        return start_guarded(words, own, gpus, cwd=info.execution.cwd)

    def preview(
        self,
        spec: Mapping[str, Any],
        task: TrialTask,
        gpus: Sequence[str],  # noqa: ARG002
    ) -> Preview:
        """The process that ``start`` would start."""
        return Preview(tuple(self.command(task.spec_path, spec)))

    @property
    def _info(self) -> ActionInfo:
        return self.skill.actions.get(self.action) or ActionInfo(self.action)

    def command(self, spec_path: Path, spec: Mapping[str, Any] | None = None) -> list[str]:
        """The argument list for one spec.

        Args:
            spec_path: The spec's file; what the program reads lies beside it.
            spec: What it holds, for settings that are arguments; None to read it where needed.

        Raises:
            FixInput: The skill has no command for the action.
        """
        info = self._info
        if spec is None:
            spec = load_yaml(spec_path) if info.mode == "args" else {}
        config = AttemptPaths(spec_path.parent).config(info.config_format)
        path = spec_path if info.config_format == "yaml" else config
        filled = Filled(str(path), str(spec_path.parent), spec)
        if info.execution is not None:
            interpreter = self.python or sys.executable
            return [interpreter, str(info.execution.script), *script_arguments(info, filled)]
        words = command_of(self.skill, self.action, filled)
        own = OWN_PROGRAMS.get(self.skill.network_arch)
        return [sys.executable, "-m", own, *words[1:]] if own else words


def missing_program(skill: Skill, action: str = "train") -> str:
    """The program that an action's command names and that is not on PATH; empty if none lacks.

    Raises:
        FixInput: The skill has no command for the action.
    """
    info = skill.actions.get(action)
    if skill.network_arch in OWN_PROGRAMS or (info is not None and info.execution is not None):
        return ""
    program = command_of(skill, action, Filled("spec.yaml"))[0]
    return "" if shutil.which(program) else program


def start_guarded(
    command: Sequence[str],
    task: TrialTask,
    gpus: Sequence[str],
    pid_path: Path | None = None,
    channel: int = 0,
    cwd: Path | None = None,
) -> "GuardedProcess":
    """Starts a command under a guard, its output going to the task's log.

    Args:
        command: What to start.
        task: Where it runs, and whose death ends it.
        gpus: Ids of the GPUs that it may use.
        pid_path: Where the guard writes its ids; None for the attempt's own place.
        channel: Descriptor of a socket that the command gets as its standard input and output;
            0 for no input, and its output in the log.
        cwd: Folder that it starts in; None for the task's own.

    Raises:
        OSError: The folder cannot be written or no process can be started.
    """
    task.folder.mkdir(parents=True, exist_ok=True)
    pid_path = pid_path or AttemptPaths(task.folder).pid
    guarded = [
        *(sys.executable, "-I", "-S", guard.__file__),
        *(str(pid_path), str(task.driver_pid or 0), str(ORPHAN_GRACE_S), str(channel)),
        *command,
    ]
    with os.fdopen(writable(task.log_path, os.O_WRONLY | os.O_APPEND), "ab") as log:
        process = subprocess.Popen(
            guarded,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=cwd or task.folder,
            env=environment(os.environ, task, gpus),
            start_new_session=True,
            pass_fds=(channel,) if channel else (),
        )
    return GuardedProcess(process, pid_path, task.log_path)


def environment(
    inherited: Mapping[str, str], task: TrialTask, gpus: Sequence[str]
) -> dict[str, str]:
    """The variables of a trainer: the inherited ones, bounded threads, and its own GPUs alone.

    The GPUs given are the only ones visible, so within the trainer they count from 0.
    """
    variables = {
        name: text
        for name, text in inherited.items()
        if name not in _NOT_INHERITED and not name.startswith(_NOT_INHERITED_PREFIX)
    }
    variables |= thread_variables(task.threads)
    variables |= {"PYTHONUNBUFFERED": "1", "CUDA_VISIBLE_DEVICES": ",".join(gpus)}
    if gpus:
        variables["TAO_VISIBLE_DEVICES"] = ",".join(str(index) for index in range(len(gpus)))
    checkout = Path(__file__).parents[2]
    if checkout.name not in ("site-packages", "dist-packages"):
        # Run from a checkout that is not installed, the trainer must still find this package.
        known = variables.get("PYTHONPATH")
        variables["PYTHONPATH"] = os.pathsep.join([str(checkout), *([known] if known else [])])
    return variables | dict(task.environment)


class GuardedProcess:
    """A trainer running under a guard.

    Args:
        process: The guard, its standard input a pipe held here.
        pid_path: Where the guard writes the trainer's ids.
        log_path: The trainer's output.
    """

    def __init__(self, process: subprocess.Popen[bytes], pid_path: Path, log_path: Path) -> None:
        self._process = process
        self._pid_path = pid_path
        self._log_path = log_path

    def wait(self, timeout_s: float) -> int | None:
        """The exit code, 128 plus the signal's number for a killed trainer; None if it runs."""
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None
        self._close_pipe()
        return code if code >= 0 else 128 - code

    def stop(self, grace_s: float) -> None:
        """Ends the trainer and everything it started; returns when they are gone."""
        if self._process.poll() is None:
            self._send(f"stop {grace_s}\n".encode())
            try:
                self._process.wait(grace_s + _GUARD_GRACE_S)
            except subprocess.TimeoutExpired:
                # The kernel kills the trainer with its guard.
                self._process.kill()
                self._process.wait()
        self._close_pipe()

    def tail(self, lines: int) -> list[str]:
        """The last lines of the log; a progress bar's rewritten line counts as several."""
        return tail_of(self._log_path, lines)

    def _send(self, message: bytes) -> None:
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            return
        try:
            pipe.write(message)
            pipe.flush()
        except BrokenPipeError:
            return

    def _close_pipe(self) -> None:
        pipe = self._process.stdin
        if pipe is not None and not pipe.closed:
            try:
                pipe.close()
            except BrokenPipeError:
                return


def tail_of(path: Path, lines: int) -> list[str]:
    """The last ``lines`` non-empty lines of a text file; none if there is no file."""
    try:
        with read_file(path) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    split = text.replace("\r", "\n").split("\n")
    return list(deque((line.rstrip() for line in split if line.strip()), maxlen=lines))
