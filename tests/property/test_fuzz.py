"""Whatever is given, or lies in a study, is read or refused by a rule."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzzing.table import KINDS

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inputs")


@pytest.mark.parametrize("kind", list(KINDS))
@settings(
    max_examples=80,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_an_input_is_read_or_refused_by_a_rule(kind: str, folder: Path, data: Any) -> None:
    asked = KINDS[kind]
    assert asked.outcome(data.draw(asked.strategy), folder)
