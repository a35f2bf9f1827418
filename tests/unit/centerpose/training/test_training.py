"""Whole trainings of ``nano`` on small images: order of lines, exact resume, interruption."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from automl.centerpose.config.load import load_spec
from automl.centerpose.program.train import train
from automl.centerpose.session.checkpoints import latest_in, read_checkpoint
from automl.centerpose.session.interrupt import Interrupt, Interrupted
from automl.centerpose.session.run import Run
from automl.centerpose.session.status import StatusLog
from automl.centerpose.training.loss_monitor import Diverged
from automl.centerpose.training.optimiser import Optimiser
from automl.centerpose.training.position import Schedule
from automl.trainers.contract import PAUSE_NAME

StatusReader = Callable[[Path], list[dict[str, Any]]]
Start = Callable[..., Path]


class AfterChecks(Interrupt):
    """Asks for the end at the n-th safe point."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.left = n

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Interrupted(signal.SIGTERM)


@pytest.fixture
def start(spec_tree: dict[str, Any], tmp_path: Path) -> Start:
    """Trains into a folder of the given name and returns it."""

    def begin(name: str, interrupt: Interrupt | None = None, **train_settings: Any) -> Path:
        spec_tree["train"] = spec_tree["train"] | train_settings
        folder = tmp_path / name
        run = Run(folder, StatusLog(folder), interrupt or Interrupt(), lambda _: None)
        train(load_spec(spec_tree, "train"), run)
        return folder

    return begin


def metrics(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line["kpi"] for line in lines if "kpi" in line]


def assert_same_state(one: Path, two: Path) -> None:
    first, second = (read_checkpoint(path) for path in (one, two))
    for part in ("epoch", "global_step", "position", "lr_schedulers", "seed"):
        assert first[part] == second[part]
    for part in ("state_dict", "optimizer_states", "rng"):
        torch.testing.assert_close(first[part], second[part], rtol=0, atol=0)


def test_lines_and_files_of_a_training(start: Start, status_lines: StatusReader) -> None:
    folder = start("one", num_epochs=3, validation_interval=2, checkpoint_interval=3)
    lines = status_lines(folder)
    assert [line["message"] for line in lines] == [
        "Starting Training Loop.",
        "Training loop in progress",
        "Train metrics generated.",
        "Eval metrics generated.",
        "Training loop in progress",
        "Train metrics generated.",
        "Training loop in progress",
        "Train metrics generated.",
        "Training loop complete.",
    ]
    assert isinstance(lines[3]["kpi"]["val_3DIoU"], str)
    epochs = [line for line in lines if "epoch" in line]
    keys = ["epoch", "step", "max_epoch", "max_step", "time_per_epoch", "time_per_step", "eta"]
    assert [list(line)[: len(keys)] for line in epochs] == [keys] * 3
    assert [[line[key] for key in keys[:4]] for line in epochs] == [
        [0, 3, 2, 9],
        [1, 6, 2, 9],
        [2, 9, 2, 9],
    ]
    assert [path.name for path in folder.glob("model_*.pth")] == ["model_epoch_002_step_00009.pth"]


def test_two_trainings_of_one_seed_are_equal(start: Start, status_lines: StatusReader) -> None:
    one, two, other = start("one"), start("two"), start("other", seed=5)
    assert metrics(status_lines(one)) == metrics(status_lines(two))
    assert metrics(status_lines(one)) != metrics(status_lines(other))
    checkpoints = [latest_in(folder) for folder in (one, two)]
    assert checkpoints[0] is not None
    assert checkpoints[1] is not None
    assert_same_state(checkpoints[0], checkpoints[1])


@pytest.mark.timeout(60)
@pytest.mark.parametrize("safe_points", [1, 3, 4, 6])
def test_a_resumed_training_equals_an_uninterrupted_one(
    safe_points: int, start: Start, status_lines: StatusReader
) -> None:
    """Interrupted in an epoch, in its validation (points 3 and 4) and in the next epoch."""
    whole = start("whole", optim={"lr": 0.003, "lr_steps": [1]})
    with pytest.raises(Interrupted):
        start("parts", AfterChecks(safe_points))
    parts = start("parts")
    lines = status_lines(parts)
    messages = [line["message"] for line in lines]
    assert messages[0] == "Starting Training Loop."
    assert sum(each.startswith("Resuming training from checkpoint: ") for each in messages) == 1
    assert metrics(lines) == metrics(status_lines(whole))
    last = "model_epoch_001_step_00006.pth"
    assert_same_state(whole / last, parts / last)


