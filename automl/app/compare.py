"""Trials side by side: what they reached, what they cost, in what they differ.

A difference of two trials is said with an interval where there is one: by their trainings with
fresh seeds (Welch), else by what all trials of the study together say of the two.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from automl.app.logs import read_logs
from automl.app.trial_names import trial_named
from automl.errors import FixInput
from automl.reports.confirmation import Seeds, seeds_of, welch
from automl.reports.model import Summary, TrialReport
from automl.reports.poses.evaluations import TEST, newest
from automl.skill.keys import NetworkKeys
from automl.skill.tree import ParamValue, leaves
from automl.study.expected import Expectations, Expected, expectations
from automl.study.layout import StudyPaths
from automl.yamltext import load_yaml

__all__ = ["Difference", "Side", "SideBySide", "compare", "peak_memory_gib", "same_data"]

#: Standard deviations of a normal distribution to either side of its mean that hold 95 % of it.
_Z95 = 1.959964
_PEAK = re.compile(r"peak GPU memory ([\d.]+) GiB")


@dataclass(frozen=True, slots=True)
class Side:
    """One trial of a comparison.

    Attributes:
        name: What it is called: its number, or ``study:number`` of another study.
        study: Its study's name.
        number: Its number there.
        state: Where it stands.
        value: The objective at its best epoch; None before the first.
        epoch: That epoch, from 0.
        seeds: Its trainings with fresh seeds; None without any.
        expected: What another seed would give, by all trials of its study; None if not known.
        expected_sd: Standard deviation of that.
        test: The objective on the test images; None where it was not evaluated on them.
        seconds: Wall time.
        gpu_seconds: GPU time.
        peak_memory_gib: The most GPU memory that it took, in GiB; None where nobody measured it.
        settings: Dotted key to value, of the whole spec where there is one.
    """

    name: str
    study: str
    number: int
    state: str
    value: float | None
    epoch: int | None
    seeds: Seeds | None
    expected: float | None
    expected_sd: float | None
    test: float | None
    seconds: float
    gpu_seconds: float
    peak_memory_gib: float | None
    settings: Mapping[str, ParamValue]


@dataclass(frozen=True, slots=True)
class Difference:
    """A trial minus the first one.

    Attributes:
        name: The trial.
        value: The difference, in the metric's own direction; None where a value is missing.
        low: Lower end of its 95 % interval; None where there is none.
        high: Upper end.
        better: Probability that the trial is better than the first, by all trials of the study;
            None where not known.
        by: What the interval rests on, in words; why there is none where there is none.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    better: float | None
    by: str

    @property
    def is_separable(self) -> bool:
        """Whether the interval lies on one side of 0."""
        if self.low is None or self.high is None:
            return False
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Trials side by side.

    Attributes:
        metric: The objective.
        sides: The trials, in the order asked for.
        differences: Of every other one to the first.
        keys: Settings in which they differ, searched ones first.
        same_keys: Searched settings in which they do not.
        notes: What limits the comparison.
    """

    metric: str
    sides: tuple[Side, ...]
    differences: tuple[Difference, ...]
    keys: tuple[str, ...]
    same_keys: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        return {
            "metric": self.metric,
            "trials": [_side_json(side, self.keys) for side in self.sides],
            "differences": [asdict(difference) for difference in self.differences],
            "differing": list(self.keys),
            "same": list(self.same_keys),
            "notes": list(self.notes),
        }


def _side_json(side: Side, keys: Sequence[str]) -> dict[str, Any]:
    settings = {key: side.settings.get(key) for key in keys}
    return {**asdict(side), "settings": settings}


@dataclass(frozen=True, slots=True)
class _Study:
    """A study, and what its trials together say of each."""

    summary: Summary
    expectations: Expectations

    @classmethod
    def of(cls, summary: Summary) -> "_Study":
        records = [each.record for each in summary.trials]
        return cls(summary, expectations(records, summary.objective))

    def expected(self, number: int) -> Expected | None:
        """What another seed would give; None where too few trials have a value to say."""
        found = self.expectations.of(number)
        return None if found is None or found.sd is None else found


def compare(asked: Sequence[tuple[Summary, str]]) -> SideBySide:
    """Trials side by side, the first the one that others are measured against.

    Args:
        asked: Each trial's study and the word that stands for it; at least two.

    Raises:
        FixInput: There is no such trial, or two studies measure different things.
    """
    first = asked[0][0]
    notes = [note for summary, _ in asked[1:] for note in _check_alike(first, summary)]
    studies = {summary.folder: _Study.of(summary) for summary, _ in asked}
    numbers = [trial_named(word, summary) for summary, word in asked]
    sides = tuple(
        _side(studies[summary.folder], number, first)
        for (summary, _), number in zip(asked, numbers, strict=True)
    )
    keys = _differing(sides, first)
    return SideBySide(
        metric=first.objective.metric,
        sides=sides,
        differences=tuple(
            _difference(sides[0], side, studies[first.folder] if is_here else None)
            for side in sides[1:]
            for is_here in (side.study == sides[0].study,)
        ),
        keys=keys,
        same_keys=tuple(key for key in first.param_keys if key not in keys),
        notes=tuple(dict.fromkeys(notes)),
    )


# What two studies must share


def _check_alike(first: Summary, other: Summary) -> list[str]:
    """What limits a comparison of two studies' trials.

    Raises:
        FixInput: Their values cannot be compared.
    """
    if other.folder == first.folder:
        return []
    if other.objective != first.objective:
        got = f"{first.name} by {first.objective.metric}, {other.name} by {other.objective.metric}"
        raise FixInput("trials are compared by one metric", got=got)
    if other.is_fake or first.is_fake:
        return ["a script made numbers up: they say nothing"]
    notes = []
    for split, said in (("val", "validation"), ("train", "training")):
        same = same_data(first.provenance, other.provenance, split)
        pair = f"{first.name} and {other.name}"
        if same is None:
            notes.append(f"whether {pair} have the same {said} images is not known")
        elif not same and split == "val":
            raise FixInput(
                "trials of two studies are compared on the same validation images",
                got=f"others in {other.name} than in {first.name}",
                fix="evaluate both on one test set: automl evaluate --test-data",
            )
        elif not same:
            notes.append(f"{pair} were trained on different images")
    return notes


def same_data(one: Mapping[str, Any], other: Mapping[str, Any], split: str) -> bool | None:
    """Whether two studies' provenances name the same data; None where they do not say.

    A hash decides where both have one, else what was counted in the split.
    """
    ours, theirs = (_facts(each, split) for each in (one, other))
    if not ours or not theirs:
        return None
    for name in ("fingerprint", "sha256"):
        if name in ours and name in theirs:
            return bool(ours[name] == theirs[name])
    counted = ("images", "objects", "categories")
    known = [name for name in counted if name in ours and name in theirs]
    return all(ours[name] == theirs[name] for name in known) if known else None


def _facts(provenance: Mapping[str, Any], split: str) -> Mapping[str, Any]:
    data = provenance.get("data")
    facts = data.get(split) if isinstance(data, Mapping) else None
    return facts if isinstance(facts, Mapping) else {}


# One trial


def _side(study: _Study, number: int, first: Summary) -> Side:
    summary = study.summary
    trial = summary.trial(number)
    if trial is None:
        raise ValueError(f"{summary.name} has no trial {number}")
    record = trial.record
    records = [each.record for each in summary.trials]
    expected = study.expected(number)
    evaluated = newest(summary.evaluations, number, TEST)
    is_here = summary.folder == first.folder
    return Side(
        name=str(number) if is_here else f"{summary.name}:{number}",
        study=summary.name,
        number=number,
        state=str(record.state),
        value=record.best_value,
        epoch=record.best_epoch,
        seeds=seeds_of(records, number),
        expected=None if expected is None else expected.value,
        expected_sd=None if expected is None else expected.sd,
        test=None if evaluated is None else evaluated.value,
        seconds=record.seconds,
        gpu_seconds=record.gpu_seconds,
        peak_memory_gib=peak_memory_gib(StudyPaths(summary.folder), number),
        settings=_settings(summary, trial),
    )


def peak_memory_gib(paths: StudyPaths, number: int) -> float | None:
    """The most GPU memory that a trial's trainings took by their own logs, in GiB."""
    lines = (line.text for log in read_logs(paths, number) for line in log.lines)
    return max((float(hit[1]) for hit in map(_PEAK.search, lines) if hit), default=None)


