"""The live table on a terminal: one picture of a study, redrawn in place.

What is drawn is a pure function of a snapshot and a width. Every line is built to fit: the columns
have fixed widths and only the last one gives way. Texts go to rich without markup, because a bar
such as ``[###...]`` or a message with brackets would otherwise vanish.
"""

import sys
from collections.abc import Iterator, Mapping
from time import monotonic
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from automl.cli.paths import shown
from automl.cli.progress import Progress, Running, Snapshot, changed_params
from automl.cli.terminal import beneath
from automl.errors import FixInput
from automl.execution.driver import Event
from automl.reports import words
from automl.reports.confirmation import confirmed
from automl.reports.verdict import FAKE
from automl.skill.tree import ParamValue, whole_number
from automl.study.config import StudyConfig
from automl.study.folder import read_base_spec
from automl.study.layout import StudyPaths
from automl.study.records import TrialRecord, TrialState
from automl.visible import visible

__all__ = ["LiveScreen", "epochs_of", "render", "wants_live"]

_BAR = 24
_SHOWN_ENDED = 5
_KEYS = "Ctrl-C: stop after the running trials; twice: stop them now"
_WORDS = {
    TrialState.WAITING: ("wait", "dim"),
    TrialState.RUNNING: ("run", ""),
    TrialState.COMPLETE: ("ok", "green"),
    TrialState.PAUSED: ("pause", "dim"),
    TrialState.PRUNED: ("prune", "dim"),
    TrialState.FAILED: ("FAIL", "red"),
}


def wants_live(stream: TextIO, environment: Mapping[str, str], *, plain: bool = False) -> bool:
    """Whether the table can be drawn: a terminal that moves its cursor, and nobody objects.

    Args:
        stream: Where it would be drawn.
        environment: The process's variables; ``CI`` and ``TERM=dumb`` mean no.
        plain: The user asked for plain lines.
    """
    is_dumb = environment.get("TERM", "") in ("dumb", "unknown")
    return stream.isatty() and not plain and not is_dumb and not environment.get("CI")


def epochs_of(paths: StudyPaths, key: str) -> int | None:
    """Epochs of one full training by the study's base spec; None if it does not say.

    Args:
        paths: The study.
        key: The setting that holds the epochs; empty if none does.
    """
    try:
        return whole_number(read_base_spec(paths), key)
    except (FixInput, OSError):
        return None


def render(snapshot: Snapshot, width: int, *, is_last: bool = False) -> Group:
    """The picture of a study, every line at most ``width`` columns wide.

    Args:
        snapshot: How the study stands.
        width: Columns of the terminal.
        is_last: Whether it stays on the terminal and nothing more can be asked of the search.
    """
    lines = [*_head(snapshot), *_rows(snapshot, width), *_foot(snapshot)]
    if not (is_last or snapshot.is_over):
        lines.append(Text(_KEYS, "dim"))
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
    yield _trials_line(snapshot)
    yield _best_line(snapshot)
    eta = snapshot.eta
    if eta is not None and eta.high_s > 0:
        low, high = words.duration(eta.low_s), words.duration(eta.high_s)
        told = low if low == high else f"{low} to {high}"
        yield Text(f"left    {told}, judged by the trials that ended")
    yield Text()


def _trials_line(snapshot: Snapshot) -> Text:
    done = round(_BAR * min(1.0, snapshot.at_rest / snapshot.asked))
    bar = "#" * done + "." * (_BAR - done)
    counts = snapshot.counts
    told = [f"{_WORDS[state][0]} {counts[state]}" for state in _COUNTED if counts[state]]
    wall = words.duration(snapshot.wall_s)
    parts = [f"{snapshot.at_rest}/{snapshot.asked}", *told, wall]
    return Text(f"trials  [{bar}]  " + "  ".join(parts))


_COUNTED = (
    TrialState.COMPLETE,
    TrialState.PAUSED,
    TrialState.PRUNED,
    TrialState.FAILED,
    TrialState.RUNNING,
)


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


