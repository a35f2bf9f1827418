"""One picture of a study, for whoever drives it and for whoever watches it.

What is drawn is a pure function of a snapshot and a width. Every line is built to fit: the columns
have fixed widths, those that nothing is known for are left out, and where room is short some give
way in a fixed order; the last one takes what is left. Texts go to rich without markup, because a
bar such as ``[###...]`` or a message with brackets would otherwise vanish.
"""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group
from rich.text import Text

from automl.cli.columns import Row, fitted
from automl.cli.gpu_strips import strips
from automl.cli.progress import Snapshot
from automl.reports import words
from automl.reports.budget import spent_of
from automl.reports.changed import changed_words
from automl.reports.confirmation import confirmed
from automl.reports.verdict import FAKE
from automl.skill.tree import ParamValue
from automl.study.live import LiveAttempt
from automl.study.records import TrialRecord, TrialState
from automl.visible import visible

__all__ = ["DRIVER_KEYS", "WATCHER_KEYS", "render"]

_BAR = 24
_SHOWN_ENDED = 5
_GIB = 1 << 30
DRIVER_KEYS = "Ctrl-C: stop after the running trials; twice: stop them now"
WATCHER_KEYS = "[q] detach  [l] log of a trial  [s] stop after running  [k] stop now  [?] keys"
_WORDS = {
    TrialState.WAITING: ("wait", "dim"),
    TrialState.RUNNING: ("run", ""),
    TrialState.COMPLETE: ("ok", "green"),
    TrialState.PAUSED: ("pause", "dim"),
    TrialState.PRUNED: ("prune", "dim"),
    TrialState.FAILED: ("FAIL", "red"),
}
_COUNTED = (
    TrialState.COMPLETE,
    TrialState.PAUSED,
    TrialState.PRUNED,
    TrialState.FAILED,
    TrialState.RUNNING,
)


def render(snapshot: Snapshot, width: int, keys: str = DRIVER_KEYS) -> Group:
    """The picture of a study, every line at most ``width`` columns wide.

    Args:
        snapshot: How the study stands.
        width: Columns of the terminal.
        keys: What can be asked of the search; empty for a picture that stays on the terminal.
    """
    lines = [*_head(snapshot), *_rows(snapshot, width), *_foot(snapshot, width)]
    if keys and not snapshot.is_over:
        lines.append(Text(keys, "dim"))
    lines = [_clean(line) for line in lines]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
        line.no_wrap = True
    return Group(*lines)


def _clean(line: Text) -> Text:
    """The line itself, or without its colours where signs had to be made visible."""
    seen = visible(line.plain, keep="")
    return line if seen == line.plain else Text(seen, line.style)


def _head(snapshot: Snapshot) -> Iterator[Text]:
    config = snapshot.config
    if config.is_fake:
        yield Text(FAKE, "bold yellow")
    search = f"   {config.search.sampler}   seed {config.search.seed}"
    objective = f"{config.objective.metric} {config.objective.direction}"
    policy = f"policy {config.policy}{search if snapshot.is_search else ''}"
    yield Text(f"{config.name}   {policy}   {objective}", "bold")
    if snapshot.driver:
        style = "" if snapshot.is_driven else "bold yellow"
        yield Text(f"driver  {snapshot.driver}", style)
    yield _trials_line(snapshot)
    yield from _budget_lines(snapshot)
    yield _best_line(snapshot)
    yield from _left_lines(snapshot)
    yield Text()


def _trials_line(snapshot: Snapshot) -> Text:
    counts = snapshot.counts
    told = [f"{_WORDS[state][0]} {counts[state]}" for state in _COUNTED if counts[state]]
    wall = words.duration(snapshot.wall_s)
    parts = [f"{snapshot.at_rest}/{snapshot.asked}", *told, wall]
    bar = _bar(snapshot.at_rest / snapshot.asked)
    return Text(f"trials  {bar}  " + "  ".join(parts))


def _bar(share: float) -> str:
    done = round(_BAR * min(1.0, max(0.0, share)))
    return f"[{'#' * done}{'.' * (_BAR - done)}]"


def _budget_lines(snapshot: Snapshot) -> Iterator[Text]:
    """What the study may take; nothing where its trials alone are counted."""
    limits, sharing = snapshot.config.limits, snapshot.config.resources.trials_per_gpu
    gpu_s = sum(record.gpu_seconds for record in snapshot.records)
    gpu_s += sum(live.gpu_seconds(snapshot.now_s, sharing) for live in snapshot.running)
    spent = spent_of(snapshot.records, limits, snapshot.wall_s, gpu_s)
    shares = []
    if limits.max_wall_s is not None:
        shares.append(snapshot.wall_s / limits.max_wall_s)
    if limits.gpu_hours is not None:
        shares.append(spent.gpu_hours_used / limits.gpu_hours)
    planned = spent.planned()
    if planned:
        yield Text(f"budget  {_bar(max(shares, default=0.0))}  {planned}")
    elif gpu_s:
        yield Text(f"spent   {spent.gpu_hours_used:.3g} GPU-h")


