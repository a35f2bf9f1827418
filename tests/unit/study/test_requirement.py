"""The grammar of ``--require``: what it takes, refuses, and says where it fails."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.errors import FixInput
from automl.study.condition import Known
from automl.study.requirement import NAMES, check_names, parse_requirement

KNOWN: Known = {**dict.fromkeys(NAMES), "best": 0.82, "gain_low": -0.01, "trials": 12.0,
                "val_3DIoU": 0.8}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "is_met"),
    [
        ("val_3DIoU >= 0.8", True),
        ("val_3DIoU > 0.8", False),
        ("val_3DIoU>=.8 and gain_low>0", False),
        ("best > 0.9 or trials == 12", True),
        ("not best > 0.9", True),
        ("not (best > 0.9 or trials == 12)", False),
        ("0.5 < best and best < 9e-1", True),
        ("best > val_3DIoU", True),
        ("gain_low > -0.05", True),
        ("trials != 12", False),
        # "and" binds more tightly than "or".
        ("best > 0.8 or best > 0.9 and trials > 99", True),
        ("(best > 0.8 or best > 0.9) and trials > 99", False),
        # What is not known never makes a requirement met.
        ("mean > 0", False),
        ("not mean > 0", False),
        ("mean > 0 or best > 0.8", True),
        ("mean > 0 and best > 0.9", False),
    ],
)
def test_what_it_means(text: str, is_met: bool) -> None:
    assert (parse_requirement(text, "--require").unmet(KNOWN) == ()) is is_met


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("val_3DIoU > 0.85 and trials > 3",
         ("val_3DIoU > 0.85 does not hold: val_3DIoU is 0.8",)),
        ("not (trials > 3 or best > 0.9)", ("trials > 3 holds: trials is 12",)),
        ("best > 0.9 or gain_low > 0",
         ("best > 0.9 does not hold: best is 0.82",
          "gain_low > 0 does not hold: gain_low is -0.01")),
        ("mean >= 0.5", ("mean >= 0.5: mean is not known",)),
        ("best < val_3DIoU",
         ("best < val_3DIoU does not hold: best is 0.82, val_3DIoU is 0.8",)),
    ],
)  # fmt: skip
def test_the_part_that_fails_is_said_with_its_values(text: str, said: tuple[str, ...]) -> None:
    assert parse_requirement(text, "--require").unmet(KNOWN) == said


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("", "the end where a name"),
        ("best", "'' where one of"),
        ("best >", "the end where a name"),
        ("best > 1 and", "the end where a name"),
        ("(best > 1", "not closed"),
        ("best > 1)", "')' after"),
        ("best => 1", "'=> 1'"),
        ("best > 1 gain > 0", "'gain' after"),
        ("0 < best < 1", "a chain of comparisons"),
        ("1 < 2", "two numbers: 1 < 2"),
        ("best > and", "'and' where a name"),
        ("__import__('os')", "'os'"),
        ("best + 1 > 2", "+ 1 > 2"),
        ("best > 1; rm", "'; rm'"),
        ("(" * 60 + "best > 1" + ")" * 60, "parentheses inside one another"),
    ],
)
def test_what_is_no_requirement_is_refused(text: str, got: str) -> None:
    with pytest.raises(FixInput, match="compares names and numbers") as error:
        parse_requirement(text, "--require")
    assert got in error.value.got


def test_unknown_names_are_refused_with_the_nearest() -> None:
    check_names(parse_requirement("val_3DIoU > 0 and best > 0", "--require"), "val_3DIoU", "")
    with pytest.raises(FixInput, match="did you mean gain_low"):
        check_names(parse_requirement("gain_lo > 0", "--require"), "val_3DIoU", "--require")
    with pytest.raises(FixInput, match="known: val_3DIoU, value, best"):
        check_names(parse_requirement("xyzzy > 0", "--require"), "val_3DIoU", "--require")


@given(st.text(alphabet="abest gain_low()<>=!andornt0123456789.-+e'\"", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        requirement = parse_requirement(text, "--require")
    except FixInput:
        return
    again = parse_requirement(requirement.text, "--require")
    assert again.condition == requirement.condition
