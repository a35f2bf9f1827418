"""The picture of labelled images: where the boxes are drawn, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")

from automl.data.geometry import (  # noqa: E402
    EDGES,
    Array,
    Intrinsics,
    box_keypoints,
    project,
    projection_of,
)
from automl.data.preview import CuboidOutline, GridTile, spread, write_grid  # noqa: E402
from automl.errors import FixInput  # noqa: E402

_SIDE = 408
_GREEN, _RED = (80, 220, 80), (60, 60, 255)


def _points(size: int) -> Array:
    projection = projection_of(Intrinsics(size, size, size / 2, size / 2), (size, size))
    keypoints = box_keypoints((0.3, 0.3, 0.3)) + np.array([0.03, 0.05, -1.0])
    return project(keypoints, projection, size, size)


def _image(folder: Path, size: int) -> Path:
    path = folder / f"{size}.png"
    cv2.imwrite(str(path), np.full((size, size, 3), 128, np.uint8))
    return path


def _near(picture: "np.typing.NDArray[np.uint8]", point: Array, colour: object) -> bool:
    x, y = np.rint(point).astype(int)
    window = picture[y - 2 : y + 3, x - 2 : x + 3].astype(int)
    return bool((np.abs(window - np.array(colour)).max(axis=2) < 40).any())


@pytest.mark.parametrize("size", [100, 400, 1000])
@pytest.mark.parametrize("suspect", [False, True])
def test_the_edges_lie_where_the_points_are(tmp_path: Path, size: int, suspect: bool) -> None:
    points = _points(size)
    tile = GridTile(_image(tmp_path, size), "one", (CuboidOutline(points, "", suspect),))
    write_grid(tmp_path / "grid.png", [tile])
    picture = cv2.imread(str(tmp_path / "grid.png"))
    assert picture.shape[:2] == (_SIDE + 22, _SIDE)
    shown = (points + 0.5) * 400 / size - 0.5 + 4
    for a, b in EDGES:
        third = shown[1 + a] + (shown[1 + b] - shown[1 + a]) / 3
        assert _near(picture, third, _RED if suspect else _GREEN)


def test_images_of_all_shapes_and_broken_ones_fill_one_grid(tmp_path: Path) -> None:
    (tmp_path / "no.png").write_bytes(b"no image")
    images = [
        _image(tmp_path, 50),
        _image(tmp_path, 90),
        tmp_path / "no.png",
        tmp_path / "lost.png",
    ]
    points = np.array([[np.nan, 1e12]] * 9)
    tiles = [GridTile(image, f"Grün {image.name}", (CuboidOutline(points),)) for image in images]
    write_grid(tmp_path / "grid.jpg", [*tiles, tiles[0]])
    assert cv2.imread(str(tmp_path / "grid.jpg")).shape[:2] == (2 * (_SIDE + 22), 3 * _SIDE)


def test_a_preview_has_the_ending_of_a_picture_and_shows_something(tmp_path: Path) -> None:
    with pytest.raises(FixInput, match=r"a PNG or a JPEG, but got grid\.txt"):
        write_grid(tmp_path / "grid.txt", [GridTile(_image(tmp_path, 50), "")])
    with pytest.raises(FixInput, match="at least one image"):
        write_grid(tmp_path / "grid.png", [])


def test_a_sample_is_spread_over_all() -> None:
    assert spread(100, 4) == [0, 25, 50, 75]
    assert spread(3, 9) == [0, 1, 2]
    assert spread(0, 9) == []
