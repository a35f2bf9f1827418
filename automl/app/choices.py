"""The parts of a study's configuration that follow from its settings and its skill alone."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from automl.app.metric_candidates import metric_candidates
from automl.errors import FixInput
from automl.settings.layers import Settings
from automl.settings.setting import Scope
from automl.skill.metric_source import STATUS_FILE, MetricSource, SourceKind
from automl.skill.model import Skill
from automl.skill.profile import Profile
from automl.study.config import Direction, Objective, SearchSettings
from automl.study.limits import Limits
from automl.trainers.metrics.command import command_words
from automl.trainers.metrics.log import compiled

__all__ = [
    "choose_limits",
    "choose_metrics",
    "choose_objective",
    "choose_search",
    "idle_flags",
    "origins",
]

#: Fields that are not called as their setting is.
_SETTING_OF = {"trial_timeout_s": "trial_timeout", "max_wall_s": "max_wall"}
#: Fields that follow from the spec or the skill, and that no setting gives.
_FOLLOWING = ("rungs", "n_epochs", "signals")
#: What the record of origins leaves out: the policy and the data say theirs themselves.
_SAY_THEMSELVES = ("policy", "request", "synth")


def _values(kind: type, settings: Settings) -> dict[str, Any]:
    """The value of each field of a dataclass, from the setting of its name."""
    names = (each.name for each in fields(kind) if each.name not in _FOLLOWING)
    return {name: settings[_SETTING_OF.get(name, name)] for name in names}


def choose_objective(settings: Settings, skill: Skill) -> Objective:
    """Metric and direction: the user's, else the skill's; never guessed.

    Raises:
        FixInput: Neither the user nor the skill names both.
    """
    metric = str(settings["metric"] or skill.metric)
    is_skills = metric == skill.metric
    direction = str(settings["direction"] or (skill.direction if is_skills else ""))
    if not metric or not direction:
        raise FixInput(
            "a study needs a metric and the direction in which it is better",
            got=f"metric {metric or 'unknown'}, direction {direction or 'unknown'}",
            where=f"skill {skill.name}",
            fix=f"give --metric NAME and --direction maximize or minimize{_candidates(skill)}",
        )
    return Objective(metric, Direction(direction), skill.metric_worst if is_skills else None)


def _candidates(skill: Skill) -> str:
    names = metric_candidates(skill)
    return f"; the skill speaks of {', '.join(names)}" if names else ""


def choose_metrics(settings: Settings, skill: Skill, profile: Profile) -> MetricSource:
    """Where a training's metrics are read: the user's command, else as the skill says.

    A script that is no TAO program writes what it likes, so it is looked for.

    Raises:
        FixInput: The command is none, or a pattern of the profile is none.
        InstallExtra: The source needs a package that is not installed.
    """
    if settings["metric_command"]:
        command_words(settings["metric_command"])
        return MetricSource(SourceKind.COMMAND, command=settings["metric_command"])
    if profile.metrics is None:
        return MetricSource(SourceKind.AUTO) if skill.runs_script else STATUS_FILE
    if profile.metrics.pattern:
        compiled(profile.metrics.pattern)
    return profile.metrics


def choose_search(settings: Settings, profile: Profile) -> SearchSettings:
    """Sampler, seed and what is asked of the space; a profile's file by its absolute path."""
    values = _values(SearchSettings, settings)
    path = Path(values["space"])
    return SearchSettings(
        **values
        | {
            "space": str(path.absolute()) if path.is_file() else values["space"],
            "search": tuple(values["search"].values()),
            "freeze": tuple(values["freeze"].values()),
            "signals": profile.signals,
        }
    )


def choose_limits(settings: Settings, *, searches: bool) -> Limits:
    """What the study may spend; a plain training must be one trial."""
    limits = Limits(**_values(Limits, settings))
    if searches:
        return limits
    return replace(limits, trials=1, confirm=0, max_wall_s=None, gpu_hours=None, deadline=None)


def idle_flags(settings: Settings) -> tuple[str, ...]:
    """What to say of flags that speak of a search where there is none.

    A study file may well hold settings of the search beside a policy that is switched off.
    """
    searched = (one for one in settings.table.values() if one.scope is Scope.SEARCH)
    flags = settings.flags_given(searched)
    return (f"{', '.join(flags)}: without effect on one direct training",) if flags else ()


def origins(settings: Settings, trainer: str, decided: Mapping[str, str]) -> dict[str, str]:
    """Where the value of each setting of this run came from.

    Args:
        settings: Every setting.
        trainer: The trainer; the settings of others are left out.
        decided: Setting to its origin, where no flag, study file or default decided; the data
            stands here as ``data.SPLIT``.
    """
    chosen = {
        name: one.origin
        for name, one in settings.chosen.items()
        if settings.table[name].trainer in ("", trainer)
        and name not in _SAY_THEMSELVES
        and not name.endswith("_data")
    }
    return {**chosen, **decided}
