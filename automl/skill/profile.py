"""What this project knows of a skill beyond TAO's own format: ``references/search_profile.yaml``.

TAO's schema has no place for the objective's direction, for a range worth searching, or for a
setting that changes nothing. A profile says so as data, for any skill::

    objective: {metric: val_3DIoU, direction: maximize, worst: 0.0}
    parameters:                     # what --space profile searches
      train.optim.lr: {low: 6.0e-06, high: 6.0e-04, log: true, reason: ...}
      train.optim.lr_steps: {low: 0.4, high: 0.95, fraction_of: train.num_epochs, reason: ...}
      dataset.flip: {choices: [0.1, 0.5], reason: ...}
    inert:                          # searched in vain while the condition holds
      - {key: ..., when: {...}, reason: ..., mend: ...}
    ignored:                        # settings that nothing reads: a change of one is told
      - {key: ..., reason: ..., mend: ...}
    settings:                       # settings that cannot work, or that surprise
      - {key: ..., when: {...}, verdict: refuse, reason: ..., mend: ..., trainers: [docker]}

The conditions are those of ``automl.skill.when``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.skill.asked import Asked
from automl.skill.typewords import number_of
from automl.skill.when import When, read_when
from automl.yamltext import load_yaml

__all__ = [
    "InertRule",
    "Profile",
    "RuleVerdict",
    "SettingRule",
    "load_profile",
    "read_profile",
]


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
    mend: str


@dataclass(frozen=True, slots=True)
class SettingRule:
    """A setting that is refused or warned of while a condition holds.

    Attributes:
        key: Dotted spec key.
        when: Condition over the whole spec.
        verdict: Refused, or only told.
        reason: Why, as a sentence without a full stop.
        mend: What to do instead; empty if the reason says it.
        trainers: Names of the trainers it concerns; empty for all of them.
        unless_default: Whether a value equal to the schema's default is passed over.
    """

    key: str
    when: When
    verdict: RuleVerdict
    reason: str
    mend: str = ""
    trainers: tuple[str, ...] = ()
    unless_default: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """All that a search profile says about a skill's settings; empty for a skill without one.

    Attributes:
        parameters: Dotted key to how it is searched.
        inert: Parameters that change nothing while a condition holds.
        settings: Settings that are refused or warned of.
        repeats: Setting of another action to the training's setting whose value it takes.
        where: The file, for messages.
    """

    parameters: Mapping[str, Asked] = field(default_factory=dict)
    inert: tuple[InertRule, ...] = ()
    settings: tuple[SettingRule, ...] = ()
    repeats: Mapping[str, str] = field(default_factory=dict)
    where: str = ""

    @property
    def never_read(self) -> tuple[InertRule, ...]:
        """The settings that nothing reads, which are searched in vain."""
        return tuple(
            InertRule(rule.key, rule.when, rule.reason, rule.mend)
            for rule in self.settings
            if rule.unless_default
        )


def load_profile(path: Path) -> Profile:
    """The profile in a file; an empty one if there is no such file.

    Raises:
        FixInput: The file is broken or breaks a rule of the format.
    """
    return read_profile(load_yaml(path), str(path)) if path.is_file() else Profile()


def read_profile(tree: Any, where: str) -> Profile:
    """The profile that ``tree`` holds; blocks that it lacks are empty, others are ignored.

    Raises:
        FixInput: A block has the wrong shape, or a rule holds an unknown word.
    """
    if tree is None:
        tree = {}
    if not isinstance(tree, Mapping):
        raise FixInput("a search profile is a mapping", got=type(tree).__name__, where=where)
    return Profile(
        {entry.key: entry for entry in _entries(tree.get("parameters"), where)},
        tuple(_inert(rule, place) for rule, place in _rules(tree, "inert", where)),
        (
            *(_ignored(rule, place) for rule, place in _rules(tree, "ignored", where)),
            *(_setting(rule, place) for rule, place in _rules(tree, "settings", where)),
        ),
        _repeats(tree.get("repeats"), where),
        where,
    )


def _is_number(value: Any) -> bool:
    return number_of(value) is not None and abs(value) != float("inf")


#: The words of a parameter, each with what it holds.
_ENTRY_WORDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "low": (_is_number, "a finite number"),
    "high": (_is_number, "a finite number"),
    "log": (lambda value: isinstance(value, bool), "true or false"),
    "choices": (lambda value: isinstance(value, list) and bool(value), "a list of options"),
    "weights": (
        lambda value: isinstance(value, list) and all(map(_is_number, value)),
        "a list of numbers",
    ),
    "fraction_of": (lambda value: isinstance(value, str), "the key of a setting"),
    "reason": (lambda value: isinstance(value, str), "text"),
}


def _entries(block: Any, where: str) -> Iterator[Asked]:
    if block is None:
        return
    if not isinstance(block, Mapping):
        raise FixInput("parameters is a mapping of keys", got=repr(block), where=where)
    for key, value in block.items():
        place = f"{where}: parameters.{key}"
        words = _words(value if value is not None else {}, tuple(_ENTRY_WORDS), place)
        words = {name: held for name, held in words.items() if held is not None}
        for name, held in words.items():
            fits, form = _ENTRY_WORDS[name]
            if not fits(held):
                raise FixInput(f"{name} is {form}", got=repr(held), where=place)
        words |= {name: tuple(words[name]) for name in ("choices", "weights") if name in words}
        reason = words.pop("reason", "")
        yield Asked(str(key), **words, source=f"profile: {reason}" if reason else "profile")


def _rules(tree: Mapping[str, Any], block: str, where: str) -> Iterator[tuple[Any, str]]:
    rules = tree.get(block)
    if rules is not None and not isinstance(rules, list):
        raise FixInput(f"{block} is a list of rules", got=repr(rules), where=where)
    for index, rule in enumerate(rules or ()):
        yield rule, f"{where}: {block}[{index}]"


def _inert(rule: Any, where: str) -> InertRule:
    words = _words(rule, ("key", "when", "reason", "mend"), where, ("key", "reason"))
    key = str(words["key"])
    when = read_when(words.get("when"), key, where)
    return InertRule(key, when, str(words["reason"]), str(words.get("mend", "")))


def _ignored(rule: Any, where: str) -> SettingRule:
    words = _words(rule, ("key", "when", "reason", "mend"), where, ("key", "reason"))
    key = str(words["key"])
    when = read_when(words.get("when"), key, where)
    mend = str(words.get("mend", ""))
    return SettingRule(
        key, when, RuleVerdict.WARN, str(words["reason"]), mend, unless_default=True
    )


_SETTING_WORDS = ("key", "when", "verdict", "reason", "mend", "trainers")


def _setting(rule: Any, where: str) -> SettingRule:
    words = _words(rule, _SETTING_WORDS, where, ("key", "when", "verdict", "reason"))
    if words["verdict"] not in tuple(RuleVerdict):
        raise FixInput("a verdict is refuse or warn", got=repr(words["verdict"]), where=where)
    key = str(words["key"])
    return SettingRule(
        key,
        read_when(words["when"], key, where),
        RuleVerdict(words["verdict"]),
        str(words["reason"]),
        str(words.get("mend", "")),
        _trainers(words.get("trainers"), where),
    )


def _repeats(block: Any, where: str) -> dict[str, str]:
    if block is None:
        return {}
    if not isinstance(block, Mapping) or not all(isinstance(key, str) for key in block.values()):
        raise FixInput("repeats must be a mapping of keys to keys", got=repr(block), where=where)
    return {str(key): source for key, source in block.items()}


def _trainers(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise FixInput("trainers is a list of names", got=repr(value), where=where)
    return tuple(value)


def _words(
    value: Any, known: tuple[str, ...], where: str, needed: tuple[str, ...] = ()
) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise FixInput("a rule is a mapping", got=repr(value), where=where)
    unknown = [str(name) for name in value if name not in known]
    if unknown:
        raise FixInput(f"a rule holds {', '.join(known)}", got=unknown[0], where=where)
    missing = [name for name in needed if name not in value]
    if missing:
        raise FixInput(f"a rule needs {', '.join(needed)}", got=f"no {missing[0]}", where=where)
    return dict(value)
