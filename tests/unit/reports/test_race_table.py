"""The table of the race: seeds, what is expected, and how likely each rank is."""

import json
from pathlib import Path

import pytest

from automl.reports.race_table import contestants_of
from automl.reports.summary import read_summary
from automl.reports.write import write_report
from automl.study import attributes
from automl.study.limits import Limits
from tests.unit.reports.study_builder import StudyBuilder, Told, config, params

_RATES = (6e-5, 1e-4, 2e-4, 4e-4, 8e-4, 1.6e-3, 3e-3, 6e-3)
_VALUES = (0.20, 0.26, 0.35, 0.41, 0.46, 0.43, 0.30, 0.15)
#: Contestant to what its fresh seeds of the race gave.
_SEEDS = {4: (0.45, 0.44, 0.46), 5: (0.41, 0.44, 0.42), 3: (0.38,)}


def _search(studies: Path) -> StudyBuilder:
    builder = StudyBuilder(studies, config(limits=Limits(trials=8, confirm=2)))
    for number, (rate, value) in enumerate(zip(_RATES, _VALUES, strict=True)):
        builder.add(number, Told(params(rate), [0.0, value], begin_s=60.0 * number))
    return builder


def _again(builder: StudyBuilder, number: int, of: int, value: float, source: str) -> None:
    told = Told(params(_RATES[of]), [0.0, value], begin_s=60.0 * number, source=source,
                confirms=of)  # fmt: skip
    builder.add(number, told)


def _race(studies: Path) -> StudyBuilder:
    builder = _search(studies)
    seeds = [(of, value) for of, values in _SEEDS.items() for value in values]
    for number, (of, value) in enumerate(seeds, 8):
        _again(builder, number, of, value, attributes.SOURCE_RACE)
    return builder


def test_each_rank_and_each_contestant_has_probability_one(studies_dir: Path) -> None:
    rows = contestants_of(read_summary(_race(studies_dir).folder))
    assert [row.number for row in rows] == [4, 5, 3]
    for row in rows:
        assert sum(row.ranks) == pytest.approx(1.0)
        assert row.values == _SEEDS[row.number]
    for each in zip(*(row.ranks for row in rows), strict=True):
        assert sum(each) == pytest.approx(1.0)
    first = [row.ranks[0] for row in rows]
    assert first[0] > 0.6
    assert first[2] < 0.1
    assert rows[0].mean == pytest.approx(0.45)
    assert rows[2].sd is None


def test_seeds_that_judge_the_winner_change_no_rank(studies_dir: Path) -> None:
    builder = _race(studies_dir)
    before = contestants_of(read_summary(builder.folder))
    for number, value in ((15, 0.10), (16, 0.12)):
        _again(builder, number, 4, value, attributes.SOURCE_CONFIRM)
    assert contestants_of(read_summary(builder.folder)) == before


def test_the_page_and_the_json_show_the_race(studies_dir: Path) -> None:
    builder = _race(studies_dir)
    write_report(builder.folder)
    page = (builder.folder / "report" / "index.html").read_text(encoding="utf-8")
    assert "The race for being the winner" in page
    assert ">P(3rd)</th>" in page
    value = json.loads((builder.folder / "report" / "report.json").read_text(encoding="utf-8"))
    assert [row["number"] for row in value["race"]] == [4, 5, 3]


def test_a_study_without_a_race_has_no_table(studies_dir: Path) -> None:
    builder = _search(studies_dir)
    assert contestants_of(read_summary(builder.folder)) == []
    _again(builder, 8, 0, 0.3, attributes.SOURCE_CONFIRM)
    assert contestants_of(read_summary(builder.folder)) == []
