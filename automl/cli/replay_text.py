"""What ``automl replay`` says to a reader."""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

from automl.reports import words

if TYPE_CHECKING:
    from automl.app.replay import Replay, Replayed

__all__ = ["replay_text"]

_LABEL = 11
_WIDTH = 88
_WIDTHS = (18, 8, 16, 12, 12, 16)
_Shows: TypeAlias = Callable[[float | None], str]
#: What a run is shown by: how it is read, and how it is written.
_COLUMNS: "tuple[tuple[Callable[[Replayed], float | None], _Shows], ...]" = (
    (lambda run: run.n_trials, lambda n: f"{n:.0f}"),
    (lambda run: run.trainings, lambda n: f"{n:.1f}"),
    (lambda run: run.seconds, words.duration),
    (lambda run: run.wall_s, words.duration),
    (lambda run: run.best, words.value),
)
_EVENTS = ("pauses", "goes on", "stops", "audited", "fails")


def replay_text(done: "Replay") -> str:
    """A table of what was done beside what would have been, and what to make of it."""
    metric = done.objective.metric
    lines = [*_head(done), "", _row("", "trials", "full trainings", "training", "wall", metric)]
    was = done.done
    lines.append(
        _row(
            "as it was",
            f"{was.n_trials}",
            f"{was.trainings:.1f}",
            words.duration(was.seconds),
            "",
            words.value(was.best),
        )
    )
    lines += _simulated(done.runs)
    return "\n".join([*lines, "", *_verdict(done), *_events(done.runs)])


def _head(done: "Replay") -> Iterator[str]:
    source, search = done.source, done.config.search
    trainings = words.count(len(source.recordings), "recorded training")
    yield f"{'replay':<{_LABEL}}{source.name}: {trainings} of {source.n_epochs} epochs"
    rule = "" if search.pruner == "none" else f", pruner {search.pruner}"
    rungs = f" (rungs {', '.join(map(str, search.rungs))})" if search.rungs else ""
    yield (
        f"{'method':<{_LABEL}}sampler {search.sampler}, fidelity {search.fidelity}{rungs}{rule}, "
        f"{words.count(done.config.limits.trials, 'trial')}, "
        f"{words.count(done.config.resources.max_concurrent, 'place')}"
    )
    for note in done.notes:
        yield textwrap.fill(
            f"{'note':<{_LABEL}}{note}",
            _WIDTH,
            subsequent_indent=" " * _LABEL,
            break_long_words=False,
        )


def _row(*cells: str) -> str:
    first, *others = cells
    padded = (f"{cell:>{width}}" for cell, width in zip(others, _WIDTHS[1:], strict=True))
    return f"{first:<{_WIDTHS[0]}}{''.join(padded)}".rstrip()


def _simulated(runs: "Sequence[Replayed]") -> Iterator[str]:
    """The middle of the simulations, and their range."""
    seeds = words.count(len(runs), "seed")
    if len(runs) == 1:
        yield _row("simulated", *(show(read(runs[0])) for read, show in _COLUMNS))
        return
    yield _row(
        f"median of {seeds}", *(_shown(runs, read, show, median) for read, show in _COLUMNS)
    )
    yield _row("  lowest", *(_shown(runs, read, show, min) for read, show in _COLUMNS))
    yield _row("  highest", *(_shown(runs, read, show, max) for read, show in _COLUMNS))


def _shown(
    runs: "Sequence[Replayed]",
    read: "Callable[[Replayed], float | None]",
    show: _Shows,
    of: Callable[[list[float]], float],
) -> str:
    known = [number for run in runs if (number := read(run)) is not None]
    return show(of(known)) if known else "-"


def _verdict(done: "Replay") -> Iterator[str]:
    best, runs = done.done.best, done.runs
    level = [run.level_at for run in runs if run.level_at is not None]
    verdict = f"as good as it was ({words.value(best)})"
    if not level:
        yield f"{'verdict':<{_LABEL}}never {verdict}"
        return
    middle = " (median)" if len(level) > 1 else ""
    cost = f"after {median(level):.1f} full trainings{middle}"
    yield f"{'verdict':<{_LABEL}}{verdict}{_share(len(level), len(runs))} {cost}"


def _share(n: int, of: int) -> str:
    """Of how many simulations something is true; empty where there is only one."""
    if of == 1:
        return ""
    return f" in all {of} simulations," if n == of else f" in {n} of {of} simulations,"


def _events(runs: "Sequence[Replayed]") -> Iterator[str]:
    """How often trials were decided upon, over all simulations."""
    counts = {what: sum(run.events.get(what, 0) for run in runs) for what in _EVENTS}
    parts = [f"{what} {n}" for what, n in counts.items() if n]
    if parts:
        over = f" (over {len(runs)} simulations)" if len(runs) > 1 else ""
        yield f"{'events':<{_LABEL}}{', '.join(parts)}{over}"
    ends = dict.fromkeys(run.end for run in runs if run.end)
    for end in ends:
        yield f"{'ended':<{_LABEL}}{end}"
