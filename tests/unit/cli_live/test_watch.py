"""``automl watch`` over a study folder: the table, the keys, and what nobody drives."""

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from automl.cli.followed import FollowedStudy
from automl.cli.keyboard import GONE, keyboard
from automl.cli.picture import WATCHER_KEYS, render
from automl.cli.progress import Snapshot
from automl.cli.watch_commands import print_lines
from automl.cli.watch_screen import WatchScreen
from automl.study.config import Resources
from automl.study.limits import Limits
from automl.study.records import TrialRecord, TrialState
from automl.study.state import StudyStatus, read_state, write_state
from tests.unit.cli_live.watched_study import NOW, host_of, watched_study
from tests.unit.reports.study_builder import StudyBuilder, Told, config, params


@pytest.fixture
def builder(tmp_path: Path) -> StudyBuilder:
    """Driven by this very process."""
    return watched_study(tmp_path, host_of())


@pytest.fixture
def study(builder: StudyBuilder) -> FollowedStudy:
    return FollowedStudy(builder.paths, lambda: NOW)


def picture(study: FollowedStudy, width: int = 140) -> str:
    return drawn(study.snapshot(), width)


def drawn(snapshot: Snapshot, width: int) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, markup=False, highlight=False, emoji=False)
    console.print(render(snapshot, width, WATCHER_KEYS))
    return stream.getvalue()


def rows_of(text: str) -> dict[int, list[str]]:
    lines = [line.split() for line in text.splitlines()]
    return {int(words[0]): words for words in lines if words and words[0].isdigit()}


def test_a_running_trial_shows_all_that_is_known_of_it(study: FollowedStudy) -> None:
    text = picture(study)
    head = next(line for line in text.splitlines() if "state" in line)
    assert head.split()[:13] == [
        *("#", "state", "gpu", "epoch", "step", "now", "best", "time", "left", "img/s"),
        *("vram", "util", "changed"),
    ]
    row = rows_of(text)[16]
    assert row[:9] == ["16", "run", "0", "14/30", "120/400", "0.6911", "0.6950", "9m20s", "10m15s"]
    assert row[9:12] == ["716", "21.3G", "92%"]
    assert "batch_size 16" in text
    assert "val 3/14" in text
    assert rows_of(text)[19][1] == "start"


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 200])
def test_no_line_is_wider_than_the_terminal(study: FollowedStudy, width: int) -> None:
    assert max(map(cell_len, picture(study, width).splitlines())) <= width


def test_eighty_columns_keep_the_pace_and_the_gpu(study: FollowedStudy) -> None:
    row = rows_of(picture(study, 80))[16]
    assert row[:5] == ["16", "run", "14/30", "30%", "0.6911"]
    assert row[5:10] == ["0.6950", "10m15s", "716", "21.3G", "92%"]


def test_who_drives_it_and_what_it_may_take_are_said(study: FollowedStudy) -> None:
    lines = picture(study).splitlines()
    assert f"pid {os.getpid()} on {host_of()}, last heartbeat 3 s ago" in lines[1]
    assert "16/36, seeds 0/14  ok 14  prune 1  FAIL 1  run 4  3h12m" in lines[2]
    assert lines[3].startswith(
        "budget  [###.....................]  3h12m of 1d00h wall, 5.39 of 40 GPU-h"
    )
    assert any(line.startswith("left    ") and " to " in line for line in lines)
    assert lines[-1] == WATCHER_KEYS


def test_a_driver_that_died_is_said_to_be_dead(builder: StudyBuilder) -> None:
    study = FollowedStudy(builder.paths, lambda: NOW + timedelta(hours=2))
    owner = builder.paths.lock.read_text(encoding="utf-8")
    builder.paths.lock.write_text(owner.replace(f'"{host_of()}"', '"far"'), encoding="utf-8")
    snapshot = study.snapshot()
    assert not snapshot.is_driven
    assert snapshot.driver == (
        f"none is alive: pid {os.getpid()} on far was last seen 2h00m ago; "
        "automl resume bike-fan goes on"
    )
    # As it was at its last word: nothing has become older, and nothing is foretold.
    assert snapshot.wall_s == pytest.approx(3 * 3600 + 11 * 60 + 58)
    text = picture(study)
    assert rows_of(text)[16][1] == "lost"
    assert "\nleft " not in text


