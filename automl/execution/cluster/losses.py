"""Attempts that were lost with their worker or their node: who goes on, and who is to blame.

That a node died is no trial's fault, so the trial goes on elsewhere. But a trial that takes one
node after the other with it must end, and a node that ends one trial after the other gets no more.
"""

from collections import Counter
from enum import StrEnum

from automl.study.records import FailureClass, Outcome, OutcomeState

__all__ = ["Loss", "Losses"]

#: Trials in a row that a node may end before it is left alone.
_IN_A_ROW = 3
#: Failures that speak of the machine and not of the trial.
_OF_THE_NODE = frozenset(
    {
        FailureClass.KILLED,
        FailureClass.GPU,
        FailureClass.SHM,
        FailureClass.IMAGE,
        FailureClass.DISK,
    }
)


class Loss(StrEnum):
    """How an attempt was lost."""

    NODE = "its node left the cluster"
    SILENT = "its node did not answer any more"
    WORKER = "its worker process died"
    STORE = "its node did not reach the study's store"
    FAULT = "it failed by its node"


_OF_A_LIVING_NODE = (Loss.WORKER, Loss.STORE)
#: So often one trial may be lost in each way and go on. Nodes of a spot market die often.
_GOES_ON = {Loss.NODE: 20, Loss.SILENT: 5, Loss.WORKER: 2, Loss.STORE: 5, Loss.FAULT: _IN_A_ROW}


class Losses:
    """Counts, since the driver began, what was lost."""

    def __init__(self) -> None:
        self._of_trial: Counter[tuple[int, Loss]] = Counter()
        self._in_a_row: dict[str, list[str]] = {}
        self._dead: set[str] = set()

    def goes_on(self, number: int, loss: Loss) -> bool:
        """Takes note of a lost attempt; whether its trial may go on from its last checkpoint."""
        self._of_trial[number, loss] += 1
        return self._of_trial[number, loss] <= _GOES_ON[loss]

    def is_fault(self, outcome: Outcome) -> bool:
        """Whether an attempt failed by its node, so that its trial may go on on another one."""
        return outcome.failure in _OF_THE_NODE and self.goes_on(outcome.number, Loss.FAULT)

    def ended(self, node: str, outcome: Outcome) -> None:
        """Takes note of an attempt that ended on a node in its own way."""
        is_nodes_fault = outcome.failure in _OF_THE_NODE
        if is_nodes_fault:
            self._blame(node, f"trial {outcome.number} failed ({outcome.failure})")
        elif outcome.state is not OutcomeState.INTERRUPTED:
            self._in_a_row.pop(node, None)

    def lost(self, node: str, node_id: str, number: int, loss: Loss) -> None:
        """Takes note of an attempt that was lost; the death of a node counts once.

        Args:
            node: The node's name, which it keeps when it comes back.
            node_id: Its id, which it does not keep.
            number: The trial's number.
            loss: How it was lost.
        """
        if loss in _OF_A_LIVING_NODE or node_id not in self._dead:
            self._blame(node, f"trial {number} was lost ({loss})")
        if loss not in _OF_A_LIVING_NODE:
            self._dead.add(node_id)

    def _blame(self, node: str, what: str) -> None:
        self._in_a_row.setdefault(node, []).append(what)

    def refusal(self, node: str) -> str:
        """Why a node is left alone, as part of a sentence; empty where it is not."""
        row = self._in_a_row.get(node, [])
        if len(row) < _IN_A_ROW:
            return ""
        return f"it ended {_IN_A_ROW} trials in a row: {', '.join(row[-_IN_A_ROW:])}"
