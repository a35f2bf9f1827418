"""The list of kernels that are compiled before they are asked for."""

import shutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from automl.centerpose.models import ahead
from automl.centerpose.models.ahead import LISTED, compiling, entry_of, listed
from automl.jsontext import read_json


class Started:
    """Notes what is started instead of starting it."""

    commands: list[list[str]]
    ended: list[str]

    def __init__(self, command: list[str], **_: Any) -> None:
        Started.commands.append(command)

    def __enter__(self) -> "Started":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def terminate(self) -> None:
        Started.ended.append("terminated")


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with a driver, a compiler and Triton, and nothing compiled yet."""
    Started.commands, Started.ended = [], []
    monkeypatch.setenv("AUTOML_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(ahead, "has_compiler", lambda: True)
    monkeypatch.setattr(ahead, "version", lambda _: "3.6.0")
    monkeypatch.setattr(subprocess, "Popen", Started)
    return tmp_path


def test_a_training_that_is_known_has_its_kernels_compiled_beside_it(cache: Path) -> None:
    with compiling("DLA34", "bf16"):
        assert Started.commands == [
            [sys.executable, "-m", "automl.centerpose.models.ahead", "DLA34", "bf16"]
        ]
        assert not Started.ended
    assert Started.ended == ["terminated"]


def test_it_is_done_once(cache: Path) -> None:
    done = ahead._mark("DLA34", "bf16")
    assert done is not None
    done.parent.mkdir(parents=True)
    done.touch()
    with compiling("DLA34", "bf16"):
        pass
    assert not Started.commands
    with compiling("DLA34", "fp16"):
        pass
    assert len(Started.commands) == 1


def test_nothing_is_started_for_what_is_not_known(cache: Path) -> None:
    with compiling("unheard-of", "bf16"):
        pass
    assert not Started.commands


@pytest.mark.parametrize("lacks", ["driver", "compiler"])
def test_nothing_is_started_where_it_cannot_be_done(
    cache: Path, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    if lacks == "driver":
        monkeypatch.setattr(shutil, "which", lambda _: None)
    else:
        monkeypatch.setattr(ahead, "has_compiler", lambda: False)
    with compiling("DLA34", "bf16"):
        pass
    assert not Started.commands


def test_the_list_names_places_that_there_are() -> None:
    found = read_json(LISTED)
    for places in found["trainings"].values():
        assert places == sorted(set(places))
        assert places[-1] < len(found["kernels"])


@pytest.mark.skipif(find_spec("triton") is None, reason="needs Triton")
def test_the_list_fits_the_kernels_as_they_are() -> None:
    for training in read_json(LISTED)["trainings"]:
        for entry in listed(*training.split()):
            module, name = entry["kernel"].split(":")
            function = getattr(import_module(module), name)
            assert list(entry["signature"]) == function.arg_names


def test_an_entry_is_what_triton_tells() -> None:
    facts = {
        "configs": [{(0,): [["tt.divisibility", 16]], (1,): []}],
        "num_warps": 8,
        "num_stages": 3,
        "more": None,
    }
    assert entry_of("m:f", {"x": "*bf16", "n": "i32", "c": "constexpr"}, {(2,): 16}, facts) == {
        "kernel": "m:f",
        "signature": {"x": "*bf16", "n": "i32", "c": "constexpr"},
        "constants": [[[2], 16]],
        "aligned": [0],
        "options": {"num_warps": 8, "num_stages": 3},
    }
