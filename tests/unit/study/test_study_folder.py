import json
import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from automl.errors import FixInput, PrepareMachine, ResolveConflict
from automl.skill.asked import parse_freeze, parse_search
from automl.skill.keys import NetworkKeys
from automl.space.distributions import FloatRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study.choice import find_study
from automl.study.config import (
    DataSources,
    Direction,
    Keep,
    Objective,
    Resources,
    SearchSettings,
    StudyConfig,
)
from automl.study.folder import (
    NewStudy,
    create_folder,
    fresh_name,
    list_studies,
    read_base_spec,
    read_config,
    read_provenance,
    read_space,
    write_study,
)
from automl.study.layout import StudyPaths
from automl.study.limits import Limits

SPACE = SearchSpace(
    (Parameter("train.optim.lr", "float", FloatRange(1e-5, 1e-2, log=True), default=6e-5),)
)
CONFIG = StudyConfig(
    name="bikes",
    skill_dir="/skill",
    policy="on",
    policy_source="default",
    objective=Objective("val_3DIoU", Direction.MAXIMIZE, 0.0),
    data=DataSources("/train", "/val"),
    overrides={"train.optim.lr": 1e-4, "dataset.category": "bike"},
    search=SearchSettings(
        search=(parse_search("a=1..2"),),
        freeze=(parse_freeze("b"),),
        startup_trials=4,
        pruner="median",
    ),
    limits=Limits(12, 60.0),
    resources=Resources(2, 1, (0, 3)),
    keep=Keep.ALL,
    origin={"trials": "--trials"},
    storage_url="sqlite:///trials.db",
    keys=NetworkKeys(epochs="train.epoch", batch_sizes=("train.rows", "eval.rows")),
)


def make(studies_dir: Path, name: str = "bikes") -> StudyPaths:
    paths = create_folder(studies_dir, name)
    study = NewStudy(
        {"trials": 12},
        replace(CONFIG, name=name),
        {**SPACE.to_json(), "digest": SPACE.digest},
        {"train": {"optim": {"lr": 6e-05}}},
        {"python": "3.11"},
    )
    write_study(paths, study)
    return paths


def noon() -> datetime:
    return datetime(2026, 11, 23, 4, 15).astimezone()


def test_a_study_reads_back_as_it_was_written(studies_dir: Path) -> None:
    paths = make(studies_dir)
    assert read_config(paths) == CONFIG
    assert SearchSpace.from_json(read_space(paths)) == SPACE
    assert read_space(paths)["digest"] == SPACE.digest
    assert read_base_spec(paths) == {"train": {"optim": {"lr": 6e-5}}}
    assert read_provenance(paths) == {"python": "3.11"}
    assert paths.request.read_text() == "trials: 12\n"


def test_a_study_that_wrote_no_keys_down_finds_them_in_its_base_spec(studies_dir: Path) -> None:
    paths = make(studies_dir)
    value = json.loads(paths.resolved.read_text(encoding="utf-8"))
    del value["keys"]
    paths.resolved.write_text(json.dumps(value), encoding="utf-8")
    paths.base_spec.write_text("train: {epochs: 3, optim: {lr: 1.0}}\n", encoding="utf-8")
    assert read_config(paths).keys == NetworkKeys(
        epochs="train.epochs", optimizer="train.optim.", results=("results_dir",)
    )
    paths.base_spec.unlink()
    assert read_config(paths) == replace(CONFIG, keys=NetworkKeys())


def test_a_moved_study_is_still_read(studies_dir: Path, tmp_path: Path) -> None:
    make(studies_dir).folder.rename(tmp_path / "moved")
    assert read_config(find_study(tmp_path, "moved")) == CONFIG


def test_default_names_are_readable_and_never_taken(studies_dir: Path) -> None:
    assert fresh_name(studies_dir, "CenterPose", noon) == "centerpose-1123-0415"
    for expected in ("centerpose-1123-0415", "centerpose-1123-0415-2", "centerpose-1123-0415-3"):
        assert fresh_name(studies_dir, "CenterPose", noon) == expected
        make(studies_dir, expected)


@pytest.mark.parametrize("hint", ["", "///", "Mask R-CNN (v2)", "x" * 300, "größe"])
def test_any_hint_makes_a_legal_name(studies_dir: Path, hint: str) -> None:
    assert make(studies_dir, fresh_name(studies_dir, hint, noon)).resolved.is_file()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-x", "a b", "x" * 101, ".hidden"])
def test_a_name_that_is_no_folder_name_is_refused(studies_dir: Path, name: str) -> None:
    with pytest.raises(FixInput, match="--name"):
        create_folder(studies_dir, name)
    assert list(studies_dir.iterdir()) == []


def test_a_name_that_is_taken_is_refused(studies_dir: Path) -> None:
    make(studies_dir)
    with pytest.raises(ResolveConflict, match="automl resume bikes"):
        create_folder(studies_dir, "bikes")


def test_studies_cannot_be_kept_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "studies").touch()
    with pytest.raises(PrepareMachine, match="choose another --studies-dir"):
        create_folder(tmp_path / "studies", "bikes")


def test_a_folder_of_other_things_is_never_used(studies_dir: Path) -> None:
    (studies_dir / "bikes").mkdir()
    (studies_dir / "bikes" / "holiday.jpg").touch()
    with pytest.raises(ResolveConflict):
        create_folder(studies_dir, "bikes")


def test_what_a_crash_left_before_the_study_began_is_used_again(studies_dir: Path) -> None:
    paths = make(studies_dir)
    paths.resolved.unlink()
    assert list_studies(studies_dir) == ()
    assert make(studies_dir) == paths


def test_studies_are_listed_newest_first(studies_dir: Path) -> None:
    for age, name in enumerate(["third", "first", "second"]):
        os.utime(make(studies_dir, name).resolved, ns=(0, {0: 3, 1: 1, 2: 2}[age]))
    (studies_dir / "no-study").mkdir()
    (studies_dir / "demo.yaml").touch()
    assert [it.folder.name for it in list_studies(studies_dir)] == ["third", "second", "first"]
    assert find_study(studies_dir).folder.name == "third"


def test_a_study_is_found_by_name_or_path(studies_dir: Path) -> None:
    paths = make(studies_dir)
    assert find_study(studies_dir, "bikes") == paths
    assert find_study(studies_dir / "elsewhere", str(paths.folder)) == paths


def test_an_unknown_name_is_answered_with_the_nearest(studies_dir: Path) -> None:
    make(studies_dir)
    with pytest.raises(FixInput, match=r"did you mean bikes\?"):
        find_study(studies_dir, "bike")


def test_without_a_study_there_is_nothing_to_find(tmp_path: Path) -> None:
    with pytest.raises(FixInput, match="start one with automl run"):
        find_study(tmp_path / "none")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 99}', '{"format": 1}'])
def test_a_broken_configuration_names_its_file(studies_dir: Path, content: str) -> None:
    paths = make(studies_dir)
    paths.resolved.write_text(content)
    with pytest.raises(FixInput) as caught:
        read_config(paths)
    assert "resolved.json" in str(caught.value)


def test_a_configuration_of_an_older_version_is_read(studies_dir: Path) -> None:
    paths = make(studies_dir)
    value = json.loads(paths.resolved.read_text())
    del value["storage_url"]
    del value["search"]["pruner"]
    paths.resolved.write_text(json.dumps(value))
    assert read_config(paths).storage_url == ""
    assert read_config(paths).search.pruner == "none"
