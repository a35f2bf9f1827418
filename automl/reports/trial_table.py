"""The table of trials as rows of text: the search's trials by score, confirmations apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from automl.reports import words
from automl.reports.details import TrialDetail
from automl.reports.model import Summary, TrialReport
from automl.study.expected import is_race
from automl.study.ranking import is_ranked
from automl.study.records import TrialState
from automl.study.state import StudyStatus

__all__ = ["Cell", "TrialRow", "confirmation_rows", "searched_rows", "state_word", "state_words"]

_SOURCES = {"default": "default settings", "sampler": ""}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: what it sorts and filters by, to seven digits, and what is read."""

    value: str
    text: str


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One trial.

    Attributes:
        number: The trial.
        folder: Its folder relative to the study folder; may be empty.
        state: In which it is, which also decides how the word looks.
        word: What is written there: the class of a failure, else the state.
        score: The objective at its best epoch; sorted by only where it may be ranked.
        epoch: That epoch.
        last: The objective at its last epoch.
        params: One cell a parameter.
        took: Its training time.
        changes: In what it differs from trial 0, in words.
        note: Why it was tried, and what happened to it.
        of: The trial whose settings it trains again; None of the search.
        seed: What it was seeded with.
        is_winner: Whether the study names it as its best.
    """

    number: int
    folder: str
    state: str
    word: str
    score: Cell
    epoch: Cell
    last: Cell
    params: tuple[Cell, ...]
    took: Cell
    changes: str
    note: str
    of: int | None
    seed: int | None
    is_winner: bool


def searched_rows(summary: Summary, details: dict[int, TrialDetail]) -> list[TrialRow]:
    """The trials of the search, the best score first and those without a rank last."""
    own = [trial for trial in summary.trials if trial.record.confirms is None]
    own.sort(key=lambda trial: _order(trial, summary))
    return _rows(own, summary, details)


def confirmation_rows(summary: Summary, details: dict[int, TrialDetail]) -> list[TrialRow]:
    """The trainings of known settings with fresh seeds, by number."""
    again = [trial for trial in summary.trials if trial.record.confirms is not None]
    return _rows(again, summary, details)


def _rows(
    trials: Sequence[TrialReport], summary: Summary, details: dict[int, TrialDetail]
) -> list[TrialRow]:
    short = words.short_names(summary.param_keys)
    return [_row(trial, summary, details[trial.number], short) for trial in trials]


def _order(trial: TrialReport, summary: Summary) -> tuple[bool, float, int]:
    value = trial.record.best_value
    if not is_ranked(trial.record) or value is None:
        return True, 0.0, trial.number
    return False, summary.objective.loss(value), trial.number


def state_words(summary: Summary) -> dict[TrialState, str]:
    """Each state in a word; what ran when its driver died was cut short."""
    found = {state: str(state) for state in TrialState}
    if summary.status is not StudyStatus.RUNNING:
        found[TrialState.RUNNING] = "cut short"
    return found


def state_word(trial: TrialReport, summary: Summary) -> str:
    """How a trial ended in a word: the class of its failure, else its state."""
    return str(trial.record.failure or state_words(summary)[trial.record.state])


def _row(
    trial: TrialReport, summary: Summary, detail: TrialDetail, short: Mapping[str, str]
) -> TrialRow:
    record = trial.record
    ranked = record.best_value if record.is_usable else None
    return TrialRow(
        number=trial.number,
        folder=trial.folder,
        state=str(record.state),
        word=state_word(trial, summary),
        score=Cell(_number(ranked), words.value(record.best_value)),
        epoch=Cell(_number(record.best_epoch), _plain(record.best_epoch)),
        last=Cell(_number(trial.last_value), words.value(trial.last_value)),
        params=tuple(_param(trial, key) for key in short),
        took=Cell(_number(record.seconds), words.duration(record.seconds)),
        changes=_changes(detail, short),
        note=_note(trial),
        of=record.confirms,
        seed=trial.seed,
        is_winner=summary.winner is not None and summary.winner.number == trial.number,
    )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return repr(value if isinstance(value, int) else float(f"{value:.7g}"))


def _plain(value: int | None) -> str:
    return "-" if value is None else str(value)


def _param(trial: TrialReport, key: str) -> Cell:
    if key not in trial.record.params:
        return Cell("", "-")
    value = trial.record.params[key]
    text = words.param(value)
    return Cell(_number(value) if isinstance(value, float) else text, text)


def _changes(detail: TrialDetail, short: Mapping[str, str]) -> str:
    if detail.number == 0:
        return "the default"
    texts = [f"{short.get(c.key, c.key)} {words.param(c.value)}" for c in detail.changes]
    return ", ".join(texts) or "nothing"


def _note(trial: TrialReport) -> str:
    record = trial.record
    texts = [_SOURCES.get(record.source, record.source)]
    if record.confirms is not None:
        texts = ["to choose the winner" if is_race(record) else "to confirm it"]
    if record.attempts > 1:
        texts.append(f"{record.attempts} attempts")
    return "; ".join(_given([*texts, record.evidence]))


def _given(texts: Sequence[str]) -> list[str]:
    return [text for text in texts if text]
