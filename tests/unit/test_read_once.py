"""Files that are read and parsed once."""

import pickle
from pathlib import Path

import pytest

from automl.errors import FixInput
from automl.files import ReadOnce
from automl.yamltext import load_yaml


def test_a_file_is_what_it_was_when_first_read(tmp_path: Path) -> None:
    path, files = tmp_path / "a.yaml", ReadOnce()
    path.write_text("a: 1")
    first = files(path, load_yaml)
    path.write_text("a: 2")
    assert files(path, load_yaml) is first == {"a": 1}
    assert files(path, Path.read_text) == "a: 2", "another reader reads for itself"
    assert ReadOnce()(path, load_yaml) == {"a": 2}


def test_an_error_is_raised_each_time(tmp_path: Path) -> None:
    path, files = tmp_path / "a.yaml", ReadOnce()
    for _ in range(2):
        with pytest.raises(FixInput, match="must exist"):
            files(path, load_yaml)
    path.write_text("a: 1")
    assert files(path, load_yaml) == {"a": 1}


def test_what_was_read_does_not_travel(tmp_path: Path) -> None:
    path, files = tmp_path / "a.yaml", ReadOnce()
    path.write_text("a: 1")
    files(path, load_yaml)
    copy = pickle.loads(pickle.dumps(files))  # noqa: S301 - made here
    path.write_text("a: 2")
    assert copy(path, load_yaml) == {"a": 2}
