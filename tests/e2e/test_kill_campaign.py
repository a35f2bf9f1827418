"""A few random blows of the campaign of ``tests/bench/kill_campaign.py``, the same each time."""

import random

import pytest

from tests.e2e.campaign import BLOWS, Campaign
from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]


def test_nothing_is_lost_told_twice_or_left_behind(terminal: Terminal) -> None:
    campaign = Campaign(terminal, random.Random(20261129))  # noqa: S311 -- moments of kills
    campaign.study("bikes", campaign.blows(), len(BLOWS) // 2)
    assert campaign.landed.total() >= 2
