"""Studies whose trials run in containers of a real engine, through the command line."""

import csv
import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from automl.skill.read import own_skill_dir
from automl.study.layout import StudyPaths
from automl.yamltext import load_yaml
from tests.docker_engine.engine import PrivateEngine
from tests.docker_engine.images import SCRIPTED
from tests.e2e.terminal import Driver, Terminal

pytestmark = [
    pytest.mark.docker,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    # The docker package leaves a socket open where an engine does not answer.
    pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning"),
]

SECRET = "s3cr3t-of-the-tests-0123456789"  # noqa: S105 -- looked for, and must not be found
EPOCHS = 12


@pytest.fixture
def containers(terminal: Terminal, docker_host: PrivateEngine) -> Terminal:
    """A terminal whose commands reach the engine."""
    return terminal


def write_study(terminal: Terminal, more: str = "", **script: Any) -> str:
    """Writes a study of the small data and what the containers play; returns its name."""
    text = f"""
automl_policy: off
data: {{train: data/train, val: data/val}}
trainer: docker
gpus_per_trial: 0
image: {SCRIPTED}
set: {{train.num_epochs: {EPOCHS}, dataset.batch_size: 2}}
{more}
"""
    (terminal.folder / "study.yaml").write_text(text)
    (terminal.folder / "data" / "train" / "script.json").write_text(json.dumps(script))
    return "study.yaml"


def paths_of(terminal: Terminal, name: str) -> StudyPaths:
    return StudyPaths(terminal.studies / name)


def rows_of(paths: StudyPaths) -> list[Mapping[str, str]]:
    return list(csv.DictReader((paths.report / "trials.csv").read_text().splitlines()))


def outcome_of(paths: StudyPaths, number: int = 0, attempt: int = 1) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(paths.attempt(number, attempt).outcome.read_text())
    return value


def running_in(engine: PrivateEngine) -> list[str]:
    return [str(each.name) for each in engine.client().containers.list(ignore_removed=True)]


def kill_in_mid_trial(
    driver: Driver, engine: PrivateEngine, epoch: int = 1, *, everything: bool = True
) -> str:
    """Kills the driver, alone or with all its processes; the container that goes on."""
    driver.wait_for(f"epoch={epoch} ")
    (name,) = running_in(engine)
    driver.kill(everything=everything)
    assert running_in(engine) == [name]
    return name


def let_go(terminal: Terminal) -> None:
    """Lets the containers go on that wait for it."""
    (terminal.folder / "data" / "train" / ".go").touch()


