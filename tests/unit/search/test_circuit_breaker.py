import pytest

from automl.search.circuit_breaker import CircuitBreaker
from automl.study.limits import Limits
from automl.study.records import FailureClass

OOM, DATA, GPU = FailureClass.OOM, FailureClass.DATA, FailureClass.GPU


@pytest.mark.parametrize(
    ("ends", "breaks"),
    [
        ([OOM, OOM], False),
        ([OOM, OOM, OOM], True),
        ([OOM, OOM, None, OOM], False),
        ([OOM, DATA, OOM, DATA], False),
        ([None, OOM, OOM, OOM], True),
    ],
)
def test_one_class_in_a_row_breaks(ends: list[FailureClass | None], breaks: bool) -> None:
    breaker = CircuitBreaker(3)
    answers = [breaker.observe(failure) for failure in ends]
    assert answers[:-1] == [None] * (len(ends) - 1)
    assert (answers[-1] is not None) == breaks


@pytest.mark.parametrize(
    ("ends", "breaks"),
    [
        ([OOM, DATA, OOM, GPU, DATA], False),
        ([OOM, DATA, None, None, DATA, None], True),
        ([OOM, DATA, None, None, None, None], False),
    ],
)
def test_half_of_six_or_more_breaks(ends: list[FailureClass | None], breaks: bool) -> None:
    breaker = CircuitBreaker(0)
    answers = [breaker.observe(failure) for failure in ends]
    assert (answers[-1] is not None) == breaks


def test_the_share_can_be_chosen() -> None:
    ends = [OOM, DATA, GPU, OOM, DATA, None]
    for share, breaks in ((0.9, False), (0.8, True)):
        breaker = CircuitBreaker.of(Limits(same_failures=9, failed_share=share))
        answers = [breaker.observe(failure) for failure in ends]
        assert (answers[-1] is not None) is breaks, share


def test_the_reason_counts_the_classes() -> None:
    breaker = CircuitBreaker(0)
    for failure in (OOM, DATA, OOM, None, None):
        breaker.observe(failure)
    assert breaker.observe(None) == "3 of 6 trials failed (2 oom, 1 data)"