def _settings(summary: Summary, trial: TrialReport) -> Mapping[str, ParamValue]:
    attempts = [at for _, at in StudyPaths(summary.folder).attempts(trial.number)]
    specs = [at.spec for at in attempts if at.spec.is_file()]
    whole = _read_flat(specs[-1], summary.config.keys) if specs else {}
    return {**whole, **trial.record.params}


def _read_flat(spec: Path, keys: NetworkKeys) -> dict[str, ParamValue]:
    tree: Any = load_yaml(spec)
    own = {*keys.results, *keys.resume}
    return {key: value for key, value in leaves(tree) if key not in own}


def _differing(sides: Sequence[Side], first: Summary) -> tuple[str, ...]:
    keys = dict.fromkeys(first.param_keys)
    keys |= dict.fromkeys(sorted(key for side in sides for key in side.settings))
    return tuple(key for key in keys if _differs([side.settings.get(key) for side in sides]))


def _differs(values: Sequence[ParamValue]) -> bool:
    return any(value != values[0] for value in values[1:])


# Two trials


def _difference(first: Side, side: Side, study: _Study | None) -> Difference:
    """``side`` minus ``first``; ``study`` is that of both, None if they have two."""
    between = None if study is None else _between(first, side, study)
    better = None if between is None or study is None else _better(*between, study.summary)
    seen = None if study is None else _confirmed(first, side, study.summary)
    found = seen or _by_seeds(first, side) or _by_model(side, between)
    if found is not None:
        return replace(found, better=better)
    missing = first.value is None or side.value is None
    value = None if missing else (side.value or 0.0) - (first.value or 0.0)
    by = "no value" if missing else "one seed each, so that there is no interval"
    return Difference(side.name, value, None, None, better, by)


