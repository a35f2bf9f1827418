from datetime import UTC, datetime, timedelta

import pytest

from automl.study.clock import moment_of
from automl.study.state import StudyState, StudyStatus

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-11-23T12:00", "2026-11-23T12:00Z", "2026-11-23T13:00+01"])
def test_moments_of_records_can_be_compared(text: str) -> None:
    assert moment_of(text) == NOON


def test_a_text_that_names_no_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="noon"):
        moment_of("noon")


def test_a_snapshot_without_a_zone_has_an_age() -> None:
    state = StudyState("bikes", StudyStatus.RUNNING, "2026-11-23T12:00", 3)
    assert state.age_s(NOON + timedelta(seconds=4)) == 4
