"""How long a page gets: so much a trial, and what is packed reads back."""

import base64
import json
import re
import zlib

import pytest

from automl.reports.html import render_html
from automl.reports.packed import LONG, packed, packed_plotly
from automl.reports.summary import read_summary
from tests.unit.reports.study_builder import StudyBuilder, many

_TRIALS = 300
#: With 2,000 such trials, plotly and all the texts that there is room for a page has 10 MB.
_BYTES_A_TRIAL = 3_600


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    builder = StudyBuilder(tmp_path_factory.mktemp("long"))
    many(builder, _TRIALS)
    return render_html(read_summary(builder.folder)).decode()


def _unpacked(text: str) -> str:
    return zlib.decompress(base64.b64decode(text)).decode()


@pytest.mark.timeout(60)  # three hundred trials are written, and their figures drawn
def test_a_trial_takes_so_much_of_the_page(page: str) -> None:
    assert page.count('<article class="detail"') == _TRIALS
    assert (len(page.encode()) - len(packed_plotly())) / _TRIALS < _BYTES_A_TRIAL


@pytest.mark.timeout(60)  # the page is made by whichever test is first
def test_long_figures_are_packed_and_short_ones_read_as_they_stand(page: str) -> None:
    block = r'<script type="([a-z/]+)" id="data-(\w+)"( data-packed)?>(.*?)</script>'
    found = {name: (kind, bool(mark), text) for kind, name, mark, text in re.findall(block, page)}
    assert found["learning"][:2] == ("text/plain", True)
    assert found["importance"][:2] == ("application/json", False)
    for kind, is_packed, text in found.values():
        assert is_packed == (kind == "text/plain")
        plain = _unpacked(text) if is_packed else text
        assert is_packed == (len(plain) > LONG)
        assert json.loads(plain)["data"]


def test_what_is_packed_reads_back() -> None:
    text = "a ≤ b\n" * 1000 + "</script>"
    assert _unpacked(packed(text)) == text
    assert len(packed(text)) < len(text) / 10
    assert "plotly.js" in _unpacked(packed_plotly())[:200]
