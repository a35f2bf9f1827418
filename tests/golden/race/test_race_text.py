"""A confirmed search as a person sees it: what is announced, the race by rounds, the answer."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

import numpy as np
import pytest

from automl.cli.main import main
from automl.execution import ray_driver
from automl.execution.driver import DriveEnd, DriveRequest
from automl.execution.live_attempts import LiveAttempts
from automl.study.folder import read_config
from automl.study.outcomes import write_outcome
from automl.study.race import race
from automl.study.records import Attempt, Measurement, Outcome, OutcomeState
from automl.study.seeds import derive_seed
from tests.golden.small_machine import put_on_a_small_machine

Golden = Callable[[str, str], None]

STUDY = """\
data: {train: data/train, val: data/val}
set: {dataset.batch_size: 4, train.num_epochs: 1}
search: {train.optim.lr: 1e-5..1e-2}
trainer: scripted
trials: 12
sampler: random
seed: 3
"""
_NOISE = 0.02
_TOOK_S = 600.0
_MOMENTS = (
    (r"^driver pid .*\n", ""),
    (r"^trial  epoch.*\n.*\n.*\n\n", ""),  # what runs is known to some seconds
    (r"\S+ wall", "WALL wall"),
    (r"^(running +1) +\S+", r"\1  SOON"),
    (r"^left  +\S+, by", "left       TIME, by"),
)


@dataclass
class KnownTrainer:
    """Ends every attempt at once, with a value that hangs on its settings and its luck.

    Attributes:
        look: Called whenever who may still win the race has changed.
    """

    look: Callable[[], None]
    _left: tuple[int, ...] = field(default=(), init=False)

    def drive(self, request: DriveRequest) -> DriveEnd:
        live = LiveAttempts(request)
        while (prepared := live.prepare_next()) is not None:
            attempt, _ = prepared
            if attempt.seed is not None:
                self._look_at_race(request)
            measured = Measurement(0, {"val_3DIoU": _value(attempt)}, _TOOK_S)
            live.report(attempt, measured)
            paths = request.settings.paths.attempt(attempt.number, attempt.attempt)
            outcome = Outcome(
                attempt.number, attempt.attempt, OutcomeState.OK, (measured,), seconds=_TOOK_S
            )
            live.finish(write_outcome(paths, outcome))
        return live.drive_end

    def _look_at_race(self, request: DriveRequest) -> None:
        config = read_config(request.settings.paths)
        left = race(request.engine.records(), config).left  # type: ignore[attr-defined]
        if left != self._left:
            self._left = left
            self.look()


def _value(attempt: Attempt) -> float:
    """A hill over the logarithm of the learning rate; a seed of the race has its own luck."""
    away = math.log10(float(str(attempt.params["train.optim.lr"])) / 8e-4)
    of = [attempt.number] if attempt.seed is None else [attempt.seed, round(1e3 * away)]
    luck = np.random.default_rng(derive_seed(1, *of)).standard_normal()
    return round(0.5 - 0.1 * away**2 + _NOISE * float(luck), 6)


@pytest.fixture
def screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """``screen("--confirm", "3")``: everything that a run and the looks at it print."""
    put_on_a_small_machine(tmp_path, STUDY, monkeypatch)
    told: list[str] = []

    def keep() -> None:
        found = capsys.readouterr()
        told.append(found.err + found.out)

    def say(*argv: str) -> None:
        keep()
        told.append(f"$ automl {' '.join(argv)}\n")
        assert main(argv) == 0
        keep()

    def look() -> None:
        Path("studies/bikes/glance.json").unlink(missing_ok=True)  # nothing up to seconds old
        say("status", "bikes")

    def run(*flags: str) -> str:
        monkeypatch.setattr(ray_driver, "drive", KnownTrainer(look).drive)
        say("plan", "study.yaml", *flags)
        say("run", "study.yaml", "--name", "bikes", *flags)
        say("best", "bikes")
        return "".join(told)

    return run


def _read(text: str) -> str:
    """Without what hangs on the moment and the machine, nor the search before the race."""
    lines = [re.sub(r"^\d{4}-\S+Z ", "", line) for line in text.splitlines()]
    run = next(i for i, line in enumerate(lines) if line.startswith("$ automl run"))
    then = next(i for i, line in enumerate(lines) if line.startswith("then "))
    began = next(i for i, line in enumerate(lines) if line.startswith("note      confirmation"))
    more = takewhile(lambda line: line.startswith(" "), lines[then + 1 :])
    kept = [lines[0], lines[then], *more, lines[run], *lines[began:]]
    shown = "\n".join(line for line in kept if not line.startswith("epoch ")) + "\n"
    for pattern, name in _MOMENTS:
        shown = re.sub(pattern, name, shown, flags=re.MULTILINE)
    return shown


@pytest.mark.parametrize("confirm", ["3", "auto"])
def test_a_whole_race(screen: Callable[..., str], golden: Golden, confirm: str) -> None:
    text = screen("--confirm", confirm, "--confirm-top", "3")
    golden(f"race/confirm-{confirm}.txt", _read(text))