def _confirmed(first: Side, side: Side, summary: Summary) -> Difference | None:
    """What the study's own confirmation says, where the two are its winner and the default."""
    winner = summary.winner
    told = None if winner is None else winner.confirmed
    if winner is None or told is None or {first.number, side.number} != {winner.number, 0}:
        return None
    if told.difference is None or told.low is None or told.high is None:
        return None
    how = "valid after any pair of seeds" if told.is_sequential else "Welch"
    by = f"fresh seeds ({how})"
    if side.number == winner.number:
        return Difference(side.name, told.difference, told.low, told.high, None, by)
    return Difference(side.name, -told.difference, -told.high, -told.low, None, by)


def _by_seeds(first: Side, side: Side) -> Difference | None:
    if first.seeds is None or side.seeds is None:
        return None
    ends = welch(side.seeds, first.seeds)
    if ends is None or side.seeds.mean is None or first.seeds.mean is None:
        return None
    return Difference(
        side.name, side.seeds.mean - first.seeds.mean, *ends, None, "fresh seeds (Welch)"
    )


def _by_model(side: Side, between: tuple[float, float] | None) -> Difference | None:
    if between is None:
        return None
    difference, sd = between
    low, high = difference - _Z95 * sd, difference + _Z95 * sd
    by = "what another seed would give, by all trials of the study"
    return Difference(side.name, difference, low, high, None, by)


def _between(first: Side, side: Side, study: _Study) -> tuple[float, float] | None:
    """Difference and its standard deviation, by all trials of the study."""
    if side.expected is None or first.expected is None:
        return None
    sd = study.expectations.sd_between(first.number, side.number)
    return None if sd is None else (side.expected - first.expected, sd)


def _better(difference: float, sd: float, summary: Summary) -> float | None:
    """The probability that the difference is an improvement."""
    gain = -summary.objective.loss(difference)
    return None if sd <= 0 else 0.5 * (1.0 + math.erf(gain / sd / math.sqrt(2.0)))
