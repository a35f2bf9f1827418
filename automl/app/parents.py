"""What an action starts from: a study's checkpoint, a file, or what an earlier action made."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from automl.app.trial_choice import ChosenTrial, find_trial, read_spec
from automl.errors import FixInput, ResolveConflict
from automl.files import sha256_of
from automl.skill.tree import Tree
from automl.study.actions import Made, Origin, read_actions
from automl.study.best import read_best
from automl.study.choice import Wanted, find_study
from automl.study.config import StudyConfig
from automl.study.folder import read_config
from automl.study.layout import StudyPaths
from automl.study.outcomes import read_outcome
from automl.trainers.contract import EXPERIMENT_NAME
from automl.trainers.resolve import ModelFile, is_word, model_file, resolve_checkpoint

__all__ = ["Parent", "exported_from", "find_parent"]

#: Files beside a checkpoint that say what it was trained with.
_SPECS = ("spec.yaml", "train.yaml", EXPERIMENT_NAME)


@dataclass(frozen=True, slots=True)
class Parent:
    """What an action starts from.

    Attributes:
        origin: The file and where it is from.
        spec_path: What it was trained with; None where that is not known.
        paths: The study that it belongs to; None for a file from elsewhere.
        config: That study's configuration.
    """

    origin: Origin
    spec_path: Path | None
    paths: StudyPaths | None = None
    config: StudyConfig | None = None

    @property
    def spec(self) -> Tree | None:
        """The spec in that file, read anew."""
        return read_spec(self.spec_path) if self.spec_path is not None else None


def _unheard(_: str) -> None:
    """For a caller that shows nothing."""


def find_parent(
    studies_dir: Path,
    study: str | None,
    trial: str = "best",
    checkpoint: str = "best",
    tell: Callable[[str], None] = _unheard,
) -> Parent:
    """The checkpoint that a command names.

    Args:
        studies_dir: Where studies are kept.
        study: A study's name; None for the newest, or for a checkpoint that is a file.
        trial: ``best``, ``baseline``, ``last`` or a number.
        checkpoint: One of the trial, as ``resolve_checkpoint`` takes it; or the path of a file,
            whose study is found if it lies in one.
        tell: Called with a sentence where the newest study is not the one that is taken.

    Raises:
        FixInput: There is no such study, trial or checkpoint, or the file is damaged.
        ResolveConflict: The file is not the one that the trial has recorded.
    """
    if not is_word(checkpoint):
        return _parent_of_file(studies_dir, study, Path(checkpoint).expanduser().absolute())
    paths = find_study(studies_dir, study, Wanted.TRAINED, tell)
    chosen = find_trial(paths, trial)
    folders = [each.folder for each in chosen.attempts]
    found = resolve_checkpoint(folders, checkpoint, chosen.best, chosen.last_epoch)
    _refuse_foreign(chosen, found)
    return Parent(_origin(found, chosen.number), chosen.spec_path, paths, read_config(paths))


def _refuse_foreign(chosen: ChosenTrial, found: ModelFile) -> None:
    """Refuses a file that lies among those of a trial and is none of its checkpoints."""
    best, until = chosen.best, chosen.n_epochs
    got = ""
    is_best = best is not None and found.path.name == best.name
    if is_best and chosen.sha256 and found.sha256 != chosen.sha256:
        got = f"a file of SHA-256 {found.sha256[:12]}, not {chosen.sha256[:12]}"
    elif until is not None and found.epoch is not None and found.epoch >= until:
        got = f"one of epoch {found.epoch}, counted from 0, of a training of {until}"
    if got:
        raise ResolveConflict(
            "a checkpoint must be the one that its trial has recorded",
            got=got,
            where=str(found.path),
            fix="restore the file, or name it by its path with --checkpoint",
        )


def _parent_of_file(studies_dir: Path, study: str | None, path: Path) -> Parent:
    found = model_file(path, "a file that was named")
    paths = find_study(studies_dir, study) if study is not None else _study_around(found.path)
    spec = _spec_beside(found.path)
    if paths is None:
        return Parent(_origin(found), spec)
    is_recorded, trial = _recorded(paths, found)
    if not is_recorded:
        found = replace(found, how=f"{found.how}; {paths.folder.name} has not recorded this file")
    return Parent(_origin(found, trial), spec, paths, read_config(paths))


def _recorded(paths: StudyPaths, found: ModelFile) -> tuple[bool, int | None]:
    """Whether a trial of the study has recorded this very file, and the trial it belongs to.

    Of a trial the checkpoint of the best epoch is recorded, and no other.
    """
    kept = read_best(paths)[0] or {}
    if kept.get("checkpoint_sha256") == found.sha256:
        return True, int(kept["trial"])
    if not found.path.is_relative_to(paths.trials.resolve()):
        return False, None
    name = found.path.relative_to(paths.trials.resolve()).parts[0]
    if not name.isdigit():
        return False, None
    outcomes = (read_outcome(each)[0] for _, each in paths.attempts(int(name)))
    known = {outcome.checkpoint_sha256 for outcome in outcomes if outcome is not None}
    return found.sha256 in known, int(name)


def exported_from(parent: Parent, action: str, ending: str, fix: str) -> Parent:
    """What an earlier action made from the same checkpoint: the newest that went well.

    Args:
        parent: The checkpoint; one that is such a file itself is returned as it is.
        action: ``export`` or ``gen_trt_engine``.
        ending: ``.onnx`` or ``.engine``.
        fix: The command that would make one.

    Raises:
        FixInput: No such action has gone well, or its file is gone or changed.
    """
    if Path(parent.origin.path).suffix == ending:
        return parent
    made = _newest(parent, action, ending) if parent.paths is not None else None
    if made is None:
        raise FixInput(
            f"this action must start from an {ending} file made from its checkpoint",
            got=f"none of {Path(parent.origin.path).name}",
            where=str(parent.paths.actions) if parent.paths else parent.origin.path,
            fix=fix,
        )
    path, record = made
    if not path.is_file() or sha256_of(path) != record.sha256:
        raise FixInput(
            "what an action has made must still be as it was",
            got="a file that is gone" if not path.is_file() else "another file",
            where=str(path),
            fix=fix,
        )
    origin = replace(
        parent.origin,
        path=str(path),
        sha256=record.sha256,
        said=f"made by {path.parent.name} from {parent.origin.said or 'the checkpoint'}",
    )
    return replace(parent, origin=origin)


def _newest(parent: Parent, action: str, ending: str) -> tuple[Path, Made] | None:
    if parent.paths is None:
        return None
    found: tuple[Path, Made] | None = None
    for folder, record in read_actions(parent.paths.actions):
        is_from = record.origin.root_sha256 == parent.origin.root_sha256
        if record.action == action and record.ok and is_from:
            for made in record.made.values():
                if made.name.endswith(ending):
                    found = folder / made.name, made
    return found


def _origin(found: ModelFile, trial: int | None = None) -> Origin:
    return Origin(str(found.path), found.sha256, found.sha256, trial, found.epoch, found.how)


def _study_around(path: Path) -> StudyPaths | None:
    for folder in path.parents:
        if StudyPaths(folder).resolved.is_file():
            return StudyPaths(folder)
    return None


def _spec_beside(path: Path) -> Path | None:
    folder = path if path.is_dir() else path.parent
    files = (folder / name for name in _SPECS)
    return next((file for file in files if file.is_file()), None)
