"""The grammar of math_cond and depends_on."""

import pytest

from automl.errors import FixInput
from automl.skill.model import ParameterSchema
from automl.space.conditions import Comparison, parse_conditions
from automl.space.relations import Relation


def _leaf(math_cond: str = "", depends_on: str = "") -> ParameterSchema:
    return ParameterSchema("train.x", "int", 4, math_cond=math_cond, depends_on=depends_on)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("> 0", (Comparison(Relation.ABOVE, 0),)),
        (">0", (Comparison(Relation.ABOVE, 0),)),
        (">= 0.0", (Comparison(Relation.AT_LEAST, 0.0),)),
        ("> 0.0 <= 1.0", (Comparison(Relation.ABOVE, 0.0), Comparison(Relation.AT_MOST, 1.0))),
        ("> 0, < 1e-3", (Comparison(Relation.ABOVE, 0), Comparison(Relation.BELOW, 1e-3))),
        ("!= 0", (Comparison(Relation.NOT, 0),)),
        ("> -2 and < 5", (Comparison(Relation.ABOVE, -2), Comparison(Relation.BELOW, 5))),
        ("< model.width", (Comparison(Relation.BELOW, parents=("model.width",)),)),
        ("", ()),
    ],
)
def test_comparisons(text: str, expected: tuple[Comparison, ...]) -> None:
    assert parse_conditions(_leaf(text)).comparisons == expected


def test_multiple_and_power() -> None:
    assert parse_conditions(_leaf("/ 8")).multiple == 8
    assert parse_conditions(_leaf("^ 2")).power == 2
    both = parse_conditions(_leaf("> 0 / 4"))
    assert (both.multiple, both.comparisons) == (4, (Comparison(Relation.ABOVE, 0),))


@pytest.mark.parametrize(
    ("math_cond", "depends_on", "expected"),
    [
        ("> depends_on", "a.b", Comparison(Relation.ABOVE, parents=("a.b",))),
        ("", "a.b", Comparison(Relation.AT_MOST, parents=("a.b",))),
        ("", "a.b, c.d", Comparison(Relation.AT_MOST, parents=("a.b", "c.d"))),
        ("", "> a.b", Comparison(Relation.ABOVE, parents=("a.b",))),
        ("/ 2", "a.b", Comparison(Relation.AT_MOST, parents=("a.b",), divisor=2)),
    ],
)
def test_parents(math_cond: str, depends_on: str, expected: Comparison) -> None:
    found = parse_conditions(_leaf(math_cond, depends_on))
    assert found.comparisons == (expected,)
    assert found.parents == expected.parents
    assert found.multiple is None


def test_a_condition_of_its_own_does_not_undo_a_bare_dependency() -> None:
    found = parse_conditions(_leaf("> 0", "a.b"))
    assert Comparison(Relation.AT_MOST, parents=("a.b",)) in found.comparisons


@pytest.mark.parametrize(
    "text",
    [
        "about 5",
        ">",
        "> >",
        "5",
        "/ 0",
        "^ 1",
        "/ depends_on",
        "> 5 6",
        "% 2",
        "> 1.2.3",
        "> 1e999",
        "> nan",
        "< inf",
    ],
)
def test_a_text_outside_the_grammar_is_an_error_that_names_the_key(text: str) -> None:
    with pytest.raises(FixInput, match="grammar") as caught:
        parse_conditions(_leaf(text, "a.b"))
    assert caught.value.where == "train.x"
    assert repr(text) == caught.value.got


def test_depends_on_in_a_condition_needs_a_parent() -> None:
    with pytest.raises(FixInput, match="must have a depends_on"):
        parse_conditions(_leaf("> depends_on"))


def test_a_broken_parent_list_is_an_error() -> None:
    with pytest.raises(FixInput, match="grammar"):
        parse_conditions(_leaf("", "a.b,,c"))
