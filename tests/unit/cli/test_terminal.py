"""Nothing foreign acts on the terminal, and no text crashes the printing; as real processes."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.skill.read import own_skill_dir
from tests.small_data import write_split

pytestmark = pytest.mark.timeout(120)

Run = Callable[..., subprocess.CompletedProcess[bytes]]
EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\u202eevil\udcff"
#: Bytes that a terminal would act on, in UTF-8 or as they are.
ACTING = [b"\x1b", b"\x07", b"\r", b"\x9b3", b"\xc2\x9b", "\u202e".encode()]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def command(*argv: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            [sys.executable, "-m", "automl", *argv],
            cwd=tmp_path,
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=110,
        )
        for output in (done.stdout, done.stderr):
            assert not [sign for sign in ACTING if sign in output], output
            assert b"Traceback" not in output
        return done

    return command


@pytest.mark.parametrize("locale", ["C.UTF-8", "C", "POSIX"])
@pytest.mark.parametrize("encoding", ["", "ascii", "latin-1"])
def test_a_mistake_in_a_flag_is_echoed_as_it_can_be_seen(
    run: Run, locale: str, encoding: str
) -> None:
    done = run("status", EVIL, LC_ALL=locale, PYTHONIOENCODING=encoding)
    assert done.returncode == 2
    assert rb"\u001b]0;owned\u0007" in done.stderr
    done = run(EVIL, LC_ALL=locale, PYTHONIOENCODING=encoding)
    assert done.returncode == 2
    assert rb"\u001b" in done.stderr or rb"\x1b" in done.stderr


def test_the_name_of_a_skill(run: Run, tmp_path: Path) -> None:
    skill = tmp_path / "skills" / "mine"
    for part in ("references", "schemas"):
        shutil.copytree(own_skill_dir() / part, skill / part)
    info = skill / "references" / "skill_info.yaml"
    lines = info.read_text().splitlines()
    named = [
        'name: "x\\e]0;owned\\a\\nskills: 99"' if line.startswith("name:") else line
        for line in lines
    ]
    assert named != lines
    info.write_text("\n".join(named))
    done = run("skills", "skills")
    assert done.returncode == 0
    assert rb"x\u001b]0;owned\u0007\u000askills: 99" in done.stdout
    value = json.loads(run("skills", "skills", "--json").stdout)
    assert value


def test_classes_and_files_of_a_data_set(run: Run, tmp_path: Path) -> None:
    write_split(tmp_path / "train", 2)
    for path in (tmp_path / "train").rglob("*.json"):
        tree = json.loads(path.read_text())
        tree["objects"][0]["class"] = "bike\x1b[2J\ud800\nwarning: forged"
        path.write_text(json.dumps(tree))
    odd = tmp_path / os.fsdecode(b"tr\x1b[2J\xff")
    (tmp_path / "train").rename(odd)
    done = run("data", "check", str(odd), "--category", "bike")
    assert done.returncode in (0, 2)
    assert b"\nwarning: forged" not in done.stdout
    text = done.stdout + done.stderr
    assert rb"\u001b[2J" in text
    done = run("data", "check", str(odd), "--json")
    if done.returncode == 0:
        assert "bike\x1b[2J\ud800\nwarning: forged" in json.loads(done.stdout)["categories"]


def test_a_closed_or_missing_stream_is_no_fault(tmp_path: Path) -> None:
    for closed in (">&-", "2>&-", ">&- 2>&-"):
        command = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "automl", "list"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=60)
        assert done.returncode == 0
        assert b"Traceback" not in done.stderr
