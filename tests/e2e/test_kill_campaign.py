"""A few random blows of the campaign of ``tests/bench/kill_campaign.py``, the same each time."""

import random

import pytest

from automl.study.records import TrialState
from tests.e2e.campaign import BLOWS, RUNGS, SERIALLY, Campaign
from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]


def test_nothing_is_lost_told_twice_or_left_behind(terminal: Terminal) -> None:
    campaign = Campaign(terminal, random.Random(20261129))  # noqa: S311 -- moments of kills
    campaign.study("bikes", campaign.blows(), len(BLOWS) // 2)
    assert campaign.landed.total() >= 2


def test_nor_are_trials_that_pause_one_at_a_time(terminal: Terminal) -> None:
    terminal.program = SERIALLY
    campaign = Campaign(terminal, random.Random(20261128))  # noqa: S311 -- moments of kills
    records = campaign.study("chairs", campaign.blows(), 6, RUNGS)
    assert campaign.landed.total() >= 4
    assert any(record.state is TrialState.PRUNED for record in records)


def test_nor_are_trials_that_pause_and_go_on(terminal: Terminal) -> None:
    campaign = Campaign(terminal, random.Random(20261130))  # noqa: S311 -- moments of kills
    records = campaign.study("shoes", campaign.blows(), len(BLOWS) // 2, RUNGS)
    assert campaign.landed.total() >= 2
    assert any(record.state is TrialState.PRUNED for record in records)
