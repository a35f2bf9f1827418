"""How metadata says that an action is started."""

from pathlib import Path
from typing import Any

import pytest

from automl.errors import FixInput
from automl.skill.execution import args_in, credentials_in, execution_in, mode_in
from automl.skill.model import ActionInfo, Execution, Skill
from automl.skill.read import read_skill
from automl.spec.formats import spec_text
from automl.trainers.entry import SettingsGiven
from automl.trainers.process import ProcessTrainer
from automl.trainers.process_entry import PROCESS
from automl.trainers.program import Filled, command_of
from automl.trainers.script import interpreter_of, variables_of
from tests.made_skill import LR, schema_of, write_skill

FOLDER = Path("/skills/forest")


def test_a_script_is_found_below_the_skill() -> None:
    block = {"type": "python_script", "script": "scripts/a b.py", "args": ["-c", "{config_path}"]}
    found = execution_in({"execution": block}, FOLDER, "skill")
    assert found == Execution(FOLDER / "scripts/a b.py", ("-c", "{config_path}"), FOLDER)
    assert execution_in({}, FOLDER, "skill") is None


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("train.py", "must be a mapping"),
        ({"type": "bash", "script": "x"}, "type must be python_script"),
        ({"type": "python_script"}, "must be text"),
        ({"type": "python_script", "script": "../x.py"}, "must lie below its folder"),
        ({"type": "python_script", "script": "/x.py"}, "must lie below its folder"),
        ({"type": "python_script", "script": "x", "cwd": ".."}, "must lie below its folder"),
        ({"type": "python_script", "script": "x", "args": "-c y"}, "args must be a list"),
        ({"type": "python_script", "script": "x", "shell": True}, "may hold type, script"),
    ],
)
def test_what_is_wrong_is_named(block: Any, words: str) -> None:
    with pytest.raises(FixInput, match=words):
        execution_in({"execution": block}, FOLDER, "skill")


def test_settings_as_arguments() -> None:
    args = {"--lr": "train.lr", "amp": "train.amp", "train.sizes": "--sizes", "--off": "train.off"}
    info = ActionInfo(
        "train",
        command="net --in {config_path}",
        mode=mode_in({"mode": "args"}, "skill"),
        args=args_in({"args": args}, "skill"),
        defaults={"train.lr": 0.1},
    )
    skill = Skill(FOLDER, "net", "net", True, actions={"train": info})
    spec = {"train": {"amp": True, "sizes": [1, 2], "off": False}}
    words = command_of(skill, "train", Filled("s.yaml", "/out", spec))
    assert words == ["net", "--in", "s.yaml", "--lr", "0.1", "--amp", "--sizes", "1", "2"]
    assert args_in({"args": ["train.lr"]}, "skill") == {"--lr": "train.lr"}
    with pytest.raises(FixInput, match="mode must be one of config, args, passthrough"):
        mode_in({"mode": "shell"}, "skill")


def test_a_command_that_is_passed_through_stays_as_it_is() -> None:
    info = ActionInfo("train", command="run 'a b' {config_path}", mode="passthrough")
    skill = Skill(FOLDER, "net", "net", True, actions={"train": info})
    assert command_of(skill, "train", Filled("s.yaml")) == ["run", "a b", "{config_path}"]


def test_a_specs_format() -> None:
    tree = {"a": {"b": None, "c": [1, None, "x"], "d": "${e}"}, "e": 5}
    assert spec_text(tree, "toml") == 'e = 5\n\n[a]\nc = [\n    1,\n    "x",\n]\nd = 5\n'
    assert '"d": 5' in spec_text(tree, "json")
    assert "d: ${e}" in spec_text(tree, "yaml")


def test_credentials_are_names_and_never_shown() -> None:
    tree = {"required_credentials": ["HF_TOKEN", "NGC_KEY"]}
    assert credentials_in(tree, FOLDER) == ("HF_TOKEN", "NGC_KEY")
    with pytest.raises(FixInput) as refused:
        credentials_in({"required_credentials": ["hf_secret value"]}, FOLDER)
    assert "secret" not in str(refused.value)


class TestInterpreter:
    """``--python`` and ``--venv``."""

    @pytest.fixture
    def venv(self, tmp_path: Path) -> Path:
        folder = tmp_path / "env"
        (folder / "bin").mkdir(parents=True)
        (folder / "pyvenv.cfg").touch()
        python = folder / "bin" / "python"
        python.write_text("#!/bin/sh\n")
        python.chmod(0o755)
        return folder

    def test_a_virtual_environment_is_named_by_its_folder(self, venv: Path) -> None:
        python = interpreter_of(None, venv)
        assert python == str(venv / "bin" / "python")
        variables = variables_of(python)
        assert variables["VIRTUAL_ENV"] == str(venv)
        assert variables["PATH"].startswith(f"{venv}/bin:")
        assert interpreter_of(None, None) == ""
        assert variables_of("") == {}

    def test_what_cannot_be_run_is_refused(self, venv: Path) -> None:
        with pytest.raises(FixInput, match="must be a file that can be run"):
            interpreter_of(venv / "bin" / "python3", None)
        with pytest.raises(FixInput, match="must have one interpreter"):
            interpreter_of(venv / "bin" / "python", venv)

    def test_it_becomes_an_option_of_the_study(self, venv: Path, tmp_path: Path) -> None:
        info = {
            "actions": {
                "train": {
                    "config_format": "json",
                    "execution": {
                        "type": "python_script",
                        "script": "train.py",
                        "args": ["--config", "{config_path}", "--out={results_dir}"],
                    },
                }
            }
        }
        skill = read_skill(write_skill(tmp_path / "s", info, schema_of({"lr": LR}), {"lr": 0.1}))
        assert skill.automl_enabled
        assert skill.runs_script
        chosen = PROCESS.choose(SettingsGiven({"venv": venv}, skill))
        assert chosen.options == {"python": str(venv / "bin" / "python")}
        trainer = PROCESS.make(skill, chosen.options, "train")
        assert isinstance(trainer, ProcessTrainer)
        assert trainer.command(Path("/studies/a/1/spec.yaml")) == [
            str(venv / "bin" / "python"),
            str(tmp_path / "s" / "train.py"),
            "--config",
            "/studies/a/1/spec.json",
            "--out=/studies/a/1",
        ]
        (problem,) = trainer.check()
        assert problem.rule == "the script of a skill must exist"
