"""Whether a study reached what was required of it, and the numbers that a requirement may name."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from automl.app.screen import Ending
from automl.reports.findings import Winner
from automl.reports.model import Summary
from automl.reports.summary import read_summary
from automl.study.condition import Known
from automl.study.config import Objective
from automl.study.records import TrialState
from automl.study.requirement import NAMES, check_names, parse_requirement

__all__ = ["REQUIREMENT_UNMET", "check_required", "held_to_requirement", "known_of"]

#: The exit code of a study that ended well and did not reach what was required.
REQUIREMENT_UNMET = 6


def check_required(text: str, objective: Objective, where: str) -> None:
    """Refuses a requirement that is none, or that names what no study has.

    Args:
        text: The requirement; empty for none.
        objective: The study's metric.
        where: Where it was asked for.

    Raises:
        FixInput: It is one of them.
    """
    if text:
        check_names(parse_requirement(text, where), objective.metric, where)


def held_to_requirement(ending: Ending) -> Ending:
    """The ending, or that of a requirement that is not met.

    A study that ended badly keeps its own.
    """
    if ending.exit_code:
        return ending
    summary = read_summary(ending.paths.folder)
    text = summary.config.require
    if not text:
        return ending
    unmet = parse_requirement(text, "require").unmet(known_of(summary))
    if not unmet:
        return replace(ending, reason=f"{ending.reason}; required and met: {text}")
    reason = f"the study ended, and what was required is not met: {'; '.join(unmet)}"
    return replace(ending, exit_code=REQUIREMENT_UNMET, reason=reason)


def known_of(summary: Summary) -> Known:
    """Every name of a requirement to its value in a study."""
    values = {name: number(summary) for name, number in _NUMBERS.items()}
    if set(values) != set(NAMES):
        raise ValueError(f"names without a number: {set(values) ^ set(NAMES)}")
    return {**values, summary.objective.metric: values["value"]}


def _of_winner(number: Callable[[Winner], float | None]) -> Callable[[Summary], float | None]:
    return lambda summary: None if summary.winner is None else number(summary.winner)


def _expected(winner: Winner) -> float | None:
    return None if winner.weighed is None else winner.weighed.value


def _default_mean(winner: Winner) -> float | None:
    told = winner.confirmed
    return None if told is None or told.default is None else told.default.mean


def _gain(summary: Summary) -> float | None:
    if summary.winner is None:
        return None
    told = summary.winner.confirmed
    found = summary.winner.difference if told is None else told.difference
    return _turned(summary, found)


def _gain_end(summary: Summary, *, low: bool) -> float | None:
    told = None if summary.winner is None else summary.winner.confirmed
    if told is None or told.low is None or told.high is None:
        return None
    ends = [-summary.objective.loss(told.low), -summary.objective.loss(told.high)]
    return min(ends) if low else max(ends)


def _turned(summary: Summary, difference: float | None) -> float | None:
    """A difference with more being better."""
    return None if difference is None else -summary.objective.loss(difference)


def _test_gain(summary: Summary) -> float | None:
    held = summary.held_out
    if held is None or held.difference is None:
        return None
    return _turned(summary, held.difference.value)


def _test_gap(summary: Summary) -> float | None:
    held = summary.held_out
    return None if held is None or held.gap is None else held.gap.value


def _default(summary: Summary) -> float | None:
    return None if summary.baseline is None else summary.baseline.record.best_value


_NUMBERS: Mapping[str, Callable[[Summary], float | None]] = {
    "value": _of_winner(lambda winner: winner.value if winner.mean is None else winner.mean),
    "best": _of_winner(lambda winner: winner.value),
    "mean": _of_winner(lambda winner: winner.mean),
    "expected": _of_winner(_expected),
    "default": _default,
    "default_mean": _of_winner(_default_mean),
    "gain": _gain,
    "gain_low": lambda summary: _gain_end(summary, low=True),
    "gain_high": lambda summary: _gain_end(summary, low=False),
    "test": lambda summary: None if summary.held_out is None else summary.held_out.winner.value,
    "test_gain": _test_gain,
    "test_gap": _test_gap,
    "trials": lambda summary: float(summary.n_finished),
    "usable": lambda summary: float(summary.n_usable),
    "failures": lambda summary: float(summary.counts.get(TrialState.FAILED, 0)),
    "gpu_hours": lambda summary: summary.cost.gpu_seconds / 3600.0,
    "wall_hours": lambda summary: summary.cost.wall_s / 3600.0,
}
