"""Real trainings as problems: recorded ones of this package's trainer, and tasks of TaskSet.

Settings that were never trained are answered by the nearest ones that were, for all methods alike.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt

from automl.search.curve_file import read_curve_file
from automl.search.curves import Curve, Epoch
from automl.search.recorded import RecordedCurves, Recording
from automl.skill.tree import ParamValue
from automl.space.distributions import FloatRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study.config import Direction, Objective
from automl.study.records import FailureClass

__all__ = ["Table", "read_tables", "recorded", "taskset"]

_RECORDED = Objective("val_3DIoU", Direction.MAXIMIZE, worst=0.0)
_TASKSET = Objective("valid_loss", Direction.MINIMIZE)
# TaskSet draws one minus these on a logarithmic scale.
_BETAS = ("beta1", "beta2")


@dataclass(frozen=True)
class Table:
    """Recorded trainings as a problem.

    Attributes:
        space: What is searched.
        recordings: The trainings.
        objective: The metric, and which way is better.
        seed: Which of several recordings of the same settings answers.
    """

    space: SearchSpace
    recordings: Sequence[Recording]
    objective: Objective
    seed: int = 0

    @cached_property
    def _curves(self) -> RecordedCurves:
        return RecordedCurves(self.space, self.recordings, self.seed)

    @cached_property
    def _scores(self) -> Mapping[str, float]:
        """What a whole training of each settings reaches, on average over its recordings."""
        found: dict[str, list[float]] = defaultdict(list)
        for each in self.recordings:
            if each.curve.failure is None:
                found[repr(each.params)].append(self._best_of(each.curve))
        return {name: fmean(values) for name, values in found.items()}

    @property
    def n_epochs(self) -> int:
        """Epochs of a whole training."""
        return self._curves.n_epochs

    @cached_property
    def optimum(self) -> float:
        """The best of all recorded settings."""
        return min(self._scores.values(), key=self.objective.loss)

    @cached_property
    def worst(self) -> float:
        """The worst of all recorded settings."""
        return max(self._scores.values(), key=self.objective.loss)

    def truth(self, params: Mapping[str, ParamValue]) -> float:
        """What a whole training of the nearest settings reaches; the worst where it broke."""
        nearest, _ = self._curves.nearest(params)
        return self._scores.get(repr(nearest.params), self.worst)

    def train(self, params: Mapping[str, ParamValue], seed: int | None) -> Curve:
        """The recording of the nearest settings."""
        return self._curves.train(params, seed)

    def _best_of(self, curve: Curve) -> float:
        metric = self.objective.metric
        values = [e.metrics[metric] for e in curve.epochs if metric in e.metrics]
        return min(values, key=self.objective.loss)


def recorded(path: Path, seed: int) -> Table:
    """A file of recorded trainings of this package's trainer."""
    file = read_curve_file(path)
    return Table(file.space, file.recordings, _RECORDED, seed)


def taskset(path: Path, seed: int) -> Table:
    """A task of TaskSet: 1,000 settings of eight, 50 points after the one before training.

    The default is the setting in the middle of the ranges: no setting of the table is a default.
    """
    table = np.load(path)
    names = [str(name) for name in table["names"]]
    settings = np.array(table["settings"], dtype=float)
    for name in _BETAS:
        settings[:, names.index(name)] = 1.0 - settings[:, names.index(name)]
    lows, highs = settings.min(axis=0), settings.max(axis=0)
    space = SearchSpace(
        tuple(
            Parameter(name, "float", FloatRange(low, high, log=True), float((low * high) ** 0.5))
            for name, low, high in zip(names, lows.tolist(), highs.tolist(), strict=True)
        )
    )
    recordings = [
        Recording(f"row {row}", dict(zip(names, settings[row].tolist(), strict=True)), curve)
        for row, curve in enumerate(_curves(table["valid_loss"], table["train_loss"]))
    ]
    return Table(space, recordings, _TASKSET, seed)


def _curves(valid: npt.NDArray[np.float32], train: npt.NDArray[np.float32]) -> list[Curve]:
    return [_curve(v[1:].tolist(), t[1:].tolist()) for v, t in zip(valid, train, strict=True)]


def _curve(valid: list[float], train: list[float]) -> Curve:
    """One row; a training whose loss is no longer finite has diverged."""
    epochs: list[Epoch] = []
    for v, t in zip(valid, train, strict=True):
        if not np.isfinite(v):
            return Curve(tuple(epochs), FailureClass.DIVERGED, "the loss is not finite")
        epochs.append(
            Epoch(1.0, {"valid_loss": v} | ({"train_loss": t} if np.isfinite(t) else {}))
        )
    return Curve(tuple(epochs))


def read_tables(folder: Path, seed: int) -> dict[str, Table]:
    """Every table of a folder, by its name."""
    tables = {path.stem: recorded(path, seed) for path in sorted(folder.glob("*.jsonl"))}
    return tables | {path.stem: taskset(path, seed) for path in sorted(folder.glob("*.npz"))}
