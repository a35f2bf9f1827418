"""Trials that share a GPU: what the plan says, and what it refuses."""

import pytest

from automl.app.machine import Machine
from automl.centerpose.hardware.memory_forecast import forecast_mib
from automl.errors import PrepareMachine
from automl.gpus import Gpu, GpuProcess
from tests.unit.app.kit import MakePlan

DLA34 = ("--set", "model.backbone.model_type=DLA34", "--set", "dataset.batch_size=4")


@pytest.fixture
def gpu(plan: MakePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    """One GPU of 16 GiB, a quarter of it in use."""
    user = GpuProcess(8123, "python")
    card = Gpu(0, "GPU-a", "NVIDIA T4", 16384, 4096, "580", (user,))
    monkeypatch.setattr("automl.app.plan.detect_machine", lambda: Machine(8, (card,)))


@pytest.mark.usefixtures("gpu")
class TestOnOneGpu:
    def test_two_that_fit_are_told_with_what_they_need(self, plan: MakePlan) -> None:
        made = plan(*DLA34, "--trials-per-gpu", "2")
        assert made.config.resources.max_concurrent == 2
        (note,) = [note for note in made.notes if "share" in note]
        assert "2 trials share a GPU: up to 3.6 GiB each (DLA34, batch 4, 512 px, fp32)" in note
        assert "12.0 GiB free on GPU 0" in note
        assert "1/2 of its wall time as GPU time" in note

    def test_more_than_fit_are_refused_with_the_cause_and_the_most(self, plan: MakePlan) -> None:
        with pytest.raises(PrepareMachine) as refused:
            plan(*DLA34, "--trials-per-gpu", "4")
        assert "4 of up to 3.6 GiB" in str(refused.value)
        assert "GPU 0 has 16.0 GiB, of which 4.0 GiB are in use by python (pid 8123)" in str(
            refused.value
        )
        assert "give 3" in str(refused.value)

    def test_the_largest_trial_of_the_space_counts(self, plan: MakePlan) -> None:
        space = ("--search", "dataset.batch_size=1..8", "--set", "dataset.batch_size=1")
        with pytest.raises(PrepareMachine, match="batch 8"):
            plan("--set", "model.backbone.model_type=DLA34", *space, "--trials-per-gpu", "2")

    def test_alone_a_trial_is_not_reckoned_with(self, plan: MakePlan) -> None:
        made = plan("--set", "dataset.batch_size=8")
        assert not [note for note in made.notes if "share" in note]


def test_a_gpu_that_does_not_tell_its_memory_is_said(
    plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = (Gpu(0, "GPU-a", "GRID"),)
    monkeypatch.setattr("automl.app.plan.detect_machine", lambda: Machine(8, cards))
    made = plan("--trials-per-gpu", "3")
    assert any("is not known beforehand" in note for note in made.notes)


def test_a_forecast_grows_with_batch_side_and_precision() -> None:
    base = forecast_mib("DLA34", 8, 512, "bf16")
    larger = [forecast_mib("DLA34", *more) for more in ((9, 512, "bf16"), (8, 544, "bf16"))]
    assert base is not None
    assert all(more is not None and more > base for more in larger)
    assert forecast_mib("DLA34", 8, 512, "tf32") == forecast_mib("DLA34", 8, 512, "fp32")
    assert forecast_mib("unheard of", 8, 512, "fp32") is None
