"""The page on searches says what the results say, and the summary is theirs."""

import json
from typing import Any

import pytest

from automl.jsontext import read_json
from tests.bench.search.page import PAGE, rewritten, tables
from tests.bench.search.summary import RESULTS, Difference, Runs, as_json, read_all

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


def test_its_sentences_say_what_the_results_say() -> None:
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    judged = read_json(RESULTS / "confirmation.json")
    noisy = judged["overclaim by noise"]["0.03"]
    seen, expected = noisy["observed"]["mean"], noisy["expected"]
    within = judged["expected within 2 sd of the truth"]["share"]
    assert f"best value overclaims by {seen:.3f}, what is expected of the winner by" in page
    assert f"{expected['mean']:.3f} ({expected['low']:.3f} to {expected['high']:.3f})" in page
    assert f"two of the stated deviations in {within:.0%}".replace("%", " %") in page


def test_of_taskset_it_says_who_is_ahead() -> None:
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    results = read_all()
    families = [family for family, method in results if family.startswith("taskset-")]
    gains = {
        method: [
            found.mean
            for family in dict.fromkeys(families)
            if (found := gain_over_today(results, family, method)) is not None
        ]
        for method in ("auto", "auto_full")
    }
    with_rungs, without = gains["auto"], gains["auto_full"]
    assert f"between {max(with_rungs):.3f} lower and {-min(with_rungs):.3f} higher" in page
    assert f"by {-max(without):.3f} to {-min(without):.3f}" in page


def gain_over_today(
    results: dict[tuple[str, str], Runs], family: str, method: str
) -> Difference | None:
    ours, base = results[family, f"{method}@1"], results[family, "today@1"]
    return Difference.of(ours.values(25.0), base.values(25.0), base.objective)
