"""What a replay answers with: the trainings of a study, or those of a file of recorded curves."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from statistics import median

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.reports.model import Summary, TrialReport
from automl.search.curve_file import read_curve_file
from automl.search.curves import Curve, Epoch
from automl.search.recorded import RecordedCurves, Recording, best_value
from automl.skill.signals import Signal
from automl.space.model import SearchSpace
from automl.study.config import Objective, SearchSettings, StudyConfig
from automl.study.ranking import best_of
from automl.study.records import Measurement, TrialState

__all__ = ["Done", "ReplaySource", "source_of_file", "source_of_study"]

_NEEDS = "a replay needs at least one trial that was trained to its end"


@dataclass(frozen=True, slots=True)
class Done:
    """What was trained when the curves were recorded.

    Attributes:
        n_trials: Trials of the search, without confirmations.
        trainings: What they cost, in full trainings.
        seconds: Seconds that they held a place.
        best: What the best settings reach, on average over their recordings; None where none
            was usable.
    """

    n_trials: int
    trainings: float
    seconds: float
    best: float | None


@dataclass(frozen=True, slots=True)
class ReplaySource:
    """Recorded trainings and what they are about.

    Attributes:
        name: The study, or the file.
        space: What was searched.
        config: What the study was asked for; of a file what a study has by default.
        recordings: The trainings that ended, or failed by their own settings.
        done: What was trained.
        left_out: Trials that answer for nothing: they were stopped early, or failed by accident.
        start_s: What a start took beside its epochs, in seconds; 0 where it is not known.
    """

    name: str
    space: SearchSpace
    config: StudyConfig
    recordings: tuple[Recording, ...]
    done: Done
    left_out: int = 0
    start_s: float = 0.0

    @property
    def n_epochs(self) -> int:
        """Epochs of a whole training."""
        return max(len(each.curve.epochs) for each in self.recordings)

    @property
    def interval(self) -> int:
        """Epochs from one validation to the next."""
        metric = self.config.objective.metric
        validated = (
            place
            for each in self.recordings
            for place, epoch in enumerate(each.curve.epochs, start=1)
            if metric in epoch.metrics
        )
        return gcd(*validated) or 1


def source_of_study(summary: Summary) -> ReplaySource:
    """The trainings of a study.

    Raises:
        FixInput: It did not search, or no trial of it was trained to its end.
    """
    if not summary.space.parameters:
        raise _refused("a replay needs a study that searched", "one training", summary)
    pairs = [(trial, _curve_of(trial)) for trial in summary.trials]
    recordings = tuple(
        Recording(f"trial {trial.number}", trial.record.params, curve)
        for trial, curve in pairs
        if curve is not None
    )
    if not any(each.curve.failure is None for each in recordings):
        raise _refused(_NEEDS, "none", summary)
    return ReplaySource(
        summary.name,
        summary.space,
        summary.config,
        recordings,
        _done(summary, recordings),
        len(pairs) - len(recordings),
        _start_s(summary.trials),
    )


def _refused(rule: str, got: str, summary: Summary) -> FixInput:
    return FixInput(
        rule,
        got=got,
        where=str(summary.folder),
        fix="automl list shows every study; a file of recorded curves (*.jsonl) will do too",
    )


def _done(summary: Summary, recordings: Sequence[Recording]) -> Done:
    n_epochs = max(len(each.curve.epochs) for each in recordings)
    trials = [trial for trial in summary.trials if trial.record.confirms is None]
    n_trained = sum(1 + trial.last_epoch for trial in trials if trial.last_epoch is not None)
    return Done(
        len(trials),
        n_trained / n_epochs,
        sum(trial.record.seconds for trial in trials),
        _answer(summary.space, recordings, summary.objective),
    )


def _answer(
    space: SearchSpace, recordings: Sequence[Recording], objective: Objective
) -> float | None:
    """What the settings of the best training reach, on average over their recordings."""
    best = best_of(recordings, lambda each: best_value(each.curve, objective), objective)
    return (
        None
        if best is None
        else RecordedCurves(space, recordings).expected(best.params, objective)
    )


def _curve_of(trial: TrialReport) -> Curve | None:
    """The whole curve of a trial; None where it does not say how its training would have ended."""
    record = trial.record
    epochs = _epochs(trial.measurements, record.seconds)
    if record.state is TrialState.COMPLETE and epochs:
        return Curve(epochs)
    failure = record.failure
    if failure is not None and failure.is_configs_fault:
        return Curve(epochs, failure, record.evidence)
    return None


def _epochs(measured: Sequence[Measurement], total_s: float) -> tuple[Epoch, ...]:
    """Every epoch up to the last measurement; those between two validations share their time."""
    if not measured:
        return ()
    n_epochs = measured[-1].epoch + 1
    epochs: list[Epoch] = []
    elapsed = _before(measured)
    for entry in measured:
        count = entry.epoch + 1 - len(epochs)
        is_known = entry.elapsed_s >= elapsed
        seconds = (entry.elapsed_s - elapsed) / count if is_known else total_s / n_epochs
        epochs += [Epoch(seconds)] * (count - 1)
        epochs.append(Epoch(seconds, entry.metrics))
        elapsed = entry.elapsed_s if is_known else elapsed
    return tuple(epochs)


def _before(measured: Sequence[Measurement]) -> float:
    """Seconds before the first epoch, by the pace of the later ones; 0 where it is not known."""
    first, *later = measured
    steps = zip(measured[:-1], later, strict=True)
    paces = [(b.elapsed_s - a.elapsed_s) / (b.epoch - a.epoch) for a, b in steps]
    spare = first.elapsed_s - median(paces) * (first.epoch + 1) if paces else 0.0
    return max(0.0, spare)


def _start_s(trials: Sequence[TrialReport]) -> float:
    """Seconds of a trial's only attempt that belong to no epoch, in the middle over the trials."""
    spare = [
        trial.record.seconds - sum(each.seconds for each in epochs)
        for trial in trials
        if trial.record.is_usable and trial.record.attempts == 1
        if (epochs := _epochs(trial.measurements, trial.record.seconds))
    ]
    known = [seconds for seconds in spare if seconds >= 0.0]
    return median(known) if known else 0.0


def source_of_file(
    path: Path, objective: Objective, signals: tuple[Signal, ...] = ()
) -> ReplaySource:
    """The trainings of a file of recorded curves.

    Args:
        path: The file, as :mod:`automl.search.curve_file` describes it.
        objective: Which of its metrics is searched for, and which way is better.
        signals: Its other metrics that trials may be judged by early.

    Raises:
        FixInput: The file cannot be read, or does not hold the metric.
    """
    file = read_curve_file(path)
    if objective.metric not in file.metrics:
        raise FixInput(
            f"the recorded trainings must hold the metric {objective.metric}",
            got=", ".join(file.metrics) or "no metric",
            where=str(path),
            fix=did_you_mean(objective.metric, file.metrics) or "give --metric and --direction",
        )
    whole = [each for each in file.recordings if each.curve.failure is None]
    if not whole:
        raise FixInput(_NEEDS, got="none", where=str(path))
    n_epochs = max(len(each.curve.epochs) for each in whole)
    done = Done(
        len(file.recordings),
        sum(len(each.curve.epochs) for each in file.recordings) / n_epochs,
        sum(each.curve.seconds for each in file.recordings),
        _answer(file.space, file.recordings, objective),
    )
    search = SearchSettings(signals=signals)
    config = StudyConfig(path.stem, "", "on", "replay", objective, search=search)
    return ReplaySource(path.name, file.space, config, file.recordings, done)
