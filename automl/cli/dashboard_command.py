"""``automl dashboard``: optuna-dashboard over a copy of a study, for this machine alone."""

import argparse
import socket
from pathlib import Path

from automl.cli.read_commands import of_study
from automl.cli.study_flags import add_study
from automl.cli.usage import Parser, count

__all__ = ["add_dashboard", "dashboard"]


def add_dashboard(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Declares the command."""
    text = "look at a study with optuna-dashboard, on a copy that changes nothing"
    command = commands.add_parser("dashboard", help=text, description=f"{text.capitalize()}.")
    command.epilog = "Ctrl-C ends it; needs the extra dashboard"
    command.set_defaults(handler="automl.cli.dashboard_command:dashboard")
    add_study(command)
    command.add_argument(
        "--port", type=count, default=8080, metavar="N", help="default: 8080; 0 for any"
    )


def dashboard(arguments: argparse.Namespace) -> int:
    """Serves the dashboard until Ctrl-C."""
    return of_study(arguments, lambda folder: _serve(folder, arguments.port))


def _serve(folder: Path, port: int) -> int:
    from automl.reports.dashboard import HOST, dashboard_of
    from automl.study.folder import read_config
    from automl.study.layout import StudyPaths

    paths = StudyPaths(folder)
    config = read_config(paths)
    with dashboard_of(paths, config, port) as server:
        taken = server.server_port
        copied = "as it is now" if config.storage_url else "followed while it runs"
        print(f"dashboard  http://{HOST}:{taken}   {folder.name}, a copy, {copied}")
        print(f"from afar  ssh -N -L {taken}:{HOST}:{taken} {socket.gethostname()}")
        print("end        Ctrl-C", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("ended")
    return 0
