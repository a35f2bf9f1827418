"""The file beside an exported network is enough to find the poses that ``inference`` finds.

This is the program of somebody who has the ONNX file and its contract, and none of this package:
numpy prepares images and solves poses, Pillow decodes, onnxruntime runs the network.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from automl.centerpose.deploy.input_contract import contract_beside

Array = npt.NDArray[Any]
Act = Callable[..., int]


def letterboxed(image: Array, geometry: dict[str, Any]) -> tuple[Array, float, Array]:
    """The square input (S, S, 3), its scale, and its shift."""
    height, width = image.shape[:2]
    side = geometry["side_px"]
    scale = side / max(width, height)
    shift = side / 2 - scale * np.array([width, height]) / 2
    edged = np.pad(
        image, ((1, 1), (1, 1), (0, 0)), constant_values=geometry["outside_the_image"][0]
    )
    x, y = (np.clip((np.arange(side) - shift[k]) / scale, -1, size) + 1
            for k, size in enumerate((width, height)))  # fmt: skip
    left, top = (np.minimum(p.astype(int), e - 2) for p, e in ((x, width + 2), (y, height + 2)))
    fx, fy = (x - left)[None, :, None], (y - top)[:, None, None]
    rows = edged[top] * (1 - fy) + edged[top + 1] * fy
    return rows[:, left] * (1 - fx) + rows[:, left + 1] * fx, scale, shift


def prepared(image: Array, contract: dict[str, Any]) -> npt.NDArray[np.float32]:
    """The tensor of one image, which is given as red, green, blue."""
    colour = contract["colour"]
    assert colour["channel_order"] == "BGR"
    square, _, _ = letterboxed(image[..., ::-1], contract["geometry"])
    values = (square / colour["divide_by"] - colour["mean"]) / colour["std"]
    assert contract["tensor"]["layout"] == "NCHW"
    tensor: Array = values.transpose(2, 0, 1)[None].astype(contract["tensor"]["dtype"])
    return tensor


def pixels(cells: Array, size: tuple[int, int], n_cells: int) -> Array:
    """Points (N, 2) of the stored image."""
    longer = max(size)
    return cells * longer / n_cells + np.array(size) / 2 - longer / 2


def solved(corners: Array, points: Array, camera: Array) -> tuple[Array, Array]:
    """A pose: a direct linear start, then Gauss-Newton on the reprojection."""
    plane = (np.column_stack([points, np.ones(8)]) @ np.linalg.inv(camera).T)[:, :2]
    ahead = np.column_stack([corners, np.ones(8)])
    zero = np.zeros((8, 4))
    rows = np.concatenate([np.hstack([ahead, zero, -plane[:, :1] * ahead]),
                           np.hstack([zero, ahead, -plane[:, 1:] * ahead])])  # fmt: skip
    matrix = np.linalg.svd(rows)[2][-1].reshape(3, 4)
    matrix *= np.sign(np.linalg.det(matrix[:, :3]))
    u, sizes, v = np.linalg.svd(matrix[:, :3])
    rotation, translation = u @ v, matrix[:, 3] / sizes.mean()

    def error(step: Array) -> Array:
        turned = corners @ (turn(step[:3]) @ rotation).T + translation + step[3:]
        image = turned @ camera.T
        return np.asarray(image[:, :2] / image[:, 2:] - points).ravel()

    for _ in range(50):
        here = error(np.zeros(6))
        slopes = np.column_stack([(error(e) - here) / 1e-6 for e in np.eye(6) * 1e-6])
        step = np.linalg.lstsq(slopes, -here, rcond=None)[0]
        rotation, translation = turn(step[:3]) @ rotation, translation + step[3:]
    return rotation, translation


def turn(vector: Array) -> Array:
    """Rodrigues' formula."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def rotation_of(quaternion: list[float]) -> Array:
    x, y, z, w = quaternion
    norm = float(np.hypot.reduce([x, y, z]))
    return turn(np.array([x, y, z]) / norm * 2 * np.arctan2(norm, w)) if norm else np.eye(3)


