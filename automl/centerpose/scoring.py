"""Scoring a network on a split: what validation and the evaluate action share."""

from collections.abc import Callable, Iterable

import torch
from torch import nn

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.dataset import Batch, to_input
from automl.centerpose.evaluation.evaluator import Evaluator
from automl.centerpose.evaluation.metrics import EvaluationResult
from automl.centerpose.evaluation.settings import EvaluationSettings

__all__ = ["evaluation_settings", "score"]


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
    between: Callable[[], None],
) -> EvaluationResult:
    """The scores of a network on a split; the network is left in the mode it was in.

    Args:
        network: Maps images to head maps.
        batches: The split's images with what scoring needs to know of them.
        settings: How to score.
        between: Called before each batch; may raise to end the scoring.
    """
    device = next(network.parameters()).device
    evaluator = Evaluator(settings)
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            for batch in batches:
                between()
                evaluator.add(network(to_input(batch.to(device))), batch.metas)
    finally:
        network.train(was_training)
    return evaluator.result()
