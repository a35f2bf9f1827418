"""How much of the disk a plan will take: checkpoints, by the rule that says which are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automl.app.known_paces import kind_of, known_studies
from automl.app.networks import network_of
from automl.app.plan import Plan
from automl.app.room import byte_size, room_at
from automl.app.sharing import trial_values
from automl.search.workload import workload_of
from automl.skill.tree import whole_number
from automl.study.config import Keep

__all__ = ["DiskEstimate", "estimate_disk"]

#: A weight and Adam's two moments, 4 bytes each.
_PARAMETER_BYTES = 12
#: While it trains a trial has its best checkpoint, its newest, and one that is being written.
_COPIES = 3


@dataclass(frozen=True, slots=True)
class DiskEstimate:
    """What a plan will write.

    Attributes:
        n_bytes: At the most, while the last trials train.
        checkpoint_bytes: Of one checkpoint.
        trainings: Trainings that leave some, at the most.
        keep: Which of them outlive their trial.
        free: Bytes that are free now.
    """

    n_bytes: int
    checkpoint_bytes: int
    trainings: int
    keep: Keep
    free: int

    @property
    def is_short(self) -> bool:
        """Whether it will not fit."""
        return self.n_bytes > self.free

    def __str__(self) -> str:
        kept = "every checkpoint" if self.keep is Keep.ALL else f"the {self.keep} checkpoint"
        each = f"{byte_size(self.checkpoint_bytes)} each, {kept} of {self.trainings} trainings"
        text = f"up to {byte_size(self.n_bytes)} ({each}); {byte_size(self.free)} are free"
        fix = ": --keep best needs less" if self.keep is not Keep.BEST else ""
        return f"{text}, which is too little{fix}" if self.is_short else text

    def to_json(self) -> Mapping[str, Any]:
        """A plain value that ``json`` can write."""
        return {
            "bytes": self.n_bytes,
            "checkpoint_bytes": self.checkpoint_bytes,
            "free_bytes": self.free,
            "is_short": self.is_short,
        }


def estimate_disk(plan: Plan) -> DiskEstimate | None:
    """The space that a plan takes; None where the size of a checkpoint is not known."""
    if plan.config.is_fake:
        return None
    each = _checkpoint_bytes(plan)
    if not each:
        return None
    work = workload_of(plan.config)
    trainings = work.trials + work.most_confirming
    n_kept = trainings * _kept_of_each(plan) + work.at_once * _COPIES
    free = room_at(plan.studies_dir.absolute()).free
    return DiskEstimate(n_kept * each, each, trainings, plan.config.keep, free)


def _kept_of_each(plan: Plan) -> int:
    if plan.config.keep is not Keep.ALL:
        return 1 if plan.config.keep is Keep.BEST else 2
    keys, spec = plan.config.keys, plan.base_spec
    epochs = whole_number(spec, keys.epochs) or 1
    interval = whole_number(spec, keys.checkpoint_interval) if keys.checkpoint_interval else None
    return -(-epochs // max(1, interval or 1))


def _checkpoint_bytes(plan: Plan) -> int:
    """As a study of the same network left one here, else by the weights of the largest network."""
    kind = kind_of(plan, plan.base_spec)
    sizes = (each.checkpoint_bytes for each in known_studies(plan) if each.kind == kind)
    known = next((size for size in sizes if size), 0)
    network = network_of(plan.skill)
    needs = network.forecast(plan.base_spec, trial_values(plan.space)) if network else None
    by_weights = round(needs.parameters * 1e6 * _PARAMETER_BYTES) if needs else 0
    return known or by_weights
