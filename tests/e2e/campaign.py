"""Kills and signals at random moments, to one process of a study or to all, and what must hold.

A blow falls on the driver, on its process group, on one of Ray's processes, or on everything at
once, while a study is made, while Ray starts, during trials, during the report, or during a
resume. Whatever it is, nothing that had finished is lost or told twice, what the study started is
gone ten seconds later, and going on comes to the trials that were asked for.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from automl.processes import children_of, started_at
from automl.study.layout import StudyPaths
from automl.study.records import FailureClass, TrialRecord, TrialState
from tests.e2e.evidence import Evidence
from tests.e2e.terminal import Driver, Terminal, eventually

__all__ = ["BLOWS", "FULL", "RUNGS", "SERIALLY", "Blow", "Campaign", "Subject", "strike"]


@dataclass(frozen=True)
class Subject:
    """The study that is disturbed.

    Attributes:
        trials: How many it asks for.
        epochs: Of a whole training.
        method: Its ``fidelity``.
        ends: How its trials may end; one whose own process is killed may have failed by it.
    """

    trials: int
    epochs: int
    method: str
    ends: frozenset[TrialState]

    @property
    def text(self) -> str:
        """Its file."""
        return f"""
set: {{train.num_epochs: {self.epochs}}}
trials: {self.trials}
max_concurrent: 2
fidelity: {self.method}
script:
  epoch_s: 0.25
  bowls: {{train.optim.lr: {{best: 1e-3}}}}
