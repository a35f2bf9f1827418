"""A campaign of random kills and signals on real studies; how many, and what was seen.

``python -m tests.bench.kill_campaign OUT.json --blows 100 --seed 1``; about 15 seconds a blow on
two cores. With ``--rungs`` trials pause and go on; with ``--serial`` they run one at a time,
without Ray. It stops at the first thing that is lost, told twice, or left behind, and the file
then says what; it is written anew after each study.
"""

import argparse
import platform
import random
import shlex
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from automl.files import write_json
from automl.study.records import TrialRecord, TrialState
from tests.bench.search.revision import revision
from tests.e2e.campaign import FULL, RUNGS, SERIALLY, Campaign
from tests.e2e.terminal import Terminal

BLOWS_A_STUDY = 8


@dataclass
class Tally:
    """What a campaign has seen so far.

    Attributes:
        campaign: Which blows landed, and how long ends took.
        studies: Those that came to the trials that were asked for.
        stopped: Trials that rungs ended.
        resumed: Trials of several attempts.
        killed: Trials that failed because their own process was killed.
        began: When, by the monotonic clock.
    """

    campaign: Campaign
    studies: int = 0
    stopped: int = 0
    resumed: int = 0
    killed: int = 0
    began: float = field(default_factory=time.monotonic)

    def add(self, records: Sequence[TrialRecord]) -> None:
        """Counts a study that came to its end."""
        self.studies += 1
        self.stopped += sum(record.state is TrialState.PRUNED for record in records)
        self.resumed += sum(record.attempts > 1 for record in records)
        self.killed += sum(record.state is TrialState.FAILED for record in records)

    def to_json(self, asked: argparse.Namespace, broken: str | None) -> dict[str, Any]:
        """The campaign as its file has it."""
        return {
            "schema": "automl.kill-campaign/1",
            "command": shlex.join(["python", "-m", "tests.bench.kill_campaign", *_flags(asked)]),
            "date": datetime.now().astimezone().date().isoformat(),
            "python": platform.python_version(),
            "revision": revision(),
            "method": (RUNGS if asked.rungs else FULL).method,
            "driver": "serial" if asked.serial else "ray",
            "studies": self.studies,
            "blows": self.campaign.landed.total(),
            "landed": dict(sorted(self.campaign.landed.items())),
            "broken": broken,
            "trials_stopped_early": self.stopped,
            "trials_of_several_attempts": self.resumed,
            "trials_killed": self.killed,
            "longest_end_s": round(self.campaign.longest_end_s, 1),
            "longest_gone_s": round(self.campaign.longest_gone_s, 1),
            "wall_s": round(time.monotonic() - self.began),
        }


def _flags(asked: argparse.Namespace) -> list[str]:
    """The command without paths of this machine."""
    return ["OUT.json" if word == str(asked.out) else word for word in sys.argv[1:]]


def run(tally: Tally, asked: argparse.Namespace) -> None:
    """Study after study, until so many blows have landed.

    Raises:
        AssertionError: Something was lost, told twice, or left behind.
    """
    blows, subject = tally.campaign.blows(), RUNGS if asked.rungs else FULL
    while tally.campaign.landed.total() < asked.blows:
        name = f"study-{tally.studies}"
        tally.add(tally.campaign.study(name, blows, BLOWS_A_STUDY, subject))
        print(tally.studies, dict(tally.campaign.landed), flush=True)
        write_json(asked.out, tally.to_json(asked, None))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--blows", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rungs", action="store_true")
    parser.add_argument("--serial", action="store_true")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Terminal(Path(folder))) as terminal,
    ):
        terminal.program = SERIALLY if asked.serial else terminal.program
        moments = random.Random(asked.seed)  # noqa: S311 -- moments of kills
        tally = Tally(Campaign(terminal, moments))
        try:
            run(tally, asked)
        except AssertionError as error:
            line = traceback.extract_tb(error.__traceback__)[-1].line
            write_json(asked.out, tally.to_json(asked, str(error) or line))
            raise
    print(asked.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
