"""Which trainer runs a study, with which options, and what is to be said of that."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.app.settings import Layers
from automl.settings.setting import Place
from automl.skill.model import Skill
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths
from automl.trainers.base import Previewing, TrialTask
from automl.trainers.entry import SettingsGiven, TrainerEntry
from automl.trainers.table import DEFAULT, all_trainers, make_trainer, trainer_entry

__all__ = ["ChosenTrainer", "choose_trainer", "container_preview", "program_of"]


@dataclass(frozen=True, slots=True)
class ChosenTrainer:
    """The trainer of a study that is planned.

    Attributes:
        name: What the study calls it.
        options: Its options, as the study records them.
        program: The trainer whose rules of a search profile apply.
        notes: What a reader of the plan should know.
    """

    name: str
    options: Mapping[str, Any]
    program: str
    notes: tuple[str, ...] = ()


def choose_trainer(
    layers: Layers, skill: Skill, *, searches: bool, gpus_per_trial: int = 0
) -> ChosenTrainer:
    """The trainer that flags and study file ask for.

    Args:
        layers: The settings; those of the trainer are noted with their origins.
        skill: Whose command will run.
        searches: Whether there will be a search.
        gpus_per_trial: GPUs that one trial holds.

    Raises:
        FixInput: There is no such trainer, or a setting of it has a value that it cannot have.
        PrepareMachine: An installed package brings it and cannot be loaded.
    """
    entry = trainer_entry(str(layers.pick("trainer", DEFAULT.name)))
    values = _values(layers, entry)
    chosen = entry.choose(
        SettingsGiven(values, skill, searches, gpus_per_trial, dict(layers.origin))
    )
    layers.origin.update(chosen.origin)
    make_trainer(entry.name, skill, chosen.options)
    trainers = all_trainers()
    notes = _idle_settings(layers, entry, trainers.entries)
    return ChosenTrainer(
        entry.name,
        chosen.options,
        entry.program(chosen.options),
        (*notes, *map(str, trainers.broken)),
    )


def _values(layers: Layers, entry: TrainerEntry) -> dict[str, Any]:
    """The settings of a trainer that are given, typed."""
    values = {}
    for setting in entry.settings:
        value = layers.pick(setting.name)
        if value is not None:
            place = Place(setting.name, layers.origin[setting.name])
            values[setting.name] = setting.form.read(value, place)
    return values


def _idle_settings(
    layers: Layers, entry: TrainerEntry, trainers: Mapping[str, TrainerEntry]
) -> tuple[str, ...]:
    """What to say of settings that belong to other trainers.

    A study file may well hold settings of several trainers; it is only told where nobody has
    chosen among them.
    """
    own = {setting.name for setting in entry.settings}
    every = {setting.name for other in trainers.values() for setting in other.settings}
    is_chosen = layers.origin["trainer"] != "default"
    idle: list[str] = []
    for name in sorted(every - own):
        is_given = layers.pick(name) is not None
        origin = layers.origin.pop(name)
        if is_given and origin.startswith("--"):
            idle.append(origin)
        elif is_given and not is_chosen:
            idle.append(f"{name} ({origin})")
    return (f"{', '.join(idle)}: without effect on the trainer {entry.name}",) if idle else ()


def program_of(config: StudyConfig) -> str:
    """The trainer whose rules of a search profile apply to a study.

    Raises:
        FixInput: There is no such trainer.
        PrepareMachine: An installed package brings it and cannot be loaded.
    """
    return trainer_entry(config.trainer).program(config.trainer_options)


def container_preview(
    config: StudyConfig, skill: Skill, spec: Mapping[str, Any], studies: Path
) -> str:
    """The command that would start trial 0's container; empty for trainers without containers."""
    trainer = make_trainer(config.trainer, skill, config.trainer_options)
    if not isinstance(trainer, Previewing):
        return ""
    paths = StudyPaths((studies / config.name).absolute())
    attempt = paths.attempt(0, 1)
    count, ids = config.resources.gpus_per_trial, config.resources.gpu_ids
    task = TrialTask(
        *(config.name, 0, 1, attempt.folder, attempt.spec, attempt.log),
        threads=config.resources.threads_per_trial,
    )
    gpus = [str(index) for index in (range(count) if ids is None else ids[:count])]
    return trainer.preview(spec, task, gpus, study=paths.folder).command_line
