"""``automl data`` and ``automl schema``."""

import argparse
import sys
from typing import TYPE_CHECKING

from automl.cli.json_out import print_json
from automl.cli.terminal import beneath
from automl.errors import FixInput
from automl.visible import visible

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check", "generate_schema", "synth"]


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


def check(arguments: argparse.Namespace) -> int:
    """Checks the layout of one split and says what it holds."""
    from automl.cli.run_commands import show_transfer
    from automl.data.archive import resolve_source
    from automl.data.cache import cache_dir
    from automl.data.checks import purpose_of
    from automl.data.splits import read_through_split

    folder = resolve_source(arguments.source, cache_dir(), show_transfer)
    purpose = purpose_of(arguments.split, arguments.category or None, arguments.max_objs)
    facts = read_through_split(folder, purpose)
    width, height = facts.size
    if arguments.json:
        value = {
            "folder": str(facts.root),
            "images": facts.images,
            "objects": facts.objects,
            "categories": dict(facts.categories),
            "size": [width, height],
            "warnings": list(facts.warnings),
        }
        print_json("automl.data-check/1", value)
        return 0
    categories = ", ".join(f"{name} {count}" for name, count in facts.categories.items())
    objects = f", objects: {visible(categories, keep='')}" if categories else ""
    print(f"{facts.root}: {facts.images} images of {width} x {height}{objects}")
    for warning in facts.warnings:
        print(f"warning: {visible(warning, keep='')}")
    return 0


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
