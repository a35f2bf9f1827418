"""Checkpoints in the container's form: its names, and everything that a training resumes from."""

from pathlib import Path
from typing import Any

import pytest
import torch

from automl.centerpose.models.dla import DLA34
from automl.centerpose.program.cli import main
from automl.centerpose.session.checkpoints import load_weights, read_checkpoint, weights_of
from automl.centerpose.session.tao_checkpoint import in_own_form, in_tao_form
from automl.centerpose.session.tao_weights import is_of_tao
from automl.centerpose.training.resumable import read_resumable
from tests.unit.centerpose.conftest import SpecWriter


def content() -> dict[str, Any]:
    return {
        "epoch": 3,
        "global_step": 40,
        "state_dict": weights_of(DLA34(64, use_gru=True)),
        "format": 1,
        "seed": 7,
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(3)}}}],
    }


def same(one: Any, other: Any) -> bool:
    """Whether nested content is equal to the last bit."""
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def test_it_has_what_the_container_s_own_has() -> None:
    written = in_tao_form(content())
    assert list(written) == [
        "epoch", "global_step", "pytorch-lightning_version", "state_dict", "automl",
    ]  # fmt: skip
    assert len(written["state_dict"]) == 405
    assert all(name.startswith("model.") for name in written["state_dict"])
    assert "model.base.base_layer.0.weight" in written["state_dict"]
    assert is_of_tao(written["state_dict"])


def test_there_and_back_nothing_changes() -> None:
    before = content()
    assert same(in_own_form(in_tao_form(before)), before)


def test_other_content_is_left_as_it_is() -> None:
    before = content()
    assert same(in_own_form(before), before)


def test_nano_has_no_such_form() -> None:
    with pytest.raises(KeyError):
        in_tao_form({"epoch": 0, "global_step": 1, "state_dict": {"model.x": torch.ones(1)}})


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_training_resumes_from_one_to_the_last_bit_and_evaluates_it(
    spec_tree: dict[str, Any], write_spec: SpecWriter, tmp_path: Path
) -> None:
    spec_tree["model"] = {"backbone": {"model_type": "DLA34"}, "head_conv": 64}
    spec_tree["dataset"] |= {"input_res": 64, "output_res": 16, "batch_size": 5}
    spec_tree["train"] |= {"checkpoint_format": "tao"}
    assert main(["train", "-e", str(write_spec(spec_tree))]) == 0
    whole = tmp_path / "results" / "train"
    first, last = sorted(whole.glob("model_epoch_*.pth"))
    assert is_of_tao(read_checkpoint(last)["state_dict"])
    assert not read_resumable(first).is_of_tao

    again = tmp_path / "again"
    resumed = [f"train.resume_training_checkpoint_path={first}", f"train.results_dir={again}"]
    assert main(["train", "-e", str(write_spec(spec_tree)), *resumed]) == 0
    assert same(read_checkpoint(again / last.name), read_checkpoint(last))

    fresh = [
        f"train.pretrained_model_path={last}",
        f"train.results_dir={tmp_path / 'fresh'}",
        "train.num_epochs=1",
        "train.checkpoint_format=own",
    ]
    assert main(["train", "-e", str(write_spec(spec_tree)), *fresh]) == 0
    assert main(["evaluate", "-e", str(write_spec(spec_tree)), f"evaluate.checkpoint={last}"]) == 0
    load_weights(DLA34(64, use_gru=True), read_checkpoint(last), last)


def test_nano_is_refused_before_it_trains(
    spec_tree: dict[str, Any], write_spec: SpecWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    spec_tree["train"] |= {"checkpoint_format": "tao"}
    assert main(["train", "-e", str(write_spec(spec_tree))]) == 1
    assert "must be own for nano" in capsys.readouterr().out
