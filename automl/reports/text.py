"""What the terminal says of a study, as plain text of at most 100 columns.

Every function is pure and returns lines without a line end at the close; nothing is coloured, so
that the text can be piped. Paths are shown as the summary's folder was given.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from statistics import median
from textwrap import wrap

from automl.reports import words
from automl.reports.early_ends import sentences
from automl.reports.findings import Winner
from automl.reports.listing import StudyListing
from automl.reports.model import Summary
from automl.reports.poses.lines import evaluation_lines, failed_lines
from automl.reports.verdict import FAKE, leading, note_of, on_images
from automl.study.records import FailureClass, TrialState
from automl.study.state import StudyState, StudyStatus
from automl.visible import visible

__all__ = ["best_text", "list_text", "run_footer", "status_text", "table"]

_WIDTH = 100
_LABEL = 11
#: What is offered at the end of a run, the first of them that there are.
_FURTHER = ("best", "train", "resume", "evaluate")
_NEXT = 3


def table(head: Sequence[str], rows: Sequence[Sequence[str]], numeric: str) -> list[str]:
    """Columns as wide as their widest cell, under a rule.

    Args:
        head: One title a column.
        rows: The cells.
        numeric: One letter a column: ``r`` for right-aligned, anything else for left.
    """
    grid = [list(head), *([visible(cell, keep="") for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in grid) for i in range(len(head))]
    lines = [
        "  ".join(
            cell.rjust(width) if side == "r" else cell.ljust(width)
            for cell, width, side in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in grid
    ]
    rule = "─" * min(_WIDTH, sum(widths) + 2 * (len(widths) - 1))
    return [lines[0], rule, *lines[1:]]


def _labelled(label: str, text: str) -> str:
    return f"{label:<{_LABEL}}{text}".rstrip()


def _fake(summary: Summary) -> list[str]:
    return [FAKE] if summary.is_fake else []


def _about(summary: Summary) -> str:
    """Which study is spoken of, and where it lies."""
    return _labelled("study", str(summary.folder))


def best_text(summary: Summary) -> str:
    """The winner: its value, the difference to trial 0 and what that is worth, and its files."""
    winner = summary.winner
    if winner is None:
        return "\n".join([_about(summary), *_fake(summary), *_no_winner(summary)])
    head = _labelled(f"trial {winner.number}", _value_of(summary, winner))
    lines = [_about(summary), *_fake(summary), head]
    if summary.is_search:
        lines += _standing(summary, winner)
    lines += _evaluations(summary)
    lines += [
        _labelled("changed" if i == 0 else "", text) for i, text in enumerate(_changes(winner))
    ]
    return "\n".join([*lines, *_files(summary, winner), *_next(summary)])


def _value_of(summary: Summary, winner: Winner) -> str:
    """The mean of fresh seeds where there is one, else the value of the one seed."""
    if winner.mean is not None:
        return leading(summary, winner)
    return f"{summary.objective.metric} {_one_seed(winner)}{on_images(summary)}"


def _one_seed(winner: Winner) -> str:
    last = f", last epoch {words.value(winner.last_value)}"
    return f"{words.value(winner.value)} at epoch {winner.epoch}{last}"


def _standing(summary: Summary, winner: Winner) -> Iterator[str]:
    """The winner of a search against the default, and what that is worth."""
    confirmed = winner.confirmed
    if confirmed is None or winner.mean is None:
        if winner.number != 0:
            yield from _difference(winner.difference, words.value(winner.baseline))
        yield from _expected(winner)
        yield _labelled("note", note_of(summary, winner))
        return
    yield from _difference(confirmed.difference, str(confirmed.default))
    yield _labelled("verdict", confirmed.finding)
    for text in confirmed.details:
        yield _labelled("", text)
    yield _labelled("one seed", f"{_one_seed(winner)}, in the search")


def _expected(winner: Winner) -> Iterator[str]:
    """What another seed would give, and what was observed beside it."""
    if winner.weighed is not None:
        yield _labelled("expected", str(winner.weighed))
        for text in winner.weighed.lines(winner.number):
            yield _labelled("", text)


def _evaluations(summary: Summary) -> list[str]:
    return [_labelled(*line) for line in evaluation_lines(summary)]


def _difference(difference: float | None, default: str) -> Iterator[str]:
    if difference is not None:
        text = f"{words.signed(difference)} against trial 0, the default: {default}"
        yield _labelled("difference", text)


def _changes(winner: Winner) -> list[str]:
    width = max((len(change.key) for change in winner.changes), default=0)
    return [
        f"{change.key:<{width}}  {words.param(change.base)} -> {words.param(change.value)}"
        for change in winner.changes
    ]


def _files(summary: Summary, winner: Winner) -> list[str]:
    spec = str(summary.folder / winner.spec) if winner.spec else "gone"
    checkpoint = str(summary.folder / winner.checkpoint) if winner.checkpoint else "none was kept"
    if winner.checkpoint_sha256:
        checkpoint += f"   sha256 {winner.checkpoint_sha256[:12]}"
    return [_labelled("spec", spec), _labelled("checkpoint", checkpoint)]


def _next(summary: Summary) -> list[str]:
    return [
        _labelled("next", command.line) for command in summary.commands if command.name == "train"
    ]


def _no_winner(summary: Summary) -> list[str]:
    lines = [f"no usable trial: none has ended with a {summary.objective.metric}"]
    return lines + _failure_lines(summary)


def _failure_lines(summary: Summary) -> list[str]:
    lines = []
    for group in summary.failures:
        example = words.one_line(f"{_named(group.numbers)}: {group.example}", _WIDTH - _LABEL)
        lines.append(_labelled(str(group.failure), example))
        lines.append(_labelled("", group.advice))
    return lines


def run_footer(summary: Summary) -> str:
    """The end of a run: what was found, where things are, what to do next."""
    counts = ", ".join(f"{n} {state}" for state, n in summary.counts.items()) or "no trial"
    spent = f"{words.duration(summary.cost.wall_s)} wall"
    if summary.cost.gpu_seconds:
        spent += f", {words.duration(summary.cost.gpu_seconds)} GPU"
    lines = [*_fake(summary), f"{summary.name}: {counts}; {spent}"]
    lines += [_labelled("budget", text) for text in summary.spent.lines()]
    winner = summary.winner
    if winner is None:
        lines += _no_winner(summary)
    else:
        lines.append(_labelled("best", f"trial {winner.number}: {_value_of(summary, winner)}"))
        if summary.is_search:
            lines += _standing(summary, winner)
        lines += _evaluations(summary)
        lines += [_labelled(*line) for line in failed_lines(summary, _WIDTH - _LABEL)]
        lines += _files(summary, winner)
        lines += _failure_lines(summary)
    lines += _early_lines(summary)
    lines.append(_labelled("report", str(summary.folder / "report" / "index.html")))
    known = {command.name: command.line for command in summary.commands}
    further = [known[name] for name in _FURTHER if name in known][:_NEXT]
    lines += [_labelled("next" if i == 0 else "", line) for i, line in enumerate(further)]
    return "\n".join(lines)


def _early_lines(summary: Summary) -> Iterator[str]:
    """What the rungs have saved, and whether that was right."""
    wrapped = (line for text in sentences(summary) for line in wrap(text, _WIDTH - _LABEL))
    for i, line in enumerate(wrapped):
        yield _labelled("" if i else "rungs", line)


def status_text(summary: Summary, state: StudyState | None, now: datetime) -> str:
    """Where a study stands now.

    Args:
        summary: The study.
        state: The driver's last snapshot; None if it wrote none.
        now: The time of day, for the age of the snapshot.
    """
    place = f"{summary.name} in {summary.folder.parent}"
    head = f"{place}   {str(summary.status).upper()}"
    head += f"   {summary.n_finished}/{summary.n_asked} ended"
    running = summary.counts.get(TrialState.RUNNING, 0)
    alive = "running" if summary.status is StudyStatus.RUNNING else "cut short"
    head += f", {running} {alive}" if running else ""
    paused = summary.counts.get(TrialState.PAUSED, 0)
    head += f", {paused} paused" if paused else ""
    head += f"   {words.duration(summary.cost.wall_s)} wall"
    if summary.cost.gpu_seconds:
        head += f", {words.duration(summary.cost.gpu_seconds)} GPU"
    lines = [head, *_fake(summary), *_driver(summary, state, now)]
    if summary.winner is not None:
        lines.append(f"best {_value_of(summary, summary.winner)} (trial {summary.winner.number})")
        if summary.is_search and summary.winner.mean is None:
            lines += _expected(summary.winner)
    lines += [_labelled("budget", text) for text in summary.spent.lines()]
    nodes = () if state is None else state.nodes
    lines += [_labelled("node", str(node)) for node in nodes if not node.refused]
    rows = [_state_row(summary, trial_state) for trial_state in summary.counts]
    if rows:
        lines += ["", *table(("state", "n", "time", "GPU time", "what"), rows, "lrrrl")]
    lines += [f"note: {note}" for note in summary.notes]
    return "\n".join(lines)


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


def _state_row(summary: Summary, state: TrialState) -> tuple[str, str, str, str, str]:
    return (
        str(state),
        str(summary.counts[state]),
        words.duration(summary.cost.seconds_by_state.get(state)),
        words.duration(summary.cost.gpu_seconds_by_state.get(state) or None),
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
    return _named([trial.number for trial in trials])


def _named(numbers: Sequence[int]) -> str:
    """``trial 3``, ``trials 1, 2``; the first dozen of many."""
    shown = ", ".join(map(str, numbers[:12])) + (", ..." if len(numbers) > 12 else "")
    return f"trial{'' if len(numbers) == 1 else 's'} {shown}"


def list_text(listings: Sequence[StudyListing], now: datetime) -> str:
    """The studies of a folder, one a line, in the order given."""
    if not listings:
        return "no studies"
    rows = [
        (
            listing.name,
            listing.status,
            f"{listing.ended}/{listing.asked}",
            words.value(listing.best),
            "-" if listing.best_trial is None else str(listing.best_trial),
            listing.objective,
            words.duration(
                None if listing.started is None else (now - listing.started).total_seconds()
            ),
            listing.remark,
        )
        for listing in listings
    ]
    head = ("study", "status", "ended", "best", "trial", "objective", "age", "")
    return "\n".join(table(head, rows, "llrrrlrl"))
