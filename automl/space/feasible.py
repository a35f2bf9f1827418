"""Rules about settings, read as conditions: what can never run is never proposed.

A rule that refuses ``train.validation_interval`` above ``train.num_epochs`` says the same as a
condition of a schema, *at most train.num_epochs*; where both are searched it has to be kept like
one, because the base value of the other setting then says nothing.
"""

from collections.abc import Collection, Iterable, Mapping

from automl.skill.profile import SettingRule, Verdict
from automl.space.conditions import Comparison
from automl.space.model import Relation

__all__ = ["conditions_of_rules", "rules_for_trainer"]

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
        if rule.verdict is Verdict.REFUSE and (not rule.trainers or trainer in rule.trainers)
    )


def conditions_of_rules(
    rules: Iterable[SettingRule], known: Collection[str]
) -> Mapping[str, tuple[Comparison, ...]]:
    """The conditions that refusing rules put on one setting by another, by dotted key.

    Args:
        rules: Rules that refuse.
        known: Keys of the schema; a rule about another one is passed over.
    """
    found: dict[str, tuple[Comparison, ...]] = {}
    for rule in rules:
        comparison = _comparison(rule, known)
        if comparison is not None and comparison not in found.get(rule.key, ()):
            found[rule.key] = (*found.get(rule.key, ()), comparison)
    return found


def _comparison(rule: SettingRule, known: Collection[str]) -> Comparison | None:
    if len(rule.when.tests) != 1 or rule.when.key != rule.key or rule.key not in known:
        return None
    ((name, other),) = rule.when.tests.items()
    relation = _OPPOSITES.get(name)
    if relation is None or other not in known or other == rule.key:
        return None
    return Comparison(relation, parents=(str(other),))
