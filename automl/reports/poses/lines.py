"""What the terminal says of evaluations: a label and a text for each line."""

from collections.abc import Iterator

from automl.reports import words
from automl.reports.model import Summary
from automl.reports.poses.held_out import interval, signed_interval

__all__ = ["evaluation_lines", "failed_lines"]


def evaluation_lines(summary: Summary) -> Iterator[tuple[str, str]]:
    """What the test images say of the winner, and what every trial started from."""
    held, start = summary.held_out, summary.start
    if held is not None:
        images = "" if held.n_images is None else f" on {held.n_images} held-out images"
        yield "test", f"{held.metric} {interval(held.winner)}{images}"
        if held.default is not None and held.difference is not None:
            against = f"against the default: {interval(held.default)}"
            yield "", f"{signed_interval(held.difference)} {against}"
        if held.gap is not None:
            yield "", f"{signed_interval(held.gap)} against validation"
    if start is not None:
        yield "start", f"the starting checkpoint scores {words.value(start.value)}"


def failed_lines(summary: Summary, width: int) -> Iterator[tuple[str, str]]:
    """The evaluations that failed and were not made since, each on one line of a width."""
    done = {(e.trial, e.split) for e in summary.evaluations if not e.evidence}
    for each in summary.evaluations:
        if each.evidence and (each.trial, each.split) not in done:
            text = f"trial {each.trial} on {each.split}: {each.evidence}"
            yield "no poses", words.one_line(text, width)
