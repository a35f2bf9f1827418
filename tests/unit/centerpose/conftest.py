"""Small data and small specs for the trainer program."""

import json
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from automl.data.synth.make import synthesise
from automl.data.synth.request import SynthRequest
from automl.yamltext import dump_yaml

SpecWriter = Callable[..., Path]


@pytest.fixture(autouse=True)
def _quiet_process() -> Iterator[None]:
    """The program takes over two signals and torch's seed; here it gives them back."""
    torch = pytest.importorskip("torch", reason="the trainer program needs torch")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch.set_rng_state(state)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic data set of twelve training and five validation images."""
    folder = tmp_path_factory.mktemp("data") / "easy"
    synthesise(SynthRequest(train=12, val=5, test=5, seed=3), folder)
    return folder


@pytest.fixture
def spec_tree(small_data: Path, tmp_path: Path) -> dict[str, Any]:
    """A spec that trains ``nano`` on small images in a second or two."""
    return {
        "results_dir": str(tmp_path / "results"),
        "dataset": {
            "train_data": str(small_data / "train"),
            "val_data": str(small_data / "val"),
            "test_data": str(small_data / "test"),
            "batch_size": 4,
            "workers": 2,
            "input_res": 128,
            "output_res": 32,
        },
        "model": {"backbone": {"model_type": "nano"}},
        "evaluate": {"opencv": False},
        "train": {"num_epochs": 2, "optim": {"lr": 0.003}},
    }


@pytest.fixture
def write_spec(tmp_path: Path) -> SpecWriter:
    """Writes a spec to a file of its own."""

    def write(tree: Mapping[str, Any], name: str = "spec.yaml") -> Path:
        path = tmp_path / name
        path.write_text(dump_yaml(tree))
        return path

    return write


@pytest.fixture
def status_lines() -> Callable[[Path], list[dict[str, Any]]]:
    """Reads a status file, each line of which must be whole."""

    def read(folder: Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (folder / "status.json").read_text().splitlines()]

    return read
