"""The way of a node to its first trial, over nodes that answer from a script."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automl.execution.cluster import probe_task, staging
from automl.execution.cluster import readiness as readiness_module
from automl.execution.cluster.connection import leaving
from automl.execution.cluster.losses import Losses
from automl.execution.cluster.probe import NodeFacts, SharedFolder
from automl.execution.cluster.probing import NodeVerdict, Probing
from automl.execution.cluster.readiness import Question, Readiness, readiness, unreached
from automl.execution.cluster.roster import Roster
from automl.execution.cluster.staging import FolderContent, Taken
from automl.execution.cluster.tasks import Tasks
from automl.execution.driver import TrainerChoice
from automl.skill.read import own_skill_dir, read_skill
from automl.trainers.base import Handle, Problem, TrialTask

FACTS = NodeFacts("3.11.7", "2.10.0", "0.1.0", "abc", data={"/data": "d1"})
LISTING = FolderContent((("a", 4, "0" * 64),))


class Scripted(Tasks):
    """Tasks whose answers are written down; each is heard at the second look."""

    def __init__(self, answers: Mapping[Any, Any]) -> None:
        self.answers = answers
        self.listing = self.given = self

    @property
    def here(self) -> str:
        return "head"

    def ask(self, node: str, task: Callable[..., Any], *arguments: Any) -> Any:
        return [self.answers[task], 0]

    def actor(self, node: str, made: type, *arguments: Any) -> Any:
        return self

    def remote(self, *asked: str) -> Any:
        return [2 if len(asked) > 1 else LISTING, 0]

    def heard(self, reference: Any) -> tuple[Any, str] | None:
        answer, n_looks = reference
        reference[1] += 1
        if not n_looks:
            return None
        return (None, str(answer)) if isinstance(answer, Exception) else (answer, "")


def asked_of(answers: Mapping[Any, Any], **changed: Any) -> tuple[list[str], NodeVerdict]:
    """What a node's course yields, and its end."""
    known: dict[Any, Any] = {
        probe_task.answer: {name: getattr(FACTS, name) for name in FACTS.__slots__},
        probe_task.clock: 0.0,
        readiness: Readiness(),
        staging.take_in: Taken("/cache/data"),
    }
    trainer = TrainerChoice("scripted", read_skill(own_skill_dir()))
    settings = {"shared": SharedFolder(), "trainer": trainer, **changed}
    course = Probing(Scripted({**known, **answers}), FACTS, **settings).course("n1")
    said = []
    while True:
        try:
            said.append(next(course))
        except StopIteration as ended:
            return [text for text in said if text], ended.value


def facts(**changed: Any) -> dict[str, Any]:
    made = replace(FACTS, **changed)
    return {name: getattr(made, name) for name in FACTS.__slots__}


def test_a_node_like_the_driver_s_is_fit() -> None:
    _, verdict = asked_of({})
    assert (verdict.refused, verdict.data, verdict.is_apart) == ("", {}, False)


def test_data_that_a_node_lacks_is_brought_and_its_way_is_said() -> None:
    said, verdict = asked_of({probe_task.answer: facts(data={"/data": ""})})
    assert said == [
        "it does not see the data in /data: it is read here first",
        "is given /data, 0.0 MB: 0 %",
        "is made ready",
    ]
    assert verdict.data == {"/data": "/cache/data"}
    assert verdict.note.endswith("has a copy of /data")


def test_data_that_finds_no_room_keeps_trials_away() -> None:
    missing = facts(data={"/data": "d2"})
    _, verdict = asked_of({probe_task.answer: missing, staging.take_in: Taken(error="no room")})
    assert verdict.refused == (
        "/data holds other files there, and it cannot be brought there: no room"
    )


def test_a_look_beforehand_brings_nothing() -> None:
    _, verdict = asked_of({probe_task.answer: facts(data={"/data": ""})}, moves=False)
    assert verdict.data == {}
    assert "it is brought there when a study begins" in verdict.note


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({readiness: Readiness("no Docker there")}, "no Docker there"),
        ({readiness: ValueError("the task broke")}, "the task broke"),
        ({probe_task.answer: facts(version="0.2.0")}, "it has automl 0.2.0, and the driver has"),
    ],
)
def test_what_a_node_lacks_keeps_trials_away(answers: Mapping[Any, Any], why: str) -> None:
    _, verdict = asked_of(answers)
    assert verdict.refused.startswith(why)


