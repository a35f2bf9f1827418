"""A wrong label that agrees with itself is the one that a trained network doubts most."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from automl.cli.main import main
from automl.data.geometry import (
    box_keypoints,
    project,
    quaternion_of,
    rotation_about_y,
    rotation_of,
)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_wrong_label_is_ranked_first(
    checkpoint: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    split = tmp_path / "val"
    shutil.copytree(pictures, split)
    wrong = sorted(split.rglob("*.json"))[3]
    content = json.loads(wrong.read_text())
    item = content["objects"][0]
    camera = content["camera_data"]
    rotation = rotation_of(item["quaternion_xyzw"]) @ rotation_about_y(np.pi / 3)
    # The image's y is the camera's x, which moves the box half its height up.
    location = np.array(item["location"]) - [0.5 * item["scale"][1], 0.0, 0.0]
    points = box_keypoints(item["scale"]) @ rotation.T + location
    projection = np.array(camera["camera_projection_matrix"])
    item["projected_cuboid"] = project(
        points, projection, camera["width"], camera["height"]
    ).tolist()
    item["keypoints_3d"], item["location"] = points.tolist(), location.tolist()
    item["quaternion_xyzw"] = quaternion_of(rotation).tolist()
    wrong.write_text(json.dumps(content))
    argv = ["data", "check", str(split), "--split", "val", "--model", str(checkpoint), "--json"]
    assert main(argv) == 0
    found = json.loads(capsys.readouterr().out)
    labels = [each for each in found["findings"] if each["kind"] == "label against model"]
    assert labels[0]["file"] == str(wrong)
    assert labels[0]["what"]
    assert {each["kind"] for each in found["findings"]} == {"label against model"}
    assert "median 3D IoU" in found["notes"][0]
