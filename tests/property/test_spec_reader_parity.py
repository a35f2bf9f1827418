"""The plan and the trainer read a spec alike: neither takes what the other cannot read."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automl.centerpose.config.load import load_spec
from automl.centerpose.network import CenterPose
from automl.errors import FixInput
from automl.skill.read import own_skill_dir, read_action_schema, read_skill
from automl.skill.tree import MISSING, get, with_value
from automl.skill.typewords import Family, family_of
from automl.spec.build import SpecRequest, build_base
from automl.yamltext import dump_yaml

_SKILL = read_skill(own_skill_dir())
_LEAVES = read_action_schema(_SKILL, "train").leaves
_BASE = build_base(_SKILL, "train", SpecRequest()).tree
_KEYS = [key for key, leaf in _LEAVES.items() if leaf.enum is None and get(_BASE, key) != MISSING]
#: How a plan says that it refuses a value for what it is, and not for how it is written.
_MEANT = ("must be at least", "must be at most")

_NUMBERS = st.integers(-(1 << 62), 1 << 62) | st.floats() | st.sampled_from([0, 1, 4, 0.5, 1e-4])
_WORDS = st.sampled_from(["yes", "No", "on", "off", "y", "true", "False", "x", "1", "0", "4.0"])
_TEXTS = _WORDS | _NUMBERS.map(str) | st.text(max_size=4)
_REFERENCES = st.sampled_from(_KEYS).map(lambda key: f"${{{key}}}") | st.sampled_from(
    ["${.batch_size}", "${..num_epochs}", "${oc.env:HOME}", "${nothing}", "${", "a/${results_dir}"]
)
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    _NUMBERS,
    _TEXTS,
    _REFERENCES,
    st.lists(_NUMBERS | _TEXTS, max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sampled_from([10**30, -(10**400), [10**400], "9" * 400]),
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spec") / "spec.yaml"


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(key=st.sampled_from(_KEYS), value=_VALUES)
def test_the_plan_and_the_trainer_read_a_setting_alike(file: Path, key: str, value: Any) -> None:
    file.write_text(dump_yaml(with_value({}, key, value)), encoding="utf-8")
    read = "ok"
    try:
        load_spec(with_value(_BASE, key, value), "train")
    except FixInput as error:
        read = str(error)
    planned = "ok"
    try:
        tree = build_base(_SKILL, "train", SpecRequest(spec_file=file)).tree
        CenterPose().check_spec(tree)
    except FixInput as error:
        planned = str(error)
    if read == "ok" and planned != "ok":
        assert any(words in planned for words in _MEANT) or "well formed" in planned
    if planned == "ok":
        assert read == "ok" or _is_left_to_default(key, value)


def _is_left_to_default(key: str, value: Any) -> bool:
    """Whether a spec without the value is what is planned: an empty group says nothing."""
    return value == {} or (value is None and family_of(_LEAVES[key]) is Family.GROUP)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_no_plan_takes_what_is_no_number(file: Path, value: float) -> None:
    file.write_text(dump_yaml({"train": {"optim": {"lr": value}}}), encoding="utf-8")
    with pytest.raises(FixInput, match="must be a number"):
        build_base(_SKILL, "train", SpecRequest(spec_file=file))
