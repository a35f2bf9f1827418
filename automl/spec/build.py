"""Complete specs: the one that a study starts from, and the one that each attempt runs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.skill.keys import NetworkKeys, find_keys
from automl.skill.model import Skill
from automl.skill.read import read_template
from automl.skill.tree import ParamValue, Tree, get, leaves
from automl.spec.gpus import gpus_of, with_gpus
from automl.spec.inferred import constants_of, pretrained_settings
from automl.spec.inputs import with_inputs
from automl.spec.rules import SpecRules, rules_for
from automl.spec.sources import (
    data_keys,
    data_settings,
    with_settings,
)
from automl.spec.start import start_of, typed_start
from automl.spec.unfilled import unfilled_notes

__all__ = [
    "BaseSpec",
    "SpecRequest",
    "build_base",
    "check_searched",
    "for_attempt",
    "with_data",
    "with_params",
]


@dataclass(frozen=True, slots=True)
class SpecRequest:
    """What a user says about a spec.

    Attributes:
        overrides: Dotted or short key to value, as YAML reads it.
        spec_file: A complete spec to start from; None for the skill's own template.
        data: Split (``train``, ``val``, ``test``, ``inference``) to folder.
        parent_checkpoint: Weights to start from; empty for none.
        gpus: GPUs of one training; None or 0 leaves the spec's own number.
        where: What to call the overrides in an error.
    """

    overrides: Mapping[str, Any] = field(default_factory=dict)
    spec_file: Path | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    parent_checkpoint: str = ""
    gpus: int | None = None
    where: str = "--set"


@dataclass(frozen=True, slots=True)
class BaseSpec:
    """The spec that a study starts from.

    Attributes:
        tree: The complete spec; trial 0 runs it.
        overrides: What the user set, by long key, typed.
        source: What it was built from, in words.
        notes: Values that break the schema and are accepted all the same, in words.
        rules: What the spec may hold.
    """

    tree: Tree
    overrides: Mapping[str, Any]
    source: str
    notes: tuple[str, ...]
    rules: SpecRules

    @property
    def keys(self) -> NetworkKeys:
        """Which settings mean what; found in the spec itself where the skill knows none."""
        if any(True for _ in self.rules.known_keys()):
            return self.rules.keys
        return find_keys(self.rules.action, [key for key, _ in leaves(self.tree)])


def build_base(skill: Skill, action: str, request: SpecRequest) -> BaseSpec:
    """The spec of an action with everything that the user says about it.

    It begins with ``--spec FILE`` if given (what the file lacks comes from the template), else the
    skill's template, else the schema's defaults. On it go the data, then the checkpoint and the
    GPUs, then the overrides: what the user sets by key wins.

    Raises:
        FixInput: There is nothing to start from, or a key or a value does not fit the schema.
    """
    template = _template(skill, action)
    rules = rules_for(skill, action, template)
    start = start_of(rules, template, request.spec_file)
    tree, notes = typed_start(rules, start)
    source = start.source
    tree = with_settings(tree, _constants(rules, tree), "skill_info.yaml")
    overrides = rules.check(request.overrides, request.where)
    notes = (*notes, *unfilled_notes(rules, tree, overrides))
    _check_owned(rules, overrides, request.where)
    tree = with_inputs(tree, data_settings(rules, request.data), "data")
    tree = _with_parent(rules, tree, request.parent_checkpoint)
    tree = with_gpus(rules, tree, gpus_of(rules, overrides, request.gpus, request.where))
    tree = with_settings(tree, overrides, request.where)
    return BaseSpec(tree, overrides, source, notes, rules)


def _template(skill: Skill, action: str) -> Tree | None:
    try:
        return read_template(skill, action)
    except FixInput:
        return None


def _constants(rules: SpecRules, tree: Tree) -> dict[str, Any]:
    """What the skill's metadata gives as plain values, defaults for what nothing else gives."""
    info = rules.skill.actions.get(rules.action)
    defaults = info.defaults if info is not None else {}
    missing = {key: value for key, value in defaults.items() if get(tree, key, None) is None}
    return {**missing, **{k: value for k, value in constants_of(rules).items() if rules.has(k)}}


