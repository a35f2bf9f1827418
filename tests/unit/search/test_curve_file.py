"""Files of recorded trainings: what is read from a line, and the space that the settings span."""

import json
from pathlib import Path
from typing import Any

import pytest

from automl.errors import FixInput
from automl.search.curve_file import read_curve_file
from automl.search.recorded_space import space_of
from automl.space.distributions import Choice, FloatRange, IntRange
from automl.space.list_parameter import ListParameter
from automl.study.records import FailureClass


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "curves.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_both_forms_are_read(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"recording": "how it was made"},
        {
            "settings": {"lr": 1e-4, "seed": 3},
            "metrics": {"score": [0.0, None, 0.5], "loss": [3, 2, 1]},
            "epoch_s": [3.0, 1.0, 1.0],
            "exit_code": 0,
        },
        {"config": {"lr": 1e-2, "seed": 4}, "score": [0.1, 0.2, 0.3], "s": 6.0, "end": 1},
    )
    file = read_curve_file(path)
    assert file.metrics == ("loss", "score")
    assert file.space.keys == ("lr",)
    first, second = (each.curve for each in file.recordings)
    assert [epoch.seconds for epoch in first.epochs] == [3.0, 1.0, 1.0]
    assert first.epochs[1].metrics == {"loss": 2}
    assert first.failure is None
    assert [epoch.seconds for epoch in second.epochs] == [2.0, 2.0, 2.0]
    assert second.failure is FailureClass.UNKNOWN
    assert second.evidence == "exit code 1"


def test_the_space_is_what_was_recorded() -> None:
    settings: list[dict[str, Any]] = [
        {"lr": 1e-5, "drop": 0.1, "batch": 8, "net": "a", "flip": True, "steps": [4], "same": 1},
        {"lr": 1e-3, "drop": 0.5, "batch": 16, "net": "b", "flip": False, "steps": [9], "same": 1},
        {"lr": 1e-3, "drop": 0.5, "batch": 16, "net": "b", "flip": False, "steps": [9], "same": 1},
    ]
    space = space_of(settings)
    assert space.keys == ("lr", "drop", "batch", "net", "flip", "steps")
    assert space["lr"].default == 1e-3
    kinds = [p.distribution for p in space if not isinstance(p, ListParameter)]
    assert kinds == [
        FloatRange(1e-5, 1e-3, log=True),
        FloatRange(0.1, 0.5),
        Choice((8, 16), is_ordered=True),
        Choice(("a", "b")),
        Choice((False, True)),
    ]
    steps = space["steps"]
    assert isinstance(steps, ListParameter)
    assert steps.elements[0].distribution == Choice((4, 9), is_ordered=True)
    assert steps.default == [9]


def test_many_whole_numbers_are_a_range() -> None:
    space = space_of([{"n": n} for n in range(3, 13)])
    parameter = space["n"]
    assert not isinstance(parameter, ListParameter)
    assert parameter.distribution == IntRange(3, 12)


@pytest.mark.parametrize(
    "row",
    [
        {"settings": {}},
        {"settings": 3},
        {"settings": {"lr": 1}, "metrics": 3},
        {"settings": {"lr": 1}, "metrics": {"score": 3}},
        {"settings": {"lr": 1}, "metrics": {"score": [1]}, "epoch_s": [-1]},
        {"settings": {"lr": 1}, "metrics": {"score": [1]}, "epoch_s": "long"},
    ],
)
def test_what_is_no_training_is_refused_with_its_line(tmp_path: Path, row: dict[str, Any]) -> None:
    path = written(tmp_path, {"settings": {"lr": 2}, "metrics": {"score": [1]}}, row)
    with pytest.raises(FixInput) as refused:
        read_curve_file(path)
    assert "line 2" in str(refused.value)
