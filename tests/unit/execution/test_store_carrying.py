"""An attempt's way through the study's store: from the driver to a node and back."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ray.exceptions import ActorDiedError, OutOfMemoryError

from automl.app.from_store import bring_attempts, bring_study
from automl.errors import FixInput, PrepareMachine, ResolveConflict, ResumeLater
from automl.execution.cluster.carrier import Carrier
from automl.execution.cluster.doubt import doubt_of
from automl.execution.cluster.losses import Loss
from automl.execution.cluster.mirror import AttemptMirror, files_of
from automl.execution.cluster.readiness import unreached
from automl.study.clock import utc_now
from automl.study.layout import StudyPaths
from automl.study.patience import Patience
from automl.study.records import Attempt
from automl.study.state import StudyState, StudyStatus, write_state
from automl.study.study_store import StoreError, StudyStore
from automl.trainers.base import TrialTask
from automl.trainers.end_request import PauseRequest, pause_in, request_leave, request_pause

WHOLE = b"PK\x05\x06" + bytes(18)
CHECKPOINT = "model_epoch_001_step_00020.pth"


@dataclass
class Two:
    """A driver's machine and a node, which share a store alone."""

    here: StudyPaths
    there: StudyPaths
    store: StudyStore
    told: list[str] = field(default_factory=list)

    def carrier(self) -> Carrier:
        return Carrier(self.store, self.here, Patience(0.0, self.told.append))

    def task(self, paths: StudyPaths, attempt: Attempt) -> TrialTask:
        place = paths.attempt(attempt.number, attempt.attempt)
        return TrialTask("s", attempt.number, attempt.attempt, place.folder, place.spec, place.log)

    def mirror(self, attempt: Attempt) -> AttemptMirror:
        folder = self.task(self.there, attempt).folder
        return AttemptMirror(self.store.snapshots(), self.there.relative(folder), folder)


@pytest.fixture
def two(tmp_path: Path) -> Two:
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    here, there = StudyPaths(tmp_path / "here" / "s"), StudyPaths(tmp_path / "there" / "s")
    here.folder.mkdir(parents=True)
    here.journal.write_text("{}\n")
    return Two(here, there, StudyStore(f"file://{bucket}/s"))


def prepared(two: Two, attempt: Attempt) -> TrialTask:
    task = two.task(two.here, attempt)
    task.folder.mkdir(parents=True)
    task.spec_path.write_text("train: {}\n")
    return task


def test_an_attempt_is_sent_trained_and_brought_back(two: Two) -> None:
    carrier, attempt = two.carrier(), Attempt(0, 1, {})
    carrier.send(attempt, prepared(two, attempt))
    mirror = two.mirror(attempt)
    mirror.fetch(two.there, attempt)
    node = two.task(two.there, attempt)
    assert node.spec_path.read_text() == "train: {}\n"
    (node.folder / CHECKPOINT).write_bytes(WHOLE)
    (node.folder / "model_epoch_002_step_00030.pth").write_bytes(b"half")
    (node.folder / "trainer.pid").write_text("1")
    mirror.start()
    mirror.close(leaves=False)
    assert not node.folder.exists()
    carrier.bring(attempt)
    found = sorted(path.name for path in two.task(two.here, attempt).folder.iterdir())
    assert found == [CHECKPOINT, "spec.yaml"]


def test_a_checkpoint_reaches_whichever_node_goes_on(two: Two) -> None:
    first, carrier = Attempt(0, 1, {}), two.carrier()
    task = prepared(two, first)
    (task.folder / CHECKPOINT).write_bytes(WHOLE)
    second = Attempt(0, 2, {}, resume_from=f"trials/0000/1/{CHECKPOINT}")
    carrier.send(second, prepared(two, second))
    two.mirror(second).fetch(two.there, second)
    assert (two.task(two.there, first).folder / CHECKPOINT).read_bytes() == WHOLE


def test_a_checkpoint_that_is_nowhere_is_an_error_and_no_fresh_start(two: Two) -> None:
    second = Attempt(0, 2, {}, resume_from=f"trials/0000/1/{CHECKPOINT}")
    two.carrier().send(second, prepared(two, second))
    with pytest.raises(FileNotFoundError, match=CHECKPOINT):
        two.mirror(second).fetch(two.there, second)


def test_what_the_node_has_dropped_is_dropped_here(two: Two) -> None:
    carrier, attempt = two.carrier(), Attempt(0, 1, {})
    task = prepared(two, attempt)
    carrier.send(attempt, task)
    (task.folder / CHECKPOINT).write_bytes(WHOLE)
    carrier.bring(attempt)
    assert [path.name for path in files_of(task.folder)] == ["spec.yaml"]


def test_a_store_that_is_away_for_a_while_loses_nothing_of_what_ended(
    two: Two, tmp_path: Path
) -> None:
    carrier, attempt = two.carrier(), Attempt(0, 1, {})
    prepared(two, attempt)
    bucket, aside = tmp_path / "bucket", tmp_path / "aside"
    bucket.rename(aside)
    bucket.write_text("no folder")
    carrier.keep(attempt)
    carrier.close()
    (said,) = two.told
    assert said.startswith("the study's store is behind, all is safe here: ")
    bucket.unlink()
    aside.rename(bucket)
    carrier.close()
    assert two.told[1:] == ["the study's store is up to date again"]
    assert two.store.snapshots().folders() == ["", "trials/0000/1"]


