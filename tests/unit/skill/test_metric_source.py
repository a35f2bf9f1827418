"""The block ``metrics`` of a search profile."""

from typing import Any

import pytest

from automl.errors import FixInput
from automl.skill.metric_source import STATUS_FILE, MetricSource, SourceKind, read_metric_source
from automl.skill.profile_file import read_profile
from automl.trainers.metrics.command import command_words
from automl.trainers.metrics.log import compiled

BLOCKS: list[dict[str, Any]] = [
    {"from": "status"},
    {"from": "json", "file": "out/metrics.json", "keys": {"acc": "test.acc"}, "epoch": "round"},
    {"from": "csv", "file": "**/metrics.csv", "first_epoch": 1},
    {"from": "tensorboard"},
    {"from": "log", "pattern": "acc (?P<value>[0-9.]+)", "metric": "acc"},
    {"from": "command", "command": "score {results_dir}"},
    {"from": "auto"},
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block["from"])
def test_each_block_is_read_and_kept(block: dict[str, Any]) -> None:
    source = read_metric_source(block, "profile")
    assert source.kind == block["from"]
    assert {n: getattr(source, n) for n in block if n != "from"} == {
        n: v for n, v in block.items() if n != "from"
    }
    assert MetricSource.from_json(source.to_json()) == source
    assert read_profile({"metrics": block}, "profile").metrics == source
    assert source.words


def test_without_a_block_it_is_the_status_file() -> None:
    assert read_metric_source(None, "profile") == STATUS_FILE
    assert MetricSource.from_json({}) == STATUS_FILE
    assert read_profile({}, "profile").metrics is None
    assert not MetricSource(SourceKind.COMMAND, command="x").has_epochs


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ([], "must be a mapping"),
        ({}, "must be read from one of status, json"),
        ({"from": "jsn"}, "must be read from one of"),
        ({"from": "json", "fle": "x"}, "may hold from, file"),
        ({"from": "json", "file": "/etc/passwd"}, "below the results folder"),
        ({"from": "json", "file": "../other"}, "below the results folder"),
        ({"from": "json", "file": 3}, "file must be text"),
        ({"from": "json", "keys": ["a"]}, "keys must be a mapping"),
        ({"from": "csv", "first_epoch": True}, "first_epoch must be a whole number"),
        ({"from": "log"}, "must have a pattern"),
        ({"from": "command"}, "must have a command"),
    ],
)
def test_what_is_wrong_is_named(block: Any, words: str) -> None:
    with pytest.raises(FixInput, match=words):
        read_metric_source(block, "profile")


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("acc ([0-9.]+)", "must name the group value"),
        ("(?P<value>[0-9.]+) (?P<other>x)", "must name the group value"),
        ("(?P<value>[0-9.+", "regular expression of RE2"),
        (r"(?P<value>a)\1", "regular expression of RE2"),
        ("(?=x)(?P<value>[0-9]+)", "regular expression of RE2"),
    ],
)
def test_a_pattern_must_be_one_that_takes_linear_time(pattern: str, words: str) -> None:
    with pytest.raises(FixInput, match=words):
        compiled(pattern)


def test_a_pattern_that_backtracks_elsewhere_ends_at_once() -> None:
    pattern = compiled(r"(a|aa)*(a*)*(?P<value>\d)$")
    assert pattern.search("a" * 4000 + "b") is None


@pytest.mark.parametrize("command", ["", "  ", "score 'it"])
def test_a_command_must_be_words(command: str) -> None:
    with pytest.raises(FixInput, match="a metric command must"):
        command_words(command)
