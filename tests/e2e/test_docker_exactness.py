"""What is exact here is so in containers: pausing at a rung, and going on after a kill."""

import json
from pathlib import Path

import pytest

from automl.yamltext import load_yaml
from tests.docker_engine.engine import PrivateEngine
from tests.e2e.terminal import Driver, Terminal
from tests.e2e.test_exact_pausing import RUNG, pauses_exactly
from tests.e2e.test_exact_resume import STUDY, goes_on_exactly

pytestmark = [
    *(pytest.mark.docker, pytest.mark.slow, pytest.mark.torch, pytest.mark.timeout(900)),
    pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning"),
]


@pytest.mark.ray
def test_pausing_is_exact_in_a_new_container(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    docker_host: PrivateEngine,
    development_image: str,
) -> None:
    where = f"trainer: docker\ngpus_per_trial: 0\nimage: {development_image}\n"
    paths = pauses_exactly(tmp_path, monkeypatch, where)
    first, second = (
        json.loads(paths.attempt(0, attempt).container.read_text()) for attempt in (1, 2)
    )
    assert first["name"] != second["name"]
    train = load_yaml(paths.attempt(0, 2).container_spec)["train"]
    place = train["resume_training_checkpoint_path"]
    assert place.startswith(
        f"/inputs/train-resume_training_checkpoint_path/model_epoch_{RUNG - 1:03d}_"
    )


def test_going_on_is_exact_after_a_kill(
    terminal: Terminal, docker_host: PrivateEngine, development_image: str
) -> None:
    def kill(driver: Driver) -> None:
        (container,) = docker_host.client().containers.list()
        driver.kill(everything=True)
        container.kill("SIGKILL")

    where = f"trainer: docker\ngpus_per_trial: 0\nimage: {development_image}\n"
    (terminal.folder / "shoe.yaml").write_text(STUDY + where)
    goes_on_exactly(terminal, kill)
    read = terminal.studies / "longer" / "trials" / "0000" / "1" / "spec.container.yaml"
    parent = load_yaml(read)["train"]["resume_training_checkpoint_path"]
    assert parent.startswith("/inputs/train-resume_training_checkpoint_path/model_epoch_001_")
