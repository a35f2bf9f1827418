"""Real trainings as problems: recorded ones of this package's trainer, and tasks of TaskSet.

Settings that were never trained are answered by the nearest ones that were, for all methods alike.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from automl.search.curve_file import CurveFile, read_curve_file
from automl.search.curves import Curve, Epoch
from automl.search.recorded import RecordedCurves, Recording
from automl.skill.read import own_skill_dir, read_profile_of, read_skill
from automl.skill.signals import Signal
from automl.skill.tree import ParamValue
from automl.space.distributions import FloatRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study.config import Direction, Objective
from automl.study.records import FailureClass
from automl.study.seeds import derive_seed

__all__ = ["Table", "recorded", "table_of", "taskset"]

_RECORDED = Objective("val_3DIoU", Direction.MAXIMIZE, worst=0.0)
_TASKSET = Objective("valid_loss", Direction.MINIMIZE)
# Every setting of TaskSet is one of the optimiser's, so that its training losses compare.
_TASKSET_SIGNALS = (Signal("train_loss", "lower"),)
_BETAS = ("beta1", "beta2")
_SWAPPED = "-swapped"


@dataclass(frozen=True)
class Table:
    """Recorded trainings as a problem.

    Attributes:
        space: What is searched.
        recordings: The trainings.
        objective: The metric, and which way is better.
        signals: What trials may be judged by early.
        seed: Which of several recordings of the same settings answers.
        others: The same settings, trained with seeds that no search sees: they say how good
            settings are. Where there are none, the recordings do, of which the best is the
            luckiest.
    """

    space: SearchSpace
    recordings: Sequence[Recording]
    objective: Objective
    signals: tuple[Signal, ...]
    seed: int = 0
    others: Sequence[Recording] = ()

    @cached_property
    def _curves(self) -> RecordedCurves:
        return RecordedCurves(self.space, self.recordings, self.seed)

    @cached_property
    def _judges(self) -> RecordedCurves:
        return RecordedCurves(self.space, self.others or self.recordings)

    @cached_property
    def _scores(self) -> list[float]:
        """What a whole training of each of the settings reaches."""
        found = (self._judges.expected(each.params, self.objective) for each in self.recordings)
        return [value for value in found if value is not None]

    @cached_property
    def ranked(self) -> Sequence[Recording]:
        """The trainings that ran to their end, the best settings first."""
        whole = [each for each in self.recordings if each.curve.failure is None]
        return sorted(whole, key=lambda each: self.objective.loss(self.truth(each.params)))

    @property
    def n_epochs(self) -> int:
        """Epochs of a whole training."""
        return self._curves.n_epochs

    @cached_property
    def optimum(self) -> float:
        """The best of all recorded settings."""
        return min(self._scores, key=self.objective.loss)

    @cached_property
    def worst(self) -> float:
        """The worst of all recorded settings."""
        return max(self._scores, key=self.objective.loss)

    def truth(self, params: Mapping[str, ParamValue]) -> float:
        """What a whole training of the nearest settings reaches; the worst where it broke."""
        value = self._judges.expected(params, self.objective)
        return self.worst if value is None else value

    def train(self, params: Mapping[str, ParamValue], seed: int | None) -> Curve:
        """The recording of the nearest settings."""
        return self._curves.train(params, seed)


def recorded(path: Path, judges: Path) -> Table:
    """A file of recorded trainings of this package's trainer.

    Settings that were recorded several times are left out: they are the default, which somebody
    had chosen well before.

    Args:
        path: The file that answers for trainings.
        judges: A file with other seeds of the same settings, which says how good they are; where
            there is none, the first one does.
    """
    file = read_curve_file(path)
    once = _recorded_once(file)
    signals = read_profile_of(read_skill(own_skill_dir())).signals
    if not judges.exists():
        return Table(file.space, once, _RECORDED, signals)
    others = {repr(each.params): each for each in _recorded_once(read_curve_file(judges))}
    both = [each for each in once if repr(each.params) in others]
    return Table(file.space, both, _RECORDED, signals, others=tuple(others.values()))


def _recorded_once(file: CurveFile) -> list[Recording]:
    counts = Counter(repr(each.params) for each in file.recordings)
    return [each for each in file.recordings if counts[repr(each.params)] == 1]


def _with_default(table: Table, seed: int) -> Table:
    """The table with a default drawn by a seed: neither among the best nor below the middle.

    A default that is the best there is would leave nothing to find, and one in the middle of the
    ranges knows where the ranges came from.
    """
    among = table.ranked[len(table.ranked) // 10 : len(table.ranked) // 2]
    chosen = among[derive_seed(seed, "default") % len(among)]
    parameters = tuple(
        replace(each, default=chosen.params[each.key]) for each in table.space.parameters
    )
    space = replace(table.space, parameters=parameters)
    return replace(table, space=space, seed=seed)


def taskset(path: Path) -> Table:
    """A task of TaskSet: 1,000 settings of eight, 50 points after the one before training.

    One minus each beta is searched, on the logarithmic scale that they were drawn on.
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
    return Table(space, recordings, _TASKSET, _TASKSET_SIGNALS)


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


@cache
def _read(path: Path, judges: Path) -> Table:
    return recorded(path, judges) if path.suffix == ".jsonl" else taskset(path)


def table_of(folder: Path, name: str, seed: int) -> Table:
    """A table of a folder, by the name of its file without the ending.

    With ``-swapped`` behind the name the file of other seeds answers, and the first one judges.

    Raises:
        FileNotFoundError: There is none.
    """
    first = name.removesuffix(_SWAPPED)
    for path in (folder / f"{first}.jsonl", folder / f"{first}.npz"):
        if path.exists():
            again = path.with_stem(f"{path.stem}-again")
            pair = (again, path) if name.endswith(_SWAPPED) else (path, again)
            return _with_default(_read(*pair), seed)
    raise FileNotFoundError(f"no {first}.jsonl and no {first}.npz in {folder}")
