"""Errors answer four questions in one order, and each knows its exit code."""

import pickle

from automl import errors
from automl.errors import AutomlError, FixInput, ResolveConflict


def test_the_message_gives_rule_value_place_and_mend() -> None:
    error = FixInput("the range must rise", got="9..3", where="--search a.b", fix="write 3..9")
    assert str(error) == "the range must rise, but got 9..3 (--search a.b); write 3..9"
    assert str(FixInput("the file must exist", where="a.yaml")) == "the file must exist (a.yaml)"


def test_a_text_of_others_is_no_line_of_the_error() -> None:
    forged = "x\nerror: all is lost\r\u2028\x85"
    error = FixInput(forged, got=forged, where=forged, fix=forged)
    assert len(str(error).splitlines()) == 1
    assert str(error).count(r"\u000aerror: all is lost\u000d\u2028\u0085") == 4


def test_what_takes_several_lines_has_each_indented() -> None:
    error = FixInput("it must be the same", got="another:", lines=["+ a", "- b\nc"], fix="look")
    assert str(error) == "it must be the same, but got another:\n  + a\n  - b\\u000ac\n ; look"


def test_an_error_crosses_processes_whole() -> None:
    error = ResolveConflict("a rule", got="this", where="there", fix="so", lines=("a", "b"))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 -- our own
    assert (type(again), str(again), again.lines) == (ResolveConflict, str(error), ("a", "b"))


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
        "ResumeLater": 75,
        "ResolveConflict": 7,
    }