def test_the_rate_falls_at_each_milestone() -> None:
    schedule = Schedule(0.01, (2, 3), 0.1)
    assert [schedule.at(epoch) for epoch in range(5)] == pytest.approx(
        [0.01, 0.01, 1e-3, 1e-4, 1e-4]
    )


def test_epochs_are_an_absolute_number_and_the_rate_is_the_checkpoints(
    start: Start, status_lines: StatusReader
) -> None:
    folder = start("one", num_epochs=1)
    start("one", num_epochs=2, optim={"lr": 0.5})
    epochs = [line["epoch"] for line in status_lines(folder) if "epoch" in line]
    assert epochs == [0, 1]
    path = latest_in(folder)
    assert path is not None
    (optimizer,) = read_checkpoint(path)["optimizer_states"]
    assert optimizer["param_groups"][0]["lr"] == 0.003
    before = len(status_lines(folder))
    start("one", num_epochs=2)
    assert not [line for line in status_lines(folder)[before:] if "epoch" in line]


def test_checkpoints_by_step_carry_the_epoch_in_progress(start: Start) -> None:
    folder = start("one", checkpoint_interval=2, checkpoint_interval_unit="step")
    names = sorted(path.name for path in folder.glob("model_*.pth"))
    assert names == [
        "model_epoch_000_step_00002.pth",
        "model_epoch_001_step_00004.pth",
        "model_epoch_001_step_00006.pth",
    ]
    whole = start("two", checkpoint_interval=1, checkpoint_interval_unit="epoch")
    given = str(folder / names[1])
    again = start("three", resume_training_checkpoint_path=given)
    last = "model_epoch_001_step_00006.pth"
    assert_same_state(whole / last, again / last)


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ('{"epoch": 0, "reason": "3rd of 4"}', ["model_epoch_000_step_00003.pth"]),
        ('{"epoch": 1, "reason": "3rd of 4"}', None),
        ("no request", None),
    ],
)
def test_one_that_is_to_pause_where_it_has_been_saves_nothing_more(
    start: Start, tmp_path: Path, asked: str, left: list[str] | None
) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / PAUSE_NAME).write_text(asked)
    with pytest.raises(Interrupted):
        start("one", AfterChecks(6))
    names = sorted(path.name for path in folder.glob("model_*.pth"))
    assert names[:1] == ["model_epoch_000_step_00003.pth"]
    assert names == left if left else len(names) == 2


def test_an_interruption_before_the_first_step_leaves_no_checkpoint(start: Start) -> None:
    with pytest.raises(Interrupted):
        start("one", AfterChecks(0))


def test_weights_that_are_not_finite_are_never_saved(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss of the step that spoils them is still finite, and a signal asks for the end."""
    learn = Optimiser.update

    def spoil(self: Optimiser) -> None:
        learn(self)
        with torch.no_grad():
            self._parameters[3].fill_(torch.inf)

    monkeypatch.setattr(Optimiser, "update", spoil)
    with pytest.raises(Diverged, match=r"1 layers hold weights .* at epoch 0, step 1"):
        start("one", AfterChecks(1))
    assert latest_in(tmp_path / "one") is None


def test_a_training_starts_from_the_weights_of_another(start: Start, spec_tree: Any) -> None:
    first = start("one", num_epochs=1)
    path = latest_in(first)
    assert path is not None
    second = start("two", num_epochs=1, pretrained_model_path=str(path), optim={"lr": 1e-12})
    other = latest_in(second)
    assert other is not None
    one, two = (read_checkpoint(each)["state_dict"] for each in (path, other))
    weights = [name for name in one if name.endswith("weight")]
    for name in weights:
        torch.testing.assert_close(one[name], two[name], rtol=0, atol=1e-6)


def test_the_switches_that_stop_the_container_work(start: Start, spec_tree: Any) -> None:
    spec_tree["dataset"] |= {"not_rand_crop": True, "reg_bbox": False, "flip": 0.0}
    loss = {"hm_hp": False, "off_weight": 0, "obj_scale_weight": 0}
    folder = start("one", num_epochs=1, loss_config=loss, precision="fp16")
    assert latest_in(folder) is not None


@pytest.mark.parametrize("switch", ["mse_loss", "dense_hp"])
def test_the_other_formulas_of_the_loss_learn(
    switch: str, start: Start, status_lines: StatusReader
) -> None:
    losses = [
        line["kpi"]["train_loss"]
        for line in status_lines(start("one", num_epochs=4, loss_config={switch: True}))
        if "train_loss" in line.get("kpi", {})
    ]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("category", ["chair", "bottle"])
def test_symmetric_categories_train(category: str, start: Start, spec_tree: Any) -> None:
    spec_tree["dataset"] |= {"category": category}
    assert latest_in(start("one", num_epochs=1)) is not None
