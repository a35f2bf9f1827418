"""Calibration batches never exceed the images there are."""

from pathlib import Path
from typing import Any

import pytest

from automl.errors import FixInput
from automl.skill.tree import get
from automl.spec.calibration import fit_calibration

_BLOCK = "gen_trt_engine.tensorrt.calibration"
_SIZE, _COUNT = f"{_BLOCK}.cal_batch_size", f"{_BLOCK}.cal_batches"


def _spec(tmp_path: Path, images: int, size: int = 10, batches: int = 1000) -> dict[str, Any]:
    folders = [tmp_path / name for name in ("a", "b")]
    for place, folder in enumerate(folders):
        folder.mkdir()
        for number in range(place, images, 2):
            (folder / f"{number}.jpg").touch()
        (folder / "notes.txt").touch()
    block = {"cal_image_dir": [str(folder) for folder in folders]}
    numbers = {"cal_batch_size": size, "cal_batches": batches}
    return {"gen_trt_engine": {"tensorrt": {"calibration": {**block, **numbers}}}}


@pytest.mark.parametrize(
    ("images", "given", "size", "batches"),
    [
        (35, {}, 10, 3),
        (4, {}, 4, 1),
        (40, {_SIZE: 10, _COUNT: 4}, 10, 4),
        (35, {_SIZE: 8}, 8, 4),
        (35, {_COUNT: 5}, 7, 5),
    ],
)
def test_it_takes_what_there_is(
    tmp_path: Path, images: int, given: dict[str, int], size: int, batches: int
) -> None:
    tree = _spec(tmp_path, images, given.get(_SIZE, 10), given.get(_COUNT, 1000))
    fitted, note = fit_calibration("gen_trt_engine", tree, given, "--set")
    assert (get(fitted, _SIZE), get(fitted, _COUNT)) == (size, batches)
    assert size * batches <= images
    assert (f"there are {images} images" in note) == (fitted != tree)


def test_more_than_there_is_is_refused_where_it_was_asked_for(tmp_path: Path) -> None:
    tree = _spec(tmp_path, 35, 8, 5)
    with pytest.raises(FixInput, match=r"5 batches of 8 with 35 images.*4 batches of 8"):
        fit_calibration("gen_trt_engine", tree, {_SIZE: 8, _COUNT: 5}, "--set")


def test_folders_of_another_machine_are_left_to_it(tmp_path: Path) -> None:
    tree = _spec(tmp_path, 3)
    (tmp_path / "a" / "0.jpg").unlink()
    moved = {"cal_image_dir": ["/data/calibration/images"], "cal_batch_size": 10, "cal_batches": 9}
    tree["gen_trt_engine"]["tensorrt"]["calibration"] = moved
    assert fit_calibration("gen_trt_engine", tree, {}, "--set") == (tree, "")
