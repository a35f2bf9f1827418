"""``automl clean``: what was left behind, shown; removed with ``--yes``."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.carried import carrying, studies_dir
from automl.cli.read_commands import study_named

if TYPE_CHECKING:
    from automl.app.clean import Findings, Leftover
    from automl.cli.usage import Parser

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_clean", "clean", "findings_text"]


def add_clean(commands: "Commands") -> None:
    """Declares the command."""
    text = "show what dead drivers left behind; with --yes, remove it"
    command = commands.add_parser("clean", help=text, description=f"{text.capitalize()}.")
    command.set_defaults(handler="automl.cli.clean_commands:clean")
    command.add_argument(
        "study", nargs="?", metavar="STUDY|all", help="default: all, and the cache"
    )
    command.add_argument("--study", dest="name", metavar="STUDY|all", help="the same, as a flag")
    command.add_argument("--studies-dir", type=Path, metavar="DIR", help="folder of studies")
    command.add_argument("--yes", action="store_true", help="remove what is shown")
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def clean(arguments: argparse.Namespace) -> int:
    """Shows what may go, and removes it if asked to."""
    from automl.app.clean import find_leftovers, remove_all
    from automl.data.cache import cache_dir
    from automl.study.choice import find_study
    from automl.study.folder import list_studies

    folder, name = studies_dir(arguments), study_named(arguments) or "all"
    everything = name == "all"
    studies = list_studies(folder) if everything else (find_study(folder, name),)
    findings = find_leftovers(studies, folder, cache_dir() if everything else None)
    gone: list[Leftover] = []
    kept = findings.kept
    if arguments.yes:
        kept = (*kept, *remove_all(findings, gone.append))
    if arguments.json:
        value = {
            "schema": "automl.clean/1",
            "leftovers": [leftover.to_json() for leftover in findings.leftovers],
            "bytes": findings.n_bytes,
            "removed": [leftover.what for leftover in gone],
            "kept": list(kept),
        }
        print(json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False))
        return 0
    print(carrying(findings_text(findings, is_removed=arguments.yes), folder))
    for text in kept:
        print(carrying(f"left alone: {text}", folder), file=sys.stderr)
    return 0


def findings_text(findings: "Findings", *, is_removed: bool) -> str:
    """What was found, as a table with its sum, and how to be rid of it."""
    from automl.reports.aligned import table

    if not findings.leftovers:
        # Something may have been left behind all the same, which somebody waits for.
        return "nothing to remove"
    rows = [(str(one.kind), _size(one.n_bytes), one.what, one.why) for one in findings.leftovers]
    n = len(rows)
    size = _size(findings.n_bytes)
    things = f"{n} thing{'' if n == 1 else 's'}" + (f", {size}" if size else "")
    last = f"removed {things}" if is_removed else f"{things}; automl clean --yes removes all of it"
    return "\n".join([*table(("kind", "size", "what", "why"), rows, "lrll"), last])


def _size(n_bytes: int) -> str:
    if not n_bytes:
        return ""
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 100_000 else f"{n_bytes / 1e3:.1f} kB"