def _best_line(snapshot: Snapshot) -> Text:
    best = snapshot.best
    if best is None or best.best_value is None:
        return Text("best    none yet", "dim")
    line = Text(f"best    {words.value(best.best_value)}  trial {best.number}", "bold green")
    default = snapshot.default
    if best.number != 0 and default is not None and default.best_value is not None:
        difference = words.signed(best.best_value - default.best_value)
        line.append(f"   default {words.value(default.best_value)} ({difference})", "not bold")
        again = confirmed(snapshot.records, best.number, snapshot.config)
        said = "not confirmed" if again is None else f"fresh seeds {again.means}"
        line.append(f"   {said}", "dim not bold")
    return line


def _left_lines(snapshot: Snapshot) -> Iterator[Text]:
    eta = snapshot.eta
    if eta is not None and eta.high_s > 0:
        yield Text(f"left    {eta}")


def _rows(snapshot: Snapshot, width: int) -> Iterator[Text]:
    running = [_running_row(snapshot, live) for live in snapshot.running]
    by_number = {record.number: record for record in snapshot.records}
    newest = [number for number in snapshot.ended if number in by_number][:_SHOWN_ENDED]
    ended = [_ended_row(snapshot, by_number[n]) for n in newest if by_number[n].state.is_at_rest]
    yield from fitted([*running, *ended], width)
    if snapshot.pause:
        yield Text(snapshot.pause, "dim")


def _running_row(snapshot: Snapshot, live: LiveAttempt) -> Row:
    params = _params_of(snapshot, live.number)
    note = _told(params, snapshot)
    note = f"attempt {live.attempt}  {note}" if live.attempt > 1 else note
    is_begun = bool(live.said or live.of_steps or live.epoch is not None)
    epochs = live.of_epochs or snapshot.epochs
    left = live.left_s(snapshot.now_s, epochs) if snapshot.is_driven else None
    memory, used = live.gpu_memory, live.gpu_utilisation
    rate = live.images_per_s
    done = 0 if live.epoch is None else live.epoch + 1
    cells = {
        "#": str(live.number),
        "state": ("run" if is_begun else "start") if snapshot.is_driven else "lost",
        "gpu": ",".join(live.gpus),
        "epoch": _of(max(done, live.in_epoch), epochs),
        "step": _steps(live),
        "step%": _share(live),
        "now": words.value(live.value),
        "best": words.value(live.best),
        "time": words.duration(max(0.0, snapshot.now_s - live.began_s)),
        "left": "" if left is None else words.duration(left),
        "img/s": "" if rate is None else f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}",
        "vram": "" if memory is None else f"{memory / _GIB:.1f}G",
        "util": "" if used is None else f"{used:.0f}%",
    }
    return Row(cells, note)


def _steps(live: LiveAttempt) -> str:
    if not live.of_steps:
        return ""
    return ("val " if live.phase == "validate" else "") + f"{live.step}/{live.of_steps}"


def _share(live: LiveAttempt) -> str:
    if not live.of_steps:
        return ""
    percent = f"{100 * live.step // live.of_steps}%"
    return f"v{percent}" if live.phase == "validate" else percent


def _ended_row(snapshot: Snapshot, record: TrialRecord) -> Row:
    note = _told(record.params, snapshot)
    if record.failure is not None:
        note = f"{record.failure}: {' '.join(record.evidence.split())}"
    elif record.state in (TrialState.PAUSED, TrialState.PRUNED) and record.evidence:
        note = " ".join(record.evidence.split())
    newest = max(record.values, default=None)
    last = None if newest is None else record.values[newest]
    word, style = _WORDS[record.state]
    cells = {
        "#": str(record.number),
        "state": word,
        "epoch": _of(0 if newest is None else newest + 1, snapshot.epochs),
        "now": words.value(last),
        "best": words.value(record.best_value),
        "time": words.duration(record.seconds),
    }
    return Row(cells, note, {"state": style})


def _of(done: int, epochs: int | None) -> str:
    return f"{done}/{epochs}" if epochs else str(done)


def _params_of(snapshot: Snapshot, number: int) -> Mapping[str, ParamValue]:
    found: Sequence[TrialRecord] = [r for r in snapshot.records if r.number == number]
    return found[0].params if found else {}


def _told(params: Mapping[str, ParamValue], snapshot: Snapshot) -> str:
    told = changed_words(params, snapshot.records)
    return told or ("the default" if snapshot.is_search else "")


def _foot(snapshot: Snapshot, width: int) -> Iterator[Text]:
    for line in strips(snapshot.samples, snapshot.now_s, width):
        yield Text(line)
    for note in snapshot.notes:
        yield Text(f"note: {' '.join(note.split())}", "yellow")
