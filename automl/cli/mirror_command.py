"""``automl mirror``: a study told again in the form of another tracker."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.json_out import print_json
from automl.cli.paths import shown
from automl.cli.read_commands import of_study
from automl.cli.study_flags import add_study

if TYPE_CHECKING:
    from automl.cli.usage import Parser

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_mirror", "mirror"]

_NAMES = ("mlflow", "tensorboard", "wandb")
_LOOK = {
    "mlflow": "mlflow ui --backend-store-uri sqlite:///{}/mlflow.db",
    "tensorboard": "tensorboard --logdir {}",
    "wandb": "wandb sync {}/wandb/offline-run-*",
}


def add_mirror(commands: "Commands") -> None:
    """Declares the command."""
    text = "tell a study to MLflow, TensorBoard or Weights & Biases, without a network"
    command = commands.add_parser("mirror", help=text, description=f"{text}.")
    command.epilog = "twice changes nothing; automl run --mirror NAME does it while a study runs"
    command.set_defaults(handler="automl.cli.mirror_command:mirror")
    command.add_argument(
        "tracker", choices=_NAMES, help="mlflow and wandb need the extra of their name"
    )
    add_study(command)
    command.add_argument(
        "--to", default="", metavar="PLACE", help="folder, or MLflow's address (default: in the "
        "study's folder)",
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def mirror(arguments: argparse.Namespace) -> int:
    """Writes what the tracker does not know yet."""
    from automl.reports.mirrors.table import mirror_study
    from automl.study.layout import StudyPaths

    name: str = arguments.tracker
    folder, (n_runs, place) = of_study(
        arguments, lambda folder: (folder, mirror_study(StudyPaths(folder), name, arguments.to))
    )
    if arguments.json:
        value = {"study": folder.name, "tracker": name, "place": place, "written": n_runs}
        print_json("automl.mirror/1", value)
        return 0
    if "://" in place:
        print(f"{n_runs} runs written to {place}")
        return 0
    where = shown(Path(place))
    print(f"{n_runs} runs written to {where}" if n_runs else f"{where} holds it all already")
    print(f"look   {_LOOK[name].format(where)}")
    return 0
