"""The evaluations that belong to a search: what it starts from, and what it came to.

Each is an ordinary evaluate action on a checkpoint, with a folder and a record of its own. One
that fails costs its part of the report and is made by the next ``automl resume`` or
``automl poses``; it never costs the study.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from automl.app.act import ActPlan, ActRequest, plan_action
from automl.app.action_run import carry_out, ready_trainer
from automl.errors import AutomlError
from automl.execution.control import Control, Stage
from automl.reports.poses.evaluations import TEST, VALIDATION, newest, read_evaluations
from automl.reports.words import count, one_line
from automl.skill.model import Skill
from automl.study.actions import new_folder
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths
from automl.study.outcomes import read_outcome
from automl.study.race import winner
from automl.study.records import Outcome, TrialRecord
from automl.trainers.table import trainer_entry

__all__ = ["AskedEvaluation", "PoseEvaluations", "can_evaluate", "missing", "wanted"]

_ACTION: Final = "evaluate"
_AT_ONCE: Final = 2  # half of an evaluation's time is a process that starts
_WIDTH: Final = 160


@dataclass(frozen=True, slots=True)
class AskedEvaluation:
    """A checkpoint to evaluate.

    Attributes:
        trial: Whose; None for what every trial starts from.
        split: ``validation`` or ``test``.
        folder: Where these images are.
    """

    trial: int | None
    split: str
    folder: str

    def __str__(self) -> str:
        whose = "the starting checkpoint" if self.trial is None else f"trial {self.trial}"
        return f"{whose} on the {self.split} images"


def can_evaluate(config: StudyConfig, skill: Skill) -> bool:
    """Whether a study's trainer evaluates at all, and there is something to compare."""
    if not config.is_search or config.is_fake or not config.data.val:
        return False
    return _ACTION in skill.actions and not trainer_entry(config.trainer).trains_only


def wanted(config: StudyConfig, records: Sequence[TrialRecord]) -> list[AskedEvaluation]:
    """Winner and default on validation and test data, then each confirmation on validation data.

    Args:
        config: What the study was asked.
        records: Every trial.
    """
    best = winner(records, config)
    if best is None:
        return []
    usable = [record for record in records if record.is_usable and record.checkpoint]
    chosen = [record.number for record in usable if record.number in (0, best.number)]
    confirming = [record.number for record in usable if record.confirms is not None]
    data = config.data
    splits = [(VALIDATION, data.val), *([(TEST, data.test)] if data.test else [])]
    found = [AskedEvaluation(number, *split) for split in splits for number in chosen]
    return [*found, *(AskedEvaluation(number, VALIDATION, data.val) for number in confirming)]


def missing(
    paths: StudyPaths, config: StudyConfig, records: Sequence[TrialRecord]
) -> list[AskedEvaluation]:
    """The evaluations that a search should end with and that have not gone well yet."""
    asked = wanted(config, records)
    outcomes = {
        each.trial: _outcomes(paths, each.trial) for each in asked if each.trial is not None
    }
    made = read_evaluations(paths, config, outcomes, {})
    return [
        each
        for each in asked
        if each.trial is not None and newest(made, each.trial, each.split) is None
    ]


def _outcomes(paths: StudyPaths, number: int) -> list[Outcome]:
    read = (read_outcome(attempt)[0] for _, attempt in paths.attempts(number))
    return [outcome for outcome in read if outcome is not None]


@dataclass(frozen=True, slots=True)
class PoseEvaluations:
    """Makes evaluations of one study.

    Attributes:
        paths: The study.
        config: What it was asked.
        control: Says when nothing more is to be started, and when what runs is to be stopped.
        tell: Called with a sentence about what begins and what has failed.
    """

    paths: StudyPaths
    config: StudyConfig
    control: Control
    tell: Callable[[str], None]

    def at_start(self) -> None:
        """Evaluates what every trial starts from, once."""
        if not self.config.parent_checkpoint:
            return
        made = read_evaluations(self.paths, self.config, {}, {})
        if not any(each.is_start and each.value is not None for each in made):
            self.make([AskedEvaluation(None, VALIDATION, self.config.data.val)])

    def at_end(self, records: Sequence[TrialRecord]) -> None:
        """Evaluates what the search came to, as far as that has not been done."""
        self.make(missing(self.paths, self.config, records))

    def make(self, asked: Sequence[AskedEvaluation]) -> None:
        """Makes evaluations, two at a time; whatever goes wrong is said and goes no further."""
        if not asked:
            return
        if not self.control.is_asking:
            name = self.config.name
            self.tell(f"no poses: the study was stopped; automl poses {name} makes them")
            return
        images = " and ".join(dict.fromkeys(each.split for each in asked))
        self.tell(f"{count(len(asked), 'evaluation')} on the {images} images, poses kept")
        taken = _folders(self.paths.actions, len(asked))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for each, problem in zip(asked, pool.map(self._one, asked, taken), strict=True):
                if problem:
                    why = one_line(f"{each} could not be evaluated: {problem}", _WIDTH)
                    self.tell(f"{why}; automl poses {self.config.name} tries again")

    def _one(self, asked: AskedEvaluation, folder: Path) -> str:
        """Makes one evaluation; returns why it failed, or nothing."""
        if not self.control.is_asking:
            return "the study was stopped"
        try:
            plan = plan_action(self._request(asked, folder))
            record = carry_out(plan, ready_trainer(plan), self._stopper(plan))
        except (AutomlError, OSError) as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - a trial's boundary: the study goes on
            return f"{type(error).__name__}: {error}"
        return record.evidence

    def _request(self, asked: AskedEvaluation, folder: Path) -> ActRequest:
        start = self.config.parent_checkpoint
        return ActRequest(
            action=_ACTION,
            studies_dir=self.paths.folder.parent,
            study=self.config.name,
            trial="best" if asked.trial is None else str(asked.trial),
            checkpoint=start if asked.trial is None else "best",
            spec_file=self.paths.base_spec if asked.trial is None else None,
            data={"test": asked.folder},
            results=folder,
        )

    def _stopper(self, plan: ActPlan) -> Callable[[], str]:
        """What says why a running evaluation must end."""
        limit_s, began = self.config.limits.trial_timeout_s, time.monotonic()

        def why() -> str:
            if self.control.stage is Stage.NOW:
                return "interrupted"
            took_s = time.monotonic() - began
            is_hung = limit_s is not None and took_s > limit_s
            return f"no end of {plan.folder.name} after {took_s:.0f} s" if is_hung else ""

        return why


def _folders(actions: Path, n: int) -> list[Path]:
    """Names for evaluations that begin at the same time."""
    first = new_folder(actions.absolute(), _ACTION)
    number = int(first.name.rpartition("-")[2])
    return [first.with_name(f"{_ACTION}-{number + k}") for k in range(n)]
