"""The live table: what it says, that it fits, and when it is drawn at all."""

import errno
import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from automl.app.screen import Sight
from automl.cli.live import LiveScreen, wants_live
from automl.cli.picture import DRIVER_KEYS, render
from automl.cli.progress import Progress
from automl.execution.driver import TrialEnded, TrialStarted
from automl.study.config import StudyConfig
from automl.study.folder import epochs_of
from automl.study.layout import StudyPaths
from automl.study.records import Attempt, Outcome, OutcomeState, TrialRecord, TrialState


def _drawn(progress: Progress, width: int) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, markup=False, highlight=False, emoji=False)
    console.print(render(progress.snapshot(), width))
    return stream.getvalue()


@pytest.mark.parametrize("width", [40, 80, 100, 160])
def test_no_line_is_wider_than_the_terminal(busy: Progress, width: int) -> None:
    lines = _drawn(busy, width).splitlines()
    assert max(map(cell_len, lines)) <= width
    # One line each: the header, the table's rows and the foot; nothing was wrapped.
    assert len(lines) == len(_drawn(busy, 200).splitlines())


def test_eighty_columns_show_everything_that_matters(busy: Progress) -> None:
    text = _drawn(busy, 80)
    lines = text.splitlines()
    assert lines[0] == "bike-fan   policy on   tpe   seed 0   val_3DIoU maximize"
    assert "5/12  ok 3  prune 1  FAIL 1  run 2  20m42s" in lines[1]
    assert lines[1].startswith("trials  [##########..............]")
    assert lines[2].startswith(
        "best    0.4700  trial 4   default 0.3100 (+0.1600)   not confirmed"
    )
    assert lines[3].startswith("left    ")
    rows = {line.split()[0]: line for line in lines if line[:3].strip().isdigit()}
    assert list(rows) == ["5", "6", "4", "3", "2", "1", "0"]
    assert rows["5"].split()[:6] == ["5", "run", "2/10", "0.2100", "0.2200", "42s"]
    assert "lr 0.001  batch_size 8" in rows["5"]
    assert "attempt 2" in rows["6"]
    assert "FAIL" in rows["2"]
    assert "oom: RuntimeError: CUDA out of" in rows["2"]
    assert "rung 2: 4th of 4" in rows["3"]
    assert "the default" in rows["0"]


def test_a_paused_trial_is_counted_and_says_why(busy: Progress) -> None:
    why = "3rd of 4 at epoch 2"
    record = TrialRecord(9, TrialState.PAUSED, {}, values={2: 0.2}, evidence=why, seconds=12.0)
    busy.event(TrialEnded(record, Outcome(9, 1, OutcomeState.PAUSED, evidence=why)))
    lines = _drawn(busy, 100).splitlines()
    assert "6/12  ok 3  pause 1  prune 1  FAIL 1  run 2" in lines[1]
    (row,) = (line for line in lines if line.split()[:1] == ["9"])
    assert row.split()[1] == "pause"
    assert why in row


def test_brackets_are_text_and_no_markup(busy: Progress) -> None:
    text = _drawn(busy, 160)
    assert "[2.00 GiB]" in text
    assert "trial 3 [attempt 1] was written twice" in text


def test_before_the_first_trial(config: StudyConfig) -> None:
    text = _drawn(Progress(config, lambda: 0.0), 80)
    assert "0/12" in text
    assert "none yet" in text
    assert "left" not in text


def test_a_script_is_called_fake_first(config: StudyConfig) -> None:
    fake = Progress(replace(config, trainer="scripted"), lambda: 0.0)
    assert _drawn(fake, 80).startswith("FAKE")


def test_a_direct_training_compares_with_nothing(config: StudyConfig) -> None:
    progress = Progress(replace(config, policy="off"), lambda: 0.0)
    progress.event(TrialStarted(Attempt(0, 1, {})))
    text = _drawn(progress, 80)
    assert "policy off   val_3DIoU" in text
    assert "0/1" in text
    assert "default" not in text.splitlines()[2]


