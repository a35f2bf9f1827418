"""One picture of a study, for whoever drives it and for whoever watches it.

What is drawn is a pure function of a snapshot and a width. Every line is built to fit: the columns
have fixed widths, those that nothing is known for are left out, and where room is short some give
way in a fixed order; the last one takes what is left. Texts go to rich without markup, because a
bar such as ``[###...]`` or a message with brackets would otherwise vanish.
"""

from collections.abc import Iterator

from rich.console import Group
from rich.text import Text

from automl.cli.columns import Row, fitted
from automl.cli.gpu_strips import strips
from automl.cli.progress import Snapshot
from automl.reports import words
from automl.reports.budget import spent_of
from automl.reports.changed import changed_words
from automl.reports.confirmation import Confirmed, confirmed
from automl.reports.verdict import FAKE
from automl.study.live import LiveAttempt
from automl.study.records import TrialRecord, TrialState
from automl.visible import visible

__all__ = ["DRIVER_KEYS", "WATCHER_KEYS", "render"]

_BAR, _LEAST_BAR = 24, 6
#: Trials in the queue that have a row of their own.
_SHOWN_WAITING = 3
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
    lines = [*_head(snapshot, width), *_rows(snapshot, width), *_foot(snapshot, width)]
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


def _head(snapshot: Snapshot, width: int) -> Iterator[Text]:
    config = snapshot.config
    if config.is_fake:
        yield Text(FAKE, "bold yellow")
    search = f"   {config.search.sampler}   seed {config.search.seed}"
    objective = f"{config.objective.metric} {config.objective.direction}"
    if snapshot.n_validation is not None:
        objective += f" (n = {snapshot.n_validation})"
    policy = f"policy {config.policy}{search if snapshot.is_search else ''}"
    yield Text(f"{config.name}   {policy}   {objective}", "bold")
    if snapshot.driver:
        style = "" if snapshot.is_driven else "bold yellow"
        yield Text(f"driver  {snapshot.driver}", style)
    yield _trials_line(snapshot, width)
    yield from _budget_lines(snapshot)
    yield _best_line(snapshot)
    yield from _left_lines(snapshot)
    yield Text()


def _trials_line(snapshot: Snapshot, width: int) -> Text:
    counts = snapshot.counts
    told = [f"{_WORDS[state][0]} {counts[state]}" for state in _COUNTED if counts[state]]
    counted = f"{snapshot.searched}/{snapshot.to_search}"
    n_fresh = snapshot.asked - snapshot.to_search
    if n_fresh > 0:
        counted += f", seeds {snapshot.at_rest - snapshot.searched}/{n_fresh}"
    text = "  ".join([counted, *told, words.duration(snapshot.wall_s)])
    room = max(_LEAST_BAR, min(_BAR, width - len(text) - len("trials  []  ")))
    return Text(f"trials  {_bar(snapshot.at_rest / snapshot.asked, room)}  {text}")


def _bar(share: float, length: int = _BAR) -> str:
    done = round(length * min(1.0, max(0.0, share)))
    return f"[{'#' * done}{'.' * (length - done)}]"


def _budget_lines(snapshot: Snapshot) -> Iterator[Text]:
    """What the study may take; nothing where its trials alone are counted."""
    limits, sharing = snapshot.config.limits, snapshot.config.resources.trials_per_gpu
    gpu_s = sum(record.gpu_seconds for record in snapshot.records)
    gpu_s += sum(live.gpu_seconds(snapshot.now_s, sharing) for live in snapshot.running)
    spent = spent_of(limits, snapshot.wall_s, gpu_s)
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
    """The mean of fresh seeds once there is one, else the value of the one seed."""
    best, default = snapshot.best, snapshot.default
    if best is None or best.best_value is None:
        return Text("best    none yet", "dim")
    again = confirmed(snapshot.records, best.number, snapshot.config) if best.number else None
    if again is not None and again.winner.mean is not None:
        return _confirmed_line(best.number, best.best_value, again)
    line = Text(f"best    {words.value(best.best_value)}  trial {best.number}", "bold green")
    if best.number != 0 and default is not None and default.best_value is not None:
        difference = words.signed(best.best_value - default.best_value)
        line.append(f"   default {words.value(default.best_value)} ({difference})", "not bold")
        line.append("   not confirmed", "dim not bold")
    return line


def _confirmed_line(number: int, one_seed: float, again: Confirmed) -> Text:
    n = words.count(len(again.winner.values), "fresh seed")
    line = Text(f"best    {words.value(again.winner.mean)}  trial {number}", "bold green")
    line.append(f", {n}", "not bold")
    if again.default is not None and again.difference is not None:
        default = words.value(again.default.mean)
        line.append(f"   default {default} ({words.signed(again.difference)})", "not bold")
    return line.append(f"   one seed {words.value(one_seed)}", "dim not bold")


def _left_lines(snapshot: Snapshot) -> Iterator[Text]:
    eta = snapshot.eta
    if eta is not None and eta.high_s > 0:
        yield Text(f"left    {eta}")


def _rows(snapshot: Snapshot, width: int) -> Iterator[Text]:
    running = [_running_row(snapshot, live) for live in snapshot.running]
    by_number = {record.number: record for record in snapshot.records}
    newest = [number for number in snapshot.ended if number in by_number][:_SHOWN_ENDED]
    ended = [_ended_row(snapshot, by_number[n]) for n in newest if by_number[n].state.is_at_rest]
    yield from fitted([*running, *_waiting(snapshot), *ended], width)
    if snapshot.pause:
        yield Text(snapshot.pause, "dim")


def _waiting(snapshot: Snapshot) -> Iterator[Row]:
    """The trials in the queue, each with what it waits for."""
    if not snapshot.is_driven:
        return
    live = {each.number for each in snapshot.running}
    places = snapshot.config.resources.max_concurrent
    cause = "for its preparation"
    if len(live) >= places:
        cause = f"for a place: {len(live)} of {places} run"
    queued = [each for each in snapshot.records if each.state is TrialState.WAITING]
    for record in [each for each in queued if each.number not in live][:_SHOWN_WAITING]:
        cells = {"#": str(record.number), "state": "wait"}
        yield Row(cells, f"{cause}  {_told(record, snapshot)}", {"state": "dim"})


def _running_row(snapshot: Snapshot, live: LiveAttempt) -> Row:
    record = next((each for each in snapshot.records if each.number == live.number), None)
    note = "" if record is None else _told(record, snapshot)
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
    note = _told(record, snapshot)
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


def _told(record: TrialRecord, snapshot: Snapshot) -> str:
    """What a trial changes; of one that is trained again, which."""
    told = changed_words(record.params, snapshot.records)
    told = told or ("the default" if snapshot.is_search else "")
    return told if record.confirms is None else f"fresh seed of trial {record.confirms}  {told}"


def _foot(snapshot: Snapshot, width: int) -> Iterator[Text]:
    for line in strips(snapshot.samples, snapshot.now_s, width):
        yield Text(line)
    for note in snapshot.notes:
        yield Text(f"note: {' '.join(note.split())}", "yellow")
