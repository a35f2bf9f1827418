"""From ``model.backbone.model_type`` to a network, by a literal table."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from torch import nn

from automl.centerpose.config.model import Model
from automl.centerpose.models.dla import DLA34
from automl.centerpose.models.fan import FAN, SIZES, FanSize
from automl.centerpose.models.nano import Nano

__all__ = ["BUILDERS", "build_network"]


def _fan(size: FanSize, model: Model) -> FAN:
    return FAN(size, model.head_conv, use_gru=model.use_conv_gru)


BUILDERS: Mapping[str, Callable[[Model], nn.Module]] = MappingProxyType(
    {
        **{name: partial(_fan, size) for name, size in SIZES.items()},
        "DLA34": lambda model: DLA34(model.head_conv, use_gru=model.use_conv_gru),
        "nano": lambda _: Nano(),
    }
)
"""``model_type`` -> what builds the network; each network maps an image batch to head maps."""


def build_network(model: Model) -> nn.Module:
    """The network that the spec's ``model`` block names, with fresh weights.

    Raises:
        NotImplementedError: This program has no such backbone.
    """
    name = model.backbone.model_type
    if name not in BUILDERS:
        raise NotImplementedError(
            f"model.backbone.model_type must be one of {', '.join(BUILDERS)}, but got {name}"
        )
    return BUILDERS[name](model)
