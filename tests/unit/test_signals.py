"""A signal ends a command by an exception, once; what is ignored stays so."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from automl.signals import EndedBySignal, ending_by_exception, exit_code_of


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    for number in before:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def _kill_oneself(number: int) -> None:
    with ending_by_exception():
        try:
            os.kill(os.getpid(), number)
        finally:
            # What clears up can be ended by a second one.
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_is_raised_where_it_came_and_the_next_one_ends_at_once(number: int) -> None:
    with pytest.raises(EndedBySignal) as caught:
        _kill_oneself(number)
    assert exit_code_of(caught.value) == 128 + number
    assert isinstance(caught.value, KeyboardInterrupt)


def test_what_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with ending_by_exception():
        os.kill(os.getpid(), signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_another_thread_leaves_the_handlers_alone() -> None:
    seen = []

    def enter() -> None:
        with ending_by_exception():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]
