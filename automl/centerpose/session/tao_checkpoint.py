"""Checkpoints of this program in the form of the container's, and read again as they were.

``train.checkpoint_format: tao`` writes what Lightning writes in the container: its key names with
their prefix, ``epoch``, ``global_step``, and the release whose form the file has. There is no
block of hyperparameters in the container's own files either: it builds the network from the spec.
All that this program resumes from lies in a block of its own, which the container passes over, so
that a resumed training equals an uninterrupted one whichever the form.
"""

from collections.abc import Mapping
from typing import Any, Final

from automl.centerpose.session.tao_weights import of_tao, to_tao

__all__ = ["LIGHTNING", "OWN", "PREFIX", "TAO", "in_own_form", "in_tao_form"]

OWN: Final = "own"
TAO: Final = "tao"
PREFIX: Final = "model."
LIGHTNING: Final = {"pytorch-lightning_version": "2.0.0"}
"""Of the release whose form the file has; the container's loader asks for one."""

_BLOCK: Final = "automl"
_SHARED: Final = ("epoch", "global_step")
_WEIGHTS: Final = "state_dict"


def in_tao_form(content: Mapping[str, Any]) -> dict[str, Any]:
    """A checkpoint's content as the container would write it, with ours in a block of its own.

    Args:
        content: Of a training of DLA34 or a FAN, weights under our names with ``PREFIX``.

    Raises:
        KeyError: It is of another network.
    """
    ours = {n.removeprefix(PREFIX): w for n, w in content[_WEIGHTS].items()}
    kept = {name: value for name, value in content.items() if name not in (*_SHARED, _WEIGHTS)}
    return {
        **{name: content[name] for name in _SHARED},
        **LIGHTNING,
        _WEIGHTS: {f"{PREFIX}{name}": value for name, value in to_tao(ours).items()},
        _BLOCK: kept,
    }


def in_own_form(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content that ``in_tao_form`` was given, bit for bit; any other content as it is."""
    block = content.get(_BLOCK)
    if not isinstance(block, Mapping) or not isinstance(content.get(_WEIGHTS), Mapping):
        return dict(content)
    weights = {f"{PREFIX}{name}": value for name, value in of_tao(content[_WEIGHTS]).items()}
    return {**block, **{name: content[name] for name in _SHARED}, _WEIGHTS: weights}
