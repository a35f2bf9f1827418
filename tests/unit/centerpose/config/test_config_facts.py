"""The facts of every setting against the table of published facts beside this test."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.config.fields import Entry, entries, leaf_entries

FACTS = {
    row["key"]: row
    for row in csv.DictReader(
        (Path(__file__).parent / "facts.csv").read_text(encoding="utf-8").splitlines()
    )
}
LEAVES = dict(leaf_entries(Experiment))
#: Known to the trainer of this package alone, so that nobody has published facts about them.
OWN = {key for key, entry in LEAVES.items() if entry.facts.own}


def _all_entries(kind: type[Any]) -> list[Entry]:
    found = []
    for entry in entries(kind):
        found.append(entry)
        if entry.is_block:
            found += _all_entries(entry.annotation)
    return found


def test_the_settings_are_those_of_the_table() -> None:
    assert sorted(LEAVES.keys() - OWN) == sorted(FACTS)
    assert not OWN & FACTS.keys()


@pytest.mark.parametrize("key", sorted(FACTS))
def test_the_facts_are_those_of_the_table(key: str) -> None:
    entry, row = LEAVES[key], FACTS[key]
    assert entry.type_word == row["type"]
    assert json.loads(json.dumps(entry.default)) == json.loads(row["default"])
    assert type(entry.default) in (type(json.loads(row["default"])), tuple)
    assert entry.facts.minimum == _value(row["minimum"])
    assert entry.facts.maximum == _value(row["maximum"])
    assert list(entry.facts.enum) == (_value(row["enum"]) or [])
    assert entry.automl == _value(row["automl_enabled"])
    assert entry.facts.popular == bool(_value(row["popular"]))


def _value(text: str) -> Any:
    return json.loads(text) if text else None


@pytest.mark.parametrize("entry", _all_entries(Experiment), ids=lambda entry: str(entry.name))
def test_every_setting_is_described(entry: Entry) -> None:
    facts = entry.facts
    assert facts.title[0].isupper() or facts.title[0].isdigit() or facts.title == "cuDNN"
    assert not facts.title.endswith(".")
    assert facts.description.endswith(".")
    assert facts.description.strip(".") != facts.title


def test_descriptions_name_only_settings_that_exist() -> None:
    named = {
        word.strip(".,;:()")
        for entry in _all_entries(Experiment)
        for word in entry.facts.description.split()
        if "." in word.strip(".,;:()") and "_" in word
    }
    assert named
    assert {word for word in named if word not in LEAVES} == set()
