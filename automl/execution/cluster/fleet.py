"""The slots of one study on a cluster: as many as are wanted, where trials may run."""

import time
from collections.abc import Iterator
from typing import Any

from automl.execution.cluster.mirror import NodeFiles
from automl.execution.cluster.need import Need
from automl.execution.cluster.roster import Roster
from automl.execution.cluster.slots import Slot, close_all
from automl.execution.driver import DriveRequest

__all__ = ["Fleet"]

#: Seconds between two looks at who has found room.
_LOOK_S = 0.5
#: Seconds that a slot is kept for which there is nothing to run: others use the cluster too.
_IDLE_S = 20.0


class Fleet:
    """Opens slots, keeps them while they are of use, and gives them back.

    Args:
        ray: The module, joined to the cluster.
        request: What is driven.
        need: What one attempt takes.
        n_most: Slots to ask for; None for as many as the nodes have room for.
        roster: The nodes.

    Attributes:
        is_hungry: Whether the search had something to run when it was last asked.
    """

    def __init__(
        self, ray: Any, request: DriveRequest, need: Need, n_most: int | None, roster: Roster
    ) -> None:
        self.is_hungry = True
        self._ray = ray
        self._request = request
        self._need = need
        self._n_most = n_most
        self._roster = roster
        self._store = "" if request.cluster is None else request.cluster.store
        self._slots: list[Slot] = []
        self._looked_at = -_LOOK_S

    @property
    def n_wanted(self) -> int:
        """Slots to hold or to wait for."""
        if self._n_most is not None:
            return self._n_most
        need = self.need
        return sum(need.fits(node.cpus, node.gpus) for node in self._roster.fit())

    @property
    def need(self) -> Need:
        """What an attempt is given now: fewer GPUs where no node has as many as it should have."""
        return self._need.within(self._roster.fit())

    @property
    def n_open(self) -> int:
        """Slots with a worker."""
        return sum(slot.has_worker for slot in self._slots)

    def busy(self) -> Iterator[Slot]:
        """Those in which an attempt runs."""
        yield from [slot for slot in self._slots if slot.attempt is not None]

    def free(self) -> Iterator[Slot]:
        """Those in which one may begin."""
        yield from [slot for slot in self._slots if slot.is_free and self._is_fit(slot)]

    def look(self) -> None:
        """Opens what is wanted and closes what is of no use; each at its time."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_S:
            return
        self._looked_at = now
        for slot in list(self._slots):
            if slot.attempt is None and self._is_useless(slot, now):
                self.drop(slot)
            elif not slot.has_worker and slot.find_room() and self._is_fit(slot):
                probed = self._roster.verdict(slot.node)
                place = NodeFiles(self._store, probed.is_apart, probed.data)
                slot.open(self._request.trainer, self._request.settings, place)
        while self.is_hungry and len(self._slots) < self.n_wanted:
            self._slots.append(Slot(self._ray, self.need, self._roster.unfit()))

    def drop(self, slot: Slot) -> None:
        """Gives one slot back at once, whatever runs there."""
        self._slots.remove(slot)
        slot.give_back()

    def close(self) -> None:
        """Gives everything back."""
        close_all(self._ray, self._slots)
        self._slots.clear()

    def _is_fit(self, slot: Slot) -> bool:
        return bool(self._roster.is_fit(slot.node))

    def _is_useless(self, slot: Slot, now: float) -> bool:
        """Whether a slot without an attempt is on the wrong node, or one of too many."""
        if slot.node and self._roster.is_fit(slot.node) is False:
            return True
        if len(self._slots) > max(1, self.n_wanted):
            return True
        if not slot.node and slot.need != self.need:
            return True
        is_spare = not self.is_hungry and any(each is not slot for each in self.free())
        return is_spare and now - slot.idle_since > _IDLE_S
