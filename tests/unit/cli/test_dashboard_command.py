"""``automl dashboard`` as a program: it says where it is, and ends by Ctrl-C."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.unit.reports.study_builder import StudyBuilder, fill


@pytest.mark.slow
def test_it_serves_until_ctrl_c(studies_dir: Path) -> None:
    pytest.importorskip("optuna_dashboard", reason="the extra dashboard")
    fill(StudyBuilder(studies_dir))
    words = ["dashboard", "--port", "0", "--studies-dir", str(studies_dir)]
    with subprocess.Popen(
        [sys.executable, "-m", "automl", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        found = re.search(r"http://127\.0\.0\.1:(\d+)", lines[0])
        assert found is not None
        assert f"ssh -N -L {found[1]}:127.0.0.1:{found[1]} " in lines[1]
        with urllib.request.urlopen(f"{found[0]}/api/studies", timeout=30) as answer:  # noqa: S310
            assert b"bike-fan" in answer.read()
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert rest == "ended\n"
