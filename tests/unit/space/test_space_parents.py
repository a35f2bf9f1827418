"""Parents that a schema names by a part of their key, and those that it does not have."""

from typing import Any

import pytest

from automl.skill.schema import SchemaTree, parse_schema
from automl.space.build import build_space
from automl.space.model import SearchSpace
from automl.space.parents import find_parent, with_known_parents
from automl.space.request import SpaceRequest
from tests.made_skill import leaf, schema_of

KNOWN = ("classes", "data.classes", "data.head.size", "data.head.classes", "train.epochs")


@pytest.mark.parametrize(
    ("name", "of", "found"),
    [
        ("classes", "data.head.size", "data.head.classes"),
        ("classes", "data.size", "data.classes"),
        ("classes", "train.epochs", "classes"),
        ("classes", "data.head.classes", "data.classes"),
        ("head.classes", "data.head.size", "data.head.classes"),
        ("train.epochs", "data.head.size", "train.epochs"),
        ("nothing", "data.head.size", None),
    ],
)
def test_the_nearest_one_is_meant(name: str, of: str, found: str | None) -> None:
    assert find_parent(name, of, KNOWN) == found


def schema(depends_on: str, math_cond: str = "") -> SchemaTree:
    whole: dict[str, Any] = leaf("int", 4, minimum=1, maximum=64)
    leaves = {
        "model.width": {**whole, "default": 32},
        "model.head.inner": {**whole, "depends_on": depends_on, "math_cond": math_cond},
        "width": {**whole, "default": 2},
    }
    tree = schema_of(leaves, ("model.head.inner",))
    return parse_schema(tree, where="made", action="train")


def space(depends_on: str, math_cond: str = "") -> SearchSpace:
    tree = schema(depends_on, math_cond)
    return build_space(tree, tree.defaults, SpaceRequest())


@pytest.mark.parametrize("math_cond", ["", "<= depends_on", "<= width"])
def test_a_relative_parent_bounds_as_an_absolute_one(math_cond: str) -> None:
    found = space("width", math_cond)
    assert found["model.head.inner"].ends[1] == 32
    assert found.notes == ()
    full = math_cond.replace("width", "model.width")
    assert found.digest == space("model.width", full).digest


@pytest.mark.parametrize(
    ("depends_on", "math_cond"),
    [
        ("nowhere", ""),
        ("> nowhere", ""),
        ("nowhere", "> depends_on"),
        ("nowhere", "/ 2"),
        ("", "< gone.away"),
    ],
)
def test_a_parent_that_is_nowhere_drops_the_condition_with_a_note(
    depends_on: str, math_cond: str
) -> None:
    found = space(depends_on, math_cond)
    assert found["model.head.inner"].ends == (1, 64)
    (note,) = found.notes
    assert note.startswith("model.head.inner: it depends on ")
    assert SearchSpace.from_json(found.to_json()) == found


def test_what_stands_beside_a_lost_parent_still_holds() -> None:
    found = space("nowhere", "> depends_on, >= 8, ^ 2")
    assert found["model.head.inner"].options == (8, 16, 32, 64)
    assert space("nowhere, width").notes
    assert space("nowhere, width")["model.head.inner"].ends[1] == 32


def test_what_needs_no_change_is_the_same_schema() -> None:
    tree = schema("model.width", "> 2")
    assert with_known_parents(tree, tree.leaves) == (tree, ())
    assert with_known_parents(schema("nowhere"), ())[1] == ()