def test_a_study_that_ended_says_how(builder: StudyBuilder) -> None:
    state = read_state(builder.paths)
    assert state is not None
    reason = "stopped with 20 of 36 trials to go"
    write_state(
        builder.paths, replace(state, status=StudyStatus.INTERRUPTED, reason=reason, live=())
    )
    builder.paths.lock.write_text("", encoding="utf-8")
    snapshot = FollowedStudy(builder.paths, lambda: NOW).snapshot()
    assert snapshot.driver == f"interrupted 2.0s ago: {reason}"
    assert not snapshot.running


def test_a_study_without_a_state_shows_its_trials(builder: StudyBuilder) -> None:
    builder.paths.state.unlink()
    snapshot = FollowedStudy(builder.paths, lambda: NOW).snapshot()
    assert snapshot.counts[TrialState.COMPLETE] == 14
    assert snapshot.ended[:2] == (15, 14)


def test_trials_are_read_again_once_the_driver_counts_another(
    builder: StudyBuilder, study: FollowedStudy
) -> None:
    assert study.snapshot().counts[TrialState.COMPLETE] == 14
    builder.add(20, Told(params(5e-4), [0.9]))
    assert study.snapshot().counts[TrialState.COMPLETE] == 14
    state = read_state(builder.paths)
    assert state is not None
    write_state(builder.paths, replace(state, ended=(20, *state.ended)))
    snapshot = study.snapshot()
    assert snapshot.counts[TrialState.COMPLETE] == 15
    assert snapshot.ended[0] == 20


class _Keys:
    """Presses keys, then leaves."""

    def __init__(self, *keys: str) -> None:
        self._keys: Iterator[str] = iter((*keys, GONE))

    def __call__(self, wait_s: float) -> str:
        return next(self._keys)


class _Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def play(study: FollowedStudy) -> Callable[..., tuple[bool, str]]:
    """Watches with some keys; whether the study ended, and what was drawn."""

    def played(*keys: str) -> tuple[bool, str]:
        stream = _Tty()
        console = Console(
            file=stream, width=100, height=40, force_terminal=True, color_system=None, markup=False
        )
        return WatchScreen(study, console, _Keys(*keys)).show(), stream.getvalue()

    return played


def test_q_leaves_the_study_as_it_is(
    builder: StudyBuilder, play: Callable[..., tuple[bool, str]]
) -> None:
    has_ended, text = play("", "q")
    assert not has_ended
    assert "bike-fan   policy on" in text
    assert not builder.paths.stop.exists()
    assert not builder.paths.stop_gently.exists()


def test_s_and_k_ask_the_driver(
    builder: StudyBuilder, play: Callable[..., tuple[bool, str]]
) -> None:
    _, text = play("s", "")
    assert builder.paths.stop_gently.exists()
    assert "asked to stop after the running trials" in text
    play("k")
    assert not builder.paths.stop.exists()
    play("k", "k")
    assert builder.paths.stop.exists()


def test_l_shows_the_log_of_a_trial(
    builder: StudyBuilder, play: Callable[..., tuple[bool, str]]
) -> None:
    folder = builder.paths.attempt(17, 2).folder
    folder.mkdir(parents=True)
    (folder / "log.txt").write_text(
        "epoch 0: [\x1b[31mred]\nepoch 1: loss 0.5\n", encoding="utf-8"
    )
    _, text = play("l", "1", "7", "\n", "")
    assert "log of trial 17" in text
    assert "epoch 1: loss 0.5" in text
    assert "\x1b[31m" not in text
    assert "it has written nothing yet" in play("l", "1", "9", "\n", "")[1]


