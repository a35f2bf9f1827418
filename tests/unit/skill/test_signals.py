"""What a search profile says may be judged by early."""

from typing import Any

import pytest

from automl.errors import FixInput
from automl.skill.profile_file import load_profile, read_profile
from automl.skill.read import own_skill_dir, read_action_schema, read_skill
from automl.skill.signals import Signal


def test_signals_are_read_with_what_they_compare_within() -> None:
    block = [
        {"metric": "loss", "better": "lower", "within": ["a.b", "c"]},
        {"metric": "error", "better": "lower", "silent": 0},
        {"metric": "share", "better": "higher"},
    ]
    signals = read_profile({"signals": block}, "profile.yaml").signals
    assert signals == (
        Signal("loss", "lower", ("a.b", "c")),
        Signal("error", "lower", silent=0.0),
        Signal("share", "higher"),
    )
    assert [Signal.from_json(signal.to_json()) for signal in signals] == list(signals)


def test_more_merit_is_better_and_a_silent_value_has_none() -> None:
    error = Signal("error", "lower", silent=0.0)
    assert error.merit(2.0) == -2.0
    assert error.merit(0.0) is None
    assert Signal("share", "higher").merit(0.0) == 0.0


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"metric": "loss"}, "must be a list"),
        (["loss"], "a signal must be a mapping"),
        ([{"metric": "loss", "better": "lower", "withn": []}], "withn.*did you mean within"),
        ([{"better": "lower"}], "metric must name"),
        ([{"metric": "loss"}], "better must be lower or higher"),
        ([{"metric": "loss", "better": "less"}], "better must be lower or higher"),
        ([{"metric": "loss", "better": "lower", "within": "a.b"}], "list of dotted keys"),
        ([{"metric": "loss", "better": "lower", "silent": "0"}], "silent must be a number"),
        ([{"metric": "loss", "better": "lower", "silent": True}], "silent must be a number"),
    ],
)
def test_a_broken_signal_is_an_error_that_says_where(block: Any, words: str) -> None:
    with pytest.raises(FixInput, match=words) as caught:
        read_profile({"signals": block}, "profile.yaml")
    assert "profile.yaml" in caught.value.where


def test_the_own_profile_names_settings_that_there_are() -> None:
    skill = own_skill_dir()
    signals = load_profile(skill / "references" / "search_profile.yaml").signals
    assert "train_loss" in {signal.metric for signal in signals}
    schema = read_action_schema(read_skill(skill), "train")
    for key in {key for signal in signals for key in signal.within}:
        assert schema.contains(key), key
