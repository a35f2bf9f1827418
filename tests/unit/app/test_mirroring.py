"""A study mirrored while it runs: told of everything by its end, and harmed by nothing."""

from collections.abc import Callable

import pytest

from automl.app import mirroring, run
from automl.app.mirroring import mirrored
from automl.app.plan import Plan
from automl.app.screen import Silent
from automl.errors import FixInput
from automl.execution import ray_driver, serial
from automl.study.folder import read_config
from automl.study.layout import StudyPaths
from tests.unit.app.kit import MakePlan

pytestmark = pytest.mark.timeout(60)

SCRIPT = "script:\n  epoch_s: 0.0\n  bowls: {train.optim.lr: {best: 1e-3}}\n"
SHORT = ("--set", "train.num_epochs=2", "--name", "bikes", "--sampler", "random", "--trials", "3")


@pytest.fixture
def search(plan: MakePlan, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plan]:
    """A short search of scripted trials, one at a time in this process."""
    monkeypatch.setattr(ray_driver, "drive", serial.drive)
    return lambda *argv: plan(*SHORT, *argv, file=SCRIPT)


def test_by_the_end_every_trial_is_there(search: Callable[..., Plan]) -> None:
    pytest.importorskip("tensorboardX")
    made = search("--mirror", "tensorboard")
    said: list[str] = []
    names = made.config.mirrors
    ending = mirrored(names, Silent(), lambda screen: run.start(made, screen), said.append)
    assert (ending.exit_code, said) == (0, [])
    root = ending.paths.folder / "mirrors" / "tensorboard" / "bikes"
    assert {path.name for path in root.iterdir()} == {
        "bikes", "trial-0000", "trial-0001", "trial-0002",
    }  # fmt: skip
    assert read_config(ending.paths).mirrors == ("tensorboard",)


def test_a_tracker_that_fails_is_said_once_and_harms_nothing(
    search: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(paths: StudyPaths, name: str) -> None:
        raise RuntimeError("the server is away")

    monkeypatch.setattr(mirroring, "mirror_study", fail)
    made, said = search(), list[str]()
    ending = mirrored(("mlflow",), Silent(), lambda screen: run.start(made, screen), said.append)
    assert ending.exit_code == 0
    assert said == ["mlflow was not told: the server is away; automl mirror mlflow does it later"]


def test_an_unknown_tracker_is_refused_by_the_plan(search: Callable[..., Plan]) -> None:
    with pytest.raises(FixInput, match="did you mean mlflow"):
        search("--mirror", "mlfow")
