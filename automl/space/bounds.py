"""Bounds and scale of a number: the schema's where they are finite, else derived by a named rule.

Each rule says for which leaves it speaks and what a missing bound then is, with its reason in
words; the first rule that speaks is taken. A leaf's own name decides (``lr_backbone`` is a
learning rate wherever it stands), because TAO's schema has no field for what a number means.
Every derived range holds the base value that it was derived from.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from automl.skill.model import ParameterSchema
from automl.skill.typewords import Family, family_of
from automl.space.relations import Number

__all__ = ["RULES", "Bounds", "Derived", "derive", "is_wide", "rule_for", "words_of"]

#: From this ratio of the bounds on, a positive range is searched on a logarithmic scale.
WIDE_RATIO = 100
#: How far a derived bound of a rate, a multiplier or a weight lies from the base value.
SCALE_FACTOR = 10
#: How many times the base value a derived upper bound of a count is.
COUNT_FACTOR = 4
#: How far a derived bound of a size lies from the base value.
SIZE_FACTOR = 2

_FRACTIONS = frozenset(
    ("dropout", "drop", "prob", "probability", "ratio", "momentum")
) | frozenset(("fraction", "threshold", "flip", "portion", "smoothing"))
_MULTIPLIERS = frozenset(("decay", "gamma", "mult", "multiplier", "factor"))
_RATES = frozenset(("lr", "rate", "wd", "eps", "epsilon", "clip", "norm", "temperature", "tau"))
#: Two words that together name a rate of learning or of decay.
_STEP_PAIRS = (frozenset(("learning", "rate")), frozenset(("weight", "decay")))
_WEIGHTS = frozenset(("weight", "weights", "coef", "coefficient", "lambda"))
_SIZES = frozenset(("size", "dim", "width", "height", "res", "resolution", "crop")) | frozenset(
    ("channels", "channel", "conv", "hidden", "feedforward")
)
#: A batch size is a number of images, a step size a number of epochs: counts.
_NO_SIZES = frozenset(("batch", "step"))


@dataclass(frozen=True, slots=True)
class Derived:
    """What a rule makes of a base value.

    Attributes:
        rule: The rule's name.
        low: Lower bound where the schema has none.
        high: Upper bound where the schema has none.
        low_why: Reason of ``low``.
        high_why: Reason of ``high``.
        log: Whether the order of magnitude is what is searched.
        open_at_zero: Whether a schema's minimum of 0 counts as no bound.
        open_at_one: Whether a schema's maximum of 1 or more counts as no bound.
    """

    rule: str
    low: Number
    high: Number
    low_why: str
    high_why: str
    log: bool
    open_at_zero: bool = False
    open_at_one: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """A range with the reason of each part.

    Attributes:
        low: Lowest value, inclusive.
        high: Highest value, inclusive.
        log: Whether the scale is logarithmic.
        low_from: Where ``low`` came from, in words.
        high_from: Where ``high`` came from, in words.
        scale_from: Why the scale is what it is, in words.
    """

    low: Number
    high: Number
    log: bool
    low_from: str
    high_from: str
    scale_from: str


def words_of(key: str) -> frozenset[str]:
    """The words of a dotted key's last part, without a list index: ``lr_mult`` has two."""
    return frozenset(key.rpartition(".")[2].partition("[")[0].lower().split("_"))


def multiplier(leaf: ParameterSchema, base: Number) -> Derived | None:
    """Fractions that scale another number (lr decay, gamma, a multiplier of the learning rate).

    Around the base value by a factor of 10 on a log scale, and never above 1.
    """
    words = words_of(leaf.key)
    is_weight_decay = {"weight", "decay"} <= words
    if not _is_float(leaf) or is_weight_decay or not words & _MULTIPLIERS or not 0 < base <= 1:
        return None
    around = _around(base, "fraction (multiplier)")
    if around.high <= 1:
        return around
    why = "a multiplier goes up to 1"
    return Derived(around.rule, around.low, 1.0, around.low_why, why, log=True, open_at_zero=True)


def fraction(leaf: ParameterSchema, base: Number) -> Derived | None:
    """Shares and probabilities: 0 to 1, linear."""
    if not _is_float(leaf) or not words_of(leaf.key) & _FRACTIONS or not 0 <= base <= 1:
        return None
    return Derived(
        "fraction", 0.0, 1.0, "a fraction begins at 0", "a fraction ends at 1", log=False
    )


def rate(leaf: ParameterSchema, base: Number) -> Derived | None:
    """Positive numbers whose order of magnitude matters: learning rates, weight decay, clipping.

    Around the base value by a factor of 10 on a log scale; a minimum of 0 is an open bound. A
    maximum of 1 or more bounds the type of a learning rate or a weight decay, not the search.
    """
    words = words_of(leaf.key)
    is_step = bool(words & {"lr", "wd"}) or any(pair <= words for pair in _STEP_PAIRS)
    if not _is_float(leaf) or not (is_step or words & _RATES) or base <= 0:
        return None
    around = _around(base, "rate")
    return replace(around, open_at_one=True) if is_step and around.high < 1 else around


