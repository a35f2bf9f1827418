"""Whether a study's skill still gives the search space that the study began with."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.app.trainer_choice import program_of
from automl.data.split_digest import split_digest
from automl.errors import FixInput, ResolveConflict
from automl.files import sha256_of
from automl.skill.model import Skill
from automl.skill.read import profile_path, read_action_schema, read_profile_of
from automl.skill.tree import Tree
from automl.space.build import build_space
from automl.space.diff import changes
from automl.space.model import Ceiling, SearchSpace
from automl.space.request import SpaceRequest
from automl.space.source import space_source
from automl.study.config import StudyConfig
from automl.study.folder import read_base_spec, read_provenance, read_space
from automl.study.layout import StudyPaths

__all__ = ["Drift", "check_drift", "files_of"]


@dataclass(frozen=True, slots=True)
class Drift:
    """How the space of a study differs from what its skill gives now.

    Attributes:
        lines: One line for each difference; empty if both propose the same.
        files: Names of the skill's files that are not what they were.
    """

    lines: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know when the study goes on all the same."""
        notes = tuple(f"the study keeps the space it began with, not {one}" for one in self.lines)
        if self.files and not self.lines:
            names = ", ".join(self.files)
            return (f"changed since the study began, with the same search space: {names}",)
        return notes


def files_of(skill: Skill) -> dict[str, Path]:
    """The files of a skill that decide what is searched, by what they are called."""
    return {
        "train schema": skill.schema_path("train"),
        "train template": skill.template_path("train"),
        "search profile": profile_path(skill),
    }


def check_drift(
    paths: StudyPaths, config: StudyConfig, skill: Skill, *, accept: bool = False
) -> tuple[str, ...]:
    """Sentences for the reader, once it is known that a study may go on.

    Args:
        paths: The study.
        config: What it was resolved to.
        skill: Its skill, as it is now.
        accept: Whether to go on with the stored space although the skill gives another one now,
            and with data that was changed.

    Raises:
        ResolveConflict: The skill gives another space now, or the data is not what it was; the
            error shows each difference.
    """
    same, changed = _data(read_provenance(paths))
    if changed and not accept:
        raise ResolveConflict(
            "a study must be resumed on the data that it began with",
            got="other files:",
            lines=tuple(changed),
            where=str(paths.provenance),
            fix=f"restore the data, start a new study, or go on all the same: automl resume "
            f"{shlex.quote(paths.folder.name)} --accept-drift",
        )
    notes = tuple(f"values are not comparable any more: {line}" for line in changed)
    notes += (f"unchanged since the study began: {', '.join(same)}",) if same else ()
    return (*notes, *(_drift_of_space(paths, config, skill, accept=accept)))


def _data(provenance: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The splits whose files are what they were, and those whose files are not, in words.

    What lies elsewhere, or was begun by a version that noted no digest, is not judged.
    """
    same, changed = [], []
    splits = provenance.get("data")
    for split, facts in splits.items() if isinstance(splits, Mapping) else ():
        digest, folder = (str(facts.get(name) or "") for name in ("digest", "folder"))
        if not digest or not folder or not Path(folder).is_dir():
            continue
        if split_digest(Path(folder)) == digest:
            same.append(f"{split} data")
        else:
            changed.append(f"! {split} data: files of {folder} came, went or changed their size")
    return same, changed


def _drift_of_space(
    paths: StudyPaths, config: StudyConfig, skill: Skill, *, accept: bool
) -> tuple[str, ...]:
    if not config.searches:
        return ()
    drift = _drift(paths, config, skill)
    if drift.lines and not accept:
        because = f"; changed files: {', '.join(drift.files)}" if drift.files else ""
        raise ResolveConflict(
            "a study must be resumed over the search space that it began with",
            got="another one:",
            lines=drift.lines,
            where=f"{paths.space} against {skill.folder}{because}",
            fix=f"restore the skill, start a new study, or keep the stored space: automl resume "
            f"{shlex.quote(paths.folder.name)} --accept-drift",
        )
    return drift.notes


def _drift(paths: StudyPaths, config: StudyConfig, skill: Skill) -> Drift:
    value = read_space(paths)
    stored = SearchSpace.from_json(value)
    lines = [] if value.get("digest") == stored.digest else [f"! {paths.space.name} was edited"]
    try:
        now = _space_now(config, skill, read_base_spec(paths), value)
    except FixInput as error:
        lines.append(f"! it cannot be made any more: {error}")
    else:
        lines += changes(stored, now)
    return Drift(tuple(lines), _changed_files(read_provenance(paths), skill))


def _space_now(
    config: StudyConfig, skill: Skill, base: Tree, stored: Mapping[str, Any]
) -> SearchSpace:
    """The space of the same request over the same spec and data, by the skill as it is now."""
    name, profile = space_source(config.search.space, read_profile_of(skill))
    search = config.search
    request = SpaceRequest(name, search.search, search.freeze, skill.shorthand, skill.keys)
    ceilings = tuple(Ceiling(**one) for one in stored.get("ceilings", ()))
    schema = read_action_schema(skill, "train")
    return build_space(schema, base, request, profile, ceilings, program_of(config))


def _changed_files(provenance: Mapping[str, Any], skill: Skill) -> tuple[str, ...]:
    known = provenance.get("files", {})
    return tuple(
        name
        for name, path in files_of(skill).items()
        if name in known and (not path.is_file() or sha256_of(path) != known[name]["sha256"])
    )
