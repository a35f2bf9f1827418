"""What every source of metrics must do: follow what grows, and hand out each epoch's metric."""

import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from automl.skill.metric_source import MetricSource, SourceKind
from automl.study.layout import AttemptPaths
from automl.trainers.contract import EVAL_METRICS, TRAINING_LOOP, Status, StatusLine
from automl.trainers.metrics import growing
from automl.trainers.metrics.reading import EpochReading
from automl.trainers.metrics.table import SOURCES, history_of, make_reader
from tests.event_file import scalar

METRIC = "val_acc"
VALUES = (0.25, 0.5, 0.75)

Write = Callable[[AttemptPaths, int, float], None]


def _append(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def write_status(at: AttemptPaths, epoch: int, value: float) -> None:
    now = datetime(2026, 11, 29, 22, 0, epoch)  # noqa: DTZ001 -- as the container writes it
    lines = (
        StatusLine(Status.RUNNING, EVAL_METRICS, {}, {METRIC: str(value)}),
        StatusLine(Status.RUNNING, TRAINING_LOOP, {"epoch": epoch}),
    )
    _append(at.folder / "status.json", "".join(f"{line.to_json(now)}\n" for line in lines))


def write_json_lines(at: AttemptPaths, epoch: int, value: float) -> None:
    _append(at.folder / "metrics.jsonl", json.dumps({"epoch": epoch, METRIC: value}) + "\n")


def write_json_anew(at: AttemptPaths, epoch: int, value: float) -> None:
    row = {"epoch": epoch, "metrics": {METRIC: value, "n": 3}}
    (at.folder / "out.json").write_text(json.dumps(row), encoding="utf-8")


def write_lightning(at: AttemptPaths, epoch: int, value: float) -> None:
    path = at.folder / "lightning_logs" / "version_0" / "metrics.csv"
    if not path.exists():
        _append(path, f"epoch,step,train_loss,{METRIC}\n")
    _append(path, f"{epoch},{epoch * 10},0.5,\n{epoch},{epoch * 10 + 9},,{value}\n")


def write_ultralytics(at: AttemptPaths, epoch: int, value: float) -> None:
    path = at.folder / "results.csv"
    if not path.exists():
        _append(path, f"                  epoch,         train/box_loss,   {METRIC}\n")
    _append(path, f"                      {epoch + 1},        1.2034,   {value}\n")


def write_log(at: AttemptPaths, epoch: int, value: float) -> None:
    _append(at.log, f"Epoch {epoch + 1}/3\nsome words\r 10%\r100%\n  {METRIC}: {value}\n")


def write_pattern(at: AttemptPaths, epoch: int, value: float) -> None:
    _append(at.log, f"[{epoch:03d}] accuracy {value} (best)\n")


def write_scalars(at: AttemptPaths, epoch: int, value: float) -> None:
    path = at.folder / "runs" / "events.out.tfevents.1764.host"
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as file:
        for name, number in (("loss", 1.0), (METRIC, value), ("epoch", float(epoch))):
            file.write(scalar(name, number, 100 * epoch + 99))


def write_scalars_alone(at: AttemptPaths, epoch: int, value: float) -> None:
    with (at.folder / "events.out.tfevents.1").open("ab") as file:
        file.write(scalar("loss", 1.0, 100 * epoch + 50) + scalar(METRIC, value, 100 * epoch + 99))


PATTERN = r"\[(?P<epoch>\d+)\] accuracy (?P<value>[0-9.]+)"
CASES: dict[str, tuple[MetricSource, Write]] = {
    "status": (MetricSource(), write_status),
    "json lines": (MetricSource(SourceKind.JSON), write_json_lines),
    "json anew": (
        MetricSource(
            SourceKind.JSON, "out.json", keys={METRIC: f"metrics.{METRIC}"}, first_epoch=0
        ),
        write_json_anew,
    ),
    "lightning": (MetricSource(SourceKind.CSV), write_lightning),
    "ultralytics": (MetricSource(SourceKind.CSV), write_ultralytics),
    "log": (MetricSource(SourceKind.LOG), write_log),
    "pattern": (MetricSource(SourceKind.LOG, pattern=PATTERN), write_pattern),
    "tensorboard": (MetricSource(SourceKind.TENSORBOARD), write_scalars),
    "tensorboard, no epochs": (MetricSource(SourceKind.TENSORBOARD), write_scalars_alone),
    "auto: status": (MetricSource(SourceKind.AUTO), write_status),
    "auto: lightning": (MetricSource(SourceKind.AUTO), write_lightning),
    "auto: log": (MetricSource(SourceKind.AUTO), write_log),
}


def values_of(readings: list[EpochReading]) -> dict[int, float]:
    return {r.epoch: r.validation[METRIC] for r in readings if r.measures(METRIC)}


@pytest.fixture(autouse=True)
def _always_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders are looked through at every call."""
    monkeypatch.setattr(growing, "LOOK_EVERY_S", 0.0)


@pytest.fixture
def attempt(tmp_path: Path) -> AttemptPaths:
    folder = tmp_path / "1"
    folder.mkdir()
    return AttemptPaths(folder)


def test_every_source_is_tested() -> None:
    kinds = {source.kind for source, _ in CASES.values()}
    assert kinds == SOURCES.keys() - {SourceKind.COMMAND}


@pytest.mark.parametrize("name", CASES)
class TestEverySource:
    def test_hands_out_each_epoch_once_and_in_order(
        self, name: str, attempt: AttemptPaths
    ) -> None:
        source, write = CASES[name]
        reader = make_reader(source, attempt, METRIC)
        assert reader.read() == []
        found: list[EpochReading] = []
        for epoch, value in enumerate(VALUES):
            write(attempt, epoch, value)
            found += [r for r in reader.read() if r.measures(METRIC)]
            assert values_of(found) == dict(list(enumerate(VALUES))[: len(found)])
        found += [r for r in reader.read(final=True) if r.measures(METRIC)]
        assert [r.epoch for r in found] == [0, 1, 2]
        assert values_of(found) == dict(enumerate(VALUES))

    def test_says_what_it_found_and_where(self, name: str, attempt: AttemptPaths) -> None:
        source, write = CASES[name]
        reader = make_reader(source, attempt, METRIC)
        write(attempt, 0, 0.25)
        reader.read(final=True)
        said = reader.said()
        assert METRIC in said.metrics
        assert said.where in {
            "status.json", "metrics.jsonl", "out.json", "metrics.csv", "results.csv", "log.txt",
            "events.out.tfevents.1764.host", "events.out.tfevents.1",
        }  # fmt: skip

    def test_what_is_half_written_waits(self, name: str, attempt: AttemptPaths) -> None:
        source, write = CASES[name]
        reader = make_reader(source, attempt, METRIC)
        write(attempt, 0, 0.25)
        (path,) = [p for p in attempt.folder.rglob("*") if p.is_file()]
        whole = path.read_bytes()
        path.write_bytes(whole[:-3])
        reader.read()
        path.write_bytes(whole)
        assert values_of(reader.read() + reader.read(final=True)) == {0: 0.25}

    def test_a_link_is_not_followed(self, name: str, attempt: AttemptPaths) -> None:
        source, write = CASES[name]
        elsewhere = AttemptPaths(attempt.folder.parent / "2")
        elsewhere.folder.mkdir()
        write(elsewhere, 0, 0.25)
        (path,) = [p for p in elsewhere.folder.rglob("*") if p.is_file()]
        link = attempt.folder / path.relative_to(elsewhere.folder)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
        assert make_reader(source, attempt, METRIC).read(final=True) == []

    def test_a_dead_attempt_keeps_its_history(self, name: str, attempt: AttemptPaths) -> None:
        source, write = CASES[name]
        for epoch, value in enumerate(VALUES):
            write(attempt, epoch, value)
        history = history_of(source, attempt, METRIC, 5.0)
        known = {each.epoch: each.metrics[METRIC] for each in history}
        assert known.items() <= dict(enumerate(VALUES)).items()
        assert len(known) >= (1 if name == "json anew" else len(VALUES) - 1)
        assert all(each.elapsed_s >= 5.0 for each in history)


def command(text: str) -> MetricSource:
    return MetricSource(SourceKind.COMMAND, command=text)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ('{"val_acc": 0.5, "n": 3}', {0: 0.5}),
        ('{"val_acc": "0.5"}', {0: 0.5}),
        ('[{"epoch": 1, "val_acc": 0.1}, {"epoch": 2, "val_acc": 0.2}]', {0: 0.1, 1: 0.2}),
        ('{"val_acc": [0.1, 0.2]}', {0: 0.1, 1: 0.2}),
        ("{}", {}),
    ],
)
def test_a_command_is_asked_once_and_at_the_end(
    attempt: AttemptPaths, printed: str, expected: dict[int, float]
) -> None:
    asked = attempt.folder / "asked"
    script = attempt.folder.parent / "score it.py"
    code = f"import sys; open(sys.argv[1] + '/asked', 'a').write('x'); print({printed!r})"
    script.write_text(code, encoding="utf-8")
    source = command(f"{sys.executable} '{script}' {{results_dir}}")
    reader = make_reader(source, attempt, METRIC)
    assert reader.read() == []
    assert not asked.exists()
    assert values_of(reader.read(final=True)) == expected
    assert reader.read(final=True) == []
    assert asked.read_text() == "x"
    assert history_of(source, attempt, METRIC) == ()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("print('no json')", "must print JSON, but printed no json"),
        ("raise SystemExit('broken here')", "exit code 1: broken here"),
    ],
)
def test_a_command_that_fails_says_why(attempt: AttemptPaths, code: str, words: str) -> None:
    reader = make_reader(command(f'{sys.executable} -c "{code}"'), attempt, METRIC)
    assert reader.read(final=True) == []
    assert words in reader.said().note
    missing = make_reader(command("no-such-program"), attempt, METRIC)
    assert missing.read(final=True) == []
    assert "could not be run" in missing.said().note


def test_no_shell_reads_a_command(attempt: AttemptPaths) -> None:
    code = "import sys, json; print(json.dumps({'val_acc': len(sys.argv)}))"
    source = command(f'{sys.executable} -c "{code}" $HOME "; touch x" `y`')
    assert values_of(make_reader(source, attempt, METRIC).read(final=True)) == {0: 4.0}
    assert not (attempt.folder / "x").exists()


class TestOneMeasurement:
    """Trainings that name no epoch."""

    @pytest.mark.parametrize("kind", [SourceKind.JSON, SourceKind.AUTO])
    def test_an_object_without_an_epoch_counts_at_the_end(
        self, attempt: AttemptPaths, kind: SourceKind
    ) -> None:
        reader = make_reader(MetricSource(kind), attempt, METRIC)
        path = attempt.folder / "metrics.json"
        path.write_text(json.dumps({METRIC: 0.1}), encoding="utf-8")
        assert reader.read() == []
        path.write_text(json.dumps({METRIC: 0.9, "best": {"f1": 0.8}}), encoding="utf-8")
        assert values_of(reader.read(final=True)) == {0: 0.9}
        assert reader.said().metrics >= {METRIC, "best.f1"}

    def test_the_last_value_of_a_log_counts(self, attempt: AttemptPaths) -> None:
        reader = make_reader(MetricSource(SourceKind.LOG), attempt, "accuracy")
        attempt.log.write_text("accuracy: 0.1\nval_accuracy: 0.3\naccuracy = 9.7e-1\n")
        assert reader.read() == []
        (reading,) = reader.read(final=True)
        assert reading.validation == {"accuracy": 0.97}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("accuracy: 0.97", 0.97),
        ("'accuracy': 0.97,", 0.97),
        ("Accuracy=1", 1.0),
        ("accuracy : 1e-3 done", 1e-3),
        ("accuracy: nan", None),
        ("accuracy of 0.97", None),
        ("val_accuracy: 0.97", None),
        ("accuracy: 0.97abc", None),
    ],
)
def test_our_own_pattern(attempt: AttemptPaths, text: str, value: float | None) -> None:
    attempt.log.write_text(f"{text}\n")
    reader = make_reader(MetricSource(SourceKind.LOG), attempt, "accuracy")
    found: list[Any] = [r.finite.get("accuracy") for r in reader.read(final=True)]
    assert [number for number in found if number is not None] == ([value] if value else [])
