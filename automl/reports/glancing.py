"""From a ``Summary`` to what ``automl status`` and ``automl list`` show of it."""

from datetime import UTC, datetime
from statistics import median

from automl.reports import words
from automl.reports.aligned import labelled, named
from automl.reports.changed import changed_words
from automl.reports.derive import moment
from automl.reports.glance import Glance, Improvement
from automl.reports.listing import StudyListing
from automl.reports.model import Summary
from automl.reports.race_words import standing_words
from automl.reports.remaining import Outlook, SecondsRange, remaining
from automl.reports.text import expected_lines, fake_lines, value_of
from automl.study.layout import StudyPaths
from automl.study.records import FailureClass, TrialRecord, TrialState
from automl.study.state import StudyState, StudyStatus

__all__ = ["glance_of", "left_of", "listing_of"]


def left_of(
    summary: Summary, state: StudyState | None, now: datetime, epochs: int | None = None
) -> SecondsRange | None:
    """How long the rest of a driven study takes; None where nobody drives it.

    Args:
        summary: The study.
        state: The driver's last snapshot; None if it wrote none.
        now: The time of day.
        epochs: Epochs of one full training; None if not known.
    """
    if summary.status is not StudyStatus.RUNNING:
        return None
    records = [trial.record for trial in summary.trials]
    live = () if state is None else state.live
    moment_s, wall_s = now.timestamp(), summary.cost.wall_s
    return remaining(Outlook(summary.config, records, live, moment_s, wall_s, epochs))


def glance_of(
    summary: Summary, state: StudyState | None, now: datetime, epochs: int | None = None
) -> Glance:
    """What is shown of a study at a glance.

    Args:
        summary: The study.
        state: The driver's last snapshot; None if it wrote none.
        now: The time of day.
        epochs: Epochs of one full training; None if not known.
    """
    cost, counts = summary.cost, summary.counts
    return Glance(
        listing=listing_of(summary),
        status=summary.status,
        stop_reason=summary.stop_reason,
        is_search=summary.is_search,
        trials_per_gpu=summary.config.resources.trials_per_gpu,
        epochs=epochs,
        can_go_on=bool(summary.command("resume")),
        counted=summary.counted,
        counts={str(each): n for each, n in counts.items()},
        what={str(each): _what(summary, each) for each in counts},
        called={str(each): summary.called(each) for each in counts},
        wall_s=cost.wall_s,
        gpu_seconds=cost.gpu_seconds,
        seconds_by_state={str(each): s for each, s in cost.seconds_by_state.items()},
        gpu_seconds_by_state={str(each): s for each, s in cost.gpu_seconds_by_state.items()},
        changed=_changed(summary),
        improvement=_improvement(summary),
        left=left_of(summary, state, now, epochs),
        fake=tuple(fake_lines(summary)),
        best=tuple(_best(summary)),
        budget=tuple(summary.spent.lines()),
        notes=summary.notes,
    )


def listing_of(summary: Summary) -> StudyListing:
    """A study in a line."""
    created = moment(str(summary.provenance.get("created_at", "")))
    resolved = StudyPaths(summary.folder).resolved
    written = datetime.fromtimestamp(resolved.stat().st_mtime, UTC)
    winner = summary.winner
    remarks = ["FAKE"] * summary.is_fake + ["direct training"] * (not summary.is_search)
    if winner is not None and winner.confirmed is not None:
        remarks.append(winner.confirmed.finding)
    return StudyListing(
        name=summary.folder.name,
        status=str(summary.status),
        ended=summary.n_searched,
        asked=summary.n_to_search,
        objective=summary.objective.metric,
        best=None if winner is None else winner.value if winner.mean is None else winner.mean,
        best_trial=None if winner is None else winner.number,
        images=summary.n_validation,
        started=created or written,
        remark=", ".join(remarks),
    )


def _best(summary: Summary) -> list[str]:
    winner = summary.winner
    if winner is None:
        return []
    lines = [f"best {value_of(summary, winner)} (trial {winner.number})"]
    is_expected = summary.is_search and winner.mean is None
    lines += expected_lines(winner) if is_expected else []
    if summary.status is StudyStatus.FINISHED:
        return lines
    standing = standing_words([trial.record for trial in summary.trials], summary.config)
    return [*lines, labelled("race", standing)] if standing else lines


def _changed(summary: Summary) -> dict[str, str]:
    """What the trials that run change."""
    records = [trial.record for trial in summary.trials]
    running = [each for each in records if each.state is TrialState.RUNNING]
    return {str(each.number): _told(each, records) for each in running}


def _told(record: TrialRecord, records: list[TrialRecord]) -> str:
    """What a trial changes; of one that is trained again, which."""
    told = changed_words(record.params, records)
    if record.confirms is None:
        return told
    return f"fresh seed of trial {record.confirms}  {told or 'the default'}"


def _improvement(summary: Summary) -> Improvement | None:
    """When the best of a running search last became better."""
    points = summary.incumbents
    if summary.status is not StudyStatus.RUNNING or not summary.is_search or not points:
        return None
    better = [i for i, point in enumerate(points) if not i or point.best != points[i - 1].best]
    last = points[better[-1]]
    ended = next(trial.ended_at for trial in summary.trials if trial.number == last.number)
    if moment(ended) is None:
        return None
    return Improvement(last.number, ended, len(points) - 1 - better[-1])


def _what(summary: Summary, state: TrialState) -> str:
    trials = [trial for trial in summary.trials if trial.record.state is state]
    if state is TrialState.FAILED:
        classes = (trial.record.failure or FailureClass.UNKNOWN for trial in trials)
        names = sorted(map(str, classes))
        counted = ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names))
        return counted + (f", {summary.n_refused} refused free" if summary.n_refused else "")
    if state is TrialState.COMPLETE:
        values = [point.value for point in summary.incumbents]
        return f"median {words.value(median(values))} (n = {len(values)})" if values else ""
    return named([trial.number for trial in trials])
