"""Checkpoints that TAO encrypted, refused wherever one is named, before anything is started."""

from collections.abc import Iterable
from pathlib import Path

from automl.app.networks import network_of
from automl.checkpointfile import check_not_encrypted
from automl.skill.model import Skill
from automl.skill.tree import Tree, get

__all__ = ["refuse_encrypted"]

_KEY = "encryption_key"


def refuse_encrypted(
    skill: Skill, tree: Tree, named: Iterable[tuple[str, Path]], *, in_container: bool
) -> None:
    """Refuses those among the named files that nothing here can read.

    The trainer of this package reads no encrypted file. A container reads one with its key; of a
    network that is not known here nobody can tell what its files are.

    Args:
        skill: Whose network.
        tree: The spec, which holds the key if there is one.
        named: Who names a file, and the file; one that is not there is passed over.
        in_container: Whether a container reads it.

    Raises:
        FixData: One is encrypted.
    """
    if network_of(skill) is None or (in_container and get(tree, _KEY, None)):
        return
    for where, path in named:
        if path.is_file():
            check_not_encrypted(path, where)
