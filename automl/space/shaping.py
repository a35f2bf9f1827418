"""The shape of each searched key by itself: a parameter, a constant, or a refusal."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from automl.errors import FixInput
from automl.skill.asked import Asked
from automl.skill.model import ParameterSchema
from automl.skill.schema import SchemaTree
from automl.skill.tree import Tree, get
from automl.skill.typewords import Family, family_of, number_of
from automl.space.choices import choice_parameter, subset_parameter
from automl.space.conditions import Conditions, parse_conditions
from automl.space.lists import list_parameter
from automl.space.model import Ceiling, Constant, Refused
from automl.space.numeric import numeric_parameter
from automl.space.select import Selection
from automl.space.setting_rules import Shape

__all__ = ["Shaping"]


@dataclass(frozen=True, slots=True)
class Shaping:
    """Shapes the searched keys, each by itself.

    Attributes:
        schema: Schema of the action that is searched.
        spec: The base spec, with the values of everything that is not searched.
        selection: What is asked of each key.
        ceilings: Upper bounds from the data and the hardware, by key.
        epochs: The setting that says how many epochs there are; empty for none.
    """

    schema: SchemaTree
    spec: Tree
    selection: Selection
    ceilings: Mapping[str, Ceiling]
    epochs: str

    def shape(self, key: str) -> Shape:
        """The parameter of a key, without its links to parents.

        What the schema itself says wrongly of a setting that nobody named costs that setting
        alone.
        """
        leaf, asked = self.schema.leaves[key], self.selection.asked[key]
        conditions = parse_conditions(leaf)
        try:
            return self._shape(leaf, asked, conditions)
        except FixInput as error:
            if key in self.selection.named or asked.is_explicit:
                raise
            return Refused(key, str(error))

    def _shape(self, leaf: ParameterSchema, asked: Asked, conditions: Conditions) -> Shape:
        base = get(self.spec, leaf.key, leaf.default)
        family = family_of(leaf)
        if asked.fraction_of and family is not Family.LIST:
            asked = self._fraction(leaf, asked)
        if family in (Family.INT, Family.FLOAT):
            ceiling = self.ceilings.get(leaf.key)
            return numeric_parameter(leaf, number_of(base), conditions, asked, ceiling)
        if family is Family.LIST:
            return self._list(leaf, base, conditions, asked)
        if family in (Family.GROUP, Family.ANY):
            return Refused(leaf.key, f"{family} is not searched")
        return choice_parameter(leaf, base, asked)

    def settled(self, shape: Shape) -> Shape:
        """A constant that differs from the base value is one only if the user asked for it."""
        if not isinstance(shape, Constant):
            return shape
        key = shape.key
        if key in self.selection.named and self.selection.asked[key].is_explicit:
            return shape
        base = get(self.spec, key, self.schema.leaves[key].default)
        if base is None or base == shape.value:
            return shape
        return Refused(
            key,
            f"only {shape.value} could be proposed: {shape.reason}; the base value {base} is kept",
        )

    def _list(
        self, leaf: ParameterSchema, base: Any, conditions: Conditions, asked: Asked
    ) -> Shape:
        if leaf.enum or asked.choices:
            return subset_parameter(leaf, base, asked)
        return list_parameter(leaf, base, conditions, asked, self.spec, self.epochs)

    def _fraction(self, leaf: ParameterSchema, asked: Asked) -> Asked:
        whole = number_of(get(self.spec, asked.fraction_of, None))
        if whole is None or asked.low is None or asked.high is None:
            raise FixInput(
                "fractions must have low, high and a whole that is a number",
                got=f"{asked.fraction_of} = {whole}",
                where=f"{asked.source} {leaf.key}",
            )
        ends = (asked.low * whole, asked.high * whole)
        if family_of(leaf) is Family.INT:
            ends = (round(ends[0]), round(ends[1]))
        source = f"{asked.source} ({asked.low:g} to {asked.high:g} of {asked.fraction_of})"
        return replace(asked, low=ends[0], high=ends[1], fraction_of="", source=source)
