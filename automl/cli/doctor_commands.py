"""``automl doctor``: a check-up of machine and study, one line a finding."""

import argparse
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.carried import studies_dir
from automl.cli.json_out import print_json
from automl.cli.run_commands import request_of
from automl.errors import PrepareMachine

if TYPE_CHECKING:
    from automl.checkup import Check
    from automl.study.layout import StudyPaths

__all__ = ["checks_text", "doctor"]

_NAME, _RESULT, _WIDTH = 18, 6, 100


def doctor(arguments: argparse.Namespace) -> int:
    """Checks machine and study; exit 3 if something would keep the study from running."""
    from automl.app.doctor import examine, examine_machine
    from automl.checkup import Result

    fixed = None
    if arguments.fix:
        from automl.app.doctor_fix import fixes_of
        from automl.cli.doctor_fixing import apply_fixes

        fixed = apply_fixes(fixes_of(studies_dir(arguments)), yes=arguments.yes)
    study = _named_study(arguments)
    request = request_of(arguments)
    asked = any(name != "name" for name in request.flags)
    if study or request.study_file or request.demo or asked:
        checks = list(examine(request, study, deep=arguments.deep))
    else:
        checks = list(examine_machine(request.studies_dir))
    failed = any(check.result is Result.FAIL for check in checks)
    if arguments.json:
        said = {"ok": not failed, "checks": [check.to_json() for check in checks]}
        print_json("automl.doctor/2", said if fixed is None else {**said, "fixes": fixed})
    else:
        print(checks_text(checks))
    return PrepareMachine.exit_code if failed else 0


def _named_study(arguments: argparse.Namespace) -> "StudyPaths | None":
    """The study that is named, by its place or by ``--study``; a file is a study file."""
    from automl.study.choice import find_study
    from automl.study.folder import is_study
    from automl.study.layout import StudyPaths

    by_place, folder = arguments.study_file, studies_dir(arguments)
    if by_place is not None and not by_place.is_file() and not arguments.study:
        if not is_study(StudyPaths(folder / by_place)) and by_place.suffix in (".yaml", ".yml"):
            return None  # a study file that is missing is said to be missing
        arguments.study, arguments.study_file = str(by_place), None
    if not arguments.study:
        return None
    if Path(arguments.study).is_file():
        arguments.study_file = Path(arguments.study)
        return None
    return find_study(folder, arguments.study)


def checks_text(checks: Sequence["Check"]) -> str:
    """The check-up as a table, with the fix below each finding, and its sum."""
    from automl.app.doctor_checks import summary_of

    lines = [f"{'check':<{_NAME}}{'result':<{_RESULT}}  detail", "─" * _WIDTH]
    for check in checks:
        details = _wrapped(check.detail) or [""]
        fix = _wrapped(f"→ {check.fix}") if check.fix else []
        head = f"{check.name:<{_NAME}}{check.result:<{_RESULT}}  "
        lines.append((head + details[0]).rstrip())
        lines += [" " * len(head) + text for text in (*details[1:], *fix)]
    return "\n".join([*lines, summary_of(checks)])


def _wrapped(text: str) -> list[str]:
    """Lines of a cell. Paths, addresses and flags stay whole: they are there to be copied."""
    width = _WIDTH - _NAME - _RESULT - 2
    return textwrap.wrap(text, width, break_on_hyphens=False, break_long_words=False)
