"""The page: whole for every study, fetching nothing, and deaf to what a user smuggles in."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from automl.reports.html import render_html
from automl.reports.markdown import render_markdown
from automl.reports.summary import read_summary
from automl.space.model import SearchSpace
from automl.study.records import FailureClass, OutcomeState
from tests.unit.reports.study_builder import StudyBuilder, Told, config, confirm, fill, params

_EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)> {{ 7*7 }}"
_VOID = {"meta", "link", "input", "br", "img"}


class _Page(HTMLParser):
    """Collects elements, what they would fetch, and whether each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.fetched: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        if tag not in _VOID:
            self._open.append(tag)
        wanted = {"script": "src", "img": "src", "link": "href", "iframe": "src"}.get(tag)
        self.fetched += [value or "" for name, value in attrs if name == wanted]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def _parsed(folder: Path) -> _Page:
    page = _Page()
    page.feed(render_html(read_summary(folder)).decode())
    page.close()
    return page


def _unfinished(builder: StudyBuilder) -> None:
    builder.add(0, Told(params(), [0.1, 0.2]))
    builder.add(1, Told(params(1e-3), [0.3], state=None))


def _no_success(builder: StudyBuilder) -> None:
    builder.add(0, Told(params(), (), OutcomeState.FAILED, FailureClass.DATA, "truncated json"))


def _one_trial(builder: StudyBuilder) -> None:
    builder.add(0, Told(params(), [0.2]))


def _nothing(builder: StudyBuilder) -> None:
    del builder


def _sure(builder: StudyBuilder) -> None:
    fill(builder)
    confirm(builder, 4)


@pytest.mark.parametrize("make", [fill, _sure, _unfinished, _no_success, _one_trial, _nothing])
def test_every_study_has_a_whole_page_that_fetches_nothing(
    studies_dir: Path, make: Callable[[StudyBuilder], None]
) -> None:
    builder = StudyBuilder(studies_dir)
    make(builder)
    page = _parsed(builder.folder)
    assert page.elements.count("h1") == 1
    assert [address for address in page.fetched if not address.startswith("data:")] == []


def test_a_direct_training_says_so(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir, config(policy="off"), SearchSpace())
    builder.add(0, Told({}, [0.2, 0.3]))
    text = render_html(read_summary(builder.folder)).decode()
    assert "One direct training, no search" in text
    assert 'id="mattered"' not in text
    assert 'id="comparison"' not in text


def test_the_mean_of_fresh_seeds_leads_title_tiles_and_first_sentence(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    _sure(builder)
    text = render_html(read_summary(builder.folder)).decode()
    mean = "0.4567"
    title = re.search("<title>(.*?)</title>", text)
    assert title is not None
    assert mean in title[1]
    first = re.search('<p class="verdict">(.*?)<span>', text)
    assert first is not None
    assert mean in first[1]
    assert "better than the default with fresh seeds" in first[1]
    assert f'<li class="lead"><b>{mean}</b>' in text
    assert "not confirmed" not in text


def test_made_up_numbers_are_called_so_before_anything_else(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir, config(trainer="scripted"))
    _one_trial(builder)
    text = render_html(read_summary(builder.folder)).decode()
    assert text.index('<p class="fake">') < text.index("<h1>")
    assert (
        render_markdown(read_summary(builder.folder)).decode().splitlines()[2].startswith("**FAKE")
    )


def test_figures_are_json_that_a_browser_can_read(full_study: Path) -> None:
    text = render_html(read_summary(full_study)).decode()
    blocks = re.findall(r'<script type="application/json" id="data-(\w+)">(.*?)</script>', text)
    assert [name for name, _ in blocks] == [
        "incumbent",
        "learning",
        "slices",
        "parallel",
        "failures",
        "budget",
        "timeline",
        "throughput",
    ]
    for _, block in blocks:
        figure = json.loads(block)
        assert figure["data"]
        assert "layout" in figure


def test_what_a_user_wrote_stays_text(studies_dir: Path) -> None:
    study = config(overrides={"evil": _EVIL}, policy_source=_EVIL)
    builder = StudyBuilder(studies_dir, study)
    evil = params() | {"model.backbone.model_type": _EVIL, _EVIL: _EVIL}
    builder.add(0, Told(evil, [0.1]))
    builder.add(1, Told(evil, [0.2], OutcomeState.FAILED, FailureClass.UNKNOWN, _EVIL))
    page = _parsed(builder.folder)
    assert "img" not in page.elements
    # Five figures' data, plotly and the page's own two scripts; nothing that a user brought.
    assert page.elements.count("script") == 5 + 3
    text = render_html(read_summary(builder.folder)).decode()
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "{{ 7*7 }}" in text


def test_the_winner_is_marked_and_links_are_relative(full_study: Path) -> None:
    text = render_html(read_summary(full_study)).decode()
    row = re.search(r'<tr data-trial="4" class="winner">.*?</tr>', text, re.DOTALL)
    assert row is not None
    assert 'href="#trial-4"' in row[0]
    assert 'href="../trials/0004/"' in text
    assert "file://" not in text.split("<script>")[0]


def test_markdown_fits_a_page_and_escapes(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    fill(builder)
    builder.add(
        8,
        Told(params(), (), OutcomeState.FAILED, FailureClass.UNKNOWN, "a | b `c` <script>"),
    )
    text = render_markdown(read_summary(builder.folder)).decode()
    assert len(text.splitlines()) <= 50
    assert "`` a \\| b `c` <script> ``" in text
    assert "val_3DIoU 0.4700" in text
    assert "▁" in text


def test_markdown_of_a_study_without_trials(studies_dir: Path) -> None:
    text = render_markdown(read_summary(StudyBuilder(studies_dir).folder)).decode()
    assert "No trial has been started yet." in text
