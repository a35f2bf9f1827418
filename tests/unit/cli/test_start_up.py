"""``automl --help`` answers at once: nothing heavy is imported on the way."""

import json
import subprocess
import sys
from pathlib import Path

from automl.cli.main import main
from tests.bench.scale_folder import make_study

HEAVY = ("ray", "optuna", "pandas", "torch", "numpy", "cv2", "rich", "yaml", "plotly", "jinja2")

PROBE = f"""
import json, sys
from automl.cli.main import main
try:
    main({{argv!r}})
except SystemExit:
    pass
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]), file=sys.stderr)
"""


def imported_by(*argv: str) -> list[str]:
    answer = subprocess.run(
        [sys.executable, "-c", PROBE.format(argv=list(argv))],
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(answer.stderr.strip().splitlines()[-1])
    return found


def test_help_imports_nothing_heavy() -> None:
    assert imported_by("--help") == []


def test_help_of_a_command_imports_nothing_heavy() -> None:
    assert imported_by("run", "--help") == []


def test_status_of_a_study_that_was_kept_imports_nothing_heavy(tmp_path: Path) -> None:
    make_study(tmp_path, "bikes", 2)
    argv = ("status", "bikes", "--studies-dir", str(tmp_path))
    assert main(argv) == 0
    assert imported_by(*argv) == ["yaml"]


def test_the_probe_sees_what_is_imported() -> None:
    assert "yaml" in imported_by("plan", "no-such-file.yaml")