def _check_owned(rules: SpecRules, overrides: Mapping[str, Any], where: str) -> None:
    """Refuses settings that every attempt fills in for itself."""
    outputs, resumes = rules.keys.results, rules.keys.resume
    owned = [key for key in overrides if key in outputs or (key in resumes and overrides[key])]
    if not owned:
        return
    key, is_output = owned[0], owned[0] in outputs
    fix = "start every trial from weights with --parent-checkpoint"
    raise FixInput(
        f"{key} must be left to each trial: its own {'folder' if is_output else 'checkpoint'}",
        got=str(overrides[key]),
        where=where,
        fix="choose where studies go with --studies-dir and --name" if is_output else fix,
    )


def check_searched(rules: SpecRules, keys: Iterable[str]) -> None:
    """Refuses a search over settings that the study itself gives every trial.

    Raises:
        FixInput: A key takes a folder, a checkpoint, the data or the GPUs.
    """
    named = rules.keys
    machines = (named.gpus, named.gpu_ids, named.nodes)
    given = {*named.results, *named.resume, *data_keys(rules), *machines}
    for key in keys:
        if key in given:
            raise FixInput(
                "folders, data, checkpoints and GPUs must be given by the study, not searched",
                got=key,
                where=f"--search {key}",
            )


def _with_parent(rules: SpecRules, tree: Tree, checkpoint: str) -> Tree:
    if not checkpoint:
        return tree
    keys = rules.keys.weights
    if not keys:
        raise FixInput(
            f"no setting of {rules.action} takes a parent checkpoint",
            got=checkpoint,
            where=str(rules.skill.folder),
        )
    return with_settings(tree, dict.fromkeys(keys, checkpoint), "--parent-checkpoint")


def with_data(base: BaseSpec, data: Mapping[str, str]) -> BaseSpec:
    """The spec with the folders of its data; what the user set by key stays.

    Args:
        base: The spec.
        data: Split (``train``, ``val``, ``test``, ``inference``) to folder; empty if not given.

    Raises:
        FixInput: Data is given and no setting of the skill takes it.
    """
    given = {split: folder for split, folder in data.items() if folder}
    tree = with_inputs(base.tree, data_settings(base.rules, given), "data")
    return replace(base, tree=with_settings(tree, base.overrides, "--set"))


def with_params(base: Mapping[str, Any], params: Mapping[str, ParamValue]) -> Tree:
    """The spec of one trial: the base spec with the trial's parameters.

    Raises:
        FixInput: A parameter's key does not lead to a place in the spec.
    """
    return with_settings(base, params, "parameters")


def for_attempt(
    rules: SpecRules,
    base: Mapping[str, Any],
    params: Mapping[str, ParamValue],
    folder: Path,
    resume_from: Path | None = None,
) -> Tree:
    """The complete spec of one attempt.

    Args:
        rules: What the spec may hold.
        base: The study's base spec.
        params: The trial's parameters.
        folder: Absolute path of the attempt's folder; results go there and nowhere else.
        resume_from: Checkpoint to go on from, which then holds the pretrained weights too; None
            to start afresh.
    """
    tree = with_params(base, params)
    checkpoint = "" if resume_from is None else str(resume_from)
    settings = dict.fromkeys(rules.keys.results, str(folder))
    settings |= {key: checkpoint for key in rules.keys.resume if checkpoint or _is_set(tree, key)}
    if checkpoint:
        settings |= {key: "" for key in pretrained_settings(rules) if _is_set(tree, key)}
    return with_settings(tree, settings, "attempt")


def _is_set(tree: Mapping[str, Any], key: str) -> bool:
    return bool(get(tree, key, None))
