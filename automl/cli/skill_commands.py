"""``automl skills``: what the skills of a folder offer."""

import argparse
import json
import sys
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

from automl.cli.paths import shown

if TYPE_CHECKING:
    from automl.app.skills import SkillListing

__all__ = ["skills"]

_WIDTH = 100
_MARGIN = " " * 12


def skills(arguments: argparse.Namespace) -> int:
    """Lists every skill below a folder; one that is broken is listed with the reason."""
    from automl.app.skills import list_skills
    from automl.skill.read import own_skill_dir

    folder = arguments.folder.expanduser()
    listings = list_skills(folder)
    if arguments.json:
        value = {
            "schema": "automl.skills/1",
            "folder": str(folder.absolute()),
            "skills": [listing.to_json() for listing in listings],
        }
        print(json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False))
        return 0
    if not listings:
        own = own_skill_dir()
        said = f"no skills in {shown(folder)}; without --skill-dir the packaged one is used"
        print(said, file=sys.stderr)
        listings = tuple(replace(each, path=str(own)) for each in list_skills(own))
    print("\n\n".join(_text(listing) for listing in listings))
    runnable = sum(listing.runnable for listing in listings)
    enabled = sum(listing.automl_enabled is True for listing in listings)
    print(f"\nskills: {len(listings)}, automl_enabled: {enabled}, runnable: {runnable}")
    return 0


def _text(listing: "SkillListing") -> str:
    enabled = {True: "yes", False: "no", None: "unknown"}[listing.automl_enabled]
    lines = [
        f"{listing.name}  ({listing.path})",
        f"  enabled   {enabled}",
        _wrapped("runnable", "yes" if listing.runnable else f"no: {listing.why_not}"),
        _wrapped("actions", ", ".join(listing.actions) or "none"),
        _wrapped("default", ", ".join(listing.default_parameters) or "none"),
        f"  metric    {listing.metric}",
    ]
    return "\n".join(lines)


def _wrapped(name: str, text: str) -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=f"  {name.ljust(8)}  ",
        subsequent_indent=_MARGIN,
        break_long_words=False,
        break_on_hyphens=False,
    )
