"""``index.html``: one self-contained page that opens offline.

The page holds plotly.js, the figures' data, the style and the script inline and fetches nothing.
Whatever a user or a trainer wrote is escaped: jinja2 escapes all text, the figures' data is JSON
in which no tag can begin, and labels inside figures are escaped where they are made.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from automl.reports import words
from automl.reports.early_ends import sentences
from automl.reports.figures import figures_of
from automl.reports.model import Summary, TrialReport
from automl.reports.poses.page import PosePart
from automl.reports.theme import Figure
from automl.reports.verdict import FAKE, headline, verdict
from automl.skill.tree import ParamValue
from automl.space.model import Searched
from automl.space.show import sources_of
from automl.study.records import Measurement

__all__ = ["render_html"]

_TEMPLATES = Path(__file__).parent / "templates"


def render_html(summary: Summary, poses: PosePart | None = None) -> bytes:
    """The page of a study, in UTF-8.

    Args:
        summary: The study.
        poses: What is shown of its poses; None without any.
    """
    drawn = figures_of(summary)
    figures = {**drawn.by_name, **(poses.figures if poses is not None else {})}
    template = _environment().get_template("index.html.j2")
    page = template.render(
        summary=summary,
        fake=FAKE if summary.is_fake else "",
        headline=headline(summary),
        verdict=verdict(summary),
        figures={name: _embedded(figure) for name, figure in figures.items()},
        poses=poses,
        importance_note=drawn.importance_note,
        study_facts=_study_facts(summary),
        early_ends=list(sentences(summary)),
        ranges=[_range(parameter) for parameter in summary.space.parameters],
        comparison=_comparison(summary),
        short=words.short_names(summary.param_keys),
        provenance=list(_facts(summary.provenance)),
        plotly_js=Markup(get_plotlyjs()) if figures else "",  # noqa: S704 - plotly's own
    )
    return page.encode(errors="backslashreplace")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "value": words.value,
        "signed": words.signed,
        "param": words.param,
        "duration": words.duration,
    }
    return environment


@dataclass(frozen=True, slots=True)
class _Embedded:
    name: str
    title: str
    caption: str
    height: int
    json: Markup


def _embedded(figure: Figure) -> _Embedded:
    # Inside a script element nothing is an entity; only "<" could end or open an element.
    text = figure.plot.to_json().replace("<", "\\u003c").replace("\u2028", "\\u2028")
    height = int(figure.plot.layout.height)
    data = Markup(text)  # noqa: S704 - made harmless above
    return _Embedded(figure.name, figure.title, figure.caption, height, data)


def _study_facts(summary: Summary) -> list[tuple[str, str]]:
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
        ("Trials", f"{summary.n_finished} of {summary.n_asked} ended"),
        ("Ended", summary.stop_reason),
        ("Sampler", f"{search.sampler}, seed {search.seed}" if summary.is_search else ""),
        ("Warm start", " | ".join(map(str, config.earlier.studies))),
        ("Each trial on", f"{gpus}, {threads}"),
        ("At a time", str(resources.max_concurrent) if summary.is_search else ""),
        ("Training data", config.data.train),
        ("Validation data", config.data.val),
        ("Set by the user", ", ".join(_settings(config.overrides))),
        ("Folder", str(summary.folder)),
    ]
    return [(label, text) for label, text in rows if text]


def _facts(provenance: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Provenance as label and text: a group of plain values takes one row."""
    for name, value in provenance.items():
        label = f"{prefix}{name}"
        if label == "command" and isinstance(value, list):
            yield label, shlex.join(map(str, value))
        elif not isinstance(value, Mapping):
            yield label, words.param(value)
        elif any(isinstance(inner, Mapping) for inner in value.values()):
            yield from _facts(value, f"{label}, ")
        else:
            pairs = (f"{key} {words.param(inner)}" for key, inner in value.items())
            yield label, ", ".join(pairs)


def _settings(overrides: Mapping[str, Any]) -> Iterable[str]:
    return (f"{key} = {words.param(value)}" for key, value in overrides.items())


def _range(parameter: Searched) -> dict[str, Any]:
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
class _Comparison:
    """The winner beside trial 0: rows of label, trial 0's text and the winner's."""

    results: Sequence[tuple[str, str, str]]
    settings: Sequence[tuple[str, ParamValue, ParamValue]]


def _comparison(summary: Summary) -> _Comparison | None:
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
    return _Comparison(
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
