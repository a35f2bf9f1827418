"""What needs TensorRT is refused with the name of the container that has it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Act = Callable[..., int]
Messages = Callable[[str], list[str]]


@pytest.mark.parametrize(
    ("action", "settings"),
    [
        ("gen_trt_engine", {}),
        ("evaluate", {"evaluate__checkpoint": "model.engine"}),
        ("evaluate", {"evaluate__trt_engine": "model.engine"}),
        ("inference", {"inference__checkpoint": "model.engine"}),
        ("inference", {"inference__trt_engine": "model.engine"}),
    ],
)
def test_engines_belong_to_the_deploy_container(
    action: str,
    settings: dict[str, object],
    act: Act,
    messages: Messages,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert act(action, **settings) == 1
    first, last = messages(action)
    assert first == f"Starting Centerpose {action}."
    assert last.startswith("Feature not implemented: ")
    assert "tao_toolkit.deploy" in last
    assert f"centerpose {action} -e" in last
    assert "Execution status: FAIL" in capsys.readouterr().out


def test_an_engine_beside_a_checkpoint_is_not_read(
    act: Act, checkpoint: Path, messages: Messages
) -> None:
    settings = {"evaluate__checkpoint": checkpoint, "evaluate__trt_engine": "model.engine"}
    assert act("evaluate", **settings) == 0


def test_a_refusal_loads_no_torch(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(f"results_dir: {tmp_path}\n")
    code = (
        "import sys; from automl.centerpose.program.cli import main; "
        "code = main(['gen_trt_engine', '-e', 'spec.yaml']); "
        "sys.exit(7 if 'torch' in sys.modules else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        cwd=tmp_path,
        env=dict(os.environ),
        check=False,
    )
    assert done.returncode == 1
