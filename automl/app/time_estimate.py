"""How long a plan will take, as a range, and by what that is known.

First by the same study where it has run here; else by trainings of the same network on this
machine, or of another one, scaled by what an image costs each; else, on a CPU, by how fast it
multiplies matrices. Of a GPU that has trained nothing yet, nothing is known.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any

from automl.app.cpu_speed import SHARE, gflop_per_second
from automl.app.known_paces import KnownStudy, cost_of, kind_of, known_studies
from automl.app.networks import Costed, network_of
from automl.app.plan import Plan
from automl.reports import words
from automl.search.workload import Between, workload_of
from automl.skill.tree import Tree, whole_number, with_value

__all__ = ["TimeEstimate", "TrainingPace", "durations", "estimate_time", "least_on_cpu"]

_HOUR_S = 3600.0
#: What a repeated study, and another training of the same kind, may take less or more.
_REPEATED, _ALIKE = (0.9, 1.2), (0.85, 1.3)
#: The same where the network is another one: what a GPU or a CPU does a second differs with it.
_SCALED, _FAR_SCALED, _FAR = (0.5, 2.0), (0.25, 4.0), 10.0
#: A training is three forward passes: one forward, two backward. A validation is one.
_PASSES = 3
#: Seconds a CPU needs to start a training (a warm process hardly any), and to decode an image and
#: draw its targets.
_CPU_START, _CPU_IMAGE = Between(0.5, 40.0), Between(0.002, 0.02)


@dataclass(frozen=True, slots=True)
class TrainingPace:
    """How fast trainings will be, and by what that is known.

    Attributes:
        start_s: Seconds of a training outside its epochs.
        epoch_s: Seconds of one epoch with its validation.
        by: The study that shows it; empty where none does.
        how: What that study trained, and by what its epoch was scaled, in words.
        wall_s: Wall seconds of the very same study; 0 where it has not run here.
    """

    start_s: Between
    epoch_s: Between
    by: str
    how: str
    wall_s: float = 0.0


@dataclass(frozen=True, slots=True)
class TimeEstimate:
    """How long a plan will take.

    Attributes:
        wall_s: Seconds of the whole study.
        gpu_hours: GPU hours of all its trainings; None on a CPU.
        pace: How fast its trainings will be.
        limit: The limit that ends it before, as a flag; empty for none.
    """

    wall_s: Between
    gpu_hours: Between | None
    pace: TrainingPace
    limit: str = ""

    def lines(self) -> Iterator[str]:
        """For a reader: how long, and by what that is known."""
        gpu = f", {_amounts(self.gpu_hours)} GPU-h" if self.gpu_hours else ""
        ended = f" ({self.limit} ends it)" if self.limit else ""
        yield f"{durations(self.wall_s)}{gpu}{ended}, confirmation included"
        pace = self.pace
        each = f"{durations(pace.start_s)} to start a training, {durations(pace.epoch_s)} an epoch"
        yield f"{each}, by {pace.how}"

    def __str__(self) -> str:
        return "; ".join(self.lines())

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write; ``total_s`` is the middle of the range."""
        return {
            "low_s": self.wall_s.low,
            "high_s": self.wall_s.high,
            "total_s": sqrt(self.wall_s.low * self.wall_s.high),
            "gpu_hours": [self.gpu_hours.low, self.gpu_hours.high] if self.gpu_hours else None,
            "start_s": [self.pace.start_s.low, self.pace.start_s.high],
            "epoch_s": [self.pace.epoch_s.low, self.pace.epoch_s.high],
            "by": self.pace.by,
            "how": self.pace.how,
            "limit": self.limit,
        }


def durations(span: Between) -> str:
    """``4m to 7m``, or ``about 4m`` where both ends read the same."""
    low, high = words.duration(span.low), words.duration(span.high)
    return f"about {low}" if low == high else f"{low} to {high}"


def _amounts(span: Between) -> str:
    low, high = f"{span.low:.2g}", f"{span.high:.2g}"
    return low if low == high else f"{low} to {high}"


def estimate_time(plan: Plan) -> TimeEstimate | None:
    """The time of a plan; None where nothing is known of it.

    Args:
        plan: The plan; the studies beside the one it would make are looked at.
    """
    epochs = whole_number(plan.base_spec, plan.config.keys.epochs)
    if not epochs or not _images(plan) or plan.config.is_fake:
        return None
    pace = _by_studies(plan) or _by_cpu(plan, plan.base_spec)
    return None if pace is None else _estimate(plan, pace, epochs)


