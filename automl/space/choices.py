"""Parameters without an order: truth values, options, and lists chosen as a whole."""

from collections.abc import Sequence
from typing import Any

from automl.errors import FixInput
from automl.skill.asked import Asked
from automl.skill.model import ParameterSchema
from automl.skill.typewords import Family, as_type, enum_values, family_of
from automl.space.model import Constant, Refused
from automl.space.options import Choice
from automl.space.parameter import Parameter

__all__ = ["choice_parameter", "subset_parameter", "weights_note"]

#: Up to this many options every subset is offered; beyond it a sensible few.
MOST_FULL_SUBSETS = 4
_ENUM = "schema enum"


def choice_parameter(
    leaf: ParameterSchema, base: Any, asked: Asked
) -> Parameter | Constant | Refused:
    """A truth value, an option or a text as a choice.

    Raises:
        FixInput: A range was asked for, or an option of another type or outside the enum.
    """
    _no_range(leaf, asked)
    if asked.choices:
        where = f"{asked.source} {leaf.key}"
        options = tuple(as_type(option, leaf, where) for option in asked.choices)
        return _choice(leaf, base, options, asked.source, asked.weights)
    options = enum_values(leaf)
    if family_of(leaf) is Family.BOOL:
        truths = tuple(option for option in options if isinstance(option, bool))
        if not options:
            return _choice(leaf, base, (False, True), "true or false", ())
        if not truths:
            return Refused(leaf.key, f"true or false, but its options are {list(options)}")
        options = truths
    if not options:
        return Refused(
            leaf.key,
            f"{family_of(leaf)} without a list of options; "
            f"name them: --search {leaf.key}=FIRST,SECOND",
        )
    return _choice(leaf, base, options, _ENUM, _weights(leaf, options))


def _no_range(leaf: ParameterSchema, asked: Asked) -> None:
    if asked.low is not None or asked.high is not None or asked.log is not None:
        raise FixInput(
            f"{leaf.key} must be searched over options, not over a range",
            got=f"{asked.low}..{asked.high}",
            where=f"{asked.source} {leaf.key}",
            fix=f"name them: --search {leaf.key}=FIRST,SECOND",
        )


def _weights(leaf: ParameterSchema, options: Sequence[Any]) -> tuple[float, ...]:
    """The schema's weight of each option; none where it does not give a usable one for each."""
    given = leaf.option_weights or ()
    if len(given) != len(leaf.enum or ()) or len(options) != len(given):
        return ()
    usable = all(weight >= 0 for weight in given) and sum(given) > 0
    return tuple(float(weight) for weight in given) if usable else ()


def weights_note(leaf: ParameterSchema, weights: Sequence[float], options: Sequence[Any]) -> str:
    """What is to be said of the schema's weights; empty where it gives none."""
    if weights:
        return "option weights steer the start-up draws"
    if not leaf.option_weights:
        return ""
    given = " ".join(f"{weight:g}" for weight in leaf.option_weights)
    return f"not used: the schema gives {given} for {len(options)} options"


def _choice(
    leaf: ParameterSchema,
    base: Any,
    options: tuple[Any, ...],
    source: str,
    weights: tuple[float, ...],
) -> Parameter | Constant:
    if len(options) == 1:
        return Constant(leaf.key, options[0], source)
    reasons = {"choices": source}
    note = weights_note(leaf, weights, options) if source == _ENUM or weights else ""
    reasons |= {"weights": note} if note else {}
    return Parameter(
        leaf.key, leaf.type, Choice(options, weights), default=base, bounds_from=reasons
    )


def subset_parameter(
    leaf: ParameterSchema, base: Any, asked: Asked
) -> Parameter | Constant | Refused:
    """A list whose entries come from an enum, as a choice over sensible subsets.

    With few options that is every subset; with many the base value, each option alone and all of
    them. Only an optional list may be empty.

    Raises:
        FixInput: A range was asked for, or an entry outside the enum.
    """
    _no_range(leaf, asked)
    if asked.choices:
        return _asked_lists(leaf, base, asked)
    options = list(enum_values(leaf))
    if not options:
        return Refused(
            leaf.key, f"a list without options; name lists: --search {leaf.key}=[A],[B]"
        )
    subsets = _every(options) if len(options) <= MOST_FULL_SUBSETS else _few(options, base)
    if "optional" not in leaf.type:
        subsets = [subset for subset in subsets if subset]
    return _choice(leaf, base, tuple(subsets), "sensible subsets of the schema enum", ())


def _asked_lists(leaf: ParameterSchema, base: Any, asked: Asked) -> Parameter | Constant:
    where = f"{asked.source} {leaf.key}"
    lists = tuple(as_type(option, leaf, where) for option in asked.choices)
    return _choice(leaf, base, lists, asked.source, asked.weights)


def _every(options: list[Any]) -> list[list[Any]]:
    return [
        [option for place, option in enumerate(options) if mask >> place & 1]
        for mask in range(1 << len(options))
    ]


def _few(options: list[Any], base: Any) -> list[list[Any]]:
    wanted = [list(base)] if isinstance(base, list) else []
    wanted += [[], *([option] for option in options), options]
    legal = [subset for subset in wanted if all(entry in options for entry in subset)]
    return [subset for place, subset in enumerate(legal) if subset not in legal[:place]]
