"""What holds for the settings of every network that TAO trains."""

from automl.skill.profile import SettingRule, Verdict
from automl.skill.when import When

__all__ = ["GENERAL_RULES"]

_EPOCHS = "train.num_epochs"

#: Rules about settings that hold for every network; a skill's profile adds its own.
GENERAL_RULES: tuple[SettingRule, ...] = (
    SettingRule(
        "train.num_nodes",
        When("train.num_nodes", {"above": 1}),
        Verdict.REFUSE,
        "each training runs on one machine",
        "set train.num_nodes=1",
    ),
    SettingRule(
        "train.validation_interval",
        When("train.validation_interval", {"above": _EPOCHS}),
        Verdict.REFUSE,
        "no validation would happen before the training ends, so no trial would have a result",
        "choose an interval of at most train.num_epochs",
    ),
    SettingRule(
        "train.checkpoint_interval",
        When("train.checkpoint_interval", {"above": _EPOCHS}),
        Verdict.REFUSE,
        "no checkpoint would be written before the training ends",
        "choose an interval of at most train.num_epochs",
    ),
    SettingRule(
        "train.validation_interval",
        When("train.validation_interval", {"does_not_divide": _EPOCHS}),
        Verdict.WARN,
        "the epochs after the last full interval are trained and never scored",
        "choose an interval that divides train.num_epochs",
    ),
)
