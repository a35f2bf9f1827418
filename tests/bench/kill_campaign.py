"""A campaign of random kills and signals on real studies; how many, and what was seen.

``python -m tests.bench.kill_campaign OUT.json --blows 100 --seed 1``; about 15 seconds a blow on
two cores. With ``--rungs`` trials pause and go on; with ``--serial`` they run one at a time,
without Ray. It stops at the first thing that is lost, told twice, or left behind.
"""

import argparse
import json
import platform
import random
import tempfile
import time
from contextlib import closing
from pathlib import Path

from automl.study.records import TrialState
from tests.e2e.campaign import FULL, RUNGS, SERIALLY, Campaign
from tests.e2e.terminal import Terminal

BLOWS_A_STUDY = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--blows", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rungs", action="store_true")
    parser.add_argument("--serial", action="store_true")
    arguments = parser.parse_args()
    began = time.monotonic()
    subject, paused, resumed = RUNGS if arguments.rungs else FULL, 0, 0
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Terminal(Path(folder))) as terminal,
    ):
        terminal.program = SERIALLY if arguments.serial else terminal.program
        campaign = Campaign(terminal, random.Random(arguments.seed))  # noqa: S311 -- moments of kills
        blows, studies = campaign.blows(), 0
        while campaign.landed.total() < arguments.blows:
            records = campaign.study(f"study-{studies}", blows, BLOWS_A_STUDY, subject)
            paused += sum(record.state is TrialState.PRUNED for record in records)
            resumed += sum(record.attempts > 1 for record in records)
            studies += 1
            print(studies, dict(campaign.landed), flush=True)
    result = {
        "seed": arguments.seed,
        "method": subject.method,
        "driver": "serial" if arguments.serial else "ray",
        "studies": studies,
        "blows": campaign.landed.total(),
        "landed": dict(sorted(campaign.landed.items())),
        "lost": 0,
        "trials_stopped_early": paused,
        "trials_of_several_attempts": resumed,
        "longest_end_s": round(campaign.longest_end_s, 1),
        "longest_gone_s": round(campaign.longest_gone_s, 1),
        "wall_s": round(time.monotonic() - began),
        "python": platform.python_version(),
    }
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
