"""Trials side by side: what they reached, what they cost, in what they differ."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from automl.app.difference import JudgedStudy, difference_of
from automl.app.logs import read_logs
from automl.app.side_by_side import Side, SideBySide
from automl.app.trial_names import trial_named
from automl.errors import FixInput
from automl.reports.confirmation import seeds_of
from automl.reports.model import Summary, TrialReport
from automl.reports.poses.evaluations import TEST, newest
from automl.skill.keys import NetworkKeys
from automl.skill.tree import ParamValue, leaves
from automl.study.layout import StudyPaths
from automl.yamltext import load_yaml

__all__ = ["compare", "peak_memory_gib", "same_data"]

_PEAK = re.compile(r"peak GPU memory ([\d.]+) GiB")


def compare(asked: Sequence[tuple[Summary, str]]) -> SideBySide:
    """Trials side by side, the first the one that others are measured against.

    Args:
        asked: Each trial's study and the word that stands for it; at least two.

    Raises:
        FixInput: There is no such trial, or two studies measure different things.
    """
    first = asked[0][0]
    notes = [note for summary, _ in asked[1:] for note in _check_alike(first, summary)]
    studies = {summary.folder: JudgedStudy.of(summary) for summary, _ in asked}
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
            difference_of(
                sides[0], side, studies[first.folder] if is_here else None, first.objective
            )
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

    A hash, or the digest of all names and sizes, decides where both have one, else what was
    counted in the split.
    """
    ours, theirs = (_facts(each, split) for each in (one, other))
    if not ours or not theirs:
        return None
    for name in ("digest", "sha256"):
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


def _side(study: JudgedStudy, number: int, first: Summary) -> Side:
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
        images=summary.n_validation,
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
