"""Real trainings of the small network through the command line, on a few rendered images."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from automl.yamltext import load_yaml
from tests.e2e.terminal import Terminal, processes_naming

pytestmark = [pytest.mark.slow, pytest.mark.torch, pytest.mark.timeout(240)]

STUDY = """
data: {synth: {category: shoe, train: 8, val: 4, test: 4, seed: 1}}
set:
  dataset.category: shoe
  dataset.batch_size: 4
  dataset.workers: 1
  model.backbone.model_type: nano
  train.num_epochs: 2
  train.optim.lr: 2e-3
"""


@pytest.fixture
def file(terminal: Terminal) -> str:
    (terminal.folder / "shoe.yaml").write_text(STUDY)
    return "shoe.yaml"


def rows_of(study: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((study / "report" / "trials.csv").read_text().splitlines()))


def test_one_training_and_then_another_from_its_weights(terminal: Terminal, file: str) -> None:
    done = terminal.run("run", file, "--policy", "off", "--name", "first")
    assert done.code == 0, done.err
    study = terminal.studies / "first"
    (row,) = rows_of(study)
    assert row["state"] == "complete"
    provenance = json.loads((study / "best" / "provenance.json").read_text())
    checkpoint = study / "best" / provenance["checkpoint"]

    spec = str(study / "best" / "train.yaml")
    argv = ("--policy", "off", "--spec", spec, "--parent-checkpoint", str(checkpoint))
    trained = load_yaml(study / "best" / "train.yaml")
    data = [f"--{name}-data={trained['dataset'][f'{name}_data']}" for name in ("train", "val")]
    done = terminal.run("run", *argv, *data, "--name", "second", "--set", "train.num_epochs=1")
    assert done.code == 0, done.err
    again = load_yaml(terminal.studies / "second" / "trials" / "0000" / "1" / "spec.yaml")
    assert again["train"]["pretrained_model_path"] == str(checkpoint)
    assert again["train"]["optim"]["lr"] == 2e-3
    assert again["train"]["num_epochs"] == 1
    assert again["train"]["resume_training_checkpoint_path"] == ""


@pytest.mark.ray
def test_a_search_of_two_trainings(terminal: Terminal, file: str) -> None:
    argv = ("run", file, "--trials", "2", "--name", "search", "--max-concurrent", "2")
    done = terminal.run(*argv, within_s=200.0)
    assert done.code == 0, done.err
    study = terminal.studies / "search"
    assert [row["state"] for row in rows_of(study)] == ["complete", "complete"]
    assert float(rows_of(study)[0]["param.train.optim.lr"]) == 2e-3
    page = (study / "report" / "index.html").read_text(encoding="utf-8")
    assert "data:image/jpeg;base64," in page
    assert "On the 4 held-out test images its checkpoint scores" in page
    winner = json.loads((study / "best" / "provenance.json").read_text())["trial"]
    report = json.loads((study / "report" / "report.json").read_text())
    splits = [(each["trial"], each["split"]) for each in report["evaluations"]]
    assert sorted(splits) == sorted(
        (number, split) for number in {0, winner} for split in ("test", "validation")
    )
    assert {scores["split"] for scores in report["poses"]} == {"test", "validation"}
    assert processes_naming(study) == []


@pytest.mark.ray
@pytest.mark.timeout(600)
def test_a_finished_search_is_confirmed_by_further_trainings(
    terminal: Terminal, file: str
) -> None:
    # What is held out is scored by the test above.
    (terminal.folder / file).write_text(STUDY.replace("test: 4", "test: 0"))
    # At the default's rate hardly anything is learnt, so that the other trial is better.
    slow = ("--set", "train.optim.lr=1e-7", "--search", "train.optim.lr=1e-3..3e-3:log")
    loss = ("--metric", "val_loss", "--direction", "minimize")
    argv = ("run", file, "--trials", "2", "--name", "search", "--max-concurrent", "1")
    done = terminal.run(*argv, *slow, *loss, within_s=300.0)
    assert done.code == 0, done.err
    assert "automl confirm search --seeds 3` tells" in done.out
    assert best_of(terminal)["confirmed"] is None

    done = terminal.run("confirm", "search", "--seeds", "2", "--yes", within_s=300.0)
    assert done.code == 0, done.err
    rows = rows_of(terminal.studies / "search")
    assert [row["state"] for row in rows] == ["complete"] * 6
    assert [row["confirms"] for row in rows] == ["", "", "0", "1", "0", "1"]
    winner = best_of(terminal)
    assert winner["number"] == 1
    confirmed = winner["confirmed"]
    assert confirmed["verdict"] in ("better", "worse", "not separable")
    specs = (terminal.studies / "search" / "trials").glob("*/1/spec.yaml")
    seeds = [load_yaml(spec)["train"]["seed"] for spec in sorted(specs)]
    assert seeds[0] == seeds[1]
    assert seeds[2] == seeds[3]
    assert seeds[4] == seeds[5]
    assert len(set(seeds)) == 3


def best_of(terminal: Terminal) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(terminal.run("best", "search", "--json").out)["winner"]
    return value
