"""The keys of a network are said in one place: ``automl.skill.keys``, and by the network's own."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import automl

_PACKAGE = Path(automl.__file__).parent
_KEY = re.compile(
    r"\b(?:train|dataset|model|evaluate|inference|export|gen_trt_engine)\.[a-z_]+(?:\.[a-z_]+)*"
)
_FILE = re.compile(r"\.(?:yaml|json|py|tar|schema)\b")
# The draft of a study is one of CenterPose: which network, precision and class, and why.
_ALLOWED = ("centerpose", "skill/keys.py", "app/study_draft.py")


def keys_in(source: str) -> Iterator[str]:
    """The spec keys in the texts of a module; those in docstrings are examples."""
    nodes = list(ast.walk(ast.parse(source)))
    docstrings = {id(value) for node in nodes if (value := _docstring(node)) is not None}
    for node in nodes:
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            text = node.value if isinstance(node.value, str) else ""
            yield from (key for key in _KEY.findall(text) if not _FILE.search(key))


def _docstring(node: ast.AST) -> ast.expr | None:
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) or not node.body:
        return None
    first = node.body[0]
    return first.value if isinstance(first, ast.Expr) else None


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        ('"""train.lr"""\nEPOCHS = "train.num_epochs"', ["train.num_epochs"]),
        ('print(f"lower {x} or dataset.batch_size")', ["dataset.batch_size"]),
        ('def f():\n    """model.x"""\n    return "best/train.yaml"', []),
    ],
)
def test_keys_are_found_in_texts_but_not_in_docstrings(source: str, keys: list[str]) -> None:
    assert list(keys_in(source)) == keys


def test_no_other_module_holds_the_key_of_a_network() -> None:
    paths = {path.relative_to(_PACKAGE).as_posix(): path for path in _PACKAGE.rglob("*.py")}
    assert "skill/keys.py" in paths
    holding = {
        name: keys
        for name, path in paths.items()
        if not name.startswith(_ALLOWED)
        and (keys := sorted(set(keys_in(path.read_text(encoding="utf-8")))))
    }
    assert holding == {}, "ask skill.keys.NetworkKeys for the setting of a role instead"
