"""How fast trainings were that have run on this machine: what the folder of studies remembers."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from automl.app.networks import Costed, network_of
from automl.app.plan import Plan
from automl.errors import AutomlError
from automl.search.workload import Between
from automl.skill.tree import Tree
from automl.study.config import StudyConfig
from automl.study.folder import list_studies, read_base_spec, read_config, read_provenance
from automl.study.layout import StudyPaths
from automl.study.outcomes import read_outcome
from automl.study.records import OutcomeState
from automl.study.state import StudyStatus, read_state
from automl.trainers.checkpoints import checkpoints_in
from automl.trainers.pace import Pace, pace_of

__all__ = ["KnownStudy", "cost_of", "kind_of", "known_studies"]

_MOST_STUDIES = 20
_MOST_TRIALS = 40
#: Settings of a study that decide no training.
_NAMES_ALONE = ("name", "policy_source", "origin", "spec_file")


@dataclass(frozen=True, slots=True)
class KnownStudy:
    """What a study that ran here shows of time and space.

    Attributes:
        name: The study.
        paces: Of its trainings that ended well, by trial.
        images: Images of its train split.
        cost: 1e9 operations of a forward pass over one image; None where that is not known.
        kind: What its network is, in words; empty where that is not known.
        threads: CPU threads of one training.
        checkpoint_bytes: Size of one checkpoint; 0 where none is left.
        wall_s: Wall seconds of the whole study where it ran to its end and trained what the plan
            will train; 0 elsewhere.
    """

    name: str
    paces: tuple[Pace, ...]
    images: int
    cost: float | None
    kind: str
    threads: int
    checkpoint_bytes: int
    wall_s: float

    @property
    def n_epochs(self) -> int:
        """Epochs that were timed."""
        return sum(pace.n_epochs for pace in self.paces)

    @property
    def start_s(self) -> Between:
        """Seconds of a training outside its epochs: the middle eight of ten."""
        return _middle([pace.start_s for pace in self.paces])

    @property
    def epoch_s(self) -> Between:
        """Seconds of one epoch, in the same way."""
        return _middle([pace.epoch_s for pace in self.paces])

    @property
    def usual_epoch_s(self) -> float:
        """The median of an epoch."""
        return median(pace.epoch_s for pace in self.paces)


def known_studies(plan: Plan) -> list[KnownStudy]:
    """Studies beside the planned one that trained the same skill in the same way, newest first."""
    listed = list_studies(plan.studies_dir)[:_MOST_STUDIES]
    return [known for paths in listed if (known := _read(plan, paths)) is not None]


def cost_of(plan: Plan, spec: Tree) -> float | None:
    """1e9 operations of a forward pass over one image; None where that is not known."""
    network: object = network_of(plan.skill)
    return network.gflop(spec) if isinstance(network, Costed) else None


def kind_of(plan: Plan, spec: Tree) -> str:
    """Network, size and precision in words: trainings of one kind take as long an image.

    Of a network that its skill alone describes, all but how long it trains and on what.
    """
    network: object = network_of(plan.skill)
    if isinstance(network, Costed):
        return network.kind(spec)
    return json.dumps(spec.get("model"), sort_keys=True, default=str)


def _read(plan: Plan, paths: StudyPaths) -> KnownStudy | None:
    try:
        config = read_config(paths)
        if not _is_alike(config, plan.config):
            return None
        base, record = read_base_spec(paths), read_provenance(paths)
        images = record.get("data", {}).get("train", {}).get("images")
        is_here = _gpu_names(record) == _gpu_names(plan.provenance)
    except (AutomlError, OSError, AttributeError):
        return None
    paces = tuple(_paces(paths)) if is_here and isinstance(images, int) and images > 0 else ()
    if not paces:
        return None
    return KnownStudy(
        name=paths.folder.name,
        paces=paces,
        images=images,
        cost=cost_of(plan, base),
        kind=kind_of(plan, base),
        threads=config.resources.threads_per_trial,
        checkpoint_bytes=_checkpoint_bytes(paths),
        wall_s=_wall_s(paths) if _is_the_same(plan, config, base) else 0.0,
    )


def _is_alike(one: StudyConfig, other: StudyConfig) -> bool:
    """Whether two studies train the same skill in the same way on as many GPUs."""
    return (
        Path(one.skill_dir) == Path(other.skill_dir)
        and one.trainer == other.trainer
        and one.resources.gpus_per_trial == other.resources.gpus_per_trial
        and one.resources.trials_per_gpu == other.resources.trials_per_gpu
    )


def _gpu_names(provenance: Any) -> set[str]:
    return {str(gpu.get("name", "")) for gpu in provenance.get("gpus") or ()}


def _is_the_same(plan: Plan, config: StudyConfig, base: Tree) -> bool:
    """Whether a study was asked for the same trainings of the same data, whatever its name."""
    kept = {name: getattr(plan.config, name) for name in _NAMES_ALONE}
    return replace(config, **kept) == plan.config and base == plan.base_spec


def _wall_s(paths: StudyPaths) -> float:
    state = read_state(paths)
    return state.wall_s if state is not None and state.status is StudyStatus.FINISHED else 0.0


def _paces(paths: StudyPaths) -> Iterator[Pace]:
    for number in range(_MOST_TRIALS):
        for _, attempt in paths.attempts(number):
            outcome, _ = read_outcome(attempt)
            is_whole = outcome is not None and outcome.state is OutcomeState.OK
            pace = pace_of(attempt.folder, outcome.seconds) if outcome and is_whole else None
            if pace is not None:
                yield pace
                break


def _checkpoint_bytes(paths: StudyPaths) -> int:
    for number in range(_MOST_TRIALS):
        for _, attempt in paths.attempts(number):
            for checkpoint in checkpoints_in(attempt.folder):
                return checkpoint.path.stat().st_size
    return 0


def _middle(values: Sequence[float]) -> Between:
    if len(values) < 2:
        return Between(values[0], values[0])
    tenths = quantiles(values, n=10, method="inclusive")
    return Between(tenths[0], tenths[-1])
