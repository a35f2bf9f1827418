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
    epochs, validation, checkpoint = (
        keys.epochs,
        keys.validation_interval,
        keys.checkpoint_interval,
    )
    yield SettingRule(
        keys.nodes,
        When(keys.nodes, {"above": 1}),
        RuleVerdict.REFUSE,
        "each training runs on one machine",
        f"set {keys.nodes}=1",
    )
    yield SettingRule(
        validation,
        When(validation, {"above": epochs}),
        RuleVerdict.REFUSE,
        "no validation would happen before the training ends, so no trial would have a result",
        f"choose an interval of at most {epochs}",
    )
    yield SettingRule(
        checkpoint,
        When(checkpoint, {"above": epochs}),
        RuleVerdict.REFUSE,
        "no checkpoint would be written before the training ends",
        f"choose an interval of at most {epochs}",
    )
    yield SettingRule(
        validation,
        When(validation, {"does_not_divide": epochs}),
        RuleVerdict.WARN,
        "the epochs after the last full interval are trained and never scored",
        f"choose an interval that divides {epochs}",
    )
