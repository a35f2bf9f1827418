"""Scoring a network on a split: what validation and the evaluate action share."""

from collections.abc import Callable, Iterable

import torch
from torch import nn

from automl.centerpose.batches.loader import Batch, to_input
from automl.centerpose.config.experiment import Experiment
from automl.centerpose.evaluation.evaluator import Evaluator, Gather
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
    check: Callable[[], None],
    *,
    gather: Gather | None = None,
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
    """
    device = next(network.parameters()).device
    evaluator = Evaluator(settings)
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            for batch in batches:
                check()
                evaluator.add(network(to_input(batch.to(device))), batch.metas)
    finally:
        network.train(was_training)
    return evaluator.result(gather)
