"""From an error to an exit code and a line of text; and that no flag is lost on the way."""

import argparse
import errno
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from automl.app.study_settings import STUDY_SETTINGS
from automl.cli.exit_codes import EXIT_CODES
from automl.cli.main import main
from automl.cli.parser import build_parser
from automl.errors import (
    AutomlError,
    FixAndResume,
    FixInput,
    InstallExtra,
    NoUsableTrial,
    PrepareMachine,
    ResolveConflict,
)
from automl.signals import EndedBySignal

Raises = Callable[[BaseException], None]


@pytest.fixture
def raises(monkeypatch: pytest.MonkeyPatch) -> Raises:
    """Makes ``automl list`` end with an error."""

    def replace(error: BaseException) -> None:
        def handler(_: argparse.Namespace) -> int:
            raise error

        module = ModuleType("automl.cli.read_commands")
        module.list_studies = handler  # type: ignore[attr-defined] # a stand-in
        monkeypatch.setitem(sys.modules, "automl.cli.read_commands", module)

    return replace


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FixInput, 2),
        (InstallExtra, 2),
        (PrepareMachine, 3),
        (NoUsableTrial, 4),
        (FixAndResume, 5),
        (ResolveConflict, 7),
    ],
)
def test_each_error_has_its_code(
    raises: Raises, capsys: pytest.CaptureFixture[str], kind: type[AutomlError], code: int
) -> None:
    raises(kind("a rule", got="this", where="there", fix="do that"))
    assert main(["list"]) == code
    told = capsys.readouterr()
    assert told.err == "error: a rule, but got this (there); do that\n"
    assert told.out == ""
    assert f"\n  {code} " in EXIT_CODES


def test_a_fault_of_our_own_is_shown_whole(
    raises: Raises, capsys: pytest.CaptureFixture[str]
) -> None:
    raises(ZeroDivisionError("division by zero"))
    assert main(["list"]) == 1
    error = capsys.readouterr().err
    assert "Traceback" in error
    assert error.endswith("error: this is a fault inside automl, not of your input\n")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/root"), "Permission denied: /root"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device\n"),
        (OSError(errno.ESTALE, "Stale file handle", "/nfs"), "Stale file handle: /nfs\n"),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), "unavailable\n"),
        (PermissionError(errno.EACCES, "No", "/a\nerror: b"), "No: /a\\u000aerror: b\n"),
        (MemoryError(), "no memory\n"),
    ],
)
def test_what_the_machine_refuses_is_no_fault_of_ours(
    raises: Raises, capsys: pytest.CaptureFixture[str], error: Exception, told: str
) -> None:
    raises(error)
    assert main(["list"]) == 3
    shown = capsys.readouterr().err
    assert told in shown
    assert "Traceback" not in shown


def test_a_missing_file_that_nobody_named_is_a_fault_of_ours(
    raises: Raises, capsys: pytest.CaptureFixture[str]
) -> None:
    raises(FileNotFoundError(errno.ENOENT, "No such file or directory", "/x"))
    assert main(["list"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (KeyboardInterrupt(), 130, "stopped by Ctrl-C"),
        (EndedBySignal(signal.SIGTERM), 143, "stopped by SIGTERM"),
        (EndedBySignal(signal.SIGHUP), 129, "stopped: its terminal was closed"),
    ],
)
def test_a_signal_outside_a_search_is_said_and_has_its_code(
    raises: Raises, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, told: str
) -> None:
    raises(error)
    assert main(["list"]) == code
    assert capsys.readouterr().err == f"{told}; the same command begins again\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [("a\nerror: b", "a\\u000aerror: b"), ("a\r\x1b[2K", "a\\u000d\\u001b[2K")],
)
def test_a_name_adds_no_line_to_an_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, text: str
) -> None:
    assert main(["data", "check", str(tmp_path / name)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert text in line
    assert main(["plan", "--set", f"train.{name}=1", "--train-data", name]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("command", ["run", "plan", "space", "doctor"])
def test_every_setting_with_a_flag_is_a_flag_of_each_command(command: str) -> None:
    flags = {setting.name for setting in STUDY_SETTINGS if setting.has_flag}
    assert flags <= set(vars(build_parser().parse_args([command])))


def test_the_way_to_the_studies(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for argv, variable, expected in (
        ((), "", tmp_path / "studies"),
        ((), str(tmp_path / "mine"), tmp_path / "mine"),
        (("--studies-dir", "here"), str(tmp_path / "mine"), tmp_path / "here"),
    ):
        monkeypatch.setenv("AUTOML_STUDIES_DIR", variable)
        assert main(["status", *argv]) == 2
        assert f"({expected})" in capsys.readouterr().err


def test_a_current_folder_that_was_deleted_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert main(["list"]) == 3
    said = capsys.readouterr().err
    assert "the current folder must be there, but got one that was deleted; cd to another" in said
