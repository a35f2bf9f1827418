"""``automl data`` and ``automl schema``."""

import argparse
import sys
from typing import TYPE_CHECKING

from automl.cli.terminal import beneath
from automl.errors import FixInput

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["generate_schema", "synth"]


def synth(arguments: argparse.Namespace) -> int:
    """Renders a synthetic data set; an existing folder of the same request is left as it is."""
    from automl.app.datasets import synth_request
    from automl.data.synth.make import synthesise

    words = ("category", "train", "val", "test", "seed", "difficulty", "image_format")
    request = synth_request({word: getattr(arguments, word) for word in words})
    result = synthesise(request, arguments.out.absolute(), _show_progress)
    if result.reused:
        print(f"{result.folder} holds this data set already", file=sys.stderr)
    for split, folder in result.splits.items():
        print(f"{split:<6} {result.images[split]:>6} images  {folder}")
    return 0


def _show_progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done >= total else ""
        print(f"\r{done}/{total} images", end=end, file=beneath(sys.stderr))


def generate_schema(arguments: argparse.Namespace) -> int:
    """Writes the skill's generated files, or with ``--check`` tells which differ."""
    from automl.app.skill_files import differing, generate

    root: Path | None = arguments.out
    if not arguments.check:
        for path in generate(root):
            print(path)
        return 0
    different = differing(root)
    if different:
        raise FixInput(
            "generated files must be what the typed settings say",
            got=", ".join(different),
            fix="run automl schema generate",
        )
    print("every generated file is up to date")
    return 0
