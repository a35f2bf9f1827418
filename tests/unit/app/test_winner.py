"""``best/`` holds the incumbent, whole and current, whatever happened before."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.app import winner
from automl.app.winner import keep_best_current
from automl.errors import FixInput
from automl.files import sha256_of, write_json
from automl.skill.keys import NetworkKeys
from automl.skill.tree import get
from automl.study.best import read_best
from automl.study.layout import StudyPaths
from automl.study.outcomes import write_outcome
from automl.study.records import Measurement, Outcome, OutcomeState, TrialRecord, TrialState
from automl.yamltext import dump_yaml, load_yaml

LR = "train.optim.lr"
KEYS = NetworkKeys(
    results=("results_dir", "train.results_dir"),
    resume=("train.resume_training_checkpoint_path",),
)


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    return StudyPaths(tmp_path / "bikes")


@pytest.fixture
def trial(paths: StudyPaths) -> Callable[..., TrialRecord]:
    """Leaves a finished trial on disk and returns its record."""

    def make(number: int, value: float, attempt: int = 1, epoch: int = 1) -> TrialRecord:
        place = paths.attempt(number, attempt)
        place.folder.mkdir(parents=True)
        spec = {
            "results_dir": str(place.folder),
            "train": {
                "num_epochs": 2,
                "results_dir": str(place.folder),
                "resume_training_checkpoint_path": "/old.pth" if attempt > 1 else "",
                "optim": {"lr": value},
            },
        }
        place.spec.write_text(dump_yaml(spec))
        checkpoint = place.folder / f"model_epoch_{epoch:03d}_step_00010.pth"
        checkpoint.write_bytes(f"weights of trial {number}".encode())
        outcome = Outcome(
            number,
            attempt,
            OutcomeState.OK,
            (Measurement(epoch, {"val_3DIoU": value}, 1.0),),
            checkpoint=paths.relative(checkpoint),
            checkpoint_sha256=sha256_of(checkpoint),
        )
        write_outcome(place, outcome)
        return TrialRecord(
            number,
            TrialState.COMPLETE,
            {LR: value},
            attempts=attempt,
            values={epoch: value},
            best_epoch=epoch,
            best_value=value,
            checkpoint=outcome.checkpoint,
        )

    return make


def holds(paths: StudyPaths, number: int) -> bool:
    """Whether ``best/`` is whole and that trial's, to the last file."""
    best = read_best(paths)[0]
    if best is None or best["trial"] != number:
        return False
    checkpoint = paths.best / best["checkpoint"]
    names = {entry.name for entry in paths.best.iterdir()}
    return (
        names == {"train.yaml", "provenance.json", checkpoint.name}
        and checkpoint.read_bytes() == f"weights of trial {number}".encode()
        and sha256_of(checkpoint) == best["checkpoint_sha256"]
        and get(load_yaml(paths.best_spec), LR) == best["params"][LR] == best["value"]
    )


def test_nothing_is_made_without_an_incumbent(paths: StudyPaths) -> None:
    keep_best_current(paths, None, KEYS)
    assert not paths.best.exists()
    assert read_best(paths)[0] is None


def test_it_follows_the_incumbent(paths: StudyPaths, trial: Callable[..., TrialRecord]) -> None:
    keep_best_current(paths, trial(0, 0.25), KEYS)
    assert holds(paths, 0)
    keep_best_current(paths, trial(3, 0.5, epoch=0), KEYS)
    assert holds(paths, 3)


def test_the_checkpoint_is_a_real_file_that_outlives_its_trial(
    paths: StudyPaths, trial: Callable[..., TrialRecord]
) -> None:
    record = trial(0, 0.25)
    keep_best_current(paths, record, KEYS)
    assert record.checkpoint is not None
    (paths.folder / record.checkpoint).unlink()
    placed = paths.best / Path(record.checkpoint).name
    assert placed.is_file()
    assert not placed.is_symlink()
    assert holds(paths, 0)


def test_the_spec_is_complete_but_for_the_trials_own_folder(
    paths: StudyPaths, trial: Callable[..., TrialRecord]
) -> None:
    keep_best_current(paths, trial(0, 0.25, attempt=2), KEYS)
    spec = load_yaml(paths.best_spec)
    assert spec == {
        "results_dir": "",
        "train": {
            "num_epochs": 2,
            "results_dir": "",
            "resume_training_checkpoint_path": "",
            "optim": {"lr": 0.25},
        },
    }
    assert json.loads(paths.best_provenance.read_text())["attempt"] == 2


