"""A spec that the trainer cannot read is refused by the plan, with the key and the file."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automl.app.checks import check_types
from automl.centerpose.config.load import load_spec
from automl.errors import FixInput
from automl.skill.read import own_skill_dir, read_action_schema, read_skill
from automl.skill.tree import get, with_value
from automl.spec.build import SpecRequest, build_base
from automl.yamltext import dump_yaml

_SKILL = read_skill(own_skill_dir())
_KEYS = sorted(read_action_schema(_SKILL, "train").leaves)
_ODD = [
    *("6e-05", "4", "yes", "no", "on", "off", "", " ", "a text", None, True, 0.5, 3, -1),
    *(10**30, -(10**400), float("nan"), float("inf"), float("-inf")),
    *([], [1], [1, 2, 3, 4, 5, 6, 7, 8, 9], [None], [[1]], ["x"], {}, {"a": 1}),
    *("${.batch_size}", "${..train.seed}", "${oc.env:HOME}", "${no.such.key}", "${", "???"),
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spec") / "spec.yaml"


def refusal(file: Path, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What the plan says of a spec of these values, and the tree that it would start."""
    tree: dict[str, Any] = {}
    for key, value in values.items():
        tree = with_value(tree, key, value)
    file.write_text(dump_yaml(tree), encoding="utf-8")
    try:
        base = build_base(_SKILL, "train", SpecRequest(spec_file=file))
        check_types(_SKILL, base)
    except FixInput as error:
        return str(error), {}
    return "", dict(base.tree)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(key=st.sampled_from(_KEYS), value=st.sampled_from(_ODD))
def test_a_refusal_names_the_key_and_the_file(file: Path, key: str, value: Any) -> None:
    refused, tree = refusal(file, {key: value})
    if refused:
        assert str(file) in refused
        has_line = f"{file}, line " in refused
        assert key.rpartition(".")[2] in refused or has_line
    else:
        load_spec(tree, "train")


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(values=st.dictionaries(st.sampled_from(_KEYS), st.sampled_from(_ODD), max_size=4))
def test_what_a_plan_takes_the_trainer_reads_as_the_plan_did(
    file: Path, values: dict[str, Any]
) -> None:
    refused, tree = refusal(file, values)
    if refused:
        return
    spec = load_spec(tree, "train")
    epochs = get(tree, "train.num_epochs")
    assert spec.train.num_epochs == int(epochs)


@pytest.mark.parametrize("key", ["train.num_epoch", "trian.num_epochs", "train.optim.lr.x", "x"])
def test_an_unknown_key_is_named_with_the_file(file: Path, key: str) -> None:
    refused, _ = refusal(file, {key: 3})
    assert key.rpartition(".")[2] in refused
    assert str(file) in refused
