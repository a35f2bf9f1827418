"""Labelled lines made to fit a terminal: what is too long goes on under its own column."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

__all__ = ["hung"]

#: Columns that a line goes on in, where its own would leave less.
_LEAST = 20


def hung(lines: Sequence[str], width: int, label: int = 0) -> Iterator[str]:
    """The lines, those that are too long over several; words are never broken.

    Args:
        lines: Lines without their ends.
        width: Columns of the terminal.
        label: Columns of the word before a line, which its further lines leave free; a line
            without such a word goes on two columns further in than it begins.
    """
    for line in lines:
        if len(line) <= width:
            yield line
            continue
        indent = " " * _indent(line, width, label)
        head, rest = line[: len(indent)], line[len(indent) :]
        room = width - len(indent)
        first, *others = wrap(rest, room, break_long_words=False, break_on_hyphens=False) or [""]
        yield head + first
        yield from (indent + other for other in others)


def _indent(line: str, width: int, label: int) -> int:
    begins = len(line) - len(line.lstrip())
    is_labelled = 0 < label < len(line) and line[label - 1] == " " and line[label] != " "
    found = label if is_labelled else begins
    return found if width - found >= _LEAST else 0
