"""Whatever is given, or lies in a study, is read or refused by a rule."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzzing.table import KINDS

pytestmark = pytest.mark.torch

_INPUTS = 80
#: A whole study is copied and read by a command for each.
_RECORDS = 25


@pytest.mark.parametrize("kind", list(KINDS))
def test_an_input_is_read_or_refused_by_a_rule(kind: str, tmp_path: Path) -> None:
    def attempt(value: Any) -> None:
        assert KINDS[kind].outcome(value, tmp_path)

    settings(
        max_examples=_RECORDS if kind == "records" else _INPUTS,
        derandomize=True,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )(given(KINDS[kind].strategy)(attempt))()
