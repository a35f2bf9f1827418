"""A trial of a person's own, checked as a plan is and put into a study's queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.app.trial_names import trial_named
from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.reports.summary import read_summary
from automl.search.added import enqueue_own, outside_of
from automl.skill.read import read_skill
from automl.skill.tree import ParamValue
from automl.space.model import SearchSpace
from automl.space.proposal import default_params
from automl.spec.rules import SpecRules, rules_for
from automl.spec.values import parse_assignment
from automl.study.clock import utc_now
from automl.study.folder import read_base_spec, read_config, read_space
from automl.study.layout import StudyPaths
from automl.study.lock import read_owner
from automl.study.storage import read_study
from automl.study.trials import by_number, params_of

__all__ = ["Added", "add_trial"]


@dataclass(frozen=True, slots=True)
class Added:
    """A trial that was put into the queue.

    Attributes:
        params: All its settings, dotted key to value.
        given: Those of them that were asked for.
        base: The trial that the others are taken from.
        outside: Why the space does not hold them; empty if it does.
        same_as: A trial that has the same settings; None if there is none.
        driver: Who takes it, in words; empty where nobody drives the study.
    """

    params: Mapping[str, ParamValue]
    given: Mapping[str, ParamValue]
    base: int
    outside: str
    same_as: int | None
    driver: str

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        return {
            "params": dict(self.params),
            "given": dict(self.given),
            "base": self.base,
            "outside": self.outside,
            "same_as": self.same_as,
            "driver": self.driver,
        }


def add_trial(paths: StudyPaths, assignments: Sequence[str], base: str) -> Added:
    """Puts a trial into the queue of a study, driven or not.

    Args:
        paths: The study.
        assignments: ``KEY=VALUE``, for searched settings.
        base: The trial whose values the other settings have: ``default``, ``best``, a number.

    Raises:
        FixInput: The study takes no such trial, or a setting breaks a rule.
    """
    config = read_config(paths)
    if not config.is_search:
        raise FixInput(
            "a plain training is one trial and takes no further one",
            got=config.name,
            fix="start a search with automl run --policy on",
        )
    skill = read_skill(Path(config.skill_dir))
    rules = rules_for(skill, "train", read_base_spec(paths))
    space = SearchSpace.from_json(read_space(paths))
    given = _given(assignments, space, rules)
    study = read_study(paths, config)
    trials = () if study is None else study.get_trials(deepcopy=False)
    grouped = by_number(trials)
    if study is None or 0 not in grouped:
        raise FixInput(
            "a study takes a trial once its own first one, the default, has been asked for",
            got=f"{config.name}, which has no trial yet",
            fix="try again in a moment, or automl resume first",
        )
    number, params = _with_base(paths, base, space, given)
    same = next((n for n, group in grouped.items() if params_of(group[-1]) == params), None)
    enqueue_own(study, space, params)
    return Added(params, given, number, outside_of(space, params), same, _driver(paths))


def _given(
    assignments: Sequence[str], space: SearchSpace, rules: SpecRules
) -> dict[str, ParamValue]:
    """The settings that were asked for, typed and inside their schema's bounds."""
    asked: dict[str, Any] = {}
    for text in assignments:
        key, value = parse_assignment(text, "automl add")
        key = rules.long_key(key)
        if key in asked:
            raise FixInput("a setting is given once", got=f"{key} twice", where="automl add")
        if key not in space.keys:
            raise FixInput(
                "a trial of one's own sets what its study searches",
                got=key,
                where="automl add",
                fix=did_you_mean(key, space.keys) or f"it searches {', '.join(space.keys)}",
            )
        asked[key] = value
    return rules.check(asked, "automl add")


def _with_base(
    paths: StudyPaths, base: str, space: SearchSpace, given: Mapping[str, ParamValue]
) -> tuple[int, dict[str, ParamValue]]:
    """The trial whose values the other settings have, and all settings."""
    below, number = default_params(space), 0
    if base not in ("default", "baseline", "0"):
        summary = read_summary(paths.folder)
        number = trial_named(base, summary)
        trial = summary.trial(number)
        below |= {} if trial is None else trial.record.params
    return number, {**{key: below[key] for key in space.keys}, **given}


def _driver(paths: StudyPaths) -> str:
    owner = read_owner(paths)
    if owner is None or not owner.is_alive(utc_now()):
        return ""
    return owner.described(utc_now())
