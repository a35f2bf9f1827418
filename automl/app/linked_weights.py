"""Files that a skill names by an address: brought here once where the user agrees."""

from collections.abc import Callable
from dataclasses import replace

from automl.app.study_settings import FETCH_WEIGHTS
from automl.data.cache import cache_dir
from automl.data.staging import Transfer, stage
from automl.errors import FixInput, InstallExtra
from automl.settings.layers import Settings
from automl.spec.build import BaseSpec
from automl.spec.sources import with_settings
from automl.spec.unfilled import link_note

__all__ = ["with_linked_weights"]


def with_linked_weights(
    base: BaseSpec, settings: Settings, tell: Callable[[str], None], transfer: Transfer
) -> BaseSpec:
    """The spec with the files that its skill links to, or with the notes how to get them.

    What the user has set by key stays, and nothing is fetched for it.

    Args:
        base: The spec.
        settings: Says whether files may be fetched.
        tell: Called with a sentence when a transfer begins.
        transfer: Called with how far it is.

    Raises:
        FixInput: Nothing is at an address, or it may not be read.
        InstallExtra: The scheme needs a package that is not installed.
        PrepareMachine: The cache is too small, or the connection failed.
    """
    info = base.rules.skill.actions.get(base.rules.action)
    links = info.links if info is not None else {}
    notes: list[str] = []
    brought: dict[str, str] = {}
    for key, link in links.items():
        if key in base.overrides:
            continue
        if not settings[FETCH_WEIGHTS]:
            notes.append(link_note(key, link))
            continue
        tell(f"{key} is brought from {link.address}, once")
        try:
            staged = stage(link.address, cache_dir(), transfer)
        except InstallExtra:
            raise
        except FixInput as error:
            where = f"{key}, linked by the skill {base.rules.skill.name}"
            raise FixInput(error.rule, got=error.got, where=where, fix=error.fix) from error
        brought[key] = str(staged.path)
        notes.append(f"{key}: {staged}")
    tree = with_settings(base.tree, brought, "spec_params")
    return replace(base, tree=tree, notes=(*base.notes, *notes))
