"""Layers of settings and the study file."""

from pathlib import Path

import pytest

from automl.app.settings import Layers, read_study_file
from automl.app.units import seconds
from automl.errors import FixInput


def layers(flags: dict[str, object], file: dict[str, object]) -> Layers:
    return Layers([("flag", flags), ("study file", file)])


def test_a_flag_beats_the_study_file_and_both_are_remembered() -> None:
    settings = layers({"trials": "5", "seed": None}, {"trials": 9, "seed": 3})
    assert settings.number("trials", 20) == 5
    assert settings.number("seed", 0) == 3
    assert settings.number("max_concurrent", 2) == 2
    assert settings.origin == {
        "trials": "--trials",
        "seed": "study file",
        "max_concurrent": "default",
    }


@pytest.mark.parametrize("value", ["many", 1.5, True])
def test_a_number_must_be_whole(value: object) -> None:
    with pytest.raises(FixInput, match="trials must be a whole number"):
        layers({}, {"trials": value}).number("trials", 1)


def test_a_choice_names_the_options() -> None:
    with pytest.raises(FixInput, match="keep must be one of best, all, but got 'most'"):
        layers({"keep": "most"}, {}).choice("keep", ("best", "all"), "best")


def test_requests_add_up_with_the_flags_last() -> None:
    settings = layers(
        {"search": ["a.b=1..2"]}, {"search": {"a.b": "3..4", "c.d": [4, 8]}, "freeze": ["e"]}
    )
    assert settings.requests(("search", "freeze")) == {
        "search": ("c.d=4,8", "a.b=1..2"),
        "freeze": ("e",),
    }


def test_a_flag_that_freezes_undoes_the_study_files_search_and_the_other_way_round() -> None:
    settings = layers(
        {"search": ["c.d=1..2"], "freeze": ["a.b"]},
        {"search": ["a.b=3..4", "e=1,2"], "freeze": {"c.d": 5, "f": 6}},
    )
    assert settings.requests(("search", "freeze")) == {
        "search": ("e=1,2", "c.d=1..2"),
        "freeze": ("f=6", "a.b"),
    }


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("trials: [3]", "trials must be one value"),
        ("name: {a: b}", "name must be one value"),
        ("set: [a=1]", "set must be a mapping"),
        ("data: train", "data must be a mapping"),
        ("search: 3", "search must be a mapping, or a list of texts"),
        ("freeze: [3]", "freeze must be a mapping, or a list of texts"),
        ("script: fast", "script must be a mapping"),
    ],
)
def test_a_setting_has_its_form(tmp_path: Path, text: str, rule: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FixInput, match=rule) as caught:
        read_study_file(path)
    assert str(path) in str(caught.value)


def test_a_study_file_is_text(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(b"\xff\xfe\x00trials: 3")
    with pytest.raises(FixInput, match="the file must be UTF-8 text"):
        read_study_file(path)


def test_a_study_file_keeps_exponents_and_switches(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("automl_policy: on\nset:\n  train.optim.lr: 6e-5\n", encoding="utf-8")
    values = read_study_file(path).values
    assert values["set"] == {"train.optim.lr": 6e-5}
    assert values["automl_policy"] in ("on", True)


def test_an_unknown_setting_is_refused_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("trails: 3\n", encoding="utf-8")
    with pytest.raises(FixInput, match=r"'trails'.*study\.yaml.*did you mean trials\?"):
        read_study_file(path)


def test_a_study_file_must_be_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("- trials\n", encoding="utf-8")
    with pytest.raises(FixInput, match="mapping of settings, but got list"):
        read_study_file(path)


def test_paths_of_a_study_file_are_relative_to_it(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("trials: 1\n", encoding="utf-8")
    file = read_study_file(path)
    assert file.located("data/train") == str(tmp_path / "data" / "train")
    assert file.located("/data/train") == "/data/train"


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), (45, 45)]
)
def test_durations(text: str | float, expected: float) -> None:
    assert seconds(text, "--trial-timeout") == expected


def test_a_duration_in_unknown_units_is_refused() -> None:
    with pytest.raises(FixInput, match="write 90s, 10m or 2h"):
        seconds("3 weeks", "--trial-timeout")
