"""SKILL.md against the program: its flags, keys, tables, words and length are those that hold."""

import argparse
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from automl.cli.parser import build_parser
from automl.skill.policy import choose_policy
from automl.skill.read import own_skill_dir, read_action_schema, read_skill, read_template
from automl.skill.schema import SchemaTree
from automl.skill.tree import get
from automl.yamltext import load_yaml
from tests.documents import ROOT, inline_code

_PAGE = ROOT / "SKILL.md"
_TEXT = _PAGE.read_text(encoding="utf-8")
_SKILL = read_skill(own_skill_dir())
_FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
_KEY = re.compile(r"^((?:dataset|model|train|evaluate|inference|export|gen_trt_engine)\.[\w.]+)")
_MOST_LINES = 350
#: Values that the page says of settings: action, key, value, and the page's words.
_SAID: tuple[tuple[str, str, Any, str], ...] = (
    ("train", "dataset.category", "cereal_box", "`dataset.category` (`cereal_box`)"),
    ("train", "dataset.num_classes", 1, "`dataset.num_classes` is 1"),
    ("train", "dataset.num_joints", 8, "`dataset.num_joints` 8"),
    ("train", "dataset.input_res", 512, "`dataset.input_res` 512"),
    ("train", "dataset.output_res", 128, "`dataset.output_res` 128"),
    ("train", "dataset.batch_size", 4, "`dataset.batch_size` (4)"),
    ("train", "model.backbone.model_type", "fan_small", "`fan_small` in the template"),
    ("train", "train.optim.lr", 6e-5, "`train.optim.lr` (6e-5)"),
    ("train", "train.optim.lr_decay", 0.1, "`train.optim.lr_decay` (0.1)"),
    ("train", "train.optim.lr_steps", [90, 120], "The template's [90, 120]"),
    ("train", "train.optim.lr_scheduler", "MultiStep", "MultiStep"),
    ("train", "train.num_epochs", 10, "10 epochs are the program's default"),
    ("train", "train.loss_config.wh_weight", 0.1, "`wh_weight` (0.1)"),
    ("train", "train.loss_config.off_weight", 1.0, "`off_weight` (1)"),
    ("train", "train.loss_config.hp_weight", 1.0, "`hp_weight` (1)"),
    ("train", "train.num_gpus", 1, "`train.num_gpus` (1)"),
    ("train", "train.gpu_ids", [0], "`train.gpu_ids` ([0])"),
    ("inference", "inference.use_pnp", True, "`inference.use_pnp` (true)"),
    ("export", "export.input_width", 512, "Export is 512 x 512"),
    ("export", "export.input_height", 512, "Export is 512 x 512"),
    ("export", "export.opset_version", 16, "opset 16"),
    ("gen_trt_engine", "gen_trt_engine.tensorrt.opt_batch_size", 4, "batches of 4"),
    ("gen_trt_engine", "gen_trt_engine.tensorrt.max_batch_size", 8, "up to 8"),
)


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _options(command)


def _rows(heading: str) -> list[list[str]]:
    """The cells of the table below a header row, without their backticks."""
    lines = _TEXT.splitlines()
    start = lines.index(heading) + 2
    table = iter(lines[start:])
    rows = []
    for line in table:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("`", "") for cell in line.strip("|").split("|")])
    return rows


def test_it_can_be_read_whole() -> None:
    assert len(_TEXT.splitlines()) < _MOST_LINES


def test_its_head_says_what_it_is_for() -> None:
    _, head, body = _TEXT.split("---\n", 2)
    about = load_yaml(head)
    for request in (
        *("train CenterPose", "6-DoF object pose", "keypoint estimation"),
        *("object pose regression", "evaluate", "export", "inference"),
    ):
        assert request in about["description"]
    assert about["license"] == "Apache-2.0"
    assert "Docker and the NVIDIA Container Toolkit" in about["compatibility"]
    assert about["allowed-tools"] == "Read Bash"
    assert "Dataset type `centerpose`, format `default`" in body
    assert "Metric `val_3DIoU`" in body


@pytest.mark.parametrize(("action", "key", "value", "words"), _SAID)
def test_a_value_that_it_says_is_the_template_s(
    action: str, key: str, value: object, words: str
) -> None:
    assert words in " ".join(_TEXT.split())
    template = read_template(_SKILL, action)
    assert template is not None
    assert get(template, key) == value


def test_every_flag_is_one() -> None:
    named = {flag for code in inline_code(_PAGE) for flag in _FLAG.findall(code)}
    assert len(named) > 30
    assert named - set(_options(build_parser())) == set()


@pytest.fixture(scope="module")
def schemas() -> dict[str, SchemaTree]:
    return {action: read_action_schema(_SKILL, action) for action in _SKILL.actions}


def test_every_key_is_a_setting(schemas: dict[str, SchemaTree]) -> None:
    found = (_KEY.match(code) for code in inline_code(_PAGE))
    named = {match[1] for match in found if match}
    known = {key for schema in schemas.values() for key in (*schema.leaves, *schema.groups)}
    assert len(named) > 40
    assert named - known == set()


def test_the_table_of_inferred_values_is_the_metadata_s() -> None:
    rows = _rows("| action | setting | function | value that is filled in |")
    shown = [(action, key, function) for action, key, function, _ in rows]
    assert sorted(shown) == sorted(
        (action, key, function)
        for action, info in _SKILL.actions.items()
        for key, function in info.spec_params.items()
    )
    assert len(shown) == 21
    assert all(value for *_, value in rows)


def test_the_table_of_data_is_the_skill_s() -> None:
    table: dict[str, dict[str, Any]] = load_yaml(ROOT / "references" / "data_sources.yaml")
    shown = _rows("| action | spec key | data set | archive | list |")
    assert shown == [
        [action, key, row["source"], row["archive"], "yes" if row["list"] else "no"]
        for action, keys in table.items()
        for key, row in keys.items()
    ]


@pytest.mark.parametrize("policy", ["off", "on"])
def test_words_mean_what_the_page_says(policy: str) -> None:
    (item,) = re.findall(rf"^- {policy}: (.*?)(?=^- )", _TEXT, re.DOTALL | re.MULTILINE)
    phrases = re.findall(r'"([^"]+)"', " ".join(item.split()))
    assert len(phrases) > 3
    read = {phrase: str(choose_policy([], f"{phrase} please").value) for phrase in phrases}
    assert set(read.values()) == {policy}, read


def test_the_shown_answer_has_a_default_that_won_and_no_confirmation() -> None:
    (block,) = re.findall(r"<!-- best -->\n```json\n(.*?)```", _TEXT, re.DOTALL)
    winner = json.loads(block)["winner"]
    assert (winner["changes"], winner["confirmed"]) == ([], None)
    fields = {code.partition(":")[0] for code in inline_code(_PAGE)}
    assert winner.keys() - {"number", "note", "checkpoint_sha256"} <= fields
