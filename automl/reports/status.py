"""What ``automl status`` says: where a study stands, what runs, and how long the rest takes."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from automl.reports import words
from automl.reports.aligned import labelled, table
from automl.reports.calling import study_command
from automl.reports.glance import Glance
from automl.study.clock import moment_of
from automl.study.live import LiveAttempt
from automl.study.records import TrialState
from automl.study.state import StudyState, StudyStatus

__all__ = ["status_text"]

_HOUR_S = 3600.0
_GIB = 1 << 30
#: Signs of what a trial changes; with them the widest line has a hundred.
_CHANGED = 40
_LIVE_HEAD = ("trial", "epoch", "step", "now", "best", "left", "img/s", "vram", "util", "changed")
#: Seconds after which it is said how old a glance is.
_FRESH_S = 5.0


def status_text(
    glance: Glance,
    folder: Path,
    state: StudyState | None,
    now: datetime,
    age_s: float = 0.0,
) -> str:
    """Where a study stands now.

    Args:
        glance: The study.
        folder: Its folder, as it is shown.
        state: The driver's last snapshot; None if it wrote none.
        now: The time of day, for the age of the snapshot.
        age_s: Seconds since the glance was taken.
    """
    wall_s = glance.wall_s
    if glance.status is StudyStatus.RUNNING and state is not None and state.wall_s:
        wall_s = max(wall_s, state.wall_s + state.age_s(now))
    lines = [_head(glance, folder, wall_s), *glance.fake]
    lines += [*_driver(glance, folder, state, now, age_s), *glance.best, *_improved(glance, now)]
    lines += [labelled("budget", text) for text in glance.budget]
    nodes = () if state is None else state.nodes
    lines += [labelled("node", str(node)) for node in nodes if not node.refused]
    if glance.left is not None:
        lines.append(labelled("left", str(glance.left.after(age_s))))
    live = state.live if state is not None and glance.status is StudyStatus.RUNNING else ()
    if live:
        lines += ["", *_live_table(glance, live, now)]
    rows = [_state_row(glance, name, live, now) for name in glance.counts]
    if rows:
        lines += ["", *table(("state", "n", "time", "GPU-h", "what"), rows, "lrrrl")]
    lines += [f"note: {note}" for note in glance.notes]
    return "\n".join(lines)


def _head(glance: Glance, folder: Path, wall_s: float) -> str:
    name = glance.listing.name
    head = f"{name} in {folder.parent}   {str(glance.status).upper()}   {glance.counted}"
    running = glance.counts.get(TrialState.RUNNING, 0)
    alive = "running" if glance.status is StudyStatus.RUNNING else "cut short"
    head += f", {running} {alive}" if running else ""
    paused = glance.counts.get(TrialState.PAUSED, 0)
    head += f", {paused} paused" if paused else ""
    head += f"   {words.duration(wall_s)} wall"
    return head + (f", {words.duration(glance.gpu_seconds)} GPU" if glance.gpu_seconds else "")


def _driver(
    glance: Glance, folder: Path, state: StudyState | None, now: datetime, age_s: float
) -> list[str]:
    if glance.status is StudyStatus.RUNNING and state is not None:
        pid, host = state.driver.get("pid", "?"), state.driver.get("host", "?")
        seen = f"driver pid {pid} on {host}, seen {words.duration(state.age_s(now))} ago"
        old = f"; trials as of {words.duration(age_s)} ago" if age_s > _FRESH_S else ""
        return [seen + old]
    if glance.stop_reason:
        return [f"ended: {glance.stop_reason}"]
    if glance.status is StudyStatus.INTERRUPTED:
        further = study_command("resume", folder) if glance.can_go_on else ""
        return ["no driver is alive" + (f"; {further} goes on with it" if further else "")]
    return []


def _improved(glance: Glance, now: datetime) -> Iterator[str]:
    """When the best of a running search last became better."""
    last = glance.improvement
    if last is not None:
        ago = words.duration(max(0.0, (now - moment_of(last.ended_at)).total_seconds()))
        after = words.count(last.since, "trial")
        yield labelled("improved", f"{ago} ago (trial {last.number}), {after} since")


def _live_table(glance: Glance, live: tuple[LiveAttempt, ...], now: datetime) -> list[str]:
    """A line a running trial; columns of which nothing is known are left out."""
    rows = [_live_row(glance, each, now.timestamp()) for each in live]
    shown = [i for i in range(len(_LIVE_HEAD)) if any(row[i] for row in rows)]
    head = [_LIVE_HEAD[i] for i in shown]
    sides = "".join("l" if name == "changed" else "r" for name in head)
    return table(head, [[row[i] for i in shown] for row in rows], sides)


def _live_row(glance: Glance, live: LiveAttempt, now_s: float) -> tuple[str, ...]:
    total, left = live.of_epochs or glance.epochs, live.left_s(now_s, glance.epochs)
    done = max(live.in_epoch, 0 if live.epoch is None else live.epoch + 1)
    step = f"{live.step}/{live.of_steps}" if live.of_steps else ""
    told = glance.changed.get(str(live.number))
    if told == "" and glance.is_search:
        told = "the default"
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
        words.one_line(told or "", _CHANGED),
    )


def _state_row(
    glance: Glance, name: str, live: tuple[LiveAttempt, ...], now: datetime
) -> tuple[str, str, str, str, str]:
    seconds = glance.seconds_by_state.get(name) or 0.0
    gpu_seconds = glance.gpu_seconds_by_state.get(name) or 0.0
    if name == TrialState.RUNNING:
        sharing = glance.trials_per_gpu
        seconds += sum(each.age_s(now.timestamp()) for each in live)
        gpu_seconds += sum(each.gpu_seconds(now.timestamp(), sharing) for each in live)
    return (
        glance.called[name],
        str(glance.counts[name]),
        words.duration(seconds),
        f"{gpu_seconds / _HOUR_S:.2f}" if gpu_seconds else "-",
        glance.what[name],
    )
