"""The argument parser's own errors, said as every other error of this program is.

argparse answers a mistyped flag with the whole usage and leaves the reader to find the word. Here
the answer is one line that names the nearest word there is.
"""

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from automl.errors import FixInput
from automl.nearest import did_you_mean

__all__ = ["Parser", "count"]

_INVALID_CHOICE = re.compile(r"invalid choice: '(?P<word>[^']*)'")


class Parser(argparse.ArgumentParser):
    """A parser that raises ``FixInput`` where argparse would print its usage and leave."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)
        self._late: list[Callable[[], None]] = []

    def add_late(self, add: Callable[[], None]) -> None:
        """Has ``add`` declare further arguments when this parser is the one that parses."""
        self._late.append(add)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parses arguments, all of which must be known.

        Raises:
            FixInput: An argument is unknown, missing or of the wrong form.
        """
        while self._late:
            self._late.pop()()
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            flag = unknown[0].partition("=")[0]
            raise FixInput(
                f"{self.prog} takes the arguments of its --help alone",
                got=unknown[0],
                fix=did_you_mean(flag, list(self._flags())) or self._help,
            )
        return parsed, unknown

    def error(self, message: str) -> NoReturn:
        """Raises what argparse found.

        Raises:
            FixInput: Always.
        """
        wrong = _INVALID_CHOICE.search(message)
        nearest = did_you_mean(wrong["word"], list(self._words())) if wrong else ""
        raise FixInput(f"{self.prog}: {message}", fix=nearest or self._help)

    @property
    def _help(self) -> str:
        return f"{self.prog} --help shows every argument"

    def _flags(self) -> Iterator[str]:
        for action in self._actions:
            yield from action.option_strings

    def _words(self) -> Iterator[str]:
        """The words that some argument chooses from, commands included."""
        for action in self._actions:
            yield from action.choices or ()


def count(text: str) -> int:
    """The type of an argument that counts something: a whole number from 0.

    Raises:
        argparse.ArgumentTypeError: The text is none.
    """
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"must be a whole number from 0, but got {text!r}")
    return int(text)
