"""What a report shows, as plain values; every format is rendered from one ``Summary``.

Nothing here reads a file or a clock: ``automl.reports.summary`` fills these values from a study
folder, and the formats only lay them out. Seconds are wall seconds unless a name says otherwise.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from automl.reports.budget import Spent, spent_of
from automl.reports.findings import (
    Command,
    Cost,
    EarlyEnds,
    EdgeHint,
    FailureGroup,
    IncumbentPoint,
    Winner,
)
from automl.reports.poses.evaluations import VALIDATION, Evaluation, n_images_of
from automl.reports.poses.held_out import HeldOut
from automl.reports.prospects import Prospects, prospects_of
from automl.reports.saved import saved_of
from automl.reports.strict import strict_json
from automl.reports.trial_report import TrialReport, trial_json
from automl.skill.tree import ParamValue
from automl.space.model import SearchSpace
from automl.study.config import Objective, StudyConfig
from automl.study.confirmation import n_asked
from automl.study.ranking import is_ranked
from automl.study.records import TrialState
from automl.study.state import StudyStatus

__all__ = ["SCHEMA", "Summary", "TrialReport"]

SCHEMA = "automl.report/1"


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything a report shows; a pure function of the study folder.

    Attributes:
        folder: The study folder, as it was given to the reader.
        config: What was asked.
        space: What was searched, what was not and why.
        status: Where the study stands.
        stop_reason: Why it ended or was stopped, if the driver said so.
        trials: By number.
        counts: Number of trials by state; states without a trial are left out.
        n_refused: Proposals that were refused before they cost anything.
        refused: The settings of each of them.
        winner: The best usable trial; None if there is none.
        incumbents: Usable trials in the order in which they ended.
        failures: By class, the costliest first.
        cost: Time spent.
        edges: Ranges that the winner presses against.
        early_ends: What ending trials early has done; None of a study without rungs.
        provenance: Versions, hashes, host, as the study wrote them; empty if it did not.
        commands: Ready command lines.
        notes: What could not be read, in words.
        evaluations: Every evaluation of a checkpoint that has ended, oldest first.
        held_out: What the test images say of the winner; None where it was not evaluated on them.
    """

    folder: Path
    config: StudyConfig
    space: SearchSpace
    status: StudyStatus
    stop_reason: str = ""
    trials: tuple[TrialReport, ...] = ()
    counts: Mapping[TrialState, int] = field(default_factory=dict)
    n_refused: int = 0
    refused: tuple[Mapping[str, ParamValue], ...] = ()
    winner: Winner | None = None
    incumbents: tuple[IncumbentPoint, ...] = ()
    failures: tuple[FailureGroup, ...] = ()
    cost: Cost = field(default_factory=Cost)
    edges: tuple[EdgeHint, ...] = ()
    early_ends: EarlyEnds | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    commands: tuple[Command, ...] = ()
    notes: tuple[str, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    held_out: HeldOut | None = None

    @property
    def n_validation(self) -> int | None:
        """Images of the validation split; None where nobody counted them."""
        return n_images_of(self.provenance, VALIDATION)

    @property
    def measured(self) -> str:
        """The metric, and on how many validation images it is measured where that is known."""
        n, metric = self.n_validation, self.objective.metric
        return metric if n is None else f"{metric} ({n} images)"

    @property
    def start(self) -> Evaluation | None:
        """The newest evaluation on validation data of what every trial started from."""
        known = [e for e in self.evaluations if e.is_start and e.split == VALIDATION]
        return known[-1] if known else None

    @property
    def name(self) -> str:
        """The study's name."""
        return self.config.name

    @property
    def objective(self) -> Objective:
        """The metric and its direction."""
        return self.config.objective

    @property
    def is_fake(self) -> bool:
        """Whether a script made the numbers up, so that no claim may rest on them."""
        return self.config.is_fake

    @property
    def is_search(self) -> bool:
        """Whether there was a search; else it is one direct training."""
        return self.config.is_search

    @property
    def n_finished(self) -> int:
        """Trials that have ended in whatever way."""
        return sum(n for state, n in self.counts.items() if state.is_finished)

    @property
    def n_searched(self) -> int:
        """Trials of the search that have ended; trainings with fresh seeds are none of them."""
        own = [trial.record for trial in self.trials if trial.record.confirms is None]
        return sum(record.state.is_finished for record in own)

    @property
    def n_to_search(self) -> int:
        """Trials that the search asked for; of a finished study those that it ran."""
        if self.status is StudyStatus.FINISHED:
            return self.n_searched
        own = sum(trial.record.confirms is None for trial in self.trials)
        return max(own, self.config.limits.trials if self.is_search else 1)

    @property
    def n_again(self) -> int:
        """Trainings of known settings with fresh seeds that have ended."""
        return self.n_finished - self.n_searched

    @property
    def counted(self) -> str:
        """How many trials have ended of how many, and how many trainings confirmed them."""
        again = f", then {self.n_again} with fresh seeds" if self.n_again else ""
        return f"{self.n_searched} of {self.n_to_search} ended{again}"

    def called(self, state: TrialState) -> str:
        """A trial's state in words: nothing runs in a study that nobody drives."""
        is_left = state is TrialState.RUNNING and self.status is not StudyStatus.RUNNING
        return "cut short" if is_left else str(state)

    @property
    def n_usable(self) -> int:
        """Trials of the search that a rank may be built on."""
        return sum(is_ranked(trial.record) for trial in self.trials)

    @property
    def n_asked(self) -> int:
        """Trials that were asked for; of a finished study those that it ran.

        A space may hold fewer configurations than trials were asked for.
        """
        if self.status is StudyStatus.FINISHED:
            return self.n_finished
        return n_asked([trial.record for trial in self.trials], self.config)

    @property
    def baseline(self) -> TrialReport | None:
        """Trial 0: the default that every claim is measured against; None if not usable."""
        first = self.trial(0)
        return first if first is not None and first.record.is_usable else None

    @property
    def param_keys(self) -> tuple[str, ...]:
        """The searched keys in the order of the space, then whatever else a trial had."""
        known = self.space.keys
        seen = {key for trial in self.trials for key in trial.record.params}
        return known + tuple(sorted(seen - set(known)))

    @property
    def spent(self) -> Spent:
        """What of the study's time was planned, used and saved."""
        limits, saved = self.config.limits, saved_of(self.trials, self.config.search)
        spent = spent_of(limits, self.cost.wall_s, self.cost.gpu_seconds, saved)
        return replace(spent, price=self.config.price_per_gpu_hour)

    @property
    def prospects(self) -> Prospects | None:
        """How sure the gain is, what it cost and what more would bring; None without a winner."""
        if self.winner is None or not self.is_search:
            return None
        records = [trial.record for trial in self.trials]
        return prospects_of(records, self.winner, self.cost, self.objective)

    @property
    def next_commands(self) -> tuple[Command, ...]:
        """The three most useful commands, and what would confirm a winner that was not."""
        confirming = (command for command in self.commands[3:] if command.name == "confirm")
        return (*self.commands[:3], *confirming)

    @property
    def other_commands(self) -> tuple[Command, ...]:
        """The others, for whoever looks for them."""
        return tuple(command for command in self.commands if command not in self.next_commands)

    def command(self, name: str) -> str:
        """The command line of a name; empty where it is not offered."""
        return next((command.line for command in self.commands if command.name == name), "")

    def trial(self, number: int) -> TrialReport | None:
        """The trial of that number, or None."""
        return next((trial for trial in self.trials if trial.number == number), None)

    def to_json(self) -> dict[str, Any]:
        """The content of ``report.json``: strict JSON, each null of ours with its reason."""
        content = {
            "schema": SCHEMA,
            "study": self.name,
            "folder": self.folder,
            "fake": self.is_fake,
            "status": self.status,
            "stop_reason": self.stop_reason,
            "policy": {"value": self.config.policy, "source": self.config.policy_source},
            "objective": asdict(self.objective),
            "counts": self.counts,
            "refused": self.n_refused,
            "winner": None if self.winner is None else asdict(self.winner),
            "incumbents": [asdict(point) for point in self.incumbents],
            "trials": [trial_json(trial) for trial in self.trials],
            "failures": [asdict(group) for group in self.failures],
            "cost": asdict(self.cost),
            "budget": asdict(self.spent),
            "prospects": None if self.prospects is None else asdict(self.prospects),
            "space": self.space.to_json(),
            "edges": [asdict(hint) for hint in self.edges],
            "early_ends": None if self.early_ends is None else asdict(self.early_ends),
            "commands": [asdict(command) for command in self.commands],
            "config": self.config.to_json(),
            "provenance": self.provenance,
            "notes": self.notes,
            "validation_images": self.n_validation,
            "evaluations": [asdict(each) for each in self.evaluations],
            "held_out": None if self.held_out is None else asdict(self.held_out),
        }
        value, reasons = strict_json(content)
        return {**value, "nulls": reasons}
