"""Searches over known truths, made up in a moment: what a race is judged by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.skill.tree import ParamValue
from automl.study.config import Direction, Objective, SearchSettings, StudyConfig
from automl.study.confirmation import Confirmation, next_confirmation
from automl.study.limits import Limits
from automl.study.records import FailureClass, TrialRecord, TrialState

UP = Objective("score", Direction.MAXIMIZE)


def study_config(**limits: int | str) -> StudyConfig:
    """A search with these limits."""
    return StudyConfig(
        "unit", "/skill", "on", "default", UP,
        search=SearchSettings(seed=3),
        limits=Limits(**{"trials": 8, **limits}),  # type: ignore[arg-type]
    )  # fmt: skip


def trial(
    number: int,
    value: float | None,
    params: Mapping[str, ParamValue] | None = None,
    asked: Confirmation | None = None,
    state: TrialState = TrialState.COMPLETE,
) -> TrialRecord:
    """A trial that ended with a value, diverged without one, or is in another state."""
    is_lost = value is None and state is TrialState.COMPLETE
    return TrialRecord(
        number,
        TrialState.FAILED if is_lost else state,
        dict(params or {}),
        best_epoch=None if value is None else 0,
        best_value=value,
        failure=FailureClass.DIVERGED if is_lost else None,
        confirms=None if asked is None else asked.confirms,
        seed=None if asked is None else asked.seed,
        source="sampler" if asked is None else asked.source,
        seconds=60.0,
    )


@dataclass(frozen=True)
class Search:
    """A search that has ended, and what is true of its settings.

    Attributes:
        points: Place of each trial in the cube [n_trials, n_settings]; trial 0 is the default.
        truth: Worth of each trial.
        records: What was measured.
    """

    points: NDArray[np.float64]
    truth: NDArray[np.float64]
    records: tuple[TrialRecord, ...]


def search(
    rng: np.random.Generator,
    truth: Callable[[NDArray[np.float64]], float],
    n_settings: int,
    noise: float,
    n_trials: int = 40,
) -> Search:
    """Ten even draws, then two of three near the best value so far: what a sampler does.

    Args:
        rng: Where chance comes from.
        truth: Worth of a point of the unit cube.
        n_settings: Settings.
        noise: Standard deviation of a value over seeds.
        n_trials: Trials.
    """
    points = [np.full(n_settings, 0.5)]
    worths: list[float] = []
    values: list[float] = []
    for number in range(n_trials):
        if number:
            near = number >= 10 and rng.random() < 0.67
            best = points[int(np.argmax(values))]
            drawn = best + 0.15 * rng.standard_normal(n_settings)
            points.append(np.clip(drawn, 0.0, 1.0) if near else rng.random(n_settings))
        worths.append(truth(points[-1]))
        values.append(worths[-1] + noise * rng.standard_normal())
    records = tuple(
        trial(number, float(value), {f"p{i}": float(x) for i, x in enumerate(point)})
        for number, (point, value) in enumerate(zip(points, values, strict=True))
    )
    return Search(np.asarray(points), np.asarray(worths), records)


def finish(
    records: Sequence[TrialRecord],
    config: StudyConfig,
    value_of: Callable[[Confirmation], float | None],
) -> tuple[TrialRecord, ...]:
    """Every training that is asked for after the search, one after the other."""
    done = [*records]
    while (asked := next_confirmation(done, config)) is not None:
        done.append(trial(len(done), value_of(asked), done[asked.confirms].params, asked))
        assert len(done) < 200
    return tuple(done)
