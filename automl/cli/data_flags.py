"""The flags of ``automl data`` and ``automl schema``."""

from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.convert_flags import add_convert
from automl.cli.data_check_command import add_data_check
from automl.cli.usage import Parser, count

if TYPE_CHECKING:
    import argparse

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_data", "add_schema"]


def _command(commands: "Commands", name: str, help_text: str) -> Parser:
    return commands.add_parser(
        name, help=help_text, description=help_text[0].upper() + help_text[1:] + "."
    )


def add_data(commands: "Commands") -> None:
    """Declares ``automl data``."""
    group = _command(commands, "data", "make, convert and check data sets")
    verbs = group.add_subparsers(metavar="VERB", required=True, title="verbs")
    synth = _command(verbs, "synth", "render a synthetic data set in the Objectron layout")
    synth.set_defaults(handler="automl.cli.data_commands:synth")
    synth.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to make")
    synth.add_argument("--category", default="cereal_box", help="class name of the objects")
    for split, images in (("train", 256), ("val", 64), ("test", 64)):
        synth.add_argument(f"--{split}", type=count, default=images, metavar="N", help="images")
    synth.add_argument("--seed", type=count, default=0, help="same seed, same bytes")
    synth.add_argument("--difficulty", choices=("easy", "moderate"), default="easy")
    synth.add_argument("--image-format", choices=("jpg", "png"), default="jpg")
    add_convert(verbs)
    check = _command(verbs, "check", "check the layout of a data set folder or tarball")
    add_data_check(check)


def add_schema(commands: "Commands") -> None:
    """Declares ``automl schema``."""
    group = _command(commands, "schema", "maintain the CenterPose skill's generated files")
    verbs = group.add_subparsers(metavar="VERB", required=True, title="verbs")
    generate = _command(verbs, "generate", "write schemas and templates from the typed settings")
    generate.set_defaults(handler="automl.cli.data_commands:generate_schema")
    generate.add_argument("--out", type=Path, metavar="DIR", help="skill folder to write")
    generate.add_argument("--check", action="store_true", help="only compare; differences exit 2")
