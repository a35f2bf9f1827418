"""The conditions of a TAO schema (``math_cond`` and ``depends_on``) as typed values.

Grammar, spaces optional::

    math_cond   =  condition { [","|"and"|"&&"] condition }
    condition   =  comparison operand  |  "/" number  |  "^" number
    comparison  =  ">" | ">=" | "<" | "<=" | "!="
    operand     =  number | "depends_on" | dotted key
    depends_on  =  [comparison] dotted key { "," dotted key }

``/ n`` is a multiple of n; beside a parent it is at most parent / n. ``^ n`` is a power of n. A
parent that no comparison uses bounds from above: a number is not above its parent, and the sizes
in a list of kernels lie below it.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.skill.model import ParameterSchema
from automl.skill.typewords import Family, family_of
from automl.space.bounds import words_of
from automl.space.relations import Relation

__all__ = ["Comparison", "Conditions", "in_order", "parse_conditions"]

_TOKEN = re.compile(
    r"\s*(?:(?P<op>>=|<=|!=|>|<|/|\^)"
    r"|(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])"
    r"|(?P<join>,|&&|and\b)"
    r"|(?P<name>[A-Za-z_]\w*(?:\[\d+\])?(?:\.\w+(?:\[\d+\])?)*))"
)
_PARENT = "depends_on"


@dataclass(frozen=True, slots=True)
class Comparison:
    """*value relation operand*, where the operand is a number or the smallest of some parents.

    Attributes:
        relation: How the value compares.
        number: The operand where it is a number; None where it is parents.
        parents: Dotted keys of the parents; empty where the operand is a number.
        divisor: The parents' value is divided by this first.
    """

    relation: Relation
    number: float | int | None = None
    parents: tuple[str, ...] = ()
    divisor: float | int = 1


@dataclass(frozen=True, slots=True)
class Conditions:
    """Everything one leaf's value has to obey beside its bounds.

    Attributes:
        comparisons: All of them hold.
        multiple: The value is a whole multiple of this; None for no such rule.
        power: The value is a power of this with a whole exponent; None for no such rule.
        parents: Dotted keys of all parents, in the order of the schema.
        texts: The conditions as the schema writes them, for a reader.
    """

    comparisons: tuple[Comparison, ...] = ()
    multiple: float | int | None = None
    power: float | int | None = None
    parents: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


def parse_conditions(leaf: ParameterSchema) -> Conditions:
    """The conditions of a leaf.

    Raises:
        FixInput: A text is outside the grammar; the error names the key and the text.
    """
    relation, parents = _parents(leaf)
    pairs = tuple(_pairs(leaf))
    comparisons = [_comparison(leaf, op, operand, parents) for op, operand in pairs if op in _RELS]
    multiple, power = _operand_of(leaf, pairs, "/"), _operand_of(leaf, pairs, "^")
    if relation is not None:
        comparisons.append(Comparison(relation, parents=parents))
    if parents and multiple is not None:
        comparisons.append(Comparison(Relation.AT_MOST, parents=parents, divisor=multiple))
        multiple = None
    if parents and not any(set(comparison.parents) & set(parents) for comparison in comparisons):
        bare = Relation.BELOW if _is_kernel_list(leaf) else Relation.AT_MOST
        comparisons.append(Comparison(bare, parents=parents))
    named = tuple(key for comparison in comparisons for key in comparison.parents)
    every = tuple(dict.fromkeys((*parents, *named)))
    return Conditions(tuple(comparisons), multiple, power, every, _texts(leaf))


def _is_kernel_list(leaf: ParameterSchema) -> bool:
    """Whether the leaf lists sizes of kernels, which lie inside what they slide over."""
    return family_of(leaf) is Family.LIST and "kernel" in words_of(leaf.key)


_RELS = tuple(str(relation) for relation in Relation)


def _texts(leaf: ParameterSchema) -> tuple[str, ...]:
    texts = [leaf.math_cond.strip()] if leaf.math_cond.strip() else []
    if leaf.depends_on.strip():
        texts.append(f"depends on {leaf.depends_on.strip()}")
    return tuple(texts)


def _parents(leaf: ParameterSchema) -> tuple[Relation | None, tuple[str, ...]]:
    text = leaf.depends_on.strip()
    if not text:
        return None, ()
    parts = re.fullmatch(r"(>=|<=|!=|>|<)?\s*(.*)", text, re.DOTALL)
    assert parts is not None  # noqa: S101 - the pattern matches every text
    names = tuple(name.strip() for name in parts[2].split(","))
    for name in names:
        if not re.fullmatch(r"[A-Za-z_]\w*(?:\[\d+\])?(?:\.\w+(?:\[\d+\])?)*", name):
            raise _outside(leaf, "depends_on", leaf.depends_on)
    return (Relation(parts[1]) if parts[1] else None), names


def _pairs(leaf: ParameterSchema) -> Iterator[tuple[str, str]]:
    """Operator and operand of each condition in ``math_cond``."""
    op = ""
    for kind, token in _tokens(leaf):
        if kind == "op" and not op:
            op = token
        elif kind in ("number", "name") and op:
            yield op, token
            op = ""
        elif not (kind == "join" and not op):
            raise _outside(leaf, "math_cond", leaf.math_cond)
    if op:
        raise _outside(leaf, "math_cond", leaf.math_cond)


def _tokens(leaf: ParameterSchema) -> Iterator[tuple[str, str]]:
    text, position = leaf.math_cond.rstrip(), 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None or token.lastgroup is None:
            raise _outside(leaf, "math_cond", leaf.math_cond)
        number = _number(token[token.lastgroup])
        if number is not None and not abs(number) <= sys.float_info.max:  # of nan neither holds
            raise _outside(leaf, "math_cond", leaf.math_cond)
        yield token.lastgroup, token[token.lastgroup]
        position = token.end()


def _comparison(
    leaf: ParameterSchema, op: str, operand: str, parents: tuple[str, ...]
) -> Comparison:
    number = _number(operand)
    if number is not None:
        return Comparison(Relation(op), number)
    if operand != _PARENT:
        return Comparison(Relation(op), parents=(operand,))
    if not parents:
        raise FixInput(
            "a math_cond that compares with depends_on must have a depends_on beside it",
            got=repr(leaf.math_cond),
            where=leaf.key,
        )
    return Comparison(Relation(op), parents=parents)


def _operand_of(
    leaf: ParameterSchema, pairs: tuple[tuple[str, str], ...], op: str
) -> float | int | None:
    """The number after ``/`` or ``^``, or None where the operator does not occur."""
    operands = [operand for operator, operand in pairs if operator == op]
    if not operands:
        return None
    number = _number(operands[0])
    least = 0 if op == "/" else 1
    if number is None or number <= least or len(operands) > 1:
        raise _outside(leaf, "math_cond", leaf.math_cond)
    return number


def _number(text: str) -> float | int | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def _outside(leaf: ParameterSchema, name: str, text: str) -> FixInput:
    return FixInput(
        f"{name} must be written in the grammar of conditions: "
        "> >= < <= != with a number or depends_on, / n, ^ n",
        got=repr(text),
        where=leaf.key,
    )


def in_order(parents: Mapping[str, tuple[str, ...]], known: frozenset[str]) -> tuple[str, ...]:
    """The keys of ``parents`` in an order in which each stands behind its parents.

    Args:
        parents: Key to the keys it depends on; keys that are no key of the mapping are leaves.
        known: Every key there is.

    Raises:
        FixInput: A parent does not exist, or the keys depend on one another in a circle; the
            error shows the chain.
    """
    done: dict[str, None] = {}
    for key in parents:
        _visit(key, (), parents, known, done)
    return tuple(key for key in done if key in parents)


def _visit(
    key: str,
    chain: tuple[str, ...],
    parents: Mapping[str, tuple[str, ...]],
    known: frozenset[str],
    done: dict[str, None],
) -> None:
    path = " -> ".join((*chain, key))
    if key in chain:
        raise FixInput("parameters must not depend on one another in a circle", got=path)
    if key not in known:
        raise FixInput(
            "a parameter must depend on keys that exist",
            got=path,
            where=chain[-1] if chain else key,
            fix=did_you_mean(key, known),
        )
    if key in done:
        return
    for parent in parents.get(key, ()):
        _visit(parent, (*chain, key), parents, known, done)
    done[key] = None
