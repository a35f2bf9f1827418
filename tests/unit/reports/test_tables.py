"""The tables for other programs: names, order and types of their columns."""

import csv
import io
from pathlib import Path

import pandas as pd
import pytest

from automl.reports.summary import read_summary
from automl.reports.tables import epochs_frame, trials_csv, trials_frame
from automl.space.distributions import Choice
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study.records import FailureClass, OutcomeState
from tests.unit.reports.study_builder import StudyBuilder, Told, confirm, fill, params

_COLUMNS = [
    "number",
    "state",
    "metric.val_3DIoU",
    "param.train.optim.lr",
    "param.dataset.batch_size",
    "param.model.backbone.model_type",
    "best_epoch",
    "last_value",
    "seconds",
    "gpu_seconds",
    "attempts",
    "failure",
    "evidence",
    "source",
    "confirms",
    "seed",
    "checkpoint",
]


def test_csv_has_one_row_a_trial_and_the_documented_columns(full_study: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(trials_csv(read_summary(full_study)).decode())))
    assert list(rows[0]) == _COLUMNS
    assert [row["number"] for row in rows] == [str(number) for number in range(8)]
    assert rows[4]["metric.val_3DIoU"] == "0.47"
    assert rows[4]["best_epoch"] == "3"
    assert rows[4]["last_value"] == "0.452"
    assert rows[2]["failure"] == "oom"
    assert rows[2]["metric.val_3DIoU"] == ""
    assert rows[0]["source"] == "default"
    assert rows[6]["attempts"] == "2"


def test_the_seed_of_every_trial_stands_in_the_files(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir, base_spec={"train": {"seed": 1234}})
    fill(builder)
    confirm(builder, 4, n=2)
    summary = read_summary(builder.folder)
    seeds = [*[1234] * 8, 104, 104, 105, 105]
    assert list(trials_frame(summary)["seed"]) == seeds
    assert [trial["seed"] for trial in summary.to_json()["trials"]] == seeds


def test_a_seed_that_was_searched_is_the_trials_own(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir, base_spec={"train": {"seed": 1234}})
    builder.add(0, Told({**params(), "train.seed": 9}, [0.1]))
    assert read_summary(builder.folder).trials[0].seed == 9


def test_parquet_keeps_types_and_numbers(full_study: Path, tmp_path: Path) -> None:
    frame = trials_frame(read_summary(full_study))
    frame.to_parquet(tmp_path / "trials.parquet", index=False)
    back = pd.read_parquet(tmp_path / "trials.parquet")
    assert list(back.columns) == _COLUMNS
    assert pd.api.types.is_integer_dtype(back["number"])
    assert pd.api.types.is_float_dtype(back["param.train.optim.lr"])
    assert pd.api.types.is_integer_dtype(back["param.dataset.batch_size"])
    assert back["param.train.optim.lr"].iloc[4] == 9e-4


def test_types_do_not_depend_on_which_trials_there_are(studies_dir: Path) -> None:
    empty = StudyBuilder(studies_dir)
    frame = trials_frame(read_summary(empty.folder))
    assert list(frame.columns) == _COLUMNS
    assert len(frame) == 0
    assert str(frame["param.train.optim.lr"].dtype) == "Float64"


@pytest.mark.parametrize(
    ("choices", "tried", "dtype"),
    [
        ((True, False), True, "boolean"),
        ((4, 8), 8, "Int64"),
        ((4, 0.5), 4, "Float64"),
        (("a", 1, None), 1, "string"),
        (([1, 2], [3]), [3], "string"),
    ],
)
def test_a_choice_takes_the_narrowest_type_of_its_values(
    studies_dir: Path, choices: tuple[object, ...], tried: object, dtype: str
) -> None:
    parameter = Parameter("a.b", "categorical", Choice(choices))  # type: ignore[arg-type]
    builder = StudyBuilder(studies_dir, space=SearchSpace((parameter,)))
    builder.add(0, Told({"a.b": tried}, [0.1]))  # type: ignore[dict-item]
    frame = trials_frame(read_summary(builder.folder))
    assert str(frame["param.a.b"].dtype) == dtype


def test_epochs_have_every_metric_the_objective_first(full_study: Path) -> None:
    frame = epochs_frame(read_summary(full_study))
    assert list(frame.columns) == [
        "number",
        "epoch",
        "metric.val_3DIoU",
        "metric.val_2DMPE",
        "elapsed_s",
    ]
    winner = frame[frame["number"] == 4]
    assert winner["metric.val_3DIoU"].tolist() == [0.0, 0.25, 0.4, 0.47, 0.452]
    assert winner["elapsed_s"].tolist() == [12, 24, 36, 48, 60]


def test_an_unfound_objective_leaves_the_metrics_that_there_were(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told({}, (), OutcomeState.FAILED, FailureClass.NO_METRIC, "no val_3DIoU"))
    frame = epochs_frame(read_summary(builder.folder))
    assert len(frame) == 0


def test_csv_survives_awkward_text(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    evidence = 'said "no", then\tleft; größe 5 µm'
    builder.add(0, Told({}, (), OutcomeState.FAILED, FailureClass.UNKNOWN, evidence))
    rows = list(csv.DictReader(io.StringIO(trials_csv(read_summary(builder.folder)).decode())))
    assert rows[0]["evidence"] == evidence
