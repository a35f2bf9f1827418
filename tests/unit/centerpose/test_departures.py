"""``docs/departures.md``, the one list of differences from the container, against the program."""

import re
from pathlib import Path
from typing import Any

from automl.centerpose.config.experiment import ACTIONS, Experiment
from automl.centerpose.config.fields import leaf_entries
from automl.centerpose.config.load import load_spec
from automl.centerpose.models.build import BUILDERS
from automl.centerpose.models.heads import HEADS
from automl.centerpose.training.supported import PRECISIONS, refusals
from automl.trainers.contract import PROGRESS

PAGE = (Path(__file__).parents[3] / "docs" / "departures.md").read_text(encoding="utf-8")
LEAVES = dict(leaf_entries(Experiment))
NAMES = {word for key in LEAVES for word in (key, key.rsplit(".", 1)[-1])}
OTHER_NAMES = {"FAILURE", "Data error", "Unexpected error", "Execution status", "-e"} | {
    *("camera_data.intrinsics", "report.txt", "true", "True", "symmetric"),
    *("size_m", "location_m", "keypoints_3d_m"),
    *("train_loss", "val_loss", "val_3DIoU", "val_candidate_accuracy", PROGRESS),
}


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return [row for row in cells if row != ["here", "why"]]


def test_every_difference_is_said_once_with_its_reason() -> None:
    assert rows()
    assert all(len(row) == 2 and all(row) for row in rows())
    assert len({here for here, _ in rows()}) == len(rows())


def test_every_name_is_one_of_the_program() -> None:
    known = NAMES | OTHER_NAMES | {*ACTIONS, *BUILDERS, *HEADS, *PRECISIONS}
    assert {name.split(":")[0] for name in re.findall(r"`([^`]+)`", PAGE)} <= known


def test_every_switch_that_is_refused_stands_there() -> None:
    plain = set(refusals(load_spec({}, "train")))
    switches = [key for key, entry in LEAVES.items() if isinstance(entry.default, bool)]
    refused = [key for key in switches if set(refusals(_flipped(key))) - plain]
    assert len(refused) > 3
    assert all(key.rsplit(".", 1)[-1] in PAGE for key in refused)


def _flipped(key: str) -> Experiment:
    tree: Any = not LEAVES[key].default
    for part in reversed(key.split(".")):
        tree = {part: tree}
    return load_spec(tree, "train")
