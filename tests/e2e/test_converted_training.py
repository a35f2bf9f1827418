"""A set of another format, converted and trained on."""

import json
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal
from tests.unit.data.convert.sources import known_frames, write_bop

pytestmark = [pytest.mark.slow, pytest.mark.torch, pytest.mark.timeout(240)]

SETTINGS = (
    "dataset.category=box",
    "dataset.batch_size=4",
    "dataset.workers=1",
    "model.backbone.model_type=nano",
    "train.num_epochs=1",
)


def test_a_converted_set_trains_an_epoch(terminal: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "synthetic"
    argv = ("data", "synth", "--out", str(folder), "--train", "8", "--val", "0", "--test", "0")
    assert terminal.run(*argv).code == 0
    root = write_bop(tmp_path / "bop", known_frames(folder / "train"))
    made = ("data", "convert", "auto", str(root), "--out", str(tmp_path / "set"))
    done = terminal.run(*made, "--category", "box", "--val-share", "0.5")
    assert done.code == 0, done.err
    data = [f"--{split}-data={tmp_path / 'set' / split}" for split in ("train", "val")]
    words = [word for setting in SETTINGS for word in ("--set", setting)]
    done = terminal.run("run", "--policy", "off", "--name", "converted", *data, *words)
    assert done.code == 0, done.err
    study = terminal.studies / "converted"
    trial = json.loads((study / "report" / "report.json").read_text())["trials"][0]
    assert trial["state"] == "complete"
