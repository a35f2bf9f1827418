"""A slot of a cluster: room for one attempt on some node, and the worker there.

The room is a placement group of one bundle, so that an autoscaler sees what is wanted, and the
node is known before anything runs on it.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from automl.execution.cluster.mirror import NodeFiles
from automl.execution.cluster.need import Need
from automl.execution.cluster.worker import CONTROL, worker_class
from automl.execution.driver import TrainerChoice
from automl.study.records import Attempt, Measurement, Outcome
from automl.trainers.attempt_settings import AttemptSettings
from automl.trainers.base import TrialTask

__all__ = ["Slot", "close_all"]

#: Seconds between two questions whether a worker still answers, and until it counts as lost.
_PING_S = 5.0
_SILENT_S = 25.0
#: Seconds that a worker gets to end what it runs and keeps.
_CLOSES_S = 15.0
_READY = "CREATED"


class Slot:
    """Room for one attempt.

    Args:
        ray: The module, joined to the cluster.
        need: What is asked for.
        unfit: Ids of the nodes that are out of the question.

    Attributes:
        need: What was asked for.
        node: Id of the node; empty while there is no room.
        attempt: The attempt that runs here; None for none.
        idle_since: Since when none does, by the monotonic clock.
    """

    def __init__(self, ray: Any, need: Need, unfit: Sequence[str]) -> None:
        from ray.util.placement_group import placement_group

        elsewhere = [{"ray.io/node-id": f"!in({','.join(unfit)})"}] if unfit else None
        self._ray = ray
        self.need = need
        self._group = placement_group([need.bundle], bundle_label_selector=elsewhere)
        self._worker: Any = None
        self._step: Any = None
        self._ping: Any = None
        self._pinged_at = 0.0
        self._has_answered = False
        self.node = ""
        self.attempt: Attempt | None = None
        self.idle_since = time.monotonic()

    @property
    def has_worker(self) -> bool:
        """Whether attempts can be run here."""
        return self._worker is not None

    @property
    def is_free(self) -> bool:
        """Whether an attempt may begin here."""
        return self._worker is not None and self.attempt is None

    def find_room(self) -> bool:
        """Whether there is room on a node, whose id is then known."""
        from ray.util.placement_group import placement_group_table

        table = placement_group_table(self._group)
        if table["state"] == _READY:
            self.node = str(table["bundles_to_node_id"][0])
        return bool(self.node)

    def open(self, choice: TrainerChoice, settings: AttemptSettings, files: NodeFiles) -> None:
        """Starts the worker; returns at once.

        Args:
            choice: What trains.
            settings: What is the same for every attempt.
            files: Where the files of attempts are on the node.
        """
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        inside = PlacementGroupSchedulingStrategy(self._group, placement_group_bundle_index=0)
        self._worker = (
            worker_class()
            .options(num_cpus=self.need.cpus, num_gpus=self.need.gpus, scheduling_strategy=inside)
            .remote(choice, settings, files)
        )
        self.idle_since = time.monotonic()

    def begin(self, attempt: Attempt, task: TrialTask) -> None:
        """Starts an attempt; returns at once."""
        self.attempt = attempt
        self._step = self._worker.begin.remote(attempt, task)
        self._ping, self._pinged_at = None, time.monotonic()

    def go_on(self) -> None:
        """Lets the attempt run to its next measurement."""
        self._step = self._worker.advance.remote()

    def ask(self, path: Path, content: str) -> None:
        """Writes a file on the worker's node, which asks the attempt there for something."""
        self._worker.put.options(concurrency_group=CONTROL).remote(path, content)

    def heard(self) -> Measurement | Outcome | None:
        """What the attempt has to say; None while it trains.

        Raises:
            RayError: The worker is gone.
        """
        if not self._ray.wait([self._step], timeout=0)[0]:
            return None
        said: Measurement | Outcome = self._ray.get(self._step)
        return said

    def is_silent(self) -> bool:
        """Whether the worker has not answered for long, though Ray thinks that it lives.

        A worker that is still starting has not been asked.
        """
        now = time.monotonic()
        if self._ping is not None and self._ray.wait([self._ping], timeout=0)[0]:
            self._ping, self._has_answered = None, True
            self._pinged_at = now
        if self._ping is None and now - self._pinged_at > _PING_S:
            self._ping = self._worker.ping.options(concurrency_group=CONTROL).remote()
        return self._has_answered and now - self._pinged_at > _SILENT_S

    def end_attempt(self) -> None:
        """The attempt has ended; the next one may begin."""
        self.attempt = self._step = None
        self.idle_since = time.monotonic()

    def ask_to_close(self) -> Any:
        """Asks the worker to end what it runs and keeps; its answer's reference, or None."""
        return None if self._worker is None else self._worker.close.remote()

    def give_back(self) -> None:
        """Ends the worker, and gives the room back to the cluster."""
        from ray.util.placement_group import remove_placement_group

        if self._worker is not None:
            self._ray.kill(self._worker)
        remove_placement_group(self._group)


def close_all(ray: Any, slots: Sequence[Slot]) -> None:
    """Gives slots back, their workers ended in order as far as they do so in time."""
    asked = [reference for slot in slots if (reference := slot.ask_to_close()) is not None]
    if asked:
        ray.wait(asked, num_returns=len(asked), timeout=_CLOSES_S)
    for slot in slots:
        slot.give_back()
