"""The entry point: parse, call the command's handler, turn an error into text and an exit code."""

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import cast

from automl.cli.parser import build_parser
from automl.errors import AutomlError

__all__ = ["main"]

_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; see ``EXIT_CODES`` of the parser.

    Args:
        argv: Arguments after the program's name; those of the process by default.
    """
    try:
        arguments = build_parser().parse_args(argv)
        module, function = arguments.handler.split(":")
        handler = getattr(importlib.import_module(module), function)
        return cast("Callable[[object], int]", handler)(arguments)
    except AutomlError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone; a second failure at interpreter exit must stay silent.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception:  # noqa: BLE001 - the last boundary: an error of our own, shown whole
        traceback.print_exc()
        print("error: this is a fault inside automl, not of your input", file=sys.stderr)
        return 1
