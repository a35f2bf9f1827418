"""What a command line asks of an action on a checkpoint."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["ActRequest"]


def _tell_nobody(_: str) -> None:
    """For a caller that shows nothing."""


@dataclass(frozen=True, slots=True)
class ActRequest:
    """What a command line asks for.

    Attributes:
        action: TAO's name of the action.
        studies_dir: Where studies are kept.
        study: A study's name; None for the newest.
        trial: ``best``, ``baseline``, ``last`` or a number.
        checkpoint: One of the trial (``best``, ``last``, ``latest``, an epoch, a name), or a path.
        deploy: Whether the deploy container's form of the action is meant.
        spec_file: The training's spec, for a checkpoint that has none beside it.
        skill_dir: The model skill; None for the study's, else this package's own.
        overrides: ``KEY=VALUE`` texts.
        data: Split to a folder or tarball, as given.
        inputs: ``KEY=PATH`` texts.
        tuned: File of settings that ``tune-inference`` found; None for none.
        known_size: What is known of the object's size, as ``poses.known_size`` reads it; empty for
            nothing.
        results: Folder to make for the results; None for one of the study.
        trainer: ``process`` or ``docker``; None for the study's, and docker for an engine.
        gpus: Ids of the GPUs to use; None for the study's first.
        image: Container image to use instead of the skill's.
        tell: Called with a sentence when something that takes a while begins.
    """

    action: str
    studies_dir: Path
    study: str | None = None
    trial: str = "best"
    checkpoint: str = "best"
    deploy: bool = False
    spec_file: Path | None = None
    skill_dir: Path | None = None
    overrides: tuple[str, ...] = ()
    data: Mapping[str, str | None] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    tuned: Path | None = None
    known_size: str = ""
    results: Path | None = None
    trainer: str | None = None
    gpus: tuple[str, ...] | None = None
    image: str = ""
    tell: Callable[[str], None] = _tell_nobody
