"""A plan reads each file of its skill, and its study file, once."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automl.app.drift import files_of
from automl.skill import schema
from automl.skill.read import own_skill_dir, read_skill
from tests.unit.app.kit import MakePlan

_counts: list[Counter[str]] = []


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _counts and isinstance(arguments[0], str):
        _counts[-1][arguments[0]] += 1


sys.addaudithook(_audit)  # cannot be taken away again; it counts only within ``opens``


@contextmanager
def opens() -> Iterator[Counter[str]]:
    """How often each file is opened within the block."""
    _counts.append(Counter())
    try:
        yield _counts[-1]
    finally:
        _counts.pop()


def test_the_counter_counts(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("x")
    with opens() as counted:
        assert path.read_text() == path.read_text()
    assert counted[str(path)] == 2


def test_each_file_is_read_once(plan: MakePlan, tmp_path: Path) -> None:
    own = own_skill_dir()
    schema._read_once.cache_clear()  # what other tests have read
    with opens() as counted:
        made = plan("--search", "train.optim.lr=1e-5..1e-3:log", file="trials: 3\n")
    assert made.gate.searches
    of_skill = {
        path: count
        for path, count in counted.items()
        if Path(path).is_relative_to(own / "references")
        or Path(path).is_relative_to(own / "schemas")
    }
    hashed = {str(path) for path in files_of(read_skill(own)).values()}  # for the provenance
    assert hashed < of_skill.keys()
    assert of_skill == {path: 1 + (path in hashed) for path in of_skill}
    assert counted[str(tmp_path / "study.yaml")] == 2, "written by the test, then read once"
