"""Where the time went: phases of attempts, waits of slots, energy, costs, the data's part."""

from pathlib import Path

import pandas as pd
import pytest

from automl.reports.energy import energy_of
from automl.reports.loader_hint import loader_hint, used_while_training
from automl.reports.model import Summary
from automl.reports.phases import PhaseName, as_blocks, phases_of, totals_of
from automl.reports.slots import bars_of
from automl.reports.spending import budget_figure
from automl.reports.summary import read_summary
from automl.reports.tables import attempts_frame
from automl.reports.timeline import timeline_figure
from automl.reports.waits import by_cause, waits_of
from automl.reports.write import write_report
from automl.study import attributes
from automl.study.actions import ActionRecord, Origin, write_action
from automl.study.gpu_samples import GpuSample, append_samples
from automl.study.layout import StudyPaths
from automl.study.records import FailureClass, OutcomeState
from tests.unit.reports.study_builder import START, StudyBuilder, Told, config, params

_LOG = """first step after 2.0 s (done after 2.1 s)
epoch 0: train_loss 9.1, 20.0 s, 90.5 images/s, validation 2.00 s

 Validation 3DIoU : 0.1
epoch 1: train_loss 8.2, 10.0 s, 190.5 images/s, validation 1.50 s
epoch 2: train_loss 8.0, 10.0 s, 190.5 images/s, validation 1.50 s
Execution status: PASS
"""


def _one(studies: Path, log: str) -> Summary:
    """A study of one trial: 90 s for three epochs, measured at 30, 60 and 90 s."""
    builder = StudyBuilder(studies)
    builder.add(0, Told(params(), [0.1, 0.2, 0.3], seconds=90))
    builder.paths.attempt(0, 1).log.write_text(log, encoding="utf-8")
    return read_summary(builder.folder)


def _parts(summary: Summary, attempt: int = 1) -> list[tuple[PhaseName, float, float]]:
    phases = phases_of(summary)[0, attempt]
    return [(part.name, part.begin_s, part.length_s) for part in phases.parts]


def test_the_log_of_our_trainer_tells_training_from_validation(studies_dir: Path) -> None:
    summary = _one(studies_dir, _LOG)
    assert _parts(summary) == [
        (PhaseName.START, 0.0, 10.0),
        (PhaseName.TRAINING, 10.0, 18.0),
        (PhaseName.VALIDATION, 28.0, 2.0),
        (PhaseName.TRAINING, 30.0, 28.5),
        (PhaseName.VALIDATION, 58.5, 1.5),
        (PhaseName.TRAINING, 60.0, 28.5),
        (PhaseName.VALIDATION, 88.5, 1.5),
    ]
    assert totals_of(phases_of(summary)) == {
        PhaseName.START: 10.0,
        PhaseName.TRAINING: 75.0,
        PhaseName.VALIDATION: 5.0,
    }


def test_without_such_a_log_validation_is_part_of_training(studies_dir: Path) -> None:
    summary = _one(studies_dir, "another trainer\n")
    assert _parts(summary) == [(PhaseName.TRAINING, 0.0, 90.0)]


