"""The inference action: what it writes for each image, and whose camera it believes."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.data.geometry import GL_FROM_CV, box_keypoints, rotation_of
from automl.data.objectron import read_annotation

cv2 = pytest.importorskip("cv2", reason="the trainer program needs OpenCV")

Act = Callable[..., int]
Messages = Callable[[str], list[str]]

SHAPES = {
    "location": (3,),
    "quaternion_xyzw": (4,),
    "projected_keypoints_2d": (9, 2),
    "keypoints_3d": (9, 3),
    "relative_scale": (3,),
    "keypoints_2d": (8, 2),
}


@pytest.fixture
def results(spec_tree: dict[str, Any]) -> Path:
    return Path(spec_tree["results_dir"]) / "inference"


@pytest.fixture
def named(spec_tree: dict[str, Any], checkpoint: Path) -> dict[str, Any]:
    """The spec with the trained checkpoint."""
    block: dict[str, Any] = spec_tree.setdefault("inference", {})
    block["checkpoint"] = str(checkpoint)
    return spec_tree


@pytest.fixture
def bare(sequences: Path, named: dict[str, Any]) -> Path:
    """Images without any JSON file beside them, as the data of the spec."""
    for annotation in sequences.rglob("*.json"):
        annotation.unlink()
    named["dataset"]["inference_data"] = str(sequences)
    return sequences


def _objects(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["objects"]
    return found


def _pixels(path: Path) -> np.ndarray:
    image: Any = cv2.imread(str(path))
    return np.asarray(image, dtype=int)


def test_every_image_gets_a_drawing_and_the_contracts_json(
    named: dict[str, Any], act: Act, results: Path, pictures: Path, messages: Messages
) -> None:
    assert act("inference") == 0
    assert messages("inference") == [
        "Starting Centerpose inference.",
        f"Loading checkpoint: {named['inference']['checkpoint']}",
        "Inference finished successfully.",
    ]
    assert (results / "experiment.yaml").is_file()
    n_objects = 0
    for image in pictures.rglob("*.jpg"):
        drawn, stored = _pixels(results / image.name), _pixels(image)
        content = json.loads((results / f"{image.stem}.json").read_text())
        assert content["image_name"] == image.name
        assert drawn.shape == stored.shape
        for k, each in enumerate(content["objects"]):
            assert each.pop("id") == f"object_{k}"
            assert {name: np.shape(value) for name, value in each.items()} == SHAPES
        if content["objects"]:
            assert np.abs(drawn - stored).max() > 100
        n_objects += len(content["objects"])
    assert n_objects >= 4


def test_poses_agree_with_themselves_and_with_the_picture(
    named: dict[str, Any], act: Act, results: Path, pictures: Path
) -> None:
    assert act("inference") == 0
    off = []
    for image in pictures.rglob("*.jpg"):
        truth = read_annotation(image.with_suffix(".json"))
        camera = truth.intrinsics.matrix()
        for each in _objects(results / f"{image.stem}.json"):
            points = np.array(each["keypoints_3d"])
            rotation = rotation_of(each["quaternion_xyzw"])
            posed = box_keypoints(each["relative_scale"]) @ rotation.T + each["location"]
            np.testing.assert_allclose(points, posed, atol=1e-9)
            pixels = points @ camera.T
            flat = np.array(each["projected_keypoints_2d"])
            np.testing.assert_allclose(flat[1:], (pixels[:, :2] / pixels[:, 2:])[1:], atol=1e-6)
            off.append(np.abs(flat[1:] - truth.objects[0].projected_cuboid[1:]).mean())
    assert np.median(off) < 20.0


def test_a_known_height_is_said_and_gives_metres_to_every_object(
    named: dict[str, Any], act: Act, results: Path, pictures: Path, tmp_path: Path
) -> None:
    assert act("inference") == 0
    metric = tmp_path / "metric"
    size = {"inference__known_size": "cereal_box=0.25", "inference__results_dir": metric}
    assert act("inference", **size) == 0
    off = []
    for path in metric.glob("0*.json"):
        content = json.loads(path.read_text())
        assert content["scale"]["from"] == "known height 0.25 m of cereal_box"
        truth = read_annotation(next(pictures.rglob(path.name)))
        for plain, each in zip(_objects(results / path.name), content["objects"], strict=True):
            factor = 0.25 / each["relative_scale"][1]
            np.testing.assert_allclose(each["location_m"], factor * np.array(each["location"]))
            assert each["size_m"][1] == pytest.approx(0.25)
            assert {name: each[name] for name in plain} == plain
            true = truth.objects[0]
            # The objects differ in height by some per cent; so then do their distances.
            share = 0.25 / true.scale[1]
            off.append(np.linalg.norm(each["location_m"]) / np.linalg.norm(true.location) / share)
    assert np.median(off) == pytest.approx(1.0, abs=0.15)
    assert not json.loads((results / path.name).read_text())["scale"]["is_metric"]


@pytest.mark.parametrize("size", ["-0.2", "0", "bottle=0.2", "tall"])
def test_a_size_that_is_none_is_refused_before_anything_is_predicted(
    size: str, named: dict[str, Any], act: Act, results: Path, messages: Messages
) -> None:
    assert act("inference", inference__known_size=size) == 1
    assert "inference.known_size" in messages("inference")[-1]
    assert not list(results.glob("0*"))


def test_the_frame_of_annotations_is_the_other_one_turned(
    named: dict[str, Any], act: Act, results: Path, tmp_path: Path
) -> None:
    assert act("inference") == 0
    other = tmp_path / "gl"
    assert act("inference", inference__opencv="false", inference__results_dir=other) == 0
    compared = 0
    for path in results.glob("0*.json"):
        for cv, gl in zip(_objects(path), _objects(other / path.name), strict=True):
            compared += 1
            assert cv["location"][2] > 0.0 > gl["location"][2]
            np.testing.assert_allclose(GL_FROM_CV @ cv["location"], gl["location"])
            np.testing.assert_allclose(
                GL_FROM_CV @ rotation_of(cv["quaternion_xyzw"]),
                rotation_of(gl["quaternion_xyzw"]),
                atol=1e-9,
            )
            assert cv["projected_keypoints_2d"] == gl["projected_keypoints_2d"]
        drawn = (results / path.name).with_suffix(".jpg").read_bytes()
        assert drawn == (other / path.name).with_suffix(".jpg").read_bytes()
    assert compared


def test_without_pnp_corners_need_no_camera(bare: Path, act: Act, results: Path) -> None:
    assert act("inference", inference__use_pnp="false") == 0
    written = sorted(results.rglob("0*.json"))
    assert len(written) == 4
    objects = [each for path in written for each in _objects(path)]
    assert objects
    assert all(set(each) == {"id", "relative_scale", "keypoints_2d"} for each in objects)
    drawn = _pixels(results / "batch-0" / "00000.jpg")
    stored = _pixels(bare / "batch-0" / "00000.jpg")
    assert np.abs(drawn - stored).max() > 100


def test_equal_names_in_two_folders_do_not_meet(
    sequences: Path, named: dict[str, Any], act: Act, results: Path
) -> None:
    named["dataset"]["inference_data"] = str(sequences)
    assert act("inference") == 0
    written = {str(path.relative_to(results)) for path in results.rglob("0*")}
    assert written == {
        f"batch-{folder}/0000{frame}.{end}"
        for folder in (0, 1)
        for frame in (0, 1)
        for end in ("jpg", "json")
    }


def test_the_specs_camera_counts_where_it_is_given(
    bare: Path, act: Act, results: Path, pictures: Path, tmp_path: Path
) -> None:
    truth = read_annotation(min(pictures.rglob("*.json")))
    camera = {
        "inference__focal_length_x": truth.fx,
        "inference__focal_length_y": truth.fy,
        "inference__principle_point_x": truth.cx,
        "inference__principle_point_y": truth.cy,
    }
    assert act("inference", **camera) == 0
    camera["inference__focal_length_x"] = camera["inference__focal_length_y"] = 2 * truth.fx
    assert act("inference", inference__results_dir=tmp_path / "long", **camera) == 0
    ratios = [
        far["location"][2] / near["location"][2]
        for path in results.rglob("0*.json")
        for near, far in zip(
            _objects(path), _objects(tmp_path / "long" / path.relative_to(results)), strict=True
        )
    ]
    # Twice the focal length: the same pixels come from about twice as far.
    assert np.median(ratios) == pytest.approx(2.0, rel=0.3)


def test_no_camera_at_all_is_refused_before_anything_is_predicted(
    bare: Path, act: Act, results: Path, messages: Messages
) -> None:
    assert act("inference") == 1
    message = messages("inference")[-1]
    assert message.startswith("Configuration error: ")
    for part in ("4 of 4 images", "inference.focal_length_x", "camera_data", "use_pnp=false"):
        assert part in message
    assert not list(results.rglob("0*"))


@pytest.mark.parametrize(
    "settings",
    [
        {"inference__focal_length_x": 600},
        {"inference__focal_length_x": 600, "inference__focal_length_y": 600},
    ],
)
def test_half_a_camera_is_refused(
    settings: dict[str, object], named: dict[str, Any], act: Act, messages: Messages
) -> None:
    assert act("inference", **settings) == 1
    assert "principle_point_x" in messages("inference")[-1]


@pytest.mark.parametrize(
    "text", ["{}", "[", '{"camera_data": {"intrinsics": {"fx": 0, "fy": 1, "cx": 1, "cy": 1}}}']
)
def test_a_file_without_a_usable_camera_is_named(
    text: str, sequences: Path, named: dict[str, Any], act: Act, messages: Messages
) -> None:
    named["dataset"]["inference_data"] = str(sequences)
    (sequences / "batch-1" / "00000.json").write_text(text)
    assert act("inference") == 1
    assert "batch-1/00000.json" in messages("inference")[-1]


def test_the_threshold_and_the_switches_are_honoured(
    named: dict[str, Any], act: Act, results: Path, tmp_path: Path
) -> None:
    assert act("inference", inference__visualization_threshold=1.0) == 0
    assert all(not _objects(path) for path in results.glob("0*.json"))
    for switch, end in (("save_json", "jpg"), ("save_visualization", "json")):
        folder = tmp_path / switch
        given = {f"inference__{switch}": "false", "inference__results_dir": folder}
        assert act("inference", **given) == 0
        assert {path.suffix for path in folder.glob("0*")} == {f".{end}"}


def test_results_among_the_images_are_refused(
    sequences: Path, named: dict[str, Any], act: Act, capsys: pytest.CaptureFixture[str]
) -> None:
    named["dataset"]["inference_data"] = str(sequences)
    before = {path: path.read_bytes() for path in sequences.rglob("*.*")}
    assert act("inference", inference__results_dir=sequences / "batch-0") == 1
    assert "must not be written among the images" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dataset__batch_size": 9}, "Parameter validation error: dataset.inference_data"),
        ({"dataset__inference_data": "''"}, "Parameter validation error: dataset.inference_data"),
        ({"dataset__inference_data": "/nonexistent"}, "Data error: "),
        ({"inference__checkpoint": "/nonexistent.pth"}, "Data error: "),
        ({"inference__checkpoint": "/nonexistent.onnx"}, "Data error: "),
    ],
)
def test_failures_are_on_record(
    settings: dict[str, object],
    message: str,
    named: dict[str, Any],
    act: Act,
    messages: Messages,
) -> None:
    assert act("inference", **settings) == 1
    assert messages("inference")[-1].startswith(message)


def test_an_image_that_does_not_decode_is_named(
    sequences: Path, named: dict[str, Any], act: Act, messages: Messages
) -> None:
    named["dataset"]["inference_data"] = str(sequences)
    (sequences / "batch-0" / "00001.jpg").write_bytes(b"no picture")
    assert act("inference") == 1
    assert messages("inference")[-1].startswith("Data error: ")
    assert "batch-0/00001.jpg" in messages("inference")[-1]


def test_a_signal_ends_it_between_batches(
    named: dict[str, Any],
    act: Act,
    results: Path,
    messages: Messages,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def save_and_ask(*given: Any) -> int:
        signal.raise_signal(signal.SIGTERM)
        return 0

    monkeypatch.setattr("automl.centerpose.program.inference._save", save_and_ask)
    assert act("inference", dataset__batch_size=1) == 143
    assert messages("inference")[-1].startswith("User/System interruption: Inference")
