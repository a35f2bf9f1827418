"""``summary.md``: the report on one page, short enough for a comment on a pull request."""

import re
from collections.abc import Iterable, Sequence

from automl.reports import words
from automl.reports.early_ends import sentences
from automl.reports.findings import Winner
from automl.reports.model import Summary
from automl.reports.parity import parity_lines
from automl.reports.tuned import tuned_lines
from automl.reports.verdict import FAKE, verdict
from automl.visible import visible

__all__ = ["render_markdown"]

_MOST_BARS = 60
_MOST_CHANGES = 12
_MOST_FAILURES = 6
# An underscore inside a word is plain text in GitHub's dialect, and metric names are full of them.
_SPECIAL = re.compile(r"([\\`*\[\]<>#|~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")


def render_markdown(summary: Summary) -> bytes:
    """The page in UTF-8, GitHub's dialect; texts that a user or a trainer wrote are escaped."""
    blocks = [
        f"# {_escaped(summary.name)}",
        f"**{FAKE}.**" if summary.is_fake else "",
        " ".join(_escaped(sentence) for sentence in verdict(summary)),
        "\n".join(_facts(summary)),
        _progress(summary),
        "\n".join(f"- {_escaped(text)}" for text in sentences(summary)),
        "\n".join(_changes(summary.winner)) if summary.is_search else "",
        "\n".join(_failures(summary)),
        "\n".join(f"- {_escaped(note)}" for note in summary.notes),
        "\n".join(_next(summary)),
    ]
    page = "\n\n".join(block for block in blocks if block)
    return f"{page}\n".encode(errors="backslashreplace")


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", visible(" ".join(text.split())))


def _code(text: str) -> str:
    """A code span; its fence is longer than any run of backticks inside."""
    flat = visible(" ".join(text.split()))
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", flat)), default=0))
    space = " " if "`" in flat else ""
    return f"{fence}{space}{flat}{space}{fence}"


def _cell(text: str) -> str:
    return _code(text).replace("|", "\\|") if text else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _facts(summary: Summary) -> Iterable[str]:
    counts = (
        ", ".join(f"{n} {summary.called(state)}" for state, n in summary.counts.items()) or "none"
    )
    cost = summary.cost
    gpu = f", {words.duration(cost.gpu_seconds)} of GPU time" if cost.gpu_seconds else ""
    search = summary.config.search
    objective = f"{_code(summary.objective.metric)}, {summary.objective.direction}"
    yield f"- status: {summary.status}" + (
        f" ({_escaped(summary.stop_reason)})" if summary.stop_reason else ""
    )
    yield f"- objective: {objective}; policy {summary.config.policy}"
    yield f"- trials: {summary.counted} ({counts})"
    if summary.n_refused:
        yield f"- proposals refused free: {summary.n_refused}, beyond what ran out of memory"
    if summary.is_search:
        yield f"- sampler: {search.sampler}, seed {search.seed}"
        for study in summary.config.earlier.studies:
            yield f"- warm start: {_escaped(str(study))}"
        if search.rungs:
            at = ", ".join(map(str, search.rungs))
            yield f"- rungs: after epochs {at} of {search.n_epochs} ({search.fidelity})"
    yield (
        f"- time: {words.duration(cost.wall_s)} of wall time, "
        f"{words.duration(cost.seconds)} of training{gpu}"
    )
    yield from (f"- budget: {text}" for text in summary.spent.lines())
    yield from (f"- decoding: {_escaped(text)}" for text in tuned_lines(summary.folder))
    yield from (f"- exported: {_escaped(text)}" for text in parity_lines(summary.folder))


def _progress(summary: Summary) -> str:
    """The incumbent as bars over the trials in the order in which they ended."""
    best = [point.best for point in summary.incumbents]
    if len(best) < 2:
        return ""
    stride = -(-len(best) // _MOST_BARS)
    thinned = best[::-1][::stride][::-1]
    ends = f"{words.value(thinned[0])} to {words.value(thinned[-1])}"
    return f"best so far over {len(best)} usable trials: `{words.sparkline(thinned)}` {ends}"


def _changes(winner: Winner | None) -> Iterable[str]:
    if winner is None or not winner.changes:
        return
    rows = [
        (_cell(change.key), _cell(words.param(change.base)), _cell(words.param(change.value)))
        for change in winner.changes
    ]
    head = ("setting", "trial 0", f"winner, trial {winner.number}")
    yield from _table(head, rows[:_MOST_CHANGES])
    if len(rows) > _MOST_CHANGES:
        yield f"\nand {len(rows) - _MOST_CHANGES} more; see trials.csv"


def _failures(summary: Summary) -> Iterable[str]:
    if not summary.failures:
        return
    rows = [
        (
            str(group.failure),
            str(len(group.numbers)),
            words.duration(group.seconds),
            _cell(words.one_line(group.example, 80)),
            _escaped(group.advice),
        )
        for group in summary.failures[:_MOST_FAILURES]
    ]
    yield from _table(("failure", "trials", "time lost", "example", "what to do"), rows)


def _next(summary: Summary) -> Iterable[str]:
    winner = summary.winner
    if winner is not None and winner.spec:
        yield f"- complete spec: {_code(str(summary.folder / winner.spec))}"
    if winner is not None and winner.checkpoint:
        yield f"- checkpoint: {_code(str(summary.folder / winner.checkpoint))}"
    for command in summary.commands:
        yield f"- {command.purpose}: {_code(command.line)}"
