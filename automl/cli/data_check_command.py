"""``automl data check``: what a split holds, what is probably wrong with it, and a picture."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.cli.carried import studies_dir
from automl.cli.json_out import print_json
from automl.cli.paths import shown
from automl.cli.terminal import beneath
from automl.visible import visible

if TYPE_CHECKING:
    from automl.app.data_check import CheckedSplit, DataCheckRequest
    from automl.cli.usage import Parser
    from automl.data.suspects.finding import Finding

__all__ = ["add_data_check", "check"]

_SHOWN = 5
_PREVIEW = Path("data-check.jpg")


def add_data_check(command: "Parser") -> None:
    """Declares the arguments of ``automl data check``."""
    command.set_defaults(handler="automl.cli.data_check_command:check")
    command.add_argument("source", help="folder or tarball of one split")
    command.add_argument("--category", default="", help="class name that must be present")
    command.add_argument(
        "--split",
        choices=("train", "val", "test", "inference"),
        default="train",
        help="what it is for: val and test are scored, inference has no labels",
    )
    command.add_argument(
        "--max-objs",
        type=int,
        default=10,
        metavar="N",
        help="objects of an image that are learnt at most (max_objs)",
    )
    command.add_argument(
        "--against",
        action="append",
        default=[],
        metavar="PATH",
        help="another split, none of whose images may nearly be in this one; repeatable",
    )
    command.add_argument(
        "--model",
        metavar="STUDY|CHECKPOINT",
        help="rank the labels by how much a trained model disagrees with them",
    )
    command.add_argument(
        "--studies-dir", type=Path, metavar="DIR", help="folder of studies (default: studies)"
    )
    command.add_argument(
        "--preview",
        type=Path,
        nargs="?",
        const=_PREVIEW,
        metavar="FILE",
        help=f"draw labels in one picture, suspects first (default name: {_PREVIEW})",
    )
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def check(arguments: argparse.Namespace) -> int:
    """Checks one split and says what it holds and what is probably wrong with it."""
    from automl.app.data_check import CheckProgress, check_split_deeply
    from automl.cli.run_commands import show_transfer

    found = check_split_deeply(_request(arguments), CheckProgress(show_transfer, _show_images))
    if arguments.json:
        print_json("automl.data-check/1", _json(found, arguments.preview))
        return 0
    for line in _lines(found, arguments.preview):
        print(line)
    return 0


def _request(arguments: argparse.Namespace) -> "DataCheckRequest":
    from automl.app.data_check import DataCheckRequest
    from automl.app.label_noise import ModelAsked
    from automl.cli.read_commands import note

    model = arguments.model
    return DataCheckRequest(
        arguments.source,
        arguments.split,
        arguments.category or None,
        arguments.max_objs,
        tuple(arguments.against),
        ModelAsked(model, studies_dir(arguments), note) if model else None,
        arguments.preview,
    )


def _show_images(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done >= total else ""
        print(f"\r{done}/{total} images compared", end=end, file=beneath(sys.stderr))


def _json(found: "CheckedSplit", preview: Path | None) -> dict[str, Any]:
    facts = found.facts
    return {
        "folder": str(facts.root),
        "images": facts.images,
        "objects": facts.objects,
        "categories": dict(facts.categories),
        "size": list(facts.size),
        "warnings": list(facts.warnings),
        "findings": [finding.to_json() for finding in found.findings],
        "notes": list(found.notes),
        "preview": None if preview is None else str(preview),
    }


def _lines(found: "CheckedSplit", preview: Path | None) -> Iterator[str]:
    facts = found.facts
    width, height = facts.size
    categories = ", ".join(f"{name} {count}" for name, count in facts.categories.items())
    objects = f", objects: {visible(categories, keep='')}" if categories else ""
    yield f"{facts.root}: {facts.images} images of {width} x {height}{objects}"
    yield from (f"warning: {visible(warning, keep='')}" for warning in facts.warnings)
    yield from (f"note: {visible(text, keep='')}" for text in found.notes)
    for kind, members in groupby(found.findings, key=lambda finding: finding.kind):
        yield from _group(kind.value, list(members))
    if preview is not None:
        yield f"preview: {shown(preview)}, {found.n_tiles} images; suspects in red, first"


def _group(kind: str, findings: Sequence["Finding"]) -> Iterator[str]:
    yield f"{kind}: {len(findings)} found"
    for finding in findings[:_SHOWN]:
        said = visible(f"{finding.place}: {finding.what}", keep="")
        yield f"  {finding.certainty}: {said}"
    for fix in dict.fromkeys(finding.fix for finding in findings[:_SHOWN]):
        yield f"  fix: {fix}"
    if len(findings) > _SHOWN:
        folders = Counter(str(finding.path.parent) for finding in findings)
        most, count = folders.most_common(1)[0]
        where = f"most in {visible(most, keep='')} ({count}), {len(folders)} folders in all"
        yield f"  and {len(findings) - _SHOWN} more, {where}: --json lists them"
