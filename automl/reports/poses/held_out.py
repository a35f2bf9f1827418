"""The held-out value: winner and default on test images that had no part in the search."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from automl.errors import FixInput
from automl.poses.bootstrap import Estimate, difference, draws, estimate, gap
from automl.poses.metrics import METRICS
from automl.poses.sample import Sample, Statistic, sample_of
from automl.reports import words
from automl.reports.poses.evaluations import TEST, VALIDATION, Evaluation, newest

__all__ = ["HeldOut", "held_out_of", "interval", "poses_of", "signed_interval"]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The winner on the test images.

    Attributes:
        metric: What the evaluation calls the objective.
        n_images: Test images; None where nobody counted them.
        n_validation: Validation images; None where nobody counted them.
        winner: Its value.
        default: That of trial 0; None where it was not evaluated, or is the winner.
        difference: Winner minus default, on the same images.
        gap: The winner's value minus that of the same checkpoint on the validation images.
    """

    metric: str
    n_images: int | None
    winner: Estimate
    n_validation: int | None = None
    default: Estimate | None = None
    difference: Estimate | None = None
    gap: Estimate | None = None

    @property
    def sentence(self) -> str:
        """The value, against the default's and against validation."""
        images = "" if self.n_images is None else f"the {self.n_images} "
        text = f"On {images}held-out test images its checkpoint scores {interval(self.winner)}"
        if self.default is not None and self.difference is not None:
            text += f", the default's {interval(self.default)}: {signed_interval(self.difference)}"
        if self.gap is not None:
            n = "" if self.n_validation is None else f" ({self.n_validation} images)"
            text += f"; test minus validation{n} {signed_interval(self.gap)}"
        return f"{text}."


def interval(found: Estimate) -> str:
    """``0.8645 [0.7853, 0.9212]``."""
    if found.low is None or found.high is None:
        return words.value(found.value)
    return f"{words.value(found.value)} [{words.value(found.low)}, {words.value(found.high)}]"


def signed_interval(found: Estimate) -> str:
    """The same of a difference: ``+0.1614 [+0.0469, +0.2812]``."""
    if found.low is None or found.high is None:
        return words.signed(found.value)
    ends = f"[{words.signed(found.low)}, {words.signed(found.high)}]"
    return f"{words.signed(found.value)} {ends}"


def poses_of(study: Path, evaluation: Evaluation | None, notes: list[str]) -> Sample | None:
    """The poses of an evaluation; None where it left none, with a note where they are damaged."""
    if evaluation is None or not evaluation.has_poses:
        return None
    from automl.poses.parquet import read_poses  # a tenth of a second that few texts need

    try:
        table = read_poses(study / evaluation.folder)
    except FixInput as error:
        notes.append(str(error))
        return None
    return None if table is None else sample_of(table)


def held_out_of(
    study: Path,
    evaluations: Sequence[Evaluation],
    winner: int,
    metric: str,
    notes: list[str],
) -> HeldOut | None:
    """What the test images say of the winner; None where it was not evaluated on them.

    Args:
        study: The study folder.
        evaluations: Those of the study, oldest first.
        winner: The winner's number.
        metric: The study's objective.
        notes: Takes a sentence for each file that cannot be read.
    """
    ours = newest(evaluations, winner, TEST)
    if ours is None or ours.value is None:
        return None
    base = newest(evaluations, 0, TEST) if winner else None
    validated = newest(evaluations, winner, VALIDATION)
    name = metric.removeprefix("val_")
    scored = [poses_of(study, each, notes) for each in (ours, base, validated)]
    statistics = [_statistic(sample, name) for sample in scored]
    return HeldOut(
        metric=f"test_{name}",
        n_images=ours.n_images,
        n_validation=None if validated is None else validated.n_images,
        winner=_one(ours.value, statistics[0]),
        default=None if base is None else _one(base.value, statistics[1]),
        difference=_against(ours, base, (statistics[0], statistics[1]), paired=True),
        gap=_against(ours, validated, (statistics[0], statistics[2]), paired=False),
    )


_Scored = tuple[Statistic, Sample]


def _statistic(sample: Sample | None, name: str) -> _Scored | None:
    """The objective as a statistic of poses; None where it is none of theirs."""
    known = next((metric for metric in METRICS if metric.reported_as == name), None)
    return None if sample is None or known is None else (known.statistic(sample), sample)


def _one(value: float | None, scored: _Scored | None) -> Estimate:
    """The value as it was reported, with the interval that the poses give."""
    if scored is None:
        return Estimate(value)
    found = estimate(scored[0], draws(len(scored[1].names)))
    return Estimate(value, found.low, found.high)


def _against(
    ours: Evaluation,
    other: Evaluation | None,
    scored: tuple[_Scored | None, _Scored | None],
    *,
    paired: bool,
) -> Estimate | None:
    if other is None or other.value is None or ours.value is None:
        return None
    first, second = scored
    if first is None or second is None:
        return Estimate(ours.value - other.value)
    (one, images), (two, others) = first, second
    if paired and images.names == others.names:
        return difference((one, two), draws(len(images.names)))
    # Different seeds: the same draws of two splits would rise and fall together.
    return gap((one, draws(len(images.names))), (two, draws(len(others.names), seed=1)))
