"""The studies of a folder at a glance, those that have ended from what was known of them before.

To read a study is to replay its journal; a folder of a thousand would take minutes. What is known
of a study that has ended is kept in the user's cache, and holds while its files are untouched.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import automl
from automl.app.glances import glance_at, mark_of
from automl.data.cache import cache_dir
from automl.errors import AutomlError
from automl.files import write_text
from automl.jsontext import read_json
from automl.reports.glance import Glance
from automl.reports.listing import StudyListing, unreadable
from automl.study.clock import utc_now
from automl.study.folder import epochs_of, list_studies
from automl.study.layout import StudyPaths
from automl.study.state import StudyStatus, read_state

__all__ = ["listings_of"]

FORMAT = 2
_ENDED = (StudyStatus.FINISHED, StudyStatus.FAILED)


def listings_of(studies_dir: Path) -> Sequence[StudyListing]:
    """Every study in a folder, the newest first; one that is broken is listed as such."""
    file = _cache_file(studies_dir)
    known = {} if file is None else _read(file)
    found: list[StudyListing] = []
    kept: dict[str, Any] = {}
    for paths in list_studies(studies_dir):
        name, marks = paths.folder.name, _marks(paths)
        before = known.get(name, {})
        listing = _remembered(before) if before.get("marks") == marks else None
        listing = _listing_of(paths) if listing is None else listing
        found.append(listing)
        if listing.status in _ENDED:
            kept[name] = {"marks": marks, "listing": listing.to_json()}
    if file is not None and kept != known:
        value = {"format": FORMAT, "version": automl.__version__, "studies": kept}
        with suppress(OSError, AutomlError):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_text(file, json.dumps(value))
    return found


def _listing_of(paths: StudyPaths) -> StudyListing:
    """One study; one that is broken is listed as such."""
    try:
        seen, _ = glance_at(paths, lambda: _read_glance(paths))
    except AutomlError as error:
        return unreadable(paths.folder.name, error)
    return seen.glance.listing


def _read_glance(paths: StudyPaths) -> Glance:
    from automl.reports.glancing import glance_of
    from automl.reports.summary import read_summary

    summary = read_summary(paths.folder)
    epochs = epochs_of(paths, summary.config.keys.epochs)
    return glance_of(summary, read_state(paths), utc_now(), epochs)


def _cache_file(studies_dir: Path) -> Path | None:
    try:
        digest = hashlib.sha256(str(studies_dir.resolve()).encode()).hexdigest()
        return cache_dir() / "listings" / f"{digest[:32]}.json"
    except (OSError, AutomlError):
        return None


def _read(file: Path) -> Mapping[str, Any]:
    """What an earlier look kept; nothing where it cannot be read, or is another version's."""
    try:
        value = read_json(file, follow=False)
        is_ours = (value["format"], value["version"]) == (FORMAT, automl.__version__)
        return dict(value["studies"]) if is_ours else {}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def _remembered(known: Mapping[str, Any]) -> StudyListing | None:
    try:
        return StudyListing.from_json(known["listing"])
    except (ValueError, LookupError, TypeError):
        return None


def _marks(paths: StudyPaths) -> list[list[int]]:
    """What changes when a study's driver, or anybody else, writes to it."""
    return [
        mark_of(path)
        for path in (paths.resolved, paths.journal, paths.state, paths.lock, paths.best)
    ]
