"""Settings that TAO would fill in and that nothing fills in here, for the reader of a plan."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from automl.skill.model import WeightLink
from automl.skill.tree import Tree, get
from automl.spec.inferred import function_names, unknown_functions
from automl.spec.rules import SpecRules

__all__ = ["fetch_command", "link_note", "unfilled_notes"]

#: What TAO fills in from its own registry of pretrained weights, which nobody here asks.
_OF_THE_REGISTRY = ("ptm", "parent_model_or_ptm")


def unfilled_notes(rules: SpecRules, tree: Tree, overrides: Mapping[str, Any]) -> tuple[str, ...]:
    """One sentence for each setting that keeps its template's value and that the user left out.

    Args:
        rules: What the spec may hold; says which function fills in which setting.
        tree: What the spec begins with.
        overrides: What the user set, by long key.
    """
    return tuple(_notes(rules, tree, overrides))


def _notes(rules: SpecRules, tree: Tree, overrides: Mapping[str, Any]) -> Iterator[str]:
    for key, name in unknown_functions(rules).items():
        if key not in overrides:
            yield (
                f"{_kept(tree, key)}: the skill fills it in by {name}, which is not known here;"
                f" --set {key}=VALUE gives it"
            )
    for key, name in function_names(rules).items():
        if name in _OF_THE_REGISTRY and key not in overrides and not get(tree, key, None):
            yield (
                f"{_kept(tree, key)}: TAO would take pretrained weights from its registry;"
                f" --set {key}=PATH gives them"
            )


def _kept(tree: Tree, key: str) -> str:
    value = get(tree, key, None)
    shown = "empty" if value in (None, "") else value
    return f"{key} stays {shown}, as the template has it"


def fetch_command(link: WeightLink) -> str:
    """A command that a person could type to fetch a linked file into the current folder."""
    if urlsplit(link.address).scheme in ("http", "https"):
        return shlex.join(["curl", "-L", "-o", file_name(link), link.address])
    return f"fetch {link.address}"


def file_name(link: WeightLink) -> str:
    """What a linked file is called."""
    for path in (link.destination, urlsplit(link.address).path):
        name = PurePosixPath(path).name
        if name:
            return name
    return "weights"


def link_note(key: str, link: WeightLink) -> str:
    """What to say of a linked file that was not fetched."""
    inside = f", at {link.destination} in the container" if link.destination else ""
    return (
        f"{key}: the skill names a file for it{inside}; --fetch-weights brings it, or do so"
        f" yourself ({fetch_command(link)}) and give --set {key}=PATH"
    )
