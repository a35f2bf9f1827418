"""Skills below a folder: sound ones with what they offer, broken ones with the reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from automl.app.skills import SkillListing, list_skills
from automl.cli.main import main
from automl.errors import FixInput

INFO = "name: tao-train-toy\nnetwork_arch: toy\nautoml_enabled: true\nactions: {train: {}}\n"
TEMPLATE = "train: {lr: 1.0e-4}\n"
LR = {"type": "float", "default": 1e-4, "minimum": 0.0, "maximum": 1.0, "math_cond": "> 0"}


def _schema(leaf: Any = None, defaults: tuple[str, ...] = ("train.lr",)) -> str:
    group = {"type": "collection", "properties": {"lr": leaf or LR}}
    return json.dumps(
        {"automl_default_parameters": list(defaults), "properties": {"train": group}}
    )


def _skill(folder: Path, **changed: str | bytes | None) -> Path:
    """A sound skill, but for the files given; None leaves one out."""
    files: dict[str, str | bytes | None] = {
        "info": INFO,
        "schema": _schema(),
        "template": TEMPLATE,
        "profile": None,
        **changed,
    }
    names = {
        "info": "references/skill_info.yaml",
        "schema": "schemas/train.schema.json",
        "template": "references/spec_template_train.yaml",
        "profile": "references/search_profile.yaml",
    }
    for part, content in files.items():
        path = folder / names[part]
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def _only(root: Path) -> SkillListing:
    (listing,) = list_skills(root)
    return listing


def test_a_sound_skill_says_what_it_offers(tmp_path: Path) -> None:
    profile = "objective: {metric: AP, direction: maximize}\n"
    _skill(tmp_path / "deep" / "down" / "toy", profile=profile)
    assert _only(tmp_path) == SkillListing(
        path="deep/down/toy",
        name="tao-train-toy",
        network="toy",
        automl_enabled=True,
        runnable=True,
        actions=("train",),
        default_parameters=("train.lr",),
        metric="AP",
    )


def test_the_folder_may_be_a_skill_itself(tmp_path: Path) -> None:
    _skill(tmp_path)
    assert (_only(tmp_path).path, _only(tmp_path).metric) == (".", "unknown")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"info": b"\xff\xfe"}, "UTF-8 text (references/skill_info.yaml)"),
        ({"info": "[1]"}, "named settings, but got [1]"),
        ({"info": "actions: 3"}, "actions must be a mapping"),
        ({"info": INFO.replace("true", "false")}, "automl_enabled is not true"),
        ({"info": None}, "automl_enabled is not true"),
        ({"info": None, "schema": None}, "must hold references/skill_info.yaml or"),
        ({"schema": "{,}"}, "schemas/train.schema.json is broken (the schema must be JSON"),
        ({"schema": None}, "schemas/train.schema.json is missing"),
        ({"template": None}, "references/spec_template_train.yaml is missing"),
        ({"template": "a: : b"}, "references/spec_template_train.yaml is broken"),
        ({"schema": _schema({**LR, "math_cond": "about 3"})}, "but got 'about 3' (train.lr)"),
        ({"schema": _schema({**LR, "minimum": 2.0})}, "train.lr"),
        ({"schema": _schema(defaults=())}, "names no parameter to search by default"),
        ({"schema": _schema({"type": "string", "default": "x"})}, "without a list of options"),
        ({"profile": "objective: {direction: up}"}, "objective.direction must be"),
        ({"profile": "inert: 3"}, "inert must be a list of rules"),
    ],
)
def test_why_a_skill_is_not_runnable(
    tmp_path: Path, changed: dict[str, str | bytes | None], reason: str
) -> None:
    _skill(tmp_path / "toy", **changed)
    listing = _only(tmp_path)
    assert not listing.runnable
    assert reason in listing.why_not
    assert str(tmp_path) not in listing.why_not
    assert listing.name in ("toy", "tao-train-toy")


def test_a_broken_skill_hides_no_other(tmp_path: Path) -> None:
    _skill(tmp_path / "b", info="{")
    _skill(tmp_path / "a")
    _skill(tmp_path / "c")
    _skill(tmp_path / ".hidden")
    assert [(one.path, one.runnable) for one in list_skills(tmp_path)] == [
        ("a", True),
        ("b", False),
        ("c", True),
    ]


def test_links_are_followed_once_and_never_upwards(tmp_path: Path) -> None:
    _skill(tmp_path / "store" / "toy")
    place = tmp_path / "place"
    place.mkdir()
    (place / "toy").symlink_to(tmp_path / "store" / "toy")
    (place / "again").symlink_to(place)
    (place / "up").symlink_to(tmp_path)
    assert [one.path for one in list_skills(place)] == ["toy"]


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FixInput, match="looked for in a folder"):
        list_skills(tmp_path / "nowhere")


def test_the_command_prints_blocks_and_strict_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _skill(tmp_path / "toy")
    _skill(tmp_path / "wrong", schema="{,}")
    assert main(["skills", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "runnable  yes" in text
    assert "runnable  no: schemas/train.schema.json is broken" in text
    assert text.endswith("skills: 2, automl_enabled: 2, runnable: 1\n")
    assert main(["skills", str(tmp_path), "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["schema"] == "automl.skills/1"
    assert [one["runnable"] for one in value["skills"]] == [True, False]
    assert set(value["skills"][0]) == {
        *("path", "name", "network", "automl_enabled", "runnable", "why_not"),
        *("actions", "default_parameters", "metric"),
    }


def test_an_empty_folder_is_no_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["skills", str(tmp_path)]) == 0
    assert "no skills in" in capsys.readouterr().err
    assert main(["skills", str(tmp_path / "x")]) == 2
