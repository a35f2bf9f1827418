"""Class names of the package: each is used once, so that a reader who knows one knows them all."""

import ast
from collections import defaultdict
from pathlib import Path

import automl


def test_no_class_name_stands_twice() -> None:
    package = Path(automl.__file__).parent
    places: dict[str, list[str]] = defaultdict(list)
    for path in sorted(package.rglob("*.py")):
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.ClassDef):
                places[statement.name].append(str(path.relative_to(package)))
    assert len(places) > 300
    assert {name: where for name, where in places.items() if len(where) > 1} == {}
