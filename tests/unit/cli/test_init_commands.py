"""``automl init``: what it finds, what it proposes, and that the plan takes it."""

import json
from pathlib import Path

import pytest

from automl.app.found_data import find_splits
from automl.app.machine import Machine
from automl.app.study_draft import draft, draft_text
from automl.cli.main import main
from automl.errors import FixInput
from automl.gpus import Gpu
from automl.yamltext import load_yaml
from tests.small_data import write_split

H200 = Machine(16, (Gpu(0, "GPU-1", "NVIDIA H200"),))
OLD = Machine(16, (Gpu(0, "GPU-1", "Tesla V100-SXM2-16GB"),))
CPU = Machine(2)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with data two levels down, and other folders beside it."""
    (tmp_path / ".cache" / "train").mkdir(parents=True)
    (tmp_path / "notes").mkdir()
    for name, images in (("train", 8), ("validation", 6), ("test", 4)):
        write_split(tmp_path / "sets" / "boxes" / name, images)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_splits_are_found_by_layout_and_name(data: Path) -> None:
    found = find_splits(data)
    assert {split: each.images for split, each in found.items()} == {
        "train": 8,
        "val": 6,
        "test": 4,
    }
    assert found["train"].category == "cereal_box"
    assert found["val"].path.name == "validation"


def test_folders_without_images_and_hidden_ones_are_none(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    assert find_splits(tmp_path) == {}
    with pytest.raises(FixInput, match="looked for in a folder"):
        find_splits(tmp_path / "nowhere")


def test_tarballs_are_found_and_not_opened(tmp_path: Path) -> None:
    for name in ("train.tar.gz", "val.tgz", "labels.tar"):
        (tmp_path / name).write_bytes(b"")
    found = find_splits(tmp_path)
    assert {split: (each.path.name, each.images) for split, each in found.items()} == {
        "train": ("train.tar.gz", None),
        "val": ("val.tgz", None),
    }


@pytest.mark.parametrize(
    ("machine", "backbone", "precision"),
    [(H200, "DLA34", "bf16"), (OLD, "DLA34", "fp32"), (CPU, "nano", "fp32")],
)
def test_the_machine_decides_network_and_precision(
    data: Path, machine: Machine, backbone: str, precision: str
) -> None:
    made = draft(find_splits(data), machine)
    assert (made.backbone, made.precision) == (backbone, precision)
    assert all(0 < step < made.epochs for step in made.milestones)
    assert draft(find_splits(data), machine, "fan_small").backbone == "fan_small"


def test_the_file_is_a_study_file_with_a_reason_on_every_line(data: Path) -> None:
    text = draft_text(draft(find_splits(data), H200), data / "study.yaml")
    values = load_yaml(text, where="study.yaml")
    assert values["data"]["train"] == "sets/boxes/train"
    assert values["set"]["dataset.category"] == "cereal_box"
    settings = [line for line in text.splitlines() if line.startswith("  ")]
    assert all(" # " in line for line in settings)


def test_a_plan_takes_what_init_wrote(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init"]) == 0
    said = capsys.readouterr().out
    assert "wrote study.yaml; next: automl plan study.yaml" in said
    assert main(["plan", "study.yaml", "--studies-dir", str(data / "studies"), "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["config"]["overrides"]["dataset.category"] == "cereal_box"
    assert plan["config"]["data"]["test"].endswith("boxes/test")


def test_a_file_that_is_there_is_never_written_over(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "study.yaml").write_text("mine")
    assert main(["init"]) == 2
    assert "never writes over a file" in capsys.readouterr().err
    assert (data / "study.yaml").read_text() == "mine"


def test_named_splits_are_taken_as_they_are(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = str(data / "sets" / "boxes" / "train")
    assert main(["init", "--train", train, "--out", "other.yaml", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["schema"] == "automl.init/1"
    assert made["data"] == {"train": train}
    assert "# val: FOLDER" in made["text"]


@pytest.mark.parametrize(
    ("words", "said"),
    [(["notes"], "needs training data"), (["--train", "gone"], "train data must exist")],
)
def test_what_is_not_there_is_named(
    data: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["init", *words]) == 2
    assert said in capsys.readouterr().err
    assert not (data / "study.yaml").exists()
