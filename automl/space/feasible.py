"""What can never run is never proposed: rules about settings and bounds by the data, kept ahead.

A rule about one setting alone takes options away from it. A rule that compares two settings, such
as one that refuses ``train.validation_interval`` above ``train.num_epochs``, says the same as a
condition of a schema, *at most train.num_epochs*; where both are searched it must be kept like
one, because the base value of the other setting then says nothing.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from automl.errors import FixInput
from automl.skill.profile import RuleVerdict, SettingRule
from automl.skill.tree import ParamValue, with_value
from automl.skill.typewords import number_of
from automl.space.conditions import Comparison
from automl.space.model import Ceiling, Constant, Refused, Searched
from automl.space.parameter import Parameter
from automl.space.relations import Relation

__all__ = ["Feasible", "conditions_of_rules", "rules_for_trainer"]

#: What has to hold so that a test of a rule does not.
_OPPOSITES = {
    "above": Relation.AT_MOST,
    "at_least": Relation.BELOW,
    "below": Relation.AT_LEAST,
}


def rules_for_trainer(rules: Iterable[SettingRule], trainer: str) -> tuple[SettingRule, ...]:
    """The rules that refuse a setting under a trainer; an empty name stands for every trainer."""
    return tuple(
        rule
        for rule in rules
        if rule.verdict is RuleVerdict.REFUSE and (not rule.trainers or trainer in rule.trainers)
    )


def conditions_of_rules(
    rules: Iterable[SettingRule], known: Collection[str]
) -> Mapping[str, tuple[Comparison, ...]]:
    """The conditions that refusing rules put on one setting by another, by dotted key.

    Args:
        rules: Rules that refuse.
        known: Keys of the schema; a rule about another one is passed over.
    """
    conditions: dict[str, tuple[Comparison, ...]] = {}
    for rule in rules:
        comparison = _comparison(rule, known)
        if comparison is not None and comparison not in conditions.get(rule.key, ()):
            conditions[rule.key] = (*conditions.get(rule.key, ()), comparison)
    return conditions


def _comparison(rule: SettingRule, known: Collection[str]) -> Comparison | None:
    if len(rule.when.tests) != 1 or rule.when.key != rule.key or rule.key not in known:
        return None
    ((name, other),) = rule.when.tests.items()
    relation = _OPPOSITES.get(name)
    if relation is None or other not in known or other == rule.key:
        return None
    return Comparison(relation, parents=(str(other),))


@dataclass(frozen=True, slots=True)
class Feasible:
    """What a trainer can run of a parameter's values.

    Attributes:
        rules: Rules that refuse a setting under the trainer.
        spec: The base spec.
        ceilings: Upper bounds from the data and the hardware.
        named: Keys that the user named; an infeasible option among theirs is an error.
        asked: Keys that are to be searched; a rule that looks at another of them says nothing yet.
    """

    rules: tuple[SettingRule, ...]
    spec: Mapping[str, Any]
    ceilings: tuple[Ceiling, ...]
    named: frozenset[str]
    asked: frozenset[str]

    def part_of(self, shape: Searched | Constant | Refused) -> Searched | Constant | Refused:
        """The parameter over its feasible values; a constant or a refusal if few are left.

        Raises:
            FixInput: The user named an option that is not feasible.
        """
        if not isinstance(shape, Parameter):
            return shape
        key, refusals = shape.key, dict[int, tuple[ParamValue, str]]()

        def is_feasible(value: ParamValue) -> bool:
            reason = self._why_not(key, value)
            if reason:
                refusals.setdefault(0, (value, reason))
            return not reason

        kept = shape.distribution.keeping(is_feasible)
        if not refusals:
            return shape
        value, reason = refusals[0]
        if key in self.named and shape.bounds_from.get("choices") == "--search":
            raise FixInput(reason, got=f"{key} = {value}", where="--search")
        if kept is None:
            return Refused(key, f"no value works: {reason}")
        if kept.n_draws == 1:
            return Constant(key, kept.largest[0], reason)
        return shape.over(kept, reason, ", without those of which: ")

    def _why_not(self, key: str, value: ParamValue) -> str:
        number = number_of(value)
        for ceiling in self.ceilings:
            if ceiling.key == key and number is not None and number > ceiling.high:
                return f"at most {ceiling.high:g}: {ceiling.reason}"
        mine = [
            rule
            for rule in self.rules
            if rule.key == key and not (rule.when.keys - {key}) & self.asked
        ]
        if not mine:
            return ""
        spec = with_value(self.spec, key, value)
        return next((rule.reason for rule in mine if rule.when.holds(spec)), "")