def test_the_keys_explain_themselves(play: Callable[..., tuple[bool, str]]) -> None:
    assert "stop after the running trials: no further one is started" in play("?", "")[1]


def test_it_ends_with_the_driver(
    builder: StudyBuilder, play: Callable[..., tuple[bool, str]]
) -> None:
    builder.paths.lock.write_text("", encoding="utf-8")
    has_ended, text = play("")
    assert has_ended
    assert WATCHER_KEYS not in text


def test_without_a_terminal_each_change_is_a_line(
    builder: StudyBuilder, study: FollowedStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    looks = iter(range(100))

    class Changing(FollowedStudy):
        """Measures an epoch at the third look, and loses its driver at the fifth."""

        def snapshot(self) -> Snapshot:
            look = next(looks)
            state = read_state(builder.paths)
            if look == 2 and state is not None:
                first = replace(state.live[0], epoch=14)
                write_state(builder.paths, replace(state, live=(first, *state.live[1:])))
            if look == 4:
                builder.paths.lock.write_text("", encoding="utf-8")
            return super().snapshot()

    assert print_lines(Changing(builder.paths, lambda: NOW), look_s=0.0)
    lines = capsys.readouterr().out.splitlines()
    told = [line for line in lines if "Z heartbeat " in line]
    assert len(told) == 2
    assert "epochs=16:15.0/30" in told[0]
    assert sum(line.startswith("bike-fan   policy on") for line in lines) == 2
    assert "\x1b" not in "".join(lines)


def test_keys_come_one_by_one_and_the_terminal_is_given_back() -> None:
    import termios

    ours, theirs = os.openpty()
    try:
        before = termios.tcgetattr(theirs)
        with keyboard(theirs) as key:
            assert key(0.0) == ""
            os.write(ours, b"xq")
            assert [key(5.0), key(5.0), key(0.0)] == ["x", "q", ""]
            os.write(ours, b"\x1b[A")
            assert key(5.0) == "\x1b[A"
        assert termios.tcgetattr(theirs) == before
    finally:
        os.close(ours)
        os.close(theirs)


def test_fresh_seeds_are_told_from_trials_and_their_mean_leads(tmp_path: Path) -> None:
    asked = config(limits=Limits(trials=2, confirm=2, confirm_top=1), resources=Resources(2))
    images = {"val": {"images": 200}}
    builder = StudyBuilder(tmp_path, asked, images=images)
    builder.add(0, Told(params(), [0.1], source="default"))
    builder.add(1, Told(params(1e-3), [0.6]))
    for number, (of, value) in enumerate(((0, 0.1), (1, 0.4), (0, 0.2)), start=2):
        builder.add(number, Told(params(1e-3 if of else 6e-5), [value], confirms=of))
    text = picture(FollowedStudy(builder.paths, lambda: NOW))
    assert "val_3DIoU maximize (n = 200)" in text
    assert "2/2, seeds 3/4  ok 5" in text
    best = next(line for line in text.splitlines() if line.startswith("best"))
    assert best.split()[1] == "0.4000"
    assert "trial 1, 1 fresh seed   default 0.1500 (+0.2500)   one seed 0.6000" in best
    assert "fresh seed of trial 1  lr 0.001" in text


def test_a_trial_in_the_queue_says_what_it_waits_for(
    builder: StudyBuilder, study: FollowedStudy
) -> None:
    snapshot = study.snapshot()
    queued = TrialRecord(20, TrialState.WAITING, params(5e-4))
    full = replace(snapshot, records=(*snapshot.records, queued))
    assert " ".join(rows_of(drawn(full, 140))[20][1:9]) == "wait for a place: 4 of 4 run"
    free = replace(full, running=full.running[:1])
    assert "for its preparation" in drawn(free, 140)
    assert 20 not in rows_of(drawn(replace(full, is_driven=False), 140))
