"""The argument parser's own errors, said as every other error of this program is.

argparse answers a mistyped flag with the whole usage and leaves the reader to find the word. Here
the answer is one line that names the nearest word there is.
"""

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from automl.app.forms import RAY_ADDRESS
from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.settings.forms import AMOUNT, MOMENT, SECONDS, TARGETS
from automl.settings.setting import Place

__all__ = ["Parser", "count", "positive", "take_usual"]

#: What argparse says, and the rule as a person would say it. A group ``got`` is what was given, a
#: group ``word`` may be a mistyped one.
_MESSAGES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (r"argument (?:COMMAND|VERB): invalid choice: '(?P<word>[^']*)'",
         "unknown command {word}"),
        (r"argument (?P<flag>\S+): invalid choice: (?P<got>'(?P<word>[^']*)')"
         r" \(choose from (?P<words>.*)\)", "{flag} must be one of {words}"),
        (r"argument (?P<flag>\S+): expected \w+ arguments?", "{flag} needs a value"),
        (r"argument (?P<flag>\S+): (?P<rule>must be .*), but got (?P<got>.*)", "{flag} {rule}"),
        (r"arguments are required: (?:COMMAND|VERB)$", "a command is needed"),
        (r"the following arguments are required: (?P<names>.*)", "{names} is needed"),
    )
)  # fmt: skip


#: A person's own words, of which there may be none.
_MAY_BE_BLANK = frozenset(("request",))


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
            word = unknown[0].partition("=")[0]
            flags = list(self._flags())
            # A known flag is left over where it stands behind ``--``.
            is_option = word.startswith("-") and word not in flags
            kind = "option" if is_option else "argument"
            raise FixInput(
                f"unknown {kind} {word}",
                where=self.prog,
                fix=(did_you_mean(word, flags) if is_option else "") or self._help,
            )
        return parsed, unknown

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """The value of an argument from its words.

        Raises:
            FixInput: A word is blank: ``--train-data "$UNSET"`` must not mean the current folder.
        """
        values = super()._get_values(action, arg_strings)
        blank = [word for word in arg_strings if not word.strip()]
        is_command = action.nargs == argparse.PARSER
        if blank and not is_command and action.dest not in _MAY_BE_BLANK:
            name = action.option_strings[-1] if action.option_strings else action.metavar
            rule, got = f"{name or action.dest} needs a value", repr(blank[0])
            raise FixInput(rule, got=got, where=self.prog, fix=self._help)
        return values

    def error(self, message: str) -> NoReturn:
        """Raises what argparse found.

        Raises:
            FixInput: Always.
        """
        for pattern, rule in _MESSAGES:
            if match := pattern.search(message):
                parts = match.groupdict()
                near = did_you_mean(parts.get("word", ""), list(self._words()))
                raise FixInput(
                    rule.format(**parts).replace("'", ""),
                    got=parts.get("got", ""),
                    where=self.prog,
                    fix=near or self._help,
                )
        raise FixInput(message, where=self.prog, fix=self._help)

    @property
    def _help(self) -> str:
        return f"{self.prog} --help shows every option"

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


def positive(text: str) -> int:
    """The type of an argument that counts something there must be: a whole number from 1.

    Raises:
        argparse.ArgumentTypeError: The text is none.
    """
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, but got {text!r}")
    return int(text)


def seeds(text: str) -> int | str:
    """The type of an argument that counts fresh seeds: a whole number from 0, or ``auto``.

    Raises:
        argparse.ArgumentTypeError: The text is neither.
    """
    if text == "auto":
        return text
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(
            f"must be auto or a whole number from 0, but got {text!r}"
        )
    return int(text)


def some_seeds(text: str) -> int | str:
    """The type of an argument that counts fresh seeds there must be, or ``auto``.

    Raises:
        argparse.ArgumentTypeError: The text is neither.
    """
    return text if text == "auto" else positive(text)


def wall_seconds(text: str) -> float:
    """The type of an argument that is a duration; in seconds.

    Raises:
        FixInput: The text is none.
    """
    return float(SECONDS.read(text, Place("max_wall", "--max-wall")))


def amount(text: str) -> float:
    """The type of an argument that is a number above 0.

    Raises:
        FixInput: The text is none.
    """
    return float(AMOUNT.read(text, Place("gpu_hours", "--gpu-hours")))


def deadline(text: str) -> str:
    """The type of an argument that is a moment to come; ISO 8601 in UTC.

    Raises:
        FixInput: The text is none.
    """
    return str(MOMENT.read(text, Place("deadline", "--deadline")))


def target(text: str) -> str:
    """The type of an argument that is an address or a command.

    Raises:
        FixInput: The text is neither.
    """
    return str(TARGETS.read([text], Place("notify", "--notify"))[0])


def requirement(text: str) -> str:
    """The type of an argument that is a requirement; as it was written.

    Raises:
        FixInput: The text is none.
    """
    from automl.study.requirement import parse_requirement

    return parse_requirement(text, "--require").text


def take_usual(parser: Parser) -> None:
    """Has every command of a parser take ``--yes``, ``-q`` and ``-v``."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                take_usual(command)
            return
    known = parser._option_string_actions
    if "--yes" not in known:
        parser.add_argument("--yes", action="store_true", help="never ask")
    if "--quiet" not in known:
        parser.add_argument(
            "-q", "--quiet", action="store_true", help="say results and errors alone"
        )
        parser.add_argument(
            "-v", "--verbose", action="store_true", help="say causes of errors and more"
        )


def ray_address(text: str) -> str:
    """The type of an argument that names a Ray cluster; empty for none.

    Raises:
        FixInput: The text names none.
    """
    return str(RAY_ADDRESS.read(text, Place("ray_address", "--ray-address")))
