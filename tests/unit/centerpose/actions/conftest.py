"""A network that has learnt a few images by heart, and specs that use it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automl.data.synth.make import synthesise
from automl.data.synth.request import SynthRequest
from automl.yamltext import dump_yaml

Act = Callable[..., int]


def _spec(data: Path, results: Path) -> dict[str, Any]:
    return {
        "results_dir": str(results),
        "dataset": {
            "train_data": str(data),
            "val_data": str(data),
            "test_data": str(data),
            "inference_data": str(data),
            "batch_size": 4,
            "workers": 1,
            "input_res": 128,
            "output_res": 32,
            "not_rand_crop": True,
            "no_color_aug": True,
            "flip": 0.0,
        },
        "model": {"backbone": {"model_type": "nano"}},
        "evaluate": {"opencv": False},
        "export": {"input_width": 128, "input_height": 128},
    }


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight synthetic images with annotations."""
    folder = tmp_path_factory.mktemp("pictures") / "easy"
    synthesise(SynthRequest(train=8, val=4, test=4, seed=3), folder)
    return folder / "train"


@pytest.fixture(scope="session")
def checkpoint(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of ``nano`` that finds the objects of ``pictures``."""
    torch = pytest.importorskip("torch", reason="the trainer program needs torch")
    from automl.centerpose.program.cli import main

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("trained")
    tree = _spec(pictures, folder)
    tree["train"] = {
        "num_epochs": 40,
        "checkpoint_interval": 40,
        "validation_interval": 40,
        "optim": {"lr": 0.005},
    }
    spec = folder / "spec.yaml"
    spec.write_text(dump_yaml(tree))
    assert main(["train", "-e", str(spec)]) == 0
    return folder / "train" / "model_epoch_039_step_00080.pth"


@pytest.fixture(scope="session")
def exported(checkpoint: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network as an ONNX file with an open batch."""
    from automl.centerpose.program.cli import main

    folder = tmp_path_factory.mktemp("exported")
    tree = _spec(pictures, folder)
    tree["export"] |= {"checkpoint": str(checkpoint), "onnx_file": str(folder / "model.onnx")}
    spec = folder / "spec.yaml"
    spec.write_text(dump_yaml(tree))
    assert main(["export", "-e", str(spec)]) == 0
    return folder / "model.onnx"


@pytest.fixture
def spec_tree(pictures: Path, tmp_path: Path) -> dict[str, Any]:
    """A spec on ``pictures``; a test names the checkpoint."""
    return _spec(pictures, tmp_path / "results")


@pytest.fixture
def act(spec_tree: dict[str, Any], tmp_path: Path) -> Act:
    """Runs an action on ``spec_tree`` as it is then, with settings; returns the exit code."""
    from automl.centerpose.program.cli import main

    def run(action: str, **settings: object) -> int:
        path = tmp_path / "spec.yaml"
        path.write_text(dump_yaml(spec_tree))
        given = [f"{key.replace('__', '.')}={value}" for key, value in settings.items()]
        return main([action, "-e", str(path), *given])

    return run


@pytest.fixture
def sequences(pictures: Path, tmp_path: Path) -> Path:
    """Two sequences of two images each, whose frames have the same names."""
    root = tmp_path / "sequences"
    images = sorted(pictures.rglob("*.jpg"))
    for n, image in enumerate(images[:4]):
        folder = root / f"batch-{n // 2}"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(image, folder / f"{n % 2:05d}.jpg")
        shutil.copy(image.with_suffix(".json"), folder / f"{n % 2:05d}.json")
    return root


@pytest.fixture
def messages(tmp_path: Path) -> Callable[[str], list[str]]:
    """The messages of an action's status file."""

    def read(action: str) -> list[str]:
        lines = (tmp_path / "results" / action / "status.json").read_text().splitlines()
        return [json.loads(line)["message"] for line in lines]

    return read
