"""The trainers by name."""

from collections.abc import Callable, Mapping
from typing import Any

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.skill.model import Skill
from automl.trainers.base import Trainer
from automl.trainers.docker.options import DockerOptions
from automl.trainers.docker.trainer import DockerTrainer
from automl.trainers.process import ProcessTrainer
from automl.trainers.scripted import Script, ScriptedTrainer
from automl.trainers.warm import warm_trainer

__all__ = ["START", "TRAINERS", "WARM", "make_trainer"]

#: The one option of the process trainer: whether its process is kept for the next trial.
START = "start"
WARM = "warm"


def _process(skill: Skill, options: Mapping[str, Any], action: str) -> Trainer:
    unknown = [str(name) for name in options if name != START]
    if unknown:
        raise FixInput(
            "the process trainer has no options", got=", ".join(unknown), where="script"
        )
    cold = ProcessTrainer(skill, action)
    return warm_trainer(cold) if options.get(START) == WARM else cold


def _scripted(skill: Skill, options: Mapping[str, Any], action: str) -> Trainer:  # noqa: ARG001 -- one signature
    if action != "train":
        raise FixInput(
            "the scripted trainer plays trainings alone", got=action, fix="give --trainer process"
        )
    return ScriptedTrainer(Script.from_options(options))


def _docker(skill: Skill, options: Mapping[str, Any], action: str) -> Trainer:
    return DockerTrainer(skill, DockerOptions.from_options(options), action)


#: Name of a trainer, as in a study file, to what makes one.
TRAINERS: Mapping[str, Callable[[Skill, Mapping[str, Any], str], Trainer]] = {
    "process": _process,
    "docker": _docker,
    "scripted": _scripted,
}


def make_trainer(
    name: str, skill: Skill, options: Mapping[str, Any], action: str = "train"
) -> Trainer:
    """The trainer of that name.

    Args:
        name: ``process``, ``docker`` or ``scripted``.
        skill: Whose command a real trainer runs.
        options: Settings of that trainer alone; of docker those of ``DockerOptions``, where
            ``deploy: true`` runs the action in the deploy container.
        action: Which of the skill's actions it runs.

    Raises:
        FixInput: There is no such trainer, or it knows neither an option nor the action.
    """
    if name not in TRAINERS:
        raise FixInput(
            f"the trainer is one of {', '.join(TRAINERS)}",
            got=repr(name),
            where="--trainer",
            fix=did_you_mean(name, TRAINERS),
        )
    return TRAINERS[name](skill, options, action)
