"""Every setting of a run with the place that its value came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from automl.app.choices import choose_objective
from automl.app.planner import Planner
from automl.app.request import PlanRequest
from automl.settings.secret import concealed
from automl.settings.setting import Setting
from automl.skill.tree import leaves
from automl.study.config import StudyConfig

__all__ = ["Effective", "effective_of_request", "effective_of_study"]

_SPEC = "spec"


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting as a run has it.

    Attributes:
        group: Heading that it stands under.
        name: As a study file calls it; a spec's dotted key under ``spec``.
        value: Its value.
        origin: ``--flag``, the study file, ``default``, the skill or its template.
    """

    group: str
    name: str
    value: Any
    origin: str

    @property
    def is_given(self) -> bool:
        """Whether a person gave it, by a flag or a study file."""
        return self.origin not in ("default", "") and not self.origin.startswith("skill")


def effective_of_request(request: PlanRequest, *, spec: bool) -> tuple[Effective, ...]:
    """The settings that a command line gives, before any data is looked at.

    Args:
        request: What was asked for.
        spec: Whether every key of the spec is wanted, not only those that were set.

    Raises:
        FixInput: A flag, the study file, the skill or the spec breaks a rule.
    """
    planner = Planner.of(request)
    settings, skill = planner.settings, planner.skill
    objective = choose_objective(settings, skill)
    found = {
        "skill_dir": (str(skill.folder), "skill of this package"),
        "metric": (objective.metric, f"skill {skill.name}"),
        "direction": (str(objective.direction), f"skill {skill.name}"),
        "policy": (str(planner.policy.value), planner.policy.source),
    }
    rows = []
    for name, setting in settings.table.items():
        if name in ("set", "request"):
            continue
        value, origin = settings[name], settings.origin(name)
        if setting.is_secret:
            value = [concealed(each) for each in value]
        if name in found and not settings.is_given(name):
            value, origin = found[name]
        rows.append(Effective(setting.group, _name(setting), _plain(value), origin))
    return (*rows, *_spec_rows(planner, spec=spec))


def _name(setting: Setting) -> str:
    return setting.file_key or setting.name


def _spec_rows(planner: Planner, *, spec: bool) -> Iterator[Effective]:
    base = planner.base_spec()
    by_key = {
        base.rules.long_key(key): place
        for place, block in reversed(list(planner.settings.said("set")))
        for key in block
    }
    for key, value in leaves(base.tree):
        origin = by_key.get(key) or (
            f"{by_key_prefix}" if (by_key_prefix := _within(key, by_key)) else ""
        )
        if origin or spec:
            yield Effective(_SPEC, key, _plain(value), origin or f"skill: {base.source}")


def _within(key: str, by_key: Mapping[str, str]) -> str:
    """Where a group that holds the key was set; empty where none was."""
    return next((place for each, place in by_key.items() if key.startswith(f"{each}.")), "")


def _plain(value: Any) -> Any:
    """A typed value as JSON can hold it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    return value if isinstance(value, bool | int | float | None) else str(value)


def effective_of_study(config: StudyConfig) -> tuple[Effective, ...]:
    """The settings that a study was begun or went on with, by its own record."""
    known = _fields(config)
    rows = [
        Effective("", name, known.get(name), origin)
        for name, origin in config.origin.items()
        if name in known
    ]
    spec = [Effective(_SPEC, key, _plain(value), config.origin.get("set", "set"))
            for key, value in config.overrides.items()]  # fmt: skip
    return (*rows, *spec)


def _fields(config: StudyConfig) -> dict[str, Any]:
    """Setting name to value: the fields of the configuration and of its parts."""
    whole = config.to_json()
    flat: dict[str, Any] = {}
    for block in ("search", "limits", "resources", "trainer_options", "objective"):
        flat |= whole[block]
    flat |= {f"data.{split}": folder for split, folder in whole["data"].items()}
    flat |= {name.removesuffix("_s"): value for name, value in flat.items() if name.endswith("_s")}
    plain = {name: value for name, value in whole.items() if not isinstance(value, dict)}
    return {**flat, **plain, "gpus": whole["resources"]["gpu_ids"]}
