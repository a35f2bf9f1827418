"""Tables of the results: medians and quartiles, and paired differences with their intervals.

    python -m tests.bench.search.summary [--base auto] [--at 5 10 25 50] [--json summary.json]

A cost is in full trainings; the value at a cost is what the method would have answered with,
scored without noise. A run that has no answer yet counts as the worst value, one that never comes
within half a per cent of the optimum as costing more than its budget. Differences are between runs
of the same seed, which share their landscape; the interval is a bootstrap's over seeds.
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from automl.jsontext import read_json
from automl.study.config import Direction, Objective
from tests.bench.search.problem import Trace

RESULTS = Path(__file__).with_name("results")
_CLOSE = 0.995
_NOTHING = "-"
_RESAMPLES = 10_000
# Seeds below which an interval says more than it knows.
_FEWEST = 5
_SHARES = (0.25, 0.5, 0.75)
#: The columns of the table that stands for all of them.
_LEAD = (("default2", None), ("six", 25.0), ("six", 50.0))
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Runs:
    """The runs of one method on one family.

    Attributes:
        family: Its name.
        method: Its name, with the places behind an ``@``.
        objective: Which way is better.
        traces: By seed.
        optimum: By seed.
        budget: By seed, in full trainings.
    """

    family: str
    method: str
    objective: Objective
    traces: Mapping[int, Trace]
    optimum: Mapping[int, float]
    budget: Mapping[int, float]

    @classmethod
    def read(cls, path: Path) -> "Runs":
        """The runs of a file."""
        value = read_json(path)
        seeds = {int(seed): trace for seed, trace in value["seeds"].items()}
        return cls(
            value["family"],
            f"{value['method']}@{value['places']}",
            Objective("", Direction(value["direction"])),
            {seed: Trace.from_json(each) for seed, each in seeds.items()},
            {seed: each["optimum"] for seed, each in seeds.items()},
            {seed: each["budget"] for seed, each in seeds.items()},
        )

    def values(self, at: float) -> dict[int, float]:
        """Seed to the value after a cost, of the runs that may have spent it."""
        worst = 0.0 if self.objective.direction is Direction.MAXIMIZE else math.inf
        found = {seed: t.at(at) for seed, t in self.traces.items() if self.budget[seed] >= at}
        return {seed: worst if value is None else value for seed, value in found.items()}

    def costs(self) -> dict[int, float]:
        """Seed to the cost of coming close to the optimum; infinite where it never did."""
        found = {seed: self._cost(seed) for seed in self.traces}
        return {seed: math.inf if cost is None else cost for seed, cost in found.items()}

    def _cost(self, seed: int) -> float | None:
        best = self.optimum[seed]
        is_max = self.objective.direction is Direction.MAXIMIZE
        goal = best * _CLOSE if is_max else best * (2.0 - _CLOSE)
        return self.traces[seed].cost_to(self.objective, goal)


@dataclass(frozen=True, slots=True)
class Spread:
    """Quartiles over seeds.

    Attributes:
        n: How many.
        low: A quarter is below.
        middle: The median.
        high: A quarter is above.
    """

    n: int
    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread | None":
        """The quartiles of some values, each one of them; None where there are none."""
        if not values:
            return None
        low, middle, high = np.quantile(values, _SHARES, method="nearest").tolist()
        return cls(len(values), low, middle, high)

    def text(self, digits: int, most: float = math.inf) -> str:
        """``12 (9 .. 20)``; what is infinite is above ``most``."""

        def shown(value: float) -> str:
            return f"{value:.{digits}f}" if math.isfinite(value) else f"> {most:.0f}"

        return f"{shown(self.middle)} ({shown(self.low)} .. {shown(self.high)})"


@dataclass(frozen=True, slots=True)
class Difference:
    """One method against another over the same seeds.

    Attributes:
        n: Seeds that both have.
        mean: How much better the first is, on average.
        low: The lower end of the 95 % interval of the mean.
        high: The upper end.
    """

    n: int
    mean: float
    low: float
    high: float

    @classmethod
    def of(
        cls, one: Mapping[int, float], other: Mapping[int, float], objective: Objective
    ) -> "Difference | None":
        """By how much the first is better; None with fewer than five seeds in common."""
        both = sorted(one.keys() & other.keys())
        pairs = [(objective.loss(other[s]), objective.loss(one[s])) for s in both]
        gains = np.array([before - after for before, after in pairs])
        if len(gains) < _FEWEST or not np.isfinite(gains).all():
            return None
        low, high = _interval(gains)
        return cls(len(gains), float(gains.mean()), low, high)

    @property
    def text(self) -> str:
        """``+0.050 [+0.031, +0.069]``."""
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


def _interval(gains: Values) -> tuple[float, float]:
    """The percentile bootstrap's 95 % interval of the mean."""
    rng = np.random.default_rng(0)
    means = rng.choice(gains, (_RESAMPLES, len(gains))).mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975)).tolist()
    return low, high


