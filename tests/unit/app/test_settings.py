"""Layers of settings and the study file."""

from pathlib import Path

import pytest

from automl.app.study_settings import STUDY_SETTINGS, TABLE
from automl.errors import FixInput
from automl.settings.forms import seconds
from automl.settings.layers import Settings, merge, read_layer
from automl.settings.setting import Setting
from automl.settings.study_file import StudyFile
from automl.settings.study_file import read_study_file as read_file


def read_study_file(path: Path) -> StudyFile:
    return read_file(path, TABLE)


def settings(flags: dict[str, object], file: dict[str, object]) -> Settings:
    of_file = read_layer(TABLE, file, "study.yaml", Path("/studies"))
    return merge(TABLE, [read_layer(TABLE, flags), of_file])


def test_a_flag_beats_the_study_file_and_both_are_remembered() -> None:
    asked = settings({"trials": "5", "seed": None}, {"trials": 9, "seed": 3})
    assert (asked["trials"], asked.origin("trials")) == (5, "--trials")
    assert (asked["seed"], asked.origin("seed")) == (3, "study.yaml")
    assert (asked["sampler"], asked.origin("sampler")) == ("tpe", "default")
    assert list(asked.said("trials")) == [("--trials", 5), ("study.yaml", 9)]


@pytest.mark.parametrize("value", ["many", 1.5, True])
def test_a_number_must_be_whole(value: object) -> None:
    with pytest.raises(FixInput, match=r"trials must be a whole number.*study\.yaml"):
        settings({}, {"trials": value})


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("trials", "0", "trials must be at least 1"),
        ("seed", "-1", "seed must be at least 0"),
        ("trial_timeout", "0s", "trial_timeout must be longer than nothing"),
        ("sampler", "tpa", "sampler must be one of auto, gp, tpe.*did you mean tpe"),
        ("trainer", "dokcer", "trainer must be one of.*did you mean docker"),
        ("direction", "up", "direction must be one of maximize, minimize"),
        ("trials", str(1 << 63), "trials must be at most 9223372036854775807"),
        ("seed", "9" * 400, "seed must be at most 9223372036854775807, but got 9{40}[.]{3}"),
        ("trial_timeout", "9" * 400, "a duration must be at most 36600d"),
    ],
)
def test_a_value_is_one_that_its_setting_can_have(name: str, value: str, rule: str) -> None:
    with pytest.raises(FixInput, match=rule) as caught:
        settings({name: value}, {})
    assert caught.value.where == f"--{name.replace('_', '-')}"


def test_a_choice_names_the_options() -> None:
    with pytest.raises(FixInput, match="keep must be one of best, last, all, but got 'most'"):
        settings({"keep": "most"}, {})


def texts(asked: Settings) -> dict[str, list[str]]:
    return {name: [one.text for one in asked[name].values()] for name in ("search", "freeze")}


def test_requests_add_up_with_the_flags_last() -> None:
    asked = settings(
        {"search": ["a.b=1..2"]}, {"search": {"a.b": "3..4", "c.d": [4, 8]}, "freeze": ["e"]}
    )
    assert texts(asked) == {"search": ["c.d=4,8", "a.b=1..2"], "freeze": ["e"]}
    assert asked["search"]["a.b"].low == 1
    assert asked.chosen["search"].places == ("--search", "study.yaml")


def test_a_flag_that_freezes_undoes_the_study_files_search_and_the_other_way_round() -> None:
    asked = settings(
        {"search": ["c.d=1..2"], "freeze": ["a.b"]},
        {"search": ["a.b=3..4", "e=1,2"], "freeze": {"c.d": 5, "f": 6}},
    )
    assert texts(asked) == {"search": ["e=1,2", "c.d=1..2"], "freeze": ["f=6", "a.b"]}


def test_spec_settings_of_flag_and_file_add_up_by_key() -> None:
    asked = settings({"set": ["a.b=1"]}, {"set": {"a": {"b": 2, "c": 3}}})
    assert asked["set"] == {"a.c": 3, "a.b": 1}


@pytest.mark.parametrize(
    ("name", "first", "second", "key"),
    [
        ("search", "train.optim.lr=1e-5..1e-3", "train.optim.lr=1e-6..1e-4", "train.optim.lr"),
        ("search", "train.optim.lr", "train.optim.lr", "train.optim.lr"),
        ("freeze", "dataset.flip", "dataset.flip=0.5", "dataset.flip"),
    ],
)
def test_a_key_is_named_once(name: str, first: str, second: str, key: str) -> None:
    with pytest.raises(FixInput, match=f"{name} must name each key once, but got {key} twice"):
        settings({name: [first, second]}, {})
    once = settings({name: [first]}, {name: [second]})
    assert list(once[name]) == [key], "what a flag says of a key replaces what the file says"


