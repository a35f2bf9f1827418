"""``index.html``: one self-contained page that opens offline.

The page holds plotly.js, the figures' data, the style and the scripts inline and fetches nothing;
what is long and read by scripts alone is deflated.
It is whole without its scripts: each figure stands there as a still SVG, each trial as an article
of its own, and the scripts replace and link them. Whatever a user or a trainer wrote is escaped:
jinja2 escapes all text, the figures' data is JSON in which no tag can begin, and labels inside
figures are escaped where they are made.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from automl.reports import words
from automl.reports.details import details_of, said_of_cut
from automl.reports.drawing.figure import svg_of
from automl.reports.drawing.small import small_curve
from automl.reports.early_ends import sentences
from automl.reports.energy import energy_of
from automl.reports.failure_rates import failure_rates
from automl.reports.figures import Figures, figures_of
from automl.reports.gpu_strips import idle_of, missing_samples
from automl.reports.loader_hint import loader_hint
from automl.reports.model import Summary
from automl.reports.packed import LONG, packed, packed_plotly
from automl.reports.page_facts import comparison_of, provenance_facts, range_of, study_facts
from automl.reports.phases import PhaseName, totals_of
from automl.reports.poses.page import PosePart
from automl.reports.race_table import contestants_of
from automl.reports.spending import wall_sentence
from automl.reports.theme import Figure
from automl.reports.trial_table import confirmation_rows, searched_rows, state_word, state_words
from automl.reports.verdict import FAKE, headline, on_images, verdict
from automl.reports.waits import by_cause
from automl.study.config import Direction
from automl.study.gpu_samples import GpuSample, read_samples

__all__ = ["render_html"]

_TEMPLATES = Path(__file__).parent / "templates"
#: The scripts in the order in which they stand on the page.
_SCRIPTS: Final = ("figures", "selection", "table", "page")
_SECTION = re.compile(r'<section id="(\w+)"[^>]*>\s*<h2>([^<]+)</h2>')


def render_html(summary: Summary, poses: PosePart | None = None) -> bytes:
    """The page of a study, in UTF-8.

    Args:
        summary: The study, whose folder is asked for the trials' logs and specs.
        poses: What is shown of its poses; None without any.
    """
    environment = _environment()
    samples = read_samples(summary.folder)
    drawn = figures_of(summary, samples)
    plots = {**drawn.by_name, **(poses.figures if poses is not None else {})}
    figures = {name: _embedded(figure) for name, figure in plots.items()}
    body = environment.get_template("body.html.j2").render(
        summary=summary,
        verdict=verdict(summary),
        on_images=on_images(summary),
        here=str(Path.cwd()),
        state_words=state_words(summary),
        figures=figures,
        poses=poses,
        importance_note=drawn.importance_note,
        study_facts=study_facts(summary),
        early_ends=list(sentences(summary)),
        ranges=[range_of(parameter) for parameter in summary.space.parameters],
        comparison=comparison_of(summary),
        race=contestants_of(summary),
        provenance=list(provenance_facts(summary.provenance)),
        **_trials(summary),
        **_costs(summary, samples, drawn),
    )
    page = environment.get_template("index.html.j2").render(
        summary=summary,
        fake=FAKE if summary.is_fake else "",
        headline=headline(summary),
        contents=[each for each in _SECTION.findall(body) if each[0] != "each"],
        body=Markup(body),  # noqa: S704 - escaped by the template that made it
        scripts=_SCRIPTS,
        figures=figures,
        plotly_js=packed_plotly() if figures else "",
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
        "chance": words.chance,
        "param": words.param,
        "duration": words.duration,
    }
    return environment


def _trials(summary: Summary) -> dict[str, Any]:
    """What the table of trials and the trials one by one show."""
    details = details_of(summary)
    is_high = summary.objective.direction is Direction.MAXIMIZE
    return {
        "details": list(details.values()),
        "cut": said_of_cut(details.values()),
        "logs": {number: detail.log for number, detail in details.items()},
        "words": {trial.number: state_word(trial, summary) for trial in summary.trials},
        "curves": _curves(summary),
        "searched": searched_rows(summary, details),
        "again": confirmation_rows(summary, details),
        "best_first": "descending" if is_high else "ascending",
        "short": words.short_names(summary.param_keys),
    }


def _costs(summary: Summary, samples: Sequence[GpuSample], drawn: Figures) -> dict[str, Any]:
    """What the parts on failures and costs show beside their figures."""
    return {
        "rates": failure_rates(summary),
        "wall": wall_sentence(summary.cost),
        "idle": idle_of(summary, samples),
        "energy": energy_of(samples),
        "phases": _shares(totals_of(drawn.phases)),
        "waits": by_cause(drawn.waits),
        "loader": loader_hint(summary, drawn.phases, samples),
        "gpu_note": "" if samples else missing_samples(summary),
    }


def _shares(totals: Mapping[PhaseName, float]) -> list[tuple[str, float, float]]:
    """Each phase with its seconds, and its share of all in percent."""
    whole = sum(totals.values())
    return [(str(name), seconds, 100 * seconds / whole) for name, seconds in totals.items()]


def _curves(summary: Summary) -> Mapping[int, Markup]:
    """Each trial's small curve beside that of the default."""
    first = summary.trial(0)
    default = {} if first is None else first.record.values
    return {
        trial.number: Markup(  # noqa: S704 - numbers and our own shapes
            small_curve(trial.record.values, {} if trial.number == 0 else default)
        )
        for trial in summary.trials
    }


@dataclass(frozen=True, slots=True)
class _Embedded:
    name: str
    title: str
    caption: str
    height: int
    json: Markup
    is_packed: bool
    still: Markup
    least: int


def _embedded(figure: Figure) -> _Embedded:
    # Inside a script element nothing is an entity; only "<" could end or open an element.
    text = figure.plot.to_json().replace("<", "\\u003c").replace("\u2028", "\\u2028")
    is_packed = len(text) > LONG
    height = int(figure.plot.layout.height)
    data = Markup(packed(text) if is_packed else text)  # noqa: S704 - made harmless above
    still = Markup(svg_of(figure.plot, figure.title))  # noqa: S704 - escaped where it is drawn
    return _Embedded(
        figure.name, figure.title, figure.caption, height, data, is_packed, still, figure.least
    )
