"""Whole status files of mutated lines, on the way that measurements go.

Reader, attempt, engine, ``outcome.json``, and what a later driver would read of them.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from optuna.storages import InMemoryStorage

from automl.search.decision import Stop
from automl.search.engine import Engine
from automl.space.distributions import FloatRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study.config import Direction, Objective, SearchSettings, StudyConfig
from automl.study.layout import StudyPaths
from automl.study.limits import Limits
from automl.study.outcomes import read_outcome
from automl.study.records import MOST_EPOCHS, Measurement, Outcome, OutcomeState
from automl.study.storage import create_study
from automl.trainers.attempt_run import AttemptRun
from automl.trainers.attempt_settings import AttemptSettings
from automl.trainers.base import TrialTask
from automl.trainers.contract import EVAL_METRICS, TRAIN_METRICS, TRAINING_LOOP
from automl.trainers.status import history
from tests.fuzzing.kind import Kind

__all__ = ["LINES", "STATUS_LINES", "status_files"]

#: Lines of a file, so that so many inputs are so many times as many lines.
LINES = 20

METRIC = "val_3DIoU"
OBJECTIVE = Objective(METRIC, Direction.MAXIMIZE)
SPACE = SearchSpace((Parameter("lr", "float", FloatRange(1e-5, 1e-2, log=True), default=1e-4),))
CONFIG = StudyConfig(
    "odd",
    *("/skill", "on", "test", OBJECTIVE),
    search=SearchSettings(sampler="random", pruner="median", seed=7),
    limits=Limits(4),
)

odd: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            *(-1, 0, 1, 3, 2**31, 2**63, 2**64, -(2**70), 10**400, MOST_EPOCHS - 1, MOST_EPOCHS),
            *(True, False, None, "", "3", "-1", "1e400", "nan", "Infinity", "1_0", "٣", "x" * 500),
            *(0.5, 3.0, -0.0, 1e308, float("nan"), float("inf"), float("-inf")),
            *("\ud800", "\x00", "\x1b[31m", [], [1], {}, {"a": [{}]}, "9" * 5000),
        ]
    ),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
)
names: st.SearchStrategy[str] = st.sampled_from(
    [METRIC, "loss", "", "\ud800", "a\nb", "x" * 300]
) | st.text(max_size=4)
messages = st.sampled_from(
    [EVAL_METRICS, TRAIN_METRICS, TRAINING_LOOP, "Train finished", "\udfff"]
)


def plain(epoch: int) -> list[dict[str, Any]]:
    stamp = {"date": "11/22/2026", "time": f"1:2:{epoch % 60}", "status": "RUNNING"}
    return [
        {**stamp, "message": EVAL_METRICS, "kpi": {METRIC: str(epoch / 50)}},
        {"epoch": epoch, **stamp, "message": TRAINING_LOOP},
        {**stamp, "message": TRAIN_METRICS, "kpi": {"train_loss": 1.0 / (epoch + 1)}},
    ]


@st.composite
def changed(draw: st.DrawFn, line: dict[str, Any]) -> bytes:
    """One line with one thing wrong, or none."""
    kind = draw(st.integers(0, 9))
    entry = dict(line)
    if kind <= 2:
        entry["epoch"] = draw(odd)
    elif kind == 3:
        entry["kpi"] = draw(st.dictionaries(names, odd, max_size=3)) | {METRIC: draw(odd)}
    elif kind == 4:
        key = draw(st.sampled_from(["message", "status", "date", "time", "kpi", "verbosity"]))
        entry[key] = draw(odd | messages)
    elif kind == 5:
        entry |= {"status": "FAILURE", "message": draw(messages | st.text(max_size=9))}
    text = json.dumps(entry).encode()
    if kind == 6:
        return draw(st.sampled_from([b"[" * 3000, b'{"a":' * 3000, b"\xff\xfe{", b"null", b"[1]"]))
    if kind == 7:
        at = draw(st.integers(0, len(text)))
        return text[:at] + draw(st.binary(max_size=3)) + text[at + draw(st.integers(0, 3)) :]
    if kind == 8:
        return text.replace(b'"epoch": ', b'"epoch": 1e999, "epoch": ').replace(
            b'"0.', b"1e999, 0."
        )
    return text


@st.composite
def status_files(draw: st.DrawFn) -> bytes:
    epochs = draw(st.lists(st.integers(0, 5), min_size=LINES // 3 + 1, max_size=LINES // 3 + 1))
    lines = [line for epoch in epochs for line in plain(epoch)][:LINES]
    return b"\n".join(draw(changed(line)) for line in lines) + draw(st.sampled_from([b"\n", b""]))


@dataclass
class EndedTrainer:
    """A trainer that has written its status file and ended before anybody looked."""

    code: int
    log: Sequence[str] = field(default_factory=list)

    def check(self) -> Sequence[Any]:
        return []

    def start(self, task: TrialTask, gpus: Sequence[str]) -> "EndedTrainer":
        return self

    def wait(self, timeout_s: float) -> int | None:
        return self.code

    def stop(self, grace_s: float) -> None:
        return

    def tail(self, lines: int) -> list[str]:
        return []


def _read_status(value: tuple[bytes, int], folder: Path) -> None:
    """Whatever the lines say, the attempt ends in order."""
    content, code = value
    paths = StudyPaths(folder / "odd")
    shutil.rmtree(paths.folder, ignore_errors=True)
    engine = Engine(create_study(InMemoryStorage(), "odd", OBJECTIVE), SPACE, CONFIG)
    attempt = engine.ask()
    assert attempt is not None
    place = paths.attempt(attempt.number, attempt.attempt)
    place.folder.mkdir(parents=True)
    (place.folder / "status.json").write_bytes(content)
    task = TrialTask("odd", 0, 1, place.folder, place.spec, place.log)
    run = AttemptRun(attempt, task, EndedTrainer(code), AttemptSettings(paths, OBJECTIVE))
    run.begin()
    handed: list[Measurement] = []
    while not isinstance(step := run.advance(), Outcome):
        handed.append(step)
        if isinstance(engine.report(attempt.number, step), Stop):
            step = run.stop(OutcomeState.PRUNED, "behind")
            break
    record = engine.finish(step)

    assert read_outcome(place) == (step, "")
    assert len({entry.epoch for entry in handed}) == len(handed)
    assert all(0 <= entry.epoch < MOST_EPOCHS for entry in step.measurements)
    assert record.values == {m.epoch: m.metrics[METRIC] for m in step.measurements}
    assert record.state.is_finished
    for entry in history(place.folder, METRIC):
        assert Measurement.from_json(json.loads(json.dumps(entry.to_json()))) == entry


STATUS_LINES = Kind(st.tuples(status_files(), st.sampled_from([0, 0, 1])), _read_status)
