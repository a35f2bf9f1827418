"""``weights``: a checkpoint of the container's as one of ours, and one of ours as the container's.

::

    python -m automl.centerpose weights import FILE --to OUT.pth
    python -m automl.centerpose weights export FILE --to OUT.pth

Either file is written whole or not at all, and never over another. What is written for the
container holds weights, epoch and step under its names: enough to evaluate, export, run inference
and begin a training, not to resume one.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from automl.centerpose.config.model import Backbone, Model
from automl.centerpose.models.build import build_network
from automl.centerpose.models.fan import SIZES
from automl.centerpose.program.actions import refused, say
from automl.centerpose.session.checkpoints import (
    FORMAT,
    is_state_dict,
    load_plain,
    put_weights,
    weights_of,
)
from automl.centerpose.session.tao_checkpoint import LIGHTNING, PREFIX
from automl.centerpose.session.tao_weights import is_of_tao, of_tao, to_tao
from automl.errors import FixData, FixInput
from automl.files import replaced

__all__ = ["convert"]

_NAMES = "state_dict"


def convert(argv: Sequence[str]) -> int:
    """Converts one file; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m automl.centerpose weights")
    parser.add_argument("way", choices=("import", "export"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--to", type=Path, required=True, metavar="OUT.pth")
    asked = parser.parse_args(argv)
    act = _import if asked.way == "import" else _export
    return refused(lambda: act(asked.file, asked.to)).code


def _import(file: Path, out: Path) -> None:
    content = _content(file)
    given = content[_NAMES]
    if not is_of_tao(given):
        raise _other(file, "the container's", "weights export takes a checkpoint of this program")
    weights = of_tao(given)
    network = _network(weights, file)
    put_weights(network, weights, file)
    _write(out, {"format": FORMAT, **_counts(content), _NAMES: weights_of(network)})
    say(f"{len(given)} layers of the container's as {len(weights)} of ours: {out}")


def _export(file: Path, out: Path) -> None:
    content = _content(file)
    given = {name.removeprefix(PREFIX): value for name, value in content[_NAMES].items()}
    if is_of_tao(given):
        raise _other(file, "this program's", "it has the container's names already")
    network = _network(given, file)
    put_weights(network, given, file)
    weights = {f"{PREFIX}{name}": value for name, value in to_tao(given).items()}
    _write(out, {**_counts(content), **LIGHTNING, _NAMES: weights})
    say(f"{len(given)} layers of ours as {len(weights)} of the container's: {out}")


def _content(file: Path) -> dict[str, Any]:
    """The content of a file of weights, with those under ``state_dict`` in any case.

    Raises:
        FixData: It holds none.
    """
    content = load_plain(file)
    if is_state_dict(content):
        return {_NAMES: dict(content)}
    if isinstance(content, dict) and is_state_dict(content.get(_NAMES)):
        return content
    rule = f"a file of weights must hold tensors by name, at its top or under {_NAMES}"
    raise FixData(rule, got=type(content).__name__, where=str(file))


def _counts(content: Mapping[str, Any]) -> dict[str, int]:
    known = {name: content.get(name) for name in ("epoch", "global_step")}
    return {name: value if isinstance(value, int) else 0 for name, value in known.items()}


def _network(weights: Mapping[str, Tensor], file: Path) -> nn.Module:
    """The network that weights of ours are of, by their shapes; its own numbers mean nothing.

    Raises:
        FixData: They are of no network that the container has.
    """
    head, embed = weights.get("heads.hm.0.weight"), weights.get("backbone.embed.weight")
    widths = {size.width: name for name, size in SIZES.items()}
    name = "DLA34" if embed is None else widths.get(len(embed), "")
    if head is None or not name:
        got = "weights of another network"
        rule = "weights must be of DLA34, fan_small, fan_base or fan_large"
        raise FixData(rule, got=got, where=str(file), fix="nano is this program's alone")
    use_gru = "gru.of_input.weight" in weights
    model = Model(head_conv=len(head), use_conv_gru=use_gru, backbone=Backbone(model_type=name))
    return build_network(model)


def _write(out: Path, content: Mapping[str, Any]) -> None:
    if out.suffix != ".pth":
        raise FixInput("the new checkpoint's name must end in .pth", got=out.name, where="--to")
    if out.exists():
        fix = "choose another name, or remove it"
        raise FixInput(
            "the new checkpoint must not exist yet", got=str(out), where="--to", fix=fix
        )
    if not out.absolute().parent.is_dir():
        got = str(out.absolute().parent)
        raise FixInput("the folder of the new checkpoint must exist", got=got, where="--to")
    with replaced(out) as temporary:
        torch.save(dict(content), temporary)


def _other(file: Path, whose: str, fix: str) -> FixData:
    rule = f"the names of its layers must be {whose}"
    return FixData(rule, got="others", where=str(file), fix=fix)
