"""Checkpoints: written whole or not at all, found again, refused by name where broken."""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from automl.centerpose.session.tao_weights import of_tao
from automl.checkpointfile import check_checkpoint_file, check_not_encrypted, encrypted
from automl.errors import FixData
from automl.files import replaced
from automl.trainers.contract import (
    CHECKPOINT_SUFFIXES,
    LATEST_NAME,
    LATEST_PATTERN,
    CheckpointName,
)

__all__ = [
    "FORMAT",
    "is_state_dict",
    "latest_in",
    "load_plain",
    "load_weights",
    "put_weights",
    "read_checkpoint",
    "save_checkpoint",
    "weights_of",
]

FORMAT = 1
_PREFIX = "model."  # of the weights' names, as the container writes them
_SHOWN = 5  # names in a message
_ENCRYPTED = "state_dict_encrypted"  # a mark of the container's older releases


def save_checkpoint(folder: Path, name: CheckpointName, content: Mapping[str, Any]) -> Path:
    """Writes a checkpoint and moves the relative link to the latest one onto it.

    Args:
        folder: Results folder of the training.
        name: Epoch and step it was reached at.
        content: Tensors, numbers, texts, lists and dictionaries of them.
    """
    path = folder / str(name)
    with replaced(path) as temporary:
        torch.save({"format": FORMAT, **content}, temporary)
    link = folder / LATEST_NAME
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(path.name)
    fresh.replace(link)
    return path


def latest_in(folder: Path) -> Path | None:
    """The checkpoint that the folder's latest link leads to, or None if it has no such link.

    Raises:
        FixData: The link leads nowhere.
    """
    for link in sorted(folder.glob(LATEST_PATTERN)):
        if not link.exists():
            raise FixData(
                "the link to the latest checkpoint must lead to a file",
                got=str(link.readlink()) if link.is_symlink() else "nothing",
                where=str(link),
                fix="remove the link to start anew",
            )
        return link.resolve()
    return None


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, on the CPU; nothing in the file is executed.

    Raises:
        FixData: There is no such file, it is truncated, or it holds no weights by name.
    """
    if path.suffix not in CHECKPOINT_SUFFIXES:
        if path.is_file():
            check_not_encrypted(path)
        rule = f"a checkpoint's name must end in {' or '.join(CHECKPOINT_SUFFIXES)}"
        raise FixData(rule, got=path.name, where=str(path))
    content = load_plain(path)
    weights = content.get("state_dict") if isinstance(content, dict) else None
    if not is_state_dict(weights):
        raise FixData(
            "a checkpoint must hold a state_dict: tensors by name",
            got=_kind_of(content, weights),
            where=str(path),
            fix="name the file that a training saved",
        )
    return dict(content)


def is_state_dict(value: object) -> bool:
    """Whether a value is weights by name."""
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(weight, Tensor) for name, weight in value.items()
    )


def _kind_of(content: object, weights: object) -> str:
    if weights is not None:
        return f"a state_dict that is {type(weights).__name__} or holds something else"
    if isinstance(content, Mapping):
        return f"one of {len(content)} other entries"
    return f"a file that holds a {type(content).__name__}"


def load_plain(path: Path) -> Any:
    """What ``torch.save`` wrote, on the CPU; nothing in the file is executed.

    Raises:
        FixData: There is no such file, it is truncated or encrypted, or it holds more than plain
            data.
    """
    check_checkpoint_file(path)
    check_not_encrypted(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        raise _broken(path, error) from error
    except (pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise _broken(path, error) from error
    if isinstance(content, dict) and content.get(_ENCRYPTED):
        raise encrypted(path)
    return content


def _broken(path: Path, error: Exception) -> FixData:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return FixData(
        "a checkpoint must be whole and hold plain tensors",
        got=f"a file of {path.stat().st_size} bytes that does not load: {reason}",
        where=str(path),
        fix="use an earlier checkpoint, or remove this one and the latest link to start anew",
    )


def weights_of(network: nn.Module) -> dict[str, Any]:
    """The network's weights under the names that checkpoints use."""
    return {f"{_PREFIX}{name}": value for name, value in network.state_dict().items()}


def load_weights(network: nn.Module, content: Mapping[str, Any], path: Path) -> None:
    """Puts a checkpoint's weights into a network, all of them: ours, or those of the container.

    Raises:
        FixData: Layers are missing, left over, or of another shape; the message names them.
    """
    given = of_tao(content["state_dict"])
    put_weights(network, {n.removeprefix(_PREFIX): w for n, w in given.items()}, path)


def put_weights(module: nn.Module, given: Mapping[str, Tensor], path: Path) -> None:
    """Puts tensors into a network or a part of one: all of its own, and no others.

    Args:
        module: The network or the part.
        given: Tensors by the names that ``module`` itself gives them.
        path: The file they came from.

    Raises:
        FixData: Layers are missing, left over, or of another shape; the message names them.
    """
    own = module.state_dict()
    shapes = [
        f"{name} {tuple(given[name].shape)} instead of {tuple(own[name].shape)}"
        for name in own
        if name in given and given[name].shape != own[name].shape
    ]
    problems = {
        "missing": [name for name in own if name not in given],
        "unexpected": [name for name in given if name not in own],
        "of another shape": shapes,
    }
    if any(problems.values()):
        n_matched = sum(name in given for name in own) - len(shapes)
        parts = [_few(kind, names) for kind, names in problems.items() if names]
        raise FixData(
            "weights must fit model.backbone.model_type and the model's other settings",
            got="; ".join([f"{n_matched} layers matched", *parts]),
            where=str(path),
            fix="give a checkpoint of this network, or the settings that it was trained with",
        )
    module.load_state_dict(dict(given))


def _few(kind: str, names: list[str]) -> str:
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)} layers {kind}: {', '.join(names[:_SHOWN])}{rest}"
