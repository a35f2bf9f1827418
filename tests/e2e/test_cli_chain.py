"""Train, best, evaluate, export, inference on one small study, no path typed."""

import json
from pathlib import Path

import pytest

from automl.study.actions import read_actions
from automl.study.layout import StudyPaths
from automl.yamltext import load_yaml
from tests.e2e.terminal import Terminal, processes_naming

pytestmark = [pytest.mark.slow, pytest.mark.torch, pytest.mark.timeout(300)]

STUDY = """
data: {synth: {category: shoe, train: 4, val: 4, test: 4, seed: 1}}
set:
  dataset.category: shoe
  dataset.batch_size: 4
  dataset.workers: 1
  model.backbone.model_type: nano
  train.num_epochs: 1
"""


@pytest.fixture(scope="module")
def chain(shared_terminal: Terminal) -> Terminal:
    """A terminal in which one training has ended."""
    (shared_terminal.folder / "shoe.yaml").write_text(STUDY)
    done = shared_terminal.run("run", "shoe.yaml", "--policy", "off", "--name", "shoes")
    assert done.code == 0, done.err
    assert shared_terminal.run("best").code == 0
    return shared_terminal


def test_the_chain(chain: Terminal) -> None:
    paths = StudyPaths(chain.studies / "shoes")
    before = {folder for folder, _ in read_actions(paths.actions)}
    for command in (
        ("evaluate",),
        ("export", "--verify"),
        ("inference",),
        ("evaluate", "--deploy"),
    ):
        done = chain.run(*command, within_s=120.0)
        assert done.code == 0, (command, done.err)
    new = [each for each in read_actions(paths.actions) if each[0] not in before]
    folders = {folder.name.rpartition("-")[0]: folder for folder, _ in new}
    assert list(folders) == ["evaluate", "export", "inference", "deploy-evaluate"]
    ended = dict(zip(folders, (record for _, record in new), strict=True))
    assert all(record.ok and record.exit_code == 0 for record in ended.values())

    best = json.loads(paths.best_provenance.read_text())
    for record in ended.values():
        assert record.origin.root_sha256 == best["checkpoint_sha256"]
    trained = ended["evaluate"].metrics
    assert set(trained) == {"test_3DIoU", "test_2DMPE"}
    exported = ended["deploy-evaluate"].metrics
    assert exported["test_3DIoU"] == pytest.approx(trained["test_3DIoU"], abs=0.02)

    spec = load_yaml(folders["evaluate"] / "spec.yaml")
    assert spec["model"]["backbone"]["model_type"] == "nano"
    assert spec["evaluate"]["opencv"] is False
    onnx = folders["export"] / ended["export"].made["export.onnx_file"].name
    assert onnx.stat().st_size > 100_000
    parity = json.loads((folders["export"] / "verify" / "parity.json").read_text())
    assert parity["within"]
    assert parity["n_images"] == parity["n_all"] == 4
    assert "the same poses as PyTorch" in chain.run("card").out
    assert images_in(folders["inference"]) == images_in(spec_data(folders["inference"]))
    assert processes_naming(paths.folder) == []


def test_a_failed_action_says_so_for_itself(chain: Terminal) -> None:
    done = chain.run("evaluate", "--set", "dataset.mean=[a, b, c]", "--json")
    assert done.code == 4
    told = json.loads(done.out)
    assert told["schema"] == "automl.action/1"
    assert (told["ok"], told["exit_code"]) == (False, 1)
    assert "dataset.mean" in told["evidence"]
    assert "evaluate failed" in done.err
    assert (Path(told["folder"]) / "log.txt").is_file()


def images_in(folder: Path) -> int:
    return sum(1 for path in folder.rglob("*") if path.suffix in (".jpg", ".png"))


def spec_data(folder: Path) -> Path:
    return Path(load_yaml(folder / "spec.yaml")["dataset"]["inference_data"])
