"""Recorded trainings: which one answers, and how far it is from what was asked."""

from typing import TYPE_CHECKING

import pytest

from automl.search.curves import Curve, Epoch
from automl.search.recorded import RecordedCurves, Recording
from automl.space.distributions import Choice, FloatRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter

if TYPE_CHECKING:
    from automl.skill.tree import ParamValue

SPACE = SearchSpace(
    (
        Parameter("lr", "float", FloatRange(1e-5, 1e-1, log=True), default=1e-3),
        Parameter("net", "string", Choice(("a", "b")), default="a"),
    )
)


def recording(name: str, lr: float, net: str, *values: float) -> Recording:
    epochs = tuple(Epoch(1.0, {"score": value}) for value in values)
    return Recording(name, {"lr": lr, "net": net}, Curve(epochs))


def test_nearest_is_measured_on_the_scale_of_the_range() -> None:
    curves = RecordedCurves(
        SPACE, [recording("low", 1e-4, "a", 0.1), recording("high", 1e-2, "a", 0.9, 0.8)]
    )
    found, distance = curves.nearest({"lr": 2e-3, "net": "a"})
    assert found.name == "high"
    # 0.175 of the range of lr, nothing of the choice.
    assert distance == pytest.approx(0.1747 / 2**0.5, abs=1e-3)
    assert curves.n_epochs == 2
    assert curves.train({"lr": 1e-5, "net": "a"}, None).epochs[0].metrics == {"score": 0.1}


def test_another_option_is_a_whole_range_away() -> None:
    curves = RecordedCurves(
        SPACE, [recording("far", 1e-5, "b", 0.1), recording("near", 1e-1, "a", 0.9)]
    )
    assert curves.nearest({"lr": 1e-2, "net": "b"})[0].name == "far"
    assert curves.nearest({"lr": 1e-3, "net": "a"})[0].name == "near"


def test_recordings_of_one_setting_answer_by_seed() -> None:
    same = [recording(name, 1e-3, "a", 0.5) for name in "pqrs"]
    curves = RecordedCurves(SPACE, same)
    asked: dict[str, ParamValue] = {"lr": 1e-3, "net": "a"}
    assert curves.nearest(asked, 1) == curves.nearest(asked, 1)
    assert len({curves.nearest(asked, seed)[0].name for seed in range(20)}) > 1


def test_nothing_to_answer_with_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one recording"):
        RecordedCurves(SPACE, [])
