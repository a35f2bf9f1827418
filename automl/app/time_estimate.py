"""How long a plan will take, by what has trained on this machine before; never a guess without.

The seconds of an epoch are scaled by the images, and by what one image costs the network where
both networks are known.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any

from automl.app.networks import Costed, network_of
from automl.app.plan import Plan
from automl.errors import AutomlError
from automl.reports import words
from automl.search.rungs import ETA
from automl.skill.tree import Tree, whole_number
from automl.study.config import SearchSettings, StudyConfig
from automl.study.confirmation import n_planned
from automl.study.folder import list_studies, read_base_spec, read_config, read_provenance
from automl.study.layout import StudyPaths
from automl.study.outcomes import read_outcome
from automl.study.records import OutcomeState
from automl.trainers.pace import Pace, pace_of

__all__ = ["TimeEstimate", "estimate_time"]

_MOST_STUDIES = 20


@dataclass(frozen=True, slots=True)
class TimeEstimate:
    """How long a plan will take.

    Attributes:
        total_s: Wall seconds of the whole study.
        start_s: Seconds of one training outside its epochs.
        epoch_s: Seconds of one epoch.
        by: The study that it is reckoned from.
        how: What that study trained, and by what its epoch was scaled, in words.
    """

    total_s: float
    start_s: float
    epoch_s: float
    by: str
    how: str

    def __str__(self) -> str:
        return (
            f"about {words.duration(self.total_s)}: {words.duration(self.start_s)} to start a "
            f"training and {words.duration(self.epoch_s)} an epoch, by {self.by} ({self.how})"
        )

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Known:
    """A training that has run here."""

    study: str
    pace: Pace
    images: int
    cost: float | None
    model: Any


def estimate_time(plan: Plan) -> TimeEstimate | None:
    """The time of a plan; None where nothing like it has trained here.

    Args:
        plan: The plan; the studies beside the one it would make are looked at.
    """
    epochs = whole_number(plan.base_spec, plan.config.keys.epochs)
    images = plan.data["train"].images if "train" in plan.data else 0
    if not epochs or not images or plan.config.is_fake:
        return None
    cost, model = _cost(plan, plan.base_spec), plan.base_spec.get("model")
    for known in _known(plan):
        scale = _scale(known, cost, model)
        if scale is not None:
            epoch_s = known.pace.epoch_s * scale * images / known.images
            return TimeEstimate(
                _total(plan.config, known.pace.start_s, epochs * epoch_s),
                known.pace.start_s,
                epoch_s,
                known.study,
                _how(known, scale),
            )
    return None


def _total(config: StudyConfig, start_s: float, epochs_s: float) -> float:
    """Seconds of a study whose whole trainings take so long to start and for their epochs.

    With rungs as many go on at each as successive halving lets through; confirmations are whole.
    """
    limits, at_once = config.limits, config.resources.max_concurrent
    starts, share = _effort(config.search)
    searched = ceil(limits.trials / at_once) * (starts * start_s + share * epochs_s)
    return searched + ceil(n_planned(config) / at_once) * (start_s + epochs_s)


def _effort(search: SearchSettings) -> tuple[float, float]:
    """How often a trial is started on average, and what share of a whole training it takes."""
    starts = share = 0.0
    going_on, before = 1.0, 0
    for until in (*search.rungs, search.n_epochs or 1):
        starts += going_on
        share += going_on * (until - before) / (search.n_epochs or 1)
        going_on, before = going_on / ETA, until
    return starts, share


def _scale(known: _Known, cost: float | None, model: Any) -> float | None:
    """How much longer an image takes the new network; None where that is not known."""
    if known.model == model:
        return 1.0
    return cost / known.cost if cost and known.cost else None


def _how(known: _Known, scale: float) -> str:
    epochs = words.count(known.pace.n_epochs, "epoch")
    text = f"{epochs} of {known.images} images, {words.duration(known.pace.epoch_s)} each"
    return text if scale == 1.0 else f"{text}; this network costs {scale:.3g} times that an image"


def _known(plan: Plan) -> Iterator[_Known]:
    """Trainings like those of the plan, the newest study's first, its own network's first."""
    found = [
        known
        for paths in list_studies(plan.studies_dir)[:_MOST_STUDIES]
        if (known := _read(plan, paths)) is not None
    ]
    model = plan.base_spec.get("model")
    yield from sorted(found, key=lambda known: known.model != model)


def _read(plan: Plan, paths: StudyPaths) -> _Known | None:
    try:
        config = read_config(paths)
        if not _is_alike(config, plan.config):
            return None
        base, data = read_base_spec(paths), read_provenance(paths).get("data", {})
        images, pace = data.get("train", {}).get("images"), _pace(paths)
    except (AutomlError, OSError, AttributeError):
        return None
    if pace is None or not isinstance(images, int) or images < 1:
        return None
    return _Known(paths.folder.name, pace, images, _cost(plan, base), base.get("model"))


def _is_alike(one: StudyConfig, other: StudyConfig) -> bool:
    """Whether two studies train the same skill in the same way on as many GPUs and threads."""
    return (
        Path(one.skill_dir) == Path(other.skill_dir)
        and one.trainer == other.trainer
        and one.resources.gpus_per_trial == other.resources.gpus_per_trial
        and one.resources.trials_per_gpu == other.resources.trials_per_gpu
    )


def _pace(paths: StudyPaths) -> Pace | None:
    """Of trial 0, whose settings are those of the base spec."""
    for _, attempt in paths.attempts(0):
        outcome, _ = read_outcome(attempt)
        if outcome is not None and outcome.state is OutcomeState.OK:
            return pace_of(attempt.folder, outcome.seconds)
    return None


def _cost(plan: Plan, spec: Tree) -> float | None:
    network: object = network_of(plan.skill)
    return network.gflop(spec) if isinstance(network, Costed) else None
