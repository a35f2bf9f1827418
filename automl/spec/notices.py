"""Settings that cannot work are refused, and settings that nothing reads are reported.

The rules are data: those of the skill's search profile, and a few that hold for every TAO network
because of how this program drives a training.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from automl.errors import FixInput
from automl.skill.general_rules import general_rules
from automl.skill.profile import Profile, RuleVerdict, SettingRule
from automl.skill.tree import get
from automl.spec.rules import SpecRules

__all__ = ["Notice", "check_settings"]

#: Blocks whose settings name places and labels for records.
_RECORDS = frozenset({"wandb", "logging", "clearml"})


@dataclass(frozen=True, slots=True)
class Notice:
    """A setting that a user should know about.

    Attributes:
        key: Dotted spec key.
        got: The setting's value.
        reason: What is the matter with it.
        fix: What to do about it; empty if there is nothing to do.
    """

    key: str
    got: Any
    reason: str
    fix: str = ""

    def __str__(self) -> str:
        fix = f"; {self.fix}" if self.fix else ""
        return f"{self.key} = {self.got}: {self.reason}{fix}"


def check_settings(
    rules: SpecRules,
    profile: Profile,
    spec: Mapping[str, Any],
    trainer: str,
    searched: Collection[str] = (),
) -> tuple[Notice, ...]:
    """What is to be reported of a spec's settings.

    Args:
        rules: What the spec may hold; says what the defaults are.
        profile: The skill's own rules.
        spec: The complete base spec.
        trainer: Name of the trainer that will run it.
        searched: Keys that a search sets anew in each trial; their base value says nothing.

    Raises:
        FixInput: A setting cannot work.
    """
    notices: dict[tuple[str, str], Notice] = {}
    for rule in _applicable(rules, profile, trainer):
        if rule.key in searched or not rule.when.holds(spec) or _is_default(rules, rule, spec):
            continue
        notice = Notice(rule.key, get(spec, rule.key, None), rule.reason, rule.fix)
        if rule.verdict is RuleVerdict.REFUSE:
            raise FixInput(notice.reason, got=f"{rule.key} = {_text(notice.got)}", fix=notice.fix)
        notices.setdefault((rule.key, str(sorted(rule.when.tests))), notice)
    records = (_of_a_record(key) for key in searched if key.partition(".")[0] in _RECORDS)
    return (*notices.values(), *records)


def _of_a_record(key: str) -> Notice:
    reason = "says where a training is recorded, not how it trains: every value scores the same"
    return Notice(key, "searched", reason, "leave it out of --search")


def _applicable(rules: SpecRules, profile: Profile, trainer: str) -> tuple[SettingRule, ...]:
    """The profile's rules for a trainer, then the general ones, refusals first."""
    every = (*profile.settings, *general_rules(rules.keys))
    mine = [rule for rule in every if not rule.trainers or trainer in rule.trainers]
    return tuple(sorted(mine, key=lambda rule: rule.verdict is not RuleVerdict.REFUSE))


def _is_default(rules: SpecRules, rule: SettingRule, spec: Mapping[str, Any]) -> bool:
    """Whether the rule speaks of changes alone and the setting was not changed."""
    if not rule.unless_default:
        return False
    value = get(spec, rule.key, None)
    leaf = rules.leaf_of(rule.key)
    return value is None or (leaf is not None and value == leaf.default)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
