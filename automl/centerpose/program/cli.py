"""The command line of the trainer program: spec in, exit code out, every end on record.

::

    python -m automl.centerpose train -e spec.yaml [key=value ...]
    python -m automl.centerpose evaluate -e spec.yaml [key=value ...]
    python -m automl.centerpose inference -e spec.yaml [key=value ...]
    python -m automl.centerpose export -e spec.yaml [key=value ...]
    python -m automl.centerpose baseline -e spec.yaml [key=value ...]
    python -m automl.centerpose tune -e spec.yaml [key=value ...]
    python -m automl.centerpose describe [--format json]
    python -m automl.centerpose serve
    python -m automl.centerpose weights import|export FILE --to OUT.pth
    python -m automl.centerpose verify -e spec.yaml [--images N] [--engine FILE]

``gen_trt_engine`` is known and refused: it belongs to the deploy container.

``tune`` takes the spec of an evaluation and scores its checkpoint under many settings of decoding.

``verify`` takes the spec of an export and compares poses of what it wrote with the checkpoint's.

``serve`` takes the specs of several trainings on standard input (``serve.py``).

Exit codes: 0 done, 1 failed, 130 and 143 ended by SIGINT and SIGTERM.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.config.load import load_spec
from automl.centerpose.program.actions import ACTIONS, perform, read_tree, refused, say
from automl.centerpose.session.interrupt import Interrupt
from automl.centerpose.session.run import Run

__all__ = ["main"]

_SETTINGS_HELP = "settings of the spec; +KEY=VALUE adds, ++KEY=VALUE adds or sets, ~KEY takes out"
#: Actions that need no spec file, and why.
_WITHOUT_SPEC = {
    "describe": "it describes every network",
    "serve": "it takes them on standard input",
}
#: Programs with flags of their own.
_OWN_FLAGS = ("verify", "weights")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one action; returns the exit code."""
    words = sys.argv[1:] if argv is None else argv
    if words and words[0] in _OWN_FLAGS:
        return _with_own_flags(words[0], words[1:])
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
        return refused(lambda: _baseline(read_tree(spec, arguments.overrides))).code
    if arguments.action == "tune":
        return perform("evaluate", spec, arguments.overrides, interrupt, _tune).code
    return perform(arguments.action, spec, arguments.overrides, interrupt).code


def _with_own_flags(name: str, words: Sequence[str]) -> int:
    if name == "weights":
        from automl.centerpose.program.weights import convert

        return convert(words)
    from automl.centerpose.program.verify import main as verify

    return verify(words)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Ends like the container does where -e is missing: on stdout, with exit code 1."""
        say(f"{self.format_usage()}{self.prog}: {message}")
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
    parser.add_argument(
        "action", choices=(*ACTIONS, "baseline", "tune", *_WITHOUT_SPEC), help="what to do"
    )
    parser.add_argument("-e", "--experiment_spec_file", dest="spec", metavar="SPEC.yaml")
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="how describe answers"
    )
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help=_SETTINGS_HELP)
    return parser


def _baseline(tree: Mapping[str, Any]) -> None:
    from automl.centerpose.program.evaluate import baseline

    result = baseline(load_spec(tree, "train"))
    say(f"val_3DIoU {result.ap50:.5f}\nval_2DMPE {result.mpe:.5f}")


def _tune(spec: Experiment, run: Run) -> None:
    from automl.centerpose.program.tune import tune

    tune(spec, run)


def _describe(form: str) -> None:
    from automl.centerpose.program.describe import as_json, as_table, describe

    write = as_json if form == "json" else as_table
    say(write(describe()))
