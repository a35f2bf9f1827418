"""Whether trials may run on a node: what it says of itself beside what the driver says."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from automl.execution.cluster.probe_task import answer

__all__ = ["NodeFacts", "Offset", "SharedFolder", "clock_note", "refusal", "unseen_data"]

#: Seconds that two clocks may differ before it is said.
_CLOCKS_S = 1.0
_SEEN_WITHIN_S = 5.0
_POLL_S = 0.2
_FOLDER = ".probe"


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What is true of one machine.

    Attributes:
        python: Version of Python.
        torch: Version of torch; empty without it.
        version: This package's version; empty where it cannot be imported.
        digest: Digest of this package's source.
        content: What was read from the shared folder.
        error: Why that, or the answer to it, failed.
        data: Folder or file to a digest of it, empty where it cannot be read.
    """

    python: str
    torch: str
    version: str
    digest: str
    content: str = ""
    error: str = ""
    data: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def here(cls, data: Sequence[str]) -> Self:
        """Those of this machine."""
        return cls(**answer({"file": "", "reply": "", "data": list(data)}))


@dataclass(frozen=True, slots=True)
class Offset:
    """How far another clock is ahead of this one, within bounds, in seconds."""

    low_s: float
    high_s: float

    @classmethod
    def of(cls, there: float, asked: float, heard: float) -> Self:
        """By an answer of the other clock and the moments here between which it was given."""
        return cls(there - heard, there - asked)


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """A folder that every node must see at the same path, and a word left there for them.

    Attributes:
        folder: The folder; None where this is not to be checked.
        word: What the driver has written into it.
        store: Where the study's store has it, so that a node may do without it; empty for none.
    """

    folder: Path | None = None
    word: str = ""
    store: str = ""

    @classmethod
    def marked(cls, folder: Path, store: str = "") -> Self:
        """Leaves a new word in a folder.

        Args:
            folder: The folder.
            store: Address of what a node may use instead; empty for nothing.

        Raises:
            OSError: Nothing can be written there.
        """
        place = folder / _FOLDER
        place.mkdir(exist_ok=True)
        shared = cls(folder, secrets.token_hex(8), store)
        (place / shared.word).write_text(shared.word, encoding="utf-8")
        return shared

    def question(self, data: Sequence[str], node: str) -> dict[str, Any]:
        """What to ask a node, as ``probe_task.answer`` takes it."""
        if self.folder is None:
            return {"file": "", "reply": "", "data": list(data)}
        file, reply = self.folder / _FOLDER / self.word, self._reply(node)
        return {"file": str(file), "reply": str(reply), "data": list(data)}

    def is_seen_both_ways(self, facts: NodeFacts, node: str) -> bool:
        """Whether a node read the word, and its answer can be read here."""
        return facts.content == self.word and self._has_answered(node)

    def clear(self) -> None:
        """Takes the word and the answers away."""
        if self.folder is None:
            return
        place = self.folder / _FOLDER
        for file in place.glob(f"{self.word}*"):
            file.unlink(missing_ok=True)
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()

    def _reply(self, node: str) -> Path:
        assert self.folder is not None  # noqa: S101 -- asked with a folder alone
        return self.folder / _FOLDER / f"{self.word}.{node}"

    def _has_answered(self, node: str) -> bool:
        deadline = time.monotonic() + _SEEN_WITHIN_S
        while True:
            try:
                if self._reply(node).read_text(encoding="utf-8") == self.word:
                    return True
            except OSError:
                pass
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)


def refusal(here: NodeFacts, there: NodeFacts) -> str:
    """Why no trial may run on a machine, as part of a sentence; empty where they may.

    Args:
        here: The driver's.
        there: The node's; of the shared folder and the data nothing is judged.
    """
    if not there.version:
        return "automl is not installed there"
    if there.version == here.version and there.digest != here.digest:
        return f"its automl {there.version} is other code than the driver's"
    pairs = (
        (f"automl {there.version}", f"automl {here.version}"),
        (f"Python {there.python}", f"Python {here.python}"),
        (_torch(there), _torch(here)),
    )
    differ = next((pair for pair in pairs if pair[0] != pair[1]), None)
    return f"it has {differ[0]}, and the driver has {differ[1]}" if differ is not None else ""


def unseen_data(here: NodeFacts, there: NodeFacts) -> dict[str, str]:
    """The data and other files that a machine does not have, each with why, as part of a sentence.

    Args:
        here: The driver's.
        there: The node's.
    """
    reasons = {folder: _unseen(here, there, folder) for folder in here.data}
    return {folder: why for folder, why in reasons.items() if why}


def _unseen(here: NodeFacts, there: NodeFacts, path: str) -> str:
    is_file = Path(path).is_file()
    if not there.data.get(path):
        return f"it does not see {'' if is_file else 'the data in '}{path}"
    if there.data[path] == here.data[path]:
        return ""
    return f"{path} is another file there" if is_file else f"{path} holds other files there"


def _torch(facts: NodeFacts) -> str:
    return f"torch {facts.torch}" if facts.torch else "no torch"


def clock_note(offset: Offset) -> str:
    """What to say of a node's clock; empty where it agrees with this machine's."""
    if offset.low_s > _CLOCKS_S:
        return f"its clock is {offset.low_s:.0f} s ahead"
    if offset.high_s < -_CLOCKS_S:
        return f"its clock is {-offset.high_s:.0f} s behind"
    return ""
