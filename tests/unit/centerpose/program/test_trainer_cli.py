"""The command line: exit codes, what is printed, and a record of every failure."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automl.centerpose.config import experiment
from automl.centerpose.program.actions import ACTIONS
from automl.centerpose.program.cli import main
from automl.yamltext import load_yaml

SpecWriter = Callable[..., Path]
StatusReader = Callable[[Path], list[dict[str, Any]]]


def test_every_action_of_the_spec_is_known() -> None:
    assert set(ACTIONS) == set(experiment.ACTIONS)


def test_a_missing_spec_option_is_reported_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["train"])
    assert end.value.code == 1
    assert "-e" in capsys.readouterr().out


def test_a_missing_spec_file_is_reported_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "-e", "nowhere.yaml"]) == 1
    out = capsys.readouterr().out
    assert "nowhere.yaml" in out
    assert "Execution status: FAIL" in out


def test_a_spec_without_a_results_folder_fails(
    write_spec: SpecWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "-e", str(write_spec({}))]) == 1
    assert "results_dir" in capsys.readouterr().out


FAILURES = [
    ({"train.learning_rate": 1}, "Configuration error: "),
    ({"train.num_epochs": 0.5}, "Configuration error: "),
    ({"model.backbone.model_type": "fan_tiny"}, "Feature not implemented: "),
    ({"train.precision": "fp8"}, "Feature not implemented: "),
    ({"dataset.batch_size": 13}, "Parameter validation error: "),
    ({"train.validation_interval": 3}, "Parameter validation error: "),
    ({"dataset.train_data": "/nonexistent"}, "Data error: "),
    ({"train.pretrained_model_path": "/nonexistent.pth"}, "Data error: "),
    ({"train.optim.lr": 3e37}, "Unexpected error: Diverged: "),
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("overrides", "prefix"), FAILURES)
def test_every_failure_leaves_a_line_and_exit_code_1(
    overrides: dict[str, Any],
    prefix: str,
    spec_tree: dict[str, Any],
    write_spec: SpecWriter,
    status_lines: StatusReader,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = [f"{key}={value}" for key, value in overrides.items()]
    assert main(["train", "-e", str(write_spec(spec_tree)), *settings]) == 1
    lines = status_lines(Path(spec_tree["results_dir"]) / "train")
    assert lines[0]["message"] == "Starting Centerpose train."
    assert lines[-1]["status"] == "FAILURE"
    assert lines[-1]["message"].startswith(prefix)
    assert "Execution status: FAIL" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError("disk"), "File system error: disk"),
        (MemoryError("full"), "Unexpected error: MemoryError: full"),
        (KeyError("k"), "Unexpected error: KeyError: 'k'"),
    ],
)
def test_any_exception_is_recorded(
    error: Exception,
    message: str,
    spec_tree: dict[str, Any],
    write_spec: SpecWriter,
    status_lines: StatusReader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("automl.centerpose.program.evaluate.evaluate", fail)
    assert main(["evaluate", "-e", str(write_spec(spec_tree)), "evaluate.checkpoint=x.pth"]) == 1
    assert status_lines(Path(spec_tree["results_dir"]) / "evaluate")[-1]["message"] == message


def test_a_dry_run_from_a_relative_spec_passes_and_saves_no_checkpoint(
    spec_tree: dict[str, Any],
    write_spec: SpecWriter,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write_spec(spec_tree)
    monkeypatch.chdir(path.parent)
    assert main(["train", "-e", path.name, "train.is_dry_run=true", "train.optim.lr=1e-4"]) == 0
    folder = Path(spec_tree["results_dir"]) / "train"
    resolved = load_yaml(folder / "experiment.yaml")
    assert resolved["train"]["optim"]["lr"] == 1e-4
    assert resolved["dataset"]["max_objs"] == 10
    assert not list(folder.glob("*.pth"))
    out = capsys.readouterr().out
    assert " Validation 3DIoU : " in out
    assert " Validation 2DMPE : " in out
    assert out.rstrip().endswith("Execution status: PASS")


@pytest.mark.parametrize("extra", [["-e", "spec.yaml"], ["model.use_convGRU=false"]])
def test_describe_takes_no_spec(extra: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["describe", *extra])
    assert end.value.code == 1
    assert "describe takes no spec" in capsys.readouterr().out


def test_the_action_can_have_a_folder_of_its_own(
    spec_tree: dict[str, Any], write_spec: SpecWriter, tmp_path: Path
) -> None:
    settings = [f"train.results_dir={tmp_path / 'own'}", "train.is_dry_run=true"]
    assert main(["train", "-e", str(write_spec(spec_tree)), *settings]) == 0
    assert (tmp_path / "own" / "status.json").is_file()
    assert not Path(spec_tree["results_dir"]).exists()


def test_the_baseline_prints_its_score(
    spec_tree: dict[str, Any], write_spec: SpecWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["baseline", "-e", str(write_spec(spec_tree))]) == 0
    out = capsys.readouterr().out.split()
    assert out[0] == "val_3DIoU"
    assert 0.0 <= float(out[1]) <= 1.0


def test_a_spec_with_a_mistake_is_refused_without_loading_torch(
    spec_tree: dict[str, Any], write_spec: SpecWriter
) -> None:
    path = write_spec(spec_tree | {"no_such_block": 1})
    code = (
        "import sys; from automl.centerpose.program.cli import main; "
        f"code = main(['train', '-e', {str(path)!r}]); "
        "sys.exit(7 if 'torch' in sys.modules else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=dict(os.environ), check=False
    )
    assert done.returncode == 1