def test_an_attempt_without_an_epoch_never_got_beyond_its_start(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    told = Told(params(), (), OutcomeState.FAILED, FailureClass.OOM, "oom", seconds=12)
    builder.add(0, told)
    assert _parts(read_summary(builder.folder)) == [(PhaseName.START, 0.0, 12.0)]


def test_phases_fill_their_attempt_and_stand_below_its_bar(full_study: Path) -> None:
    summary = read_summary(full_study)
    phases = phases_of(summary)
    for trial in summary.trials:
        for outcome in trial.attempts:
            parts = phases[trial.number, outcome.attempt].parts
            assert sum(part.length_s for part in parts) == pytest.approx(outcome.seconds)
    bars = bars_of(summary)
    figure = timeline_figure(summary, phases, waits_of(summary, bars))
    assert figure is not None
    strip = next(trace for trace in figure.plot.data if trace.name == "training")
    numbers = {bar.number for bar in bars if bar.outcome.measurements}
    assert {data[0] for data in strip.customdata} == numbers
    assert all(y == pytest.approx(round(y) - 0.3) for y in strip.y)


def _told(begin: float, seconds: float, source: str = attributes.SOURCE_SAMPLER) -> Told:
    confirms = 0 if source != attributes.SOURCE_SAMPLER else None
    return Told(params(), [0.1], begin_s=begin, seconds=seconds, source=source, confirms=confirms)


def test_a_wait_has_its_cause(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, _told(0, 100))  # slot 0
    builder.add(1, _told(0, 40))  # slot 1, then the race needs trial 0 as well
    builder.add(2, _told(100, 20, attributes.SOURCE_RACE))
    builder.add(3, _told(100, 60, attributes.SOURCE_RACE))
    builder.add(4, _told(400, 10, attributes.SOURCE_CONFIRM))
    action = builder.paths.actions / "evaluate-1"
    action.mkdir(parents=True)
    began = START.replace(minute=START.minute + 3).isoformat()
    origin = Origin("/x.pth", "0" * 64, "0" * 64, 0)
    record = ActionRecord("evaluate", False, "process", True, 0, "", origin, seconds=200.0,
                          started_at=began)  # fmt: skip
    write_action(action, record)
    summary = read_summary(builder.folder)
    waits = waits_of(summary, bars_of(summary))
    assert [(w.slot, w.begin_s, w.length_s, w.cause) for w in waits] == [
        (0, 120.0, 280.0, "evaluations of checkpoints"),
        (1, 40.0, 60.0, "what follows needs the trials beside it"),
        (1, 160.0, 250.0, "evaluations of checkpoints"),
    ]
    assert [(total.n, total.seconds) for total in by_cause(waits)] == [(2, 530.0), (1, 60.0)]


def _power(times: list[float], watts: float, gpu: str = "GPU-0") -> list[GpuSample]:
    start = START.timestamp()
    return [GpuSample(start + t, gpu, 0, 40.0, 1 << 30, watts + t) for t in times]


def test_energy_is_the_area_below_the_power() -> None:
    # 100 W rising by 1 W a second over 60 s: 60 * 130 J; the gap of 940 s counts as nothing.
    samples = _power([0.0, 20.0, 60.0, 1000.0], 100.0)
    found = energy_of(samples)
    assert found is not None
    assert found.kwh == pytest.approx(60 * 130 / 3.6e6)
    assert (found.seconds, found.n_samples, found.n_gpus) == (60.0, 4, 1)
    assert "trapezoid" in found.said
    twice = energy_of([*samples, *_power([0.0, 20.0, 60.0], 100.0, "GPU-1")])
    assert twice is not None
    assert twice.kwh == pytest.approx(2 * found.kwh)
    assert energy_of(_power([0.0, 5.0], float("nan"))) is None


def test_low_use_while_training_hints_at_the_data(studies_dir: Path) -> None:
    summary = _one(studies_dir, _LOG)
    phases = phases_of(summary)
    samples = _power([float(t) for t in range(-21, 119, 4)], 100.0)
    used = used_while_training(summary, phases, samples)
    # Of 22 samples within the attempt three fall into its start and a validation.
    assert len(used) == 19
    assert "40 %" in loader_hint(summary, phases, samples)
    assert "waited for their data" in loader_hint(summary, phases, samples)
    assert loader_hint(summary, phases, samples[:6]) == ""
    assert used_while_training(summary, phases, [*samples, *_power([40.0], 1.0, "GPU-1")]) == []


def test_a_cost_is_said_where_a_price_is_known(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir, config(price_per_gpu_hour=3.0))
    builder.add(0, Told(params(), [0.1], seconds=1800, gpus=2))
    summary = read_summary(builder.folder)
    assert summary.spent.cost == pytest.approx(3.0)
    assert "cost 3.00 (1 GPU-h at 3 a GPU-hour)" in list(summary.spent.lines())
    figure = budget_figure(summary)
    assert figure is not None
    assert figure.plot.data[0].name == "complete (3.00)"
    write_report(builder.folder, price=4.5)
    page = (builder.folder / "report" / "index.html").read_text(encoding="utf-8")
    assert "Cost 4.50 (1 GPU-h at 4.5 a GPU-hour)." in page


def test_nobody_is_told_a_cost_without_a_price(full_study: Path) -> None:
    assert not any("cost" in line for line in read_summary(full_study).spent.lines())


def test_attempts_have_a_table_and_samples_lie_beside_it(full_study: Path) -> None:
    summary = read_summary(full_study)
    frame = attempts_frame(summary)
    assert list(zip(frame["number"], frame["attempt"], strict=True))[6:8] == [(6, 1), (6, 2)]
    assert frame["state"][2] == "failed"
    assert frame["failure"].isna().sum() == len(frame) - 2
    append_samples(StudyPaths(full_study), _power([0.0], 1.0))
    names = {path.name for path in write_report(full_study)}
    assert {"attempts.parquet", "gpu.parquet"} <= names
    assert pd.read_parquet(full_study / "report" / "attempts.parquet").equals(frame)
    copies = {(each / "gpu.parquet").read_bytes() for each in (full_study, full_study / "report")}
    assert len(copies) == 1


def test_epochs_too_short_to_be_told_apart_are_one_block(studies_dir: Path) -> None:
    parts = phases_of(_one(studies_dir, _LOG))[0, 1].parts
    assert as_blocks(parts, 1.0) == parts
    blocks = as_blocks(parts, 20.0)
    assert [(block.name, block.begin_s, block.length_s) for block in blocks] == [
        (PhaseName.START, 0.0, 10.0),
        (PhaseName.TRAINING, 10.0, 75.0),
        (PhaseName.VALIDATION, 85.0, 5.0),
    ]
