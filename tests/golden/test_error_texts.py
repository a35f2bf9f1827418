"""Every error text of a user's mistake, in one list that can be read in one go.

The list is read off the source, so that none is missing whether or not a test provokes it: each
call of an error of ``automl.errors``, or of ``Problem``, with its values in braces.
"""

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automl import errors

_PACKAGE = Path(inspect.getfile(errors)).parent
_ERRORS = {*errors.__all__, "Problem"}
_PARTS = ("rule", "got", "where", "fix")
_FORBIDDEN = ("mend", "whoever", "told")


def _name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def _text(node: ast.expr) -> str:
    """What a reader would see, with each value as its expression in braces."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(map(_text, parts))
        case ast.FormattedValue(value=value):
            return f"{{{ast.unparse(value)}}}"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left) + _text(right)
        case _:
            return f"{{{ast.unparse(node)}}}"


def _parts(call: ast.Call) -> dict[str, str]:
    given = dict(zip(_PARTS, call.args, strict=False))
    given |= {word.arg: word.value for word in call.keywords if word.arg in _PARTS}
    return {part: _text(given[part]) for part in _PARTS if part in given}


def _calls(source: str) -> Iterator[tuple[str, dict[str, str]]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _name(node.func) in _ERRORS:
            parts = _parts(node)
            if "rule" in parts:
                yield _name(node.func), parts


def _listing() -> Iterator[str]:
    for module in sorted(_PACKAGE.rglob("*.py")):
        texts = sorted({_entry(*call) for call in _calls(module.read_text(encoding="utf-8"))})
        if texts:
            yield f"== {module.relative_to(_PACKAGE.parent)}\n" + "\n".join(texts) + "\n"


def _entry(error: str, parts: dict[str, str]) -> str:
    lines = [f"{error}: {parts['rule']}"]
    lines += [f"    {part}: {parts[part]}" for part in _PARTS[1:] if part in parts]
    return "\n".join(lines)


@pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="another Python writes expressions otherwise"
)
def test_every_error_text_stands_in_the_list(golden: Callable[[str, str], None]) -> None:
    golden("errors.txt", "\n".join(_listing()))


@pytest.mark.parametrize("word", _FORBIDDEN)
def test_texts_use_plain_words(word: str) -> None:
    wordings = [
        text
        for module in _PACKAGE.rglob("*.py")
        for _, parts in _calls(module.read_text(encoding="utf-8"))
        for text in parts.values()
    ]
    assert [text for text in wordings if word in text.split()] == []
