"""What can never run is never proposed: values that rules, the data or the hardware forbid."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from automl.errors import FixInput
from automl.skill.profile import SettingRule
from automl.skill.tree import ParamValue
from automl.skill.typewords import number_of
from automl.space.distributions import Distribution
from automl.space.list_parameter import ListParameter
from automl.space.model import Ceiling, Constant, Refused, Searched
from automl.space.parameter import Parameter
from automl.space.setting_rules import RuleEffect, Shape, is_combined

__all__ = ["Feasible"]

#: A parameter of more values than this is not tried value by value.
MOST_TRIED = 1000


@dataclass(frozen=True, slots=True)
class Feasible:
    """What a trainer can run of the parameters' values.

    A rule that looks at several searched settings takes away every value of one of them that some
    values of the others would make it refuse. Where that leaves nothing, the setting is no longer
    searched, and the rule bounds the next of them.

    Attributes:
        rules: Rules that refuse a setting under the trainer.
        spec: The base spec.
        ceilings: Upper bounds from the data and the hardware.
        named: Keys that the user named; an infeasible option among theirs is an error.
    """

    rules: tuple[SettingRule, ...]
    spec: Mapping[str, Any]
    ceilings: tuple[Ceiling, ...]
    named: frozenset[str]

    def parts_of(
        self, shapes: Mapping[str, Shape], settled: Callable[[Shape], Shape]
    ) -> dict[str, Shape]:
        """The parameters over their feasible values; a constant or a refusal if few are left.

        Args:
            shapes: What becomes of each key by itself.
            settled: Says whether a constant may stand, or the base value does.

        Raises:
            FixInput: The user named an option that is not feasible.
        """
        parts = {key: settled(shape) for key, shape in shapes.items()}
        while True:
            before = _searched(parts)
            for key, shape in before.items():
                parts[key] = settled(self._part_of(shape, _searched(parts)))
            if before.keys() == _searched(parts).keys():
                return parts

    def _part_of(self, shape: Searched, searched: Mapping[str, Searched]) -> Shape:
        effects = [
            RuleEffect(rule, shape.key, self.spec, searched)
            for rule in self.rules
            if _bearer(rule, searched) == shape.key and not _is_linked(rule, searched)
        ]
        if isinstance(shape, ListParameter) or shape.distribution.n_values > MOST_TRIED:
            return _untried(shape, effects)
        refusals: list[tuple[ParamValue, str]] = []

        def is_feasible(value: ParamValue) -> bool:
            reason = self._beyond(shape.key, value) or _why_not(effects, value)
            if reason:
                refusals.append((value, reason))
            return not reason

        kept = shape.distribution.keeping(is_feasible)
        return self._cut(shape, kept, *refusals[0]) if refusals else shape

    def _cut(
        self, shape: Parameter, kept: Distribution | None, value: ParamValue, reason: str
    ) -> Shape:
        """The parameter over what is left of it once values such as ``value`` are refused."""
        key = shape.key
        if key in self.named and shape.bounds_from.get("choices") == "--search":
            raise FixInput(reason, got=f"{key} = {value}", where="--search")
        if kept is None:
            return Refused(key, f"no value works: {reason}")
        if kept.n_draws == 1:
            return Constant(key, kept.largest[0], reason)
        return shape.over(kept, reason, ", without those of which: ")

    def _beyond(self, key: str, value: ParamValue) -> str:
        """Why a value is above what the data or the hardware allows; empty if it is not."""
        number = number_of(value)
        for ceiling in self.ceilings:
            if ceiling.key == key and number is not None and number > ceiling.high:
                return f"at most {ceiling.high:g}: {ceiling.reason}"
        return ""


def _why_not(effects: Iterable[RuleEffect], value: ParamValue) -> str:
    return next((effect.rule.reason for effect in effects if effect.refuses(value)), "")


def _untried(shape: Searched, effects: Iterable[RuleEffect]) -> Shape:
    """The part that no rule refuses of a list, or of a range too wide to try each value."""
    for effect in effects:
        reason, narrowing = effect.rule.reason, effect.narrowing()
        if narrowing is not None:
            left = shape.narrowed(*narrowing, reason)
            if left is None:
                return Refused(shape.key, f"no value works: {reason}")
            shape = left
        elif effect.refuses_some():
            return Refused(shape.key, f"some of its values do not work: {reason}")
    return shape


def _searched(shapes: Mapping[str, Shape]) -> dict[str, Searched]:
    return {key: shape for key, shape in shapes.items() if isinstance(shape, Searched)}


def _bearer(rule: SettingRule, searched: Mapping[str, Searched]) -> str:
    """The searched setting whose values a rule takes away: its own, else the first it looks at."""
    keys = [key for key in searched if key in rule.when.keys]
    return rule.key if rule.key in keys else next(iter(keys), "")


def _is_linked(rule: SettingRule, searched: Mapping[str, Searched]) -> bool:
    """Whether a rule is kept as a condition of one setting on another."""
    if is_combined(rule):
        return False
    pair = (searched[key] for key in rule.when.keys if key in searched)
    return all(isinstance(shape, Parameter) and shape.has_order for shape in pair)
