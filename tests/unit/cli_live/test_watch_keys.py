"""What each key of ``automl watch`` shows and asks for."""

from collections.abc import Iterable

import pytest

from automl.cli.watch_keys import Mode, View, Wish, pressed


def press(keys: Iterable[str], trials: tuple[int, ...] = (22, 23)) -> tuple[Mode, list[Wish]]:
    """The mode after some keys, and what was asked for on the way."""
    mode, wishes = Mode(), []
    for key in keys:
        mode, wish = pressed(mode, key, trials)
        wishes.append(wish)
    return mode, [wish for wish in wishes if wish is not Wish.NOTHING]


def test_q_leaves_from_wherever_one_is() -> None:
    for keys in ("q", "?q", ["l", "2", "2", "\n", "q"]):
        assert press(keys)[1] == [Wish.DETACH]


def test_s_asks_for_a_gentle_stop() -> None:
    mode, wishes = press("s")
    assert wishes == [Wish.STOP_GENTLY]
    assert "after the running trials" in mode.said


def test_running_trials_are_stopped_by_the_second_k_alone() -> None:
    mode, wishes = press("k")
    assert wishes == []
    assert "k once more" in mode.said
    assert press("kk")[1] == [Wish.STOP_NOW]
    assert press("kxk")[1] == []
    assert press("k?k")[1] == []


def test_the_log_of_the_only_running_trial_needs_no_number() -> None:
    mode, _ = press("l", trials=(7,))
    assert (mode.view, mode.trial) == (View.LOG, 7)


def test_the_log_of_one_of_several_is_asked_for() -> None:
    mode, _ = press("l2")
    assert (mode.view, mode.typed) == (View.ASKING, "2")
    assert mode.said.endswith(": 2")
    mode, _ = press(["l", "2", "9", "\x7f", "3", "\r"])
    assert (mode.view, mode.trial) == (View.LOG, 23)


@pytest.mark.parametrize("keys", [["l", "\n"], ["l", "x"], ["l", "\x1b"], ["l", "\x1b[A"]])
def test_any_other_key_gives_up_asking(keys: list[str]) -> None:
    assert press(keys) == (Mode(), [])


def test_a_number_has_an_end() -> None:
    assert press(["l", *"1234567"])[0] == Mode()


@pytest.mark.parametrize("keys", [["?", "x"], ["?", "\x1b[B"], ["l", "1", "\n", " "]])
def test_any_key_leads_back_to_the_table(keys: list[str]) -> None:
    assert press(keys) == (Mode(), [])


@pytest.mark.parametrize("key", ["x", "\x1b[A", "\n", "", "ü"])
def test_other_keys_do_nothing(key: str) -> None:
    assert press([key]) == (Mode(), [])
