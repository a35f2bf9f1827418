"""What a confirmation will cost."""

from dataclasses import replace

import numpy as np

from automl.reports.price import price_of
from automl.study.records import TrialRecord
from tests.unit.study.race_kit import finish, search, study_config


def ended(gpu: bool = False) -> tuple[TrialRecord, ...]:
    done = search(
        np.random.default_rng(4), lambda point: 0.8 - float(((point - 0.2) ** 2).sum()), 2, 0.01
    )
    return tuple(replace(each, gpu_seconds=60.0 * gpu) for each in done.records)


def test_fixed_seeds_are_counted() -> None:
    config = study_config(trials=40, confirm=3, confirm_top=1)
    price = price_of(ended(), config)
    assert price is not None
    assert (price.n_race, price.n_seeds, price.seconds) == (0, 3, 360.0)
    assert str(price) == "3 fresh seeds each for winner and default: about 6m00s"


def test_auto_says_what_decides_the_expected_difference() -> None:
    config = study_config(trials=40, confirm="auto")
    price = price_of(ended(gpu=True), config)
    assert price is not None
    assert price.difference is not None
    assert 0.1 < price.difference < 0.25
    assert price.n_seeds < 10
    assert "GPU-h, decide a difference of 0.1" in str(price)
    assert str(price).endswith("with 90 %; at most 20")


def test_what_is_hidden_in_the_noise_costs_the_most() -> None:
    config = study_config(trials=40, confirm="auto", confirm_top=1)
    flat = search(np.random.default_rng(1), lambda _: 0.5, 2, 0.03)
    price = price_of(flat.records, config)
    assert price is None or (price.difference is None and "fewer once" in str(price))


def test_when_all_is_done_nothing_is_to_be_paid() -> None:
    config = study_config(trials=40, confirm=2)
    done = finish(ended(), config, lambda asked: 0.7 if asked.confirms else 0.5)
    assert price_of(done, config) is None
