"""What a study that goes on will do, worked out before it does it.

The plan is what recovery itself did: on the study when it goes on, on a copy of its trials in
memory when somebody only asks.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.app.extending import check_affordable, check_total
from automl.app.going_on import GoingOn, Ready, ready_to_go_on, recover
from automl.app.image import left_running
from automl.reports.words import count
from automl.search.engine import Engine
from automl.search.recovery import Recovered
from automl.search.retrying import Retry
from automl.study.config import StudyConfig
from automl.study.confirmation import n_asked, searched
from automl.study.layout import StudyPaths
from automl.study.lock import StudyLock
from automl.study.records import TrialRecord, TrialState
from automl.study.state import counts_of
from automl.study.storage import copy_in_memory, read_study

__all__ = ["ResumePlan", "check_may_go_on", "plan_going_on", "plan_resume"]


@dataclass(frozen=True, slots=True)
class ResumePlan:
    """What a study that goes on will do.

    Attributes:
        study: Its name.
        counts: Trial state to the number of trials that have ended so, fresh seeds included.
        again: What becomes of the trials that were cut short, and of those tried again.
        n_paused: Trials that rest at a rung, and may go on.
        n_left: Trainings to go, those cut short and the expected fresh seeds included; an upper
            bound where the time is limited.
        n_fresh: Those of them that are trained with fresh seeds.
        left: What is left of its time, in words; empty where nothing limits it.
        ended: Why nothing more is started; empty while something may be.
        notes: How the study differs from what it was.
    """

    study: str
    counts: Mapping[str, int]
    again: tuple[Recovered, ...]
    n_paused: int
    n_left: int
    n_fresh: int
    left: str
    ended: str
    notes: tuple[str, ...]

    def lines(self) -> tuple[str, ...]:
        """The plan for a reader, a sentence a line."""
        kept = ", ".join(f"{n} {state}" for state, n in self.counts.items())
        ended = f"ended and kept: {kept}" if kept else "ended and kept: none"
        again = map(str, self.again)
        return (ended, *again, self._to_go(), *self.notes)

    def _to_go(self) -> str:
        if self.ended:
            return f"to go: none ({self.ended})"
        fresh = f", {self.n_fresh} of them with fresh seeds" if self.n_fresh else ""
        paused = f"; {count(self.n_paused, 'paused trial')} may go on" if self.n_paused else ""
        left = f", as far as {self.left} allow" if self.left else ""
        return f"to go: {count(self.n_left, 'training')}{fresh}{left}{paused}"

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        return {
            "study": self.study,
            "ended": dict(self.counts),
            "again": [
                {"trial": each.number, "attempt": each.attempt, "what": each.text}
                for each in self.again
            ],
            "paused": self.n_paused,
            "to_go": self.n_left,
            "fresh_seeds": self.n_fresh,
            "left": self.left,
            "ends_at_once": self.ended,
            "notes": list(self.notes),
        }


def check_may_go_on(engine: Engine, config: StudyConfig, asked: GoingOn) -> None:
    """Refuses what cannot be reached: fewer trials than there are, more than the time allows.

    Raises:
        FixInput: It cannot.
    """
    if asked.limits.get("trials") is not None:
        # A trial of the user's own may have been started beyond the total.
        check_total(config, len(searched(engine.records())))
    check_affordable(engine.overdrawn(), asked.limits)


def plan_going_on(
    engine: Engine, ready: Ready, held: frozenset[Path], retry: Retry | None
) -> ResumePlan:
    """Recovers what a driver left, and says what follows.

    Args:
        engine: The search, over the study or a copy of it.
        ready: The study.
        held: Folders of the attempts whose trainings still run.
        retry: Failed trials that are trained again; None for none.
    """
    again = recover(engine, ready, held, retry)
    records = engine.records()
    again += tuple(_waiting(records, {each.number for each in again}))
    ended = [each for each in records if each.state.is_finished]
    n_left = max(0, n_asked(records, ready.config) - len(ended))
    config, stopped = ready.config, engine.stopped
    n_search = config.limits.trials - sum(r.state.is_finished for r in searched(records))
    return ResumePlan(
        study=config.name,
        counts=counts_of(ended),
        again=again,
        n_paused=sum(each.state is TrialState.PAUSED for each in records),
        n_left=n_left,
        n_fresh=max(0, n_left - max(0, n_search)) if config.is_search else 0,
        left=engine.left(),
        ended="" if stopped is None else str(stopped),
        notes=ready.notes,
    )


def _waiting(records: Sequence[TrialRecord], said: Collection[int | None]) -> Iterator[Recovered]:
    """The trials that an orderly stop has queued again."""
    for record in records:
        if record.state is TrialState.WAITING and record.attempts and record.number not in said:
            text = "was cut short: starts again with the same parameters"
            if record.inherited:
                epoch = max(each.epoch for each in record.inherited)
                text = f"was cut short: goes on from the checkpoint of epoch {epoch}"
            yield Recovered(record.number, record.attempts, text)


def plan_resume(paths: StudyPaths, asked: GoingOn) -> ResumePlan:
    """What a study would do if it went on; changes nothing of it.

    Raises:
        AutomlError: It could not go on as asked.
    """
    with StudyLock(paths):
        ready = ready_to_go_on(paths, asked, writes=False)
        config = ready.config
        copied = copy_in_memory(read_study(paths, config), config.objective)
        engine = Engine(copied, ready.space, config)
        check_may_go_on(engine, config, asked)
        held = left_running(paths, config, ready.skill, discards=False)
        return plan_going_on(engine, ready, held, asked.retry)
