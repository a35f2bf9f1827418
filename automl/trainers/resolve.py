"""Which checkpoint is meant, and whether the file is one; nothing in it is ever loaded here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from automl.checkpointfile import check_checkpoint_file
from automl.errors import FixData, FixInput
from automl.files import sha256_of
from automl.trainers.checkpoints import CheckpointFile, checkpoints_in, newest_whole
from automl.trainers.contract import LATEST_PATTERN, CheckpointName

__all__ = ["WORDS", "ModelFile", "check_model", "is_word", "model_file", "resolve_checkpoint"]

#: What a checkpoint of a trial can be called, beside an epoch's number and a file's name.
WORDS = ("best", "last", "latest", "newest")
_LATEST = re.compile(r"_latest\.(pth|tlt)$")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file that an action can start from.

    Attributes:
        path: The file itself; a link has been followed.
        sha256: Hash of its content.
        epoch: Zero-based epoch from its name; None where the name holds none.
        how: How it was chosen, for a reader.
    """

    path: Path
    sha256: str
    epoch: int | None = None
    how: str = ""


def is_word(asked: str) -> bool:
    """Whether a text names a checkpoint of a trial, and is no path."""
    return asked in WORDS or asked.isdigit() or CheckpointName.parse(asked) is not None


def resolve_checkpoint(
    folders: Sequence[Path], asked: str, best: Path | None = None, last_epoch: int | None = None
) -> ModelFile:
    """The checkpoint of a trial that is asked for.

    Args:
        folders: Folders of the trial's attempts, oldest first.
        asked: ``best``, ``last``, an epoch, a file's name such as
            ``model_epoch_000_step_00008.pth``, or ``latest`` for what the trainer's own link leads
            to, or ``newest`` for the newest that was kept. An epoch counts from 0; where there is
            none of that number it counts from 1.
        best: The checkpoint of the best epoch, if it is known.
        last_epoch: The epoch of the last checkpoint that was written, if it is known.

    Raises:
        FixInput: There is no such checkpoint.
        FixData: The file is truncated or no checkpoint.
    """
    checkpoints = [entry for folder in folders for entry in checkpoints_in(folder)]
    listed = sorted(checkpoints, key=lambda entry: entry.name)
    if asked == "best":
        chosen = _given(best, listed), "the best epoch"
    elif asked in ("last", "newest"):
        chosen = _newest(listed, asked, last_epoch)
    elif asked == "latest":
        chosen = _linked(folders), "the trainer's link to the latest"
    elif asked.isdigit():
        chosen = _of_epoch(listed, int(asked))
    else:
        chosen = _named(listed, asked), "named"
    path, how = chosen
    if path is None:
        raise _absent(asked, listed, folders)
    return model_file(path, how)


def model_file(path: Path, how: str = "") -> ModelFile:
    """A file as something to start from, looked at and hashed.

    Raises:
        FixData: It is missing, truncated, or no model.
    """
    check_model(path)
    real = path.resolve()
    if real.is_dir():
        return ModelFile(real, "", None, how)
    name = CheckpointName.parse(real.name)
    if path.is_symlink() and _LATEST.search(path.name):
        how = "the trainer's link to the latest"
    return ModelFile(real, sha256_of(real), name.epoch if name else None, how)


def check_model(path: Path) -> None:
    """Refuses a file that was cut short or is no model of the kind that its name says.

    A folder passes if there is something in it: some networks keep their weights as one.

    Raises:
        FixData: It is missing, truncated, or foreign.
    """
    if path.is_dir():
        if not any(path.iterdir()):
            raise FixData("the folder of a model must hold files", got="none", where=str(path))
        return
    check_checkpoint_file(path)
    if not path.suffix:
        raise FixData(
            "a checkpoint must be the file that a training saved",
            got="a file without an ending",
            where=str(path),
            fix="name another one, or train again",
        )


def _given(best: Path | None, listed: Sequence[CheckpointFile]) -> Path | None:
    """The best checkpoint where it is known; else the only one, which retention has kept."""
    if best is not None and best.is_file():
        return best
    return listed[0].path if best is None and len(listed) == 1 else None


def _newest(
    listed: Sequence[CheckpointFile], asked: str, last_epoch: int | None
) -> tuple[Path | None, str]:
    """The newest whole one; as ``last`` only where no later one was written and deleted."""
    newest = newest_whole(listed)
    if newest is None:
        return None, ""
    if last_epoch is None:
        return newest.path, f"epoch {newest.epoch}, the newest that was kept"
    if newest.epoch >= last_epoch:
        return newest.path, f"epoch {newest.epoch}, the last"
    if asked == "last":
        return None, ""
    return newest.path, f"epoch {newest.epoch}, the newest that was kept of {last_epoch + 1}"


def _linked(folders: Sequence[Path]) -> Path | None:
    links = [link for folder in folders for link in sorted(folder.glob(LATEST_PATTERN))]
    return links[-1] if links else None


def _of_epoch(listed: Sequence[CheckpointFile], number: int) -> tuple[Path | None, str]:
    for epoch, how in ((number, "counted from 0"), (number - 1, "counted from 1")):
        of_epoch = [entry for entry in listed if entry.epoch == epoch]
        if of_epoch:
            whole = newest_whole(of_epoch)
            return (whole or of_epoch[-1]).path, f"epoch {number}, {how}"
    return None, ""


def _named(listed: Sequence[CheckpointFile], name: str) -> Path | None:
    paths = [entry.path for entry in listed if entry.path.name == name]
    return paths[-1] if paths else None


def _absent(asked: str, listed: Sequence[CheckpointFile], folders: Sequence[Path]) -> FixInput:
    what = f"epoch {asked}" if asked.isdigit() else asked
    names = ", ".join(entry.path.name for entry in listed[:5])
    hint = (
        "name one of those by its epoch; a study keeps the last of each trial with --keep last, "
        "and every one with --keep all"
    )
    return FixInput(
        "the checkpoint must be one that the trial has kept",
        got=f"{what}; kept: {names or 'none'}",
        where=str(folders[-1]) if folders else "",
        fix=hint if listed else "train the trial again",
    )