@pytest.fixture(scope="module")
def contract(exported: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(contract_beside(exported).read_text())
    return value


def test_the_contract_alone_leads_to_the_poses_of_inference(
    act: Act, checkpoint: Path, exported: Path, pictures: Path, contract: dict[str, Any],
    tmp_path: Path,
) -> None:  # fmt: skip
    pillow = pytest.importorskip("PIL.Image")
    runtime = pytest.importorskip("onnxruntime")
    assert act("inference", inference__checkpoint=checkpoint) == 0
    session = runtime.InferenceSession(str(exported.with_name(contract["onnx"])))
    n_compared = 0
    for path in sorted(pictures.rglob("*.jpg")):
        (listed,) = (tmp_path / "results").rglob(f"{path.stem}.json")
        objects = json.loads(listed.read_text())["objects"]
        given = json.loads(path.with_suffix(".json").read_text())["camera_data"]["intrinsics"]
        camera = np.array(
            [[given["fx"], 0, given["cx"]], [0, given["fy"], given["cy"]], [0, 0, 1]]
        )
        image = np.asarray(pillow.open(path).convert("RGB"), dtype=np.float64)
        names = list(contract["outputs"])
        found = dict(
            zip(names, session.run(names, {contract["tensor"]["name"]: prepared(image, contract)}),
                strict=True)
        )  # fmt: skip
        if not objects:
            continue
        assert found["scores"][0, 0, 0] > contract["detections"]["score_threshold"]
        size = (image.shape[1], image.shape[0])
        cells = found["kps_displacement_mean"][0, 0].reshape(8, 2).astype(np.float64)
        points = pixels(cells, size, contract["detections"]["cells"])
        scale = found["obj_scale"][0, 0].astype(np.float64)
        best = objects[0]
        # OpenCV reads at 1/32 of a pixel and rounds colours; an input pixel is five of the image.
        assert points == pytest.approx(np.array(best["keypoints_2d"]), abs=0.5)
        corners = np.array(contract["pose"]["corner_signs"]) * scale / 2
        rotation, translation = solved(corners, points, camera)
        turned = rotation @ rotation_of(best["quaternion_xyzw"]).T
        assert np.degrees(np.arccos(np.clip((np.trace(turned) - 1) / 2, -1, 1))) < 1.0
        away = np.array(best["location"])
        assert np.linalg.norm(translation - away) < 0.01 * np.linalg.norm(away)
        n_compared += 1
    assert n_compared >= 6


@pytest.mark.parametrize("wrong", ["RGB", "unscaled"])
def test_an_image_prepared_otherwise_gives_other_corners(
    exported: Path, pictures: Path, contract: dict[str, Any], wrong: str
) -> None:
    """What the contract says matters: the usual mistakes are seen in the corners."""
    pillow = pytest.importorskip("PIL.Image")
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(str(exported))
    path = min(pictures.rglob("*.jpg"))
    image = np.asarray(pillow.open(path).convert("RGB"), dtype=np.float64)
    right = prepared(image, contract)
    if wrong == "RGB":
        changed = prepared(image[..., ::-1], contract)
    else:
        side = contract["geometry"]["side_px"]
        stretched = pillow.open(path).convert("RGB").resize((side, side))
        changed = prepared(np.asarray(stretched, dtype=np.float64), contract)
    names = ["scores", "kps_displacement_mean"]
    (scores, points), (other_scores, others) = (
        session.run(names, {"input": values}) for values in (right, changed)
    )
    apart = np.abs(points[0, 0] - others[0, 0]).max()
    assert apart > 0.5 or abs(scores[0, 0, 0] - other_scores[0, 0, 0]) > 0.1


def test_the_contract_says_what_the_spec_says(contract: dict[str, Any]) -> None:
    assert contract["schema"] == "automl.onnx-input/1"
    assert contract["tensor"]["shape"] == ["batch", 3, 128, 128]
    assert contract["outputs"]["kps_displacement_mean"]["shape"] == ["batch", 100, 16]
    assert contract["colour"]["mean"] == [0.40789654, 0.44719302, 0.47026115]
