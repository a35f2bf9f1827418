"""What this project knows of a skill beyond TAO's own format: ``references/search_profile.yaml``.

TAO's schema has no place for the objective's direction, for a range worth searching, or for a
setting that changes nothing. A profile says so as data, for any skill. ``profile_file`` reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from automl.skill.asked import Asked
from automl.skill.metric_source import MetricSource
from automl.skill.signals import Signal
from automl.skill.tree import ParamValue
from automl.skill.when import When

__all__ = ["Belief", "InertRule", "Profile", "RuleVerdict", "SettingRule"]


class RuleVerdict(StrEnum):
    """What a rule about a setting leads to."""

    REFUSE = "refuse"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class InertRule:
    """A parameter that changes nothing while a condition holds."""

    key: str
    when: When
    reason: str
    fix: str


@dataclass(frozen=True, slots=True)
class SettingRule:
    """A setting that is refused or warned of while a condition holds.

    Attributes:
        key: Dotted spec key.
        when: Condition over the whole spec.
        verdict: Refused, or only reported.
        reason: Why, as a sentence without a full stop.
        fix: What to do instead; empty if the reason says it.
        trainers: Names of the trainers it concerns; empty for all of them.
        unless_default: Whether a value equal to the schema's default is passed over.
    """

    key: str
    when: When
    verdict: RuleVerdict
    reason: str
    fix: str = ""
    trainers: tuple[str, ...] = ()
    unless_default: bool = False


@dataclass(frozen=True, slots=True)
class Belief:
    """Where a good value of a setting is expected.

    Attributes:
        centre: The value that is expected to be best; None for the default of the study.
        width: Standard deviation: decades where the scale is logarithmic, else in the setting's
            own unit; of a choice the share of all other options together. None for the rule.
    """

    centre: ParamValue = None
    width: float | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """All that a search profile says about a skill's settings; empty for a skill without one.

    Attributes:
        parameters: Dotted key to how it is searched.
        inert: Parameters that change nothing while a condition holds.
        settings: Settings that are refused or warned of.
        repeats: Setting of another action to the training's setting whose value it takes.
        prior: Dotted key to where its good values are expected.
        signals: Metrics beside the objective that trials may be judged by early.
        metrics: Where a training's metrics are read; None where the profile does not say.
        added: Settings that the schema has no place for and a trainer reads, to their values; to
            none where any is taken.
        where: The file, for messages.
    """

    parameters: Mapping[str, Asked] = field(default_factory=dict)
    inert: tuple[InertRule, ...] = ()
    settings: tuple[SettingRule, ...] = ()
    repeats: Mapping[str, str] = field(default_factory=dict)
    prior: Mapping[str, Belief] = field(default_factory=dict)
    signals: tuple[Signal, ...] = ()
    metrics: MetricSource | None = None
    added: Mapping[str, tuple[ParamValue, ...]] = field(default_factory=dict)
    where: str = ""

    @property
    def never_read(self) -> tuple[InertRule, ...]:
        """The settings that nothing reads, which are searched in vain."""
        return tuple(
            InertRule(rule.key, rule.when, rule.reason, rule.fix)
            for rule in self.settings
            if rule.unless_default
        )
