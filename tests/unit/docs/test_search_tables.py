"""The page on searches says what the results say, and the summary is theirs."""

import json
from typing import Any

import pytest

from automl.jsontext import read_json
from tests.bench.search.page import PAGE, rewritten, tables
from tests.bench.search.summary import RESULTS, as_json, read_all

pytestmark = pytest.mark.timeout(60)  # bootstraps of every pair of methods


def test_its_tables_are_those_of_the_results() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert rewritten(page, tables()) == page


def test_another_figure_would_be_seen() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for table in tables():
        changed = page.replace(table[-1], table[-1].replace("0.", "0.9", 1))
        assert rewritten(changed, [table]) != changed


def test_the_summary_is_that_of_the_results() -> None:
    kept = read_json(RESULTS / "summary.json")
    costs = [float(cost) for cost in kept["differences"]]
    made = json.loads(json.dumps(as_json(read_all(), kept["base"], costs)))
    assert kept["spreads"] == made["spreads"]
    assert _rounded(kept["differences"]) == _rounded(made["differences"])


def _rounded(value: Any) -> Any:
    """Without the last digits, which hang on the order of a sum."""
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return round(value, 9)
