"""The ``describe`` action: what each network costs, without running it."""

import json
from dataclasses import asdict, dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from automl.centerpose.config.model import Backbone, Model
from automl.centerpose.models.build import BUILDERS, build_network

__all__ = ["INPUT_SIZE", "ModelFacts", "as_json", "as_table", "describe"]

_REPEATABLE = (
    "train.cudnn.deterministic costs no speed that one H200 showed (steps of DLA34 in bf16 take "
    "33.8 ms with and without it, and as long with train.cudnn.benchmark)"
)

INPUT_SIZE = 512
"""Width and height, in pixels, of the image that the operations are counted for."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One network with neck, ConvGRU and heads.

    Attributes:
        model_type: Its name in ``model.backbone.model_type``.
        parameters: Numbers that training changes.
        gflop_forward: 1e9 operations of a forward pass over one image, two a multiply-add;
            convolutions and matrix products are counted, the rest is not.
    """

    model_type: str
    parameters: int
    gflop_forward: float


def describe() -> tuple[ModelFacts, ...]:
    """The facts of every network that this program has."""
    return tuple(_facts(name) for name in BUILDERS)


def as_json(models: tuple[ModelFacts, ...]) -> str:
    """The facts as one JSON object, ``{"models": [...]}``."""
    return json.dumps({"models": [asdict(model) for model in models]}, indent=2)


def as_table(models: tuple[ModelFacts, ...]) -> str:
    """The facts as a table of text."""
    lines = [f"{'model_type':<12}{'parameters':>12}{'GFLOP forward':>16}"]
    lines += [
        f"{model.model_type:<12}{model.parameters:>12,}{model.gflop_forward:>16.1f}"
        for model in models
    ]
    lines.append(f"one image of {INPUT_SIZE} x {INPUT_SIZE}, two operations a multiply-add")
    lines.append(_REPEATABLE)
    return "\n".join(lines)


def _facts(name: str) -> ModelFacts:
    # Tensors on the meta device have shapes but no numbers: counting takes no memory and no work.
    with torch.device("meta"):
        network = build_network(Model(backbone=Backbone(model_type=name)))
        image = torch.empty(1, 3, INPUT_SIZE, INPUT_SIZE)
    n_parameters = sum(parameter.numel() for parameter in network.parameters())
    with FlopCounterMode(display=False) as counter:
        network.requires_grad_(False).eval()(image)
    return ModelFacts(name, n_parameters, round(counter.get_total_flops() / 1e9, 2))
