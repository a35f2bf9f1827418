"""``spec_params`` of a skill's metadata: what fills in a setting that the caller leaves out.

The published skills write three things there: the name of a function (``parent_model``), a plain
value, and a mapping that names a file to fetch (``link``) and where the container expects it
(``destination_path``). None of them is refused because it is not known here: a setting that
nothing fills in keeps what its template has.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automl.errors import FixInput
from automl.skill.model import WeightLink

__all__ = ["SpecParams", "spec_params_in"]

_LINK = "link"
_DESTINATION = "destination_path"
#: What a function can be called; any other text is a value, as ``MonoDataset`` is, a class.
_NAME = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class SpecParams:
    """What the metadata says of the settings of one action, by dotted key.

    Attributes:
        functions: Names of functions.
        constants: Plain values.
        links: Files to fetch.
    """

    functions: Mapping[str, str]
    constants: Mapping[str, Any]
    links: Mapping[str, WeightLink]


def spec_params_in(block: Mapping[str, Any], where: str) -> SpecParams:
    """The three kinds of entries of a block apart; an empty entry says nothing.

    Raises:
        FixInput: A mapping names no link.
    """
    given = {str(key): value for key, value in block.items() if value not in (None, "")}
    links = {key: _link(key, v, where) for key, v in given.items() if isinstance(v, Mapping)}
    functions = {key: v for key, v in given.items() if isinstance(v, str) and _NAME.fullmatch(v)}
    others = given.keys() - links.keys() - functions.keys()
    return SpecParams(functions, {key: given[key] for key in given if key in others}, links)


def _link(key: str, entry: Mapping[str, Any], where: str) -> WeightLink:
    address = entry.get(_LINK)
    if not isinstance(address, str) or not address.strip():
        raise FixInput(
            f"a mapping in spec_params must give a {_LINK}",
            got=f"{key}: {dict(entry)!r}"[:120],
            where=where,
            fix=f"write {{{_LINK}: ADDRESS, {_DESTINATION}: PATH}}",
        )
    return WeightLink(address.strip(), str(entry.get(_DESTINATION) or ""))
