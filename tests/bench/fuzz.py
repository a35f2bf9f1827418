"""Thousands of inputs of each kind of ``tests/fuzzing``, counted, with the
processor time of each.

::

    python -m tests.bench.fuzz [--inputs 10000] [--seed 0] [KIND ...]

Prints for each kind how many inputs were read and how many refused, by which rules, the slowest,
and every fault. Exits 1 if there was a fault or an input took longer than five seconds.
"""

import argparse
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzzing.kind import READ, Kind
from tests.fuzzing.table import KINDS

LIMIT_S = 5.0
_SHOWN = 12


@dataclass(slots=True)
class Tally:
    """What came of the inputs of one kind."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)
    slowest_s: float = 0.0
    slowest: str = ""

    @property
    def count(self) -> int:
        """Inputs that were tried."""
        return self.outcomes.total()


def fuzz(kind: Kind, inputs: int, number: int, folder: Path) -> Tally:
    """Tries inputs of a kind."""
    tally = Tally()

    def attempt(value: Any) -> None:
        began = time.process_time()
        try:
            outcome = kind.outcome(value, folder)
        except Exception as error:  # noqa: BLE001 - a fault is what is looked for
            outcome = f"fault: {type(error).__name__}: {str(error)[:100]}"
            tally.faults.setdefault(outcome, repr(value)[:2000])
        took = time.process_time() - began
        if took > tally.slowest_s:
            tally.slowest_s, tally.slowest = took, repr(value)[:300]
        tally.outcomes[outcome] += 1

    run = settings(
        max_examples=inputs,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )(seed(number)(given(kind.strategy)(attempt)))
    run()
    return tally


def main(argv: list[str]) -> int:
    """Runs the kinds that are named, else all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    arguments = parser.parse_args(argv)
    warnings.simplefilter("error")
    is_bad = False
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.kinds or KINDS:
            tally = fuzz(KINDS[name], arguments.inputs, arguments.seed, Path(folder))
            is_bad |= bool(tally.faults) or tally.slowest_s > LIMIT_S
            _show(name, tally)
    return int(is_bad)


def _show(name: str, tally: Tally) -> None:
    n_read = tally.outcomes[READ]
    n_faults = sum(tally.outcomes[fault] for fault in tally.faults)
    n_refused = tally.count - n_read - n_faults
    n_rules = len(tally.outcomes) - len(tally.faults) - bool(n_read)
    print(
        f"{name}: {tally.count} inputs, {n_read} read, {n_refused} refused by {n_rules} rules,"
        f" {n_faults} faults, slowest {tally.slowest_s:.3f} s"
    )
    for outcome, count in tally.outcomes.most_common(_SHOWN):
        print(f"  {count:>6}  {outcome[:110]}")
    print(f"  slowest: {tally.slowest}")
    for fault, value in tally.faults.items():
        print(f"  FAULT {fault}\n    {value}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
