"""Printed commands that find the study again: with the folder of studies where it is not usual.

The texts of errors and reports come from rooms that know nothing of a command line. What they name
(``automl resume bikes``) works as it is in the usual folder alone.
"""

import argparse
import os
import re
import shlex
from pathlib import Path

from automl.cli.paths import shown

__all__ = ["carrying", "studies_dir"]

_USUAL = "studies"
_VERBS = (
    *(
        "add",
        "best",
        "card",
        "clean",
        "compare",
        "confirm",
        "dashboard",
        "evaluate",
        "explain",
        "export",
    ),
    *("gen-trt-engine", "inference", "list", "logs", "poses", "report", "reproduce", "resume"),
    *("retrain", "status"),
)
_COMMAND = re.compile(rf"\bautoml (?:{'|'.join(_VERBS)})\b(?! [^;,\n]*--studies-dir)")


def studies_dir(arguments: argparse.Namespace) -> Path:
    """``--studies-dir``, else ``AUTOML_STUDIES_DIR``, else ``studies`` here; absolute."""
    given = getattr(arguments, "studies_dir", None)
    folder = given or os.environ.get("AUTOML_STUDIES_DIR") or _USUAL
    return Path(folder).expanduser().absolute()


def carrying(text: str, studies: Path) -> str:
    """A text whose commands name the folder of studies, where it is not ``studies`` here.

    Args:
        text: For a reader; a command that names a folder already stays as it is.
        studies: The folder that the commands are about, absolute.
    """
    if studies == Path(_USUAL).absolute():
        return text
    option = shlex.join(["--studies-dir", str(shown(studies))])
    return _COMMAND.sub(lambda command: f"{command[0]} {option}", text)
