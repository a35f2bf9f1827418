"""What a training reads by its path, which every node of a cluster must have."""

from dataclasses import replace
from pathlib import Path

from automl.app.named_paths import named_paths
from automl.space.model import SearchSpace
from automl.space.options import Choice
from automl.space.parameter import Parameter
from tests.unit.app.kit import MakePlan


def test_weights_are_inputs_and_what_a_study_writes_is_not(tmp_path: Path, plan: MakePlan) -> None:
    config = plan().config
    studies, data = tmp_path / "studies", tmp_path / "data"
    weights, other, listed = (tmp_path / name for name in ("a.pth", "b.pth", "list"))
    for folder in (studies / "s", data / "train", listed):
        folder.mkdir(parents=True)
    for file in (weights, other, studies / "s" / "own.pth"):
        file.write_text("x")
    spec = {
        "model": {"pretrained": str(weights), "name": "/no/such/file", "note": "/" + "x" * 5000},
        "train": {
            "resume": str(studies / "s" / "own.pth"),
            "devices": ["/dev/null", "/etc/hosts"],
        },
        "dataset": {"train": str(data / "train"), "lists": [{"dir": str(listed)}]},
        "results_dir": str(tmp_path),
    }
    space = SearchSpace(
        parameters=(Parameter("model.backbone", "string", Choice((str(weights), str(other)))),)
    )
    asked = replace(config, data=replace(config.data, train=str(data), val="", test=""))
    found = named_paths(asked, spec, space, studies)
    assert found == (str(data), str(weights), str(listed), str(other))
