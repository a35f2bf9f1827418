"""It learns: four images by heart."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from automl.centerpose.config.load import load_spec
from automl.centerpose.program.train import train
from automl.centerpose.session.interrupt import Interrupt
from automl.centerpose.session.run import Run
from automl.centerpose.session.status import StatusLog
from automl.data.synth.make import synthesise
from automl.data.synth.request import SynthRequest


@pytest.fixture
def memorise(spec_tree: dict[str, Any], tmp_path: Path) -> Callable[..., Any]:
    """Trains on one batch of four images as they are, and scores the same four."""

    def learn(**train_settings: Any) -> Any:
        synthesise(SynthRequest(train=4, val=0, seed=3), tmp_path / "four")
        spec_tree["dataset"] |= {
            "train_data": str(tmp_path / "four" / "train"),
            "val_data": str(tmp_path / "four" / "train"),
        }
        epochs = 160
        spec_tree["train"] = {
            "num_epochs": epochs,
            "validation_interval": epochs,
            "checkpoint_interval": epochs,
            "optim": {"lr": 0.005, "lr_steps": [120]},
            **train_settings,
        }
        folder = tmp_path / "results"
        run = Run(folder, StatusLog(folder), Interrupt(), lambda _: None)
        return train(load_spec(spec_tree, "train"), run, augment=False)

    return learn


@pytest.mark.slow
def test_one_batch_is_learnt_by_heart(memorise: Callable[..., Any]) -> None:
    result = memorise()
    assert result.ap50 == pytest.approx(1.0)
    # Whole-pixel keypoints could not pass 0.51 at 32 cells: the targets' fractions are learnt too.
    assert result.one_to_one.mean_iou > 0.75
    assert result.mpe < 0.01


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_half_precision_on_a_gpu_learns_too(memorise: Callable[..., Any]) -> None:
    assert memorise(precision="fp16").ap50 == pytest.approx(1.0)
