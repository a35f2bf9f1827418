"""What ``best/`` of a study says of itself: ``provenance.json``, read strictly."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from automl.jsontext import read_json
from automl.study.layout import StudyPaths

__all__ = ["BEST_FORMAT", "read_best"]

BEST_FORMAT = 1
_LONGEST_NAME = 255


def read_best(paths: StudyPaths) -> tuple[Mapping[str, Any] | None, str]:
    """What ``best/`` holds, and a note if its file says nothing that can be trusted.

    Returns:
        The content and an empty note; None if there is nothing, or with a note if it is broken: it
        then counts as absent, and the next driver writes it again.
    """
    try:
        value = read_json(paths.best_provenance, follow=False)
        _check(value)
    except FileNotFoundError:
        return None, ""
    except (OSError, ValueError, TypeError, LookupError) as error:
        return None, f"{paths.best_provenance} counts as absent: {error}"
    return value, ""


def _check(value: Any) -> None:
    if value["format"] != BEST_FORMAT or type(value["trial"]) is not int:
        raise ValueError("it names no trial")
    for name in ("checkpoint", "checkpoint_sha256"):
        word = value.get(name)
        if word is not None and not (isinstance(word, str) and _is_name(word)):
            raise ValueError(f"its {name} is no name")


def _is_name(word: str) -> bool:
    fits = len(word.encode(errors="replace")) <= _LONGEST_NAME
    return fits and PurePath(word).name == word and "\0" not in word
