"""One action, from its spec file to its last line of output, however it ends."""

import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.config.load import load_spec, to_tree
from automl.centerpose.config.overrides import apply_overrides
from automl.centerpose.deploy.containers import DEPLOY_ACTIONS, refuse_engines
from automl.centerpose.hardware.selection import ACCELERATOR, device_ids
from automl.centerpose.models.ahead import compiling
from automl.centerpose.program.launcher import train_on_devices
from automl.centerpose.session.failure import failure_text, is_expected
from automl.centerpose.session.interrupt import Interrupt, Interrupted
from automl.centerpose.session.run import Run
from automl.centerpose.session.status import StatusLog
from automl.errors import AutomlError, FixInput
from automl.files import write_text
from automl.trainers.contract import EXPERIMENT_NAME, results_folder
from automl.yamltext import dump_yaml, load_yaml

if TYPE_CHECKING:
    from automl.centerpose.session.cache import Cache

__all__ = [
    "ACTIONS",
    "ActionEnd",
    "perform",
    "read_tree",
    "refused",
    "say",
    "train_on_its_devices",
]

Act: TypeAlias = Callable[[Experiment, Run], None]


@dataclass(frozen=True, slots=True)
class ActionEnd:
    """How an action ended.

    Attributes:
        code: The exit code.
        error: What ended it; None for success.
    """

    code: int
    error: BaseException | None = None


def perform(
    action: str,
    spec: Path,
    overrides: Sequence[str],
    interrupt: Interrupt,
    act: Act | None = None,
) -> ActionEnd:
    """Runs an action from its spec file to its last line of output, however it ends.

    Args:
        action: Which one.
        spec: The spec file.
        overrides: ``KEY=VALUE`` texts on top of it.
        interrupt: Asked at safe points whether to end.
        act: What does the work; None for the action's own.
    """

    def run() -> ActionEnd:
        tree = read_tree(spec, overrides)
        folder = _results_folder(tree, action)
        end = _record(action, tree, Run(folder, StatusLog(folder), interrupt, say), act)
        say(f"Execution status: {'FAIL' if end.code else 'PASS'}")
        return end

    return refused(run)


def refused(run: Callable[[], ActionEnd | None]) -> ActionEnd:
    """Runs what may refuse its spec before there is a status file to say so in."""
    try:
        return run() or ActionEnd(0)
    except (AutomlError, ValueError, OSError) as error:
        say(f"{error}\nExecution status: FAIL")
        return ActionEnd(1, error)


def read_tree(path: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """The blocks of a spec file with settings on top.

    Raises:
        FixInput: There is no such file, it holds no mapping, or an override is wrong.
    """
    if not path.is_file():
        raise FixInput("the spec file must exist", got=str(path), where="-e")
    tree = load_yaml(path)
    if not isinstance(tree, dict):
        raise FixInput("a spec must be a mapping of blocks", where=str(path))
    return apply_overrides(tree, overrides)


def _results_folder(tree: Mapping[str, Any], action: str) -> Path:
    folder = results_folder(tree, action)
    if folder is None:
        raise ValueError(f"set results_dir or {action}.results_dir: where results are written")
    return folder


def _record(action: str, tree: Mapping[str, Any], run: Run, act: Act | None) -> ActionEnd:
    """Runs an action and puts however it ends into the status file."""
    name = action.capitalize()
    run.status.started(f"Starting Centerpose {action}.")
    try:
        refuse_engines(tree, action)
        spec = load_spec(tree, action)
        write_text(run.folder / EXPERIMENT_NAME, dump_yaml(to_tree(spec)))
        (act or _ACTS[action])(spec, run)
    except Interrupted as error:
        run.status.failed(f"User/System interruption: {name} was interrupted ({error})")
        return ActionEnd(error.exit_code, error)
    except KeyboardInterrupt as error:
        run.status.failed(f"User/System interruption: {name} was interrupted (SIGINT, twice)")
        return ActionEnd(130, error)
    except Exception as error:  # noqa: BLE001 - the program's edge: every failure is recorded
        if not is_expected(error):
            traceback.print_exc()
        run.status.failed(failure_text(error))
        run.say(failure_text(error))
        return ActionEnd(1, error)
    run.status.running(f"{name} finished successfully.")
    return ActionEnd(0)


def train_on_its_devices(spec: Experiment, run: Run, cache: "Cache | None" = None) -> None:
    """Trains as the spec says: here on one device, in processes of their own on several.

    Args:
        spec: The whole spec.
        run: Where to write and report.
        cache: What earlier trainings of this process left; None in a process that trains once.
    """
    on_cpu = os.environ.get(ACCELERATOR) == "cpu"
    network = spec.model.backbone.model_type
    with nullcontext() if on_cpu else compiling(network, spec.train.precision):
        if len(device_ids(spec.train)) > 1:
            path = run.folder / EXPERIMENT_NAME
            train_on_devices(spec.train, path, run.folder, run.interrupt)
        else:
            from automl.centerpose.program.train import train

            train(spec, run, cache=cache)


# Importing torch takes seconds: a spec with a mistake in it is refused before that.


def _evaluate(spec: Experiment, run: Run) -> None:
    from automl.centerpose.program.evaluate import evaluate

    evaluate(spec, run)


def _inference(spec: Experiment, run: Run) -> None:
    from automl.centerpose.program.inference import inference

    inference(spec, run)


def _export(spec: Experiment, run: Run) -> None:
    from automl.centerpose.program.export import export

    export(spec, run)


_ACTS: Mapping[str, Act] = {
    "train": train_on_its_devices,
    "evaluate": _evaluate,
    "inference": _inference,
    "export": _export,
}
ACTIONS = (*_ACTS, *DEPLOY_ACTIONS)
"""Every action that takes a spec; those of the deploy container are known and refused."""


def say(text: str) -> None:
    """Prints a line on stdout at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
