"""Scoring a network on a split: what validation and the evaluate action share."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import torch
from torch import Tensor, nn

from automl.centerpose.batches.loader import Batch, to_input
from automl.centerpose.config.experiment import Experiment
from automl.centerpose.evaluation.evaluator import Evaluator, Gather
from automl.centerpose.evaluation.metrics import EvaluationResult
from automl.centerpose.evaluation.settings import EvaluationSettings
from automl.centerpose.training.losses import LossWeights, image_losses

__all__ = ["ImageLosses", "ValidationLoss", "Watch", "evaluation_settings", "fill", "score"]

ImageLosses: TypeAlias = list[tuple[int, float]]
"""Numbers of images in their split, each with its loss."""

Watch: TypeAlias = Callable[[Mapping[str, Tensor], Batch], None]
"""Given the head maps of a batch, with the batch."""


class ValidationLoss:
    """The mean loss of a split's images, in the default form and weights whatever a spec says.

    So it compares between trainings that weigh their losses differently. A head that a training
    leaves out stays in it, as it is.
    """

    def __init__(self) -> None:
        self._indices: list[int] = []
        self._losses: list[Tensor] = []

    def add(self, outputs: Mapping[str, Tensor], batch: Batch) -> None:
        """Adds the images of a batch that has targets and metas; does not wait for the device."""
        self._indices += [meta.index for meta in batch.metas]
        self._losses.append(image_losses(outputs, batch.targets, LossWeights()))

    def losses(self) -> ImageLosses:
        """Those of the images added so far."""
        values = torch.cat(self._losses).tolist() if self._losses else []
        return list(zip(self._indices, values, strict=True))

    def mean(self, gather: Callable[[ImageLosses], ImageLosses] | None = None) -> float:
        """The mean over the images added, at least one.

        Args:
            gather: Collects the losses of all processes that share the split; every one of them
                gets the mean that one alone would get.
        """
        losses = self.losses() if gather is None else gather(self.losses())
        return math.fsum(loss for _, loss in losses) / len(losses)


def evaluation_settings(spec: Experiment) -> EvaluationSettings:
    """The part of the spec that scoring reads; as in the container, from three blocks."""
    return EvaluationSettings(
        score_threshold=spec.inference.visualization_threshold,
        num_select=min(spec.inference.num_select, spec.dataset.output_res**2),
        opencv=spec.evaluate.opencv,
        num_symmetry=spec.evaluate.eval_num_symmetry,
        absolute_scale=spec.dataset.use_absolute_scale,
    )


def score(
    network: nn.Module,
    batches: Iterable[Batch],
    settings: EvaluationSettings,
    check: Callable[[], None],
    *,
    gather: Gather | None = None,
    watch: Watch | None = None,
) -> EvaluationResult:
    """The scores of a network on a split; the network is left in the mode it was in.

    Args:
        network: Maps images to head maps.
        batches: The split's images, or this process's share of them, with what scoring needs to
            know of each.
        settings: How to score.
        check: Called before each batch; may raise to end the scoring.
        gather: Collects the records of all processes that share the split; every one of them
            calls it once and gets the scores of the whole split, those that one alone would get.
        watch: Given the head maps of each batch, with the batch.
    """
    evaluator = Evaluator(settings)
    fill(evaluator, network, batches, check, watch)
    return evaluator.result(gather)


def fill(
    evaluator: Evaluator,
    network: nn.Module,
    batches: Iterable[Batch],
    check: Callable[[], None],
    watch: Watch | None = None,
) -> None:
    """Adds what a network finds on a split; the network is left in the mode it was in.

    Args:
        evaluator: Takes it.
        network: Maps images to head maps.
        batches: The split's images, with what scoring needs to know of each.
        check: Called before each batch; may raise to end the scoring.
        watch: Given the head maps of each batch, with the batch.
    """
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            for batch in batches:
                check()
                there = batch.to(device)
                outputs = network(to_input(there))
                evaluator.add(outputs, batch.metas)
                if watch is not None:
                    watch(outputs, there)
    finally:
        network.train(was_training)
