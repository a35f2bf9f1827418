"""The checkpoint of another training that a new one goes on from: found and recorded.

Three things are easily mixed up. ``automl resume`` goes on with an interrupted study, in its own
folder. ``--parent-checkpoint`` starts a training at epoch 0 from the weights of a file.
``--resume-from``, which is this module's, is a new study whose training goes on at the epoch after
a checkpoint, with the optimiser, the schedule and the random numbers that are in it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from automl.app.inherited import inherited
from automl.app.parents import Parent, find_parent
from automl.checkpointfile import check_checkpoint_file, check_not_encrypted
from automl.errors import FixInput, ResolveConflict
from automl.files import sha256_of
from automl.settings.layers import Layer, Settings
from automl.skill.keys import NetworkKeys
from automl.skill.policy import Gate
from automl.study.layout import StudyPaths
from automl.trainers.contract import CHECKPOINT_SUFFIXES, CheckpointName
from automl.trainers.resolve import is_word

__all__ = ["ResumePoint", "asked_for", "check_asked", "check_still_there", "find_resume_point"]

SETTING: Final = "resume_from"
_STUDY = re.compile(r"(?P<study>[^:@/]+)(?::(?P<trial>[^:@/]+))?(?:@\s*(?P<which>[^@/]+))?")
_EPOCH = re.compile(r"epoch[\s=]*(?=\d+$)")


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """A checkpoint that a training goes on from.

    Attributes:
        parent: The file, what it was trained with, and the study that it belongs to.
        name: Epoch and step by the file's name; None where the name holds none.
        asked: What was asked for, for messages.
        where: Who asked for it.
    """

    parent: Parent
    name: CheckpointName | None
    asked: str
    where: str

    @property
    def path(self) -> str:
        """The absolute path of the file."""
        return self.parent.origin.path

    def layer(self, settings: Settings) -> Layer:
        """What holds unless a flag or the study file says otherwise: the parent's settings."""
        paths, spec = self.parent.paths, self.parent.spec_path
        values: dict[str, Any] = {} if spec is None else {"spec": spec}
        if paths is None or self.parent.config is None:
            return Layer(values, f"beside {Path(self.path).name}")
        if spec is not None:
            values = inherited(self.parent.config, spec)
        if settings["synth"]:
            values = {name: values[name] for name in values if not name.endswith("_data")}
        return Layer(values, f"{self._place()} of {paths.folder.name}")

    def _place(self) -> str:
        trial = self.parent.origin.trial
        return "a checkpoint" if trial is None else f"trial {trial}"

    def record(self) -> dict[str, Any]:
        """What the new study records of it."""
        origin, paths = self.parent.origin, self.parent.paths
        folder = None if paths is None else paths.folder
        place = {} if self.name is None else {"epoch": self.name.epoch, "step": self.name.step}
        return {
            "made_by": "resume-from",
            **({} if folder is None else {"study": folder.name, "folder": str(folder)}),
            **({} if origin.trial is None else {"trial": origin.trial}),
            "checkpoint": origin.path,
            "checkpoint_sha256": origin.sha256,
            **place,
        }


def asked_for(settings: Settings, keys: NetworkKeys) -> tuple[str, str]:
    """Which checkpoint is to be gone on from, and who says so; two empty texts for none.

    Raises:
        FixInput: Two places name different ones, or weights are to be started from as well.
    """
    asked, where = str(settings[SETTING] or ""), settings.origin(SETTING)
    by_key = [key for key in keys.resume if settings["set"].get(key)]
    if by_key:
        file = str(Path(str(settings["set"][by_key[0]])).expanduser().absolute())
        if asked and asked != file:
            raise FixInput(
                "a training goes on from one checkpoint",
                got=f"{asked} and {by_key[0]}={file}",
                fix="leave one of them out",
            )
        asked, where = file, f"--set {by_key[0]}"
    if asked and settings["parent_checkpoint"]:
        raise FixInput(
            "a training goes on from a checkpoint, or starts at epoch 0 from weights",
            got=f"{asked} and {settings['parent_checkpoint']}",
            where=f"{where} and {settings.origin('parent_checkpoint')}",
            fix="leave one of them out",
        )
    return asked, where if asked else ""


