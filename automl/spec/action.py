"""The spec of one action: its template, what the training was built like, data, overrides."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.skill.deploy import deploy_template
from automl.skill.model import Skill
from automl.skill.read import base_tree, read_profile_of, read_template
from automl.skill.tree import MISSING, Tree, get, leaves
from automl.spec.calibration import fit_calibration
from automl.spec.inferred import Surroundings, constants_of, function_names, infer
from automl.spec.inputs import checked_inputs, with_inputs
from automl.spec.needed import check_given
from automl.spec.rules import SpecRules, rules_for
from automl.spec.source_table import split_keys, with_table
from automl.spec.sources import (
    data_settings,
    own_data_keys,
    with_settings,
)
from automl.spec.start import completed
from automl.spec.unfilled import unfilled_notes
from automl.spec.values import out_of_bounds
from automl.yamltext import load_yaml

__all__ = ["INPUTS_FLAG", "ActionRequest", "ActionSpec", "build_action"]

INPUTS_FLAG = "--data"

#: The one template that some skills have for all actions.
_SHARED_TEMPLATE = "spec_template.yaml"
#: Blocks of a training's spec that say what the trained network is and what it has seen.
_STRUCTURE = ("model", "dataset")
#: Names of settings that say how a run is done, not what the network is.
_OF_A_RUN = frozenset(
    {"batch_size", "workers", "num_workers", "pin_memory", "num_gpus", "gpu_ids", "num_nodes"}
    | {"checkpoint", "trt_engine", "results_dir", "use_pretrained"}
)


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """What the spec of an action is made from.

    Attributes:
        trained: The spec that the parent was trained with.
        around: Parent, results folder and key.
        overrides: Dotted or short key to value, as the user set it.
        data: Split to folder, or to a list of folders for a setting that takes one.
        inputs: Dotted or short key to a file or folder, as the user gave it.
        deploy: Whether it is for the deploy container.
        where: What to call the overrides in an error.
        tuned: Dotted key to value of settings that were found to decode better; they may lie
            outside a schema that names but one value, and those of other actions are passed over.
    """

    trained: Mapping[str, Any]
    around: Surroundings
    overrides: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Path] = field(default_factory=dict)
    deploy: bool = False
    where: str = "--set"
    tuned: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """A complete spec of an action, and where its values came from.

    Attributes:
        tree: The spec.
        source: Name of the template.
        carried: Settings taken from the training's spec whose value is not the template's.
        inferred: Settings that were filled in by TAO's named functions.
        data: Settings that name the data.
        rules: What the spec may hold.
        notes: What was changed of the template's own values, in words.
        template: What it began as: the template, complete.
    """

    tree: Tree
    source: str
    carried: Mapping[str, Any]
    inferred: Mapping[str, str]
    data: Mapping[str, Any]
    rules: SpecRules
    notes: tuple[str, ...] = ()
    template: Mapping[str, Any] = field(default_factory=dict)

    @property
    def changed(self) -> dict[str, Any]:
        """Dotted key to value of the settings that are not as the template has them."""
        return {
            key: value
            for key, value in leaves(self.tree)
            if get(self.template, key, MISSING) != value
        }


def build_action(skill: Skill, action: str, request: ActionRequest) -> ActionSpec:
    """The spec of an action.

    Upon the template go, each over the ones before: what the network is, from the training's
    spec; the inferred settings; the data; the user's own settings.

    Args:
        skill: The skill; its deploy side for an action of the deploy container.
        action: ``evaluate``, ``inference``, ``export``, ``gen_trt_engine``, ...
        request: What it is made from.

    Raises:
        FixInput: The skill has no such action or no template of it, a setting does not fit, or
            one that the action cannot do without is missing; the error names it.
    """
    template, source = _template(skill, action, deploy=request.deploy)
    rules = rules_for(skill, action, template)
    overrides = rules.check(request.overrides, request.where)
    _check_owned(rules, overrides, request.where)
    notes: tuple[str, ...] = ()
    if request.deploy:
        template, notes = _in_bounds(rules, template, source)
    else:
        template = completed(rules, template)
    rules = replace(rules, skill=with_table(rules.skill))
    carried = _carried(rules, request, template)
    inferred = _inferred(rules, request.around, template)
    data = _data(rules, request.data)
    constants = {key: value for key, value in constants_of(rules).items() if rules.has(key)}
    tree = with_settings(template, constants, "spec_params")
    tree = with_settings(tree, carried, "training spec")
    tree = with_inputs(with_settings(tree, inferred, "inferred"), data, "data")
    given = checked_inputs(rules, request.inputs, INPUTS_FLAG)
    tree = with_inputs(tree, given, INPUTS_FLAG)
    tree = with_settings(tree, _tuned(action, request.tuned), "--tuned")
    tree = with_settings(tree, overrides, request.where)
    check_given(rules, tree, template, deploy=request.deploy)
    tree, fitted = fit_calibration(action, tree, overrides, request.where)
    notes = (*notes, *((fitted,) if fitted else ()), *unfilled_notes(rules, tree, overrides))
    return ActionSpec(tree, source, carried, inferred, data | given, rules, notes, template)


def _tuned(action: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What concerns an action: an evaluation decodes as an inference does."""
    block = {"evaluate": "inference"}.get(action, action)
    return {key: value for key, value in settings.items() if key.split(".")[0] == block}