def test_a_resumed_study_shows_earlier_trials_in_the_counts(config: StudyConfig) -> None:
    progress = Progress(config, lambda: 0.0)
    done = TrialRecord(0, TrialState.COMPLETE, {}, best_value=0.5, best_epoch=2)
    progress.look(Sight((done,), 0.0))
    text = _drawn(progress, 80)
    assert "1/12  ok 1" in text
    assert "best    0.5000  trial 0" in text


def test_when_all_is_done_nothing_is_left_to_wait_for_or_stop(config: StudyConfig) -> None:
    progress = Progress(config, lambda: 0.0)
    state = TrialState.COMPLETE
    records = [
        TrialRecord(n, state, {}, best_value=0.5, best_epoch=0, seconds=60) for n in range(12)
    ]
    progress.look(Sight(tuple(records), 0.0))
    text = _drawn(progress, 80)
    assert "12/12" in text
    assert "left" not in text
    assert "Ctrl-C" not in text


def test_the_picture_that_stays_offers_no_keys(config: StudyConfig) -> None:
    snapshot = Progress(config, lambda: 0.0).snapshot()
    shown, kept = (
        [str(line) for line in render(snapshot, 80, keys).renderables]
        for keys in (DRIVER_KEYS, "")
    )
    assert shown == [*kept, "Ctrl-C: stop after the running trials; twice: stop them now"]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "plain", "expected"),
    [
        ({"TERM": "xterm"}, False, True),
        ({}, False, True),
        ({"TERM": "dumb"}, False, False),
        ({"CI": "true"}, False, False),
        ({"TERM": "xterm"}, True, False),
    ],
)
def test_the_table_is_for_terminals_alone(
    environment: dict[str, str], plain: bool, expected: bool
) -> None:
    assert wants_live(_Terminal(), environment, plain=plain) is expected
    assert wants_live(io.StringIO(), environment, plain=plain) is False


def test_epochs_come_from_the_base_spec(tmp_path: Path) -> None:
    paths = StudyPaths(tmp_path)
    assert epochs_of(paths, "train.num_epochs") is None
    paths.base_spec.write_text("train:\n  num_epochs: 30\n", encoding="utf-8")
    assert epochs_of(paths, "train.num_epochs") == 30
    paths.base_spec.write_text("train: {}\n", encoding="utf-8")
    assert epochs_of(paths, "train.num_epochs") is None


def test_the_screen_draws_on_a_terminal_and_leaves_the_last_picture(
    tmp_path: Path, config: StudyConfig
) -> None:
    stream = _Terminal()
    console = Console(
        file=stream, width=80, height=40, force_terminal=True, color_system=None, markup=False
    )
    with LiveScreen(console) as screen:
        screen.event(TrialStarted(Attempt(0, 1, {})))
        screen.opened(StudyPaths(tmp_path), config)
        screen.event(TrialStarted(Attempt(0, 1, {"train.optim.lr": 1e-3})))
        done = TrialRecord(1, TrialState.COMPLETE, {}, best_value=0.5, best_epoch=2)
        screen.look(Sight((done,), 3725.0))
    screen.close()
    text = stream.getvalue()
    assert "study folder" in text
    last = text[text.rindex("bike-fan   policy on") :]
    # The time that the driver has written, however long ago that was.
    assert "1/12  ok 1  run 1  1h02m" in last


class _Gone(_Terminal):
    """A terminal that was closed."""

    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_a_terminal_that_closes_does_not_end_the_search(
    config: StudyConfig, tmp_path: Path
) -> None:
    stream = _Terminal()
    console = Console(file=stream, width=80, force_terminal=True)
    with LiveScreen(console) as screen:
        screen.opened(StudyPaths(tmp_path), config)
        console.file = _Gone()
        screen.event(TrialStarted(Attempt(0, 1, {})))
        screen.look(Sight((), 0.0))
        console.file = stream
    assert "0/12" in stream.getvalue()
