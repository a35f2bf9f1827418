"""What ``automl status`` says: where a study stands, what runs, and how long the rest takes."""

from collections.abc import Iterator
from datetime import datetime
from statistics import median

from automl.reports import words
from automl.reports.changed import changed_words
from automl.reports.derive import moment
from automl.reports.model import Summary
from automl.reports.remaining import Outlook, SecondsRange, remaining
from automl.reports.text import expected_lines, fake_lines, labelled, named, table, value_of
from automl.study.live import LiveAttempt
from automl.study.records import FailureClass, TrialState
from automl.study.state import StudyState, StudyStatus

__all__ = ["left_of", "status_text"]

_HOUR_S = 3600.0
_GIB = 1 << 30
#: Signs of what a trial changes; with them the widest line has a hundred.
_CHANGED = 40
_LIVE_HEAD = ("trial", "epoch", "step", "now", "best", "left", "img/s", "vram", "util", "changed")


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


def status_text(
    summary: Summary, state: StudyState | None, now: datetime, epochs: int | None = None
) -> str:
    """Where a study stands now.

    Args:
        summary: The study.
        state: The driver's last snapshot; None if it wrote none.
        now: The time of day, for the age of the snapshot.
        epochs: Epochs of one full training; None if not known.
    """
    lines = [_head(summary), *fake_lines(summary), *_driver(summary, state, now)]
    if summary.winner is not None:
        lines.append(f"best {value_of(summary, summary.winner)} (trial {summary.winner.number})")
        if summary.is_search and summary.winner.mean is None:
            lines += expected_lines(summary.winner)
    lines += _improvement(summary, now)
    lines += [labelled("budget", text) for text in summary.spent.lines()]
    nodes = () if state is None else state.nodes
    lines += [labelled("node", str(node)) for node in nodes if not node.refused]
    left = left_of(summary, state, now, epochs)
    if left is not None:
        lines.append(labelled("left", str(left)))
    live = state.live if state is not None and summary.status is StudyStatus.RUNNING else ()
    if live:
        lines += ["", *_live_table(summary, live, now, epochs)]
    rows = [_state_row(summary, trial_state, live, now) for trial_state in summary.counts]
    if rows:
        lines += ["", *table(("state", "n", "time", "GPU-h", "what"), rows, "lrrrl")]
    lines += [f"note: {note}" for note in summary.notes]
    return "\n".join(lines)


def _head(summary: Summary) -> str:
    head = f"{summary.name} in {summary.folder.parent}   {str(summary.status).upper()}"
    head += f"   {summary.counted}"
    running = summary.counts.get(TrialState.RUNNING, 0)
    alive = "running" if summary.status is StudyStatus.RUNNING else "cut short"
    head += f", {running} {alive}" if running else ""
    paused = summary.counts.get(TrialState.PAUSED, 0)
    head += f", {paused} paused" if paused else ""
    head += f"   {words.duration(summary.cost.wall_s)} wall"
    if summary.cost.gpu_seconds:
        head += f", {words.duration(summary.cost.gpu_seconds)} GPU"
    return head


def _driver(summary: Summary, state: StudyState | None, now: datetime) -> list[str]:
    if summary.status is StudyStatus.RUNNING and state is not None:
        pid = state.driver.get("pid", "?")
        host = state.driver.get("host", "?")
        return [f"driver pid {pid} on {host}, seen {words.duration(state.age_s(now))} ago"]
    if summary.stop_reason:
        return [f"ended: {summary.stop_reason}"]
    if summary.status is StudyStatus.INTERRUPTED:
        further = summary.command("resume")
        return ["no driver is alive" + (f"; {further} goes on with it" if further else "")]
    return []


def _improvement(summary: Summary, now: datetime) -> Iterator[str]:
    """When the best of a running search last became better."""
    points = summary.incumbents
    if summary.status is not StudyStatus.RUNNING or not summary.is_search or not points:
        return
    better = [i for i, point in enumerate(points) if not i or point.best != points[i - 1].best]
    last = points[better[-1]]
    ended = next(trial.ended_at for trial in summary.trials if trial.number == last.number)
    when = moment(ended)
    if when is None:
        return
    since = len(points) - 1 - better[-1]
    ago = words.duration(max(0.0, (now - when).total_seconds()))
    after = words.count(since, "trial")
    yield labelled("improved", f"{ago} ago (trial {last.number}), {after} since")


def _live_table(
    summary: Summary, live: tuple[LiveAttempt, ...], now: datetime, epochs: int | None
) -> list[str]:
    """A line a running trial; columns of which nothing is known are left out."""
    rows = [_live_row(summary, each, now.timestamp(), epochs) for each in live]
    shown = [i for i in range(len(_LIVE_HEAD)) if any(row[i] for row in rows)]
    head = [_LIVE_HEAD[i] for i in shown]
    sides = "".join("l" if name == "changed" else "r" for name in head)
    return table(head, [[row[i] for i in shown] for row in rows], sides)


def _live_row(
    summary: Summary, live: LiveAttempt, now_s: float, epochs: int | None
) -> tuple[str, ...]:
    records = [trial.record for trial in summary.trials]
    params = next((each.params for each in records if each.number == live.number), {})
    total, left = live.of_epochs or epochs, live.left_s(now_s, epochs)
    done = max(live.in_epoch, 0 if live.epoch is None else live.epoch + 1)
    step = f"{live.step}/{live.of_steps}" if live.of_steps else ""
    told = changed_words(params, records) or ("the default" if summary.is_search else "")
    rate, memory, use = live.images_per_s, live.gpu_memory, live.gpu_utilisation
    return (
        str(live.number),
        f"{done}/{total}" if total else str(done),
        f"val {step}" if step and live.phase == "validate" else step,
        words.value(live.value),
        words.value(live.best),
        "" if left is None else words.duration(left),
        "" if rate is None else f"{rate:.4g}",
        "" if memory is None else f"{memory / _GIB:.1f}G",
        "" if use is None else f"{use:.0f}%",
        words.one_line(told, _CHANGED),
    )


def _state_row(
    summary: Summary, state: TrialState, live: tuple[LiveAttempt, ...], now: datetime
) -> tuple[str, str, str, str, str]:
    seconds = summary.cost.seconds_by_state.get(state) or 0.0
    gpu_seconds = summary.cost.gpu_seconds_by_state.get(state) or 0.0
    if state is TrialState.RUNNING:
        sharing = summary.config.resources.trials_per_gpu
        seconds += sum(each.age_s(now.timestamp()) for each in live)
        gpu_seconds += sum(each.gpu_seconds(now.timestamp(), sharing) for each in live)
    return (
        summary.called(state),
        str(summary.counts[state]),
        words.duration(seconds),
        f"{gpu_seconds / _HOUR_S:.2f}" if gpu_seconds else "-",
        _what(summary, state),
    )


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
