"""Which trainer runs a study, with which options, and what is to be said of that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl.errors import PrepareMachine
from automl.settings.layers import Settings
from automl.skill.model import Skill
from automl.spec.sources import with_settings
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths
from automl.trainers.base import ChecksPaths, Previewing, TrialTask
from automl.trainers.entry import SettingsGiven, TrainerEntry
from automl.trainers.table import all_trainers, make_trainer, trainer_entry

__all__ = ["ChosenTrainer", "choose_trainer", "container_preview", "program_of"]


@dataclass(frozen=True, slots=True)
class ChosenTrainer:
    """The trainer of a study that is planned.

    Attributes:
        name: What the study calls it.
        options: Its options, as the study records them.
        program: The trainer whose rules of a search profile apply.
        notes: What a reader of the plan should know.
        origin: Setting to what decided it, where no flag, study file or default did.
        sees_other_files: Whether its trainings may see other files than this process does.
    """

    name: str
    options: Mapping[str, Any]
    program: str
    notes: tuple[str, ...] = ()
    origin: Mapping[str, str] = field(default_factory=dict)
    sees_other_files: bool = False


def choose_trainer(
    settings: Settings, skill: Skill, *, searches: bool, gpus_per_trial: int = 0
) -> ChosenTrainer:
    """The trainer that flags and study file ask for.

    Args:
        settings: Every setting.
        skill: Whose command will run.
        searches: Whether there will be a search.
        gpus_per_trial: GPUs that one trial holds.

    Raises:
        FixInput: There is no such trainer, or a setting of it has a value that it cannot have.
        PrepareMachine: An installed package brings it and cannot be loaded.
    """
    entry = trainer_entry(settings["trainer"])
    names = [one.name for one in entry.settings if settings.is_given(one.name)]
    values = {name: settings[name] for name in names}
    where = {name: settings.origin(name) for name in names}
    chosen = entry.choose(SettingsGiven(values, skill, searches, gpus_per_trial, where))
    trainer = make_trainer(entry.name, skill, chosen.options)
    broken = map(str, all_trainers().broken)
    return ChosenTrainer(
        entry.name,
        chosen.options,
        entry.program(chosen.options),
        (*_idle_settings(settings, entry), *broken),
        chosen.origin,
        isinstance(trainer, ChecksPaths),
    )


def _idle_settings(settings: Settings, entry: TrainerEntry) -> tuple[str, ...]:
    """What to say of settings that belong to other trainers.

    A study file may well hold settings of several trainers; it is only mentioned where nobody has
    chosen among them.
    """
    others = [one for one in settings.table.values() if one.trainer not in ("", entry.name)]
    idle = list(settings.flags_given(others))
    if not settings.is_given("trainer"):
        in_file = (one for one in others if settings.is_given(one.name) and one.flag not in idle)
        idle += [f"{one.name} ({settings.origin(one.name)})" for one in in_file]
    return (f"{', '.join(idle)}: without effect on the trainer {entry.name}",) if idle else ()


def program_of(config: StudyConfig) -> str:
    """The trainer whose rules of a search profile apply to a study.

    Raises:
        FixInput: There is no such trainer.
        PrepareMachine: An installed package brings it and cannot be loaded.
    """
    return trainer_entry(config.trainer).program(config.trainer_options)


def check_container_gpu(config: StudyConfig) -> None:
    """Refuses to train in containers without a GPU where nobody has asked for that.

    Raises:
        PrepareMachine: No GPU was found here and the study would train in containers.
    """
    if lacks_gpu(config):
        raise PrepareMachine(
            "a training in a container must have a GPU",
            got="none on any node" if config.ray_address else "none on this machine",
            where=f"trainer {config.trainer}",
            fix="--gpus-per-trial 0 trains on the CPU all the same, if the image can",
        )


def lacks_gpu(config: StudyConfig) -> bool:
    """Whether a study would train in containers on the CPU though nobody has asked for it."""
    in_container = trainer_entry(config.trainer).container is not None
    is_chosen = config.origin.get("gpus_per_trial") != "default"
    return in_container and not config.resources.gpus_per_trial and not is_chosen


def container_preview(
    config: StudyConfig, skill: Skill, spec: Mapping[str, Any], studies: Path
) -> str:
    """The command that would start trial 0's container; empty for trainers without containers."""
    trainer = make_trainer(config.trainer, skill, config.trainer_options)
    if not isinstance(trainer, Previewing):
        return ""
    if config.resume_from:
        keys = config.keys.resume
        spec = with_settings(spec, dict.fromkeys(keys, config.resume_from), "--resume-from")
    paths = StudyPaths((studies / config.name).absolute())
    attempt = paths.attempt(0, 1)
    results = dict.fromkeys(config.keys.results, str(attempt.folder))
    spec = with_settings(spec, results, "attempt")
    count, ids = config.resources.gpus_per_trial, config.resources.gpu_ids
    task = TrialTask(
        *(config.name, 0, 1, attempt.folder, attempt.spec, attempt.log),
        threads=config.resources.threads_per_trial,
    )
    gpus = [str(index) for index in (range(count) if ids is None else ids[:count])]
    return trainer.preview(spec, task, gpus).command_line
