"""The command line of the trainer program: spec in, exit code out, every end on record.

::

    python -m automl.centerpose train -e spec.yaml [key=value ...]
    python -m automl.centerpose evaluate -e spec.yaml [key=value ...]
    python -m automl.centerpose inference -e spec.yaml [key=value ...]
    python -m automl.centerpose export -e spec.yaml [key=value ...]
    python -m automl.centerpose baseline -e spec.yaml [key=value ...]
    python -m automl.centerpose describe [--format json]
    python -m automl.centerpose serve

``gen_trt_engine`` is known and refused: it belongs to the deploy container.

``serve`` takes the specs of several trainings on standard input (``serve.py``).

Exit codes: 0 done, 1 failed, 130 and 143 ended by SIGINT and SIGTERM.
"""

import argparse
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.config.load import load_spec, to_tree
from automl.centerpose.config.overrides import apply_overrides
from automl.centerpose.deploy.containers import DEPLOY_ACTIONS, refuse_engines
from automl.centerpose.program.launcher import device_ids, train_on_devices
from automl.centerpose.session.failure import failure_text, is_expected
from automl.centerpose.session.interrupt import Interrupt, Interrupted
from automl.centerpose.session.run import Run
from automl.centerpose.session.status import StatusLog
from automl.errors import AutomlError, FixInput
from automl.files import write_text
from automl.trainers.contract import EXPERIMENT_NAME, results_folder
from automl.yamltext import dump_yaml, load_yaml

if TYPE_CHECKING:
    from automl.centerpose.session.cache import Kept

__all__ = ["End", "main", "perform", "train_on_its_devices"]

_ACTIONS = ("train", "evaluate", "inference", "export", *DEPLOY_ACTIONS, "baseline")
#: Actions that need no spec file, and why.
_WITHOUT_SPEC = {
    "describe": "it tells of every network",
    "serve": "it takes them on standard input",
}

Act: TypeAlias = Callable[[str, Experiment, Run], None]


@dataclass(frozen=True, slots=True)
class End:
    """How an action ended.

    Attributes:
        code: The exit code.
        error: What ended it; None for success.
    """

    code: int
    error: BaseException | None = None


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one action; returns the exit code."""
    arguments = _arguments(argv)
    if arguments.action == "describe":
        _describe(arguments.format)
        return 0
    if arguments.action == "serve":
        from automl.centerpose.program.warm import serve_trainings

        return serve_trainings()
    interrupt = Interrupt()
    interrupt.listen()
    spec = Path(arguments.spec)
    if arguments.action == "baseline":
        return _refused(lambda: _baseline(_read_tree(spec, arguments.overrides))).code
    return perform(arguments.action, spec, arguments.overrides, interrupt).code


def perform(
    action: str,
    spec: Path,
    overrides: Sequence[str],
    interrupt: Interrupt,
    act: Act | None = None,
) -> End:
    """Runs an action from its spec file to its last line of output, however it ends.

    Args:
        action: Which one.
        spec: The spec file.
        overrides: ``KEY=VALUE`` texts on top of it.
        interrupt: Asked at safe points whether to end.
        act: What does the work; None for the action's own.
    """

    def run() -> End:
        tree = _read_tree(spec, overrides)
        folder = _results_folder(tree, action)
        end = _record(action, tree, Run(folder, StatusLog(folder), interrupt, _say), act or _act)
        _say(f"Execution status: {'FAIL' if end.code else 'PASS'}")
        return end

    return _refused(run)


def _refused(run: Callable[[], End | None]) -> End:
    """Runs what may refuse its spec before there is a status file to say so in."""
    try:
        return run() or End(0)
    except (AutomlError, ValueError, OSError) as error:
        _say(f"{error}\nExecution status: FAIL")
        return End(1, error)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Ends like the container does where -e is missing: on stdout, with exit code 1."""
        _say(f"{self.format_usage()}{self.prog}: {message}")
        sys.exit(1)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    arguments = parser.parse_intermixed_args(argv)
    if arguments.action in _WITHOUT_SPEC:
        if arguments.spec or arguments.overrides:
            why = _WITHOUT_SPEC[arguments.action]
            parser.error(f"{arguments.action} takes no spec: {why}")
    elif not arguments.spec:
        parser.error("the following arguments are required: -e/--experiment_spec_file")
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m automl.centerpose", description="CenterPose in PyTorch.")
    parser.add_argument("action", choices=(*_ACTIONS, *_WITHOUT_SPEC), help="what to do")
    parser.add_argument("-e", "--experiment_spec_file", dest="spec", metavar="SPEC.yaml")
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="how describe answers"
    )
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="settings of the spec")
    return parser


def _read_tree(path: Path, overrides: Sequence[str]) -> dict[str, Any]:
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


def _record(action: str, tree: Mapping[str, Any], run: Run, act: Act) -> End:
    """Runs an action and puts however it ends into the status file."""
    name = action.capitalize()
    run.status.started(f"Starting Centerpose {action}.")
    try:
        refuse_engines(tree, action)
        spec = load_spec(tree, action)
        write_text(run.folder / EXPERIMENT_NAME, dump_yaml(to_tree(spec)))
        act(action, spec, run)
    except Interrupted as error:
        run.status.failed(f"User/System interruption: {name} was interrupted ({error})")
        return End(error.exit_code, error)
    except KeyboardInterrupt as error:
        run.status.failed(f"User/System interruption: {name} was interrupted (SIGINT, twice)")
        return End(130, error)
    except Exception as error:  # noqa: BLE001 - the program's edge: every failure is recorded
        if not is_expected(error):
            traceback.print_exc()
        run.status.failed(failure_text(error))
        run.say(failure_text(error))
        return End(1, error)
    run.status.running(f"{name} finished successfully.")
    return End(0)


def _act(action: str, spec: Experiment, run: Run) -> None:
    # Importing torch takes seconds: a spec with a mistake in it is refused before that.
    if action == "train":
        train_on_its_devices(spec, run)
    elif action == "inference":
        from automl.centerpose.program.inference import inference

        inference(spec, run)
    elif action == "export":
        from automl.centerpose.program.export import export

        export(spec, run)
    else:
        from automl.centerpose.program.evaluate import evaluate

        evaluate(spec, run)


def train_on_its_devices(spec: Experiment, run: Run, kept: "Kept | None" = None) -> None:
    """Trains as the spec says: here on one device, in processes of their own on several.

    Args:
        spec: The whole spec.
        run: Where to write and whom to tell.
        kept: What earlier trainings of this process left; None in a process that trains once.
    """
    if len(device_ids(spec.train)) > 1:
        path = run.folder / EXPERIMENT_NAME
        train_on_devices(spec.train, path, run.folder, run.interrupt)
    else:
        from automl.centerpose.program.train import train

        train(spec, run, kept=kept)


def _baseline(tree: Mapping[str, Any]) -> None:
    from automl.centerpose.program.evaluate import baseline

    result = baseline(load_spec(tree, "train"))
    _say(f"val_3DIoU {result.ap50:.5f}\nval_2DMPE {result.mpe:.5f}")


def _describe(form: str) -> None:
    from automl.centerpose.program.describe import as_json, as_table, describe

    write = as_json if form == "json" else as_table
    _say(write(describe()))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
