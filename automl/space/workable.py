"""Options that the trainer cannot run, or that the data cannot feed, are never proposed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from automl.errors import FixInput
from automl.skill.profile import SettingRule
from automl.skill.tree import ParamValue, with_value
from automl.skill.typewords import number_of
from automl.space.model import Ceiling, Constant, Kind, Parameter, Refused

__all__ = ["Workable"]

#: A range of whole numbers is tried value by value up to this many.
MOST_TRIED = 1000


@dataclass(frozen=True, slots=True)
class Workable:
    """What a trainer can run of a parameter's options.

    Attributes:
        rules: Rules that refuse a setting under the trainer.
        spec: The base spec.
        ceilings: Upper bounds from the data and the hardware.
        named: Keys that the user named; an unworkable option among theirs is an error.
        asked: Keys that are to be searched; a rule that looks at another of them says nothing yet.
    """

    rules: tuple[SettingRule, ...]
    spec: Mapping[str, Any]
    ceilings: tuple[Ceiling, ...]
    named: frozenset[str]
    asked: frozenset[str]

    def part_of(self, found: Parameter | Constant | Refused) -> Parameter | Constant | Refused:
        """The parameter with only the options that work; a constant or a refusal if few are left.

        Raises:
            FixInput: The user named an option that does not work.
        """
        if isinstance(found, Parameter) and found.kind is Kind.INT:
            return self._run_of(found)
        if not isinstance(found, Parameter) or found.kind not in (Kind.CATEGORICAL, Kind.ORDERED):
            return found
        reasons = [self._why_not(found.key, choice) for choice in found.choices]
        kept = [place for place, reason in enumerate(reasons) if not reason]
        if len(kept) == len(reasons):
            return found
        gone = next(place for place, reason in enumerate(reasons) if reason)
        if found.key in self.named and found.bounds_from.get("choices") == "--search":
            raise FixInput(
                reasons[gone], got=f"{found.key} = {found.choices[gone]}", where="--search"
            )
        return _cut(found, kept, reasons[gone])

    def _run_of(self, found: Parameter) -> Parameter | Constant | Refused:
        """The first unbroken run of workable values of a whole number."""
        if not any(rule.key == found.key for rule in self.rules):
            return found
        values = range(found.low, found.high + 1, int(found.step or 1))[:MOST_TRIED]
        reasons = [self._why_not(found.key, value) for value in values]
        reason = next((text for text in reasons if text), "")
        works = next((place for place, text in enumerate(reasons) if not text), None)
        if works is None:
            return Refused(found.key, f"no value works: {reason}")
        stops = next((at for at, text in enumerate(reasons) if text and at > works), len(reasons))
        low, high = values[works], values[stops - 1] if reason else found.high
        if low == high:
            return Constant(found.key, low, reason)
        sources = dict(found.bounds_from)
        sources |= {"low": reason} if low != found.low else {}
        sources |= {"high": reason} if high != found.high else {}
        return replace(found, low=low, high=high, bounds_from=sources)

    def _why_not(self, key: str, choice: ParamValue) -> str:
        number = number_of(choice)
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
        spec = with_value(self.spec, key, choice)
        return next((rule.reason for rule in mine if rule.when.holds(spec)), "")


def _cut(parameter: Parameter, kept: list[int], reason: str) -> Parameter | Constant | Refused:
    if not kept:
        return Refused(parameter.key, f"none of its options works: {reason}")
    choices = tuple(parameter.choices[place] for place in kept)
    if len(choices) == 1:
        return Constant(parameter.key, choices[0], reason)
    weights = tuple(parameter.weights[place] for place in kept) if parameter.weights else ()
    ends = (choices[0], choices[-1]) if parameter.kind is Kind.ORDERED else (None, None)
    source = f"{parameter.bounds_from.get('choices', '')}, without those of which: {reason}"
    return replace(
        parameter,
        choices=choices,
        weights=weights if sum(weights) else (),
        low=ends[0],
        high=ends[1],
        bounds_from={**parameter.bounds_from, "choices": source},
    )
