"""Each mirror read back with the library of its tracker."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from automl.cli.main import main
from automl.errors import InstallExtra
from automl.reports.mirrors.model import runs_of
from automl.reports.mirrors.table import MIRRORS, mirror_study
from automl.reports.summary import read_summary
from automl.study.records import OutcomeState
from tests.unit.reports.study_builder import StudyBuilder, Told, fill, params

#: A tracker's store is made, and its library imported.
pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def study(studies_dir: Path) -> StudyBuilder:
    """A typical search with a report."""
    builder = StudyBuilder(studies_dir)
    fill(builder)
    builder.paths.report.mkdir()
    (builder.paths.report / "summary.md").write_text("# a report\n")
    return builder


@pytest.fixture
def _quiet_libraries() -> Iterator[None]:
    """Warnings of a tracker's library are its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def test_runs_hold_the_whole_study(study: StudyBuilder) -> None:
    parent, *trials = runs_of(read_summary(study.folder))
    assert [run.name for run in trials] == [f"trial-{number:04d}" for number in range(8)]
    assert parent.result["best"] == 0.47
    assert [path.name for path in parent.files] == ["summary.md"]
    assert trials[4].params == params(9e-4, 8)
    assert [point.metrics["val_3DIoU"] for point in trials[4].points] == [
        0.0, 0.25, 0.4, 0.47, 0.452,
    ]  # fmt: skip
    states = [run.state for run in trials]
    assert states[2:4] == ["failed", "stopped"]
    assert len({run.key for run in (parent, *trials)}) == 9


def test_what_has_not_changed_has_the_same_digest(study: StudyBuilder) -> None:
    before = [run.digest for run in runs_of(read_summary(study.folder))]
    assert [run.digest for run in runs_of(read_summary(study.folder))] == before
    study.add(8, Told(params(5e-4), [0.2, 0.5], OutcomeState.OK))
    after = [run.digest for run in runs_of(read_summary(study.folder))]
    assert after[1:9] == before[1:]
    assert after[0] != before[0]


@pytest.mark.slow
@pytest.mark.usefixtures("_quiet_libraries")
class TestMlflow:
    def runs(self, study: StudyBuilder) -> dict[str, Any]:
        from mlflow.tracking import MlflowClient

        place = study.folder / "mirrors" / "mlflow"
        client = MlflowClient(tracking_uri=f"sqlite:///{place / 'mlflow.db'}")
        experiment = client.get_experiment_by_name("bike-fan")
        assert experiment is not None
        found = client.search_runs([experiment.experiment_id])
        self.client = client
        return {run.info.run_name: run for run in found}

    def test_runs_metrics_settings_and_files_are_there_once(self, study: StudyBuilder) -> None:
        pytest.importorskip("mlflow", reason="the extra mlflow")
        assert mirror_study(study.paths, "mlflow")[0] == 9
        assert mirror_study(study.paths, "mlflow")[0] == 0
        runs = self.runs(study)
        parent, winner = runs["bike-fan"], runs["trial-0004"]
        assert len(runs) == 9
        assert winner.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert winner.data.params["dataset.batch_size"] == "8"
        assert (winner.info.status, runs["trial-0002"].info.status) == ("FINISHED", "FAILED")
        history = self.client.get_metric_history(winner.info.run_id, "val_3DIoU")
        assert sorted((each.step, each.value) for each in history) == [
            (0, 0.0), (1, 0.25), (2, 0.4), (3, 0.47), (4, 0.452),
        ]  # fmt: skip
        assert parent.data.metrics["best"] == 0.47
        (folder,) = self.client.list_artifacts(parent.info.run_id)
        (file,) = self.client.list_artifacts(parent.info.run_id, folder.path)
        assert file.path == "report/summary.md"
        # Told again from the start, it is the same; a further trial is one further run.
        (study.folder / "mirrors" / "mlflow.json").unlink()
        study.add(8, Told(params(5e-4), [0.2, 0.5], OutcomeState.OK))
        assert mirror_study(study.paths, "mlflow")[0] == 10
        again = self.runs(study)
        assert len(again) == 10
        assert again["trial-0004"].info.run_id == winner.info.run_id
        assert len(self.client.get_metric_history(winner.info.run_id, "val_3DIoU")) == 5


