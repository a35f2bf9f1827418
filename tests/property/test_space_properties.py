"""Generated schemas: every space that is built proposes what an independent judge accepts."""

from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from automl.errors import FixInput
from automl.search.sample import sample
from automl.skill.schema import parse_schema
from automl.space.build import build_space
from automl.space.model import SearchSpace
from automl.space.proposal import decode, default_params, encode, is_legal
from automl.space.request import SpaceRequest
from tests.unit.space.space_checker import violations

_NAMES = ("lr", "lr_decay", "batch_size", "hidden_dim", "num_queries", "dropout", "loss_coef")
_EXTRA = ("lr_steps", "momentum", "crop_min", "crop_max", "kernel_sizes")
_INF = float("inf")


@st.composite
def _number(draw: st.DrawFn, name: str, others: list[str], parents: bool) -> dict[str, Any]:
    whole = draw(st.booleans())
    scale = (
        draw(st.sampled_from([1, 10, 1000])) if whole else draw(st.sampled_from([1e-4, 0.5, 4.0]))
    )
    low = draw(st.sampled_from([None, 0, 1, -2])) if whole else draw(st.sampled_from([None, 0.0]))
    high = draw(st.sampled_from([None, _INF, 8 * scale, 64 * scale]))
    default = draw(
        st.sampled_from([scale, 2 * scale, 0, None, -1] if whole else [scale, 0.0, None])
    )
    node: dict[str, Any] = {
        "type": draw(st.sampled_from(["int", "integer"] if whole else ["float", "number"])),
        "default": default,
        "automl_enabled": True,
    }
    if low is not None:
        node["minimum"] = low
    if high is not None:
        node["maximum"] = high
    conditions = ["", "> 0", ">0", "> 0.0 <= 1000", "!= 0", "/ 8", "^ 2", ">= 1, < 500"]
    if others and parents and draw(st.booleans()):
        picked = draw(st.lists(st.sampled_from(others), min_size=1, max_size=2, unique=True))
        node["depends_on"] = draw(st.sampled_from(["", "> ", "<="])) + ", ".join(picked)
        conditions += ["> depends_on", "<= depends_on", "/ 2", "!= depends_on"]
    node["math_cond"] = draw(st.sampled_from(conditions))
    return node


@st.composite
def _option(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["bool", "categorical", "ordered_int", "string", "subset_list"]))
    if kind == "bool":
        return {"type": "bool", "default": draw(st.booleans()), "automl_enabled": True}
    options: list[Any] = ["first", " second ", "third"]
    if kind == "ordered_int":
        options = [8, 2, 32]
    node: dict[str, Any] = {"type": kind, "enum": options, "automl_enabled": True}
    default = draw(st.sampled_from([*options, None, "elsewhere"]))
    node["default"] = [default] if kind == "subset_list" and default is not None else default
    if draw(st.booleans()):
        node["option_weights"] = [0.5, 0.25, 0.25]
    return node


@st.composite
def _list(draw: st.DrawFn) -> dict[str, Any]:
    values = draw(st.lists(st.integers(1, 40), min_size=1, max_size=3, unique=True))
    node: dict[str, Any] = {"type": "list", "default": sorted(values), "automl_enabled": True}
    if draw(st.booleans()):
        node |= {"minimum": [1] * len(values), "maximum": [50] * len(values), "type": "list_2"}
    return node


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, Any]:
    """A raw schema of one to seven settings in one block, conditions and parents included."""
    names = draw(st.lists(st.sampled_from(_NAMES + _EXTRA), min_size=1, max_size=7, unique=True))
    free = draw(st.booleans())
    properties: dict[str, Any] = {}
    for name in names:
        pool = names if free else list(properties)
        others = [f"train.{other}" for other in pool if other != name]
        if name in ("lr_steps", "kernel_sizes"):
            properties[name] = draw(_list())
        elif draw(st.integers(0, 3)) == 0:
            properties[name] = draw(_option())
        else:
            properties[name] = draw(_number(name, others, True))
    block = {"type": "collection", "properties": properties}
    return {"type": "object", "properties": {"train": block}}


def _built(raw: dict[str, Any]) -> tuple[SearchSpace, dict[str, Any]]:
    schema = parse_schema(raw, where="generated", action="train")
    base = dict(schema.defaults) | {"train": dict(schema.defaults.get("train", {}))}
    base["train"]["num_epochs"] = 60
    return build_space(schema, base, SpaceRequest("all")), base


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=schemas(), seed=st.integers(0, 2**32))
def test_every_proposal_obeys_every_condition(raw: dict[str, Any], seed: int) -> None:
    try:
        space, base = _built(raw)
    except FixInput as error:
        assert "circle" in error.rule  # noqa: PT017 - the only error that such a schema deserves
        return
    for proposal in sample(space, 8, seed):
        assert violations(raw, base, proposal) == []
        assert all(is_legal(space, proposal).values())
    assert sample(space, 3, seed) == sample(space, 3, seed)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=schemas(), seed=st.integers(0, 2**32))
def test_draws_stand_for_the_proposal_they_came_from(raw: dict[str, Any], seed: int) -> None:
    try:
        space, _ = _built(raw)
    except FixInput:
        assume(False)
    for proposal in sample(space, 4, seed):
        again = decode(space, encode(space, proposal))
        for key, value in proposal.items():
            if isinstance(value, float):
                assert abs(float(str(again[key])) - value) <= 1e-9 * max(1.0, abs(value))
            else:
                assert again[key] == value


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=schemas())
def test_a_default_is_inside_or_said_to_be_outside(raw: dict[str, Any]) -> None:
    try:
        space, _ = _built(raw)
    except FixInput:
        assume(False)
    legal = is_legal(space, default_params(space))
    assert {key for key, inside in legal.items() if not inside} == {
        parameter.key for parameter in space if "default" in parameter.bounds_from
    }


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=schemas())
def test_a_space_survives_json(raw: dict[str, Any]) -> None:
    try:
        space, _ = _built(raw)
    except FixInput:
        assume(False)
    again = SearchSpace.from_json(space.to_json())
    assert again.digest == space.digest
    assert sample(again, 2, 5) == sample(space, 2, 5)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    math_cond=st.text(max_size=12),
    depends_on=st.text(max_size=12),
    type_word=st.sampled_from(["int", "float", "list", "categorical", "", "strange", "bool"]),
    minimum=st.none() | st.floats() | st.integers() | st.lists(st.integers(), max_size=2),
    maximum=st.none() | st.floats() | st.integers() | st.lists(st.integers(), max_size=2),
    default=st.none() | st.floats() | st.integers() | st.text(max_size=3) | st.just([1, 2]),
)
def test_a_broken_leaf_is_a_named_error_or_a_sound_space(
    math_cond: str, depends_on: str, type_word: str, minimum: Any, maximum: Any, default: Any
) -> None:
    node = {
        "type": type_word,
        "math_cond": math_cond,
        "depends_on": depends_on,
        "minimum": minimum,
        "maximum": maximum,
        "default": default,
        "automl_enabled": True,
    }
    raw = {"properties": {"train": {"properties": {"lr": node}, "type": "collection"}}}
    try:
        space, _ = _built(raw)
    except FixInput:
        return
    sample(space, 3, 1)
