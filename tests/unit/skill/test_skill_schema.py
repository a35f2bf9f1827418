import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest

from automl.errors import FixInput
from automl.skill.read import own_skill_dir
from automl.skill.schema import SchemaTree, parse_schema, read_schema
from automl.skill.tree import get

SKILLS = os.environ.get("AUTOML_TAO_SKILLS", "")


def parse(tree: Any) -> SchemaTree:
    return parse_schema(tree, where="toy.schema.json", action="train")


def test_leaves_come_in_the_schemas_order_with_their_facts(vocabulary: dict[str, Any]) -> None:
    schema = parse(vocabulary)
    assert list(schema.leaves) == [
        "name",
        "train.num_epochs",
        "train.gpu_ids",
        "train.optim.lr",
        "train.optim.warmup",
        "train.optim.betas",
        "train.checkpoint",
        "model.kernel",
        "model.init",
        "model.overrides",
        "model.sources",
        "model.untyped",
        "model.two_parents",
    ]
    assert schema.groups == {"train", "train.optim", "model"}
    assert schema.automl_default_parameters == ("train.optim.lr", "model.kernel")
    assert schema.automl_disabled_parameters == {"train", "train.gpu_ids"}
    lr = schema.leaves["train.optim.lr"]
    assert (lr.type, lr.default, lr.minimum, lr.maximum) == ("float", 1e-4, 0.0, float("inf"))
    assert (lr.math_cond, lr.automl_enabled, lr.popular) == ("> 0.0", True, False)
    kernel = schema.leaves["model.kernel"]
    assert (kernel.enum, kernel.option_weights) == ((1, 3, 5), (0.2, 0.5, 0.3))
    assert kernel.automl_enabled is None


def test_the_odd_words_of_the_format_are_understood(vocabulary: dict[str, Any]) -> None:
    leaves = parse(vocabulary).leaves
    assert (leaves["name"].title, leaves["name"].description) == ("Name", "a b")
    assert leaves["name"].default is None
    assert leaves["name"].has_default
    assert not leaves["model.untyped"].has_default
    assert leaves["model.untyped"].type == ""
    assert leaves["model.sources"].type == "array"
    assert leaves["train.optim.warmup"].any_of == ("integer", "number")
    assert leaves["model.init"].enum == ("true", "false", " eva ", "orthogonal")
    assert leaves["model.two_parents"].depends_on == "model.kernel, train.num_epochs"
    assert leaves["train.optim.betas"].minimum == [0.0, 0.0]
    assert leaves["train.num_epochs"].required
    assert leaves["train.checkpoint"].required
    assert not leaves["name"].required


def test_a_choice_beside_a_free_type_is_no_choice(vocabulary: dict[str, Any]) -> None:
    vocabulary["properties"]["model"]["properties"]["init"]["anyOf"][0].pop("enum")
    assert parse(vocabulary).leaves["model.init"].enum is None


def test_defaults_at_the_root_win_over_those_of_leaves(vocabulary: dict[str, Any]) -> None:
    defaults = parse(vocabulary).defaults
    assert get(defaults, "train.gpu_ids") == [0, 1]
    assert get(defaults, "train.optim.lr") == 1e-4
    assert get(defaults, "train.extra.deep") == 1
    assert "untyped" not in defaults["model"]


def test_a_group_of_null_at_the_root_says_nothing(vocabulary: dict[str, Any]) -> None:
    vocabulary["default"] = {"train": {"optim": None}, "model": None}
    given = copy.deepcopy(vocabulary)
    defaults = parse(vocabulary).defaults
    assert get(defaults, "train.optim.lr") == 1e-4
    assert get(defaults, "model.kernel") == 4
    assert vocabulary == given


@pytest.mark.parametrize(
    ("key", "is_known"),
    [
        ("train.optim.lr", True),
        ("train.optim", True),
        ("train.gpu_ids[0]", True),
        ("model.sources[0].path", True),
        ("model.overrides.attention.rank", True),
        ("train.optim.lr[0]", False),
        ("train.optim.lr.x", False),
        ("train.optim.momentum", False),
        ("model.sources.path", False),
        ("", False),
    ],
)
def test_what_a_spec_may_hold(vocabulary: dict[str, Any], key: str, is_known: bool) -> None:
    assert parse(vocabulary).contains(key) is is_known


def test_the_leaf_of_a_place_inside_a_list(vocabulary: dict[str, Any]) -> None:
    leaf = parse(vocabulary).leaf_of("model.sources[0].path")
    assert leaf is not None
    assert leaf.key == "model.sources"