@pytest.mark.parametrize("name", ["metric", "spec", "train_data", "image", "name"])
@pytest.mark.parametrize("value", ["", "  "])
def test_a_setting_of_a_study_file_is_not_blank(name: str, value: str) -> None:
    with pytest.raises(FixInput, match="must have a value"):
        settings({}, {name: value})


def test_paths_of_a_study_file_are_relative_to_it() -> None:
    flags, file = settings({"train_data": "data"}, {}), settings({}, {"train_data": "data"})
    assert (flags["train_data"], file["train_data"]) == ("data", "/studies/data")
    assert settings({}, {"train_data": "s3://bucket/x"})["train_data"] == "s3://bucket/x"
    assert settings({}, {"spec": "/specs/a.yaml"})["spec"] == Path("/specs/a.yaml")
    assert settings({}, {"space": "all"})["space"] == "all"
    assert settings({}, {"space": "mine.yaml"})["space"] == "/studies/mine.yaml"


def test_every_setting_is_declared_once() -> None:
    keys = [setting.file_key for setting in STUDY_SETTINGS if setting.file_key]
    assert len(TABLE) == len(STUDY_SETTINGS)
    assert len(set(keys)) == len(keys)
    assert all(setting.flag or setting.file_key for setting in STUDY_SETTINGS)
    assert all(setting.help for setting in STUDY_SETTINGS)
    assert all(not one.rival or TABLE[one.rival].rival == one.name for one in STUDY_SETTINGS)


@pytest.mark.parametrize("setting", STUDY_SETTINGS, ids=lambda setting: setting.name)
def test_the_help_names_the_words_that_a_setting_takes(setting: Setting) -> None:
    words = list(setting.form.words())
    named = setting.form.metavar.split("|")
    if len(named) > 1 and all(map(str.islower, named)):  # capitals stand for a value
        assert named == words
    if words and setting.default not in (None, ""):
        assert setting.default in words


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


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), (45, 45)]
)
def test_durations(text: str | float, expected: float) -> None:
    assert seconds(text, "--trial-timeout") == expected


def test_a_duration_in_unknown_units_is_refused() -> None:
    with pytest.raises(FixInput, match="write 90s, 10m or 2h"):
        seconds("3 weeks", "--trial-timeout")


#: Values of every type that YAML has; each setting refuses some of them and takes others.
_ANY = (
    *("xyzzy", "7", "-3", "0", "1.5", "true", "[1, 2]", "[]", "{a: 1}", "{}", ".nan", "-.inf"),
    *('""', '"  "', "[[1], {b: [2]}]", "{1: 2}", "[null]", "{a: null}", '"a\\nb"', "1e400"),
)


@pytest.mark.parametrize(
    "setting", [one for one in STUDY_SETTINGS if one.file_key], ids=lambda one: one.name
)
def test_a_wrong_value_is_refused_with_its_line_and_its_setting(
    tmp_path: Path, setting: Setting
) -> None:
    block, _, key = setting.file_key.rpartition(".")
    path = tmp_path / "study.yaml"
    for value in _ANY:
        path.write_text(f"\n{block}:\n  {key}: {value}\n" if block else f"\n\n{key}: {value}\n")
        try:
            read_study_file(path)
        except FixInput as error:
            said = str(error).replace(str(path), "study.yaml")
            assert "study.yaml, line 3" in said, said
            assert setting.file_key in said, said


@pytest.mark.parametrize("value", ["true", ".nan", "1e5", "null"])
@pytest.mark.parametrize("text", ["name: {}", "metric: {}", "skill_dir: {}", "mirror: [{}]"])
def test_a_word_that_yaml_reads_as_something_else_is_no_text(
    tmp_path: Path, text: str, value: str
) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text.format(value))
    if value == "null" and "[" not in text:
        assert read_study_file(path).layer.values == {}
        return
    with pytest.raises(FixInput, match=r"must be text.*line 1.*; write it in quotes"):
        read_study_file(path)


def test_a_range_as_a_mapping_is_answered_with_how_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("search:\n  train.optim.lr: {low: 1.0e-4, high: 1.0e-3}\n")
    with pytest.raises(FixInput) as caught:
        read_study_file(path)
    assert caught.value.where == f"{path}, line 1: search train.optim.lr"
    assert "LOW..HIGH:log" in caught.value.fix
