"""What a command line asks for, and the record of it that a study keeps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl.app.drift import files_of
from automl.app.study_settings import STUDY_SETTINGS
from automl.data.checks import SplitFacts
from automl.data.split_digest import split_digest
from automl.data.staging import Transfer, is_remote
from automl.settings.environment import variable_of
from automl.settings.secret import concealing
from automl.settings.study_file import StudyFile
from automl.skill.model import Skill
from automl.study.config import StudyConfig
from automl.study.provenance import Inputs, collect_provenance

__all__ = ["PlanRequest", "as_given", "provenance_of", "public_command"]


def _unheard(_: str) -> None:
    """For a caller that shows nothing."""


def _unseen(_done: int, _total: int) -> None:
    """For a caller that shows no progress."""


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What a command line asks for.

    Attributes:
        flags: Setting name to the flag's text, or texts; None for a flag that was not given.
        study_file: The study file, if one was named.
        demo: Whether the packaged demonstration is asked for.
        studies_dir: Where studies are kept.
        command: The command line, program first.
        environment: Variables of the process that may give settings.
        decided: Setting name to typed value, of what a command decides itself; these win.
        decided_by: That command, as the origin of these values.
        tell: Called with a sentence when something that takes a while begins.
        transfer: Called with the bytes that have been brought from another machine, and of how
            many.
    """

    flags: Mapping[str, Any] = field(default_factory=dict)
    study_file: Path | None = None
    demo: bool = False
    studies_dir: Path = Path("studies")
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    decided: Mapping[str, Any] = field(default_factory=dict)
    decided_by: str = ""
    tell: Callable[[str], None] = _unheard
    transfer: Transfer = _unseen


def _conceal(request: PlanRequest, file: StudyFile | None) -> Callable[[str], str]:
    """What puts something that anybody may read in the place of secrets in a text."""
    secret = [one for one in STUDY_SETTINGS if one.is_secret]
    given = [request.flags.get(one.name) for one in secret]
    given += [file.values.get(one.file_key) for one in secret if file is not None]
    texts = (
        text for each in given if each for text in ([each] if isinstance(each, str) else each)
    )
    return concealing(map(str, texts))


def public_command(request: PlanRequest, file: StudyFile | None) -> tuple[str, ...]:
    """The command line without secrets."""
    return tuple(map(_conceal(request, file), request.command))


def as_given(request: PlanRequest, file: StudyFile | None) -> dict[str, Any]:
    """The request as it was made, for the study's own record; secrets are concealed."""
    given: dict[str, Any] = _mapped(_as_given(request, file), _conceal(request, file))
    return given


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """A plain value with each of its texts changed."""
    if isinstance(value, Mapping):
        return {key: _mapped(entry, change) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_mapped(entry, change) for entry in value]
    return change(value) if isinstance(value, str) else value


def _as_given(request: PlanRequest, file: StudyFile | None) -> dict[str, Any]:
    flags = {name: value for name, value in request.flags.items() if value is not None}
    decided = {"decided": _plain(request.decided)} if request.decided else {}
    variables = filter(None, map(variable_of, STUDY_SETTINGS))
    by_variable = {name: text for name in variables if (text := request.environment.get(name))}
    if by_variable:
        decided["environment"] = by_variable
    return {
        "command": list(request.command),
        "flags": flags,
        **decided,
        "study_file": str(file.path) if file else None,
        "settings": dict(file.values) if file else {},
        "text": file.text if file else "",
    }


def _plain(value: Any) -> Any:
    """A typed value as YAML can hold it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    return value if isinstance(value, bool | int | float | None) else str(value)


def provenance_of(
    command: tuple[str, ...], skill: Skill, config: StudyConfig, data: Mapping[str, SplitFacts]
) -> dict[str, Any]:
    """Versions, hashes, host, seeds and the facts of the data that training reads."""
    facts = {
        split: {
            "folder": str(each.root),
            "images": each.images,
            "objects": each.objects,
            "categories": dict(each.categories),
            "digest": split_digest(each.root),
            **_brought(config.origin.get(f"data.{split}", "")),
        }
        for split, each in data.items()
    }
    return collect_provenance(Inputs(command, config.search.seed, files_of(skill), facts))


def _brought(origin: str) -> dict[str, str]:
    """Where a split was brought from, with its mark and hash; empty for one that was here."""
    return {"from": origin} if is_remote(origin) else {}
