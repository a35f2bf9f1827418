"""From a schema, a base spec and a request to the search space."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from automl.errors import FixInput
from automl.skill.general_rules import general_rules
from automl.skill.keys import find_keys
from automl.skill.model import ParameterSchema
from automl.skill.profile import Profile, SettingRule
from automl.skill.schema import SchemaTree
from automl.skill.tree import ParamValue, Tree, get, with_value
from automl.skill.typewords import as_type
from automl.space.believed import believed
from automl.space.conditions import in_order, parse_conditions
from automl.space.feasible import Feasible
from automl.space.inert import find_inert
from automl.space.links import Implied, Linked, link_up
from automl.space.model import Ceiling, Constant, Inert, Refused, Searched, SearchSpace
from automl.space.parents import with_known_parents
from automl.space.proposal import default_params, is_legal
from automl.space.request import SpaceRequest
from automl.space.select import check_known, select
from automl.space.setting_rules import (
    Shape,
    conditions_of_rules,
    is_combined,
    rules_for_trainer,
)
from automl.space.shaping import Shaping

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
            schema's conditions are outside their grammar or circular.
    """
    selection = select(schema, request, profile)
    schema, notes = with_known_parents(schema, selection.asked)
    frozen = _frozen(schema, request, base)
    keys = request.keys or find_keys(schema.action, schema.leaves)
    rules = rules_for_trainer((*profile.settings, *general_rules(keys)), trainer)
    bounds = {ceiling.key: ceiling for ceiling in ceilings}
    shaping = Shaping(schema, _with_all(base, frozen), selection, bounds, keys.epochs)
    left = _searchable(shaping, rules, profile)
    refused = (*_refusals(left.shapes), *left.refused)
    _refuse_named(refused, selection.named)
    constants = _constants(left.shapes) | frozen
    every = (*selection.refused, *refused)
    space = SearchSpace(left.parameters, constants, every, left.inert, notes=notes)
    return _with_notes(replace(space, priors=believed(space, profile)))


@dataclass(frozen=True, slots=True)
class _Searchable:
    """What is left to search, and what was left out on the way.

    Attributes:
        parameters: The parameters, parents before children.
        shapes: What became of each key, those left out not among them.
        refused: Keys whose conditions cannot be met.
        inert: Keys that change nothing.
    """

    parameters: tuple[Searched, ...]
    shapes: Mapping[str, Shape]
    refused: tuple[Refused, ...]
    inert: tuple[Inert, ...]


def _searchable(shaping: Shaping, rules: tuple[SettingRule, ...], profile: Profile) -> _Searchable:
    """The parameters of a space; what is left out keeps its base value, which binds the others."""
    inert, refused = tuple[Inert, ...](), tuple[Refused, ...]()
    inert_rules = (*profile.inert, *profile.never_read)
    implied = conditions_of_rules(rules, shaping.schema.leaves)
    while True:
        gone = {entry.key for entry in inert} | {entry.key for entry in refused}
        spec, shapes = _shapes(shaping, rules, gone)
        searched = {key: shape for key, shape in shapes.items() if isinstance(shape, Searched)}
        dead = find_inert(inert_rules, spec, searched, shaping.selection.named)
        left_out = {entry.key for entry in dead}
        candidates = {key: shape for key, shape in searched.items() if key not in left_out}
        linked = _link(shaping.schema, spec, candidates, implied)
        inert, refused = (*inert, *dead), (*refused, *linked.refused)
        left_out |= {entry.key for entry in linked.refused}
        if not any(is_combined(rule) and rule.when.keys & left_out for rule in rules):
            return _Searchable(linked.parameters, shapes, refused, inert)


def _shapes(
    shaping: Shaping, rules: tuple[SettingRule, ...], gone: Collection[str]
) -> tuple[Tree, dict[str, Shape]]:
    """The spec with its constants, and what becomes of each key that is asked for by itself."""
    shapes = _feasible(shaping, rules, gone)
    constants = _constants(shapes)
    if all(get(shaping.spec, key, None) == value for key, value in constants.items()):
        return shaping.spec, shapes
    # What follows a constant follows the one that was asked for, not the base value.
    spec = _with_all(shaping.spec, constants)
    return spec, _feasible(replace(shaping, spec=spec), rules, gone)


def _feasible(
    shaping: Shaping, rules: tuple[SettingRule, ...], gone: Collection[str]
) -> dict[str, Shape]:
    selection, ceilings = shaping.selection, tuple(shaping.ceilings.values())
    feasible = Feasible(rules, shaping.spec, ceilings, selection.named)
    shapes = {key: shaping.shape(key) for key in selection.asked if key not in gone}
    return feasible.parts_of(shapes, shaping.settled)


def _constants(shapes: Mapping[str, Shape]) -> dict[str, ParamValue]:
    return {key: shape.value for key, shape in shapes.items() if isinstance(shape, Constant)}


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
