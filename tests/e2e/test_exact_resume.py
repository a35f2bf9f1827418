"""A training that goes on from a checkpoint of another study equals one that was never stopped."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.yamltext import load_yaml
from tests.e2e.terminal import Driver, Terminal, eventually, processes_naming

pytestmark = [pytest.mark.slow, pytest.mark.torch, pytest.mark.timeout(900)]

EPOCHS = 5
_LONGEST_S = 300.0
STUDY = f"""
automl_policy: "off"
data: {{synth: {{category: shoe, train: 4, val: 2, test: 0, seed: 1}}}}
keep: all
set:
  dataset.category: shoe
  dataset.batch_size: 2
  dataset.workers: 1
  model.backbone.model_type: nano
  train.num_epochs: {EPOCHS}
  train.optim.lr: 2e-3
  train.optim.lr_steps: [3, 4]
  train.seed: 7
"""


def checkpoint_of(study: Path, epoch: int) -> Path:
    (path,) = study.glob(f"trials/0000/*/model_epoch_{epoch:03d}_*.pth")
    return path


def kpis(study: Path) -> dict[int, str]:
    """The lines of the epochs as the trainer wrote them: epoch to its metrics."""
    found = {}
    for path in sorted(study.glob("trials/0000/*/status.json")):
        for line in map(json.loads, path.read_text().splitlines()):
            if "epoch" in line:
                found[line["epoch"]] = json.dumps(line.get("kpi"), sort_keys=True)
    return found


def test_to_the_last_bit_and_over_a_kill(terminal: Terminal) -> None:
    (terminal.folder / "shoe.yaml").write_text(STUDY)
    goes_on_exactly(terminal, lambda driver: driver.kill(everything=True))


def goes_on_exactly(terminal: Terminal, kill: Callable[[Driver], None]) -> None:
    """Trains ``EPOCHS`` whole; and two, then the rest in another study, killed on the way."""
    import torch

    for name, epochs in (("whole", EPOCHS), ("half", 2)):
        length = f"train.num_epochs={epochs}"
        done = terminal.run(
            "run", "shoe.yaml", "--name", name, "--set", length, within_s=_LONGEST_S
        )
        assert done.code == 0, done.err

    longer = terminal.studies / "longer"
    argv = ("run", "--policy", "off", "--resume-from", "half:0@last", "--name", "longer")
    driver = terminal.start(*argv, "--set", f"train.num_epochs={EPOCHS}")
    written = "trials/*/*/model_epoch_002_*.pth"
    driver.wait_until(lambda: any(longer.glob(written)), written, _LONGEST_S)
    kill(driver)
    assert eventually(lambda: not processes_naming(longer), 20.0)
    done = terminal.run("resume", "longer", within_s=_LONGEST_S)
    assert done.code == 0, done.err
    assert (longer / "trials" / "0000" / "2").is_dir(), "it was not killed in the middle"

    whole = terminal.studies / "whole"
    one, two = (
        torch.load(checkpoint_of(study, EPOCHS - 1), weights_only=True)
        for study in (whole, longer)
    )
    assert one.keys() == two.keys()
    for name in one:
        assert_same(one[name], two[name], name)
    ours, theirs = kpis(longer), kpis(whole)
    assert sorted(ours) == [2, 3, 4]
    assert all(ours[epoch] == theirs[epoch] for epoch in ours)

    spec = load_yaml(longer / "trials" / "0000" / "1" / "spec.yaml")
    parent = checkpoint_of(terminal.studies / "half", 1)
    assert spec["train"]["resume_training_checkpoint_path"] == str(parent)
    provenance = json.loads((longer / "provenance.json").read_text())
    assert provenance["parent"]["study"] == "half"
    assert provenance["parent"]["epoch"] == 1


def assert_same(one: object, two: object, place: str) -> None:
    """Nested values that are equal, tensors to the last bit."""
    import torch

    if isinstance(one, torch.Tensor):
        assert isinstance(two, torch.Tensor), place
        assert torch.equal(one, two), place
    elif isinstance(one, dict):
        assert isinstance(two, dict), place
        assert one.keys() == two.keys(), place
        for name in one:
            assert_same(one[name], two[name], f"{place}.{name}")
    elif isinstance(one, list | tuple):
        assert isinstance(two, list | tuple), place
        assert len(one) == len(two), place
        for number, (left, right) in enumerate(zip(one, two, strict=True)):
            assert_same(left, right, f"{place}.{number}")
    else:
        assert one == two, place