def read_all() -> dict[tuple[str, str], Runs]:
    """Every result, by family and method."""
    found = (Runs.read(path) for path in sorted(RESULTS.glob("*/*.json")))
    return {(runs.family, runs.method): runs for runs in found}


def names(results: Mapping[tuple[str, str], Runs], which: int) -> list[str]:
    """The families (0) or the methods (1) that there are."""
    return list(dict.fromkeys(key[which] for key in sorted(results)))


def row(cells: Sequence[str]) -> str:
    """A line of a markdown table."""
    return f"| {' | '.join(cells)} |"


def lead(results: Mapping[tuple[str, str], Runs]) -> list[str]:
    """The table that stands for all: the default space, and six settings."""
    head = ("", "n", "to 0.79 of 0.794, default space", "6 settings, @25", "6 settings, @50")
    lines = [row(head), row(("---", *["---:"] * 4))]
    for method in names(results, 1):
        found = [results.get((family, method)) for family, _ in _LEAD]
        if not method.endswith("@1") or all(runs is None for runs in found):
            continue
        n = max(len(runs.traces) for runs in found if runs is not None)
        cells = [
            _NOTHING if runs is None else _cell(runs, at)
            for runs, (_, at) in zip(found, _LEAD, strict=True)
        ]
        lines.append(row((method.removesuffix("@1"), str(n), *cells)))
    return lines


def _cell(runs: Runs, at: float | None) -> str:
    if at is not None:
        spread = Spread.of(list(runs.values(at).values()))
        return _NOTHING if spread is None else spread.text(3)
    spread = Spread.of(list(runs.costs().values()))
    return _NOTHING if spread is None else spread.text(0, min(runs.budget.values()))


def by_family(results: Mapping[tuple[str, str], Runs], at: float) -> list[str]:
    """The value of every method on every family after a cost."""
    methods = names(results, 1)
    lines = [row((f"@{at:g}", *methods)), row(("---", *["---:"] * len(methods)))]
    for family in names(results, 0):
        spreads = [
            None if runs is None else Spread.of(list(runs.values(at).values()))
            for runs in (results.get((family, method)) for method in methods)
        ]
        if any(spreads):
            lines.append(row((family, *(_NOTHING if s is None else s.text(3) for s in spreads))))
    return lines


def against(
    results: Mapping[tuple[str, str], Runs], base: str, at: float
) -> dict[str, dict[str, Difference]]:
    """Family to method to by how much the base is better than it after a cost."""
    found: dict[str, dict[str, Difference]] = {}
    for (family, method), runs in results.items():
        ours = results.get((family, f"{base}@{method.rpartition('@')[2]}"))
        if ours is None or ours is runs:
            continue
        difference = Difference.of(ours.values(at), runs.values(at), runs.objective)
        if difference is not None:
            found.setdefault(family, {})[method] = difference
    return found


def differences(found: Mapping[str, Mapping[str, Difference]], base: str, at: float) -> list[str]:
    """The same as a table."""
    methods = list(dict.fromkeys(method for row in found.values() for method in sorted(row)))
    lines = [row((f"{base} minus, @{at:g}", *methods)), row(("---", *["---:"] * len(methods)))]
    for family, cells in found.items():
        texts = (cells[method].text if method in cells else _NOTHING for method in methods)
        lines.append(row((family, *texts)))
    return lines


def as_json(results: Mapping[tuple[str, str], Runs], base: str, at: Sequence[float]) -> Any:
    """Everything that the tables show."""
    return {
        "schema": "automl.search-bench-summary/1",
        "base": base,
        "spreads": [
            {
                "family": family,
                "method": method,
                "n": len(runs.traces),
                "cost": _finite(Spread.of(list(runs.costs().values()))),
                "values": {f"{cost:g}": _finite(Spread.of(list(runs.values(cost).values())))
                           for cost in at},
            }
            for (family, method), runs in sorted(results.items())
        ],
        "differences": {
            f"{cost:g}": {
                family: {method: asdict(each) for method, each in cells.items()}
                for family, cells in against(results, base, cost).items()
            }
            for cost in at
        },
    }  # fmt: skip


def _finite(spread: Spread | None) -> dict[str, float | None] | None:
    """A spread with null for what was never reached."""
    if spread is None:
        return None
    return {name: n if math.isfinite(n) else None for name, n in asdict(spread).items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base", default="auto", help="the method that others are held against")
    parser.add_argument("--at", type=float, nargs="+", default=[5.0, 10.0, 25.0, 50.0])
    parser.add_argument("--json", type=Path, help="write everything there as well")
    asked = parser.parse_args()
    results = read_all()
    print("\n".join(lead(results)))
    for at in asked.at:
        found = against(results, asked.base, at)
        print("", *by_family(results, at), sep="\n")
        if found:
            print("", *differences(found, asked.base, at), sep="\n")
    if asked.json:
        value = as_json(results, asked.base, asked.at)
        asked.json.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
