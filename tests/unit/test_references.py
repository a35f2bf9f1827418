"""References between the settings of a spec."""

from typing import Any

import pytest

from automl.errors import FixInput
from automl.references import resolved, value_at
from automl.skill.tree import get

SPEC: dict[str, Any] = {
    "root": "/data",
    "train": {
        "epochs": 30,
        "same": "${train.epochs}",
        "beside": "${.epochs}",
        "optim": {"steps": ["${...epochs}", 5], "above": "${..epochs}", "far": "${...root}"},
        "folder": "${root}/train",
        "nested": "${train.${which}}",
        "twice": "${.beside}",
        "tag": "${root}-${.epochs}-${flag}",
    },
    "which": "epochs",
    "flag": True,
}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("train.same", 30),
        ("train.beside", 30),
        ("train.optim.above", 30),
        ("train.optim.far", "/data"),
        ("train.folder", "/data/train"),
        ("train.nested", 30),
        ("train.twice", 30),
        ("train.tag", "/data-30-True"),
        ("train.optim.steps[0]", 30),
    ],
)
def test_a_reference_stands_for_a_value(key: str, value: Any) -> None:
    assert get(SPEC, key) == value
    assert get(resolved(SPEC), key) == value


def test_an_entry_of_a_list_is_one_level_more() -> None:
    spec = {"a": {"n": 7, "list": ["${..n}", "${.0}"]}}
    with pytest.raises(FixInput, match="must name a setting"):
        resolved({"a": {"n": 7, "list": ["${.n}"]}})
    assert resolved({"a": {"n": 7, "list": ["${..n}"]}})["a"]["list"] == [7]
    assert value_at(spec, "a.list[1]", "${.0}") == "${.0}", "a step in a list is written [0]"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${nothing}", "must name a setting"),
        ("${oc.env:HOME}", "resolvers are not read"),
        ("a ${oc.env:HOME}", "resolvers are not read"),
        ("${..b}", "must stay inside the spec"),
        ("${here}", "circle.*here -> here"),
        ("${.here}", "circle"),
        ("x ${group} y", "must name one value"),
    ],
)
def test_what_leads_nowhere_is_refused(text: str, words: str) -> None:
    spec = {"here": text, "group": {"a": 1}}
    with pytest.raises(FixInput, match=words):
        resolved(spec)
    assert get(spec, "here") == text, "a reader of one setting sees it as it is"


def test_references_that_grow_without_bound_are_refused_at_once() -> None:
    spec: dict[str, Any] = {f"a{n}": f"${{a{n + 1}}}${{a{n + 1}}}" for n in range(60)}
    with pytest.raises(FixInput, match="at most 50 references and 8192 characters"):
        resolved(spec | {"a60": "x"})
    with pytest.raises(FixInput, match="at most 50 references"):
        resolved({"top": "${a}" * 60, "a": "x"})


def test_a_long_chain_is_followed_to_its_end() -> None:
    spec: dict[str, Any] = {f"a{n}": f"${{a{n + 1}}}" for n in range(40)}
    assert set(resolved(spec | {"a40": 7}).values()) == {7}