@pytest.mark.ray
def test_two_trials_of_a_search_run_in_containers(
    containers: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    file = write_study(containers, "env: [WANDB_API_KEY]", print=["WANDB_API_KEY", "HOME"])
    argv = ("run", file, "--policy", "on", "--trials", "2", "--name", "two")
    done = containers.run(*argv, "--max-concurrent", "2")
    assert done.code == 0, done.err
    paths = paths_of(containers, "two")
    assert [row["state"] for row in rows_of(paths)] == ["complete", "complete"]

    attempt = paths.attempt(1, 1)
    told, read = load_yaml(attempt.spec), load_yaml(attempt.container_spec)
    assert told["train"]["results_dir"] == str(attempt.folder)
    assert told["dataset"]["train_data"] == str(containers.folder / "data" / "train")
    assert read["train"]["results_dir"] == "/results"
    assert read["dataset"]["train_data"] == "/inputs/dataset-train_data"
    assert read["train"]["optim"] == told["train"]["optim"]

    image = json.loads(paths.provenance.read_text())["image"]
    assert image["name"] == SCRIPTED
    assert json.loads(attempt.container.read_text())["image"] == image["id"]
    # It was handed over, and it is written nowhere: not even where the training printed it.
    assert f"WANDB_API_KEY={'*' * len(SECRET)}" in attempt.log.read_text()
    holders = [path for path in paths.folder.rglob("*") if path.is_file() and holds(path, SECRET)]
    assert holders == []


def holds(path: Path, text: str) -> bool:
    return text.encode() in path.read_bytes()


@pytest.mark.ray
def test_a_killed_driver_s_container_is_found_again(
    containers: Terminal, docker_host: PrivateEngine
) -> None:
    file = write_study(containers, epoch_s=0.2, hold_at=5)
    argv = ("run", file, "--policy", "on", "--trials", "1", "--max-concurrent", "1")
    first = kill_in_mid_trial(
        containers.start(*argv, "--name", "cut"), docker_host, everything=False
    )
    second = containers.start("resume", "cut")
    assert kill_in_mid_trial(second, docker_host, epoch=3) == first
    let_go(containers)
    done = containers.run("resume", "cut")
    assert done.code == 0, done.err
    assert "found again" in done.err
    paths = paths_of(containers, "cut")
    (row,) = rows_of(paths)
    assert (row["state"], row["attempts"]) == ("complete", "1")
    outcome = outcome_of(paths)
    assert [entry["epoch"] for entry in outcome["measurements"]] == list(range(EPOCHS))
    # The time before the drivers died counts: twelve epochs of a fifth of a second.
    assert outcome["seconds"] > 0.2 * EPOCHS
    log = paths.attempt(0, 1).log.read_text()
    assert log.count("no model is trained") == 1


def test_one_that_was_killed_with_its_driver_goes_on_from_its_checkpoint(
    containers: Terminal, docker_host: PrivateEngine
) -> None:
    file = write_study(containers, epoch_s=0.2, hold_at=5)
    name = kill_in_mid_trial(containers.start("run", file, "--name", "down"), docker_host, epoch=3)
    docker_host.client().containers.get(name).kill("SIGKILL")
    let_go(containers)
    done = containers.run("resume", "down")
    assert done.code == 0, done.err
    paths = paths_of(containers, "down")
    (row,) = rows_of(paths)
    assert (row["state"], row["attempts"]) == ("complete", "2")
    assert load_yaml(paths.attempt(0, 2).spec)["train"]["resume_training_checkpoint_path"]


def test_the_exit_code_of_an_end_that_nobody_saw_is_known(
    containers: Terminal, docker_host: PrivateEngine
) -> None:
    fault = {"kind": "crash", "epoch": 3, "exit_code": 9}
    file = write_study(containers, hold_at=3, faults={"0": fault})
    driver = containers.start("run", file, "--name", "unseen")
    name = kill_in_mid_trial(driver, docker_host)
    let_go(containers)
    docker_host.client().containers.get(name).wait(timeout=30)
    assert containers.run("resume", "unseen").code == 4
    outcome = outcome_of(paths_of(containers, "unseen"))
    assert (outcome["state"], outcome["exit_code"]) == ("failed", 9)


def test_a_stop_ends_the_container_and_keeps_its_work(
    containers: Terminal, docker_host: PrivateEngine
) -> None:
    driver = containers.start("run", write_study(containers, hold_at=4), "--name", "stopped")
    driver.wait_for("epoch=2 ")
    driver.terminate()
    assert driver.wait(40.0).code == 143
    assert running_in(docker_host) == []
    let_go(containers)
    done = containers.run("resume", "stopped")
    assert done.code == 0, done.err
    paths = paths_of(containers, "stopped")
    resumed = load_yaml(paths.attempt(0, 2).container_spec)["train"]
    assert resumed["resume_training_checkpoint_path"].startswith(
        "/inputs/train-resume_training_checkpoint_path/model_epoch"
    )
    (row,) = rows_of(paths)
    assert (row["state"], row["attempts"]) == ("complete", "2")


def test_a_container_that_outgrows_its_memory_is_out_of_memory(containers: Terminal) -> None:
    file = write_study(containers, "memory: 64m", faults={"0": "memory"})
    assert containers.run("run", file, "--name", "big").code == 4
    outcome = outcome_of(paths_of(containers, "big"))
    assert (outcome["failure"], outcome["exit_code"]) == ("oom", 137)


def test_a_missing_image_is_told_before_anything_is_made(containers: Terminal) -> None:
    done = containers.run("run", write_study(containers), "--image", "nobody/has:1")
    assert done.code == 3
    assert "docker pull nobody/has:1" in done.err
    assert not containers.studies.exists()


def test_an_engine_that_is_away_is_told(
    containers: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    done = containers.run("run", write_study(containers))
    assert done.code == 3
    assert "DOCKER_HOST" in done.err


def test_another_image_under_the_same_name_is_refused_unless_accepted(
    containers: Terminal, docker_host: PrivateEngine
) -> None:
    client = docker_host.client()
    client.images.get(SCRIPTED).tag("automl-test/moving", "1")
    file = write_study(containers)
    assert containers.run("run", file, "--image", "automl-test/moving:1", "--name", "x").code == 0
    made = client.containers.create(SCRIPTED, ["true"], network_mode="none")
    made.commit("automl-test/moving", "1", changes="LABEL moved=1")
    made.remove()
    paths = paths_of(containers, "x")
    before = json.loads(paths.provenance.read_text())["image"]["id"]
    refused = containers.run("resume", "x")
    assert refused.code == 7
    assert before in refused.err
    assert "--accept-image" in refused.err
    assert containers.run("resume", "x", "--accept-image").code == 0
    provenance = json.loads(paths.provenance.read_text())
    assert provenance["image"]["id"] != before
    assert [each["id"] for each in provenance["images_before"]] == [before]


def test_a_container_that_means_harm_reaches_its_own_folder_alone(
    containers: Terminal, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    links = dict.fromkeys(
        ("log.txt", "outcome.json", "container.json", "server.pid"), str(outside)
    )
    done = containers.run("run", write_study(containers, links=links), "--name", "harm")
    assert done.code == 0, done.err
    assert outside.read_text() == "mine"
    paths = paths_of(containers, "harm")
    attempt = paths.attempt(0, 1)
    assert not [
        path for path in attempt.folder.iterdir() if path.name in links and path.is_symlink()
    ]
    log = attempt.log.read_text()
    assert "had been replaced" in log
    assert "spec.yaml: Read-only file system" in log
    assert "/study/study.journal: No such file" in log
    assert load_yaml(attempt.spec)["train"]["num_epochs"] == EPOCHS
    assert outcome_of(paths)["state"] == "ok"


TWO_USERS = """
import os, sys
from pathlib import Path
from automl.cli.main import main
assert main(["run", "study.yaml", "--name", "first"]) == 0
for path in [Path("."), *Path(".").rglob("*")]:
    os.chown(path, 4321, 4322, follow_symlinks=False)
os.setgroups([])
os.setgid(4322)
os.setuid(4321)
sys.exit(main(["run", "study.yaml", "--name", "second"]))
"""


@pytest.fixture
def open_terminal() -> Iterator[Terminal]:
    """A terminal in a folder that another user may enter."""
    with tempfile.TemporaryDirectory(prefix="automl-docker-user-") as name:
        Path(name).chmod(0o755)
        opened = Terminal(Path(name))
        yield opened
        opened.close()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_what_a_container_writes_belongs_to_the_caller(
    open_terminal: Terminal, docker_host: PrivateEngine
) -> None:
    checkout = own_skill_dir()
    if not all(folder.stat().st_mode & stat.S_IXOTH for folder in (checkout, *checkout.parents)):
        pytest.skip(f"another user may not read the skill in {checkout}")
    write_study(open_terminal)
    # The first study loads every module: the other user may not be able to read them.
    done = subprocess.run(
        [sys.executable, "-c", TWO_USERS],
        cwd=open_terminal.folder,
        env=open_terminal.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    folder = paths_of(open_terminal, "second").folder
    written = [path for path in folder.rglob("*") if not path.is_symlink()]
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in written}
    assert owners == {(4321, 4322)}
    log = paths_of(open_terminal, "second").attempt(0, 1).log.read_text()
    assert "as 4321:4322" in log


REAL = """
data: {synth: {category: shoe, train: 8, val: 4, test: 0, seed: 1}}
trainer: docker
gpus_per_trial: 0
set:
  dataset.category: shoe
  dataset.batch_size: 4
  dataset.workers: 1
  model.backbone.model_type: nano
  train.num_epochs: 1
  train.optim.lr: 2e-3
trials: 2
"""


@pytest.mark.ray
@pytest.mark.torch
def test_two_real_trainings_in_the_development_image(
    containers: Terminal, development_image: str
) -> None:
    (containers.folder / "shoe.yaml").write_text(REAL)
    argv = ("run", "shoe.yaml", "--image", development_image, "--name", "real")
    done = containers.run(*argv, within_s=200.0)
    assert done.code == 0, done.err
    paths = paths_of(containers, "real")
    assert [row["state"] for row in rows_of(paths)] == ["complete", "complete"]
    best = json.loads(paths.best_provenance.read_text())
    assert (paths.best / best["checkpoint"]).stat().st_size > 100_000
