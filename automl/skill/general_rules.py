"""What holds for the settings of every network that TAO trains."""

from collections.abc import Iterator

from automl.skill.keys import NetworkKeys
from automl.skill.profile import RuleVerdict, SettingRule
from automl.skill.when import When

__all__ = ["general_rules"]


def general_rules(keys: NetworkKeys) -> tuple[SettingRule, ...]:
    """Rules about settings that hold for every network; a skill's profile adds its own.

    Args:
        keys: What the network calls the settings; a rule about one that it lacks is left out.
    """
    return tuple(rule for rule in _rules(keys) if rule.key and "" not in rule.when.tests.values())


def _rules(keys: NetworkKeys) -> Iterator[SettingRule]:
    nodes, epochs, validation = keys.nodes, keys.epochs, keys.validation_interval
    yield SettingRule(
        nodes,
        When(nodes, {"above": 1}),
        RuleVerdict.REFUSE,
        "each training runs on one machine",
        f"set {nodes}=1",
    )
    yield _too_long(
        validation,
        epochs,
        "no validation would happen before the training ends, so no trial would have a result",
    )
    yield _too_long(
        keys.checkpoint_interval,
        epochs,
        "no checkpoint would be written before the training ends",
    )
    yield SettingRule(
        validation,
        When(validation, {"does_not_divide": epochs}),
        RuleVerdict.WARN,
        "the epochs after the last full interval are trained and never scored",
        f"choose an interval that divides {epochs}",
    )


def _too_long(key: str, epochs: str, reason: str) -> SettingRule:
    """A rule that refuses an interval that is longer than the training."""
    fix = f"choose an interval of at most {epochs}"
    return SettingRule(key, When(key, {"above": epochs}), RuleVerdict.REFUSE, reason, fix)
