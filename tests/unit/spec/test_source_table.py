"""Which settings take data, by each of the three tables, and what they take of a folder."""

import os
from pathlib import Path

import pytest

from automl.errors import FixInput
from automl.skill.read import own_skill_dir, read_skill
from automl.spec.rules import rules_for
from automl.spec.source_table import split_in, takers
from automl.spec.sources import data_settings, needed_data_keys
from automl.yamltext import dump_yaml

_PUBLISHED = os.environ.get("AUTOML_TAO_SKILLS", "")
published = pytest.mark.skipif(not _PUBLISHED, reason="AUTOML_TAO_SKILLS names no folder")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A split as TAO's detection and segmentation networks read it."""
    root = tmp_path / "split"
    for name in ("images", "panoptic", "captions"):
        (root / name).mkdir(parents=True)
    for name in ("annotations_instance.json", "panoptic.json", "label_map.txt", "shards.txt"):
        (root / name).touch()
    return root


def skill_with(tmp_path: Path, table: object, name: str = "data_sources.yaml") -> Path:
    root = tmp_path / "skill"
    (root / "references").mkdir(parents=True)
    info = {"network_arch": "tinynet", "actions": {"train": {}}}
    (root / "references" / "skill_info.yaml").write_text(dump_yaml(info))
    (root / "references" / name).write_text(dump_yaml(table))
    return root


def test_our_own_table_is_data() -> None:
    skill = read_skill(own_skill_dir())
    found = {a: [(t.key, t.splits, t.is_list) for t in takers(skill, a)] for a in skill.actions}
    calibration = "gen_trt_engine.tensorrt.calibration.cal_image_dir"
    assert found == {
        "train": [
            ("dataset.train_data", ("train",), False),
            ("dataset.val_data", ("val",), False),
        ],
        "evaluate": [("dataset.test_data", ("test", "val"), False)],
        "inference": [("dataset.inference_data", ("inference", "test"), False)],
        "gen_trt_engine": [(calibration, ("train",), True)],
        "export": [],
    }


def test_the_splits_of_a_row_may_be_named_there(tmp_path: Path) -> None:
    table = {"train": {"data.here": {"source": "own", "splits": ["test", "val"]}}}
    (taker,) = takers(read_skill(skill_with(tmp_path, table)), "train")
    assert (taker.key, taker.splits) == ("data.here", ("test", "val"))


def test_a_broken_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FixInput, match="must be a mapping"):
        takers(read_skill(skill_with(tmp_path, ["train"])), "train")


@pytest.mark.parametrize(
    ("key", "split"),
    [
        ("dataset.train_data", "train"),
        ("dataset.val.img_dir", "val"),
        ("dataset.train_data_sources[0].image_dir", "train"),
        ("dataset.infer_data_sources.classmap", "inference"),
        ("dataset.quant_calibration_data_sources.image_dir", "train"),
        ("train.pretrained_model_path", ""),
        ("model.backbone.pretrained_backbone_path", ""),
        ("export.checkpoint", ""),
        ("dataset.label_map", ""),
    ],
)
def test_the_split_that_a_key_names(key: str, split: str) -> None:
    assert split_in(key) == split


@published
@pytest.mark.parametrize("path", sorted(Path(_PUBLISHED or "/none").glob("tao-*")), ids=str)
def test_every_published_skill_trains_on_a_train_and_a_val_split(path: Path) -> None:
    found = [taker.splits for taker in takers(read_skill(path), "train")]
    assert ("train",) in found
    assert ("val",) in found


@published
def test_clip_takes_a_list_of_data_sets(folder: Path) -> None:
    rules = rules_for(read_skill(Path(_PUBLISHED) / "tao-finetune-clip"), "train")
    assert needed_data_keys(rules) == ()
    found = data_settings(rules, {"train": str(folder)})
    assert found["dataset.train.datasets"] == [
        {"image_dir": str(folder / "images"), "caption_dir": str(folder / "captions")}
    ]
    assert found["dataset.train.wds.shard_list_file"] == str(folder / "shards.txt")


@published
def test_mask2former_takes_what_its_own_table_names(tmp_path: Path) -> None:
    for name in ("images", "images_panoptic"):
        (tmp_path / name).mkdir()
    for name in ("annotations.json", "annotations_panoptic.json"):
        (tmp_path / name).touch()
    rules = rules_for(read_skill(Path(_PUBLISHED) / "tao-train-mask2former"), "train")
    found = data_settings(rules, {"val": str(tmp_path)})
    assert {key: Path(str(value)).name for key, value in found.items()} == {
        "dataset.val.img_dir": "images",
        "dataset.val.instance_json": "annotations.json",
        "dataset.val.panoptic_json": "annotations_panoptic.json",
        "dataset.val.panoptic_dir": "images_panoptic",
        "dataset.test.img_dir": "images",
    }


def test_a_tarball_where_a_folder_is_needed_is_refused(tmp_path: Path) -> None:
    table = {"train": {"data.images": {"source": "train_datasets", "path": "images.tar.gz"}}}
    (taker,) = takers(read_skill(skill_with(tmp_path, table)), "train")
    (tmp_path / "images.tar.gz").touch()
    with pytest.raises(FixInput, match="mkdir images"):
        taker.value(str(tmp_path))
    (tmp_path / "images").mkdir()
    assert taker.value(str(tmp_path)) == str(tmp_path / "images")


def test_an_input_is_found_by_the_first_word_of_its_name(folder: Path, tmp_path: Path) -> None:
    root = skill_with(tmp_path, {})
    inputs = {
        f"dataset.val.{name}": {"type": "folder" if name.endswith("dir") else "file"}
        for name in ("img_dir", "panoptic_dir", "instance_json", "panoptic_json", "mask_json")
    }
    info = {"network_arch": "tinynet", "actions": {"train": {"inputs": inputs}}}
    (root / "references" / "skill_info.yaml").write_text(dump_yaml(info))
    found = {
        t.key.rpartition(".")[2]: t.value(str(folder)) for t in takers(read_skill(root), "train")
    }
    names = {key: value and Path(str(value)).name for key, value in found.items()}
    assert names == {
        "img_dir": "images",
        "panoptic_dir": "panoptic",
        "instance_json": "annotations_instance.json",
        "panoptic_json": "panoptic.json",
        "mask_json": None,
    }


@published
def test_dino_finds_images_and_annotations(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "annotations.json").touch()
    rules = rules_for(read_skill(Path(_PUBLISHED) / "tao-train-dino"), "train")
    assert data_settings(rules, {"train": str(tmp_path)}) == {
        "dataset.train_data_sources[0].image_dir": str(tmp_path / "images"),
        "dataset.train_data_sources[0].json_file": str(tmp_path / "annotations.json"),
    }


@published
def test_cosmos_finds_its_one_annotation_and_either_kind_of_media(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "anything.json").touch()
    rules = rules_for(read_skill(Path(_PUBLISHED) / "tao-finetune-cosmos-reason"), "train")
    assert data_settings(rules, {"train": str(tmp_path)}) == {
        "custom.train_dataset.annotation_path": str(tmp_path / "anything.json"),
        "custom.train_dataset.media_path": str(tmp_path / "videos"),
    }
