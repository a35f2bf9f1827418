"""Columns, labels and lists of trials as the terminal shows them; at most 100 columns wide."""

from collections.abc import Sequence

from automl.visible import visible

__all__ = ["labelled", "named", "table"]

_WIDTH = 100
_LABEL = 11
#: Trials that are named by their numbers.
_NAMED = 12


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


def labelled(label: str, text: str) -> str:
    """A line with a word before it."""
    return f"{label:<{_LABEL}}{text}".rstrip()


def named(numbers: Sequence[int]) -> str:
    """``trial 3``, ``trials 1, 2``; the first dozen of many."""
    more = ", ..." if len(numbers) > _NAMED else ""
    shown = ", ".join(map(str, numbers[:_NAMED])) + more
    return f"trial{'' if len(numbers) == 1 else 's'} {shown}"
