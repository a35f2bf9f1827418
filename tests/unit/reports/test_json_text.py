"""JSON of a study as text: what was given, a line a trial."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.reports.json_text import document_text

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.text(), PLAIN))
def test_it_is_read_as_it_was_given(document: dict[str, object]) -> None:
    assert json.loads(document_text(document)) == document


def test_a_list_has_a_line_for_each_item() -> None:
    lines = document_text({"study": "bikes", "trials": [{"n": 0}, {"n": 1}], "notes": []})
    assert lines.splitlines() == [
        "{",
        '  "study": "bikes",',
        '  "trials": [',
        '    {"n": 0},',
        '    {"n": 1}',
        "  ],",
        '  "notes": []',
        "}",
    ]


def test_it_is_strict() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        document_text({"value": math.nan})
