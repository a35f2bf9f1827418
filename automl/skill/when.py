"""The small language in which a search profile says when a rule about a setting holds.

A condition is a mapping. ``key`` names the setting it looks at (the rule's own key if absent);
the other entries must all hold::

    {equals: 1}  {not_equal: 1}                               compared with the value
    {one_of: [nano]}  {none_of: [fp32, fp16]}                 looked up among values
    {above: 1}   {at_least: 1}   {below: 1}                  numbers; a text names another setting
    {does_not_divide: train.num_epochs}                       whole numbers
    {empty: true}                                             null, missing, or an empty text
    {key: train.loss_config.reg_bbox, equals: false}          another setting
    {all_at_or_beyond: {list: train.optim.lr_steps, limit: train.num_epochs}}
    {equals: true, and: [{key: model.weights, empty: true}]}  and every one of these holds

A comparison with a setting that is missing or of another kind does not hold: a rule speaks only
where it is sure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.skill.tree import get
from automl.skill.typewords import number_of

__all__ = ["When", "read_when"]


@dataclass(frozen=True, slots=True)
class When:
    """A condition over a spec.

    Attributes:
        key: The setting it looks at.
        tests: Name of each test to its argument; all must hold.
        also: Further conditions, about other settings; all must hold.
    """

    key: str
    tests: Mapping[str, Any] = field(default_factory=dict)
    also: tuple["When", ...] = ()

    def holds(self, spec: Mapping[str, Any]) -> bool:
        """Whether every test holds in ``spec``; without a test it always holds."""
        value = get(spec, self.key, None)
        if not all(_TESTS[name](value, arg, spec) for name, arg in self.tests.items()):
            return False
        return all(condition.holds(spec) for condition in self.also)

    @property
    def keys(self) -> frozenset[str]:
        """Every setting whose value the condition depends on."""
        named = {self.key} if set(self.tests) - {"all_at_or_beyond"} else set[str]()
        for name, argument in self.tests.items():
            if name in _COMPARES and isinstance(argument, str):
                named.add(argument)
            if name == "all_at_or_beyond":
                named |= {str(argument["list"]), str(argument["limit"])}
        return frozenset(named).union(*(condition.keys for condition in self.also))


def read_when(value: Any, key: str, where: str) -> When:
    """The condition written as ``value`` in the rule about ``key``.

    Raises:
        FixInput: It is no mapping, or holds a word that is none of the language.
    """
    if value is None:
        return When(key)
    if not isinstance(value, Mapping):
        raise FixInput("a condition must be a mapping of tests", got=repr(value), where=where)
    tests = {str(name): argument for name, argument in value.items() if name != "key"}
    also = tests.pop("and", [])
    if not isinstance(also, list):
        raise FixInput("and must be a list of conditions", got=repr(also), where=where)
    unknown = [name for name in tests if name not in _TESTS]
    if unknown:
        words = ("key", *_TESTS, "and")
        raise FixInput(
            f"a condition must be written with {', '.join(words)}",
            got=unknown[0],
            where=where,
            fix=did_you_mean(unknown[0], words),
        )
    for name, argument in tests.items():
        _check_argument(name, argument, where)
    further = tuple(read_when(condition, key, where) for condition in also)
    return When(str(value.get("key", key)), tests, further)


def _check_argument(name: str, argument: Any, where: str) -> None:
    if name == "empty" and not isinstance(argument, bool):
        raise FixInput("empty must be true or false", got=repr(argument), where=where)
    if name in ("one_of", "none_of") and not isinstance(argument, list):
        raise FixInput(f"{name} must be a list of values", got=repr(argument), where=where)
    is_operand = isinstance(argument, str) or number_of(argument) is not None
    if name in _COMPARES and not is_operand:
        raise FixInput(
            f"{name} must be a number or the key of a setting", got=repr(argument), where=where
        )
    if name == "all_at_or_beyond" and not (
        isinstance(argument, Mapping) and {"list", "limit"} <= set(argument)
    ):
        raise FixInput(
            "all_at_or_beyond must name a list and its limit", got=repr(argument), where=where
        )


def _operand(argument: Any, spec: Mapping[str, Any]) -> Any:
    return get(spec, argument, None) if isinstance(argument, str) else argument


def _compares(
    test: Callable[[float | int, float | int], bool],
) -> Callable[[Any, Any, Mapping[str, Any]], bool]:
    def holds(value: Any, argument: Any, spec: Mapping[str, Any]) -> bool:
        left, right = number_of(value), number_of(_operand(argument, spec))
        return left is not None and right is not None and test(left, right)

    return holds


def _is_among(value: Any, options: Any) -> bool:
    """Whether ``value`` is one of ``options``; true is not 1."""
    return any(
        value == option and isinstance(value, bool) == isinstance(option, bool)
        for option in options
    )


def _all_at_or_beyond(_value: Any, argument: Mapping[str, str], spec: Mapping[str, Any]) -> bool:
    entries = get(spec, str(argument["list"]), None)
    limit = number_of(_operand(argument["limit"], spec))
    if not isinstance(entries, list) or limit is None:
        return False
    numbers = [number_of(entry) for entry in entries]
    return all(number is not None and number >= limit for number in numbers)


_COMPARES: dict[str, Callable[[Any, Any, Mapping[str, Any]], bool]] = {
    "above": _compares(lambda left, right: left > right),
    "at_least": _compares(lambda left, right: left >= right),
    "below": _compares(lambda left, right: left < right),
    "does_not_divide": _compares(lambda left, right: left > 0 and right % left != 0),
}

_TESTS: dict[str, Callable[[Any, Any, Mapping[str, Any]], bool]] = {
    "equals": lambda value, argument, _spec: value == argument,
    "not_equal": lambda value, argument, _spec: value is not None and value != argument,
    "one_of": lambda value, argument, _spec: _is_among(value, argument),
    "none_of": lambda value, argument, _spec: value is not None and not _is_among(value, argument),
    "empty": lambda value, argument, _spec: (value is None or value == "") == argument,
    **_COMPARES,
    "all_at_or_beyond": _all_at_or_beyond,
}
