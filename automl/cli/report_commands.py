"""``automl report``: a study's report, once, or again and again while the study runs."""

import argparse
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.json_out import print_json
from automl.cli.paths import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from automl.cli.usage import Parser

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_report", "report"]

_EVERY_S = 60
_FORMATS = "html,md,csv,parquet,json"


def add_report(commands: "Commands") -> "Parser":
    """Declares the command and gives it back, for the flags that all readers share."""
    text = "write a study's report: html, markdown, csv, parquet, json"
    command = commands.add_parser("report", help=text, description=f"{text.capitalize()}.")
    command.set_defaults(handler="automl.cli.report_commands:report")
    command.add_argument(
        "--formats",
        type=formats,
        metavar=_FORMATS,
        help="write these alone (default: all of them)",
    )
    command.add_argument("--no-images", action="store_true", help="no picture of the data in it")
    command.add_argument(
        "--price-per-gpu-hour",
        type=_price,
        metavar="P",
        help="say what the GPU time cost at this price, in any currency (default: the study's)",
    )
    command.add_argument("--open", action="store_true", help="show the page in a browser")
    command.add_argument(
        "--watch",
        nargs="?",
        type=_seconds,
        const=_EVERY_S,
        metavar="S",
        help=f"write it again every S seconds (default: {_EVERY_S}) until the study has ended",
    )
    return command


def formats(text: str) -> tuple[str, ...]:
    """The formats of a list with commas."""
    known = _FORMATS.split(",")
    given = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    strange = [part for part in given if part not in known]
    if strange or not given:
        got = strange[0] if strange else text
        raise argparse.ArgumentTypeError(f"must be some of {', '.join(known)}, but got {got!r}")
    return given


def _seconds(text: str) -> float:
    """Seconds from one report to the next, at least one."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1.0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number of seconds from 1, but got {text!r}")
    return seconds


def _price(text: str) -> float:
    """What a GPU hour costs."""
    from automl.settings.forms import PRICE
    from automl.settings.setting import Place

    return float(PRICE.read(text, Place("price_per_gpu_hour", "--price-per-gpu-hour")))


def report(arguments: argparse.Namespace) -> int:
    """Writes the report and says where; with ``--watch`` until the study has ended."""
    from automl.cli.read_commands import of_study

    folder, written = of_study(arguments, lambda found: (found, _write(found, arguments)))
    _say(written, as_json=arguments.json)
    if arguments.open:
        _open(written)
    if arguments.watch is not None:
        _watch(folder, arguments)
    return 0


def _write(folder: Path, arguments: argparse.Namespace) -> "Sequence[Path]":
    from automl.reports.write import write_report

    return write_report(
        folder,
        images=not arguments.no_images,
        formats=arguments.formats,
        price=arguments.price_per_gpu_hour,
    )


def _say(written: "Sequence[Path]", *, as_json: bool) -> None:
    if as_json:
        files = {path.name: str(path) for path in written}
        name = written[0].parents[1].name
        print_json("automl.report-files/1", {"study": name, "files": files})
        return
    for path in written:
        print(f"{shown(path)}  {_size(path.stat().st_size)}")


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 100_000 else f"{n_bytes / 1e3:.1f} kB"


def _open(written: "Sequence[Path]") -> None:
    from automl.cli.read_commands import note

    page = next((path for path in written if path.suffix == ".html"), None)
    if page is None:
        note("there is no page to open: --formats leaves html out")
    elif not webbrowser.open(page.resolve().as_uri()):
        note(f"no browser could be started here; the page is {shown(page)}")


def _watch(folder: Path, arguments: argparse.Namespace) -> None:
    """Writes it again and again; a page that is open shows the newest once it is reloaded."""
    from automl.cli.read_commands import note
    from automl.reports.summary import read_summary
    from automl.study.state import StudyStatus

    note(f"written again every {arguments.watch:g} s while the study runs; Ctrl-C ends this")
    while (status := read_summary(folder).status) is StudyStatus.RUNNING:
        time.sleep(arguments.watch)
        _write(folder, arguments)
    note(f"the study is {status}: nothing more to wait for")
