"""What decides on a cluster where trials run, without a cluster."""

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from automl.errors import PrepareMachine
from automl.execution.cluster import connection, probe_task
from automl.execution.cluster.connection import Node
from automl.execution.cluster.losses import Loss, Losses
from automl.execution.cluster.need import Need
from automl.execution.cluster.probe import (
    NodeFacts,
    Offset,
    SharedFolder,
    clock_note,
    refusal,
    unseen_data,
)
from automl.execution.cluster.probe_task import answer
from automl.study.records import FailureClass, Outcome, OutcomeState

HERE = NodeFacts("3.11.7", "2.10.0", "0.1.0", "abc", data={"/data": "d1"})


class TestRefusal:
    def test_a_machine_like_the_drivers_is_fit(self) -> None:
        assert refusal(HERE, HERE) == ""

    @pytest.mark.parametrize(
        ("changed", "why"),
        [
            ({"version": "", "digest": ""}, "automl is not installed there"),
            ({"version": "0.2.0"}, "it has automl 0.2.0, and the driver has automl 0.1.0"),
            ({"digest": "def"}, "its automl 0.1.0 is other code than the driver's"),
            ({"python": "3.12.1"}, "it has Python 3.12.1, and the driver has Python 3.11.7"),
            ({"torch": ""}, "it has no torch, and the driver has torch 2.10.0"),
        ],
    )
    def test_what_differs_is_said(self, changed: dict[str, str], why: str) -> None:
        assert refusal(HERE, replace(HERE, **changed)) == why  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("there", "why"),
        [
            ("d1", {}),
            ("", {"/data": "it does not see the data in /data"}),
            ("d2", {"/data": "/data holds other files there"}),
        ],
    )
    def test_data_that_is_not_there_is_no_refusal(self, there: str, why: dict[str, str]) -> None:
        facts = replace(HERE, data={"/data": there})
        assert refusal(HERE, facts) == ""
        assert unseen_data(HERE, facts) == why

    def test_a_node_answers_with_its_own_code_and_data(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text("{}")
        facts = NodeFacts.here([str(tmp_path), str(tmp_path / "none")])
        assert (facts.version, len(facts.digest)) == ("0.1.0", 12)
        assert facts.data[str(tmp_path / "none")] == ""
        before = facts.data[str(tmp_path)]
        (tmp_path / "a.json").write_text("{} ")
        assert NodeFacts.here([str(tmp_path)]).data[str(tmp_path)] != before

    def test_other_content_of_the_same_names_and_sizes_is_other_data(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data, weights = tmp_path / "data", tmp_path / "a.pth"
        (data / "sub").mkdir(parents=True)
        both = [str(data), str(weights)]
        (data / "sub" / "a.json").write_text("1")
        weights.write_text("1")
        before = NodeFacts.here(both)
        assert unseen_data(before, NodeFacts.here(both)) == {}
        (data / "sub" / "a.json").write_text("2")
        weights.write_text("2")
        assert unseen_data(before, NodeFacts.here(both)) == {
            str(data): f"{data} holds other files there",
            str(weights): f"{weights} is another file there",
        }
        assert unseen_data(before, replace(before, data={})) == {
            str(data): f"it does not see the data in {data}",
            str(weights): f"it does not see {weights}",
        }
        # Of a large folder a part is read, the same part everywhere.
        monkeypatch.setattr(probe_task, "_MOST_BYTES", 0)
        known = NodeFacts.here(both)
        (data / "sub" / "a.json").write_text("3")
        assert unseen_data(known, NodeFacts.here(both)) == {}


class TestSharedFolder:
    def test_a_word_is_seen_there_and_its_answer_here(self, tmp_path: Path) -> None:
        shared = SharedFolder.marked(tmp_path)
        facts = NodeFacts(**answer(shared.question([], "n1")))
        assert facts.error == ""
        assert shared.is_seen_both_ways(facts, "n1")
        shared.clear()
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_is_not_there_is_an_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("automl.execution.cluster.probe_task._SEEN_WITHIN_S", 0.0)
        shared = SharedFolder.marked(tmp_path)
        elsewhere = replace(shared, folder=tmp_path / "elsewhere")
        facts = NodeFacts(**answer(elsewhere.question([], "n1")))
        assert facts.error.startswith("No such file or directory")
        assert facts.content == ""

    def test_an_answer_that_does_not_come_back_is_no_shared_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("automl.execution.cluster.probe._SEEN_WITHIN_S", 0.0)
        shared = SharedFolder.marked(tmp_path)
        assert not shared.is_seen_both_ways(replace(HERE, content=shared.word), "n1")


@pytest.mark.parametrize(
    ("there", "note"),
    [(103.6, "its clock is 3 s ahead"), (97.0, "its clock is 3 s behind"), (100.2, "")],
)
def test_clocks_are_compared_within_the_time_of_the_answer(there: float, note: str) -> None:
    offset = Offset.of(there, asked=100.0, heard=100.5)
    assert clock_note(offset) == note


@pytest.mark.parametrize(
    ("need", "cpus", "gpus", "room"),
    [
        (Need(1), 8, 0, 8),
        (Need(4, 1), 8, 4, 2),
        (Need(1, 2), 64, 7, 3),
        (Need(1, 0.3333), 64, 2, 6),
        (Need(1, 1), 64, 0, 0),
    ],
)
def test_room_is_what_is_scarcest(need: Need, cpus: float, gpus: float, room: int) -> None:
    assert need.fits(cpus, gpus) == room


NODES = [Node("1", "a", 16, 1), Node("2", "b", 16, 4)]


@pytest.mark.parametrize(
    ("need", "nodes", "given"),
    [
        (Need(8, 4), NODES, Need(8, 4)),
        (Need(8, 4), NODES[:1], Need(2, 1)),
        (Need(16, 8), NODES, Need(8, 4)),
        (Need(1, 2), [Node("1", "a", 16)], Need(1, 2)),
        (Need(1, 0.5), NODES[:1], Need(1, 0.5)),
        (Need(1), [], Need(1)),
    ],
)
def test_fewer_gpus_are_taken_where_no_node_has_as_many(
    need: Need, nodes: list[Node], given: Need
) -> None:
    assert need.within(nodes) == given


@pytest.fixture
def failed() -> Callable[[int, FailureClass], Outcome]:
    return lambda number, failure: Outcome(number, 1, OutcomeState.FAILED, failure=failure)


class TestLosses:
    def test_a_lost_worker_costs_a_trial_little_and_then_ends_it(self) -> None:
        losses = Losses()
        assert [losses.goes_on(0, Loss.WORKER) for _ in range(3)] == [True, True, False]
        assert losses.goes_on(1, Loss.WORKER)

    def test_nodes_may_die_under_a_trial_again_and_again_but_not_for_ever(self) -> None:
        losses = Losses()
        assert all(losses.goes_on(0, Loss.NODE) for _ in range(20))
        assert not losses.goes_on(0, Loss.NODE)

    def test_a_node_that_ends_three_trials_in_a_row_is_left_alone(
        self, failed: Callable[[int, FailureClass], Outcome]
    ) -> None:
        losses = Losses()
        losses.ended("a", failed(0, FailureClass.GPU))
        losses.lost("a", "id", 1, Loss.WORKER)
        assert losses.refusal("a") == ""
        losses.ended("a", failed(2, FailureClass.SHM))
        assert losses.refusal("a") == (
            "it ended 3 trials in a row: trial 0 failed (gpu), trial 1 was lost (its worker "
            "process died), trial 2 failed (shm)"
        )
        assert losses.refusal("b") == ""

    def test_a_trial_that_ends_well_and_a_trials_own_fault_break_the_row(
        self, failed: Callable[[int, FailureClass], Outcome]
    ) -> None:
        for between in (failed(2, FailureClass.OOM), Outcome(2, 1, OutcomeState.OK)):
            losses = Losses()
            for number in (0, 1):
                losses.ended("a", failed(number, FailureClass.GPU))
            losses.ended("a", between)
            losses.ended("a", failed(3, FailureClass.GPU))
            assert losses.refusal("a") == ""

    def test_a_trial_goes_on_where_its_node_failed_it_but_not_for_ever(self) -> None:
        losses = Losses()
        full = Outcome(0, 1, OutcomeState.FAILED, (), FailureClass.DISK, "No space left on device")
        assert [losses.is_fault(full) for _ in range(4)] == [True, True, True, False]
        own = replace(full, failure=FailureClass.OOM)
        assert not losses.is_fault(own)
        assert not losses.is_fault(replace(full, state=OutcomeState.OK, failure=None))

    def test_the_death_of_a_node_counts_once_however_many_trials_it_had(self) -> None:
        losses = Losses()
        for number in range(4):
            losses.lost("a", "id1", number, Loss.NODE)
        assert losses.refusal("a") == ""
        for again in ("id2", "id3"):
            losses.lost("a", again, 0, Loss.NODE)
        assert "3 trials in a row" in losses.refusal("a")


class TestJoining:
    def test_an_address_where_nobody_listens_is_said_at_once(self) -> None:
        with socket.socket() as tried:
            tried.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{tried.getsockname()[1]}"
            with pytest.raises(PrepareMachine) as refused:
                connection._knock(address)
            assert refused.value.got == "nobody who answers there (Connection refused)"
            tried.listen()
            connection._knock(address)
        connection._knock("auto")

    def test_a_cluster_of_other_versions_is_said_with_both(self) -> None:
        both = (
            "Version mismatch: The cluster was started with:\n"
            "    Ray: 2.49.0\n    Python: 3.12.1\n"
            "This process on 10.0.0.1 was started with:\n    Ray: 2.60.0\n    Python: 3.11.7\n"
        )
        refused = connection._explained("10.0.0.1:6379", RuntimeError(both))
        assert refused.got == (
            "Ray 2.49.0 and Python 3.12.1 in the cluster, Ray 2.60.0 and Python 3.11.7 here"
        )
        other = connection._explained("10.0.0.1:6379", RuntimeError("no token"))
        assert other.got == "RuntimeError: no token"
        refusing = connection._explained("10.0.0.1:6379", ConnectionError("Failed to connect"))
        assert refusing.got == "somebody who listens there, but lets nobody join"
        assert "RAY_AUTH_TOKEN" in refusing.fix
