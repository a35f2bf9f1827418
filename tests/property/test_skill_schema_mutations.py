"""Damaged schemas: reading one gives a schema or a named error, never another exception."""

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from automl.errors import FixInput
from automl.skill.schema import SchemaTree, parse_schema

OWN: Any = json.loads(
    (Path(__file__).parents[2] / "schemas" / "train.schema.json").read_text(encoding="utf-8")
)

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["int", "list_2", "ordered_int", "collection", "> 0", "???"]),
    st.lists(st.integers(0, 3) | st.text(max_size=3) | st.none(), max_size=3),
    st.dictionaries(st.text(max_size=4), st.integers() | st.none(), max_size=2),
    st.just({"properties": {}}),
    st.just({"properties": {"x": {"type": "int", "default": 3}}}),
    st.just({"type": "array", "items": {"properties": {"y": {}}}}),
)


def _places(node: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, ...]] = []
    if isinstance(node, dict):
        for name, value in node.items():
            inner += _places(value, (*way, name))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            inner += _places(value, (*way, index))
    return [way, *inner] if way else inner


PLACES = _places(OWN)


def _put(tree: Any, way: tuple[Any, ...], value: Any, *, drop: bool) -> None:
    for step in way[:-1]:
        try:
            tree = tree[step]
        except (KeyError, IndexError, TypeError):
            return
    last = way[-1]
    if isinstance(tree, dict) and drop:
        tree.pop(last, None)
    elif isinstance(tree, dict) or (
        isinstance(tree, list) and isinstance(last, int) and last < len(tree)
    ):
        tree[last] = value


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK, st.booleans()), min_size=1, max_size=4))
def test_a_damaged_schema_is_read_or_refused_by_name(
    damage: list[tuple[tuple[Any, ...], Any, bool]],
) -> None:
    tree = copy.deepcopy(OWN)
    for way, value, drop in damage:
        _put(tree, way, value, drop=drop)
    schema, error = _outcome(tree)
    assert (schema is None) != (error is None)
    if schema is not None:
        _check_whole(schema)
    if error is not None:
        assert error.where.startswith("damaged.json")
        assert error.rule


def _outcome(tree: Any) -> tuple[SchemaTree | None, FixInput | None]:
    try:
        return parse_schema(tree, where="damaged.json", action="train"), None
    except FixInput as error:
        return None, error


def _check_whole(schema: SchemaTree) -> None:
    for key, leaf in schema.leaves.items():
        assert leaf.key == key
        assert key not in schema.groups
        assert schema.leaf_of(key) is leaf
        assert isinstance(leaf.type, str)
        assert leaf.enum is None or leaf.enum
