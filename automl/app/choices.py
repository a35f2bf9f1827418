"""The parts of a study's configuration that follow from its settings and its skill alone."""

from automl.app.settings import Layers
from automl.app.units import seconds
from automl.errors import FixInput
from automl.search.pruners import PRUNERS
from automl.search.samplers import SAMPLERS
from automl.skill.model import Skill
from automl.study.config import Direction, Limits, Objective, SearchSettings

__all__ = [
    "choose_limits",
    "choose_objective",
    "choose_search",
    "idle_flags",
]

_TRIALS = 20
_SAME_FAILURES = 3
_OF_A_SEARCH = (
    "space",
    "search",
    "freeze",
    "sampler",
    "pruner",
    "startup_trials",
    "trials",
    "confirm",
)


def choose_objective(layers: Layers, skill: Skill) -> Objective:
    """Metric and direction: the user's, else the skill's; never guessed.

    Raises:
        FixInput: Neither the user nor the skill names both.
    """
    metric = str(layers.pick("metric", skill.metric))
    is_skills = metric == skill.metric
    direction = str(layers.pick("direction", skill.direction if is_skills else ""))
    if not metric or not direction:
        raise FixInput(
            "a study needs a metric and the direction in which it is better",
            got=f"metric {metric or 'unknown'}, direction {direction or 'unknown'}",
            where=f"skill {skill.name}",
            fix="give --metric NAME and --direction maximize or minimize",
        )
    if direction not in tuple(Direction):
        raise FixInput(
            "a direction is maximize or minimize",
            got=repr(direction),
            where=layers.origin["direction"],
        )
    return Objective(metric, Direction(direction), skill.metric_worst if is_skills else None)


def choose_search(layers: Layers) -> SearchSettings:
    """Sampler, seed and what is asked of the space.

    Raises:
        FixInput: A setting has a value that it cannot have.
    """
    seed = layers.number("seed", 0)
    startup = layers.number("startup_trials", None)
    for name, value in (("seed", seed), ("startup_trials", startup)):
        if value is not None and value < 0:
            raise FixInput(f"{name} is 0 or more", got=str(value), where=layers.origin[name])
    asked = layers.requests(("search", "freeze"))
    return SearchSettings(
        space=str(layers.pick("space", "default")),
        search=asked["search"],
        freeze=asked["freeze"],
        sampler=layers.choice("sampler", tuple(SAMPLERS), "tpe"),
        seed=seed or 0,
        startup_trials=startup,
        pruner=layers.choice("pruner", tuple(PRUNERS), "none"),
    )


def choose_limits(layers: Layers, *, searches: bool) -> Limits:
    """What the study may spend; a plain training is one trial.

    Raises:
        FixInput: A limit is not positive, or no duration.
    """
    timeout = layers.pick("trial_timeout")
    timeout_s = None if timeout is None else seconds(timeout, layers.origin["trial_timeout"])
    trials = layers.number("trials", _TRIALS)
    in_a_row = layers.number("same_failures", _SAME_FAILURES)
    if in_a_row is None or in_a_row < 1:
        raise FixInput("same_failures is at least 1", got=str(in_a_row))
    confirm = layers.number("confirm", 0)
    if not searches:
        return Limits(1, timeout_s, in_a_row)
    return Limits(trials or 0, timeout_s, in_a_row, confirm or 0)


def idle_flags(layers: Layers) -> tuple[str, ...]:
    """What to say of flags that speak of a search where there is none.

    A study file may well hold settings of the search beside a policy that is switched off.
    """
    names = (*_OF_A_SEARCH, "same_failures", "max_concurrent", "trials_per_gpu", "trainer_start")
    flags = [layers.origin[name] for name in names if layers.origin.get(name, "")[:2] == "--"]
    return (f"{', '.join(flags)}: without effect on one direct training",) if flags else ()
