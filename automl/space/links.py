"""Ties searched parameters to one another so that no draw of a parent strands its children.

A condition on a parent that is searched becomes a *link*: the child's range follows the parent's
value. A condition on a constant narrows the range once and for all. Then, from the last child to
the first parent, each parent's own range is narrowed to the values that leave every child at
least one value. Children that are not searched have their base value, and count too.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from automl.errors import FixInput
from automl.skill.schema import SchemaTree
from automl.skill.tree import Tree, get
from automl.skill.typewords import number_of
from automl.space.conditions import Comparison, parse_conditions
from automl.space.model import Refused, Searched
from automl.space.parameter import Link, Parameter
from automl.space.relations import LOWER, UPPER, Number, Relation, compare

__all__ = ["Implied", "Linked", "link_up"]

#: What *child relation parent* means for the parent.
_MIRRORED = {
    Relation.ABOVE: Relation.BELOW,
    Relation.AT_LEAST: Relation.AT_MOST,
    Relation.BELOW: Relation.ABOVE,
    Relation.AT_MOST: Relation.AT_LEAST,
    Relation.NOT: Relation.NOT,
}


@dataclass(frozen=True, slots=True)
class Linked:
    """Parameters whose conditions can all be met, and those for which that is not so."""

    parameters: tuple[Searched, ...]
    refused: tuple[Refused, ...] = ()


Implied = Mapping[str, tuple[Comparison, ...]]


def link_up(
    candidates: Mapping[str, Searched], schema: SchemaTree, spec: Tree, implied: Implied
) -> Linked:
    """Links the candidates and narrows their ranges.

    A candidate that cannot be linked is taken out and keeps its base value, which the others then
    have to respect: so the work starts again without it.

    Args:
        candidates: Parameters by key, parents before children.
        schema: Says which conditions there are.
        spec: The base spec, with the values of everything that is not searched.
        implied: More conditions, by key, that the schema does not write down.
    """
    left, refused = dict(candidates), list[Refused]()
    while True:
        attempt = _Attempt(dict(left), schema, spec, implied)
        failed = attempt.run()
        if failed is None:
            return Linked(tuple(attempt.parameters.values()), tuple(refused))
        refused.append(failed)
        del left[failed.key]


@dataclass(slots=True)
class _Attempt:
    """One try to link a set of parameters.

    Attributes:
        parameters: The parameters by key, parents before children; narrowed as the try goes on.
        schema: Says which conditions there are.
        spec: The base spec.
        implied: More conditions by key.
    """

    parameters: dict[str, Searched]
    schema: SchemaTree
    spec: Tree
    implied: Implied

    def run(self) -> Refused | None:
        """Links and narrows everything; returns the first parameter that cannot be searched."""
        for key in self.parameters:
            reason = self._link(key)
            if reason:
                return Refused(key, reason)
        for key, comparison in self._constant_children():
            refused = self._keep_constant(key, comparison)
            if refused is not None:
                return refused
        for key in reversed(list(self.parameters)):
            refused = self._leave_room(key)
            if refused is not None:
                return refused
        crossed = map(self._crossed, self.parameters)
        return next((refused for refused in crossed if refused is not None), None)

    def _link(self, key: str) -> str:
        """Turns the conditions on parents into links and static bounds; why it fails, or empty."""
        own = parse_conditions(self.schema.leaves[key]).comparisons
        for comparison in (*own, *self.implied.get(key, ())):
            searched, constant = self._parents_of(comparison)
            if searched:
                link = Link(comparison.relation, searched, comparison.divisor, constant)
                self.parameters[key] = self.parameters[key].following(link)
            if constant is not None and (not searched or comparison.relation in UPPER):
                reason = f"condition {comparison.relation} {_names(comparison)} = {constant:g}"
                end = constant / comparison.divisor if comparison.divisor != 1 else constant
                left = self.parameters[key].narrowed(comparison.relation, end, reason)
                if left is None:
                    return f"no value is left under the {reason}"
                self.parameters[key] = left
        return ""

    def _parents_of(self, comparison: Comparison) -> tuple[tuple[str, ...], Number | None]:
        """The searched parents, and the smallest number among the other ones."""
        searched = tuple(
            key
            for key in comparison.parents
            if key in self.parameters and _has_order(self.parameters[key])
        )
        values = (
            number_of(get(self.spec, key, self.schema.leaves[key].default))
            for key in comparison.parents
            if key not in self.parameters
        )
        return searched, min((value for value in values if value is not None), default=None)

    def _constant_children(self) -> Iterator[tuple[str, Comparison]]:
        """Conditions on searched parents of leaves that are not searched themselves."""
        for key, leaf in self.schema.leaves.items():
            if key in self.parameters:
                continue
            for comparison in (*_readable(leaf), *self.implied.get(key, ())):
                if any(parent in self.parameters for parent in comparison.parents):
                    yield key, comparison

    def _keep_constant(self, child: str, comparison: Comparison) -> Refused | None:
        """Narrows the parents so that a constant child's condition keeps holding."""
        values = _numbers(get(self.spec, child, self.schema.leaves[child].default))
        searched, constant = self._parents_of(comparison)
        now = [
            number_of(get(self.spec, key, self.schema.leaves[key].default))
            for key in comparison.parents
        ]
        known = [number for number in now if number is not None]
        if not values or not known or not searched:
            return None
        if not all(
            compare(value, comparison.relation, min(known) / comparison.divisor)
            for value in values
        ):
            return None  # it does not hold in the base spec either
        tightest = min(values) if comparison.relation in LOWER else max(values)
        if constant is not None and _met_by(constant, comparison, tightest):
            return None
        reason = f"keeps {child} = {tightest:g} {comparison.relation} it"
        return self._narrow_parents(searched, comparison, tightest, reason)

    def _leave_room(self, key: str) -> Refused | None:
        """Narrows the parents of a parameter so that it always has a value."""
        for part in self.parameters[key].elements:
            for link in part.links:
                refused = self._leave_room_for(key, part, link)
                if refused is not None:
                    return refused
        return None

    def _leave_room_for(self, key: str, part: Parameter, link: Link) -> Refused | None:
        parents = tuple(parent for parent in link.parents if parent in self.parameters)
        if not parents or link.relation is Relation.NOT:
            return None
        low, high = part.ends
        edge = high if link.relation in LOWER else low
        comparison = Comparison(link.relation, parents=parents, divisor=link.divisor)
        if link.relation in LOWER and link.cap is not None and _met_by(link.cap, comparison, edge):
            return None
        refused = self._narrow_parents(parents, comparison, edge, f"leaves room for {key}")
        if refused is None:
            return None
        return Refused(key, f"its range leaves {refused.key} no value: {refused.reason}")

    def _narrow_parents(
        self, parents: Iterable[str], comparison: Comparison, edge: Number, reason: str
    ) -> Refused | None:
        relation = _MIRRORED[comparison.relation]
        end = edge * comparison.divisor
        for parent in parents:
            left = self.parameters[parent].narrowed(relation, end, reason)
            if left is None:
                return Refused(parent, f"no value is left that {reason}")
            self.parameters[parent] = left
        return None

    def _crossed(self, key: str) -> Refused | None:
        """The parameter if the parents' values can leave it nothing, else None."""
        for part in self.parameters[key].elements:
            if part.links and not self._always_has_a_value(part):
                names = sorted({name for link in part.links for name in link.parents})
                return Refused(
                    key,
                    f"its range follows {', '.join(names)}, which can leave it no value; "
                    "freeze one of them",
                )
        return None

    def _always_has_a_value(self, part: Parameter) -> bool:
        """Whether a value is left wherever in their ranges the parents lie."""
        needed, left = 1, part.distribution
        for link in part.links:
            if link.relation is Relation.NOT:
                needed += 1
                continue
            limit = link.limit(self._far_ends(part, 1 if link.relation in LOWER else 0))
            narrowed = left if limit is None else left.narrowed(link.relation, limit)
            if narrowed is None:
                return False
            left = narrowed
        return left.n_values >= needed

    def _far_ends(self, part: Parameter, side: int) -> dict[str, Number]:
        """The low (0) or high (1) ends of everything else that has an order."""
        return {
            other.key: other.ends[side]
            for parameter in self.parameters.values()
            for other in parameter.elements
            if other.key != part.key and other.has_order
        }


def _has_order(parameter: Searched) -> bool:
    """Whether others may follow it; a list as a whole is not followed."""
    return isinstance(parameter, Parameter) and parameter.has_order


def _names(comparison: Comparison) -> str:
    return ", ".join(comparison.parents)


def _readable(leaf: Any) -> tuple[Comparison, ...]:
    """The comparisons of a leaf nobody searches; none where its text is outside the grammar."""
    if not (leaf.depends_on or leaf.math_cond):
        return ()
    try:
        return parse_conditions(leaf).comparisons
    except FixInput:
        return ()


def _numbers(value: Any) -> list[Number]:
    entries = value if isinstance(value, list) else [value]
    numbers = [number for entry in entries if (number := number_of(entry)) is not None]
    return numbers if len(numbers) == len(entries) else []


def _met_by(constant: Number, comparison: Comparison, edge: Number) -> bool:
    """Whether a constant parent alone makes *edge > min(parents)* hold."""
    is_lower = comparison.relation in LOWER
    return is_lower and compare(edge, comparison.relation, constant / comparison.divisor)