def check_asked(gate: Gate, asked: str, where: str) -> None:
    """Refuses to go on from one checkpoint with every trial of a search.

    Raises:
        FixInput: The study would search.
    """
    if gate.searches:
        raise FixInput(
            "one plain training goes on from a checkpoint; the trials of a search start afresh",
            got=asked,
            where=where,
            fix="add --policy off, or start every trial from weights with --parent-checkpoint",
        )


def find_resume_point(studies_dir: Path, asked: str, where: str) -> ResumePoint:
    """The checkpoint that a text names.

    Args:
        studies_dir: Where studies are kept.
        asked: A file; or ``STUDY``, ``STUDY:TRIAL``, each with ``@best``, ``@last``, ``@epoch N``
            or a file's name behind it. Without a trial it is the best one, and without a place in
            it the newest checkpoint that was kept.
        where: Who asked.

    Raises:
        FixInput: There is no such study, trial or checkpoint, or the file is damaged.
        ResolveConflict: The file is not the one that the trial has recorded.
    """
    if _is_file(asked):
        file = Path(asked).expanduser().absolute()
        check_checkpoint_file(file, where)
        if file.suffix not in CHECKPOINT_SUFFIXES:
            check_not_encrypted(file, where)
        _check_ending(file, where)
        parent = find_parent(studies_dir, None, checkpoint=str(file))
    else:
        study, trial, which = _parts(asked, where)
        parent = find_parent(studies_dir, study, trial, which)
    return ResumePoint(parent, CheckpointName.parse(Path(parent.origin.path).name), asked, where)


def _is_file(asked: str) -> bool:
    path = Path(asked).expanduser()
    is_named_so = path.suffix in CHECKPOINT_SUFFIXES and "@" not in asked
    return path.is_file() or "/" in asked or is_named_so


def _check_ending(file: Path, where: str) -> None:
    if file.suffix not in CHECKPOINT_SUFFIXES:
        raise FixInput(
            f"a training goes on from a file that ends in {' or '.join(CHECKPOINT_SUFFIXES)}",
            got=file.name,
            where=where,
            fix="name a checkpoint that a training wrote",
        )


def _parts(asked: str, where: str) -> tuple[str, str, str]:
    """Study, trial and checkpoint of a text such as ``bike:7@epoch 12``."""
    match = _STUDY.fullmatch(asked)
    which = _EPOCH.sub("", (match["which"] or "newest").strip()) if match else ""
    if match is None or not (which == "newest" or is_word(which)):
        raise FixInput(
            "a checkpoint to go on from is a file, or STUDY, STUDY:TRIAL or STUDY:TRIAL@WHICH",
            got=repr(asked),
            where=where,
            fix="WHICH is best, last, epoch N or the name of a file",
        )
    return match["study"], match["trial"] or "best", which


def check_still_there(paths: StudyPaths, resume_from: str, provenance: Mapping[str, Any]) -> None:
    """Makes sure that a training that has left no checkpoint yet can begin again where it began.

    Raises:
        ResolveConflict: The checkpoint that it goes on from is gone, or another file.
    """
    if not resume_from or any(paths.trials.glob("*/*/*.pth")):
        return
    path, known = Path(resume_from), provenance.get("parent", {}).get("checkpoint_sha256")
    if not path.is_file() or (known and sha256_of(path) != known):
        raise ResolveConflict(
            "the checkpoint that a training goes on from must stay as it was until the training "
            "has left one of its own",
            got="another file" if path.is_file() else "a file that is gone",
            where=resume_from,
            fix="restore it",
        )
