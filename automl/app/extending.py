"""What a study may be given anew when it goes on: limits, a requirement, another cluster."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from automl.errors import FixInput
from automl.search.decision import SearchEnd
from automl.study.config import StudyConfig

__all__ = ["check_affordable", "check_total", "extended", "moved"]

#: What asks for further trainings, by the names of the limits, and the flags that are named
#: otherwise.
_MORE = ("trials", "confirm")
_OTHERWISE = {"confirm": "seeds"}


def moved(config: StudyConfig, given: Mapping[str, Any]) -> StudyConfig:
    """The configuration with the cluster that the study goes on on, where another one is given."""
    address = given.get("ray_address")
    if address is None or address == config.ray_address:
        return config
    origin = {**config.origin, "ray_address": "automl resume --ray-address"}
    return replace(config, ray_address=address, origin=origin)


def extended(config: StudyConfig, given: Mapping[str, Any]) -> StudyConfig:
    """The configuration with other limits, and another requirement where one is given."""
    require = given.get("require")
    if require is not None:
        config = replace(config, require=require)
    given = {name: value for name, value in given.items() if name != "require"}
    new = {
        name: value
        for name, value in given.items()
        if value is not None and name != "ray_address" and value != getattr(config.limits, name)
    }
    if new and not config.is_search:
        name, value = next(iter(new.items()))
        raise FixInput("a plain training must be one trial", got=str(value), where=_flag(name))
    if not new:
        return config
    origin = {name: f"automl resume {_flag(name)}" for name in new}
    limits = replace(config.limits, **new)
    return replace(config, limits=limits, origin={**config.origin, **origin})


def _flag(name: str) -> str:
    return f"--{name.removesuffix('_s').replace('_', '-')}"


def check_total(config: StudyConfig, started: int) -> None:
    """Refuses a total that is below what was started.

    Raises:
        FixInput: It is.
    """
    if config.limits.trials < started:
        raise FixInput(
            "a study's total must count the trials that were started",
            got=f"{config.limits.trials}, though {started} were",
            where="--trials",
            fix=f"give {started} to start no further trial, or more",
        )


def check_affordable(overdrawn: SearchEnd | None, asked: Mapping[str, Any]) -> None:
    """Refuses to ask for more trainings where the study's time is used up.

    Args:
        overdrawn: Why nothing may be started; None while something may.
        asked: What was asked for, by the names of the limits.

    Raises:
        FixInput: Trials or fresh seeds were asked for in vain.
    """
    more = [_flag(_OTHERWISE.get(name, name)) for name in _MORE if asked.get(name)]
    if overdrawn is None or not more:
        return
    raise FixInput(
        "a study's time must allow for further trainings",
        got=overdrawn.reason,
        where=", ".join(more),
        fix="give it more with --max-wall, --gpu-hours or --deadline, as the whole study's",
    )
