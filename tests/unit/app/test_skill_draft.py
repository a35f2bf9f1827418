"""A skill drafted from a script's options."""

from pathlib import Path

import pytest

from automl.app.script_options import read_options
from automl.app.skill_draft import draft_skill, write_draft
from automl.errors import FixInput
from automl.skill.read import read_action_schema, read_profile_of, read_skill, read_template

SCRIPT = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=1e-3, help="learning rate")
parser.add_argument("-b", "--batch-size", type=int, default=16)
parser.add_argument("--optimizer", choices=["sgd", "adam"], default="sgd")
parser.add_argument("--amp", action="store_true")
parser.add_argument("--layers", type=int, nargs="+", default=[64, 64])
parser.add_argument("--out", default=__file__)
parser.add_argument("--config")
parser.add_argument("data")
raise SystemExit("a draft runs nothing")
"""
HELP = """
usage: train.py [-h] [--lr LR] [--epochs N] [--amp]

options:
  -h, --help     show this help message and exit
  --lr LR        learning rate (default: 0.001)
  --epochs N     (default: 10)
  --amp
"""


def test_the_options_of_argparse_are_read_without_a_run(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    found = {option.key: option for option in read_options(script).options}
    assert list(found) == ["lr", "batch_size", "optimizer", "amp", "layers", "out"]
    assert (found["lr"].type, found["lr"].default) == ("number", 1e-3)
    assert (found["batch_size"].type, found["batch_size"].flag) == ("integer", "--batch-size")
    assert found["optimizer"].choices == ("sgd", "adam")
    assert (found["amp"].type, found["amp"].default) == ("boolean", False)
    assert (found["layers"].type, found["layers"].default) == ("list", [64, 64])
    assert (found["out"].type, found["out"].default) == ("string", None)


def test_a_help_text_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "help.txt"
    path.write_text(HELP)
    found = [(o.key, o.type, o.default) for o in read_options(path).options]
    assert found == [("lr", "number", 0.001), ("epochs", "integer", 10), ("amp", "boolean", None)]


def test_hydras_file_is_found_through_the_script(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text(
        "defaults: [_self_]\noptim: {lr: 0.1, name: sgd}\nepochs: 3\nhydra: {run: {dir: x}}\n"
    )
    script = tmp_path / "train.py"
    script.write_text(
        "import hydra\n@hydra.main(config_path='conf', config_name='config')\ndef run(c): ...\n"
    )
    found = read_options(script)
    assert found.is_hydra
    assert [option.key for option in found.options] == ["optim.lr", "optim.name", "epochs"]
    files = draft_skill(script, Path("train.py"), "net")
    assert "hydra.run.dir={results_dir}" in files["references/skill_info.yaml"]


def test_the_draft_is_a_skill_that_guesses_no_range(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    files = draft_skill(script, Path("train.py"), "my-net")
    write_draft(tmp_path, files)
    skill = read_skill(tmp_path)
    assert skill.automl_enabled
    assert skill.runs_script
    assert skill.actions["train"].args["--batch-size"] == "batch_size"
    schema = read_action_schema(skill, "train")
    assert all(leaf.minimum is None and leaf.maximum is None for leaf in schema.leaves.values())
    assert schema.leaves["optimizer"].enum == ("sgd", "adam")
    assert read_template(skill, "train")["lr"] == 1e-3
    assert read_profile_of(skill).parameters == {}
    assert (
        "#   lr: {low: , high: }   # number; default 0.001; learning rate"
        in files["references/search_profile.yaml"]
    )
    with pytest.raises(FixInput, match="must not overwrite"):
        write_draft(tmp_path, files)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("train.py", "x = 1", "must have options"),
        ("train.py", "def (", "must be Python"),
        ("config.yaml", "[1, 2]", "must be a mapping"),
    ],
)
def test_what_has_no_options_is_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(FixInput, match=words):
        read_options(path)
    with pytest.raises(FixInput, match="must be a file that exists"):
        read_options(tmp_path / "none.py")
