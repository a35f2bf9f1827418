"""Which of this machine's GPUs a driver trains on, told to the user's other drivers.

Each GPU in use has a file, named by its UUID, in the user's runtime folder. The driver holds the
file's lock (``flock``), which the kernel drops with it however it dies: what a dead driver wrote
counts for nothing. Several drivers may share a GPU where their users want that; each of them holds
a shared lock, so that the GPU is free again when the last one has ended.
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from automl.inside import open_file, read_file
from automl.jsontext import parse_json

__all__ = ["Claim", "GpuClaims", "claimed", "runtime_folder"]

_PRIVATE = 0o700
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Claim:
    """A driver's word on a GPU.

    Attributes:
        study: The study that it drives.
        pid: Its process.
    """

    study: str
    pid: int

    def __str__(self) -> str:
        return f"the study {self.study} (pid {self.pid})"


def runtime_folder() -> Path | None:
    """The folder of this user's locks, made if need be; None where there is none to trust.

    ``$XDG_RUNTIME_DIR/automl``, else ``automl-UID`` in the folder for temporary files.
    """
    above = os.environ.get("XDG_RUNTIME_DIR")
    if above and Path(above).is_dir() and os.access(above, os.W_OK):
        folder = Path(above) / "automl"
    else:
        folder = Path(tempfile.gettempdir()) / f"automl-{os.getuid()}"
    with suppress(OSError):
        folder.mkdir(mode=_PRIVATE, exist_ok=True)
    # Anybody may make a folder of this name among the temporary files.
    try:
        found = folder.lstat()
    except OSError:
        return None
    is_ours = found.st_uid == os.getuid() and not found.st_mode & 0o022
    return folder if is_ours and folder.is_dir() and not folder.is_symlink() else None


def claimed(uuids: Collection[str], folder: Path | None = None) -> Mapping[str, Claim]:
    """The GPUs that a driver trains on now, each with one that does.

    Args:
        uuids: Of which GPUs.
        folder: Where the locks are; None for the user's runtime folder.
    """
    folder = folder or runtime_folder()
    found = {uuid: _holder(_file(folder, uuid)) for uuid in uuids} if folder else {}
    return {uuid: claim for uuid, claim in found.items() if claim is not None}


@dataclass(slots=True)
class GpuClaims:
    """Claims GPUs for this process while the ``with`` block runs.

    Attributes:
        uuids: Which ones.
        claim: What the others are told.
        folder: Where the locks are; None for the user's runtime folder.
        others: Who trained on one of them already when it was claimed.
    """

    uuids: Collection[str]
    claim: Claim
    folder: Path | None = None
    others: Mapping[str, Claim] = field(default_factory=dict, init=False)
    _files: list[int] = field(default_factory=list, init=False)

    def __enter__(self) -> Self:
        folder = self.folder or runtime_folder()
        if folder is None:
            return self
        self.others = claimed(self.uuids, folder)
        for uuid in self.uuids:
            with suppress(OSError):
                self._take(_file(folder, uuid))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        while self._files:
            os.close(self._files.pop())

    def _take(self, path: Path) -> None:
        file = open_file(path, os.O_RDWR | os.O_CREAT)
        self._files.append(file)
        fcntl.flock(file, fcntl.LOCK_SH)
        record = json.dumps(asdict(self.claim)).encode()
        os.ftruncate(file, 0)
        os.pwrite(file, record, 0)


def _file(folder: Path, uuid: str) -> Path:
    plain = "".join(sign if sign.isalnum() or sign == "-" else "_" for sign in uuid)
    return folder / f"gpu-{plain}.lock"


def _holder(path: Path) -> Claim | None:
    """Who holds a lock and wrote into it last; None for nobody."""
    try:
        with read_file(path) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return _said(file.read(_LONGEST))
    except OSError:
        return None
    return None


def _said(content: bytes) -> Claim:
    """What a claim says; one that was just made may say nothing yet."""
    try:
        value = parse_json(content)
        return Claim(str(value["study"]), int(value["pid"]))
    except (ValueError, LookupError, TypeError):
        return Claim("of another driver", 0)
