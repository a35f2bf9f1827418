"""SKILL.md says what is so: its tables, keys, commands and files exist."""

import argparse
import re
from pathlib import Path

import pytest

from automl.cli.exit_codes import EXIT_CODES
from automl.cli.parser import build_parser
from automl.skill.read import own_skill_dir, read_action_schema, read_skill
from automl.yamltext import load_yaml

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "SKILL.md").read_text(encoding="utf-8")
CODE = re.findall(r"`([^`\n]+)`", TEXT)


def test_the_front_matter_names_the_skill() -> None:
    _, front, _ = TEXT.split("---\n", 2)
    about = load_yaml(front)
    assert about["name"] == read_skill(own_skill_dir()).name
    assert len(about["description"]) <= 1024


def test_every_setting_it_names_exists() -> None:
    skill = read_skill(own_skill_dir())
    schemas = [read_action_schema(skill, action) for action in skill.actions]
    blocks = {group for schema in schemas for group in schema.groups if "." not in group}
    named = [text for text in CODE if re.fullmatch(r"[a-z_]+(\.[A-Za-z_]+)+", text)]
    keys = [text for text in named if text.split(".")[0] in blocks]
    assert len(keys) > 10
    for key in keys:
        assert any(schema.contains(key) for schema in schemas), key


def test_every_file_it_names_exists() -> None:
    paths = [text for text in CODE if text.startswith(("references/", "schemas/"))]
    assert paths
    for path in paths:
        assert (ROOT / path.replace("<action>", "train")).exists(), path


def test_the_table_of_data_is_the_one_for_programs() -> None:
    rows = re.findall(r"\| (\w+) \| `([\w.]+)` \| (\w+) \| ([\w.]+) \| (yes|no) \|", TEXT)
    table = load_yaml(ROOT / "references" / "data_sources.yaml")
    assert {(action, key) for action, key, *_ in rows} == {
        (action, key) for action, sources in table.items() for key in sources
    }
    for action, key, source, archive, is_list in rows:
        shown = {"source": source, "archive": archive, "list": is_list == "yes"}
        assert shown.items() <= table[action][key].items()


@pytest.mark.parametrize(
    "line", [line for line in TEXT.splitlines() if re.match(r"automl [a-z-]+( [^|]*)?$", line)]
)
def test_its_commands_parse(line: str) -> None:
    build_parser().parse_args(line.split("#")[0].split()[1:])


def _flags(parser: argparse.ArgumentParser) -> set[str]:
    """The flags of a parser and of every command below it."""
    known = {flag for action in parser._actions for flag in action.option_strings}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            known = known.union(*map(_flags, action.choices.values()))
    return known


def test_every_flag_it_names_exists() -> None:
    known = _flags(build_parser())
    for flag in re.findall(r"--[a-z][a-z-]+", TEXT):
        assert flag in known, flag


def test_its_exit_codes_are_the_programs() -> None:
    section = TEXT.split("## When it fails")[1]
    codes = {
        code
        for row in re.findall(r"^\| ([\d, ]+) \|", section, re.MULTILINE)
        for code in row.split(", ")
    }
    assert codes <= set(re.findall(r"\d+", EXIT_CODES))
    assert codes == {"2", "3", "4", "5", "6", "7", "75", "129", "130", "143"}
