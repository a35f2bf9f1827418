"""The generated files against a published package, fact for fact.

``AUTOML_TAO_SKILLS`` names a folder of published skills; without it these tests are skipped.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from automl.centerpose.packaging.generate import render

_SKILLS = os.environ.get("AUTOML_TAO_SKILLS", "")
PUBLISHED = Path(_SKILLS) / "tao-train-centerpose"

pytestmark = [
    pytest.mark.skills,
    pytest.mark.skipif(
        not _SKILLS or not PUBLISHED.is_dir(),
        reason="AUTOML_TAO_SKILLS names no folder that holds tao-train-centerpose",
    ),
]

WORDS = {"title", "description", "notes", "source"}
UNORDERED = {"automl_default_parameters", "automl_disabled_parameters", "popular"}
OVERLAY: dict[str, list[tuple[str, str, Any]]] = {
    "train": [("wandb", "enable", True), ("evaluate", "opencv", None)],
    "evaluate": [("wandb", "enable", True), ("evaluate", "opencv", True)],
    "inference": [("wandb", "enable", True)],
    "export": [("wandb", "enable", True)],
    "gen_trt_engine": [("wandb", "enable", True)],
}
DEPLOY_OVERLAY: dict[str, dict[str, Any]] = {
    "deploy_gen_trt_engine": {
        "gen_trt_engine.tensorrt.opt_batch_size": 1,
        "gen_trt_engine.tensorrt.max_batch_size": 4,
        "gen_trt_engine.tensorrt.data_type": "fp32",
    }
}


def _facts(node: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Each fact below a node with its place; words for people and the order of sets are none."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name in WORDS and not isinstance(value, dict):
                continue
            if name in UNORDERED and isinstance(value, list):
                yield f"{key}/{name}", json.dumps(sorted(value))
            else:
                yield from _facts(value, f"{key}/{name}")
        if not node:
            yield key, "{}"
    else:
        yield key, json.dumps(node)


def _schemas() -> list[str]:
    return sorted(name for name in render() if name.endswith(".json"))


@pytest.mark.parametrize("name", _schemas())
def test_schemas_and_manifest_agree(name: str) -> None:
    ours = dict(_facts(json.loads(render()[name])))
    theirs = dict(_facts(json.loads((PUBLISHED / name).read_text(encoding="utf-8"))))
    assert ours == theirs


@pytest.mark.parametrize("name", sorted(set(render()) - set(_schemas())))
def test_metadata_and_templates_agree_but_for_the_overlay(name: str) -> None:
    ours = yaml.safe_load(render()[name])
    theirs = yaml.safe_load((PUBLISHED / name).read_text(encoding="utf-8"))
    for key, published in DEPLOY_OVERLAY.get(_action(name), {}).items():
        block, *way, setting = key.split(".")
        place, there = ours[block], theirs[block]
        for step in way:
            place, there = place[step], there[step]
        assert place.pop(setting) != there[setting]
        assert there.pop(setting) == published
    for block, setting, published in OVERLAY.get(_action(name), []):
        ours[block].pop(setting)
        assert theirs.get(block, {}).pop(setting, None) == published
        if not ours[block]:
            del ours[block]
    assert list(_facts(ours)) == list(_facts(theirs))


def _action(name: str) -> str:
    return name.removeprefix("references/spec_template_").removesuffix(".yaml")


def test_nothing_published_is_missing() -> None:
    published = {
        str(path.relative_to(PUBLISHED)) for path in PUBLISHED.rglob("*") if path.is_file()
    }
    assert published - {"SKILL.md"} <= set(render())
