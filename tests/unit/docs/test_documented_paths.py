"""Every file that the documentation names or links to is there."""

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]
_DOCUMENTS = [*sorted(_ROOT.glob("*.md")), *sorted((_ROOT / "docs").glob("**/*.md"))]
_LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
_PATH = re.compile(r"`((?:automl|tests|schemas|references|studies|docs|\.ci)/[\w./-]+)`")
_MADE_BY_A_RUN = (
    "studies/demo-",
    "studies/bike",
    "studies/NAME",
)  # what the examples call their own studies


def _named(document: Path) -> list[Path]:
    text = document.read_text(encoding="utf-8")
    links = [link for link in _LINK.findall(text) if "://" not in link]
    paths = [path for path in _PATH.findall(text) if not path.startswith(_MADE_BY_A_RUN)]
    return [*(document.parent / link for link in links), *(_ROOT / path for path in paths)]


@pytest.mark.parametrize("document", _DOCUMENTS, ids=lambda document: document.name)
def test_what_a_document_names_exists(document: Path) -> None:
    assert [str(path.relative_to(_ROOT)) for path in _named(document) if not path.exists()] == []


def test_names_are_found() -> None:
    assert sum(len(_named(document)) for document in _DOCUMENTS) > 20


def test_the_readme_is_read_in_one_go() -> None:
    assert len((_ROOT / "README.md").read_text(encoding="utf-8").split()) <= 1200
