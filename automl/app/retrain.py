"""A trial's settings trained again as a plain training of its own, for as long as one likes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automl.app.inherited import inherited
from automl.app.plan import Plan, make_plan
from automl.app.request import PlanRequest
from automl.app.trial_choice import ChosenTrial, find_trial
from automl.errors import FixInput
from automl.files import sha256_of
from automl.skill.keys import NetworkKeys
from automl.skill.policy import Policy
from automl.skill.read import read_skill
from automl.skill.tree import get, whole_number
from automl.spec.values import parse_assignment
from automl.study.choice import Wanted, find_study
from automl.study.config import StudyConfig
from automl.study.folder import fresh_name, read_config
from automl.study.layout import StudyPaths
from automl.yamltext import load_yaml

__all__ = ["RetrainRequest", "SourceTrial", "choose", "plan_again", "plan_retrain", "rescaled"]


def _unheard(_: str) -> None:
    """For a caller that shows nothing."""


@dataclass(frozen=True, slots=True)
class RetrainRequest:
    """What a command line asks for.

    Attributes:
        studies_dir: Where studies are kept, the new one too.
        study: A study's name; None for the newest.
        trial: ``best``, ``baseline``, ``last`` or a number.
        epochs: Epochs to train; None for as many as the trial did.
        from_checkpoint: ``best``, ``last``, ``newest`` or an epoch: the trial's checkpoint that
            the training goes on from; empty to start afresh.
        name: Name of the new study; None for a fresh one.
        overrides: ``KEY=VALUE`` texts.
        command: The command line, program first.
        tell: Called with a sentence when something that takes a while begins.
    """

    studies_dir: Path
    study: str | None = None
    trial: str = "best"
    epochs: int | None = None
    from_checkpoint: str = ""
    name: str | None = None
    overrides: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    tell: Callable[[str], None] = _unheard


@dataclass(frozen=True, slots=True)
class SourceTrial:
    """The trial that is trained again."""

    paths: StudyPaths
    config: StudyConfig
    trial: ChosenTrial
    spec: Mapping[str, Any]


def choose(request: RetrainRequest) -> SourceTrial:
    """The trial that a request names.

    Raises:
        FixInput: There is no such study or trial, or its spec is broken.
    """
    paths = find_study(request.studies_dir, request.study, Wanted.TRAINED, request.tell)
    trial = find_trial(paths, request.trial)
    spec = load_yaml(trial.spec_path)
    if not isinstance(spec, dict):
        raise FixInput("a spec must be a mapping of settings", where=str(trial.spec_path))
    return SourceTrial(paths, read_config(paths), trial, spec)


def plan_retrain(request: RetrainRequest) -> tuple[Plan, tuple[str, ...]]:
    """The plan of a longer training of a trial's settings, and what was rescaled, in sentences.

    It starts afresh, not from the trial's weights, unless a checkpoint of the trial is named: then
    it goes on from that, its schedule is the checkpoint's, and nothing is rescaled.

    Raises:
        FixInput: The trial cannot be found, or the new settings do not fit.
    """
    chosen = choose(request)
    skill = read_skill(Path(chosen.config.skill_dir))
    key, old = skill.keys.epochs, _epochs_of(chosen, skill.keys)
    new = request.epochs or old
    asked = {parse_assignment(text)[0] for text in request.overrides}
    scaled = {} if request.from_checkpoint else rescaled(chosen.spec, skill.keys, new)
    settings = {name: value for name, value in scaled.items() if name not in asked}
    changes = tuple(
        f"{name} {get(chosen.spec, name)} -> {value}" for name, value in settings.items()
    )
    length = {} if key in asked else {key: new}
    plan = plan_again(request, chosen, "retrain", {**length, **settings})
    return plan, (f"{key} {old} -> {new}", *changes)


def _epochs_of(chosen: SourceTrial, keys: NetworkKeys) -> int:
    """The epochs that a trial was trained for."""
    if not keys.epochs:
        raise FixInput(
            "to train a trial again, the skill must say which setting holds the epochs",
            got="none that is known by its name",
            where=chosen.config.skill_dir,
            fix="name it in references/search_profile.yaml: keys: {epochs: KEY}",
        )
    epochs = whole_number(chosen.spec, keys.epochs)
    if epochs is None or epochs < 1:
        raise FixInput(
            f"{keys.epochs} of the trial must be a whole number from 1",
            got=repr(get(chosen.spec, keys.epochs, None)),
            where=str(chosen.trial.spec_path),
        )
    return epochs


def rescaled(spec: Mapping[str, Any], keys: NetworkKeys, new: int) -> dict[str, Any]:
    """Milestones and intervals for a training of another length, those alone that change.

    Milestones keep their share of the training. An interval does too, rounded down to one that
    divides the new length: the last epoch is then scored and kept.

    Args:
        spec: The spec of the training there was; without its epochs nothing changes.
        keys: Which settings mean what.
        new: The new training's epochs, from 1.
    """
    old = whole_number(spec, keys.epochs)
    if not old:
        return {}
    settings: dict[str, Any] = dict(_milestones(spec, keys, new / old))
    for key in _intervals(spec, keys):
        interval = whole_number(spec, key)
        if interval is not None:
            settings[key] = _divisor(new, max(1, round(interval * new / old)))
    return {key: value for key, value in settings.items() if get(spec, key) != value}


def _intervals(spec: Mapping[str, Any], keys: NetworkKeys) -> Iterator[str]:
    """The settings that hold an interval in epochs."""
    yield keys.validation_interval
    if not keys.checkpoint_unit or get(spec, keys.checkpoint_unit, "epoch") == "epoch":
        yield keys.checkpoint_interval


def _milestones(
    spec: Mapping[str, Any], keys: NetworkKeys, factor: float
) -> Iterator[tuple[str, list[int]]]:
    for key in keys.milestones:
        value = get(spec, key, None)
        is_list = isinstance(value, list) and all(type(entry) is int for entry in value)
        if is_list and value:
            yield key, sorted({max(1, round(entry * factor)) for entry in value})


def _divisor(number: int, most: int) -> int:
    """The largest divisor of ``number`` that is at most ``most``."""
    return max(each for each in range(1, min(number, most) + 1) if number % each == 0)


def plan_again(
    request: RetrainRequest, chosen: SourceTrial, word: str, settings: Mapping[str, Any]
) -> Plan:
    """The plan of one plain training from a trial's complete spec, which records its parent.

    Args:
        request: What was asked.
        chosen: The trial.
        word: What the new training is, for its name and its record.
        settings: Dotted spec key to value.

    Raises:
        FixInput: The settings do not fit.
    """
    plan = make_plan(
        PlanRequest(
            flags={"set": list(request.overrides)} if request.overrides else {},
            studies_dir=request.studies_dir,
            command=request.command,
            decided={**_as_it_was(request, chosen, word), "set": settings},
            decided_by=f"trial {chosen.trial.number} of {chosen.paths.folder.name}",
            tell=request.tell,
        )
    )
    parent = {**plan.provenance.get("parent", {}), **_record_of(chosen, word)}
    return replace(
        plan,
        config=replace(plan.config, trainer_options=dict(chosen.config.trainer_options)),
        request={**plan.request, "parent": parent},
        provenance={**plan.provenance, "parent": parent},
    )


def _record_of(chosen: SourceTrial, word: str) -> dict[str, Any]:
    """What a new training records of the trial that it comes from."""
    return {
        "made_by": word,
        "study": chosen.paths.folder.name,
        "folder": str(chosen.paths.folder),
        "trial": chosen.trial.number,
        "spec": chosen.paths.relative(chosen.trial.spec_path),
        "spec_sha256": sha256_of(chosen.trial.spec_path),
        "checkpoint_sha256": chosen.trial.sha256,
    }


def _as_it_was(request: RetrainRequest, chosen: SourceTrial, word: str) -> dict[str, Any]:
    """The settings of a trial's study as they are for one training: setting name to value."""
    hint = f"{chosen.paths.folder.name}-{word}-{chosen.trial.number}"
    point = f"{chosen.paths.folder.name}:{chosen.trial.number}@{request.from_checkpoint}"
    return {
        **inherited(chosen.config, chosen.trial.spec_path),
        "policy": Policy.OFF,
        "name": request.name or fresh_name(request.studies_dir, hint),
        **({"resume_from": point} if request.from_checkpoint else {}),
    }
