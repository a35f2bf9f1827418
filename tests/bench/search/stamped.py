"""Rows of a bench in a file: with the command, the day, and what they depend on."""

import importlib.metadata
import json
import platform
import shlex
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bench.search.revision import revision

__all__ = ["write_rows"]

_PACKAGES = ("optuna", "numpy", "scipy")


def write_rows(
    path: Path | None, bench: str, found: Iterable[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Prints each row when it is there; the file is written anew with each, so none is lost.

    Returns:
        The rows.
    """
    rows: list[dict[str, Any]] = []
    for row in found:
        rows.append(row)
        print(json.dumps(row), flush=True)
        if path is not None:
            path.write_text(_text(bench, rows), encoding="utf-8")
    return rows


def _text(bench: str, rows: list[dict[str, Any]]) -> str:
    head = {
        "schema": f"automl.{bench.replace('_', '-')}-bench/1",
        "command": shlex.join(["python", "-m", f"tests.bench.search.{bench}", *_flags()]),
        "date": datetime.now().astimezone().date().isoformat(),
        "versions": {
            "python": platform.python_version(),
            **{package: importlib.metadata.version(package) for package in _PACKAGES},
            "revision": revision(),
        },
    }
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    return json.dumps(head, indent=1)[:-2] + f',\n "rows": [\n{lines}\n ]\n}}\n'


def _flags() -> list[str]:
    """The command without paths and processes of this machine."""
    flags = sys.argv[1:]
    for name in ("--out", "--processes", "--curves"):
        if name in flags:
            at = flags.index(name)
            flags = flags[:at] + flags[at + 2 :]
    return flags
