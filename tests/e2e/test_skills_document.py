"""``docs/skills.md``: its commands, run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "skills.md"
ROOT = PAGE.parents[1]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_your_own_script_in_ten_minutes(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    assert "automl run" in script
    program = tmp_path / "bin" / "automl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tests.e2e.serially "$@"\n')
    program.chmod(0o755)
    where = {"PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=tmp_path,
        env=os.environ | where,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "minimize val/loss, read from the first of" in ended.stdout
    assert (tmp_path / "my-skill/studies/line/report/index.html").is_file()
    assert (tmp_path / "my-skill/studies/line/best/train.yaml").is_file()
