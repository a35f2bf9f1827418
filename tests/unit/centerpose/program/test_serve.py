"""Real trainings one after the other in one process, against a process for one alone."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from automl.yamltext import dump_yaml

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

PROGRAM = [sys.executable, "-m", "automl.centerpose"]


class Server:
    """``serve`` as its caller sees it."""

    def __init__(self, folder: Path, tree: Mapping[str, Any]) -> None:
        self.folder = folder
        self.tree = tree
        self.process = subprocess.Popen(
            [*PROGRAM, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def write(self, name: str, **train: Any) -> Path:
        place = self.folder / name
        place.mkdir()
        block = {**self.tree["train"], "results_dir": str(place), **train}
        (place / "spec.yaml").write_text(dump_yaml({**self.tree, "train": block}))
        return place

    def ask(self, number: int, place: Path) -> None:
        spec, log = place / "spec.yaml", place / "log.txt"
        self.tell(id=number, spec=str(spec), log=str(log), folder=str(place))

    def tell(self, **message: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found


@pytest.fixture
def server(spec_tree: dict[str, Any], tmp_path: Path) -> Iterator[Server]:
    spec_tree["train"]["seed"] = 7
    made = Server(tmp_path, spec_tree)
    yield made
    made.process.kill()
    made.process.communicate()


def content(place: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = torch.load(
        place / "centerpose_model_latest.pth", weights_only=True, map_location="cpu"
    )
    return loaded


def status_of(place: Path) -> list[Any]:
    lines = (place / "status.json").read_text().splitlines()
    return [json.loads(line).get("kpi") for line in lines]


def test_each_training_is_its_own_and_equals_one_alone(server: Server) -> None:
    first, mistake, stopped, last, alone = (
        server.write("first"),
        server.write("mistake", num_epochs=0),
        server.write("stopped", num_epochs=10_000),
        server.write("last"),
        server.write("alone"),
    )
    server.ask(1, first)
    server.ask(2, mistake)
    server.ask(3, stopped)
    server.ask(4, last)
    answers = [server.answer() for _ in range(5)]
    assert [each.get("training") for each in answers] == [1, None, 2, None, 3]
    while not (stopped / "centerpose_model_latest.pth").exists():
        time.sleep(0.02)
    server.tell(stop=3)
    answers += [server.answer() for _ in range(3)]
    ends = [each for each in answers if "exit_code" in each]
    assert [(each["id"], each["exit_code"]) for each in ends] == [(1, 0), (2, 1), (3, 143), (4, 0)]
    assert all(each["reusable"] for each in ends)
    assert len({each["pid"] for each in answers if "pid" in each}) == 1
    server.process.communicate(timeout=60)
    assert server.process.returncode == 0

    assert "num_epochs" in (mistake / "log.txt").read_text()
    assert "was interrupted (SIGTERM)" in (stopped / "status.json").read_text()
    done = subprocess.run(
        [*PROGRAM, "train", "-e", str(alone / "spec.yaml")], capture_output=True, check=False
    )
    assert done.returncode == 0
    for place in (first, last):
        assert status_of(place) == status_of(alone)
        for part in ("state_dict", "optimizer_states", "rng"):
            torch.testing.assert_close(content(place)[part], content(alone)[part], rtol=0, atol=0)
