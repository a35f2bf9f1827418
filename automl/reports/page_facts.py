"""Facts as tables of the page: the study, its ranges, winner and trial 0, provenance."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automl.reports import words
from automl.reports.model import Summary, TrialReport
from automl.reports.parity import parity_lines
from automl.reports.tuned import tuned_lines
from automl.skill.tree import ParamValue
from automl.space.model import Searched
from automl.space.show import sources_of
from automl.study.records import Measurement

__all__ = ["BesideDefault", "comparison_of", "provenance_facts", "range_of", "study_facts"]

#: Of a digest on the study's card; all of them stand under Provenance.
_DIGITS = 12


def study_facts(summary: Summary) -> list[tuple[str, str]]:
    """The study in facts: label and value, empty values left out."""
    config = summary.config
    search, resources = config.search, config.resources
    gpus = f"{resources.gpus_per_trial} GPU" if resources.gpus_per_trial else "CPU"
    if resources.trials_per_gpu > 1:
        gpus = f"1/{resources.trials_per_gpu} of a GPU, charged with that part of its wall time"
    threads = words.count(resources.threads_per_trial, "thread")
    rows = [
        ("Objective", f"{config.objective.metric}, {config.objective.direction}"),
        ("Policy", f"{config.policy} ({config.policy_source})"),
        ("Trainer", f"{config.trainer}: FAKE numbers" if summary.is_fake else config.trainer),
        ("Trials", summary.counted),
        ("The search ended", summary.stop_reason),
        ("Sampler", f"{search.sampler}, seed {search.seed}" if summary.is_search else ""),
        ("Decoding", " | ".join(tuned_lines(summary.folder))),
        ("Exported", " | ".join(parity_lines(summary.folder))),
        ("Warm start", " | ".join(map(str, config.earlier.studies))),
        ("Each trial on", f"{gpus}, {threads}"),
        ("At a time", str(resources.max_concurrent) if summary.is_search else ""),
        ("Training data", _split(summary, "train", config.data.train)),
        ("Validation data", _split(summary, "val", config.data.val)),
        ("Test data", _split(summary, "test", config.data.test)),
        ("Set by the user", ", ".join(_settings(config.overrides))),
        ("Folder", str(summary.folder)),
    ]
    return [(label, text) for label, text in rows if text]


def provenance_facts(provenance: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Provenance as label and text: a group of plain values takes one row."""
    for name, value in provenance.items():
        label = f"{prefix}{name}"
        if label == "command" and isinstance(value, list):
            yield label, shlex.join(map(str, value))
        elif isinstance(value, list):
            yield label, "; ".join(map(_entry, value)) or "none"
        elif not isinstance(value, Mapping):
            yield label, words.param(value)
        elif any(isinstance(inner, Mapping) for inner in value.values()):
            yield from provenance_facts(value, f"{label}, ")
        else:
            pairs = (f"{key} {words.param(inner)}" for key, inner in value.items())
            yield label, ", ".join(pairs)


def _split(summary: Summary, name: str, folder: str) -> str:
    """Where a split lies, what was counted in it and the digest of its files, as far as known."""
    data = summary.provenance.get("data")
    facts = data.get(name) if isinstance(data, Mapping) else None
    if not folder or not isinstance(facts, Mapping):
        return folder
    counted = [
        words.count(facts[key], key.removesuffix("s"))
        for key in ("images", "objects")
        if isinstance(facts.get(key), int)
    ]
    digest = facts.get("digest")
    mark = [f"digest {str(digest)[:_DIGITS]}"] if digest else []
    return ", ".join((folder, *counted, *mark))


def _entry(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {words.param(inner)}" for key, inner in value.items())
    return words.param(value)


def _settings(overrides: Mapping[str, Any]) -> Iterable[str]:
    return (f"{key} = {words.param(value)}" for key, value in overrides.items())


def range_of(parameter: Searched) -> dict[str, Any]:
    """What a parameter's row of the search space says."""
    first = parameter.elements[0].distribution
    if parameter.options:
        shown = ", ".join(map(words.param, parameter.options))
    else:
        low, high = parameter.ends
        shown = f"{words.param(low)} to {words.param(high)}"
        shown += "" if first.step in (None, 1) else f", step {words.param(first.step)}"
    why = [f"{name}: {reason}" for name, reason in sources_of(parameter).items()]
    obeys = [f"obeys: {text}" for text in parameter.conditions]
    return {
        "key": parameter.key,
        "shown": shown,
        "scale": parameter.scale,
        "default": parameter.default,
        "why": "; ".join((*why, *obeys)),
    }


@dataclass(frozen=True, slots=True)
class BesideDefault:
    """The winner beside trial 0: rows of label, trial 0's text and the winner's."""

    results: Sequence[tuple[str, str, str]]
    settings: Sequence[tuple[str, ParamValue, ParamValue]]


def comparison_of(summary: Summary) -> BesideDefault | None:
    """The winner beside trial 0; None where there are not two of them."""
    winner, first = summary.winner, summary.trial(0)
    if winner is None or first is None or winner.number == 0:
        return None
    best = summary.trial(winner.number)
    if best is None:
        return None
    pairs = [(name, _at_best(first, name), _at_best(best, name)) for name in _metrics(first, best)]
    times = (words.duration(first.record.seconds), words.duration(best.record.seconds))
    results = [
        *((name, words.value(a), words.value(b)) for name, a, b in pairs),
        (
            f"{summary.objective.metric}, last epoch",
            words.value(first.last_value),
            words.value(best.last_value),
        ),
        ("best epoch", _epoch(first), _epoch(best)),
        ("training time", *times),
    ]
    return BesideDefault(
        results, [(change.key, change.base, change.value) for change in winner.changes]
    )


def _epoch(trial: TrialReport) -> str:
    return "-" if trial.record.best_epoch is None else str(trial.record.best_epoch)


def _metrics(first: TrialReport, best: TrialReport) -> list[str]:
    names = {name: None for trial in (best, first) for name in _best(trial).metrics}
    return list(names)


def _at_best(trial: TrialReport, metric: str) -> float | None:
    return _best(trial).metrics.get(metric)


def _best(trial: TrialReport) -> Measurement:
    """The metrics of a trial's best epoch; none where it has no epoch."""
    epoch = trial.record.best_epoch
    at_best = (m for m in trial.measurements if m.epoch == epoch)
    return next(at_best, Measurement(0, {}, 0.0))
