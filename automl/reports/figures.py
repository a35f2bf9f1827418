"""The figures of a report, in the order of the page, by the name of their place on it."""

from collections.abc import Mapping
from dataclasses import dataclass

from automl.reports.curves import incumbent_figure, learning_figure
from automl.reports.importance import importance_of
from automl.reports.model import Summary
from automl.reports.slices import importance_figure, slice_figure
from automl.reports.theme import Figure
from automl.reports.timeline import failure_figure, timeline_figure

__all__ = ["Figures", "figures_of"]


@dataclass(frozen=True, slots=True)
class Figures:
    """What there is to draw.

    Attributes:
        by_name: The figures that have data, by name.
        importance_note: The trials behind the importance, or why it is not shown.
    """

    by_name: Mapping[str, Figure]
    importance_note: str


def figures_of(summary: Summary) -> Figures:
    """Every figure that the study has data for; an empty study has none."""
    importance = importance_of(summary)
    drawn = (
        incumbent_figure(summary),
        learning_figure(summary),
        slice_figure(summary),
        importance_figure(importance),
        failure_figure(summary),
        timeline_figure(summary),
    )
    return Figures({figure.name: figure for figure in drawn if figure}, importance.note)
