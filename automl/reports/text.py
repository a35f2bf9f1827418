"""What the terminal says of a study, as plain text of at most 100 columns.

Every function is pure and returns lines without a line end at the close; nothing is coloured, so
that the text can be piped. Paths are shown as the summary's folder was given.
"""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from automl.reports import words
from automl.reports.aligned import labelled, named
from automl.reports.calling import wrapped
from automl.reports.early_ends import sentences
from automl.reports.findings import Winner
from automl.reports.hanging import hung
from automl.reports.model import Summary
from automl.reports.poses.lines import evaluation_lines, failed_lines
from automl.reports.verdict import FAKE, leading, note_of, on_images

__all__ = [
    "best_text",
    "expected_lines",
    "fake_lines",
    "run_footer",
    "value_of",
]

_WIDTH = 100
_LABEL = 11
#: What is offered at the end of a run, the first of them that there are.
_FURTHER = ("resume", "evaluate", "export", "retrain")
_NEXT = 3


def fake_lines(summary: Summary) -> list[str]:
    """That nothing was trained, where nothing was."""
    return [FAKE] if summary.is_fake else []


def _about(summary: Summary) -> str:
    """Which study is spoken of, and where it lies."""
    return labelled("study", str(summary.folder))


def best_text(summary: Summary, width: int = _WIDTH) -> str:
    """The winner: its value, the difference to trial 0 and what that is worth, and its files."""
    further = [] if summary.winner is None else _next(summary, _FURTHER, width)
    return "\n".join([*hung(_best_lines(summary), width, _LABEL), *further])


def _best_lines(summary: Summary) -> list[str]:
    winner = summary.winner
    if winner is None:
        return [_about(summary), *fake_lines(summary), *_no_winner(summary)]
    head = labelled(f"trial {winner.number}", value_of(summary, winner))
    lines = [_about(summary), *fake_lines(summary), head]
    if summary.is_search:
        lines += _standing(summary, winner)
    lines += _evaluations(summary)
    lines += [
        labelled("changed" if i == 0 else "", text) for i, text in enumerate(_changes(winner))
    ]
    return [*lines, *_files(summary, winner)]


def value_of(summary: Summary, winner: Winner) -> str:
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
        yield from expected_lines(winner)
        yield labelled("note", note_of(summary, winner))
        return
    yield from _difference(confirmed.difference, str(confirmed.default))
    yield labelled("verdict", confirmed.finding)
    for text in confirmed.details:
        yield labelled("", text)
    yield labelled("one seed", f"{_one_seed(winner)}, in the search")


def expected_lines(winner: Winner) -> Iterator[str]:
    """What another seed would give, and what was observed beside it."""
    if winner.weighed is not None:
        yield labelled("expected", str(winner.weighed))
        for text in winner.weighed.lines(winner.number):
            yield labelled("", text)


def _evaluations(summary: Summary) -> list[str]:
    return [labelled(*line) for line in evaluation_lines(summary)]


def _difference(difference: float | None, default: str) -> Iterator[str]:
    if difference is not None:
        text = f"{words.signed(difference)} against trial 0, the default: {default}"
        yield labelled("difference", text)


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
    return [labelled("spec", spec), labelled("checkpoint", checkpoint)]


def _next(summary: Summary, names: Sequence[str], width: int) -> list[str]:
    """The most useful commands, each as it is typed; long ones go on over a line's end."""
    known = {command.name: command.line for command in summary.commands}
    further = [known[name] for name in names if name in known][:_NEXT]
    rows = [row for line in further for row in wrapped(line, width - _LABEL)]
    return [labelled("next" if i == 0 else "", row) for i, row in enumerate(rows)]


def _no_winner(summary: Summary) -> list[str]:
    lines = [f"no usable trial: none has ended with a {summary.objective.metric}"]
    return lines + _failure_lines(summary)


def _failure_lines(summary: Summary) -> list[str]:
    lines = []
    for group in summary.failures:
        example = words.one_line(f"{named(group.numbers)}: {group.example}", _WIDTH - _LABEL)
        lines.append(labelled(str(group.failure), example))
        lines.append(labelled("", group.advice))
    return lines


def run_footer(summary: Summary, width: int = _WIDTH) -> str:
    """The end of a run: what was found, where things are, what to do next."""
    further = _next(summary, (*_FURTHER, "best"), width)
    return "\n".join([*hung(_footer_lines(summary), width, _LABEL), *further])


def _footer_lines(summary: Summary) -> list[str]:
    counts = (
        ", ".join(f"{n} {summary.called(state)}" for state, n in summary.counts.items())
        or "no trial"
    )
    spent = f"{words.duration(summary.cost.wall_s)} wall"
    if summary.cost.gpu_seconds:
        spent += f", {words.duration(summary.cost.gpu_seconds)} GPU"
    lines = [*fake_lines(summary), f"{summary.name}: {counts}; {spent}"]
    lines += [labelled("budget", text) for text in summary.spent.lines()]
    winner = summary.winner
    if winner is None:
        lines += _no_winner(summary)
    else:
        lines.append(labelled("best", f"trial {winner.number}: {value_of(summary, winner)}"))
        if summary.is_search:
            lines += _standing(summary, winner)
        lines += _evaluations(summary)
        lines += [labelled(*line) for line in failed_lines(summary, _WIDTH - _LABEL)]
        lines += _files(summary, winner)
        lines += _failure_lines(summary)
    lines += _early_lines(summary)
    return [*lines, labelled("report", str(summary.folder / "report" / "index.html"))]


def _early_lines(summary: Summary) -> Iterator[str]:
    """What the rungs have saved, and whether that was right."""
    wrapped = (line for text in sentences(summary) for line in wrap(text, _WIDTH - _LABEL))
    for i, line in enumerate(wrapped):
        yield labelled("" if i else "rungs", line)
