"""By how much variants differ from one of them, mean of the pairs of one seed.

    python -m tests.bench.search.paired FILE [--seeds LO HI] [--against NAME]

The file holds rows of one search each: the choice, the landscape, the seed, and the value after
some numbers of trainings. Prints the mean difference by landscape, and the mean over landscapes,
each ± its standard error; those of TaskSet, whose unit is another one, by themselves. With
``--seeds`` only seeds from LO to below HI count.
"""

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from automl.jsontext import read_json
from tests.bench.search.cube_problems import TASKSET

__all__ = ["SHOWN", "Row", "differences", "read_rows", "table"]

#: The numbers of trainings after which values are kept.
SHOWN = (10, 25, 50)

Row = Mapping[str, Any]


def read_rows(path: Path, low: float = 0, high: float = math.inf) -> list[Row]:
    """The rows of a file whose seeds are from low to below high."""
    return [row for row in read_json(path)["rows"] if low <= row["seed"] < high]


def differences(
    rows: Sequence[Row], against: str, cost: int
) -> dict[str, dict[str, tuple[float, float]]]:
    """Mean and its standard error by choice and landscape; ``made up`` and ``TaskSet`` for all."""
    values: dict[tuple[str, str], dict[int, float]] = {}
    for row in rows:
        if str(cost) in row["at"]:
            key = row["choice"], row["landscape"]
            values.setdefault(key, {})[row["seed"]] = row["at"][str(cost)]
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for (choice, landscape), own in values.items():
        base = values.get((against, landscape), {})
        gaps = np.array([own[seed] - base[seed] for seed in own if seed in base])
        if len(gaps) and choice != against:
            error = float(gaps.std()) / math.sqrt(len(gaps))
            found.setdefault(choice, {})[landscape] = float(gaps.mean()), error
    return {choice: each | _over_all(each) for choice, each in found.items()}


def _over_all(by_landscape: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Means over the landscapes, which count alike, and their standard errors."""
    kinds: Mapping[str, Callable[[str], bool]] = {
        "made up": lambda name: not name.startswith(TASKSET),
        "TaskSet": lambda name: name.startswith(TASKSET),
    }
    found = {}
    for kind, belongs in kinds.items():
        several = np.array([pair for name, pair in by_landscape.items() if belongs(name)])
        if len(several):
            error = math.sqrt(float(np.square(several[:, 1]).sum())) / len(several)
            found[kind] = float(several[:, 0].mean()), error
    return found


def table(rows: Sequence[Row], against: str) -> list[str]:
    """Lines: a choice and a landscape, and the difference after each number of trainings."""
    by_cost = [differences(rows, against, cost) for cost in SHOWN]
    lines = [f"difference from '{against}' after {', '.join(map(str, SHOWN))}"]
    for choice, each in by_cost[0].items():
        for landscape in each:
            pairs = [one[choice][landscape] for one in by_cost if landscape in one.get(choice, {})]
            shown = "  ".join(f"{mean:+.4f} ± {error:.4f}" for mean, error in pairs)
            lines.append(f"{choice:24} {landscape:16} {shown}")
    return [*lines, *_values_of(rows, against), *_trials(rows)]


def _values_of(rows: Sequence[Row], choice: str) -> list[str]:
    """The mean values of a choice by landscape, and how many searches they are of."""
    own = [row for row in rows if row["choice"] == choice]
    lines = [f"values of '{choice}', and of how many searches"]
    for landscape in dict.fromkeys(row["landscape"] for row in own):
        found = [row["at"] for row in own if row["landscape"] == landscape]
        costs = [str(cost) for cost in SHOWN if str(cost) in found[0]]
        shown = "  ".join(f"{np.mean([each[cost] for each in found]):.4f}" for cost in costs)
        lines.append(f"{choice:24} {landscape:16} {shown}  ({len(found)})")
    return lines


def _trials(rows: Sequence[Row]) -> list[str]:
    """How many trials a search of each choice began, where rows say so."""
    begun: dict[str, list[int]] = {}
    for row in rows:
        if "trials" in row:
            begun.setdefault(row["choice"], []).append(row["trials"])
    return [f"{choice:24} trials {np.mean(each):.0f}" for choice, each in begun.items()]


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table of a file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--seeds", type=int, nargs=2, metavar=("LO", "HI"))
    parser.add_argument("--against", help="the choice of the first row unless given")
    asked = parser.parse_args(arguments)
    rows = read_rows(asked.file, *(asked.seeds or ()))
    print("\n".join(table(rows, asked.against or rows[0]["choice"])))


if __name__ == "__main__":
    main()
