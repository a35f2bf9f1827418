"""``provenance.json``: what a study was made with, so that it can be made again."""

import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from automl import __version__
from automl.files import sha256_of
from automl.gpus import read_gpus
from automl.study.clock import Clock, utc_now

__all__ = ["Inputs", "collect_provenance"]

FORMAT = 1

# What decides a proposal or a training; absent ones are simply not listed.
_PACKAGES = ("optuna", "ray", "numpy", "torch", "opencv-python-headless", "scipy")
_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a study was given.

    Attributes:
        command: The command line, program first.
        seed: Seed of the study.
        files: Name to path of each file that decides the outcome (schema, template, ...).
        data: Facts about the data: paths, counts, hashes.
    """

    command: Sequence[str]
    seed: int
    files: Mapping[str, Path] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)


def collect_provenance(inputs: Inputs, clock: Clock = utc_now) -> dict[str, Any]:
    """Versions, hashes, host, GPUs and seeds, as a plain value that ``json`` can write.

    Nothing is imported to learn its version, and a tool that is missing leaves its entry empty.
    """
    return {
        "format": FORMAT,
        "created_at": clock().isoformat(),
        "command": list(inputs.command),
        "folder": str(Path.cwd()),
        "seed": inputs.seed,
        "python": platform.python_version(),
        "packages": _versions(),
        "git_commit": _git_commit(Path(__file__).resolve().parents[2]),
        "host": {
            "name": socket.gethostname(),
            "system": platform.platform(),
            "machine": platform.machine(),
            "cpus": os.cpu_count(),
        },
        "gpus": _gpus(),
        "files": {
            name: {"path": str(path), "sha256": sha256_of(path)}
            for name, path in inputs.files.items()
            if path.is_file()
        },
        "data": dict(inputs.data),
        "executable": sys.executable,
    }


def _versions() -> dict[str, str]:
    versions = {"automl": __version__}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _git_commit(checkout: Path) -> str | None:
    """The commit that the package runs from, with ``+changes`` if files differ from it."""
    if not (checkout / ".git").exists():
        return None
    commit = _output("git", "-C", str(checkout), "rev-parse", "HEAD")
    changes = _output("git", "-C", str(checkout), "status", "--porcelain", "-uno")
    return f"{commit}+changes" if commit and changes else commit or None


def _gpus() -> list[dict[str, str]]:
    return [
        {
            "index": str(gpu.index),
            "name": gpu.name,
            "uuid": gpu.uuid,
            "driver_version": gpu.driver,
            "memory.total": f"{gpu.memory_total_mib} MiB",
        }
        for gpu in read_gpus()
    ]


def _output(program: str, *arguments: str) -> str:
    """What a program prints, stripped; empty if it is missing, fails or hangs."""
    path = shutil.which(program)
    if path is None:
        return ""
    try:
        answer = subprocess.run(
            [path, *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
