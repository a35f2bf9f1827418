"""The commands that a Markdown page shows."""

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["ROOT", "documented", "inline_code"]

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"```(?:sh|bash|console)\n(.*?)```", re.DOTALL)
_ANY_BLOCK = re.compile(r"```.*?```", re.DOTALL)
_INLINE = re.compile(r"`((?:automl|python3? -m automl)\b[^`]*)`")
_CODE = re.compile(r"`([^`]+)`")
_CHOICE = re.compile(r"[a-z-]+(\|[a-z-]+)+$")
_SEPARATORS = {"&&", ";", "|", "||"}


def documented(document: Path) -> Iterator[tuple[str, ...]]:
    """The arguments of each call of ``automl`` in a page.

    Commands stand in fenced ``sh`` blocks and, in running text, between backticks; one that is
    only named is asked for its help.
    """
    text = document.read_text(encoding="utf-8")
    for block in _BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            yield from _calls(line)
    for inline in _INLINE.findall(_BLOCK.sub("", text)):
        for call in _calls(" ".join(inline.split())):
            yield call if len(call) > 1 else (*call, "--help")


def inline_code(document: Path) -> Iterator[str]:
    """What stands between backticks in the running text of a page, on one line."""
    text = _ANY_BLOCK.sub("", document.read_text(encoding="utf-8"))
    yield from (" ".join(code.split()) for code in _CODE.findall(text))


def _meant(words: Sequence[str]) -> Iterator[str]:
    """A call as somebody would type it: of ``a|b`` the first, no ``[optional]``, 3 for ``N``."""
    is_optional = False
    for word in words:
        is_optional = is_optional or word.startswith("[")
        if not is_optional:
            yield "3" if word == "N" else word.split("|")[0] if _CHOICE.match(word) else word
        is_optional = is_optional and not word.endswith("]")


def _calls(line: str) -> Iterator[tuple[str, ...]]:
    """The arguments of each call of ``automl`` on a line of a shell."""
    words = shlex.split(line, comments=True)
    command: list[str] = []
    for word in [*words, ";"]:
        if word not in _SEPARATORS:
            command.append(word)
            continue
        names = [index for index, part in enumerate(command) if Path(part).name == "automl"]
        if names and "-m" not in command and "install" not in command:
            yield tuple(_meant(command[names[0] + 1 :]))
        command = []
