"""The specs and commands of all actions, and what each says when it has ended."""

import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from automl.app.act import ActRequest, plan_action
from automl.app.action_run import carry_out
from automl.app.machine import Machine
from automl.app.plan import make_plan
from automl.app.request import PlanRequest
from automl.cli.action_text import record_text
from automl.cli.main import main
from automl.skill.read import own_skill_dir
from automl.study.actions import ActionRecord, Made, Origin
from automl.trainers.base import TrialTask
from tests.small_data import write_split
from tests.unit.app.act_kit import Player, add_trial, study_of

Golden = Callable[[str, str], None]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a study of one trial, its export and its engine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("AUTOML_STUDIES_DIR", raising=False)
    monkeypatch.setattr("automl.app.plan.detect_machine", lambda: Machine(cpus=2))
    for split in ("train", "val", "test"):
        write_split(tmp_path / "data" / split, 8)
    flags = {
        "policy": "off",
        "name": "boxes",
        "trainer": "scripted",
        **{f"{split}_data": str(tmp_path / "data" / split) for split in ("train", "val", "test")},
        "set": ["model.backbone.model_type=DLA34", "dataset.num_symmetry=2"],
    }
    studies = tmp_path / "studies"
    plan = make_plan(PlanRequest(flags, studies_dir=studies))
    add_trial(study_of(plan), plan, 0, 0.5)
    _act(studies, "export", "centerpose.onnx", b"\x08onnx")
    _act(studies, "gen_trt_engine", "centerpose.engine", b"engine")
    return tmp_path


def _act(studies: Path, action: str, name: str, content: bytes) -> None:
    def write(task: TrialTask) -> None:
        (task.folder / name).write_bytes(content)

    assert carry_out(plan_action(ActRequest(action, studies)), Player(write=write)).ok


@pytest.mark.parametrize(
    "argv",
    [
        "evaluate",
        "inference",
        "export",
        "evaluate --deploy",
        "inference --deploy",
        "evaluate --deploy --trainer docker",
        "inference --deploy --trainer docker",
        "inference --known-height 0.30",
        "gen-trt-engine",
    ],
)
def test_what_each_action_would_run(
    here: Path, golden: Golden, capsys: pytest.CaptureFixture[str], argv: str
) -> None:
    assert main([*shlex.split(argv), "--dry-run", "-v"]) == 0
    told = capsys.readouterr().out
    # The program first: its environment may lie within the skill's folder.
    text = told.replace(sys.executable, "python").replace(str(here), "HERE")
    name = argv.replace(" --", "-").replace(" ", "-")
    golden(f"actions/{name}.yaml", text.replace(str(own_skill_dir()), "SKILL"))


@pytest.mark.parametrize("argv", ["export", "evaluate"])
def test_what_an_action_would_run_in_short(
    here: Path, golden: Golden, capsys: pytest.CaptureFixture[str], argv: str
) -> None:
    assert main([argv, "--dry-run"]) == 0
    text = capsys.readouterr().out.replace(sys.executable, "python").replace(str(here), "HERE")
    golden(f"cli/dry-run-{argv}.txt", text)


@pytest.mark.parametrize(
    ("name", "argv"),
    [
        ("no-engine-by-process", "gen-trt-engine --trainer process"),
        ("no-such-epoch", "evaluate --checkpoint 7"),
        ("no-such-trial", "evaluate --trial 4"),
        ("no-such-file", "export --checkpoint weights/model.pth"),
        ("unknown-key", "export --set export.opset=17"),
        ("own-folder", "evaluate --set results_dir=/elsewhere"),
        ("no-epochs", "retrain"),
        ("no-height", "inference --known-height -0.3"),
    ],
)
def test_mistakes(
    here: Path, golden: Golden, capsys: pytest.CaptureFixture[str], name: str, argv: str
) -> None:
    assert main(shlex.split(argv)) == 2
    told = capsys.readouterr()
    text = f"$ automl {argv}\n{told.err}{told.out}".replace(str(here), "HERE")
    golden(f"cli/error-action-{name}.txt", text)


RECORD = ActionRecord(
    action="evaluate",
    deploy=False,
    trainer="process",
    ok=True,
    exit_code=0,
    evidence="",
    origin=Origin("best/model_epoch_003_step_00320.pth", "aa", "aa", 7, 3, "the best epoch"),
    data={"dataset.test_data": "data/test"},
    metrics={"test_3DIoU": 0.64193, "test_2DMPE": 0.03071},
    n_files=1,
    seconds=15.23,
)


def test_how_actions_ended(golden: Golden) -> None:
    made = {"gen_trt_engine.trt_engine": Made("centerpose.engine", "bb", 45_600_000)}
    engine = replace(
        RECORD, action="gen_trt_engine", trainer="docker", metrics={}, made=made, seconds=312.0
    )
    failed = replace(
        RECORD,
        deploy=True,
        ok=False,
        exit_code=1,
        evidence="TypeError: only 0-dimensional arrays can be converted to Python scalars",
        metrics={},
        n_files=0,
    )
    records = (RECORD, engine, failed)
    texts = [record_text(record, Path("actions", f"{record.action}-1")) for record in records]
    golden("cli/action-ends.txt", "\n\n".join(texts) + "\n")
