"""A requirement held against real study folders."""

from dataclasses import replace
from pathlib import Path

import pytest

from automl.app.required import held_to_requirement, known_of
from automl.app.screen import Ending
from automl.reports.summary import read_summary
from automl.study.config import Direction, Objective
from automl.study.requirement import NAMES
from tests.unit.reports.study_builder import StudyBuilder, config, confirm, fill


def ended(studies_dir: Path, require: str, *, confirmed: bool = True, code: int = 0) -> Ending:
    builder = StudyBuilder(studies_dir, replace(config(), require=require))
    fill(builder)
    if confirmed:
        confirm(builder, 4)
    return held_to_requirement(Ending(code, "every trial has ended", builder.paths))


def test_every_name_has_a_number_or_says_that_it_has_none(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    fill(builder)
    known = known_of(read_summary(builder.folder))
    assert set(known) == {*NAMES, "val_3DIoU"}
    assert known["best"] == known["value"] == known["val_3DIoU"] == 0.47
    assert known["default"] == 0.31
    assert known["gain"] == pytest.approx(0.16)
    assert (known["mean"], known["gain_low"], known["test"]) == (None, None, None)
    assert (known["trials"], known["failures"]) == (8.0, 2.0)


def test_fresh_seeds_lead_where_there_are_some(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    fill(builder)
    confirm(builder, 4)
    known = known_of(read_summary(builder.folder))
    assert known["value"] == known["mean"] == pytest.approx(1.37 / 3)
    assert known["gain"] == pytest.approx((1.37 - 0.92) / 3)
    low, gain, high = (known[name] for name in ("gain_low", "gain", "gain_high"))
    assert low is not None
    assert gain is not None
    assert high is not None
    assert low < gain < high


def test_gains_of_what_is_minimised_are_positive_where_it_is_better(studies_dir: Path) -> None:
    objective = Objective("val_3DIoU", Direction.MINIMIZE, worst=1.0)
    builder = StudyBuilder(studies_dir, replace(config(), objective=objective))
    fill(builder)
    known = known_of(read_summary(builder.folder))
    assert known["gain"] is not None
    assert known["gain"] >= 0


def test_what_is_met_keeps_the_ending(studies_dir: Path) -> None:
    ending = ended(studies_dir, "val_3DIoU >= 0.45 and gain_low > 0")
    assert ending.exit_code == 0
    assert ending.reason.endswith("required and met: val_3DIoU >= 0.45 and gain_low > 0")


def test_what_is_not_met_exits_with_6_and_says_which_part(studies_dir: Path) -> None:
    ending = ended(studies_dir, "val_3DIoU >= 0.45 and gain_low > 0.5")
    assert ending.exit_code == 6
    assert "gain_low > 0.5 does not hold: gain_low is " in ending.reason
    assert "val_3DIoU" not in ending.reason


def test_what_was_not_confirmed_is_not_met(studies_dir: Path) -> None:
    ending = ended(studies_dir, "gain_low > 0", confirmed=False)
    assert ending.exit_code == 6
    assert "gain_low is not known" in ending.reason


def test_a_study_that_ended_badly_keeps_its_own_code(studies_dir: Path) -> None:
    assert ended(studies_dir, "val_3DIoU > 2", code=75).exit_code == 75


def test_nothing_required_changes_nothing(studies_dir: Path) -> None:
    assert ended(studies_dir, "").reason == "every trial has ended"