def _in_bounds(rules: SpecRules, template: Tree, source: str) -> tuple[Tree, tuple[str, ...]]:
    """A deploy template whose numbers are at least what the schema asks for.

    NVIDIA's template of CenterPose ships engine batches below the minima of its own schema.
    """
    changed: dict[str, Any] = {}
    notes: list[str] = []
    for key, value in leaves(template):
        leaf = rules.leaf_of(key)
        broken = out_of_bounds(value, leaf) if leaf is not None and leaf.key == key else ""
        if leaf is not None and broken and not out_of_bounds(leaf.default, leaf):
            changed[key] = leaf.default
            notes.append(f"{key} = {leaf.default} instead of {source}'s {value}: {broken}")
    return with_settings(template, changed, "schema"), tuple(notes)


def _template(skill: Skill, action: str, *, deploy: bool) -> tuple[Tree, str]:
    if action not in skill.actions:
        known = ", ".join(name for name in skill.actions if name != "train")
        side = "deploy container" if deploy else "skill"
        raise FixInput(f"the {side} must know the action {action}", got=f"one that knows {known}")
    if deploy:
        return deploy_template(skill, action)
    path = skill.template_path(action)
    if not path.is_file():
        shared = path.with_name(_SHARED_TEMPLATE)
        if rules_for(skill, action).schema is None and shared.is_file():
            return _read(shared), shared.name
        return base_tree(skill, action), f"defaults of {skill.schema_path(action).name}"
    return read_template(skill, action), path.name


def _read(path: Path) -> Tree:
    tree = load_yaml(path)
    if not isinstance(tree, dict):
        raise FixInput("a spec template must be a mapping", where=str(path))
    return tree


def _check_owned(rules: SpecRules, overrides: Mapping[str, Any], where: str) -> None:
    """Refuses settings of the folder: an action's results go into one of its own."""
    owned = [key for key, name in function_names(rules).items() if name == "output_dir"]
    for key in overrides:
        if key in owned:
            raise FixInput(
                f"{key} must be left to each action, which has a folder of its own",
                got=str(overrides[key]),
                where=where,
                fix="results go into the study's folder; --results DIR takes them elsewhere",
            )


def _inferred(rules: SpecRules, around: Surroundings, template: Tree) -> dict[str, str]:
    """The inferred settings; an empty one is not added to a template that does without it."""
    values = infer(rules, around)
    return {
        key: value for key, value in values.items() if value or get(template, key) is not MISSING
    }


def _carried(rules: SpecRules, request: ActionRequest, template: Tree) -> dict[str, Any]:
    """What the network is, from its training's spec, as far as the action's schema knows it.

    A deploy spec says little, and only what its template says or what is not the usual.
    """
    never = set(_not_structure(rules))
    blocks = (*_STRUCTURE, rules.action)
    carried: dict[str, Any] = {}
    for key, value in leaves(request.trained):
        is_structure = key.partition(".")[0] in blocks and not _is_of_a_run(key)
        if not is_structure or key in never or not rules.has(key):
            continue
        if request.deploy and get(template, key) is MISSING and _is_usual(rules, key, value):
            continue
        carried[key] = value
    repeats = read_profile_of(rules.skill).repeats
    for key, source in repeats.items():
        value = get(request.trained, source, None)
        if value is not None and rules.has(key) and key.startswith(f"{rules.action}."):
            carried[key] = value
    return {key: value for key, value in carried.items() if get(template, key) != value}


def _is_of_a_run(key: str) -> bool:
    name = key.rpartition(".")[2]
    return name in _OF_A_RUN or name.startswith("pretrained")


def _is_usual(rules: SpecRules, key: str, value: Any) -> bool:
    leaf = rules.leaf_of(key)
    return leaf is not None and leaf.default == value


def _not_structure(rules: SpecRules) -> Iterator[str]:
    """Whatever is inferred for any action, and data that another action reads."""
    own = {*own_data_keys(rules), *rules.skill.actions[rules.action].inputs}
    for info in rules.skill.actions.values():
        yield from info.spec_params
        yield from (key.partition("[")[0] for key in info.inputs if key not in own)
    yield from function_names(rules)
    yield from split_keys(rules.skill)


def _data(rules: SpecRules, data: Mapping[str, Any]) -> dict[str, Any]:
    """The action's own settings of data."""
    known = own_data_keys(rules)
    given = {split: folders for split, folders in data.items() if folders}
    settings = data_settings(rules, given)
    return {key: _as_listed(value) for key, value in settings.items() if key in known}


def _as_listed(value: Any) -> Any:
    """A list of folders where several were given for a setting that takes a list."""
    is_nested = isinstance(value, list) and len(value) == 1 and isinstance(value[0], list)
    return value[0] if is_nested else value
