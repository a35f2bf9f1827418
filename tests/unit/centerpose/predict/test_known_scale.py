"""Poses in metres: an exact scene, seen by a camera, with a length of it known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from automl.data.geometry import Intrinsics, box_keypoints, rotation_of
from automl.poses.known_size import KnownSize, read_known_size

torch = pytest.importorskip("torch", reason="the trainer program needs torch")

from automl.centerpose.config.load import load_spec  # noqa: E402
from automl.centerpose.evaluation.detections import Detections  # noqa: E402
from automl.centerpose.predict.objects import detect_objects, to_json  # noqa: E402
from automl.centerpose.predict.scale import Scale, scale_of  # noqa: E402

CAMERA = Intrinsics(700.0, 720.0, 300.0, 400.0).matrix()
EDGES = np.array([0.19, 0.30, 0.06])
LOCATION = np.array([0.12, -0.08, 0.9])
TURN = rotation_of([0.3, -0.5, 0.1, 0.8])


def seen(proportions: np.ndarray) -> Detections:
    """The scene as a network finds it: its corners exactly, and the proportions that it says."""
    points = box_keypoints(EDGES)[1:] @ TURN.T + LOCATION
    image = points @ CAMERA.T
    pixels = image[:, :2] / image[:, 2:]
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    fields = ([0.9], [*low, *high], (low + high) / 2, pixels, proportions)
    score, *others = (torch.tensor(np.array(each))[None] for each in fields)
    return Detections(score, *(each[:, None] for each in others))


def written(proportions: np.ndarray, scale: Scale) -> tuple[dict[str, Any], dict[str, Any]]:
    """The scale, and the one object, of an image's JSON."""
    found = detect_objects(seen(proportions), 0.3, [CAMERA], opencv=True, scale=scale)
    content = to_json("00000.jpg", found[0], scale)
    (only,) = content["objects"]
    return content["scale"], only


@pytest.mark.parametrize("unit", [1.0, 0.97])
def test_a_known_height_gives_the_right_metres(unit: float) -> None:
    """The height that a network says is about 1, which must not enter."""
    scale = Scale("cereal_box", known=KnownSize("", 0.30))
    said, box = written(EDGES / EDGES[1] * unit, scale)
    assert said == {"is_metric": True, "category": "cereal_box", "from": "known height 0.3 m"}
    np.testing.assert_allclose(box["location_m"], LOCATION, atol=1e-6)
    np.testing.assert_allclose(box["size_m"], EDGES, atol=1e-9)
    corners = box_keypoints(EDGES) @ TURN.T + LOCATION
    np.testing.assert_allclose(box["keypoints_3d_m"], corners, atol=1e-6)
    np.testing.assert_allclose(rotation_of(box["quaternion_xyzw"]), TURN, atol=1e-6)


def test_known_edges_correct_the_networks_proportions() -> None:
    wrong = np.array([0.5, 1.0, 0.4])
    by_height = written(wrong, Scale("cereal_box", known=KnownSize("", 0.30)))[1]
    by_edges = written(wrong, Scale("cereal_box", known=KnownSize("", 0.30, tuple(EDGES))))[1]
    assert np.linalg.norm(np.array(by_height["location_m"]) - LOCATION) > 0.005
    np.testing.assert_allclose(by_edges["location_m"], LOCATION, atol=1e-6)
    np.testing.assert_allclose(by_edges["size_m"], EDGES, atol=1e-12)


def test_without_a_known_size_the_output_says_that_it_is_up_to_scale() -> None:
    said, box = written(EDGES / EDGES[1], Scale("cereal_box"))
    assert not said["is_metric"]
    assert "inference.known_size" in said["from"]
    assert not [name for name in box if name.endswith("_m")]
    # What is known is the direction, and the distance in heights of the box.
    np.testing.assert_allclose(np.array(box["location"]) * 0.30, LOCATION, atol=1e-6)


def test_a_network_of_absolute_sizes_says_metres_itself() -> None:
    said, box = written(EDGES, Scale("cereal_box", absolute=True))
    assert said["is_metric"]
    assert "use_absolute_scale" in said["from"]
    np.testing.assert_allclose(box["location_m"], LOCATION, atol=1e-6)


def test_what_is_known_of_the_networks_own_category_counts() -> None:
    tree = {
        "dataset": {"category": "bottle"},
        "inference": {"checkpoint": "x", "known_size": "cereal_box=0.30, bottle=0.07x0.24x0.07"},
    }
    spec = load_spec(tree, "inference")
    known = scale_of(spec).known
    assert known == KnownSize("bottle", 0.24, (0.07, 0.24, 0.07))
    assert str(known) == "known size 0.07 x 0.24 x 0.07 m of bottle"
    spec = replace(spec, dataset=replace(spec.dataset, category="cereal_box"))
    assert str(scale_of(spec).known) == "known height 0.3 m of cereal_box"
    assert read_known_size(" ", "bottle", "here") is None


@pytest.mark.parametrize("height", [0.0, -0.2])
def test_a_box_without_a_height_has_no_metres(height: float) -> None:
    assert Scale("x", known=KnownSize("", 0.3)).metres_per_unit(height) is None
