"""What a trainer is to the rest of the program: one value, named in one table.

The application asks an entry and never a trainer's name or class. A value of this module imports
nothing heavy: the hooks of an entry import what they need when they are called, so that a command
line can list every trainer without loading one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automl.checkup import Check
    from automl.gpus import Gpu
    from automl.settings.setting import Setting
    from automl.skill.model import Skill
    from automl.study.config import Resources
    from automl.trainers.base import Trainer

__all__ = [
    "ActionAsked",
    "ChosenOptions",
    "ContainerHooks",
    "Examined",
    "LeftBehind",
    "LeftoverJob",
    "SettingsGiven",
    "TrainerEntry",
]


@dataclass(frozen=True, slots=True)
class SettingsGiven:
    """What the options of a study's trainer are chosen from.

    Attributes:
        values: The trainer's own settings that a flag or the study file gives, by name.
        origin: Setting to where its value was given; for messages.
        skill: Whose command will run.
        searches: Whether there will be a search; else it is one direct training.
        gpus_per_trial: GPUs that one trial holds.
    """

    values: Mapping[str, Any]
    skill: "Skill"
    searches: bool = True
    gpus_per_trial: int = 0
    origin: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChosenOptions:
    """The options of a study's trainer.

    Attributes:
        options: What the study records; JSON values that ``TrainerEntry.make`` takes.
        origin: Setting to what decided it, where no flag, study file or default did.
    """

    options: Mapping[str, Any]
    origin: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Examined:
    """A study as a trainer's lines of a check-up see it.

    Attributes:
        trainer: Name of the trainer.
        skill: Whose command will run.
        options: The trainer's options.
        resources: What the trials run on.
        gpus: The GPUs of this machine.
        workers: Workers of a data loader.
        batch: The largest batch that may be proposed.
    """

    trainer: str
    skill: "Skill"
    options: Mapping[str, Any]
    resources: "Resources"
    gpus: tuple["Gpu", ...] = ()
    workers: int = 0
    batch: int = 1


@dataclass(frozen=True, slots=True)
class ActionAsked:
    """What the options of an action on a checkpoint are chosen from.

    Attributes:
        study: The options that the study trained with; empty where another trainer did.
        image: The image that is asked for; empty for none.
        deploys: Whether it is an action of the deploy container.
    """

    study: Mapping[str, Any]
    image: str = ""
    deploys: bool = False


@dataclass(frozen=True, slots=True)
class LeftoverJob:
    """Something that a trainer started, that outlived its driver, and that nothing needs.

    Attributes:
        kind: What it is, in one word: ``container``.
        name: What it is called.
        why: Why it is not needed.
        remove: Ends it and leaves nothing of it.
    """

    kind: str
    name: str
    why: str
    remove: Callable[[], None]


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """What dead drivers left behind.

    Attributes:
        useless: What may go.
        kept: What must stay, and why, in words.
    """

    useless: tuple[LeftoverJob, ...] = ()
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerHooks:
    """What a trainer that runs containers knows beside the others.

    Attributes:
        action_options: The options for an action on a checkpoint.
        needs_gpus: Whether the image that trials run in cannot do without GPUs.
        examine_engine: Lines of a check-up about the engine, where no study can be looked at.
    """

    action_options: Callable[[ActionAsked], Mapping[str, Any]]
    needs_gpus: Callable[["Skill", Mapping[str, Any]], bool]
    examine_engine: Callable[[], Iterator["Check"]]


def _nothing_absent(skill: "Skill") -> str:
    del skill
    return ""


def _as_given(given: SettingsGiven) -> ChosenOptions:
    return ChosenOptions(dict(given.values))


def _nothing_left(_: Sequence[Path]) -> LeftBehind:
    return LeftBehind()


def _no_remark(_: Mapping[str, Any]) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerEntry:
    """One trainer.

    Attributes:
        name: What a study calls it.
        summary: What it does, in a few words for a list of trainers.
        make: Makes it for a skill, the options of a study, and an action of the skill. Raises
            ``FixInput`` where it knows neither an option nor the action.
        settings: Its own settings. A flag or a study file may give them whatever trainer runs.
        choose: From its settings to its options. Raises ``FixInput``. By default the options are
            the settings as given.
        settings_of: By options, the settings that lead to them, so that a trial can be trained
            again; by default the options that are named as settings are.
        rules_as: By options, the trainer whose rules of a search profile apply; None for its own.
        remark: By options, what a plan says of it; empty for nothing.
        examine: Its lines of a check-up; None for what ``Trainer.check`` finds.
        left_behind: What dead drivers of the studies below some folders left where this trainer
            starts things; by default nothing, for a trainer whose trainings end with the driver.
        absent: By skill, the program that it would start and that this machine lacks; by default
            none.
        trains_only: Whether it can run no action but a training.
        container: What else it knows, if it runs containers.
    """

    name: str
    summary: str
    make: Callable[["Skill", Mapping[str, Any], str], "Trainer"]
    settings: tuple["Setting", ...] = ()
    choose: Callable[[SettingsGiven], ChosenOptions] = _as_given
    settings_of: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    rules_as: Callable[[Mapping[str, Any]], str] | None = None
    remark: Callable[[Mapping[str, Any]], str] = _no_remark
    examine: Callable[[Examined], Iterator["Check"]] | None = None
    left_behind: Callable[[Sequence[Path]], LeftBehind] = _nothing_left
    absent: Callable[["Skill"], str] = _nothing_absent
    trains_only: bool = False
    container: ContainerHooks | None = None

    def as_settings(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """The settings that lead to these options, as far as they can be told."""
        if self.settings_of is not None:
            return self.settings_of(options)
        names = (setting.name for setting in self.settings)
        return {name: options[name] for name in names if name in options}

    def check_up(self, examined: Examined) -> Iterator["Check"]:
        """Its lines of a check-up."""
        if self.examine is not None:
            return self.examine(examined)
        from automl.trainers.checkup import check_problems

        trainer = self.make(examined.skill, examined.options, "train")
        return check_problems(examined.trainer, trainer.check())

    def program(self, options: Mapping[str, Any]) -> str:
        """Name of the trainer whose rules of a search profile apply with these options."""
        return self.rules_as(options) if self.rules_as is not None else self.name
