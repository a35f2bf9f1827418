"""Every command that the documentation shows is one that the programs take.

Commands stand in fenced ``sh`` blocks and, in running text, between backticks. Each is given to
the parser of its program (one that is only named is asked for its help), so a flag that was
renamed or a value that is no choice any more is found.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from automl.cli.parser import build_parser
from automl.errors import FixInput

_ROOT = Path(__file__).parents[3]
_DOCUMENTS = [
    *(_ROOT / name for name in ("README.md", "SKILL.md", "CONTRIBUTING.md")),
    *sorted((_ROOT / "docs").glob("*.md")),
]
_BLOCK = re.compile(r"```(?:sh|bash|console)\n(.*?)```", re.DOTALL)
_INLINE = re.compile(r"`((?:automl|python3? -m automl)\b[^`]*)`")
_SEPARATORS = {"&&", ";", "|", "||"}


def _documented(document: Path) -> Iterator[tuple[str, ...]]:
    text = document.read_text(encoding="utf-8")
    for block in _BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            yield from _calls(line)
    for inline in _INLINE.findall(_BLOCK.sub("", text)):
        for call in _calls(" ".join(inline.split())):
            yield call if len(call) > 1 else (*call, "--help")


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
            yield tuple(command[names[0] + 1 :])
        command = []


_CALLS = [
    pytest.param(call, id=f"{document.name}: automl {' '.join(call)}")
    for document in _DOCUMENTS
    for call in dict.fromkeys(_documented(document))
]


def test_commands_are_found() -> None:
    assert len(_CALLS) > 30


@pytest.mark.parametrize("call", _CALLS)
def test_a_documented_command_is_taken(call: tuple[str, ...]) -> None:
    try:
        build_parser().parse_args(call)
    except SystemExit as leaving:  # --help and --version answer and leave
        if leaving.code != 0:
            raise
    except FixInput as error:
        pytest.fail(f"automl {shlex.join(call)}: {error}")
