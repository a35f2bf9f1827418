"""``automl poses``: metrics of winner and default with intervals, and a recording to look at."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.carried import carrying, studies_dir
from automl.cli.known_size_flags import add_known_size, known_size_text
from automl.cli.paths import shown
from automl.cli.read_commands import note, study_named

if TYPE_CHECKING:
    from automl.cli.usage import Parser
    from automl.poses.known_size import KnownSize
    from automl.reports.poses.page import PosePart, Scores

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_poses", "poses"]

_SPLITS = ("validation", "test")


def add_poses(commands: "Commands") -> None:
    """Declares the command."""
    text = "show the poses of winner and default: metrics, report, a recording for Rerun"
    command = commands.add_parser("poses", help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.epilog = "evaluations that the study still lacks are made first"
    command.set_defaults(handler="automl.cli.pose_commands:poses")
    command.add_argument("study", nargs="?", help="name of the study (default: the newest)")
    command.add_argument("--name", help="the same, as a flag")
    command.add_argument(
        "--studies-dir", type=Path, metavar="DIR", help="folder of studies (default: studies)"
    )
    command.add_argument(
        "--rerun", type=Path, metavar="FILE.rrd", help="write a recording for the Rerun viewer"
    )
    command.add_argument(
        "--split", choices=_SPLITS, default=_SPLITS[0], help="images of the recording"
    )
    command.add_argument(
        "--no-images", action="store_true", help="no picture of the data in report and recording"
    )
    add_known_size(command)
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def poses(arguments: argparse.Namespace) -> int:
    """Makes what is missing, writes the report, and shows the metrics."""
    from automl.app.metric_scale import known_size_of
    from automl.app.poses import complete_poses
    from automl.errors import NoUsableTrial
    from automl.reports.poses.page import pose_part
    from automl.reports.poses.recording import record_poses
    from automl.reports.summary import read_summary
    from automl.reports.write import write_report
    from automl.study.choice import Wanted, find_study

    studies = studies_dir(arguments)
    paths = find_study(studies, study_named(arguments), Wanted.TRAINED, note)
    known = known_size_of(paths, known_size_text(arguments))
    images = not arguments.no_images
    left = complete_poses(paths, lambda text: note(carrying(text, studies)))
    page = write_report(paths.folder, images=images)[0]
    summary = read_summary(paths.folder)
    part = pose_part(summary, images=False, known=known)
    if arguments.rerun is not None:
        allowed = images and summary.config.report_images == "inline"
        made = record_poses(summary, arguments.split, arguments.rerun, images=allowed)
        note(f"{shown(made.path)} holds {made.n_images} images, {made.n_pictures} as pictures")
    if arguments.json:
        print(_json(paths.folder, part, _scale(known)))
    else:
        print(_text(part, page, _scale(known)))
    return NoUsableTrial.exit_code if left or part is None or part.missing else 0


def _scale(known: "KnownSize | None") -> str:
    return str(known or "each object's annotated height")


def _json(folder: Path, part: "PosePart | None", scale: str) -> str:
    scores = [] if part is None else [asdict(each) for each in part.scores]
    missing = "" if part is None else part.missing
    content = {
        "schema": "automl.poses/1",
        "study": folder.name,
        "missing": missing,
        "metres_by": scale,
        "scores": scores,
    }
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)


def _text(part: "PosePart | None", page: Path, scale: str) -> str:
    if part is None or part.missing:
        return "no poses" if part is None else part.missing
    blocks = ["\n".join(_table(each)) for each in part.scores]
    gain = [part.gain] if part.gain else []
    by = f"the two rows of what is known: by {scale}"
    return "\n\n".join([*blocks, by, *gain, f"report  {shown(page)}#poses"])


def _table(scores: "Scores") -> list[str]:
    from automl.reports.aligned import table
    from automl.reports.poses.held_out import interval, signed_interval
    from automl.reports.words import value

    has_default = scores.rows[0].default is not None
    head = ["metric", *(["default"] if has_default else []), "winner"]
    rows = []
    for row in scores.rows:
        cells = [row.title, *([value(row.default.value)] if row.default else [])]
        cells.append(interval(row.winner))
        rows.append([*cells, *([signed_interval(row.difference)] if row.difference else [])])
    if has_default:
        head.append("difference")
    title = f"{scores.split}: {scores.n_images} images, {scores.n_objects} objects"
    return [title, *table(head, rows, "l" + "r" * (len(head) - 1))]
