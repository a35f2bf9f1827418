"""``container.json`` of an attempt: which container it ran in, and how that ended."""

from dataclasses import dataclass
from typing import Any

from automl.files import write_json
from automl.jsontext import read_json
from automl.study.layout import AttemptPaths
from automl.trainers.docker.mounts import Mounts
from automl.trainers.docker.plan import ContainerPlan

__all__ = ["ContainerRecord", "read_record", "write_end", "write_plan"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ContainerRecord:
    """What is noted of a container.

    Attributes:
        image: Id or name of the image that it was made of.
        name: Its name.
        mounts: What it saw of the host.
        command_line: The ``docker run`` that would start it.
        exit_code: How it ended; None while that is not known.
    """

    image: str
    name: str
    mounts: Mounts
    command_line: str
    exit_code: int | None = None

    @classmethod
    def of(cls, plan: ContainerPlan) -> "ContainerRecord":
        """The record of a container that is about to be made."""
        return cls(plan.image, plan.name, plan.mounts, plan.command_line())

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write, with its format number."""
        return {
            "format": FORMAT,
            "image": self.image,
            "name": self.name,
            "mounts": self.mounts.to_json(),
            "command_line": self.command_line,
            "exit_code": self.exit_code,
        }


def write_plan(paths: AttemptPaths, record: ContainerRecord) -> None:
    """Writes down what is about to be started."""
    write_json(paths.container, record.to_json())


def write_end(paths: AttemptPaths, record: ContainerRecord, exit_code: int) -> None:
    """Adds how it ended, so that this outlives the container."""
    write_json(paths.container, record.to_json() | {"exit_code": exit_code})


def read_record(paths: AttemptPaths) -> ContainerRecord | None:
    """What was noted of an attempt's container; None if nothing whole was."""
    try:
        value = read_json(paths.container, follow=False)
        if value["format"] != FORMAT:
            return None
        return ContainerRecord(
            str(value["image"]),
            str(value["name"]),
            Mounts.from_json(value["mounts"]),
            str(value["command_line"]),
            value["exit_code"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
