"""Views of the space and the machine: maps, parallel axes, memory, throughput, GPUs, details."""

from pathlib import Path

import numpy as np
import pytest

from automl.reports.axes import axis_of, is_doubling, share_on
from automl.reports.details import details_of
from automl.reports.figures import figures_of
from automl.reports.gpu_strips import gpu_figure, idle_of, missing_samples
from automl.reports.html import render_html
from automl.reports.landscape import landscape_of
from automl.reports.log_tail import last_lines, without_secrets
from automl.reports.memory import memory_figure
from automl.reports.model import Summary
from automl.reports.summary import read_summary
from automl.reports.throughput import pace_of, throughput_figure
from automl.reports.trial_table import confirmation_rows, searched_rows
from automl.skill.keys import NetworkKeys
from automl.space.distributions import Choice, FloatRange
from automl.space.parameter import Parameter
from automl.study.gpu_samples import GpuSample
from automl.study.limits import Limits
from automl.study.records import FailureClass, OutcomeState
from tests.unit.reports.study_builder import (
    START,
    StudyBuilder,
    Told,
    config,
    confirm,
    fill,
    many,
    params,
)

_KEYS = NetworkKeys(epochs="train.num_epochs", batch_sizes=("dataset.batch_size",))


@pytest.fixture(scope="module")
def long_summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    studies = tmp_path_factory.mktemp("views")
    builder = StudyBuilder(
        studies,
        config(limits=Limits(trials=30), keys=_KEYS),
        images={"train": {"images": 360}, "val": {"images": 40}},
    )
    many(builder, 30)
    return read_summary(builder.folder)


def test_the_map_finds_the_hill(long_summary: Summary) -> None:
    found = landscape_of(long_summary)
    assert found is not None
    names = [found.parameters[i].key for i in found.order]
    assert names[0] == "train.optim.lr"
    shares = np.linspace(0, 1, 31)
    expected = found.expected([found.at_winner({found.order[0]: x}) for x in shares])
    # The best rate is 1e-3: two of the three decades from 1e-5 to 1e-2.
    assert abs(shares[int(np.argmax(expected))] - 2 / 3) < 0.12


def test_too_few_trials_have_no_map(full_study: Path) -> None:
    assert landscape_of(read_summary(full_study)) is None


def test_an_axis_knows_words_and_doublings() -> None:
    sizes = Parameter("b", "int", Choice((8, 16, 32), is_ordered=True), 8)
    assert is_doubling(sizes)
    assert axis_of(sizes)["type"] == "log"
    assert share_on(16, sizes) == pytest.approx(0.5)
    words = Parameter("w", "bool", Choice((False, True)), False)
    assert axis_of(words)["categoryarray"] == ["false", "true"]
    assert share_on(True, words) == 1.0
    rate = Parameter("r", "float", FloatRange(0.1, 0.5), 0.2)
    assert not is_doubling(rate)
    assert axis_of(rate)["type"] == "linear"


def test_every_line_of_the_parallel_view_ends_at_its_objective(long_summary: Summary) -> None:
    plot = figures_of(long_summary).by_name["parallel"].plot
    numbers = {n for trace in plot.data if trace.customdata is not None for n in trace.customdata}
    assert numbers == {t.number for t in long_summary.trials if t.record.is_usable}
    winner = plot.data[-2]
    assert long_summary.winner is not None
    assert set(winner.customdata) == {long_summary.winner.number}
    assert winner.y[-2] == 1.0


def test_the_memory_frontier_shows_what_fitted_and_what_did_not(long_summary: Summary) -> None:
    figure = memory_figure(long_summary)
    assert figure is not None
    by_name = {trace.name.partition(" (")[0]: trace for trace in figure.plot.data if trace.name}
    failed = [t for t in long_summary.trials if t.record.failure is FailureClass.OOM]
    least = min(int(str(t.record.params["dataset.batch_size"])) for t in failed)
    assert sorted(by_name["out of memory"].customdata) == [t.number for t in failed]
    assert f"── {least} ──" in [t.text[0] for t in figure.plot.data if t.mode == "text"]
    assert list(figure.plot.layout.yaxis.tickvals) == [1, 2, 4, 8, 16]


def test_throughput_counts_images(long_summary: Summary) -> None:
    trial = long_summary.trials[0]
    assert pace_of(trial) == pytest.approx(3.6)
    figure = throughput_figure(long_summary)
    assert figure is not None
    at = list(figure.plot.data[0].customdata).index(0)
    assert figure.plot.data[0].y[at] == pytest.approx(100.0)
    assert figure.plot.layout.yaxis.title.text == "images a second"


