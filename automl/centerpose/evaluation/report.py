"""The text of ``report.txt``: what ``evaluate`` leaves for people.

The same content as the container's file, laid out for reading: mean errors, then average precision
at each threshold. The container heads its azimuth and polar columns with a tenth of the thresholds
that it uses; the thresholds here are the true ones.
"""

from collections.abc import Sequence

from automl.centerpose.evaluation.measures import MEASURES, THRESHOLDS, Measure
from automl.centerpose.evaluation.metrics import EvaluationResult

__all__ = ["report_text", "table"]


def report_text(result: EvaluationResult, *, split: str = "test") -> str:
    """The whole report.

    Args:
        result: The scores of a split.
        split: Prefix of the two headline metrics, ``test`` or ``val``.
    """
    parts = [
        f"{result.n_images} images, {result.n_objects} objects, "
        f"{result.n_detections} detections, {result.n_matched} matched",
        table(("metric", "value"), _headlines(result, split)),
        "Means over matched detections",
        table(("measure", "mean"), _means(result)),
        "Average precision by threshold (3D IoU: at or above it; the others: at or below it)",
        _precision_table(result, MEASURES[:4]),
        _precision_table(result, MEASURES[4:]),
        "One-to-one matching: each object found once at most (not part of the container's report)",
        table(("measure", "value"), _one_to_one(result)),
    ]
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells in psql's style, the first column to the left and the others to the right."""
    cells = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    edge = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    rule = "|" + edge[1:-1] + "|"
    lines = [_line(row, widths) for row in cells]
    return "\n".join([edge, lines[0], rule, *lines[1:], edge])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].ljust(widths[0])]
    cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
    return "| " + " | ".join(cells) + " |"


def _headlines(result: EvaluationResult, split: str) -> list[tuple[str, str]]:
    return [(f"{split}_3DIoU", f"{result.ap50:.5f}"), (f"{split}_2DMPE", f"{result.mpe:.5f}")]


def _means(result: EvaluationResult) -> list[tuple[str, str]]:
    return [(measure.title, f"{result.means[measure.name]:.5f}") for measure in MEASURES]


def _one_to_one(result: EvaluationResult) -> list[tuple[str, str]]:
    ours = result.one_to_one
    return [
        ("AP at 3D IoU 0.50", f"{ours.ap50:.5f}"),
        ("AP at 3D IoU 0.75", f"{ours.ap75:.5f}"),
        ("mean 3D IoU over all objects", f"{ours.mean_iou:.5f}"),
    ]


def _precision_table(result: EvaluationResult, measures: Sequence[Measure]) -> str:
    head = [cell for measure in measures for cell in (measure.title, "AP")]
    columns = []
    for measure in measures:
        columns.append([f"{threshold:.4g}" for threshold in measure.thresholds()])
        columns.append([f"{value:.4f}" for value in result.curves[measure.name]])
    rows = [[column[i] for column in columns] for i in range(THRESHOLDS)]
    return table(head, rows)
