"""Errors answer four questions in one order, and each knows its exit code."""

from automl import errors
from automl.errors import AutomlError, FixInput


def test_the_message_gives_rule_value_place_and_mend() -> None:
    error = FixInput("the range must rise", got="9..3", where="--search a.b", fix="write 3..9")
    assert str(error) == "the range must rise, but got 9..3 (--search a.b); write 3..9"
    assert str(FixInput("the file must exist", where="a.yaml")) == "the file must exist (a.yaml)"


def test_exit_codes_are_the_published_ones() -> None:
    codes = {
        name: getattr(errors, name).exit_code
        for name in errors.__all__
        if issubclass(getattr(errors, name), AutomlError)
    }
    assert codes == {
        "AutomlError": 1,
        "FixData": 2,
        "FixInput": 2,
        "InstallExtra": 2,
        "PrepareMachine": 3,
        "NoUsableTrial": 4,
        "FixAndResume": 5,
        "ResolveConflict": 7,
    }