def _samples(busy: range) -> list[GpuSample]:
    start = START.timestamp()
    return [
        GpuSample(start + t, "GPU-0", 0, 80.0 if t in busy else 1.0, 1 << 30)
        for t in range(-10, 120, 10)
    ]


def test_idle_time_has_its_causes(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.1], begin_s=0, seconds=30))
    builder.add(1, Told(params(1e-3), [0.2], begin_s=60, seconds=30))
    summary = read_summary(builder.folder)
    samples = _samples(range(10, 30))
    (idle,) = idle_of(summary, samples)
    assert idle.seconds == 120
    assert idle.idle_s == 100
    assert idle.causes["before the first trial"] == 10
    assert idle.causes["between trials"] == 20
    assert idle.causes["after the last trial"] == 10
    assert sum(idle.causes.values()) == idle.idle_s
    figure = gpu_figure(summary, samples)
    assert figure is not None
    assert [trace.name for trace in figure.plot.data][1:] == ["GPU 0"] * 3
    assert gpu_figure(summary, []) is None
    assert "CPU" in missing_samples(summary)


def test_a_trial_is_shown_with_its_log_spec_and_changes(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    fill(builder)
    log = builder.paths.attempt(5, 1).log
    lines = [f"line {i}" for i in range(50)]
    log.write_text("\n".join([*lines, "password: hunter2hunter2"]), encoding="utf-8")
    detail = details_of(read_summary(builder.folder))[5]
    assert detail.log == "trials/0005/1/log.txt"
    assert "line 49" in detail.tail
    assert "line 3\n" not in detail.tail
    assert "hunter2" not in detail.tail
    assert [change.key for change in detail.changes] == ["train.optim.lr"]
    assert "num_epochs" in detail.spec_text


def test_a_page_has_room_for_failures_first(
    studies_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = StudyBuilder(studies_dir)
    fill(builder)
    monkeypatch.setattr("automl.reports.details.BUDGET", 60)
    details = details_of(read_summary(builder.folder))
    shown = [number for number, detail in details.items() if detail.spec_text]
    assert shown == [2, 5]
    assert details[4].spec
    assert details[4].is_cut
    assert list(details) == list(range(8))
    page = render_html(read_summary(builder.folder)).decode()
    assert "The page has room for the last log lines and specs of 2 of 8 trials: failures" in page
    assert page.count("The page has no room for it; it is in ") == 6


def test_after_failures_winner_and_default_the_best_have_room(
    studies_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = StudyBuilder(studies_dir)
    fill(builder)
    # A spec has 24 characters.
    monkeypatch.setattr("automl.reports.details.BUDGET", 24 * 5)
    details = details_of(read_summary(builder.folder))
    assert [number for number, detail in details.items() if not detail.is_cut] == [0, 1, 2, 4, 5]


def test_nothing_is_said_of_room_where_there_is_enough(full_study: Path) -> None:
    page = render_html(read_summary(full_study)).decode()
    assert "has room" not in page
    assert "no room" not in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("WANDB_API_KEY=0123456789abcdef", "WANDB_API_KEY=************"),
        ('"password": "longenough"', '"password": "**********"'),
        ("Authorization: Bearer abcdefghijk", "Authorization: Bearer ***********"),
        ("s3://user:topsecret@host/x", "s3://user:*********@host/x"),
        ("token 3 of 7, loss: 0.123456", "token 3 of 7, loss: 0.123456"),
    ],
)
def test_secrets_become_stars(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


def test_of_a_progress_bar_the_last_state_is_shown(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_bytes(b"start\n 10%\r 50%\r100%\r\nend\n\n")
    assert last_lines(log, 2) == ("100%", "end")


def test_rows_stand_by_score_and_confirmations_apart(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    fill(builder)
    confirm(builder, 4)
    builder.add(14, Told(params(), [0.3], state=None))
    summary = read_summary(builder.folder)
    details = details_of(summary)
    rows = searched_rows(summary, details)
    assert [row.number for row in rows] == [4, 1, 7, 6, 0, 2, 3, 5, 14]
    by_number = {row.number: row for row in rows}
    assert by_number[0].changes == "the default"
    assert by_number[1].changes == "lr 0.0012, batch_size 8"
    assert by_number[3].score.value == ""
    assert by_number[3].score.text == "0.0100"
    assert by_number[14].word == "cut short"
    assert by_number[2].word == "oom"
    assert [(row.number, row.of) for row in confirmation_rows(summary, details)] == [
        *((8, 0), (9, 4), (10, 0), (11, 4), (12, 0), (13, 4))
    ]


def test_a_pruned_trial_is_no_failure(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.1], OutcomeState.PRUNED, evidence="rung 1"))
    summary = read_summary(builder.folder)
    (row,) = searched_rows(summary, details_of(summary))
    assert (row.word, row.note) == ("pruned", "rung 1")
