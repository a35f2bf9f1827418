"""One setting as text and in its type."""

from typing import Any

import pytest

from automl.errors import FixInput
from automl.skill.model import ParameterSchema
from automl.spec.values import coerce, parse_assignment


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=6e-5", 6e-5),
        ("a.b=1e-4", 1e-4),
        ("a.b=1E-4", 1e-4),
        ("a.b=.5", 0.5),
        ("a.b=8", 8),
        ("a.b=[18,25]", [18, 25]),
        ("a.b=[1e-4, 2]", [1e-4, 2]),
        ("a.b='8'", "8"),
        ('a.b="x y"', "x y"),
        ("a.b=x=y", "x=y"),
        ("a.b=", ""),
        ("a.b=  ", ""),
        ("a.b=true", True),
        ("a.b=on", "on"),
        ("a.b=null", None),
        ("a.b={c: 1}", {"c": 1}),
        ("a.b=/data/train set", "/data/train set"),
        ("a.sources[0].dir=/x", "/x"),
    ],
)
def test_an_assignment_is_read_as_yaml(text: str, value: Any) -> None:
    key, found = parse_assignment(text)
    assert key == text.partition("=")[0]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["a.b", "=3", "a b=3", "", "a.b=[1"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(FixInput):
        parse_assignment(text)


def _leaf(type_word: str, default: Any = None, **more: Any) -> ParameterSchema:
    return ParameterSchema("a.b", type_word, default, has_default=True, **more)


@pytest.mark.parametrize(
    ("leaf", "given", "expected"),
    [
        (_leaf("int", 1), 1.0, 1),
        (_leaf("int", 1), 3, 3),
        (_leaf("float", 1.0), 2, 2.0),
        (_leaf("bool", False), True, True),
        (_leaf("string", ""), "x", "x"),
        (_leaf("string", None), None, None),
        (_leaf("list", [1]), [2, 3], [2, 3]),
        (_leaf("categorical", "a", enum=("a", " b ")), "b", "b"),
        (_leaf("ordered_int", 8, enum=("8", "16")), 16, 16),
        (_leaf("float", 0.0, minimum=0.0, maximum=float("inf")), 1e9, 1e9),
        (_leaf("int", 1, minimum=3), 1, 1),
        (_leaf("int", 1, maximum=3), "${train.num_epochs}", "${train.num_epochs}"),
        (_leaf("string", "???"), "???", "???"),
        (_leaf("int", 1), "4", 4),
        (_leaf("float", 1.0), "6e-05", 6e-05),
        (_leaf("bool", False), "yes", True),
        (_leaf("bool", True), "Off", False),
        (_leaf("", 0, any_of=("integer", "string")), "4", "4"),
        (_leaf("", 0, any_of=("integer", "number")), 0.5, 0.5),
        (_leaf("", True, enum=("true", "gaussian", "niter_[number]")), "niter_16", "niter_16"),
    ],
)
def test_a_value_takes_the_type_of_its_setting(
    leaf: ParameterSchema, given: Any, expected: Any
) -> None:
    found = coerce(given, leaf, "--set")
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("leaf", "given", "words"),
    [
        (_leaf("int", 1), 0.5, "a whole number"),
        (_leaf("int", 1), True, "a whole number"),
        (_leaf("int", 1), "8.5", "a whole number"),
        (_leaf("float", 1.0), "fast", "a number"),
        (_leaf("float", 1.0), float("nan"), "a number"),
        (_leaf("float", 1.0), float("inf"), "a number"),
        (_leaf("bool", False), 1, "true or false"),
        (_leaf("bool", False), "maybe", "true or false"),
        (_leaf("string", ""), 8, "put quotes around it"),
        (_leaf("list", [1]), 3, "a list"),
        (_leaf("int", 4), None, "a whole number"),
        (_leaf("categorical", "a", enum=("a", "b")), "c", "one of a, b"),
        (_leaf("float", 0.5, minimum=0.1, maximum=1.0), 0.05, "at least 0.1"),
        (_leaf("float", 0.5, minimum=0.1, maximum=1.0), 2.0, "at most 1"),
        (
            _leaf("list_2", [0.9, 0.99], minimum=[0.8, 0.9]),
            [0.7, 0.99],
            r"a.b\[0\] must be at least 0.8",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_rule(
    leaf: ParameterSchema, given: Any, words: str
) -> None:
    with pytest.raises(FixInput, match=words):
        coerce(given, leaf, "--set a.b")