def weight(leaf: ParameterSchema, base: Number) -> Derived | None:
    """Weights of the terms of a loss: around the base value by a factor of 10, log scale."""
    is_weight = bool(words_of(leaf.key) & _WEIGHTS)
    return _around(base, "weight") if _is_float(leaf) and is_weight and base > 0 else None


def size(leaf: ParameterSchema, base: Number) -> Derived | None:
    """Whole numbers of pixels or channels: from half to twice the base value, linear."""
    words = words_of(leaf.key)
    if _is_float(leaf) or not words & _SIZES or words & _NO_SIZES or base <= 0:
        return None
    low, high = max(1, int(base) // SIZE_FACTOR), int(base) * SIZE_FACTOR
    text = f"the base value {base:g}"
    return Derived(
        "size", low, high, f"{text} / {SIZE_FACTOR}", f"{text} x {SIZE_FACTOR}", log=False
    )


def count(leaf: ParameterSchema, base: Number) -> Derived | None:
    """Any other positive whole number (batch, layers): 1 to 4 times the base, log scale."""
    if _is_float(leaf) or base <= 0:
        return None
    high_why = f"the base value {base:g} x {COUNT_FACTOR}"
    return Derived("count", 1, int(base) * COUNT_FACTOR, "a count begins at 1", high_why, log=True)


#: The rules in the order in which they are asked.
RULES: tuple[Callable[[ParameterSchema, Number], Derived | None], ...] = (
    multiplier,
    fraction,
    rate,
    weight,
    size,
    count,
)


def rule_for(leaf: ParameterSchema, base: Number | None) -> Derived | None:
    """What the first rule that speaks for the leaf makes of its base value; None if none does."""
    if base is None:
        return None
    derived = (rule(leaf, base) for rule in RULES)
    return next((bounds for bounds in derived if bounds is not None), None)


def derive(
    leaf: ParameterSchema, base: Number | None, low: Number | None, high: Number | None
) -> Bounds | None:
    """The finite range to search.

    Args:
        leaf: The parameter; its name and type choose the rule.
        base: Value of trial 0; None where the skill gives none.
        low: The schema's finite minimum, None where it is missing or infinite.
        high: The schema's finite maximum, None where it is missing or infinite.

    Returns:
        The range, or None where a bound is missing and no rule speaks for the leaf.
    """
    rule = rule_for(leaf, _within(base, low, high))
    if rule is None:
        return None if low is None or high is None else _given(low, high)
    is_open = rule.open_at_zero and low is not None and low <= 0
    is_finite = low is not None and high is not None
    low_from = high_from = ""
    if low is None or is_open:
        low, low_from = rule.low, f"{rule.rule} rule: {rule.low_why}"
    if high is None:
        high, high_from = rule.high, f"{rule.rule} rule: {rule.high_why}"
    elif rule.open_at_one and high >= 1:
        over = f", because the schema's {high:g} is no bound of a rate"
        high, high_from = rule.high, f"{rule.rule} rule: {rule.high_why}{over}"
    plain = _given(low, high)
    log = low > 0 and rule.log and (rule.open_at_zero or not is_finite)
    return Bounds(
        low,
        high,
        log or plain.log,
        low_from or plain.low_from,
        high_from or plain.high_from,
        f"log: the order of magnitude of a {rule.rule} is searched" if log else plain.scale_from,
    )


def _given(low: Number, high: Number) -> Bounds:
    log = is_wide(low, high)
    scale = (
        "log: the range spans two decades or more"
        if log
        else "linear: the range reaches 0 or spans less than two decades"
    )
    return Bounds(low, high, log, "schema minimum", "schema maximum", scale)


def _within(base: Number | None, low: Number | None, high: Number | None) -> Number | None:
    """The base value moved into the schema's own bounds, so that what is derived stays in them."""
    if base is None:
        return None
    if low is not None and base < low:
        return low
    return high if high is not None and base > high else base


def is_wide(low: Number, high: Number) -> bool:
    """Whether a range is positive and spans two decades or more."""
    return low > 0 and high / low >= WIDE_RATIO


def _is_float(leaf: ParameterSchema) -> bool:
    return family_of(leaf) is Family.FLOAT


def _around(base: Number, name: str) -> Derived:
    text = f"the base value {base:g}"
    return Derived(
        name,
        _short(base / SCALE_FACTOR),
        _short(base * SCALE_FACTOR),
        f"{text} / {SCALE_FACTOR}",
        f"{text} x {SCALE_FACTOR}",
        log=True,
        open_at_zero=True,
    )


def _short(value: float) -> float:
    """The number without the noise of its computation: 6e-06, not 6.000000000000001e-06."""
    return float(f"{value:.6g}")
