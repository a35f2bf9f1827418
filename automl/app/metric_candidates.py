"""Which metrics a skill's training may be judged by, where nobody has named one."""

import re
from collections.abc import Iterator
from pathlib import Path

from automl.skill.model import Skill
from automl.trainers.contract import STATUS_NAME
from automl.trainers.status import StatusReader

__all__ = ["metric_candidates"]

_PAGE = "SKILL.md"
_NAMED = re.compile(r"Monitoring metric:?\**:?[ \t]*(.{1,200})")
_WORD = re.compile(r"[A-Za-z][\w/@.-]*")
_MOST_BYTES = 1 << 20
_MOST_FILES = 20


def metric_candidates(skill: Skill) -> tuple[str, ...]:
    """Names of metrics, best first: those of the skill's page, then of status files below it."""
    found = (*_of_page(skill.folder / _PAGE), *_of_status_files(skill.folder))
    return tuple(dict.fromkeys(found))


def _of_page(page: Path) -> Iterator[str]:
    if not page.is_file():
        return
    with page.open(encoding="utf-8", errors="replace") as file:
        match = _NAMED.search(file.read(_MOST_BYTES))
    if match is not None:
        text = match[1].strip().replace("`", "")
        names = (part.strip() for part in re.split(r"[,;]", text))
        yield from (name[0] for part in names if (name := _WORD.match(part)))


def _of_status_files(folder: Path) -> Iterator[str]:
    files = sorted(folder.rglob(STATUS_NAME))[:_MOST_FILES]
    for path in files:
        reader = StatusReader(path)
        for reading in reader.read(final=True):
            yield from sorted(reading.validation)
