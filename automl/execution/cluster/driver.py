"""Driving trials on a Ray cluster.

Not through Ray Tune, which chooses the nodes of its trials itself: it can neither be kept from a
node that is not fit, nor does it say how one of its trials was lost.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from automl.errors import PrepareMachine
from automl.execution.cluster.carrier import Carrier
from automl.execution.cluster.connection import ClusterHead, connected
from automl.execution.cluster.doubt import Doubt, doubt_of
from automl.execution.cluster.fleet import Fleet
from automl.execution.cluster.losses import Loss, Losses
from automl.execution.cluster.need import Need
from automl.execution.cluster.probe import NodeFacts, SharedFolder
from automl.execution.cluster.probing import Probing
from automl.execution.cluster.roster import Roster
from automl.execution.cluster.slots import Slot
from automl.execution.cluster.tasks import Tasks
from automl.execution.control import Stage
from automl.execution.driver import ClusterChoice, DriveEnd, DriveRequest, Note
from automl.execution.live_attempts import LiveAttempts
from automl.execution.lost import Lost
from automl.execution.ray_driver import gpus_of_a_trial
from automl.execution.ray_thread import RayThread, supervise
from automl.study.config import Resources
from automl.study.patience import Patience
from automl.study.records import Attempt, Outcome, OutcomeState
from automl.study.study_store import StudyStore
from automl.trainers.checkpoints import checkpoints_in, newest_whole
from automl.trainers.end_request import request_leave

__all__ = ["drive", "need_of"]

_POLL_S = 0.1
#: Seconds before a node leaves at which its attempts are asked to end: trainers take ten to leave
#: a checkpoint, and a store takes its time to take it.
_LEAVES_S = 60.0
#: Seconds that a study waits for a node that its trials may run on.
_WITHOUT_NODES_S = 600.0


def drive(request: DriveRequest, cluster: ClusterChoice) -> DriveEnd:
    """Runs the attempts the engine asks for, on whichever node has room.

    Returns:
        Why it ended; how every attempt it started ended has been reported to the engine.

    Raises:
        PrepareMachine: There is no such cluster, or none of its nodes is fit.
    """
    live = LiveAttempts(request)
    if not request.control.is_asking:
        return live.drive_end
    head = ClusterHead()
    with request.control.handling_signals():
        try:
            with request.control.waiting_for_signals():
                ray = _joined(cluster.address, request.settings.paths.folder.name, head)
                thread = RayThread(request, live, ray, partial(_work, request, live, cluster))
                supervise(thread, head)
        finally:
            if live.failure is None:
                live.recover_all("Ray ended before the trial did")
    return live.drive_end


@contextmanager
def _joined(address: str, study: str, head: ClusterHead) -> Iterator[None]:
    with connected(address, f"automl {study}") as ray:
        head.at(ray.get_runtime_context().gcs_address)
        yield


def need_of(resources: Resources) -> Need:
    """What one attempt takes of a node."""
    return Need(float(resources.threads_per_trial), gpus_of_a_trial(resources))


def _work(request: DriveRequest, live: LiveAttempts, cluster: ClusterChoice) -> None:
    import ray

    paths = request.settings.paths
    control = request.control
    patience = Patience(
        tell=lambda text: live.say(Note(text)), is_over=lambda: control.stage is Stage.NOW
    )
    carrier = Carrier(StudyStore(cluster.store), paths, patience) if cluster.store else None
    shared = SharedFolder.marked(paths.folder, cluster.store)
    try:
        _Driving(ray, request, live, shared, carrier).run()
    finally:
        shared.clear()
        if carrier is not None and live.failure is None:
            carrier.close()


class _Driving:
    """One study's trials on a cluster, from the first to the last."""

    def __init__(
        self,
        ray: Any,
        request: DriveRequest,
        live: LiveAttempts,
        shared: SharedFolder,
        carrier: Carrier | None,
    ) -> None:
        resources = request.resources
        cluster = request.cluster
        assert cluster is not None  # noqa: S101 -- that is why this driver was chosen
        self._ray = ray
        self._request = request
        self._live = live
        self._carrier = carrier
        self._losses = Losses()
        here = NodeFacts.here(cluster.data)
        probing = Probing(Tasks(ray), here, shared, request.trainer)
        self._roster = Roster(ray, probing, self._losses, lambda text: live.say(Note(text)))
        n_most = None if cluster.follows else resources.max_concurrent
        self._fleet = Fleet(ray, request, need_of(resources), n_most, self._roster)
        self._cluster = cluster
        self._doubts: dict[Slot, Doubt] = {}
        self._fit_at = time.monotonic()
        self._seen = self._roster.records()

    def run(self) -> None:
        """Returns when every attempt has ended and none follows."""
        try:
            while not self._is_over():
                self._look()
                self._hear()
                self._begin()
                time.sleep(_POLL_S)
            self._cluster.on_nodes(self._roster.records())
        finally:
            self._fleet.close()

    def _is_over(self) -> bool:
        is_asking = self._request.control.is_asking
        return not self._live.count and not (is_asking and self._fleet.is_hungry)

    def _look(self) -> None:
        self._roster.look()
        self._fleet.look()
        self._live.slots = max(1, self._fleet.n_open)
        records = self._roster.records()
        if records != self._seen:
            self._seen = records
            self._cluster.on_nodes(records)
        self._check_nodes()
        if self._carrier is not None:
            self._carrier.look()

    def _check_nodes(self) -> None:
        """Ends the study where it waits for a node that does not come."""
        now = time.monotonic()
        if not self._roster.is_settled or (self._fleet.n_wanted and self._roster.fit()):
            self._fit_at = now
            return
        reasons = "; ".join(str(record) for record in self._seen if not record.is_gone)
        if self._cluster.follows and not any(record.n_attempts for record in self._seen):
            raise PrepareMachine(
                "a node of the cluster must be fit for a trial",
                got=reasons,
                fix="each says what keeps it out; automl doctor --ray-address looks again",
            )
        if now - self._fit_at > _WITHOUT_NODES_S:
            self._request.control.stop_now(f"no node of the cluster is fit for a trial: {reasons}")

    def _begin(self) -> None:
        """Starts what the search asks for, as far as there is room."""
        for slot in self._fleet.free():
            asked = self._request.resources.gpus_per_trial
            is_less = 0 < slot.need.gpus < asked and asked > 1
            self._cluster.on_gpus(int(slot.need.gpus) if is_less else None)
            prepared = self._live.prepare_next()
            self._fleet.is_hungry = prepared is not None
            if prepared is None:
                return
            attempt, task = prepared
            name = self._roster.node(slot.node).name
            if is_less:
                less = f"no node has {asked} GPUs: {attempt} trains on {slot.need.gpus:g}"
                self._live.say(Note(less))
            if (carrier := self._carrier_of(slot)) is not None:
                with self._live.remembering_failure():
                    carrier.send(attempt, task)
            slot.begin(attempt, replace(task, driver_pid=None, node=name))

    def _carrier_of(self, slot: Slot) -> Carrier | None:
        """What carries the files of a slot; None where its node shares the study's folder."""
        return self._carrier if self._roster.verdict(slot.node).is_apart else None

    def _bring(self, slot: Slot, attempt: Attempt) -> None:
        if (carrier := self._carrier_of(slot)) is not None:
            with self._live.remembering_failure():
                carrier.bring(attempt)

    def _keep(self, attempt: Attempt) -> None:
        if self._carrier is not None:
            self._carrier.keep(attempt)

    def _pass_on(self, slot: Slot) -> None:
        """Lets an attempt hear what it is asked for by files that its node does not see."""
        carrier = self._carrier_of(slot)
        if carrier is not None and slot.attempt is not None:
            for path, content in carrier.requests(slot.attempt):
                slot.ask(path, content)

    def _take_away(self, slot: Slot) -> None:
        """Asks an attempt to end whose node leaves soon, so that its trial goes on elsewhere."""
        leaves_at = self._roster.leaves_at(slot.node)
        if leaves_at is None or slot.attempt is None or time.time() < leaves_at - _LEAVES_S:
            return
        attempt = slot.attempt
        place = self._request.settings.paths.attempt(attempt.number, attempt.attempt)
        if not place.leave.exists():
            name = self._roster.node(slot.node).name
            request_leave(place, f"its node was to leave the cluster: {name}")

    def _hear(self) -> None:
        for slot in self._fleet.busy():
            self._take_away(slot)
            self._pass_on(slot)
            if slot in self._doubts:
                self._resolve(slot, self._doubts[slot])
                continue
            try:
                said = slot.heard()
            except Exception as error:  # noqa: BLE001 -- Ray's errors have many forms
                self._doubts[slot] = doubt_of(error)
                continue
            if isinstance(said, Outcome):
                self._ended(slot)
            elif said is not None and slot.attempt is not None:
                self._live.report(slot.attempt, said)
                slot.go_on()
            elif slot.is_silent():
                self._lost(slot, Loss.SILENT, str(Loss.SILENT))

    def _ended(self, slot: Slot) -> None:
        assert slot.attempt is not None  # noqa: S101 -- a busy slot has one
        name = self._roster.node(slot.node).name
        self._bring(slot, slot.attempt)
        elsewhere = partial(self._or_elsewhere, slot)
        outcome = self._live.recover(slot.attempt, Lost(str(Loss.WORKER), node=name), elsewhere)
        self._keep(slot.attempt)
        self._losses.ended(name, outcome)
        self._roster.ended(slot.node)
        slot.end_attempt()
        self._fleet.is_hungry = True

    def _or_elsewhere(self, slot: Slot, outcome: Outcome) -> Outcome:
        """An attempt that failed by its node counts as cut short where another node is fit."""
        others = [node for node in self._roster.fit() if node.id != slot.node]
        if not others or not self._losses.is_fault(outcome):
            return outcome
        paths = self._request.settings.paths
        newest = newest_whole(
            checkpoints_in(paths.attempt(outcome.number, outcome.attempt).folder)
        )
        where = f"{outcome.evidence}: node {self._roster.node(slot.node).name}"
        self._live.say(Note(f"{slot.attempt} failed ({outcome.failure}), it goes on elsewhere"))
        return replace(
            outcome,
            state=OutcomeState.INTERRUPTED,
            failure=None,
            evidence=where,
            checkpoint=paths.relative(newest.path) if newest else None,
        )

    def _resolve(self, slot: Slot, doubt: Doubt) -> None:
        """Decides how an attempt was lost, once that can be told."""
        if not self._roster.is_alive(slot.node):
            self._lost(slot, Loss.NODE, str(Loss.NODE))
        elif time.monotonic() > doubt.until:
            self._lost(slot, doubt.loss, doubt.because)

    def _lost(self, slot: Slot, loss: Loss, because: str) -> None:
        """Takes an attempt from a worker that is gone; its trial goes on elsewhere."""
        assert slot.attempt is not None  # noqa: S101 -- a busy slot has one
        self._doubts.pop(slot, None)
        attempt, name = slot.attempt, self._roster.node(slot.node).name
        goes_on = self._losses.goes_on(attempt.number, loss)
        where = f"{because}: node {name}"
        self._live.say(Note(f"{attempt} was lost, {where}{', it goes on' if goes_on else ''}"))
        self._bring(slot, attempt)
        self._fleet.drop(slot)
        self._live.recover(attempt, Lost(where, goes_on=goes_on, node=name))
        self._keep(attempt)
        self._losses.lost(name, slot.node, attempt.number, loss)
        self._roster.ended(slot.node)
        self._fleet.is_hungry = True
