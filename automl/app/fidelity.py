"""Which method searches, and at which epochs it judges a training: resolved before it begins.

At every rung a training must be validated and leave a checkpoint, so the intervals of the spec
become divisors of the rungs. Nothing else of a training changes: its length and its schedule are
those of the full one from the start.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import gcd
from typing import Any

from automl.errors import FixInput
from automl.search.methods.table import METHODS
from automl.search.rungs import FEWEST_VALIDATIONS, rung_epochs
from automl.skill.keys import NetworkKeys
from automl.skill.tree import Tree, get, whole_number
from automl.space.model import SearchSpace
from automl.spec.sources import with_settings
from automl.study.config import SearchSettings

__all__ = ["FULL", "Fidelity", "choose_fidelity", "no_rungs", "rungs_of"]

AUTO, FULL = "auto", "full"
#: What ``auto`` stands for where trainings can have rungs.
_RUNGS_BY = "asha"
_WHERE = "--fidelity"
_BY_EPOCH = "epoch"


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How long trials train.

    Attributes:
        search: The settings of the search, with method, rungs and length resolved.
        tree: The base spec, validated and saved at every rung.
        notes: What a reader should know.
    """

    search: SearchSettings
    tree: Tree
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Trainings:
    """The trainings of a study.

    Attributes:
        tree: The base spec.
        keys: Which of its settings mean what.
        space: What is searched.
    """

    tree: Tree
    keys: NetworkKeys
    space: SearchSpace
    n_epochs: int = field(init=False)
    validation: int = field(init=False)

    def __post_init__(self) -> None:
        epochs = 0 if self.is_searched(self.keys.epochs) else self._number(self.keys.epochs)
        object.__setattr__(self, "n_epochs", epochs)
        object.__setattr__(self, "validation", self._number(self.keys.validation_interval) or 1)

    def is_searched(self, key: str) -> bool:
        """Whether trials differ in a setting."""
        return bool(key) and key in self.space.keys

    def _number(self, key: str) -> int:
        return (whole_number(self.tree, key) or 0) if key else 0

    def obstacles(self) -> Iterator[str]:
        """Why no trial could pause and go on at a given epoch; nothing where one can."""
        keys = self.keys
        intervals = (keys.validation_interval, keys.checkpoint_interval, keys.checkpoint_unit)
        for key in (keys.epochs, *intervals):
            if self.is_searched(key):
                yield f"{key} is searched"
        needed = {
            "the number of epochs": keys.epochs,
            "the epochs between checkpoints": keys.checkpoint_interval,
            "the checkpoint to go on from": keys.resume,
        }
        yield from (
            f"the skill has no setting for {what}" for what, key in needed.items() if not key
        )
        if keys.epochs and not self.n_epochs and not self.is_searched(keys.epochs):
            yield f"{keys.epochs} is not known"

    def saved_at(self, rungs: tuple[int, ...]) -> dict[str, Any]:
        """The settings with which each rung has its validation and its checkpoint."""
        keys = self.keys
        by_step = bool(keys.checkpoint_unit) and (
            get(self.tree, keys.checkpoint_unit, _BY_EPOCH) != _BY_EPOCH
        )
        saved = 0 if by_step else self._number(keys.checkpoint_interval)
        wanted: dict[str, Any] = {keys.checkpoint_interval: gcd(saved, *rungs)}
        if keys.validation_interval:
            wanted[keys.validation_interval] = gcd(self.validation, *rungs)
        if by_step:
            wanted[keys.checkpoint_unit] = _BY_EPOCH
        return {key: value for key, value in wanted.items() if get(self.tree, key, None) != value}


def choose_fidelity(
    tree: Mapping[str, Any], keys: NetworkKeys, space: SearchSpace, search: SearchSettings
) -> Fidelity:
    """Resolves the method of a search, its rungs, and the base spec that they need.

    Args:
        tree: The base spec.
        keys: Which of its settings mean what.
        space: What is searched; empty for a plain training.
        search: What was asked for; ``auto`` has rungs where the trainings allow them.

    Raises:
        FixInput: A method with rungs was asked for by name, and the trainings allow none.
    """
    trainings = _Trainings(dict(tree), keys, space)
    known = replace(search, n_epochs=trainings.n_epochs)
    if search.fidelity == FULL or not space.parameters:
        return Fidelity(replace(known, fidelity=FULL), trainings.tree)
    obstacle = next(trainings.obstacles(), "") or _pruned(search)
    rungs = () if obstacle else _rungs(trainings, search)
    if rungs:
        method = _RUNGS_BY if search.fidelity == AUTO else search.fidelity
        return _with_rungs(trainings, replace(known, fidelity=method, rungs=rungs))
    why = obstacle or _too_short(trainings)
    if search.fidelity != AUTO:
        raise no_rungs(why)
    note = f"every trial trains to its end, without rungs: {why}"
    return Fidelity(replace(known, fidelity=FULL), trainings.tree, (note,))


def rungs_of(search: SearchSettings, validation: int) -> SearchSettings:
    """The same for trainings that have taken place, and cannot be validated at other epochs.

    Args:
        search: What is asked for, with the epochs of a training.
        validation: Epochs from one validation to the next.

    Raises:
        FixInput: A method with rungs was asked for by name, and the trainings are too short.
    """
    why = _pruned(search)
    rungs = () if why else rung_epochs(search.n_epochs, validation)
    if search.fidelity == FULL or (search.fidelity == AUTO and not rungs):
        return replace(search, fidelity=FULL, rungs=())
    if not rungs and search.fidelity in METHODS:
        n = search.n_epochs // validation
        raise no_rungs(why or f"{n} validations, and rungs need {FEWEST_VALIDATIONS}")
    method = _RUNGS_BY if search.fidelity == AUTO else search.fidelity
    return replace(search, fidelity=method, rungs=rungs)


def no_rungs(why: str) -> FixInput:
    """The error for rungs that were asked for by name and that no training can have."""
    return FixInput(
        "trials that pause need rungs at known epochs of their training",
        got=why,
        where=_WHERE,
        fix=f"--fidelity {FULL} trains every trial to its end",
    )


def _pruned(search: SearchSettings) -> str:
    return "" if search.pruner == "none" else f"--pruner {search.pruner} stops trials by its rule"


def _rungs(trainings: _Trainings, search: SearchSettings) -> tuple[int, ...]:
    """The rungs by the spec's validations; asked for by name, by more of them if need be."""
    rungs = rung_epochs(trainings.n_epochs, trainings.validation)
    if rungs or search.fidelity == AUTO:
        return rungs
    return rung_epochs(trainings.n_epochs, 1)


def _too_short(trainings: _Trainings) -> str:
    n = trainings.n_epochs // trainings.validation
    return f"{n} validations in {trainings.n_epochs} epochs, and rungs need {FEWEST_VALIDATIONS}"


def _with_rungs(trainings: _Trainings, search: SearchSettings) -> Fidelity:
    saved = trainings.saved_at(search.rungs)
    before = {key: get(trainings.tree, key, None) for key in saved}
    tree = with_settings(trainings.tree, saved, "rungs")
    notes = tuple(
        f"{key} = {value} instead of {before[key]}: each rung needs its validation and its "
        "checkpoint"
        for key, value in saved.items()
    )
    return Fidelity(search, tree, notes)
