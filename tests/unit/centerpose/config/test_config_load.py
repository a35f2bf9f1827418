import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.config.fields import leaf_entries
from automl.centerpose.config.load import load_spec, to_tree
from automl.centerpose.config.overrides import apply_overrides
from automl.errors import FixInput

LEAVES = dict(leaf_entries(Experiment))


def test_an_empty_spec_is_the_defaults() -> None:
    spec = load_spec({}, "train")
    assert spec == Experiment()
    assert spec.train.optim.lr == 6e-5
    assert spec.dataset.eig_val == (0.2141788, 0.01817699, 0.00341571)


def test_the_tree_of_a_spec_spells_keys_as_specs_do_and_loads_to_the_same() -> None:
    tree = to_tree(Experiment())
    assert tree["dataset"]["center_3D"] is False
    assert tree["model"]["use_convGRU"] is True
    assert tree["dataset"]["_eig_val"][0] == 0.2141788
    assert load_spec(tree, "train") == Experiment()


def test_blocks_of_other_actions_are_accepted() -> None:
    spec = load_spec({"evaluate": {"opencv": False}, "export": {"on_cpu": True}}, "train")
    assert not spec.evaluate.opencv
    assert spec.export.on_cpu


@pytest.mark.parametrize(
    ("block", "name", "given_value", "loaded"),
    [
        ("train", "clip_grad_val", 5, 5.0),
        ("train", "clip_grad_val", "1e-4", 1e-4),
        ("train", "num_epochs", "30", 30),
        ("train", "is_dry_run", "yes", True),
        ("train", "is_dry_run", 0, False),
        ("train", "gpu_ids", [0, 1], (0, 1)),
        ("train", "gpu_ids", (2,), (2,)),
        ("train", "results_dir", None, ""),
        ("train", "resume_training_checkpoint_path", "", ""),
        ("dataset", "category", 7, "7"),
        ("dataset", "flip_idx", [[1, 5]], ((1, 5),)),
        ("dataset", "mean", [0, 1, 2], (0.0, 1.0, 2.0)),
        ("dataset", "flip", 0.0, 0.0),
        ("dataset", "num_joints", 9, 9),
    ],
)
def test_values_are_read_as_the_container_reads_them(
    block: str, name: str, given_value: Any, loaded: Any
) -> None:
    value = getattr(getattr(load_spec({block: {name: given_value}}, "train"), block), name)
    assert value == loaded
    assert type(value) is type(loaded)


@pytest.mark.parametrize(
    ("block", "name", "value", "wanted"),
    [
        ("train", "num_epochs", 0.5, "whole number"),
        ("train", "num_epochs", 3.0, "whole number"),
        ("train", "num_epochs", True, "whole number"),
        ("train", "num_epochs", None, "whole number"),
        ("train", "num_epochs", "many", "whole number"),
        ("train", "clip_grad_val", "high", "number"),
        ("train", "clip_grad_val", False, "number"),
        ("train", "is_dry_run", "maybe", "true or false"),
        ("train", "is_dry_run", 2, "true or false"),
        ("train", "gpu_ids", 0, "a list"),
        ("train", "gpu_ids", "01", "a list"),
        ("train", "gpu_ids", [0.5], r"gpu_ids\[0\] must be a whole number"),
        ("train", "pretrained_model_path", None, "text"),
        ("dataset", "category", ["bike"], "text"),
        ("dataset", "flip_idx", [[1, "x"]], r"flip_idx\[0\]\[1\]"),
    ],
)
def test_a_wrong_type_is_refused_by_name(block: str, name: str, value: Any, wanted: str) -> None:
    with pytest.raises(FixInput, match=wanted) as caught:
        load_spec({block: {name: value}}, "train")
    assert f"{block}.{name}" in str(caught.value)


