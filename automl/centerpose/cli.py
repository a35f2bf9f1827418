"""The command line of the trainer program: spec in, exit code out, every end on record.

::

    python -m automl.centerpose train -e spec.yaml [key=value ...]
    python -m automl.centerpose evaluate -e spec.yaml [key=value ...]
    python -m automl.centerpose inference -e spec.yaml [key=value ...]
    python -m automl.centerpose export -e spec.yaml [key=value ...]
    python -m automl.centerpose baseline -e spec.yaml [key=value ...]
    python -m automl.centerpose describe [--format json]

``gen_trt_engine`` is known and refused: it belongs to the deploy container.

Exit codes: 0 done, 1 failed, 130 and 143 ended by SIGINT and SIGTERM.
"""

import argparse
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.config.load import load_spec, to_tree
from automl.centerpose.config.overrides import apply_overrides
from automl.centerpose.deploy.containers import DEPLOY_ACTIONS, refuse_engines
from automl.centerpose.interrupt import Interrupt, Interrupted
from automl.centerpose.run import Run
from automl.centerpose.status import StatusLog
from automl.errors import AutomlError, FixInput
from automl.files import write_text
from automl.trainers.contract import EXPERIMENT_NAME, results_folder
from automl.yamltext import dump_yaml, load_yaml

__all__ = ["main"]

_ACTIONS = ("train", "evaluate", "inference", "export", *DEPLOY_ACTIONS, "baseline")
_DESCRIBE = "describe"  # needs no spec


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one action; returns the exit code."""
    arguments = _arguments(argv)
    if arguments.action == _DESCRIBE:
        _describe(arguments.format)
        return 0
    interrupt = Interrupt()
    interrupt.listen()
    try:
        tree = _read_tree(Path(arguments.spec), arguments.overrides)
        if arguments.action == "baseline":
            _baseline(tree)
            return 0
        folder = _results_folder(tree, arguments.action)
    except (AutomlError, ValueError, OSError) as error:
        _say(f"{error}\nExecution status: FAIL")
        return 1
    run = Run(folder, StatusLog(folder), interrupt, _say)
    code = _record(arguments.action, tree, run)
    _say(f"Execution status: {'FAIL' if code else 'PASS'}")
    return code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Ends like the container does where -e is missing: on stdout, with exit code 1."""
        _say(f"{self.format_usage()}{self.prog}: {message}")
        sys.exit(1)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    arguments = parser.parse_intermixed_args(argv)
    if arguments.action == _DESCRIBE:
        if arguments.spec or arguments.overrides:
            parser.error("describe takes no spec: it tells of every network")
    elif not arguments.spec:
        parser.error("the following arguments are required: -e/--experiment_spec_file")
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m automl.centerpose", description="CenterPose in PyTorch.")
    parser.add_argument("action", choices=(*_ACTIONS, _DESCRIBE), help="what to do")
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


def _record(action: str, tree: Mapping[str, Any], run: Run) -> int:
    """Runs an action and puts however it ends into the status file."""
    name = action.capitalize()
    run.status.started(f"Starting Centerpose {action}.")
    try:
        refuse_engines(tree, action)
        spec = load_spec(tree, action)
        write_text(run.folder / EXPERIMENT_NAME, dump_yaml(to_tree(spec)))
        _act(action, spec, run)
    except Interrupted as error:
        run.status.failed(f"User/System interruption: {name} was interrupted ({error})")
        return error.exit_code
    except KeyboardInterrupt:
        run.status.failed(f"User/System interruption: {name} was interrupted (SIGINT, twice)")
        return 130
    except Exception as error:  # noqa: BLE001 - the program's edge: every failure is recorded
        if not isinstance(error, AutomlError | NotImplementedError):
            traceback.print_exc()
        run.status.failed(_failure(error))
        run.say(_failure(error))
        return 1
    run.status.running(f"{name} finished successfully.")
    return 0


def _act(action: str, spec: Experiment, run: Run) -> None:
    # Importing torch takes seconds: a spec with a mistake in it is refused before that.
    if action == "train":
        from automl.centerpose.train import train

        train(spec, run)
    elif action == "inference":
        from automl.centerpose.inference import inference

        inference(spec, run)
    elif action == "export":
        from automl.centerpose.export import export

        export(spec, run)
    else:
        from automl.centerpose.evaluate import evaluate

        evaluate(spec, run)


def _baseline(tree: Mapping[str, Any]) -> None:
    from automl.centerpose.evaluate import baseline

    result = baseline(load_spec(tree, "train"))
    _say(f"val_3DIoU {result.ap50:.5f}\nval_2DMPE {result.mpe:.5f}")


def _describe(form: str) -> None:
    from automl.centerpose.describe import as_json, as_table, describe

    write = as_json if form == "json" else as_table
    _say(write(describe()))


def _failure(error: Exception) -> str:
    """The text of a status line for a failure: a prefix by its kind, then what it says."""
    kinds: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
        (AutomlError, "Configuration error"),
        (NotImplementedError, "Feature not implemented"),
        ((ValueError, TypeError), "Parameter validation error"),
        (OSError, "File system error"),
    )
    for kind, prefix in kinds:
        if isinstance(error, kind):
            return f"{prefix}: {error}"
    return f"Unexpected error: {type(error).__name__}: {error}"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
