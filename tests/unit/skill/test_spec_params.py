"""The three kinds of entries of ``spec_params``."""

import pytest

from automl.errors import FixInput
from automl.skill.model import WeightLink
from automl.skill.spec_params import spec_params_in
from automl.spec.unfilled import fetch_command, link_note


def test_functions_values_and_links_are_told_apart() -> None:
    found = spec_params_in(
        {
            "results_dir": "output_dir",
            "evaluate.result": "create_inference_result_file_pose",
            "data.type": "coco_dataset",
            "train.epochs": 3,
            "model.gpus": [0],
            "export.file": "/opt/model.onnx",
            "train.amp": False,
            "train.nothing": None,
            "train.weights": {"link": "https://host/a.pth", "destination_path": "/ptm/b.pth"},
            "train.more": {"link": " s3://bucket/c.pth "},
        },
        "skill",
    )
    assert found.functions == {
        "results_dir": "output_dir",
        "evaluate.result": "create_inference_result_file_pose",
        "data.type": "coco_dataset",
    }
    assert found.constants == {
        "train.epochs": 3,
        "model.gpus": [0],
        "export.file": "/opt/model.onnx",
        "train.amp": False,
    }
    assert found.links == {
        "train.weights": WeightLink("https://host/a.pth", "/ptm/b.pth"),
        "train.more": WeightLink("s3://bucket/c.pth"),
    }


@pytest.mark.parametrize("entry", [{}, {"destination_path": "/x"}, {"link": ["a"]}])
def test_a_mapping_without_a_link_is_refused_by_its_key(entry: dict[str, object]) -> None:
    with pytest.raises(FixInput, match="must give a link") as refused:
        spec_params_in({"train.weights": entry}, "skill_info.yaml: spec_params of train")
    assert "train.weights" in refused.value.got


def test_a_link_is_shown_with_a_command_that_a_shell_takes() -> None:
    link = WeightLink("https://host/a b.pth?x=1&y", "/ptm/b.pth")
    assert fetch_command(link) == "curl -L -o b.pth 'https://host/a b.pth?x=1&y'"
    assert fetch_command(WeightLink("s3://bucket/c.pth")) == "fetch s3://bucket/c.pth"
    note = link_note("train.weights", link)
    assert "--fetch-weights" in note
    assert "at /ptm/b.pth in the container" in note
    assert "--set train.weights=PATH" in note
