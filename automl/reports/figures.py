"""The figures of a report, in the order of the page, by the name of their place on it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from automl.reports.curves import learning_figure
from automl.reports.gpu_strips import gpu_figure
from automl.reports.importance import importance_of
from automl.reports.incumbent import incumbent_figure
from automl.reports.landscape import landscape_of
from automl.reports.landscape_figures import map_figure, rank_figure
from automl.reports.memory import memory_figure
from automl.reports.model import Summary
from automl.reports.parallel import parallel_figure
from automl.reports.phases import ByAttempt, phases_of
from automl.reports.slices import importance_figure, slice_figure
from automl.reports.slots import bars_of
from automl.reports.spending import budget_figure
from automl.reports.theme import Figure
from automl.reports.throughput import throughput_figure
from automl.reports.timeline import failure_figure, timeline_figure
from automl.reports.waits import Wait, waits_of
from automl.study.gpu_samples import GpuSample

__all__ = ["Figures", "figures_of"]


@dataclass(frozen=True, slots=True)
class Figures:
    """What there is to draw.

    Attributes:
        by_name: The figures that have data, by name.
        importance_note: The trials behind the importance, or why it is not shown.
        phases: Of its attempts.
        waits: Of its slots.
    """

    by_name: Mapping[str, Figure]
    importance_note: str
    phases: ByAttempt
    waits: Sequence[Wait] = ()


def figures_of(summary: Summary, samples: Sequence[GpuSample] = ()) -> Figures:
    """Every figure that the study has data for; an empty study has none.

    Args:
        summary: The study, whose folder is asked for its attempts' logs and its evaluations.
        samples: What its GPUs did.
    """
    phases = phases_of(summary)
    waits = waits_of(summary, bars_of(summary))
    importance = importance_of(summary)
    drawn = (
        incumbent_figure(summary),
        learning_figure(summary),
        slice_figure(summary),
        *_landscape(summary),
        parallel_figure(summary),
        importance_figure(importance),
        failure_figure(summary),
        memory_figure(summary),
        budget_figure(summary),
        timeline_figure(summary, phases, waits),
        gpu_figure(summary, samples),
        throughput_figure(summary),
    )
    return Figures(
        {figure.name: figure for figure in drawn if figure}, importance.note, phases, waits
    )


def _landscape(summary: Summary) -> Iterator[Figure]:
    found = landscape_of(summary)
    if found is not None:
        yield map_figure(summary, found)
        yield rank_figure(summary, found)