@pytest.mark.usefixtures("_quiet_libraries")
class TestTensorboard:
    def test_metrics_by_epoch_and_settings_are_there_once(self, study: StudyBuilder) -> None:
        pytest.importorskip("tensorboardX", reason="the extra tensorboard")
        for expected in (9, 0):
            assert mirror_study(study.paths, "tensorboard")[0] == expected
        (study.folder / "mirrors" / "tensorboard.json").unlink()
        assert mirror_study(study.paths, "tensorboard")[0] == 9
        root = study.folder / "mirrors" / "tensorboard" / "bike-fan"
        assert len(list(root.iterdir())) == 9
        from tensorboardX.proto.event_pb2 import Event

        events = [Event.FromString(record) for record in records(root / "trial-0004")]
        values = [(value.tag, event.step, round(value.simple_value, 4))
                  for event in events for value in event.summary.value]  # fmt: skip
        curve = [value for value in values if value[0] == "val_3DIoU"]
        assert curve == [("val_3DIoU", epoch, value) for epoch, value in
                         enumerate((0.0, 0.25, 0.4, 0.47, 0.452))]  # fmt: skip
        assert ("result/best", 0, 0.47) in values
        assert any(tag.startswith("_hparams_/") for tag, _, _ in values)


def records(folder: Path) -> Iterator[bytes]:
    """The records of a folder's event file: length, its checksum, content, its checksum."""
    (file,) = folder.glob("events.out.tfevents.*")
    content = file.read_bytes()
    at = 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 8], "little")
        yield content[at + 12 : at + 12 + length]
        at += 16 + length


def wandb_records(content: bytes) -> Iterator[bytes]:
    """The records of a run's file: LevelDB's log format, after a head of seven bytes."""
    at, parts = 7, b""
    while at < len(content):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        length = int.from_bytes(content[at + 4 : at + 6], "little")
        kind = content[at + 6]
        parts += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            yield parts
            parts = b""


@pytest.mark.slow
@pytest.mark.usefixtures("_quiet_libraries")
def test_wandb_holds_offline_runs_once(study: StudyBuilder) -> None:
    pytest.importorskip("wandb", reason="the extra wandb")
    from wandb.proto.wandb_internal_pb2 import Record

    def read(folder: Path) -> list[Any]:
        (file,) = folder.glob("run-*.wandb")
        return [Record.FromString(content) for content in wandb_records(file.read_bytes())]

    small = StudyBuilder(study.folder.parent / "small")
    small.add(0, Told(params(), [0.1, 0.3], OutcomeState.OK))
    for _ in range(2):
        mirror_study(small.paths, "wandb")
        (small.folder / "mirrors" / "wandb.json").unlink()
    folders = sorted((small.folder / "mirrors" / "wandb" / "wandb").glob("offline-run-*"))
    assert len(folders) == 2
    runs = {}
    for folder in folders:
        found = read(folder)
        (about,) = [each.run for each in found if each.HasField("run")][:1]
        runs[about.display_name] = (about, [each for each in found if each.HasField("history")])
    trial, history = runs["trial-0000"]
    assert trial.run_group == "bike-fan"
    assert {item.key: item.value_json for item in trial.config.update}["dataset.batch_size"] == "4"
    assert len(history) == 2


def test_without_the_library_the_extra_is_named(
    study: StudyBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    for name in ("mlflow.entities", "mlflow.tracking", "wandb", "tensorboardX"):
        monkeypatch.setitem(sys.modules, name, None)
    for name, (module, _) in MIRRORS.items():
        monkeypatch.delitem(sys.modules, module, raising=False)
        with pytest.raises(InstallExtra, match=f"a mirror to {name} needs its library"):
            mirror_study(study.paths, name)
    assert not (study.folder / "mirrors").exists()


def test_the_command_says_how_to_look(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorboardX", reason="the extra tensorboard")
    words = ["mirror", "tensorboard", "bike-fan", "--studies-dir", str(study.folder.parent)]
    assert main(words) == 0
    assert "9 runs written to" in capsys.readouterr().out
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "holds it all already" in said
    assert "tensorboard --logdir " in said
