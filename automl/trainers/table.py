"""The trainers by name: those of this package, and those that installed packages bring."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automl.errors import FixInput, PrepareMachine
from automl.nearest import did_you_mean
from automl.trainers.docker.entry import DOCKER
from automl.trainers.entry import TrainerEntry
from automl.trainers.installed import GROUP, Installed, installed_names, read_installed
from automl.trainers.process_entry import PROCESS
from automl.trainers.scripted_entry import SCRIPTED

if TYPE_CHECKING:
    from automl.skill.model import Skill
    from automl.trainers.base import Trainer

__all__ = [
    "CONTAINER",
    "DEFAULT",
    "TRAINERS",
    "all_trainers",
    "make_trainer",
    "trainer_entry",
    "trainer_names",
]

#: The trainers of this package, by the names that a study gives them.
TRAINERS: Mapping[str, TrainerEntry] = {entry.name: entry for entry in (PROCESS, DOCKER, SCRIPTED)}
#: What trains where no trainer is named.
DEFAULT = PROCESS
#: What runs the actions that belong to the deploy container.
CONTAINER = DOCKER


def all_trainers() -> Installed:
    """Every trainer there is: those of this package first, then the installed ones that work."""
    installed = read_installed(TRAINERS)
    return Installed({**TRAINERS, **installed.entries}, installed.broken)


def trainer_names() -> tuple[str, ...]:
    """The names of all trainers; imports no package that brings one, so that it may be broken."""
    return tuple(dict.fromkeys((*TRAINERS, *installed_names())))


def trainer_entry(name: str) -> TrainerEntry:
    """The trainer of that name.

    Installed packages are looked at only for a name that is none of this package's own.

    Raises:
        FixInput: There is no such trainer.
        PrepareMachine: An installed package brings it and cannot be loaded.
    """
    if name in TRAINERS:
        return TRAINERS[name]
    trainers = all_trainers()
    if name in trainers.entries:
        return trainers.entries[name]
    for broken in trainers.broken:
        if broken.name == name:
            raise PrepareMachine(
                "an installed trainer must load",
                got=broken.problem,
                where=f"trainer {name} of the package {broken.package}",
                fix="fix or reinstall that package",
            )
    raise FixInput(
        f"trainer must be one of {', '.join(trainers.entries)}",
        got=f"'{name}'",
        where="--trainer",
        fix=did_you_mean(name, trainers.entries)
        or f"another one comes with a package that has the entry point {GROUP}",
    )


def make_trainer(
    name: str, skill: "Skill", options: Mapping[str, Any], action: str = "train"
) -> "Trainer":
    """Makes the trainer of that name.

    Args:
        name: ``process``, ``docker``, ``scripted``, or that of an installed trainer.
        skill: Whose command a real trainer runs.
        options: Options of that trainer alone; of docker those of ``DockerOptions``, where
            ``deploy: true`` runs the action in the deploy container.
        action: Which of the skill's actions it runs.

    Raises:
        FixInput: There is no such trainer, or it knows neither an option nor the action.
        PrepareMachine: An installed package brings it and cannot be loaded.
    """
    return trainer_entry(name).make(skill, options, action)