def least_on_cpu(plan: Plan) -> tuple[str, Between] | None:
    """What the cheapest network would take on this CPU, and the flag that asks for it.

    Returns:
        None where trials hold GPUs, or where no other network is known to cost less.
    """
    network: object = network_of(plan.skill)
    epochs = whole_number(plan.base_spec, plan.config.keys.epochs)
    if not isinstance(network, Costed) or not epochs:
        return None
    spec = plan.base_spec
    for key, value in network.cheapest.items():
        spec = with_value(spec, key, value)
    pace = None if spec == plan.base_spec else _by_cpu(plan, spec)
    flags = " ".join(f"--set {key}={value}" for key, value in network.cheapest.items())
    return None if pace is None else (flags, _estimate(plan, pace, epochs).wall_s)


def _estimate(plan: Plan, pace: TrainingPace, epochs: int) -> TimeEstimate:
    config = plan.config
    work, whole = workload_of(config), pace.epoch_s.scaled(epochs, epochs)
    wall = work.wall(pace.start_s, whole)
    if pace.wall_s:
        wall = Between(pace.wall_s, pace.wall_s).scaled(*_REPEATED)
    gpus, trained = config.resources.gpus_held, work.trained(pace.start_s, whole)
    hours = trained.scaled(gpus / _HOUR_S, gpus / _HOUR_S) if gpus else None
    limit = config.limits.max_wall_s
    if limit is not None and wall.high > limit:
        wall = Between(min(wall.low, limit), limit)
        return TimeEstimate(wall, hours, pace, f"--max-wall {words.duration(limit)}")
    most = config.limits.gpu_hours
    if most is not None and hours is not None and hours.high > most:
        hours = Between(min(hours.low, most), most)
        return TimeEstimate(wall, hours, pace, f"--gpu-hours {most:g}")
    return TimeEstimate(wall, hours, pace)


def _images(plan: Plan) -> int:
    return plan.data["train"].images if "train" in plan.data else 0


def _by_studies(plan: Plan) -> TrainingPace | None:
    """By the newest study of the nearest kind."""
    known = known_studies(plan)
    kind, cost = kind_of(plan, plan.base_spec), cost_of(plan, plan.base_spec)
    same = [each for each in known if each.wall_s]
    nearest = [*same, *(each for each in known if each.kind == kind)]
    if nearest:
        return _as_there(plan, nearest[0])
    scalable = [each for each in known if each.cost]
    return _scaled(plan, scalable[0], cost) if scalable and cost else None


def _as_there(plan: Plan, known: KnownStudy) -> TrainingPace:
    share = _images(plan) / known.images
    fewer = _by_threads(plan, known)
    factors = (_ALIKE[0] * share * min(1.0, fewer), _ALIKE[1] * share * max(1.0, fewer))
    return TrainingPace(
        known.start_s,
        known.epoch_s.scaled(*factors),
        known.name,
        _how(known),
        known.wall_s,
    )


def _scaled(plan: Plan, known: KnownStudy, cost: float) -> TrainingPace:
    """By another network: the farther the two are apart, the wider the range."""
    ratio = cost / (known.cost or cost)
    low, high = _FAR_SCALED if not 1 / _FAR < ratio < _FAR else _SCALED
    share = ratio * _images(plan) / known.images
    fewer = _by_threads(plan, known)
    factors = (low * share * min(1.0, fewer), high * share * max(1.0, fewer))
    how = f"{_how(known)}; this network costs {ratio:.3g} times that an image"
    return TrainingPace(known.start_s, known.epoch_s.scaled(*factors), known.name, how)


def _by_threads(plan: Plan, known: KnownStudy) -> float:
    """How much longer it takes at the most where a training has fewer threads than that one."""
    resources = plan.config.resources
    return 1.0 if resources.gpus_per_trial else known.threads / resources.threads_per_trial


def _how(known: KnownStudy) -> str:
    if known.wall_s:
        return f"{known.name}: the same study, which took {words.duration(known.wall_s)}"
    each = f"{words.count(known.n_epochs, 'epoch')} of {known.images} images"
    return f"{known.name}: {each}, {words.duration(known.usual_epoch_s)} each"


def _by_cpu(plan: Plan, spec: Tree) -> TrainingPace | None:
    """By the operations of a training and the speed of this CPU."""
    cost, resources = cost_of(plan, spec), plan.config.resources
    if cost is None or resources.gpus_per_trial:
        return None
    validated = plan.data["val"].images if "val" in plan.data else 0
    work = cost * (_PASSES * _images(plan) + validated)
    rate, images = gflop_per_second(), _images(plan) + validated
    slow, fast = (rate * share for share in SHARE)
    epoch_s = Between(
        work / (fast * resources.threads_per_trial) + images * _CPU_IMAGE.low,
        work / slow + images * _CPU_IMAGE.high,
    )
    how = f"its {cost:.3g} GFLOP an image and this CPU's {rate:.0f} GFLOP/s a thread"
    return TrainingPace(_CPU_START, epoch_s, "", how)
