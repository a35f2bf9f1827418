"""Weights that a fresh training begins with: of a whole network, or of its backbone alone.

A file may hold a plain state dict, or one under ``state_dict`` or ``model``. Its names may carry
the prefixes ``module.`` and ``model.``, and may be those of the container or of the published
backbones.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor, nn

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.session.checkpoints import is_state_dict, load_plain, put_weights
from automl.centerpose.session.tao_weights import backbone_of_tao, of_tao
from automl.errors import FixData

__all__ = ["load_pretrained", "read_weights"]

_PLACES = ("state_dict", "model")  # where a file may keep its weights
_PREFIXES = ("module.", "model.")  # of a parallel wrapper, and of the container's checkpoints
_BACKBONE = "backbone."
_PYRAMID = ("norms.", "last.")  # of a FAN's backbone


def load_pretrained(network: nn.Module, spec: Experiment, say: Callable[[str], None]) -> None:
    """Loads what the spec names, and says how much of the file matched.

    ``train.pretrained_model_path`` holds a backbone as well, so it goes before
    ``model.backbone.pretrained_backbone_path``. The latter is read wherever it is set, whatever
    ``model.use_pretrained`` says.

    Args:
        network: A fresh network; changed in place.
        spec: The whole spec.
        say: Writes a line to the log.

    Raises:
        FixData: A file is no state dict, or does not fit; the message names the layers.
    """
    whole, backbone = spec.train.pretrained_model_path, spec.model.backbone
    if whole:
        weights = of_tao(read_weights(Path(whole)))
        put_weights(network, weights, Path(whole))
        say(_report("train.pretrained_model_path", whole, len(weights), 0))
    elif backbone.pretrained_backbone_path:
        path = Path(backbone.pretrained_backbone_path)
        weights = read_weights(path)
        own = backbone_of_tao(backbone_part(weights))
        part = network.get_submodule(_BACKBONE.rstrip("."))
        fresh = _unpublished(part, own)
        put_weights(part, own | fresh, path)
        key = "model.backbone.pretrained_backbone_path"
        n_left = max(0, len(weights) - len(own))
        say(_report(key, str(path), len(own), n_left, len(fresh)))


def read_weights(path: Path) -> dict[str, Tensor]:
    """The state dict in a file, without the prefixes of a wrapper.

    Raises:
        FixData: There is no such file, it is broken, or it holds no state dict.
    """
    content = load_plain(path)
    for place in _PLACES:
        if isinstance(content, dict) and isinstance(content.get(place), dict):
            content = content[place]
            break
    if not content or not is_state_dict(content):
        raise FixData(
            "pretrained weights must be a state dict: tensors by name, at the top of the file or "
            f"under {' or '.join(_PLACES)}",
            got=f"a file that holds a {type(content).__name__} of something else",
            where=str(path),
            fix="name the file that a training saved",
        )
    return {_bare(name): value for name, value in content.items()}


def backbone_part(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The backbone's weights: of a whole network's those under ``backbone.``, else all."""
    inside = {
        name.removeprefix(_BACKBONE): value
        for name, value in weights.items()
        if name.startswith(_BACKBONE)
    }
    return inside or dict(weights)


def _unpublished(part: nn.Module, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What a FAN published for ImageNet lacks, as it is: the parts that make a pyramid of it."""
    own = part.state_dict()
    lacking = {name for name in own if name not in given}
    pyramid = {name for name in own if name.startswith(_PYRAMID)}
    return {name: own[name] for name in lacking} if lacking == pyramid else {}


def _bare(name: str) -> str:
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _report(key: str, path: str, n_matched: int, n_left: int, n_fresh: int = 0) -> str:
    rest = f", {n_left} of other parts of the network left out" if n_left else ""
    begun = f", {n_fresh} that no published file has begin anew" if n_fresh else ""
    return f"{key}: {n_matched} layers matched, 0 missing, 0 unexpected{rest}{begun} ({path})"
