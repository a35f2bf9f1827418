"""The exception tree; each class is named for what the caller should do.

::

    AutomlError
    ├── FixInput          fix a flag, a study file, a spec, a skill or the data    exit 2
    │   ├── FixData       fix or replace a file of the data, or a checkpoint       exit 2
    │   └── InstallExtra  install an optional part of this package                 exit 2
    ├── PrepareMachine    fix the machine: engine, GPU, disk, image                exit 3
    ├── NoUsableTrial     read the failures: nothing usable was trained            exit 4
    ├── FixAndResume      one cause ended trial after trial: fix it, then resume   exit 5
    ├── ResolveConflict   the study is in use, or is not what it was               exit 7
    └── ResumeLater       what the study needs is away for now: resume it later    exit 75

Each message answers four questions in one order: which rule, what was given, where, how to fix
it. The caller that raises one gives the parts; only the command line puts them on a screen. The
exit codes are part of the command line's contract and never change.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from automl.visible import visible

__all__ = [
    "AutomlError",
    "FixAndResume",
    "FixData",
    "FixInput",
    "InstallExtra",
    "NoUsableTrial",
    "PrepareMachine",
    "ResolveConflict",
    "ResumeLater",
]


#: Signs of a part of a message that a person still reads.
_LONGEST = 2000


class AutomlError(Exception):
    """An error that a person can act on; never shown with a traceback.

    Its parts hold texts of others: the names of files, values, what a library said. Shown, each is
    one line, because a line break in it would look like the end of the error and a line of ours.

    Args:
        rule: The rule that does not hold, as a sentence without a full stop.
        got: What was given instead, in the user's own words and values; empty if nothing was.
        where: File, dotted key, flag or trial where it was found; empty if obvious.
        fix: What to do about it, as an instruction; empty if the rule already says it.
        lines: More of what was given, each shown on a line of its own.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        rule: str,
        *,
        got: str = "",
        where: str = "",
        fix: str = "",
        lines: Sequence[str] = (),
    ) -> None:
        self.rule = rule
        self.got = got
        self.where = where
        self.fix = fix
        self.lines = tuple(lines)
        super().__init__(rule, got, where, fix)

    def __reduce__(self) -> tuple[Any, ...]:
        parts = {name: getattr(self, name) for name in ("got", "where", "fix", "lines")}
        return partial(type(self), self.rule, **parts), ()

    def __str__(self) -> str:
        rule, got, where, fix = (
            _shown(part) for part in (self.rule, self.got, self.where, self.fix)
        )
        text = f"{rule}, but got {got}" if got else rule
        if self.lines:
            text += "".join(f"\n  {visible(line, keep='')}" for line in self.lines) + "\n "
        if where:
            text += f" ({where})"
        return f"{text}; {fix}" if fix else text


def _shown(part: str) -> str:
    """A part of a message as one line; of a very long one its beginning and its end."""
    if len(part) > _LONGEST:
        part = f"{part[: _LONGEST // 2]}... ({len(part):,} signs) ...{part[-_LONGEST // 4 :]}"
    return visible(part, keep="")


class FixInput(AutomlError):
    """What the user gave (flag, study file, spec, skill, data) breaks a rule."""

    exit_code = 2


class FixData(FixInput):
    """A file that was given is broken: a data set, one of its files, or a checkpoint."""


class InstallExtra(FixInput):
    """A command needs an optional part of this package that is not installed."""


class PrepareMachine(AutomlError):
    """The machine lacks something that the study needs; found before anything is spent."""

    exit_code = 3


class NoUsableTrial(AutomlError):
    """The study ended and no trial produced a usable measurement."""

    exit_code = 4


class FixAndResume(AutomlError):
    """The same failure ended trial after trial, so the search stopped itself."""

    exit_code = 5


class ResolveConflict(AutomlError):
    """Another driver owns the study, or the study differs from what it was started as."""

    exit_code = 7


class ResumeLater(AutomlError):
    """Something that the study needs does not answer; nothing is wrong with the study itself."""

    exit_code = 75