def test_the_nearest_key(vocabulary: dict[str, Any]) -> None:
    schema = parse(vocabulary)
    assert schema.nearest("train.lr") == "train.optim.lr"
    assert schema.nearest("train.num_epoch") == "train.num_epochs"
    assert schema.nearest("zzz") is None


def test_the_action_and_network_are_the_schemas_own(vocabulary: dict[str, Any]) -> None:
    assert parse(vocabulary).network_arch == "toynet"
    del vocabulary["x_tao_schema"]
    schema = parse_schema(vocabulary, where="x", action="quantize")
    assert (schema.action, schema.network_arch) == ("quantize", "")


def _break(tree: Any, path: str, value: Any) -> None:
    *way, last = path.split("/")
    for step in way:
        tree = tree[step]
    tree[last] = value


@pytest.mark.parametrize(
    ("path", "value", "rule", "key"),
    [
        (
            "properties/train/properties/optim/properties/lr/minimum",
            "0",
            "bound",
            "train.optim.lr",
        ),
        ("properties/train/properties/num_epochs/type", "flaot", "type", "train.num_epochs"),
        ("properties/train/properties/num_epochs/type", 3, "type", "train.num_epochs"),
        ("properties/model/properties/kernel/enum", "1,3", "options", "model.kernel.enum"),
        ("properties/model/properties/kernel/enum", [[1]], "option", r"model.kernel.enum[0]"),
        ("properties/model/properties/kernel/option_weights", [-1], "weight", "model.kernel"),
        ("properties/model/properties/kernel/automl_enabled", "yes", "automl_enabled", "kernel"),
        ("properties/model/properties/kernel/math_cond", 2, "condition", "model.kernel"),
        ("properties/model/properties/kernel/depends_on", {}, "depends_on", "model.kernel"),
        ("properties/model/properties", [1], "properties", "model"),
        ("properties/model", 7, "setting must be an object", "model"),
        ("properties/model", [7], "must be text", "model[0]"),
        ("properties/model/properties/init/anyOf", [3], "anyOf", "model.init.anyOf[0]"),
        ("properties/a.b", {}, "without a dot", ""),
        ("automl_default_parameters", "train.optim.lr", "dotted keys", "automl_default"),
        ("automl_disabled_parameters", [1], "dotted key must be text", "disabled_parameters[0]"),
        ("default", [1], "defaults at the root", "default"),
        ("default/train", 3, "must hold a group", "default.train"),
        ("default/train", {"optim": [1]}, "must hold a group", "default.train.optim"),
        ("properties", None, "properties must be", ""),
        ("x_tao_schema", "train", "x_tao_schema", "x_tao_schema"),
    ],
)
def test_a_broken_rule_is_named_with_file_key_and_value(
    vocabulary: dict[str, Any], path: str, value: Any, rule: str, key: str
) -> None:
    _break(vocabulary, path, value)
    with pytest.raises(FixInput) as caught:
        parse(vocabulary)
    assert rule in caught.value.rule
    assert caught.value.where.startswith("toy.schema.json")
    assert key in caught.value.where
    assert caught.value.got


@pytest.mark.parametrize("tree", [None, [], "x", 3, {}, {"type": "object"}])
def test_something_else_than_a_schema_is_refused(tree: Any) -> None:
    with pytest.raises(FixInput, match="TAO schema must be an object"):
        parse(tree)


def test_a_file_that_is_no_json_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "train.schema.json"
    with pytest.raises(FixInput, match="must exist"):
        read_schema(path)
    path.write_text('{\n  "properties": {,}\n}', encoding="utf-8")
    with pytest.raises(FixInput, match=r"must be JSON.*line 2"):
        read_schema(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(FixInput, match="readable JSON"):
        read_schema(path)


def test_a_bottomless_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "train.schema.json"
    path.write_text('{"properties": {"a": ' * 5000 + "{}" + "}}" * 5000, encoding="utf-8")
    with pytest.raises(FixInput):
        read_schema(path)


def test_the_own_schema_is_read_whole() -> None:
    schema = read_schema(own_skill_dir() / "schemas" / "train.schema.json")
    assert schema.automl_default_parameters == ("train.optim.lr", "train.optim.lr_decay")
    assert len(schema.leaves) == 95
    assert get(schema.defaults, "train.num_epochs") == 10
    assert json.dumps(schema.leaves["train.optim.lr"].maximum) == "Infinity"


@pytest.mark.skills
@pytest.mark.skipif(not SKILLS, reason="AUTOML_TAO_SKILLS names no folder of skills")
def test_every_published_schema_is_read() -> None:
    paths = sorted(Path(SKILLS).glob("*/schemas/*.schema.json"))
    assert paths
    for path in paths:
        schema = read_schema(path)
        assert schema.leaves, path
        assert schema.action == path.name.split(".")[0]
