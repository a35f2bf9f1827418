"""The way of one node from its appearance to its first trial, or to why it gets none."""

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from automl.execution.cluster import probe_task
from automl.execution.cluster.probe import (
    NodeFacts,
    Offset,
    SharedFolder,
    clock_note,
    refusal,
    unseen_data,
)
from automl.execution.cluster.readiness import Question, Readiness, readiness, unreached
from automl.execution.cluster.staging import DataSource, FolderContent, Taken, take_in
from automl.execution.cluster.tasks import Tasks
from automl.execution.driver import TrainerChoice

__all__ = ["Course", "NodeVerdict", "Probing"]

#: Seconds that a node gets to answer, the start of a first worker there included.
_ANSWERS_S = 90.0
#: Seconds for what moves gigabytes: hashing data, pulling an image.
_MOVES_S = 7200.0
_STEPS = 10


@dataclass(frozen=True, slots=True)
class NodeVerdict:
    """What a node's probe has shown.

    Attributes:
        refused: Why no trial may run there, as part of a sentence; empty where they may.
        note: What a reader should know of it.
        is_apart: Whether it does not share the study's folder, and uses the study's store.
        data: Folder of the driver's to where the node has it, for those that were brought there.
    """

    refused: str = ""
    note: str = ""
    is_apart: bool = False
    data: Mapping[str, str] = field(default_factory=dict)


#: Yields what is being done, as part of a sentence, or nothing; to be advanced again and again.
Course: TypeAlias = Generator[str, None, NodeVerdict]


class _Unfit(Exception):
    """Ends a course; its text is the reason."""


class Probing:
    """Probes nodes.

    Args:
        tasks: Reach the nodes.
        here: What is true of the driver's machine.
        shared: The folder that nodes must see.
        trainer: What is to train there; None where that is not known yet.
        moves: Whether what a node lacks may be brought there; else that is only said.
    """

    def __init__(
        self,
        tasks: Tasks,
        here: NodeFacts,
        shared: SharedFolder,
        trainer: TrainerChoice | None = None,
        *,
        moves: bool = True,
    ) -> None:
        self._tasks = tasks
        self._here = here
        self._shared = shared
        self._trainer = trainer
        self._moves = moves
        self._kept_source: Any = None

    def course(self, node: str) -> Course:
        """Probes one node."""
        try:
            return (yield from self._course(node))
        except _Unfit as reason:
            return NodeVerdict(refused=str(reason))

    def _course(self, node: str) -> Course:
        question = self._shared.question([*self._here.data], node)
        reference = self._tasks.ask(node, probe_task.answer, question)
        facts = NodeFacts(**(yield from self._awaited(reference)))
        if why := refusal(self._here, facts):
            raise _Unfit(why)
        unseen = self._unseen(facts, node)
        if unseen and not self._shared.store:
            raise _Unfit(unseen)
        notes = ["uses the study's store"] if unseen else []
        if unseen:
            yield from self._reaches_store(node)
        data = yield from self._data(node, facts, notes)
        yield from self._ready(node, data, notes)
        asked_at = time.time()
        there = yield from self._awaited(self._tasks.ask(node, probe_task.clock))
        clock = clock_note(Offset.of(there, asked_at, time.time()))
        return NodeVerdict("", "; ".join(filter(None, (clock, *notes))), bool(unseen), data)

    def _awaited(
        self, reference: Any, within_s: float = _ANSWERS_S, doing: Callable[[], str] = str
    ) -> Generator[str, None, Any]:
        deadline = time.monotonic() + within_s
        while (heard := self._tasks.heard(reference)) is None:
            if time.monotonic() > deadline:
                raise _Unfit(f"it did not answer within {within_s:.0f} s")
            yield doing()
        value, error = heard
        if error:
            raise _Unfit(error)
        return value

    def _unseen(self, facts: NodeFacts, node: str) -> str:
        """Why a node does not share the study's folder; empty where it does."""
        if self._shared.folder is None:
            return ""
        if facts.error:
            return f"it does not see the study's folder: {facts.error}"
        if not self._shared.is_seen_both_ways(facts, node):
            return f"what it writes into {self._shared.folder} is not seen here"
        return ""

    def _reaches_store(self, node: str) -> Generator[str, None, None]:
        """Has a node that does not share the study's folder write to the study's store."""
        asked = self._tasks.ask(node, unreached, self._shared.store)
        why: str = yield from self._awaited(asked)
        if why:
            raise _Unfit(f"it does not see the study's folder, and the study's store: {why}")

    # Bringing data

    def _data(
        self, node: str, facts: NodeFacts, notes: list[str]
    ) -> Generator[str, None, dict[str, str]]:
        """Where the node has the folders that it does not see at the driver's place."""
        unseen = unseen_data(self._here, facts)
        if unseen and not self._moves:
            notes.append(f"{next(iter(unseen.values()))}: it is brought there when a study begins")
            return {}
        found = {}
        for folder, why in unseen.items():
            found[folder] = yield from self._brought(node, folder, why)
        if found:
            notes.append(f"has a copy of {' and '.join(found)}")
        return found

    def _brought(self, node: str, folder: str, why: str) -> Generator[str, None, str]:
        source = self._source()
        listing: FolderContent = yield from self._awaited(
            source.listing.remote(folder), _MOVES_S, lambda: f"{why}: it is read here first"
        )
        reference = self._tasks.ask(node, take_in, source, node, folder, listing)
        progress = self._progress(source, node, folder, listing.n_bytes)
        taken: Taken = yield from self._awaited(reference, _MOVES_S, lambda: next(progress))
        if taken.error:
            raise _Unfit(f"{why}, and it cannot be brought there: {taken.error}")
        return taken.path

    def _progress(
        self, source: Any, node: str, folder: str, n_bytes: int
    ) -> Generator[str, None, None]:
        """How far it is, in tenths; each is a line for a reader."""
        tenth, asked = 0, source.given.remote(node, folder)
        while True:
            heard = self._tasks.heard(asked)
            if heard is not None:
                tenth = int(_STEPS * (heard[0] or 0) / max(n_bytes, 1))
                asked = source.given.remote(node, folder)
            yield f"is given {folder}, {n_bytes / 1e6:,.1f} MB: {100 * tenth // _STEPS} %"

    def _source(self) -> Any:
        if self._kept_source is None:
            folders = [*self._here.data]
            self._kept_source = self._tasks.actor(self._tasks.here, DataSource, folders)
        return self._kept_source

    # What trains

    def _ready(
        self, node: str, data: Mapping[str, str], notes: list[str]
    ) -> Generator[str, None, None]:
        """Has the node make sure that the trainer can start there."""
        if self._trainer is None:
            return
        folders = tuple(data.get(folder, folder) for folder in self._here.data)
        folder = str(self._shared.folder or "") if self._moves else ""
        question = Question(self._trainer, folder, folders if self._moves else (), self._moves)
        answer: Readiness = yield from self._awaited(
            self._tasks.ask(node, readiness, question), _MOVES_S, lambda: "is made ready"
        )
        if answer.refused:
            raise _Unfit(answer.refused)
        if answer.note:
            notes.append(answer.note)
