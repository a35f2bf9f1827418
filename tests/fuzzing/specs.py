"""Specs, overrides and schemas."""

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from automl.centerpose.config.load import load_spec
from automl.centerpose.config.overrides import apply_overrides
from automl.centerpose.network import CenterPose
from automl.errors import FixInput
from automl.search.sample import sample
from automl.skill.read import own_skill_dir, read_action_schema, read_skill, read_template
from automl.skill.schema import read_schema
from automl.space.build import build_space
from automl.space.request import SpaceRequest
from automl.spec.build import SpecRequest, build_base
from automl.spec.values import parse_assignment
from automl.yamltext import dump_yaml, load_yaml
from tests.fuzzing.kind import NUMBERS, VALUES, WORDS, Kind, cut, places

__all__ = ["OVERRIDES", "SCHEMAS", "SPECS"]

_SKILL = read_skill(own_skill_dir())
_SCHEMA = read_action_schema(_SKILL, "train")
_KEYS = sorted(_SCHEMA.leaves)
_TEMPLATE = dump_yaml(read_template(_SKILL, "train"))

# -- specs ------------------------------------------------------------------------------------

_NEAR = st.one_of(
    st.booleans(),
    st.integers(0, 512),
    st.floats(0, 1),
    st.integers(0, 64).map(str),
    st.sampled_from(["yes", "off", "6e-05", "fp32", "nano", "${train.seed}", "${..seed}", ""]),
    st.lists(st.integers(0, 40), max_size=5),
)


@st.composite
def _trees(draw: st.DrawFn) -> bytes:
    """The template with some settings changed, or unknown ones added."""
    tree: dict[str, Any] = load_yaml(_TEMPLATE, where="template")
    for _ in range(draw(st.integers(0, 3))):
        *parents, last = draw(st.sampled_from(_KEYS)).split(".")
        block = tree
        for part in parents:
            inner = block.get(part)
            block[part] = inner if isinstance(inner, dict) else {}
            block = block[part]
        name = draw(st.text("abc._é", max_size=5)) if draw(st.integers(0, 9)) == 0 else last
        block[name] = draw(_NEAR if draw(st.booleans()) else VALUES)
    return dump_yaml(tree).encode()


def _read_spec(content: bytes, folder: Path) -> None:
    """By the plan and by the trainer's own reader: what the one takes, the other reads."""
    path = folder / "spec.yaml"
    path.write_bytes(content)
    tree = build_base(_SKILL, "train", SpecRequest(spec_file=path)).tree
    CenterPose().check_spec(tree)
    load_spec(tree, "train")


SPECS = Kind(_trees() | cut(st.just(_TEMPLATE.encode())), _read_spec)

# -- overrides --------------------------------------------------------------------------------

_SIGNS = st.sampled_from([*[""] * 8, "+", "++", "++", "~", "+++", "=", "--"])
_EQUALS = st.sampled_from([*["="] * 9, "", " = ", ":"])
_ODD = ["train", "model", "", "a.b", "train..lr", "optim", "x[0]"]
_ODD_NAMES = st.sampled_from(_ODD) | st.text(max_size=6)
_TEXTS = _NEAR.map(str) | WORDS | NUMBERS.map(str) | VALUES.map(repr) | st.text(max_size=12)


def _fitting(key: str) -> st.SearchStrategy[str]:
    """Values that a setting may take, as the schema has it, written as a person would."""
    leaf = _SCHEMA.leaves[key]
    known = [leaf.default, leaf.minimum, leaf.maximum, *(leaf.enum or ())]
    return st.sampled_from([json.dumps(value) for value in known if value is not None] or ["null"])


@st.composite
def _one_override(draw: st.DrawFn) -> str:
    """Mostly a known setting with a value that fits; else anything."""
    key = draw(st.sampled_from(_KEYS))
    match draw(st.integers(0, 9)):
        case 0 | 1 | 2 | 3:
            return f"{key}={draw(_fitting(key))}"
        case 4:
            return f"{draw(st.sampled_from(['+', '++']))}{key}={draw(_fitting(key))}"
        case 5 | 6 | 7:
            return f"{key}={draw(_TEXTS)}"
        case 8:
            return f"~{key}{draw(st.sampled_from(['', '', '=']))}"
        case _:
            name = draw(st.just(key) | _ODD_NAMES)
            return f"{draw(_SIGNS)}{name}{draw(_EQUALS)}{draw(_TEXTS)}"


def _read_overrides(given: list[str], folder: Path) -> None:
    """By the trainer program, and each alone as ``--set``."""
    del folder
    refused: FixInput | None = None
    for text in given:
        try:
            build_base(_SKILL, "train", SpecRequest(dict([parse_assignment(text)])))
        except FixInput as error:
            refused = error
    load_spec(apply_overrides(load_yaml(_TEMPLATE, where="template"), given), "train")
    if refused is not None:
        raise refused


OVERRIDES = Kind(st.lists(_one_override(), min_size=1, max_size=2), _read_overrides)

# -- schemas ----------------------------------------------------------------------------------

_RAW: Any = json.loads(Path(_SCHEMA.where).read_text(encoding="utf-8"))
_PLACES = [place for place in places(_RAW) if place]
#: The facts of single settings, which are what a search space is made of.
_FACTS = [place for place in _PLACES if place[-1] in ("type", "default", "minimum", "maximum")]
_PROPERTIES = st.sampled_from(
    [
        *("int", "float", "list_2", "ordered_int", "categorical", "collection", "> 0", "/ 4"),
        *("^ 2", "> depends_on", "> train.optim.lr", "???", "inf"),
        {"properties": {}},
        {"properties": {"x": {"type": "int", "default": 3}}},
        {"type": "array", "items": {"properties": {"y": {}}}},
        *(0, -3, 7, 1e9, 0.25, [1, 2], [0.5], ["a", "b"], [3, 1, 2]),
    ]
)


@st.composite
def _schemas(draw: st.DrawFn) -> bytes:
    """The skill's own train schema with one to four of its parts replaced or taken out."""
    tree = copy.deepcopy(_RAW)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.sampled_from(_FACTS if draw(st.booleans()) else _PLACES))
        target: Any = tree
        try:
            for key in place[:-1]:
                target = target[key]
            match draw(st.integers(0, 9)):
                case 0 | 1:
                    del target[place[-1]]
                case 2:
                    target[draw(_ODD_NAMES)] = target.pop(place[-1])
                case _:
                    target[place[-1]] = draw(_PROPERTIES | VALUES)
        except (KeyError, IndexError, TypeError):
            continue
    return json.dumps(tree).encode()


def _read_schema(content: bytes, folder: Path) -> None:
    """As a skill's file, then as what a search over all of it draws from."""
    path = folder / "train.schema.json"
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    schema = read_schema(path)
    assert all(leaf.key == key for key, leaf in schema.leaves.items())
    space = build_space(schema, schema.defaults, SpaceRequest("all"))
    for proposal in sample(space, 2, seed=1):
        assert set(proposal) <= set(schema.leaves)


_DAMAGED = cut(st.just(json.dumps(_RAW).encode()))
SCHEMAS = Kind(st.one_of(_schemas(), _schemas(), _schemas(), _DAMAGED), _read_schema)
