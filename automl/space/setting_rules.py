"""Rules that refuse settings, read as what they ask of a search.

A rule that compares two settings, such as one that refuses ``train.validation_interval`` above
``train.num_epochs``, says the same as a condition of a schema, *at most train.num_epochs*; where
both are searched it must be kept like one, because the base value of the other setting then says
nothing. Any other rule takes values away from one searched setting.
"""

import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from automl.skill.profile import RuleVerdict, SettingRule
from automl.skill.tree import ParamValue, Tree, get, with_value
from automl.skill.typewords import number_of
from automl.skill.when import When
from automl.space.conditions import Comparison
from automl.space.model import Constant, Refused, Searched
from automl.space.parameter import Parameter
from automl.space.relations import Relation

__all__ = ["RuleEffect", "Shape", "conditions_of_rules", "is_combined", "rules_for_trainer"]

#: What becomes of a key that is asked for.
Shape: TypeAlias = Searched | Constant | Refused

#: More combinations of other settings than this are not looked at.
MOST_COMBINATIONS = 500
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
        comparison = comparison_of(rule, known)
        if comparison is not None and comparison not in conditions.get(rule.key, ()):
            conditions[rule.key] = (*conditions.get(rule.key, ()), comparison)
    return conditions


def is_combined(rule: SettingRule) -> bool:
    """Whether a rule takes values away from one setting, rather than tying two together."""
    return comparison_of(rule, rule.when.keys) is None


def comparison_of(rule: SettingRule, known: Collection[str]) -> Comparison | None:
    """The condition on another setting that a rule amounts to; None where it is something else."""
    when = rule.when
    if len(when.tests) != 1 or when.also or when.key != rule.key or rule.key not in known:
        return None
    ((name, other),) = when.tests.items()
    relation = _OPPOSITES.get(name)
    if relation is None or other not in known or other == rule.key:
        return None
    return Comparison(relation, parents=(str(other),))


@dataclass(frozen=True, slots=True)
class RuleEffect:
    """What a rule takes away from one searched setting, whatever the others become.

    Attributes:
        rule: The rule.
        key: The setting.
        spec: The base spec, with the values of everything that is not searched.
        searched: What is searched, by key.
    """

    rule: SettingRule
    key: str
    spec: Mapping[str, Any]
    searched: Mapping[str, Searched]

    def refuses(self, value: ParamValue) -> bool:
        """Whether the rule may refuse a value, with some values of the others.

        Where there are too many to look at, the answer is that it may.
        """
        others = [key for key in self.searched if key in self.rule.when.keys and key != self.key]
        examples = [self._examples(key) for key in others]
        if math.prod(map(len, examples)) > MOST_COMBINATIONS or not all(examples):
            return True
        spec = with_value(self.spec, self.key, value)
        return any(
            self.rule.when.holds(_with_all(spec, zip(others, values, strict=True)))
            for values in itertools.product(*examples)
        )

    def refuses_some(self) -> bool:
        """Whether the rule may refuse any value of the setting."""
        examples = self._examples(self.key)
        return not examples or any(map(self.refuses, examples))

    def narrowing(self) -> tuple[Relation, float | int] | None:
        """What a number must be so that the rule does not hold; None if that is no comparison."""
        when = self.rule.when
        if len(when.tests) != 1 or when.key != self.key or when.also:
            return None
        ((test, argument),) = when.tests.items()
        number = number_of(argument)
        relation = {**_OPPOSITES, "equals": Relation.NOT}.get(test)
        return None if relation is None or number is None else (relation, number)

    def _examples(self, key: str) -> list[ParamValue]:
        """Values of a searched setting that stand for all; none where none can.

        Of numbers that are too many to list, those at which the answer of a comparison changes.
        """
        shape = self.searched[key]
        examples = list(shape.examples)
        if not isinstance(shape, Parameter) or shape.distribution.n_values == len(examples):
            return examples
        if any("does_not_divide" in when.tests for when in _parts(self.rule.when)):
            return []
        beside = shape.distribution.beside
        near = (number for edge in self._edges(key) for number in beside(edge))
        return [*examples, *dict.fromkeys(number for number in near if shape.contains(number, {}))]

    def _edges(self, key: str) -> Iterator[float | int]:
        """Numbers that the rule compares a setting with."""
        values: list[Any] = []
        for when in _parts(self.rule.when):
            for argument in when.tests.values():
                values += argument if isinstance(argument, list) else [argument]
        for other in self.rule.when.keys - {key}:
            shape = self.searched.get(other)
            values += shape.examples if shape else [get(self.spec, other, None)]
        # A test for true holds for 1 as well.
        plain = (int(value) if isinstance(value, bool) else value for value in values)
        return (number for value in plain if (number := number_of(value)) is not None)


def _parts(when: When) -> Iterator[When]:
    yield when
    for condition in when.also:
        yield from _parts(condition)


def _with_all(spec: Tree, pairs: Iterable[tuple[str, ParamValue]]) -> Tree:
    for key, value in pairs:
        spec = with_value(spec, key, value)
    return spec
