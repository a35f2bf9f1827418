"""The completion scripts, asked as a shell asks them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from automl.app.study_settings import STUDY_SETTINGS
from automl.cli.main import main
from automl.search.samplers import SAMPLERS


@pytest.fixture
def script(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Path:
    """The script for bash, as a file."""
    assert main(["completion", "bash"]) == 0
    path = tmp_path / "automl.bash"
    path.write_text(capsys.readouterr().out)
    return path


def completed(script: Path, *words: str) -> set[str]:
    """What bash offers for the last of the words behind ``automl``."""
    quoted = " ".join(f"'{word}'" for word in ("automl", *words))
    ask = (
        f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; _automl;"
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    answer = subprocess.run(
        ["bash", "--norc", "-c", ask], capture_output=True, text=True, check=True
    )
    assert answer.stderr == ""
    return set(answer.stdout.split())


def test_commands_and_their_verbs_are_completed(script: Path) -> None:
    assert completed(script, "r") == {"run", "replay", "report", "resume", "retrain", "reproduce"}
    assert completed(script, "data", "") >= {"synth", "check"}
    assert completed(script, "completion", "z") == {"zsh"}


def test_every_flag_of_a_setting_is_completed(script: Path) -> None:
    flags = {setting.flag for setting in STUDY_SETTINGS if setting.has_flag}
    for command in ("run", "plan", "space", "doctor"):
        assert flags <= completed(script, command, "study.yaml", "--")
    assert completed(script, "status", "--sam") == set()


def test_the_words_of_a_setting_are_completed(script: Path) -> None:
    assert completed(script, "run", "--sampler", "") == set(SAMPLERS)
    assert completed(script, "run", "--demo", "--trainer", "d") == {"docker"}
    assert completed(script, "space", "--format", "") == {"tree", "yaml", "json"}
    assert completed(script, "run", "--name", "") == set()


def test_a_folder_is_completed_where_one_is_wanted(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "skills").mkdir()
    (tmp_path / "skill.yaml").touch()
    assert completed(script, "run", "--skill-dir", "sk") == {"skills"}


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_read_their_scripts(
    shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert "--sampler" in text or "-l sampler" in text
    assert " ".join(SAMPLERS) in text
    if shutil.which(shell):
        path = tmp_path / "script"
        path.write_text(text)
        subprocess.run([shell, "-n", str(path)], check=True)


def test_studies_are_completed_by_place_and_by_flag(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bikes", "boxes"):
        (tmp_path / "studies" / name).mkdir(parents=True)
        (tmp_path / "studies" / name / "resolved.json").touch()
    (tmp_path / "studies" / "notes").mkdir()
    (tmp_path / "other" / "third").mkdir(parents=True)
    (tmp_path / "other" / "third" / "resolved.json").touch()
    monkeypatch.chdir(tmp_path)
    assert {"bikes", "boxes"} <= completed(script, "status", "")
    assert "notes" not in completed(script, "status", "")
    assert completed(script, "status", "bi") == {"bikes"}
    assert completed(script, "retrain", "--study", "bo") == {"boxes"}
    assert completed(script, "best", "--studies-dir", "other", "t") == {"third"}


def test_short_options_are_completed(script: Path) -> None:
    assert {"-q", "--quiet", "-v"} <= completed(script, "status", "-")
    assert "-f" in completed(script, "logs", "-")


def test_bash_completes_with_the_script_alone(script: Path) -> None:
    """A real interactive bash, asked as its own completion machinery asks."""
    ask = f'source {script}; complete -p automl; compgen -F _automl automl 2>/dev/null; echo "$?"'
    answer = subprocess.run(
        ["bash", "--norc", "-c", ask], capture_output=True, text=True, check=True
    )
    assert answer.stdout.startswith("complete -o default -F _automl automl")
