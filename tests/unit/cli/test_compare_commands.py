"""``automl compare``: trials side by side, and what their differences are worth."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from automl.app.compare import same_data
from automl.cli.main import main
from automl.study.config import Direction, Objective
from tests.unit.reports.study_builder import StudyBuilder, config, confirm, fill

VAL = {"val": {"images": 64, "objects": 70}, "train": {"images": 256, "objects": 300}}


@pytest.fixture
def study(studies_dir: Path) -> StudyBuilder:
    """A typical search, whose winner (trial 4) and default were confirmed."""
    builder = StudyBuilder(studies_dir, images=VAL)
    fill(builder)
    confirm(builder, 4)
    builder.paths.attempt(4, 1).log.write_text("peak GPU memory 3.25 GiB\n")
    return builder


def run(study: StudyBuilder, *words: str) -> int:
    return main(["compare", *words, "--studies-dir", str(study.folder.parent)])


def compared(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str], *words: str
) -> dict[str, Any]:
    assert run(study, *words, "--json") == 0
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert value["schema"] == "automl.compare/1"
    return value


def test_winner_and_default_are_compared_by_their_confirmation(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    made = compared(study, capsys, "best", "default")
    (difference,) = made["differences"]
    winner, default = (0.44, 0.47, 0.46), (0.30, 0.33, 0.29)
    test = stats.ttest_ind(default, winner, equal_var=False).confidence_interval(0.95)
    assert [difference["low"], difference["high"]] == pytest.approx(list(test))
    assert difference["value"] == pytest.approx(sum(default) / 3 - sum(winner) / 3)
    assert difference["by"] == "fresh seeds (Welch)"
    assert [side["number"] for side in made["trials"]] == [4, 0]


def test_the_table_holds_values_cost_and_differing_settings(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(study, "4", "1", "baseline") == 0
    shown = capsys.readouterr().out
    rows = {line[:26].strip(): line[26:].split() for line in shown.splitlines()}
    assert rows["val_3DIoU  best epoch"] == ["0.4700", "@3", "0.4300", "@4", "0.3100", "@3"]
    assert rows["train.optim.lr"] == ["0.0009", "0.0012", "6e-5"]
    assert rows["dataset.batch_size"] == ["8", "8", "4"]
    assert rows["peak GPU memory, GiB"] == ["3.25", "-", "-"]
    assert "model.backbone.model_type" not in shown
    assert "0 minus 4: -0.1500, 95 % interval" in shown


def test_the_study_may_stand_behind_its_trials(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(StudyBuilder(study.folder.parent, config("newer"), images=VAL))
    made = compared(study, capsys, "4", "default", "bike-fan")
    assert {side["study"] for side in made["trials"]} == {"bike-fan"}
    assert [side["images"] for side in made["trials"]] == [64, 64]
    assert run(study, "4", "default", "bike-fam") == 2


def test_fresh_seeds_of_two_studies_say_which_is_better(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    other = StudyBuilder(study.folder.parent, config("other"), images=VAL)
    fill(other)
    confirm(other, 4)
    made = compared(study, capsys, "bike-fan:4", "other:default")
    winner, default = (0.44, 0.47, 0.46), (0.30, 0.33, 0.29)
    chance = stats.ttest_ind(default, winner, equal_var=False, alternative="less").pvalue
    assert made["differences"][0]["better"] == pytest.approx(chance)


def test_trials_that_do_not_fit_stand_in_a_further_table_beside_the_first(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    assert run(study, "4", "1", "baseline", "2") == 0
    lines = capsys.readouterr().out.splitlines()
    heads = [lines[i - 1].split() for i, line in enumerate(lines) if line.startswith("─")]
    assert heads == [["4", "1"], ["4", "0", "2"]]
    assert max(map(len, lines)) <= 70


def test_sentences_fit_the_terminal(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert run(study, "4", "1", "baseline") == 0
    told = capsys.readouterr().out.partition("0 minus 4")[2].splitlines()
    assert len(told) > 1
    assert max(map(len, told)) <= 60


def test_settings_that_do_not_differ_are_shown_on_request(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(study, "4", "1", "--all-keys") == 0
    assert "model.backbone.model_type" in capsys.readouterr().out


def test_without_seeds_the_model_of_all_trials_gives_the_interval(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    (difference,) = compared(study, capsys, "4", "3")["differences"]
    assert difference["low"] is None  # trial 3 was stopped early, and has no value to weigh
    (difference,) = compared(study, capsys, "4", "0", "1")["differences"][1:]
    assert difference["low"] < difference["value"] < difference["high"]
    assert 0 < difference["better"] < 1
    assert difference["by"].startswith("what another seed would give")


def other(study: StudyBuilder, name: str = "second", **changes: Any) -> StudyBuilder:
    """A second study beside the first."""
    images = changes.pop("images", VAL)
    builder = StudyBuilder(study.folder.parent, replace(config(name), **changes), images=images)
    fill(builder)
    return builder


def test_trials_of_two_studies_are_compared_where_the_data_is_one(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    other(study)
    made = compared(study, capsys, "bike-fan:4", "second:1")
    assert [side["name"] for side in made["trials"]] == ["4", "second:1"]
    assert made["notes"] == []
    assert made["differences"][0]["by"] == "one seed each, so that there is no interval"


def test_other_training_images_are_said_and_other_validation_images_refused(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    other(study, "more", images={**VAL, "train": {"images": 999}})
    assert run(study, "bike-fan:4", "more:1") == 0
    assert "were trained on different images" in capsys.readouterr().err
    other(study, "moved", images={**VAL, "val": {"images": 3}})
    assert run(study, "bike-fan:4", "moved:1") == 2
    assert "compared on the same validation images" in capsys.readouterr().err


def test_two_metrics_are_refused(study: StudyBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    other(study, "loss", objective=Objective("val_loss", Direction.MINIMIZE, worst=9.0))
    assert run(study, "bike-fan:4", "loss:1") == 2
    assert "trials are compared by one metric" in capsys.readouterr().err


def test_one_trial_is_no_comparison(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(study, "4") == 2
    said = capsys.readouterr().err
    assert "a comparison needs two trials" in said
    assert "4 default" in said


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"sha256": "a", "images": 1}, {"sha256": "a", "images": 1}, True),
        ({"sha256": "a", "images": 1}, {"sha256": "b", "images": 1}, False),
        ({"digest": "a", "images": 1}, {"digest": "b", "images": 1}, False),
        ({"digest": "a"}, {"sha256": "a"}, None),
        ({"images": 1, "objects": 2}, {"images": 1, "objects": 3}, False),
        ({"images": 1, "folder": "/a"}, {"images": 1, "folder": "/b"}, True),
        ({}, {"images": 1}, None),
        ({"folder": "/a"}, {"folder": "/a"}, None),
    ],
)
def test_same_data(one: dict[str, Any], other: dict[str, Any], same: bool | None) -> None:
    assert same_data({"data": {"val": one}}, {"data": {"val": other}}, "val") is same
