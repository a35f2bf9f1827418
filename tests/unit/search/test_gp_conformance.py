"""Optuna's own test suite of samplers, over ours."""

from collections.abc import Callable
from itertools import count

import optuna
import pytest
from optuna.samplers import BaseSampler
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    RelativeSamplerTestCase,
    SingleOnlySamplerTestCase,
)

from automl.search.gp_sampler import GaussianProcessSampler, Knowledge

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


class TestFromTheFirstValue(
    BasicSamplerTestCase, RelativeSamplerTestCase, SingleOnlySamplerTestCase
):
    """The model proposes as soon as there is a value."""

    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        seeds = count()
        return lambda: GaussianProcessSampler(next(seeds), Knowledge(n_start=1))


class TestWithItsOwnStart(
    BasicSamplerTestCase, RelativeSamplerTestCase, SingleOnlySamplerTestCase
):
    """The first points come from the belief."""

    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        seeds = count()
        return lambda: GaussianProcessSampler(next(seeds))
