"""From a schema, a base spec and a request to the search space."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from automl.errors import FixInput
from automl.skill.asked import Asked
from automl.skill.general_rules import general_rules
from automl.skill.keys import find_keys
from automl.skill.model import ParameterSchema
from automl.skill.profile import Profile, SettingRule
from automl.skill.schema import SchemaTree
from automl.skill.tree import ParamValue, Tree, get, with_value
from automl.skill.typewords import Family, as_type, family_of, number_of
from automl.space.choices import choice_parameter, subset_parameter
from automl.space.conditions import Conditions, in_order, parse_conditions
from automl.space.feasible import Feasible
from automl.space.inert import find_inert
from automl.space.links import Implied, Linked, link_up
from automl.space.lists import list_parameter
from automl.space.model import Ceiling, Constant, Refused, Searched, SearchSpace
from automl.space.numeric import numeric_parameter
from automl.space.proposal import default_params, is_legal
from automl.space.request import SpaceRequest
from automl.space.select import Selection, check_known, select
from automl.space.setting_rules import Shape, conditions_of_rules, rules_for_trainer

__all__ = ["build_space"]

_NO_PROFILE = Profile()


def build_space(
    schema: SchemaTree,
    base: Mapping[str, Any],
    request: SpaceRequest,
    profile: Profile = _NO_PROFILE,
    ceilings: tuple[Ceiling, ...] = (),
    trainer: str = "",
) -> SearchSpace:
    """The search space of one study.

    Args:
        schema: Schema of the action that is searched.
        base: The complete spec of trial 0: template, data and the user's own settings.
        request: Which parameters are asked for.
        profile: What the skill's search profile says; empty for a skill without one.
        ceilings: Upper bounds from the data and the hardware.
        trainer: Name of the trainer; options that the profile says it cannot run are left out.

    Returns:
        The space; what cannot be searched stands in it with its reason.

    Raises:
        FixInput: The user named a key that is unknown or cannot be searched as asked, or the
            schema's conditions are outside their grammar, circular or name unknown parents.
    """
    selection = select(schema, request, profile)
    frozen = _frozen(schema, request, base)
    keys = request.keys or find_keys(schema.action, schema.leaves)
    rules = rules_for_trainer((*profile.settings, *general_rules(keys)), trainer)
    spec = _with_all(base, frozen)
    bounds = {ceiling.key: ceiling for ceiling in ceilings}
    needs = _Needs(schema, spec, selection, bounds, keys.epochs)
    shapes = _shapes(needs, rules)
    constants = {key: shape.value for key, shape in shapes.items() if isinstance(shape, Constant)}
    if any(get(spec, key, None) != value for key, value in constants.items()):
        # What follows a constant follows the one that was asked for, not the base value.
        spec = _with_all(spec, constants)
        shapes = _shapes(replace(needs, spec=spec), rules)
    searched = {key: shape for key, shape in shapes.items() if isinstance(shape, Searched)}
    inert = find_inert((*profile.inert, *profile.never_read), spec, searched, selection.named)
    dead = {entry.key for entry in inert}
    candidates = {key: shape for key, shape in searched.items() if key not in dead}
    linked = _link(schema, spec, candidates, conditions_of_rules(rules, schema.leaves))
    _refuse_named((*_refusals(shapes), *linked.refused), selection.named)
    space = SearchSpace(
        linked.parameters,
        {**constants, **frozen},
        (*selection.refused, *_refusals(shapes), *linked.refused),
        inert,
    )
    return _with_notes(space)


def _shapes(needs: "_Needs", rules: tuple[SettingRule, ...]) -> dict[str, Shape]:
    """What becomes of each key that is asked for, each by itself."""
    selection, ceilings = needs.selection, tuple(needs.ceilings.values())
    feasible = Feasible(rules, needs.spec, ceilings, selection.named)
    shapes = {key: needs.shape(key) for key in selection.asked}
    return feasible.parts_of(shapes, needs.settled)


def _with_all(base: Mapping[str, Any], values: Mapping[str, Any]) -> Tree:
    spec: Tree = dict(base)
    for key, value in values.items():
        spec = with_value(spec, key, value)
    return spec


def _frozen(
    schema: SchemaTree, request: SpaceRequest, base: Mapping[str, Any]
) -> dict[str, ParamValue]:
    """The constants that ``--freeze`` makes: the value it gives, else the base value."""
    frozen: dict[str, ParamValue] = {}
    for key, given in request.frozen().items():
        leaf = check_known(schema, key, "--freeze")
        value = given[0] if given else get(base, key, leaf.default)
        frozen[key] = _typed(value, leaf) if given else value
    return frozen


def _typed(value: Any, leaf: ParameterSchema) -> ParamValue:
    typed = as_type(value, leaf, f"--freeze {leaf.key}")
    if isinstance(typed, dict):
        raise FixInput(
            "a group of settings must not be frozen as a whole", got=leaf.key, where="--freeze"
        )
    return typed


@dataclass(frozen=True, slots=True)
class _Needs:
    """What the shape of a parameter depends on."""

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


def _link(
    schema: SchemaTree, spec: Tree, candidates: Mapping[str, Searched], implied: Implied
) -> Linked:
    parents = {
        key: (
            *parse_conditions(schema.leaves[key]).parents,
            *(parent for condition in implied.get(key, ()) for parent in condition.parents),
        )
        for key in candidates
    }
    order = in_order(parents, frozenset(schema.leaves))
    _check_chains(schema, candidates)
    return link_up({key: candidates[key] for key in order}, schema, spec, implied)


def _check_chains(schema: SchemaTree, candidates: Mapping[str, Searched]) -> None:
    """Refuses circles that lead through keys which are not searched themselves."""
    parents: dict[str, tuple[str, ...]] = {}
    waiting = list(candidates)
    while waiting:
        key = waiting.pop()
        leaf = schema.leaves.get(key)
        if key in parents or leaf is None:
            continue
        parents[key] = parse_conditions(leaf).parents
        waiting.extend(parents[key])
    in_order(parents, frozenset(schema.leaves))


def _refusals(
    shapes: Mapping[str, Shape],
) -> tuple[Refused, ...]:
    return tuple(shape for shape in shapes.values() if isinstance(shape, Refused))


def _refuse_named(refused: tuple[Refused, ...], named: frozenset[str]) -> None:
    """Raises the reason at once where a user named a parameter that cannot be searched."""
    for entry in refused:
        if entry.key in named:
            raise FixInput(
                f"{entry.key} cannot be searched", got=entry.reason, where=f"--search {entry.key}"
            )


def _with_notes(space: SearchSpace) -> SearchSpace:
    """The space, in which a default that no proposal could have says so."""
    legal = is_legal(space, default_params(space))
    return replace(
        space,
        parameters=tuple(
            parameter if legal[parameter.key] else _noted(parameter) for parameter in space
        ),
    )


def _noted(parameter: Searched) -> Searched:
    if parameter.default is None:
        note = "no default: the trainer's own; run so in trial 0 alone"
    else:
        note = f"{parameter.default} is outside what is proposed; run in trial 0 alone"
    return replace(parameter, bounds_from={**parameter.bounds_from, "default": note})
