"""How values read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.reports import words


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "-"),
        (float("nan"), "-"),
        (0.0, "0.0000"),
        (0.743126, "0.7431"),
        (0.00012345, "0.000123"),
        (0.0000012345, "1.23e-6"),
        (123456.0, "1.23e5"),
    ],
)
def test_metrics_show_four_decimals_where_these_say_enough(number: float, text: str) -> None:
    assert words.value(number) == text


def test_differences_carry_their_sign() -> None:
    assert words.signed(0.0631) == "+0.0631"
    assert words.signed(-0.0631) == "-0.0631"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (4.24, "4.2s"),
        (9.96, "10s"),
        (48, "48s"),
        (59.6, "1m00s"),
        (192, "3m12s"),
        (3599.7, "1h00m"),
        (6720, "1h52m"),
        (187200, "2d04h"),
        (None, "-"),
        (float("nan"), "-"),
    ],
)
def test_durations_read_in_two_units(seconds: float | None, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        (8.1e-5, "8.1e-5"),
        (0.5, "0.5"),
        (16, "16"),
        (True, "true"),
        (None, "null"),
        ([18, 25], "[18, 25]"),
        ("fan_small", "fan_small"),
    ],
)
def test_settings_read_as_one_would_write_them(setting: object, text: str) -> None:
    assert words.param(setting) == text  # type: ignore[arg-type]


def test_short_names_keep_what_tells_keys_apart() -> None:
    keys = ["train.optim.lr", "dataset.batch_size", "export.batch_size"]
    assert words.short_names(keys) == {
        "train.optim.lr": "lr",
        "dataset.batch_size": "dataset.batch_size",
        "export.batch_size": "export.batch_size",
    }


_KEYS = st.lists(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(".".join), unique=True, max_size=8
)


@given(_KEYS)
def test_short_names_are_tails_and_never_shared(keys: list[str]) -> None:
    names = words.short_names(keys)
    assert len(set(names.values())) == len(keys)
    assert all(key == name or key.endswith(f".{name}") for key, name in names.items())


@given(st.lists(st.floats(-1e6, 1e6), max_size=30))
def test_a_sparkline_has_one_bar_a_value_and_its_top_at_the_highest(values: list[float]) -> None:
    line = words.sparkline(values)
    assert len(line) == len(values)
    if len(set(values)) > 1:
        assert line[values.index(max(values))] == "█"
        assert line[values.index(min(values))] == "▁"


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_one_line_is_one_line_and_fits(text: str, width: int) -> None:
    line = words.one_line(text, width)
    assert len(line) <= width
    assert len(line.splitlines()) <= 1
