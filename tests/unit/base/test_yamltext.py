import contextlib
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from automl.errors import FixInput
from automl.yamltext import dump_yaml, line_of, load_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("6e-5", 6e-5),
        ("1e-4", 1e-4),
        ("1E3", 1000.0),
        ("-.5", -0.5),
        ("6.0e-05", 6e-5),
        (".inf", float("inf")),
        ("3", 3),
        ("007", 7),
        ("0x1f", 31),
        ("0o17", 15),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("No", "No"),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'1e-4'", "1e-4"),
        ("???", "???"),
        ("[18, 25]", [18, 25]),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    loaded = load_yaml(text)
    assert loaded == value
    assert type(loaded) is type(value)


_GROWS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]\n" for k in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (_GROWS, "values, aliases replaced"),
        ("a: &a [*a]\n", "stands for what holds it"),
        ("a: &a {b: *a}\n", "stands for what holds it"),
        ("[" * 200 + "]" * 200, "levels"),
        ("[" * 3000, "levels"),
        ("- " * 3000 + "x", "levels"),
        ("{a: " * 3000, "levels"),
    ],
    ids=["growing", "list in itself", "map in itself", "deep", "open", "steps", "maps"],
)
def test_what_would_grow_without_bound_is_refused(text: str, problem: str) -> None:
    with pytest.raises(FixInput, match=problem):
        load_yaml(text)


def test_an_alias_within_bounds_is_replaced() -> None:
    text = "a: &a {b: 1}\nc: {<<: *a, d: 2}\ne: [*a, *a]\n"
    assert load_yaml(text) == {"a": {"b": 1}, "c": {"b": 1, "d": 2}, "e": [{"b": 1}] * 2}


def test_a_file_of_settings_is_small_and_regular(tmp_path: Path) -> None:
    large, pipe = tmp_path / "large.yaml", tmp_path / "pipe.yaml"
    large.write_text("a: 1\n" + "#" * (256 << 10))
    os.mkfifo(pipe)
    for file, problem in ((large, "KiB"), (pipe, "regular file")):
        with pytest.raises(FixInput, match=problem):
            load_yaml(file)


@pytest.mark.parametrize(
    ("text", "problem", "place"),
    [
        ("a: 1\nb: 2\na: 3\n", "stands twice", "line 3"),
        ("a: !!python/name:os.system x\n", "tag", "line 1"),
        ("a: !thing {}\n", "tag", "line 1"),
        ("a: !!float '1'\n", "tag", "line 1"),
        ("a: [1, 2\n", "expected", "line 2"),
        ("a: *nowhere\n", "alias", "line 1"),
        ("a: 1\n---\nb: 2\n", "another document", "line 2"),
    ],
)
def test_broken_text_names_its_problem_and_line(text: str, problem: str, place: str) -> None:
    with pytest.raises(FixInput) as caught:
        load_yaml(text, where="study.yaml")
    assert problem in caught.value.got
    assert "study.yaml" in caught.value.where
    assert place in caught.value.where


def test_a_file_is_named_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    with pytest.raises(FixInput, match="must exist"):
        load_yaml(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FixInput, match=r"UTF-8.*spec\.yaml"):
        load_yaml(path)


def test_merge_keys_and_anchors_are_understood() -> None:
    text = "base: &b {x: 1, y: 2}\nmore:\n  <<: *b\n  y: 3\n"
    assert load_yaml(text)["more"] == {"x": 1, "y": 3}


def test_floats_are_written_for_readers_of_either_version() -> None:
    text = dump_yaml({"lr": 6e-5, "one": 1.0, "big": 1e22})
    assert text == "lr: 6.0e-05\none: 1.0\nbig: 1.0e+22\n"
    assert yaml.safe_load(text) == {"lr": 6e-5, "one": 1.0, "big": 1e22}


def test_objects_are_not_written() -> None:
    with pytest.raises(TypeError, match="plain values"):
        dump_yaml({"a": object()})


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"))
    | st.sampled_from(
        [
            "\x85",
            "a\u2028b",
            "\u2029",
            "\ufeff",
            "\r\n",
            "on",
            "off",
            "1e-4",
            "1_000",
            "1:30",
            "2024-01-01",
            "y",
            "=",
            "<<",
            "~",
        ]
    )
)
_KEYS = st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1) | st.sampled_from(
    ["on", "1e5", "3", "null"]
)


@pytest.mark.parametrize("text", ['"a\\0b"', '"\\uD800"', '{a: ["x", "\\0"]}', '{"\\0": 1}'])
def test_a_sign_that_no_path_and_no_file_can_hold_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(FixInput, match=r"a sign that no text can hold \(U\+.*line 2"):
        load_yaml(f"---\n{text}\n")


def test_the_line_of_a_key_within_its_mappings() -> None:
    text = "# head\ndata:\n  val: a\n  train: b\n\nset: {x.y: 1}\n"
    assert line_of(text, ["data", "train"]) == 4
    assert line_of(text, ["set", "x.y"]) == 6
    assert line_of(text, ["data", "test"]) == 0
    assert line_of("", ["data"]) == 0
    assert line_of("[1]", ["data"]) == 0


@given(st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(_KEYS, inner)))
def test_writing_and_reading_gives_the_same_value(value: Any) -> None:
    loaded = load_yaml(dump_yaml(value))
    assert loaded == value
    assert repr(loaded) == repr(value)


@given(
    st.dictionaries(
        _KEYS, st.floats(allow_nan=False) | st.integers(-(2**63), 2**63 - 1) | st.booleans()
    )
)
def test_a_yaml_1_1_reader_sees_the_same_numbers(value: dict[str, Any]) -> None:
    assert yaml.safe_load(dump_yaml(value)) == value


@given(st.text(max_size=60))
def test_any_text_is_a_value_or_a_named_error(text: str) -> None:
    with contextlib.suppress(FixInput):
        load_yaml(text)