def test_what_a_trial_needs_is_waited_for_and_then_the_study_can_be_resumed(
    two: Two, tmp_path: Path
) -> None:
    carrier, attempt = two.carrier(), Attempt(0, 1, {})
    task = prepared(two, attempt)
    carrier.send(attempt, task)
    (task.folder / CHECKPOINT).write_bytes(WHOLE)
    shutil.rmtree(tmp_path / "bucket")
    with pytest.raises(ResumeLater, match="what it held is gone"):
        carrier.bring(attempt)
    with pytest.raises(StoreError, match="what it held is gone: trials/0000/1"):
        two.mirror(attempt)._fetch(two.there, attempt)
    assert (task.folder / CHECKPOINT).exists()
    (tmp_path / "bucket").write_text("no folder")
    with pytest.raises(ResumeLater, match="the store of a study must take and give files"):
        carrier.send(attempt, task)


def test_what_a_dead_driver_s_nodes_have_left_is_brought_before_the_study_goes_on(
    two: Two,
) -> None:
    carrier, apart, shared = two.carrier(), Attempt(0, 1, {}), Attempt(1, 1, {})
    carrier.send(apart, prepared(two, apart))
    mirror = two.mirror(apart)
    mirror.fetch(two.there, apart)
    (two.task(two.there, apart).folder / CHECKPOINT).write_bytes(WHOLE)
    mirror.start()
    mirror.close(leaves=False)
    newer = prepared(two, shared)
    carrier.keep(shared)
    newer.log_path.write_text("epoch 1\n")
    newer.spec_path.write_text("newer\n")
    bring_attempts(two.store.url, two.here)
    assert (two.task(two.here, apart).folder / CHECKPOINT).read_bytes() == WHOLE
    assert newer.spec_path.read_text() == "newer\n"


def test_an_error_of_a_worker_says_what_was_lost_and_how() -> None:
    class Raised(Exception):
        cause: Exception

    error = Raised("a traceback\nof many lines")
    error.cause = ResumeLater("the store must answer", got="no connection", fix="")
    found = doubt_of(error)
    assert found.loss is Loss.STORE
    assert found.because == "its node did not reach the study's store (no connection)"
    error.cause = ValueError("x")
    assert doubt_of(error).because == "its worker process died (of many lines)"
    assert doubt_of(ActorDiedError()).because == "its worker process died"
    ended = OutOfMemoryError("Task was killed due to the node running low on memory.")
    assert doubt_of(ended).because.endswith("because its node was running out of memory")


def test_a_node_that_does_not_reach_the_store_says_why(tmp_path: Path) -> None:
    assert unreached(f"file://{tmp_path}/s") == ""
    (tmp_path / "file").write_text("")
    assert "Not a directory" in unreached(f"file://{tmp_path}/file/s")
    assert "must be an address that fsspec knows" in unreached("nowhere://x")


def test_requests_are_passed_on_once(two: Two) -> None:
    carrier, attempt = two.carrier(), Attempt(0, 1, {})
    prepared(two, attempt)
    place = two.here.attempt(0, 1)
    assert list(carrier.requests(attempt)) == []
    request_pause(place, PauseRequest(3, "rung"))
    ((path, content),) = carrier.requests(attempt)
    assert path == place.pause
    path.write_text(content)
    assert pause_in(path) == PauseRequest(3, "rung")
    assert list(carrier.requests(attempt)) == []
    request_leave(place, "its node was to leave the cluster: a")
    assert [*carrier.requests(attempt)] == [(place.leave, "its node was to leave the cluster: a")]
    two.here.stop.touch()
    assert [path for path, _ in carrier.requests(attempt)] == [two.here.stop]
    assert place.leave not in [*files_of(place.folder)]


def test_a_store_that_takes_nothing_is_said_before_anything_begins(tmp_path: Path) -> None:
    paths = StudyPaths(tmp_path / "s")
    paths.folder.mkdir()
    paths.journal.write_text("{}\n")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(PrepareMachine, match="the study's store must be there and take files"):
        Carrier(StudyStore(f"file://{tmp_path}/file/s"), paths, Patience())


class TestBringing:
    def stored(self, two: Two, status: StudyStatus) -> str:
        state = StudyState("s", status, utc_now().isoformat(), 1)
        write_state(two.here, state)
        carrier, attempt = two.carrier(), Attempt(0, 1, {})
        prepared(two, attempt)
        carrier.keep(attempt)
        carrier.close()
        return two.store.url.removesuffix("/s")

    def test_a_study_is_brought_whole_and_once(self, two: Two) -> None:
        address = self.stored(two, StudyStatus.INTERRUPTED)
        said = bring_study(address, "s", two.there.folder.parent)
        assert said == f"brought 2 folders of the study from {address}/s"
        assert two.there.journal.read_text() == "{}\n"
        assert two.there.attempt(0, 1).spec.read_text() == "train: {}\n"
        assert bring_study(address, "s", two.there.folder.parent) == ""

    def test_a_study_that_another_machine_drives_is_left_there(self, two: Two) -> None:
        address = self.stored(two, StudyStatus.RUNNING)
        with pytest.raises(ResolveConflict, match="seen a moment ago"):
            bring_study(address, "s", two.there.folder.parent)
        assert not two.there.folder.exists()

    def test_a_study_that_is_not_there(self, two: Two) -> None:
        address = self.stored(two, StudyStatus.FINISHED)
        with pytest.raises(FixInput, match="must be in the store"):
            bring_study(address, "other", two.there.folder.parent)
