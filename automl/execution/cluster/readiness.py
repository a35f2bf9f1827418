"""Whether a study's trainer can start anything on a node: asked there."""

from dataclasses import dataclass
from pathlib import Path

from automl.errors import AutomlError
from automl.execution.driver import TrainerChoice, open_trainer
from automl.study.study_store import StoreError, StudyStore
from automl.trainers.base import ChecksPaths, Fetching, Problem, Trainer, release

__all__ = ["Question", "Readiness", "readiness", "unreached"]


@dataclass(frozen=True, slots=True)
class Question:
    """What a node is to be ready for.

    Attributes:
        trainer: What trains.
        folder: The study's folder, which is made where the node has none; empty for none yet.
        data: Folders of the data, as the node sees them.
        fetches: Whether the node may fetch what it lacks, which may take long.
    """

    trainer: TrainerChoice
    folder: str = ""
    data: tuple[str, ...] = ()
    fetches: bool = True


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a node says.

    Attributes:
        refused: What keeps trials from it, as part of a sentence; empty for nothing.
        note: What it has yet to get.
    """

    refused: str = ""
    note: str = ""


def readiness(question: Question) -> Readiness:
    """Whether trials could start on the machine that this runs on."""
    try:
        if question.folder:
            Path(question.folder).mkdir(parents=True, exist_ok=True)
        trainer = open_trainer(question.trainer)
    except OSError as error:
        return Readiness(f"the study's folder cannot be made there: {error.strerror}")
    except AutomlError as error:
        return Readiness(f"{error.rule}, got {error.got}")
    try:
        return _asked(trainer, question)
    finally:
        release(trainer)


def unreached(store: str) -> str:
    """Why a study's store cannot be written from the machine that this runs on; empty if it can.

    Args:
        store: Where the study lies in it.
    """
    try:
        StudyStore(store).snapshots().try_out()
    except StoreError as error:
        return str(error)
    except AutomlError as error:
        return f"{error.rule}, got {error.got}"
    return ""


def _asked(trainer: Trainer, question: Question) -> Readiness:
    problems = trainer.check()
    if problems and isinstance(trainer, Fetching):
        if not question.fetches and (what := trainer.fetchable()):
            return Readiness(note=f"fetches {what} when a study begins")
        problems = trainer.fetch()
    if not problems and isinstance(trainer, ChecksPaths):
        named = filter(None, (question.folder, *question.data))
        problems = trainer.check_paths([Path(folder) for folder in named])
    return Readiness(_text(problems[0])) if problems else Readiness()


def _text(problem: Problem) -> str:
    return f"{problem.rule}, got {problem.got}" if problem.got else problem.rule