def test_a_node_without_the_folder_must_reach_the_store(tmp_path: Path) -> None:
    shared = SharedFolder(tmp_path, "word", "s3://bucket/s")
    elsewhere: dict[Any, Any] = {
        probe_task.answer: facts(error="No such file or directory: /studies/s")
    }
    _, verdict = asked_of({**elsewhere, unreached: ""}, shared=shared)
    assert verdict == NodeVerdict(note=verdict.note, is_apart=True)
    assert verdict.note.endswith("uses the study's store")
    away = {**elsewhere, unreached: "it refuses access: Forbidden"}
    _, verdict = asked_of(away, shared=shared)
    assert verdict.refused == (
        "it does not see the study's folder, and the study's store: it refuses access: Forbidden"
    )


class TestReadiness:
    choice = TrainerChoice("scripted", read_skill(own_skill_dir()))

    def test_the_study_s_folder_is_made(self, tmp_path: Path) -> None:
        folder = tmp_path / "studies" / "s"
        assert readiness(Question(self.choice, str(folder))) == Readiness()
        assert folder.is_dir()

    def test_a_folder_that_cannot_be_made_is_a_reason(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        answer = readiness(Question(self.choice, str(tmp_path / "file" / "s")))
        assert answer.refused == "the study's folder cannot be made there: Not a directory"

    def test_a_trainer_that_cannot_start_is_a_reason(self) -> None:
        skill = replace(read_skill(own_skill_dir()), network_arch="other")
        answer = readiness(Question(TrainerChoice("process", skill)))
        assert answer.refused.startswith("the trainer's program must be on PATH, got no program")


class Lacking:
    """A trainer that lacks an image, and may be able to get it."""

    def __init__(self, what: str = "the image i", *, comes: bool = True) -> None:
        self.what = what
        self.comes = comes
        self.n_fetched = 0
        self.paths: list[Path] = []

    def check(self) -> Sequence[Problem]:
        return (
            [] if self.n_fetched and self.comes else [Problem("the image must be there", "none")]
        )

    def start(self, task: TrialTask, gpus: Sequence[str]) -> Handle:
        raise NotImplementedError

    def fetchable(self) -> str:
        return self.what

    def fetch(self) -> Sequence[Problem]:
        self.n_fetched += 1
        return self.check()

    def check_paths(self, paths: Sequence[Path]) -> Sequence[Problem]:
        self.paths += paths
        return []


class TestFetching:
    def asked(
        self, monkeypatch: pytest.MonkeyPatch, trainer: Lacking, *, fetches: bool = True
    ) -> Readiness:
        monkeypatch.setattr(readiness_module, "open_trainer", lambda _: trainer)
        return readiness(Question(TestReadiness.choice, data=("/data",), fetches=fetches))

    def test_what_a_node_lacks_is_brought_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        trainer = Lacking()
        assert self.asked(monkeypatch, trainer) == Readiness()
        assert (trainer.n_fetched, trainer.paths) == (1, [Path("/data")])

    def test_a_look_beforehand_only_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        trainer = Lacking()
        answer = self.asked(monkeypatch, trainer, fetches=False)
        assert answer == Readiness(note="fetches the image i when a study begins")
        assert trainer.n_fetched == 0

    @pytest.mark.parametrize("trainer", [Lacking(comes=False), Lacking("", comes=False)])
    def test_what_does_not_come_keeps_trials_away(
        self, trainer: Lacking, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answer = self.asked(monkeypatch, trainer)
        assert answer == Readiness("the image must be there, got none")


class Table:
    """Ray's module, as far as the table of nodes goes."""

    def __init__(self) -> None:
        self.draining: dict[str, int] = {}
        self._private = self.state = self

    def nodes(self) -> list[dict[str, Any]]:
        address = {"NodeManagerHostname": "h", "NodeManagerAddress": "10.0.0.2"}
        return [{"NodeID": "n1", "Alive": True, "Resources": {"CPU": 2.0}, **address}]

    def get_draining_nodes(self) -> dict[str, int]:
        return self.draining


def test_a_node_that_is_drained_gets_no_more_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.execution.cluster.roster._LOOK_S", 0.0)
    table, said = Table(), list[str]()
    answers = {
        probe_task.answer: facts(),
        probe_task.clock: 0.0,
    }
    roster = Roster(
        table, Probing(Scripted(answers), FACTS, SharedFolder()), Losses(), said.append
    )
    while not roster.is_settled:
        roster.look()
    assert roster.is_fit("n1")
    assert roster.leaves_at("n1") is None
    table.draining = {"n1": 2_000_000_000_000}
    roster.look()
    assert leaving(table) == {"n1": 2e9}
    assert roster.leaves_at("n1") == 2e9
    assert roster.is_fit("n1") is False
    assert [*roster.unfit()] == ["n1"]
    assert roster.record("n1").refused == "it is being drained"
    assert said[-1].startswith("node 10.0.0.2 (h) is to leave the cluster in ")