def _rows(snapshot: Snapshot, width: int) -> Iterator[Text]:
    yield Text("  #  state  epochs     now    best   time  changed from default / note", "bold")
    yield Text("─" * width, "dim")
    for running in snapshot.running:
        yield _running_row(snapshot, running)
    by_number = {record.number: record for record in snapshot.records}
    newest = list(dict.fromkeys(reversed(snapshot.ended)))[:_SHOWN_ENDED]
    for number in newest:
        if by_number[number].state.is_at_rest:
            yield _ended_row(snapshot, by_number[number])


def _running_row(snapshot: Snapshot, running: Running) -> Text:
    attempt = running.attempt
    note = _told(changed_params(attempt.params, snapshot.default), snapshot)
    note = f"attempt {attempt.attempt}  {note}" if attempt.attempt > 1 else note
    age = words.duration(snapshot.now_s - running.begun_s)
    cells = (_epochs(running.epoch, snapshot), running.value, running.best, age, note)
    return _row(attempt.number, TrialState.RUNNING, cells)


def _ended_row(snapshot: Snapshot, record: TrialRecord) -> Text:
    note = _told(changed_params(record.params, snapshot.default), snapshot)
    if record.failure is not None:
        note = f"{record.failure}: {' '.join(record.evidence.split())}"
    elif record.state in (TrialState.PAUSED, TrialState.PRUNED) and record.evidence:
        note = " ".join(record.evidence.split())
    newest = max(record.values, default=None)
    last = None if newest is None else record.values[newest]
    took = words.duration(record.seconds)
    return _row(
        record.number,
        record.state,
        (_epochs(newest, snapshot), last, record.best_value, took, note),
    )


def _row(
    number: int,
    state: TrialState,
    cells: tuple[str, float | None, float | None, str, str],
) -> Text:
    word, style = _WORDS[state]
    epochs, now, best, took, note = cells
    values = f"{words.value(now):>7} {words.value(best):>7}"
    line = Text(f"{number:>3}  ")
    line.append(f"{word:<5}", style)
    line.append(f" {epochs:>7} {values} {took:>6}  {note}")
    return line


def _epochs(newest: int | None, snapshot: Snapshot) -> str:
    done = 0 if newest is None else newest + 1
    return f"{done}/{snapshot.epochs}" if snapshot.epochs else str(done)


def _told(params: Mapping[str, ParamValue], snapshot: Snapshot) -> str:
    if not params:
        return "the default" if snapshot.is_search else ""
    every = {key: None for record in snapshot.records for key in record.params}
    names = words.short_names(list(every | dict.fromkeys(params)))
    return "  ".join(f"{names[key]} {words.param(value)}" for key, value in params.items())


def _foot(snapshot: Snapshot) -> Iterator[Text]:
    for note in snapshot.notes:
        yield Text(f"note: {' '.join(note.split())}", "yellow")


class LiveScreen:
    """Draws a driven study in place on standard error; a context manager that tidies up.

    Args:
        console: Where to draw; a console on standard error by default.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(
            file=beneath(sys.stderr), markup=False, highlight=False, emoji=False
        )
        self._progress: Progress | None = None
        self._live: Live | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def opened(self, paths: StudyPaths, config: StudyConfig) -> None:
        """Begins to draw."""
        self._console.print(_clean(Text(f"study folder {shown(paths.folder)}")), soft_wrap=True)
        self._progress = Progress(config, monotonic, epochs_of(paths, config.keys.epochs))
        self._live = Live(console=self._console, auto_refresh=False)
        self._live.start()
        self._draw()

    def event(self, event: Event) -> None:
        """Draws what has changed."""
        if self._progress is not None:
            self._progress.event(event)
            self._draw()

    def look(self, records: tuple[TrialRecord, ...], wall_s: float) -> None:
        """Draws how the trials stand, and the time that has passed."""
        if self._progress is not None:
            self._progress.look(records, wall_s)
            self._draw()

    def close(self) -> None:
        """Leaves the last picture on the terminal and gives the terminal back."""
        if self._live is not None:
            self._draw(is_last=True)
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _draw(self, *, is_last: bool = False) -> None:
        if self._live is not None and self._progress is not None:
            width = self._console.width
            snapshot = self._progress.snapshot(is_last=is_last)
            picture = render(snapshot, width, is_last=is_last)
            try:
                self._live.update(picture, refresh=True)
            except OSError:
                self._live = None  # the terminal has gone, which is no reason to end a search
