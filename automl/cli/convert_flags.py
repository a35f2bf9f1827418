"""The flags of ``automl data convert``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from automl.cli.usage import Parser, positive

if TYPE_CHECKING:
    import argparse

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["FORMAT_NAMES", "add_convert"]

_SHARE: Final = {"type": float, "metavar": "SHARE"}
_MANY: Final = {"action": "append"}
_SWITCH: Final = {"action": "store_true"}
FORMAT_NAMES: Final = ("auto", "bop", "dope", "isaac", "objectron", "ycb")

#: Title of a group to its flags, each with what argparse should know of it and what help says.
_FLAGS: Final[Mapping[str, tuple[tuple[str, Mapping[str, Any], str], ...]]] = {
    "objects": (
        (
            "--objects",
            {**_MANY, "metavar": "OBJ[,OBJ]"},
            "keep these alone, by the source's names, such as obj_000005",
        ),
        ("--category", {"metavar": "NAME"}, "class name to give them"),
        (
            "--symmetric",
            {**_MANY, "metavar": "OBJ[=TURNS]"},
            "turns about the up axis that look the same, 4 if left out",
        ),
        (
            "--min-visibility",
            {**_SHARE, "default": 0.1},
            "leave out objects seen less (default: 0.1)",
        ),
        ("--visibility", _SHARE, "what to write where the source does not say it"),
    ),
    "source": (
        (
            "--up",
            {"choices": ("x", "y", "z", "-x", "-y", "-z"), "metavar": "AXIS"},
            "axis of its objects that points up: x, y, z, or --up=-y",
        ),
        ("--unit", {"choices": ("m", "cm", "mm")}, "its unit of length"),
        (
            "--size",
            {**_MANY, "metavar": "OBJ=X,Y,Z"},
            "edge lengths in metres along the source's axes (dope)",
        ),
        (
            "--models",
            {"type": Path, "metavar": "PATH"},
            "models_info.json (bop) or the folder of the models (ycb)",
        ),
    ),
    "images": (
        (
            "--every",
            {"type": positive, "default": 1, "metavar": "N"},
            "take every Nth frame of a sequence",
        ),
        ("--max", {"type": positive, "metavar": "N"}, "images to write at most"),
        (
            "--val-share",
            {**_SHARE, "default": 0.0},
            "hold back this share as a split val, whole sequences if there are four or more",
        ),
        ("--copy", _SWITCH, "copy image files, which otherwise are hard links where that works"),
        ("--overwrite", _SWITCH, "replace a split that an earlier conversion made there"),
        (
            "--preview",
            {"nargs": "?", "const": "", "metavar": "FILE"},
            "draw the boxes on some images, in DIR/preview.jpg",
        ),
    ),
}


def add_convert(verbs: "Commands") -> None:
    """Declares ``automl data convert``."""
    words = "convert a data set of another format to the Objectron layout"
    convert = verbs.add_parser(
        "convert", help=words, description=words[0].upper() + words[1:] + "."
    )
    convert.set_defaults(handler="automl.cli.convert_command:convert")
    convert.add_argument(
        "format",
        metavar="FORMAT",
        choices=FORMAT_NAMES,
        help="bop, dope (NVISII, BlenderProc, NDDS), isaac, objectron, ycb, or auto to look",
    )
    convert.add_argument("source", type=Path, metavar="SRC", help="folder of a split or sequence")
    convert.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to make")
    convert.add_argument(
        "--split", choices=("train", "val", "test"), default="train", help="split to make there"
    )
    convert.add_argument("--json", action="store_true", help="strict JSON on standard output")
    for title, flags in _FLAGS.items():
        group = convert.add_argument_group(title)
        for flag, options, help_text in flags:
            group.add_argument(flag, help=help_text, **options)
