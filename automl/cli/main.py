"""The entry point: parse, call the command's handler, turn an error into text and an exit code."""

import argparse
import errno
import importlib
import os
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

from automl.cli.carried import carrying, studies_dir
from automl.cli.loudness import loudness
from automl.cli.terminal import door
from automl.errors import AutomlError, PrepareMachine
from automl.processes import ABANDONED
from automl.signals import ending_by_exception, exit_code_of, said_of
from automl.visible import visible

__all__ = ["main"]

_FAULT = 1

#: Threads of the library below numpy and scipy, where nobody says how many. The models of a search
#: have a few hundred rows: more threads wait for each other, and take cores from the trainings.
_BLAS = ("OPENBLAS_NUM_THREADS", "1")

#: What the operating system refuses because of how it was asked: a fault of ours.
_OURS = frozenset({errno.ENOENT, errno.EEXIST, errno.EINVAL, errno.EBADF, errno.ENOTTY})


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; see ``EXIT_CODES`` of the parser.

    Args:
        argv: Arguments after the program's name; those of the process by default.
    """
    os.environ.setdefault(*_BLAS)
    with door():
        try:
            with ending_by_exception():
                code = _run(argv)
        except KeyboardInterrupt as error:
            code = exit_code_of(error)
            print(f"{said_of(error)}; the same command begins again", file=sys.stderr)
    if any(thread.name == ABANDONED for thread in threading.enumerate()):
        # A library holds that thread and would hold the process with it.
        _flush()
        os._exit(code)
    return code


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()


def _run(argv: Sequence[str] | None) -> int:
    from automl.cli.parser import build_parser

    arguments = argparse.Namespace()
    words = sys.argv[1:] if argv is None else argv
    try:
        parser = build_parser()
        if not words:
            parser.print_help()
            return 0
        arguments = parser.parse_args(words)
        lacking = _no_current_folder()
        if lacking:
            print(f"error: {lacking}", file=sys.stderr)
            return PrepareMachine.exit_code
        module, function = arguments.handler.split(":")
        handler = getattr(importlib.import_module(module), function)
        with loudness(arguments.verbose - arguments.quiet):
            return cast("Callable[[object], int]", handler)(arguments)
    except AutomlError as error:
        if getattr(arguments, "verbose", False):
            traceback.print_exception(error)
        text = carrying(str(error), studies_dir(arguments))
        print(f"error: {text}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output has gone; a second failure at interpreter exit must stay silent.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAULT
    except Exception as error:  # noqa: BLE001 - the last boundary: an error of our own, shown whole
        return _unforeseen(error)


def _no_current_folder() -> str:
    """What is wrong with the folder that paths are relative to; empty where it is there."""
    try:
        Path.cwd()
    except OSError as error:
        got = "one that was deleted" if error.errno == errno.ENOENT else str(error.strerror)
        rule = "the current folder must be there"
        return str(PrepareMachine(rule, got=got, fix="cd to another one"))
    return ""


def _unforeseen(error: Exception) -> int:
    """Tells what the machine refused, or shows a fault of our own whole."""
    refused = _refused(error)
    if refused:
        refused = visible(refused, keep="")
        print(f"error: the system must let automl work, but got {refused}", file=sys.stderr)
        return PrepareMachine.exit_code
    traceback.print_exception(error)
    print("error: this is a fault inside automl, not of your input", file=sys.stderr)
    return _FAULT


def _refused(error: Exception) -> str:
    """What the machine refused, in its words; empty where it was no matter of the machine."""
    if isinstance(error, MemoryError):
        return "no memory"
    if not isinstance(error, OSError) or error.errno is None or error.errno in _OURS:
        return ""
    said = error.strerror or os.strerror(error.errno)
    return f"{said}: {error.filename}" if error.filename else said
