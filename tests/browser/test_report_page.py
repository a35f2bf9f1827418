"""The page in a browser: linked views, table, phone, dark, print, and without JavaScript."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from tests.browser.study import SECRET, TRIALS, WINNER

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

_FIRST_ROW = "#trials tbody tr:not([hidden])"
_PATIENCE_S: Final = 10.0


@contextmanager
def _opened(browser: "Browser", address: str, width: int = 1400, **look: Any) -> "Iterator[Page]":
    context = browser.new_context(viewport={"width": width, "height": 900}, **look)
    page = context.new_page()
    page.set_default_timeout(20_000)
    try:
        page.goto(address)
        yield page
    finally:
        context.close()


@pytest.fixture(scope="module")
def shared(browser: "Browser", report: str) -> "Iterator[Page]":
    with _opened(browser, report) as opened:
        # A figure that comes alive moves what is below it, and a click beside its mark is lost.
        for name in _figures(opened):
            _drawn(opened, name)
        yield opened


@pytest.fixture
def page(shared: "Page") -> "Iterator[Page]":
    """The same page for many tests, each of which finds it as it was opened."""
    yield shared
    shared.emulate_media(media="screen")
    shared.fill("#filter", "")
    shared.locator("#filter").blur()
    shared.keyboard.press("Escape")
    _becomes(shared, _chosen, [])


def _becomes(page: "Page", look: "Callable[[Page], object]", wanted: object) -> None:
    """Waits until what is seen on the page is what is wanted; a busy machine is given time."""
    end = time.monotonic() + _PATIENCE_S
    while (seen := look(page)) != wanted and time.monotonic() < end:
        page.wait_for_timeout(50)
    assert seen == wanted


def _shows(page: "Page", number: int | str) -> None:
    _becomes(page, _chosen, [f"trial-{number}"])


def _text_comes(page: "Page", place: str, words: str) -> None:
    _becomes(page, lambda page: words in page.inner_text(place), wanted=True)


def _marks(page: "Page", name: str, number: int | str) -> None:
    _becomes(page, lambda page: page.get_attribute(f"#plot-{name}", "data-marked"), str(number))


def _figures(page: "Page") -> list[str]:
    return list(page.eval_on_selector_all(".plot", "all => all.map(one => one.id.slice(5))"))


def _chosen(page: "Page") -> list[str]:
    return list(page.eval_on_selector_all(".detail.open", "all => all.map(one => one.id)"))


def _drawn(page: "Page", name: str) -> None:
    """Scrolls to a figure and waits until the live one stands there."""
    page.locator(f"#plot-{name}").scroll_into_view_if_needed()
    page.wait_for_selector(f"#plot-{name} .main-svg")
    page.wait_for_function(f"document.getElementById('plot-{name}').dataset.traces")


def test_nothing_is_fetched_and_nothing_complained_of(browser: "Browser", report: str) -> None:
    said: list[str] = []
    wanted: list[str] = []
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: wanted.append(request.url))
    page.add_init_script(
        "document.addEventListener('DOMContentLoaded', () => { window.early = !!window.Plotly; })"
    )
    page.goto(report)
    names = _figures(page)
    assert {"incumbent", "slices", "ranks", "map", "parallel", "memory", "gpus"} <= set(names)
    for name in names:
        _drawn(page, name)
    # Both those whose data is deflated and those whose data is plain were drawn.
    assert 0 < page.locator("figure script[data-packed]").count() < len(names)
    assert page.evaluate("window.early") is False, "plotly was read before the first paint"
    assert said == []
    assert [url for url in wanted if not url.startswith(("data:", "blob:"))] == [report]
    context.close()


def test_the_page_of_36_trials_stays_small(report: str) -> None:
    assert Path(url2pathname(urlsplit(report).path)).stat().st_size < 3_000_000


def test_a_click_on_a_row_shows_its_trial_everywhere(page: "Page") -> None:
    _drawn(page, "slices")
    page.click(f"{_FIRST_ROW} td:nth-child(4)")
    _shows(page, WINNER)
    assert page.url.endswith(f"#trial-{WINNER}")
    detail = page.locator(f"#trial-{WINNER}")
    assert detail.locator("svg.curve").is_visible()
    assert "train.optim.lr" in detail.inner_text()
    assert f"epoch 59 of trial {WINNER}" in (detail.locator("pre.log").text_content() or "")
    assert "num_epochs: 10" in (detail.locator("pre").last.text_content() or "")
    _marks(page, "slices", WINNER)
    assert page.locator("tr.selected").count() == 1
    page.keyboard.press("Escape")
    _becomes(page, _chosen, [])
    assert "#" not in page.url


def test_a_click_on_a_point_shows_its_trial(page: "Page") -> None:
    _drawn(page, "incumbent")
    box = page.locator("#plot-incumbent .scatterlayer .trace .points path").nth(3).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector("#plot-incumbent .hoverlayer .hovertext")
    hovered = page.locator("#plot-incumbent .hoverlayer .hovertext").first.text_content() or ""
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector(".detail.open")
    number = _chosen(page)[0].removeprefix("trial-")
    assert f"trial {number}" in hovered
    _marks(page, "incumbent", number)


#: Where a point of a live figure is on the screen, of a bar its middle, and the trial it is of.
_PIXELS = """([name, which, i]) => {
  const figure = document.getElementById(`plot-${name}`);
  const trace = figure.data.findIndex((each) => each.name?.startsWith(which));
  const {x, y, base, customdata} = figure._fullData[trace];
  const {xaxis, yaxis} = figure._fullLayout;
  const along = base === undefined ? x[i] : base[i] + x[i] / 2;
  const box = figure.getBoundingClientRect();
  const data = Array.isArray(customdata[i]) ? customdata[i][0] : customdata[i];
  return [box.x + xaxis._offset + xaxis.d2p(along), box.y + yaxis._offset + yaxis.d2p(y[i]), data];
}"""


def _click_into(page: "Page", name: str, which: str, i: int) -> int:
    """Clicks on a point of a trace; the number of its trial."""
    _drawn(page, name)
    x, y, number = page.evaluate(_PIXELS, [name, which, i])
    page.mouse.move(x, y)
    page.wait_for_selector(f"#plot-{name} .hoverlayer .hovertext")
    page.mouse.click(x, y)
    return int(number)


def test_a_click_on_a_line_shows_its_trial(page: "Page") -> None:
    number = _click_into(page, "learning", "winner", 8)
    _shows(page, number)
    _marks(page, "learning", number)
    # Its ten epochs once more on top, and the gap that ends the line.
    line = "all => all.data.slice(Number(all.dataset.traces)).map((each) => each.x.length)"
    _becomes(page, lambda page: max(page.eval_on_selector("#plot-learning", line)), 11)


@pytest.mark.parametrize(("trace", "i"), [("ok", 2), ("failed", 0), ("training", 3)])
def test_a_click_on_a_bar_shows_its_trial(page: "Page", trace: str, i: int) -> None:
    number = _click_into(page, "timeline", trace, i)
    _shows(page, number)
    _marks(page, "timeline", number)


def test_an_address_leads_to_a_trial_and_keys_go_on_from_it(
    browser: "Browser", report: str
) -> None:
    with _opened(browser, f"{report}#trial-7") as page:
        _shows(page, 7)
        assert "CUDA out of memory" in page.inner_text("#trial-7")
        order = page.eval_on_selector_all("tr[data-trial]", "all => all.map(r => r.dataset.trial)")
        page.keyboard.press("k")
        before = order[order.index("7") - 1]
        _shows(page, before)
        page.keyboard.press("ArrowDown")
        _shows(page, 7)
        page.go_back()
        _shows(page, before)


def test_the_buttons_go_from_trial_to_trial_and_keep_the_focus(page: "Page") -> None:
    page.click(f"{_FIRST_ROW} td:nth-child(4)")
    _shows(page, WINNER)
    before = page.eval_on_selector_all(_FIRST_ROW, "all => all.map(row => row.dataset.trial)")
    page.focus(".detail.open [data-do='next']")
    page.keyboard.press("Enter")
    _shows(page, before[1])
    page.keyboard.press("Enter")
    _shows(page, before[2])
    page.click(".detail.open [data-do='close']")
    _becomes(page, _chosen, [])


def test_failures_lead_to_their_trials(page: "Page") -> None:
    page.click("#failed a[href='#trial-16']")
    _shows(page, 16)
    assert page.get_attribute("#failed a:has-text('log of')", "href") == "../trials/0007/1/log.txt"


def test_no_secret_of_a_log_reaches_the_page(page: "Page") -> None:
    content = page.content()
    assert SECRET not in content
    assert "WANDB_API_KEY=****" in content


def _column(page: "Page", n: int) -> list[str]:
    script = f"all => all.map(row => row.cells[{n}].dataset.v ?? row.cells[{n}].textContent)"
    return list(page.eval_on_selector_all(_FIRST_ROW, script))


def _numbers(page: "Page") -> list[int]:
    return [int(value) for value in _column(page, 0)]


def _scores(page: "Page") -> list[float]:
    return [float(value) for value in _column(page, 3) if value]


def test_the_table_is_sorted_by_score_and_a_first_click_puts_the_best_first(
    browser: "Browser", report: str
) -> None:
    with _opened(browser, report) as page:
        _sorts(page)


def _sorts(page: "Page") -> None:
    scores = _scores(page)
    assert scores == sorted(scores, reverse=True)
    page.click("#trials th[data-name='number']")
    _becomes(page, _numbers, list(range(TRIALS)))
    page.click("#trials th[data-name='val_3DIoU']")
    _becomes(page, _scores, scores)
    page.click("#trials th[data-name='val_3DIoU']")
    _becomes(page, _scores, scores[::-1])


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        ("no_color_aug=true", lambda n: n % 3 == 1),
        ("dataset.no_color_aug=true oom", lambda n: n % 3 == 1 and n % 9 == 7),
        ("state=pruned", lambda n: n % 5 == 3 and n % 9 != 7),
        ("nano", lambda n: n % 2 == 0),
    ],
)
def test_the_filter_finds(page: "Page", words: str, fits: Callable[[int], bool]) -> None:
    page.fill("#filter", words)
    _becomes(page, lambda page: sorted(_numbers(page)), list(filter(fits, range(TRIALS))))


def test_the_filter_finds_confirmations(page: "Page") -> None:
    page.fill("#filter", "confirm")
    _becomes(page, _numbers, [])
    assert page.locator("#confirmations tbody tr:not([hidden])").count() == 6
    _text_comes(page, "#shown", "6 of 6 confirmations")


def test_a_phone_needs_no_scrolling_sideways(browser: "Browser", report: str) -> None:
    with _opened(browser, report, width=400) as page:
        for name in ("slices", "parallel", "gpus"):
            _drawn(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") == 400
        widths = page.eval_on_selector_all(".command code", "all => all.map(c => c.clientWidth)")
        assert min(widths) > 250
        panels = page.eval_on_selector_all("#plot-slices .xaxislayer-above", "all => all.length")
        assert panels == 4
        page.click(f"{_FIRST_ROW} td:nth-child(4)")
        page.wait_for_selector(".detail.open")
        box = page.locator(".detail.open").bounding_box()
        assert box is not None
        assert (box["x"], box["width"]) == (0, 400)


def test_without_javascript_every_figure_and_trial_is_there(
    browser: "Browser", report: str
) -> None:
    with _opened(browser, report, java_script_enabled=False) as page:
        assert page.locator(".plot").count() == page.locator(".plot svg.still").count() > 8
        assert page.locator("svg.still").first.is_visible()
        details = page.locator(".detail")
        assert details.count() == TRIALS + 6
        assert details.first.is_visible()


def test_dark_and_light_differ(browser: "Browser", report: str) -> None:
    colours = []
    for scheme in ("light", "dark"):
        with _opened(browser, report, color_scheme=scheme) as page:
            _drawn(page, "incumbent")
            script = "getComputedStyle(document.body).backgroundColor"
            tick = "getComputedStyle(document.querySelector('#plot-incumbent .xtick text')).fill"
            colours.append((page.evaluate(script), page.evaluate(tick)))
    assert colours[0][0] == "rgb(255, 255, 255)"
    assert colours[1][0] == "rgb(20, 24, 31)"
    assert colours[0][1] != colours[1][1]


def test_paper_gets_no_buttons(page: "Page") -> None:
    page.emulate_media(media="print")
    for name in (".contents", ".tools", ".copy"):
        page.locator(name).first.wait_for(state="hidden")
    assert page.locator("#trials tbody tr").last.is_visible()
