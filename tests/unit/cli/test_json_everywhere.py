"""Every command that has ``--json`` prints one strict document, which says what it is."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from automl.cli.main import main
from automl.cli.parser import build_parser
from automl.skill.read import own_skill_dir, read_skill, read_template
from tests.small_data import write_split
from tests.unit.reports.study_builder import StudyBuilder, config, fill

#: A command to its words and its schema; ``{folder}`` has a study, ``{data}`` a split.
SPOKEN = {
    "status": ("", "automl.status/1"),
    "best": ("", "automl.best/1"),
    "report": ("--no-images", "automl.report-files/1"),
    "list": ("", "automl.list/1"),
    "explain": ("2", "automl.explain/1"),
    "logs": ("2", "automl.logs/1"),
    "compare": ("best default", "automl.compare/1"),
    "mirror": ("tensorboard", "automl.mirror/1"),
    "card": ("", "automl.card/1"),
    "add": ("dataset.batch_size=2", "automl.add/1"),
    "stop": ("", "automl.stop/1"),
    "pause": ("", "automl.pause/1"),
    "config": ("--demo", "automl.config/1"),
    "space": ("", "automl.space/1"),
    "skills": ("{skills}", "automl.skills/1"),
    "clean": ("", "automl.clean/1"),
    "init": ("--train {data} --out {folder}/new.yaml", "automl.init/1"),
    "data check": ("{data}", "automl.data-check/1"),
    "plan": ("--train-data {data} --val-data {val} --set dataset.category=cereal_box "
             "--trainer scripted", "automl.plan/1"),
}  # fmt: skip
#: What speaks JSON too, and is held to it where it has something to do: the tests of each.
ELSEWHERE = {
    "automl.run/1": ("run", "resume", "confirm", "retrain"),
    "automl.resume/1": ("resume --dry-run",),
    "automl.reproduction/1": ("reproduce",),
    "automl.action/1": ("evaluate", "inference", "export", "gen-trt-engine"),
    "automl.doctor/1": ("doctor",),
    "automl.tuned/1": ("tune-inference",),
    "automl.poses/1": ("poses",),
    "automl.replay/1": ("replay",),
    "automl.data-convert/1": ("data convert",),
}
WITHOUT_STUDIES = ("skills", "init", "data check")


def spoken(parser: argparse.ArgumentParser, path: str = "") -> Iterator[str]:
    """The commands that have ``--json``."""
    if "--json" in parser._option_string_actions:
        yield path
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield from spoken(command, f"{path} {name}".strip())


def test_every_command_that_speaks_json_is_held_to_it() -> None:
    elsewhere = {name for names in ELSEWHERE.values() for name in names}
    missing = set(spoken(build_parser())) - set(SPOKEN) - elsewhere
    assert missing == set()


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    folder = own_skill_dir()
    template = read_template(read_skill(folder), "train")
    studies = tmp_path / "studies"
    fill(StudyBuilder(studies, config(skill_dir=str(folder)), base_spec=template))
    data, val = (write_split(tmp_path / name, 8) for name in ("train", "val"))
    skills = tmp_path / "skills"
    skills.mkdir()
    return {"folder": str(studies), "data": str(data), "val": str(val), "skills": str(skills)}


def refuse(word: str) -> Any:
    raise AssertionError(f"{word} is no strict JSON")


@pytest.mark.timeout(30)
@pytest.mark.parametrize("command", SPOKEN)
def test_a_document_says_what_it_is(
    command: str, places: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    words, schema = SPOKEN[command]
    where = [] if command in WITHOUT_STUDIES else ["--studies-dir", places["folder"]]
    assert main([*command.split(), *words.format(**places).split(), *where, "--json"]) == 0
    document = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert document["schema"] == schema
    assert next(iter(document)) == "schema"