def test_the_same_incumbent_is_not_written_twice(
    paths: StudyPaths, trial: Callable[..., TrialRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = trial(0, 0.25)
    keep_best_current(paths, record, KEYS)
    monkeypatch.delattr(winner, "write_json")
    keep_best_current(paths, record, KEYS)
    assert holds(paths, 0)


class _Crash(BaseException):
    """Stands in for a kill."""


@pytest.mark.parametrize("step", ["write_text", "place", "write_json"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_step_is_seen_and_mended(
    paths: StudyPaths,
    trial: Callable[..., TrialRecord],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    when: str,
) -> None:
    keep_best_current(paths, trial(0, 0.25), KEYS)
    better = trial(1, 0.5, epoch=0)
    done = getattr(winner, step)

    def crash(*args: object) -> None:
        if when == "after":
            done(*args)
        raise _Crash

    with monkeypatch.context() as patched:
        patched.setattr(winner, step, crash)
        with pytest.raises(_Crash):
            keep_best_current(paths, better, KEYS)
    is_done = (step, when) == ("write_json", "after")
    assert holds(paths, 1) is is_done
    assert (read_best(paths)[0] is not None) is is_done
    keep_best_current(paths, better, KEYS)
    assert holds(paths, 1)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 0, "trial": 0}'])
def test_a_broken_provenance_is_written_again(
    paths: StudyPaths, trial: Callable[..., TrialRecord], text: str
) -> None:
    record = trial(0, 0.25)
    keep_best_current(paths, record, KEYS)
    paths.best_provenance.write_text(text)
    assert read_best(paths)[0] is None
    keep_best_current(paths, record, KEYS)
    assert holds(paths, 0)


def test_what_a_crash_left_beside_the_files_is_cleared(
    paths: StudyPaths, trial: Callable[..., TrialRecord]
) -> None:
    paths.best.mkdir(parents=True)
    (paths.best / ".train.yaml.x1y2").write_text("half")
    (paths.best / "model_epoch_009_step_00090.pth").write_bytes(b"of nobody")
    keep_best_current(paths, trial(0, 0.25), KEYS)
    assert holds(paths, 0)


def test_a_trial_without_a_checkpoint_still_wins(
    paths: StudyPaths, trial: Callable[..., TrialRecord]
) -> None:
    keep_best_current(paths, trial(0, 0.25), KEYS)
    record = trial(1, 0.5)
    assert record.checkpoint is not None
    (paths.folder / record.checkpoint).unlink()
    bare = TrialRecord(
        1, TrialState.COMPLETE, {LR: 0.5}, values={1: 0.5}, best_epoch=1, best_value=0.5
    )
    keep_best_current(paths, bare, KEYS)
    best = read_best(paths)[0]
    assert best is not None
    assert (best["trial"], best["checkpoint"]) == (1, None)
    assert {entry.name for entry in paths.best.iterdir()} == {"train.yaml", "provenance.json"}


def test_a_deleted_file_of_the_same_incumbent_comes_back(
    paths: StudyPaths, trial: Callable[..., TrialRecord]
) -> None:
    record = trial(0, 0.25)
    keep_best_current(paths, record, KEYS)
    paths.best_spec.unlink()
    keep_best_current(paths, record, KEYS)
    assert holds(paths, 0)


def test_provenance_names_the_trials_own_spec(
    paths: StudyPaths, trial: Callable[..., TrialRecord]
) -> None:
    keep_best_current(paths, trial(2, 0.5), KEYS)
    value = json.loads(paths.best_provenance.read_text())
    assert value["trial_spec"] == "trials/0002/1/spec.yaml"
    assert (value["epoch"], value["value"], value["params"]) == (1, 0.5, {LR: 0.5})
    write_json(paths.best_provenance, value)  # strict JSON: it can be written again


def test_a_link_in_the_place_of_best_costs_nothing_of_what_it_leads_to(
    paths: StudyPaths, trial: Callable[..., TrialRecord], tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine.txt").write_text("mine")
    (outside / "provenance.json").write_text("mine too")
    record = trial(1, 0.5)
    paths.best.symlink_to(outside)
    with pytest.raises(FixInput, match=r"not links.*best"):
        keep_best_current(paths, record, KEYS)
    assert {path.name: path.read_text() for path in outside.iterdir()} == {
        "mine.txt": "mine",
        "provenance.json": "mine too",
    }


def test_a_folder_that_somebody_put_into_best_is_left_alone(
    paths: StudyPaths, trial: Callable[..., TrialRecord]
) -> None:
    (paths.best / "notes").mkdir(parents=True)
    keep_best_current(paths, trial(1, 0.5), KEYS)
    assert read_best(paths)[0] is not None
    assert (paths.best / "notes").is_dir()


class TestWhatStandsInTheWay:
    """A study whose ``best/`` lost a part, or holds what does not belong there."""

    @pytest.fixture
    def record(self, trial: Callable[..., TrialRecord]) -> TrialRecord:
        return trial(3, 0.5)

    @pytest.fixture
    def kept(self, paths: StudyPaths, record: TrialRecord) -> TrialRecord:
        assert keep_best_current(paths, record, KEYS) == ""
        return record

    @pytest.mark.parametrize("lost", [".", "train.yaml", "provenance.json", "*.pth"])
    def test_what_was_lost_is_made_again(
        self, paths: StudyPaths, kept: TrialRecord, lost: str
    ) -> None:
        for path in list(paths.best.glob(lost)) if lost != "." else [paths.best]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        assert keep_best_current(paths, kept, KEYS) == ""
        assert holds(paths, 3)

    @pytest.mark.parametrize(
        "content",
        ["", "[]", "{}", '{"format": 1}', '{"format": 1, "trial": 3, "checkpoint": "/x"}'],
    )
    def test_a_broken_record_counts_as_absent(
        self, paths: StudyPaths, kept: TrialRecord, content: str
    ) -> None:
        paths.best_provenance.write_text(content)
        best, note = read_best(paths)
        assert best is None
        assert note.startswith(f"{paths.best_provenance} counts as absent: ")
        assert keep_best_current(paths, kept, KEYS) == ""
        assert holds(paths, 3)

    def test_a_folder_of_somebody_is_left_alone(
        self, paths: StudyPaths, record: TrialRecord
    ) -> None:
        (paths.best / "mine").mkdir(parents=True)
        assert keep_best_current(paths, record, KEYS) == ""
        assert (paths.best / "mine").is_dir()
        assert read_best(paths)[0] is not None

    @pytest.mark.parametrize(
        "name", ["train.yaml", "provenance.json", "model_epoch_001_step_00010.pth"]
    )
    def test_a_folder_in_a_files_place_is_named(
        self, paths: StudyPaths, record: TrialRecord, name: str
    ) -> None:
        (paths.best / name / "x").mkdir(parents=True)
        assert "best/ cannot hold trial 3: " in keep_best_current(paths, record, KEYS)
        assert read_best(paths)[0] is None

    def test_a_file_in_the_folders_place_is_named(
        self, paths: StudyPaths, record: TrialRecord
    ) -> None:
        paths.best.write_text("no folder")
        assert "best/ cannot hold trial 3: " in keep_best_current(paths, record, KEYS)
        assert paths.best.read_text() == "no folder"

    @pytest.mark.parametrize("lost", ["spec.yaml", "*.pth", "trial", "attempt"])
    def test_a_trial_that_lost_its_files_is_named_and_best_stays(
        self, paths: StudyPaths, trial: Callable[..., TrialRecord], kept: TrialRecord, lost: str
    ) -> None:
        better = trial(4, 0.9)
        folder = paths.attempt(4, 1).folder
        folders = {"trial": [folder.parent], "attempt": [folder]}
        for path in folders.get(lost) or list(folder.glob(lost)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        assert "best/ cannot hold trial 4: " in keep_best_current(paths, better, KEYS)
        if lost != "*.pth":
            assert holds(paths, 3)

    def test_a_checkpoint_that_only_best_still_has_is_kept(
        self, paths: StudyPaths, kept: TrialRecord
    ) -> None:
        (checkpoint,) = paths.best.glob("*.pth")
        with zipfile.ZipFile(checkpoint, "w") as archive:
            archive.writestr("weights", b"whole")
        (paths.folder / str(kept.checkpoint)).unlink()
        paths.best_provenance.unlink()
        assert keep_best_current(paths, kept, KEYS) == ""
        assert read_best(paths)[0] is not None
        assert zipfile.is_zipfile(checkpoint)
