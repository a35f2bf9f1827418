"""One setting of a study: its flag, its key in a study file, its form, its default, its help.

A setting is declared once, as one ``Setting`` in a table. The command line, the reader of study
files, the layers, the record of where each value came from and the shell completion are made from
the table. Everything here is cheap to import: ``automl --help`` reads the table.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

__all__ = ["Completion", "Form", "Place", "Scope", "Setting"]


class Scope(StrEnum):
    """Which runs a setting concerns: every one, or only those that search."""

    RUN = "run"
    SEARCH = "search"


class Completion(StrEnum):
    """What a shell completes a value with where it is not one of a few words."""

    NOTHING = ""
    FILES = "files"
    FOLDERS = "folders"


def _no_words() -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was given.

    Attributes:
        name: The setting's name, as it stands in messages.
        where: The flag, or the study file.
        folder: The study file's folder, which its paths are relative to; None for a flag.
    """

    name: str
    where: str
    folder: Path | None = None

    def path(self, text: str) -> str:
        """A path as it was given, a study file's below the file's folder; an address as it is."""
        if "://" in text or self.folder is None:
            return text
        path = Path(text).expanduser()
        return str(path if path.is_absolute() else (self.folder / path).resolve())


@dataclass(frozen=True, slots=True)
class Form:
    """How the value of a setting is written, and what it becomes.

    Attributes:
        metavar: What stands for the value in the help; empty for the flag's own name.
        read: From a flag's text (a list of texts where the flag repeats) or a study file's value,
            and its place, to the typed value. A value that is typed already comes back as it is.
            Raises ``FixInput`` for a value that the setting cannot have.
        repeats: Whether the flag may be given several times.
        adds_up: Whether values are mappings whose keys add up over the layers.
        words: The words that a value may be, where it is one of a few; called when needed alone,
            because the tables that hold them are expensive to import.
        completion: What a shell completes other values with.
        is_switch: Whether the flag takes no value, and means true.
    """

    metavar: str
    read: Callable[[Any, Place], Any]
    repeats: bool = False
    adds_up: bool = False
    words: Callable[[], Iterable[str]] = _no_words
    completion: Completion = Completion.NOTHING
    is_switch: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a study.

    Attributes:
        name: What the program calls it: ``trial_timeout``.
        form: How its value is written.
        help: What it means, in a few words for ``--help``.
        group: The heading of ``--help`` that it stands under; empty for none.
        default: Its value where nobody gives one; None where that follows from other things, which
            the help then says.
        scope: Which runs it concerns.
        trainer: The trainer it belongs to; empty for a setting of every trainer.
        key: Its key in a study file, with a dot for a key inside a block; None for its name, empty
            where a study file cannot hold it.
        has_flag: Whether the command line can give it.
        is_secret: Whether its value is neither shown nor kept as it is (``settings.secret``).
        rival: The setting whose keys, given in a stronger layer, undo the same keys of this one.
    """

    name: str
    form: Form
    help: str
    group: str = ""
    default: Any = None
    scope: Scope = Scope.RUN
    trainer: str = ""
    key: str | None = None
    has_flag: bool = True
    rival: str = ""
    is_secret: bool = False

    @property
    def flag(self) -> str:
        """``--trial-timeout``; empty for a setting of study files alone."""
        return f"--{self.name.replace('_', '-')}" if self.has_flag else ""

    @property
    def file_key(self) -> str:
        """``trial_timeout`` or ``data.train``; empty for a setting of the command line alone."""
        return self.name if self.key is None else self.key

    @property
    def help_text(self) -> str:
        """The help with the default behind it, where there is one to tell."""
        shown = "" if self.default in (None, "", (), {}, False) else f" (default: {self.default})"
        repeats = "; repeatable" if self.form.repeats else ""
        return f"{self.help}{shown}{repeats}"
