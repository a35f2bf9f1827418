"""``automl init --from-script``: a skill beside a script."""

import json
from pathlib import Path

import pytest

from automl.cli.main import main
from automl.skill.read import read_skill


def test_a_skill_is_written_beside_the_script(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import argparse\np = argparse.ArgumentParser()\n"
        "p.add_argument('--lr', type=float, default=0.1)\n"
    )
    assert main(["init", "--from-script", str(script)]) == 0
    assert "automl plan --skill-dir" in capsys.readouterr().out
    skill = read_skill(tmp_path)
    execution = skill.actions["train"].execution
    assert execution is not None
    assert execution.script == script
    assert main(["init", "--from-script", str(script)]) == 2
    assert "must not overwrite" in capsys.readouterr().err


def test_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "train.yaml"
    path.write_text("optim: {lr: 0.1}\n")
    assert main(["init", "--json", "--from-script", str(path)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["skill"] == str(tmp_path)
    assert "schemas/train.schema.json" in said["files"]


def test_the_folder_is_the_script_s_and_another_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "train.py"
    script.write_text("import argparse\n")
    assert main(["init", str(tmp_path / "skill"), "--from-script", str(script)]) == 2
    assert "a skill is drafted beside its script" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [script]
