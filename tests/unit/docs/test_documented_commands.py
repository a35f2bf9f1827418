"""Every command that the documentation shows is one that the programs take.

Commands stand in fenced ``sh`` blocks and, in running text, between backticks. Each is given to
the parser of its program (one that is only named is asked for its help), so a flag that was
renamed or a value that is no choice any more is found.
"""

import shlex
from collections.abc import Sequence

import pytest

from automl.cli.parser import build_parser
from automl.errors import FixInput
from tests.documents import ROOT, documented
from tests.unit.cli.test_parser import LEAVES

_DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "SKILL.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]


_COMMANDS = dict(LEAVES)
_CALLS = [
    pytest.param(call, id=f"{document.name}: automl {' '.join(call)}")
    for document in _DOCUMENTS
    for call in dict.fromkeys(documented(document))
]


def test_commands_are_found() -> None:
    assert len(_CALLS) > 30


@pytest.mark.parametrize("call", _CALLS)
def test_a_documented_command_is_taken(call: tuple[str, ...]) -> None:
    try:
        _parse(call)
    except FixInput as error:
        if "is needed" not in str(error) or not _is_named(call):
            pytest.fail(f"automl {shlex.join(call)}: {error}")


def _is_named(call: Sequence[str]) -> bool:
    """Whether it names a command, or one with flags that it has, and leaves the rest out."""
    at = next((i for i, word in enumerate(call) if word.startswith("-")), len(call))
    command = _COMMANDS.get(" ".join(call[:at]))
    flags = [word.partition("=")[0] for word in call[at:] if word.startswith("-")]
    return command is not None and set(flags) <= command._option_string_actions.keys()


def _parse(call: Sequence[str]) -> None:
    try:
        build_parser().parse_args(call)
    except SystemExit as leaving:  # --help and --version answer and leave
        if leaving.code != 0:
            raise
