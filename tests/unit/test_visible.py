"""Signs that act on a terminal are seen instead, and what JSON says stays what it was."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.visible import visible

ANY = st.text(st.characters(exclude_categories=[])) | st.text("\x1b\x9b\r\u202e\ud800[31mab\n\t")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b]0;title\x07", "\\u001b]0;title\\u0007"),
        ("ok\rerror", "ok\\u000derror"),
        ("\x9b31m", "\\u009b31m"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),
        ("caf\udce9", "caf\\udce9"),
        ("Größe 例 🚲 ─", "Größe 例 🚲 ─"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
    ],
)
def test_what_is_seen(text: str, seen: str) -> None:
    assert visible(text) == seen


def test_one_line_stays_one_line() -> None:
    assert visible("name\nerror: forged", keep="") == "name\\u000aerror: forged"


@given(ANY)
def test_no_control_character_is_left_and_it_can_be_encoded(text: str) -> None:
    seen = visible(text)
    left = {sign for sign in seen if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")}
    assert left <= {"\n", "\t"}
    seen.encode()
    assert visible(seen) == seen


@given(st.dictionaries(ANY, ANY | st.floats(allow_nan=False)))
def test_json_keeps_its_value(value: dict[str, object]) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=2)
    assert json.loads(visible(text)) == value
