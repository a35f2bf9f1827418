"""The field's metrics of winner and default side by side, each with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

from automl.poses.bootstrap import Estimate, draws, estimate, of_values
from automl.poses.metrics import METRICS, Metric, iou_curve
from automl.poses.sample import Sample

__all__ = ["OverlapCurve", "ScoreRow", "overlap_curve", "score_rows"]


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One metric of an evaluation.

    Attributes:
        name: Key in ``report.json``.
        title: What it is called.
        said: What it is, in a few words.
        larger_is_better: Which way is better.
        winner: Its value.
        default: That of trial 0; None where it is the winner or was not evaluated.
        difference: Winner minus default, each draw of images taken for both.
    """

    name: str
    title: str
    said: str
    larger_is_better: bool
    winner: Estimate
    default: Estimate | None = None
    difference: Estimate | None = None

    @property
    def verdict(self) -> str:
        """``better`` or ``worse`` where the interval of the difference leaves no doubt."""
        if self.difference is None or not self.difference.excludes_zero:
            return ""
        is_up = self.difference.value is not None and self.difference.value > 0.0
        return "better" if is_up == self.larger_is_better else "worse"


def score_rows(
    winner: Sample, default: Sample | None, metrics: Sequence[Metric] = METRICS
) -> tuple[ScoreRow, ...]:
    """Metrics of an evaluation of the winner, against one of the default.

    Args:
        winner: Its poses.
        default: Those of the default on the same images; None without them.
        metrics: Which; all of them where nobody says.
    """
    weights = draws(len(winner.names))
    same = default if default is not None and default.names == winner.names else None
    rows = []
    for metric in metrics:
        ours = metric.statistic(winner).values(weights)
        theirs = None if same is None else metric.statistic(same).values(weights)
        rows.append(
            ScoreRow(
                metric.name,
                metric.title,
                metric.said,
                metric.larger_is_better,
                of_values(ours),
                None if theirs is None else of_values(theirs),
                None if theirs is None else of_values(ours - theirs),
            )
        )
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class OverlapCurve:
    """Average precision over the threshold of 3D IoU.

    Attributes:
        thresholds: From 0 to 1.
        points: The value at each.
    """

    thresholds: Sequence[float]
    points: Sequence[Estimate]


def overlap_curve(sample: Sample) -> OverlapCurve:
    """The sweep over thresholds of an evaluation."""
    weights = draws(len(sample.names))
    swept = iou_curve(sample)
    return OverlapCurve([t for t, _ in swept], [estimate(each, weights) for _, each in swept])