@pytest.mark.parametrize(
    ("tree", "got", "meant"),
    [
        ({"train": {"optim": {"learning_rate": 1.0}}}, "train.optim.learning_rate", ""),
        ({"train": {"lr": 1.0}}, "train.lr", "train.optim.lr"),
        ({"train": {"optim": {"lr_step": [1]}}}, "train.optim.lr_step", "train.optim.lr_steps"),
        ({"trian": {"num_epochs": 1}}, "trian", ""),
        ({"train": {"checkpointer": {}}}, "train.checkpointer", ""),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(
    tree: dict[str, Any], got: str, meant: str
) -> None:
    with pytest.raises(FixInput, match="known settings") as caught:
        load_spec(tree, "train")
    assert caught.value.got == got
    assert meant in caught.value.fix


def test_a_block_must_be_a_mapping() -> None:
    with pytest.raises(FixInput, match=r"mapping.*\(train\.optim\)"):
        load_spec({"train": {"optim": None}}, "train")


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(FixInput, match="did you mean evaluate"):
        load_spec({}, "evalute")


@pytest.mark.parametrize(
    ("action", "missing"),
    [
        ("evaluate", "evaluate.checkpoint"),
        ("inference", "inference.checkpoint"),
        ("gen_trt_engine", "gen_trt_engine.onnx_file"),
    ],
)
def test_an_action_names_what_it_cannot_do_without(action: str, missing: str) -> None:
    with pytest.raises(FixInput, match=missing):
        load_spec({}, action)


def test_every_demanded_value_of_an_engine_is_asked_for() -> None:
    tree: dict[str, Any] = {"gen_trt_engine": {"onnx_file": "m.onnx", "trt_engine": "m.engine"}}
    with pytest.raises(FixInput, match=r"calibration\.cal_image_dir"):
        load_spec(tree, "gen_trt_engine")
    tree["gen_trt_engine"]["tensorrt"] = {
        "calibration": {"cal_image_dir": ["a"], "cal_cache_file": "c"}
    }
    assert load_spec(tree, "gen_trt_engine").gen_trt_engine.onnx_file == "m.onnx"


def test_references_take_the_value_from_elsewhere() -> None:
    tree = {
        "train": {
            "validation_interval": 5,
            "checkpoint_interval": "${train.validation_interval}",
            "num_epochs": "${dataset.num_joints}",
        },
        "results_dir": "${dataset.train_data}",
        "dataset": {"train_data": "${dataset.val_data}", "val_data": "/d"},
    }
    spec = load_spec(tree, "train")
    assert spec.train.checkpoint_interval == 5
    assert spec.train.num_epochs == 8
    assert spec.results_dir == "/d"


def test_a_reference_to_nothing_is_refused_with_the_nearest() -> None:
    with pytest.raises(FixInput, match=r"did you mean train\.num_epochs"):
        load_spec({"train": {"seed": "${train.num_epoch}"}}, "train")


def test_references_are_followed_beside_and_inside_text() -> None:
    spec = load_spec(
        {
            "dataset": {"batch_size": 3, "workers": "${.batch_size}"},
            "train": {"optim": {"lr": "${..clip_grad_val}"}, "clip_grad_val": 0.5},
            "results_dir": "/out/${dataset.batch_size}",
        },
        "train",
    )
    assert spec.dataset.workers == 3
    assert spec.train.optim.lr == 0.5
    assert spec.results_dir == "/out/3"


@pytest.mark.parametrize("value", [10**400, "9" * 400, 1 << 63, "inf"])
def test_a_whole_number_that_no_computer_holds_is_refused(value: Any) -> None:
    with pytest.raises(FixInput, match=r"train\.num_epochs must be a whole number"):
        load_spec({"train": {"num_epochs": value}}, "train")


def test_a_number_that_no_float_holds_is_refused() -> None:
    with pytest.raises(FixInput, match=r"train\.optim\.lr must be a number"):
        load_spec({"train": {"optim": {"lr": 10**400}}}, "train")


def test_blocks_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_spec({}, "train").train.seed = 1  # type: ignore[misc]


@given(st.sampled_from(sorted(LEAVES)), st.data())
def test_a_value_of_the_right_type_survives_loading_and_writing(key: str, data: Any) -> None:
    entry = LEAVES[key]
    value = data.draw(_values(entry.annotation))
    tree = apply_overrides({}, [])
    here = tree
    *way, last = key.split(".")
    for part in way:
        here = here.setdefault(part, {})
    here[last] = value
    back: Any = to_tree(load_spec(tree, "train"))
    for part in key.split("."):
        back = back[part]
    assert back == value


def _values(annotation: Any) -> st.SearchStrategy[Any]:
    plain: dict[Any, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        int: st.integers(-(1 << 63), (1 << 63) - 1),
        float: st.floats(allow_nan=False, allow_infinity=False),
        str: st.text().filter(lambda text: "${" not in text),
    }
    if annotation in plain:
        return plain[annotation]
    return st.lists(_values(annotation.__args__[0]), max_size=3)