"""


FULL = Subject(6, 4, "full", frozenset({TrialState.COMPLETE}))
#: Trials pause after epochs 2 and 6, and some of them go on.
RUNGS = Subject(9, 9, "asha", frozenset({TrialState.COMPLETE, TrialState.PRUNED}))
#: The command line whose searches run one trial at a time, without Ray.
SERIALLY = "tests.e2e.serially"
_OWN = ("driver", "group", "everything")
#: The share of blows that wait for a trial to start.
_DURING_TRIALS = 0.6
#: Seconds after which nothing that a dead study started may live.
GONE_WITHIN_S = 10.0
#: Seconds in which a driver that was asked to end, or that lost Ray, must have ended.
ENDS_WITHIN_S = 45.0


@dataclass(frozen=True)
class Blow:
    """A way to disturb a study.

    Attributes:
        name: What it is called.
        signal: What is sent.
        to: ``driver``, ``group`` (of the driver), ``everything`` (the driver and all below it), or
            words of the command line of a process below it.
        ends: Whether the driver must end by it.
    """

    name: str
    signal: signal.Signals
    to: str
    ends: bool = True


BLOWS = (
    Blow("power cut", signal.SIGKILL, "everything"),
    Blow("driver killed", signal.SIGKILL, "driver"),
    Blow("driver terminated", signal.SIGTERM, "driver"),
    Blow("driver interrupted", signal.SIGINT, "driver"),
    Blow("terminal closed", signal.SIGHUP, "driver"),
    Blow("group terminated", signal.SIGTERM, "group"),
    Blow("group interrupted", signal.SIGINT, "group"),
    Blow("group hung up", signal.SIGHUP, "group"),
    Blow("worker killed", signal.SIGKILL, "ray::", ends=False),
    Blow("raylet killed", signal.SIGKILL, "raylet/raylet"),
    Blow("gcs killed", signal.SIGKILL, "gcs_server"),
)


def family_of(pid: int) -> dict[int, str]:
    """A process and all below it, each with its start, which tells it from a later namesake."""
    family, waiting = {}, [pid]
    while waiting:
        one = waiting.pop()
        start = started_at(one)
        if start and one not in family:
            family[one] = start
            waiting += children_of(one)
    return family


def _words(pid: int) -> str:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return line.replace(b"\0", b" ").decode(errors="replace")


def _send(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _named(driver: Driver, words: str) -> list[int]:
    """The first process below a driver whose command line holds some words; empty if none does."""
    return [pid for pid in family_of(driver.pid) if words in _words(pid)][:1]


def strike(driver: Driver, blow: Blow) -> bool:
    """Sends a blow; whether there was somebody to take it."""
    family = family_of(driver.pid)
    if blow.to == "driver":
        return _send(driver.pid, blow.signal)
    if blow.to == "group":
        os.killpg(driver.pid, blow.signal)
        return True
    if blow.to == "everything":
        return sum(_send(pid, blow.signal) for pid in family) > 0
    return any(_send(pid, blow.signal) for pid in _named(driver, blow.to))


@dataclass
class Campaign:
    """Blow after blow on studies in a terminal.

    Attributes:
        terminal: Where commands run.
        luck: What decides on blows and moments.
        landed: How often each blow met somebody.
        longest_gone_s: The longest that a process outlived its driver.
        longest_end_s: The longest that a driver needed to end.
    """

    terminal: Terminal
    luck: random.Random
    landed: Counter[str] = field(default_factory=Counter)
    longest_gone_s: float = 0.0
    longest_end_s: float = 0.0

    def blows(self) -> Iterator[Blow]:
        """Every blow once in random order, again and again; without Ray those that need none."""
        has_ray = self.terminal.program != SERIALLY
        blows = [blow for blow in BLOWS if has_ray or blow.to in _OWN]
        while True:
            yield from self.luck.sample(blows, len(blows))

    def study(
        self, name: str, blows: Iterator[Blow], count: int, subject: Subject = FULL
    ) -> tuple[TrialRecord, ...]:
        """Drives one study through ``count`` blows and then to its end; its trials then.

        Raises:
            AssertionError: Something was lost, told twice, or left behind.
        """
        paths = StudyPaths(self.terminal.studies / name)
        evidence, before = Evidence(paths), self._workers_killed()
        begin = ("run", self.terminal.study_file(subject.text), "--name", name, "--yes")
        for _ in range(count):
            argv = ("resume", name) if paths.resolved.exists() else begin
            self._disturb(self.terminal.start(*argv, "--plain"), next(blows))
            if paths.resolved.exists():
                evidence.take()
            if len(evidence.values) == subject.trials:
                break
        argv = ("resume", name) if paths.resolved.exists() else begin
        done = self.terminal.run(*argv, within_s=180.0)
        assert done.code == 0, done.err
        evidence.take()
        records = evidence.records()
        assert [record.number for record in records] == list(range(subject.trials))
        others = [record for record in records if record.state not in subject.ends]
        told = [(each.number, each.state, each.failure) for each in others]
        assert all(each.failure is FailureClass.KILLED for each in others), told
        assert len(others) <= self._workers_killed() - before, told
        for record in records:
            epochs = list(record.values)
            assert epochs == list(range(len(epochs))), (record.number, epochs)
            if record.state is TrialState.COMPLETE:
                assert len(epochs) == subject.epochs
        return records

    def _workers_killed(self) -> int:
        return sum(self.landed[blow.name] for blow in BLOWS if not blow.ends)

    def _disturb(self, driver: Driver, blow: Blow) -> None:
        if blow.to not in _OWN:
            eventually(
                lambda: bool(_named(driver, blow.to)) or driver.process.poll() is not None,
                ENDS_WITHIN_S,
            )
        if self.luck.random() < _DURING_TRIALS:
            eventually(
                lambda: " start " in driver.told() or driver.process.poll() is not None,
                ENDS_WITHIN_S,
            )
        time.sleep(self.luck.choice((0.3, 2.0, 4.0, 8.0)) * self.luck.random())
        family = family_of(driver.pid)
        if driver.process.poll() is not None or not strike(driver, blow):
            driver.wait(ENDS_WITHIN_S * 3)
            return
        self.landed[blow.name] += 1
        began = time.monotonic()
        if not blow.ends:
            driver.wait(ENDS_WITHIN_S * 3)
        else:
            driver.wait(ENDS_WITHIN_S)
            self.longest_end_s = max(self.longest_end_s, time.monotonic() - began)
        ended = time.monotonic()
        left = {pid: start for pid, start in family.items() if pid != driver.pid}

        def gone() -> bool:
            return not any(started_at(pid) == start for pid, start in left.items())

        assert eventually(gone, GONE_WITHIN_S), (
            blow.name,
            [_words(pid)[:120] for pid, start in left.items() if started_at(pid) == start],
        )
        self.longest_gone_s = max(self.longest_gone_s, time.monotonic() - ended)
