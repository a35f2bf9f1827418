"""Which trial of a study a person means by ``best``, ``default``, ``last`` or a number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.skill.keys import NetworkKeys
from automl.skill.tree import Tree, get, whole_number
from automl.study.best import read_best
from automl.study.folder import read_config
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.outcomes import read_outcome
from automl.study.race import winner
from automl.study.records import Outcome, OutcomeState
from automl.study.storage import read_study
from automl.study.trials import read_records
from automl.trainers.checkpoints import checkpoints_in, newest_whole
from automl.yamltext import load_yaml

__all__ = ["ChosenTrial", "find_trial", "read_spec"]


@dataclass(frozen=True, slots=True)
class ChosenTrial:
    """One trial of a study as its folder tells it.

    Attributes:
        number: From 0.
        attempts: Its attempts' paths, oldest first; at least one.
        best: The checkpoint of its best epoch, if one is recorded; of a trial that has not trained
            to its end the newest whole one.
        sha256: The recorded hash of that file, if any.
        last_epoch: The epoch whose checkpoint is the last of the trial, from 0; None where that is
            not known.
        n_epochs: Epochs that its training was to take; None where that is not known.
    """

    number: int
    attempts: tuple[AttemptPaths, ...]
    best: Path | None
    sha256: str | None
    last_epoch: int | None = None
    n_epochs: int | None = None

    @property
    def spec_path(self) -> Path:
        """The spec of the newest attempt."""
        return self.attempts[-1].spec


def find_trial(paths: StudyPaths, asked: str) -> ChosenTrial:
    """The trial of a study that somebody asks for.

    Args:
        paths: The study.
        asked: ``best``, ``default`` (trial 0; also ``baseline``), ``last`` or a number.

    Raises:
        FixInput: There is no such trial, or none has ended usable yet.
    """
    number, best, sha256 = _number(paths, asked)
    attempts = tuple(each for _, each in paths.attempts(number) if each.spec.is_file())
    if not attempts:
        raise FixInput(
            "a trial must have been started",
            got=f"trial {number}",
            where=str(paths.folder),
            fix="automl report lists every trial",
        )
    outcomes = [outcome for outcome, _ in map(read_outcome, attempts) if outcome is not None]
    if best is None:
        best, sha256 = _recorded(paths, outcomes)
    is_on_its_way = not any(outcome.state is OutcomeState.OK for outcome in outcomes)
    if is_on_its_way and (best is None or not best.is_file()):
        best, sha256 = _newest(attempts) or best, None
    keys, spec = read_config(paths).keys, read_spec(attempts[-1].spec)
    last = _last_epoch(spec, keys, outcomes[-1]) if outcomes else None
    return ChosenTrial(number, attempts, best, sha256, last, whole_number(spec, keys.epochs))


def _recorded(paths: StudyPaths, outcomes: Sequence[Outcome]) -> tuple[Path | None, str | None]:
    """The checkpoint that an attempt ended with: the newest that is still there, if one is."""
    found: list[tuple[Path | None, str | None]] = [
        (paths.folder / each.checkpoint, each.checkpoint_sha256)
        for each in outcomes
        if each.checkpoint
    ]
    kept = [each for each in found if each[0] is not None and each[0].is_file()]
    return [(None, None), *(kept or found)][-1]


def _newest(attempts: Sequence[AttemptPaths]) -> Path | None:
    """The newest whole checkpoint of all attempts."""
    files = [file for each in attempts for file in checkpoints_in(each.folder)]
    newest = newest_whole(sorted(files, key=lambda file: file.name))
    return None if newest is None else newest.path


def _last_epoch(spec: Tree, keys: NetworkKeys, outcome: Outcome) -> int | None:
    """The epoch whose checkpoint was the last that an attempt wrote, by its spec and its end."""
    interval = whole_number(spec, keys.checkpoint_interval) or 1
    if keys.checkpoint_unit and get(spec, keys.checkpoint_unit, "epoch") != "epoch":
        return None
    epochs = whole_number(spec, keys.epochs)
    if epochs is None or outcome.state is not OutcomeState.OK:
        epochs = max((one.epoch + 1 for one in outcome.measurements), default=0)
    return epochs // interval * interval - 1 if epochs >= interval else None


def _number(paths: StudyPaths, asked: str) -> tuple[int, Path | None, str | None]:
    """A trial's number; for ``best`` the incumbent's checkpoint and its hash as well."""
    if asked.isdecimal():
        return int(asked), None, None
    if asked in ("baseline", "default"):
        return 0, None, None
    if asked == "last":
        return max(paths.numbers(), default=0), None, None
    if asked != "best":
        raise FixInput(
            "a trial must be best, default, last or a number", got=repr(asked), where="--trial"
        )
    kept, _ = read_best(paths)
    if kept is None:
        return _incumbent(paths), None, None
    path = paths.best / str(kept.get("checkpoint") or "none")
    return kept["trial"], *(
        (path, kept.get("checkpoint_sha256")) if path.is_file() else (None,) * 2
    )


def _incumbent(paths: StudyPaths) -> int:
    """The best trial by the storage, of a study whose ``best/`` is lost or not made yet."""
    config = read_config(paths)
    study = read_study(paths, config)
    records = () if study is None else read_records(study, config.objective)
    best = winner(records, config)
    if best is None:
        raise FixInput(
            "a trial must have ended usable to be the best",
            got="none yet",
            where=str(paths.folder),
            fix="wait, or name a trial with --trial N",
        )
    return best.number


def read_spec(path: Path) -> Tree:
    """The spec in a file.

    Raises:
        FixInput: It holds no mapping.
    """
    tree: Any = load_yaml(path)
    if not isinstance(tree, Mapping):
        raise FixInput("a spec must be a mapping of settings", where=str(path))
    return dict(tree)
