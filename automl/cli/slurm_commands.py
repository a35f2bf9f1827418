"""``automl slurm``: a study as a job of a Slurm cluster."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.carried import studies_dir

if TYPE_CHECKING:
    from automl.app.slurm import SlurmJob
    from automl.cli.usage import Parser

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_slurm", "slurm"]


def add_slurm(commands: "Commands") -> None:
    """Declares the command."""
    text = "submit a study as a Slurm job, which queues itself again until the study has ended"
    command = commands.add_parser("slurm", help=text, description=f"{text.capitalize()}.")
    command.epilog = "docs/cluster.md says what the job does at its time limit and at preemption"
    command.set_defaults(handler="automl.cli.slurm_commands:slurm")
    command.add_argument("study_file", type=Path, metavar="STUDY.yaml")
    command.add_argument("--name", help="name of the study (default: that of the file)")
    command.add_argument("--studies-dir", type=Path, metavar="DIR", help="folder of studies")
    command.add_argument("--nodes", type=int, default=1, metavar="N", help="(default: 1)")
    command.add_argument(
        "--gpus-per-node", type=int, default=0, metavar="G", help="GPUs on each node (default: 0)"
    )
    for name, help_text in (
        ("time", "time limit of one run of the job, such as 8:00:00"),
        ("partition", "where it runs"),
        ("account", "who it is charged to"),
    ):
        command.add_argument(f"--{name}", metavar=name.upper(), help=help_text)
    command.add_argument(
        "--sbatch", action="append", default=[], metavar="KEY=VALUE", help="any option of sbatch"
    )
    command.add_argument("--print", action="store_true", help="show the script; submit nothing")


def slurm(arguments: argparse.Namespace) -> int:
    """Submits the job, or shows its script."""
    from automl.app.slurm import batch_script, submit

    job = _job(arguments)
    script = batch_script(job)
    if arguments.print:
        print(script, end="")
        return 0
    number = submit(script, job.studies_dir)
    print(f"job {number} drives the study {job.name}: squeue --job {number}")
    print(f"follow it with automl status {job.name}, its log is {job.name}.slurm-{number}.log")
    return 0


def _job(arguments: argparse.Namespace) -> "SlurmJob":
    from automl.app.slurm import SlurmJob, parse_extra
    from automl.errors import FixInput
    from automl.study.folder import check_name

    file = arguments.study_file.expanduser().absolute()
    if not file.is_file():
        raise FixInput("a study file must exist", got=str(arguments.study_file))
    for name in ("nodes", "gpus_per_node"):
        number, least = getattr(arguments, name), int(name == "nodes")
        if number < least:
            flag = f"--{name.replace('_', '-')}"
            raise FixInput(f"{flag} must be at least {least}", got=str(number), where=flag)
    named = [(name, getattr(arguments, name)) for name in ("time", "partition", "account")]
    given = [f"{name}={value}" for name, value in named if value is not None]
    return SlurmJob(
        name=check_name(arguments.name or file.stem),
        study_file=file,
        studies_dir=studies_dir(arguments),
        folder=Path.cwd(),
        nodes=arguments.nodes,
        gpus_per_node=arguments.gpus_per_node,
        options=parse_extra([*given, *arguments.sbatch]),
    )
