"""The columns of the live table: which of them are shown, and how wide each is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rich.text import Text

__all__ = ["Row", "fitted"]

#: Columns that the note has at least, before others give way to it.
_NOTE_WIDTH = 24
_NOTE = "changed from default / note"
#: Always there, with its width.
_FIXED = {"#": 3, "state": 5, "epoch": 7, "now": 7, "best": 7}
#: There where a row has something to say, with its width.
_OPTIONAL = {
    "gpu": 3,
    "step": 9,
    "step%": 4,
    "time": 6,
    "left": 6,
    "img/s": 5,
    "vram": 6,
    "util": 4,
}
_ORDER = ("#", "state", "gpu", "epoch", "step", "step%", "now", "best", "time", "left")
_ALL = (*_ORDER, "img/s", "vram", "util")
#: What gives way where room is short, the first one first.
_GIVING_WAY = ("step", "gpu", "time")
_LEFT_ALIGNED = frozenset({"state"})


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table.

    Attributes:
        cells: Text by column; what is missing is empty.
        note: The text at its end.
        styles: How a cell is drawn, by column.
    """

    cells: Mapping[str, str]
    note: str
    styles: Mapping[str, str] = field(default_factory=dict)


def fitted(rows: Sequence[Row], width: int) -> Iterator[Text]:
    """The table with its head, in lines that may be cut at ``width`` without losing a column."""
    names = _shown(rows, width)
    titles = {name: "step" if name == "step%" else name for name in names}
    yield Text(_line(names, titles, _NOTE), "bold")
    yield Text("─" * width, "dim")
    for row in rows:
        yield _drawn(names, row)


def _shown(rows: Sequence[Row], width: int) -> list[str]:
    told = {name for row in rows for name, text in row.cells.items() if text}
    names = [name for name in _ALL if name in _FIXED or name in told]
    if "step" in names:
        names.remove("step%")
    for name in _GIVING_WAY:
        if _used(names) + _NOTE_WIDTH <= width:
            break
        if name == "step" and name in names:
            names[names.index(name)] = "step%"
        elif name in names:
            names.remove(name)
    return names


def _width(name: str) -> int:
    return _FIXED.get(name) or _OPTIONAL[name]


def _used(names: Sequence[str]) -> int:
    return sum(_width(name) + 1 for name in names) + 2


def _line(names: Sequence[str], cells: Mapping[str, str], note: str) -> str:
    return " ".join([*(_cell(name, cells.get(name, "")) for name in names), f" {note}"])


def _cell(name: str, text: str) -> str:
    width = _width(name)
    return text.ljust(width) if name in _LEFT_ALIGNED else text.rjust(width)


def _drawn(names: Sequence[str], row: Row) -> Text:
    line = Text()
    for name in names:
        line.append(_cell(name, row.cells.get(name, "")), row.styles.get(name, ""))
        line.append(" ")
    return line.append(f" {row.note}")
