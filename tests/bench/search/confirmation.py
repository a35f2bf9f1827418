"""How well a winner is chosen and judged: 2,000 searches over known truths.

``python -m tests.bench.search.confirmation --studies 2000 --out FILE.json`` makes searches of 40
trials over landscapes whose truth is known (a hill, waves, a plain without any difference, a hill
whose top is the default), chooses and judges the winner of each in four ways by the program's own
functions, and says of each way: how often it called the winner better than the default where it
is not (false positives, of the studies where it is not), how far the winner is from the best trial
(regret), how often a real gain was found, and how many trainings that took. Intervals are those of
a bootstrap over studies (95 %), or Wilson's for shares.
"""

import argparse
import json
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.jsontext import parse_json
from automl.reports.confirmation import Verdict, confirmed
from automl.reports.strict import strict_json
from automl.study.confirmation import Confirmation
from automl.study.expected import expectations
from automl.study.race import winner
from tests.unit.study.race_kit import UP, Search, finish, search, study_config

Point = NDArray[np.float64]

_TRIALS = 40
_NOISES = (0.01, 0.03)
_SETTINGS = (2, 4, 6)
#: Limits of each way to choose and judge; the first is what others are held against.
WAYS: dict[str, dict[str, int | str]] = {
    "best value alone, 3 seeds": {"confirm": 3, "confirm_top": 0},
    "expected best alone, 3 seeds": {"confirm": 3, "confirm_top": 1},
    "race of 3, 3 seeds": {"confirm": 3, "confirm_top": 3},
    "race of 4, 3 seeds": {"confirm": 3, "confirm_top": 4},
    "race of 3, auto": {"confirm": "auto", "confirm_top": 3},
}


def _hill(centre: Point, size: float, point: Point) -> float:
    return 0.7 - size * float(((point - centre) ** 2).mean())


def _waves(centre: Point, size: float, point: Point) -> float:
    return 0.6 + 0.06 * size * float(np.cos(6.0 * (point - centre)).mean())


def _plain(centre: Point, size: float, point: Point) -> float:
    return 0.5


FAMILIES: dict[str, Callable[[Point, float, Point], float]] = {
    "hill": _hill,
    "waves": _waves,
    "plain": _plain,
    "default on top": _hill,
}


def make(seed: int) -> tuple[str, float, Search]:
    """The family, the noise and the search of a seed."""
    rng = np.random.default_rng(seed)
    name = list(FAMILIES)[seed % len(FAMILIES)]
    noise = _NOISES[seed // len(FAMILIES) % len(_NOISES)]
    n_settings = int(rng.choice(_SETTINGS))
    centre = np.full(n_settings, 0.5) if name == "default on top" else rng.random(n_settings)
    size = float(rng.choice((0.5, 1.0, 3.0)))
    truth = partial(FAMILIES[name], centre, size)
    return name, noise, search(rng, truth, n_settings, noise, _TRIALS)


@dataclass(frozen=True)
class Judged:
    """One study, judged in one way.

    Attributes:
        regret: The best truth of all trials, less the winner's.
        gain: The winner's truth, less the default's.
        is_better: Whether the winner was called better than the default.
        n_trainings: Trainings after the search.
    """

    regret: float
    gain: float
    is_better: bool
    n_trainings: int


def judge(done: Search, noise: float, seed: int, limits: dict[str, int | str]) -> Judged:
    """Chooses and judges the winner; a training's seed gives the same luck in every way."""
    config = study_config(trials=_TRIALS, **limits)

    def value_of(asked: Confirmation) -> float:
        luck = np.random.default_rng([seed, asked.confirms, asked.seed]).standard_normal()
        return float(done.truth[asked.confirms] + noise * luck)

    records = finish(done.records, config, value_of)
    best = winner(records, config)
    assert best is not None
    found = confirmed(records, best.number, config)
    truth = done.truth[best.number]
    return Judged(
        regret=float(done.truth.max() - truth),
        gain=float(truth - done.truth[0]),
        is_better=found is not None and found.verdict is Verdict.BETTER,
        n_trainings=len(records) - len(done.records),
    )


def one(seed: int) -> dict[str, Any]:
    """Everything about the study of a seed."""
    family, noise, done = make(seed)
    values = [record.best_value or 0.0 for record in done.records]
    top = int(np.argmax(values))
    expected = expectations(done.records, UP).best
    assert expected is not None
    return {
        "family": family,
        "noise": noise,
        "observed": float(values[top] - done.truth[top]),
        "expected": float(expected.value - done.truth[expected.number]),
        "z": float((expected.value - done.truth[expected.number]) / (expected.sd or math.inf)),
        "ways": {name: judge(done, noise, seed, limits) for name, limits in WAYS.items()},
    }


def _mean(values: Sequence[float]) -> dict[str, float]:
    """The mean with its bootstrap interval."""
    array = np.asarray(values)
    draws = np.random.default_rng(0).integers(0, len(array), (1000, len(array)))
    low, high = np.quantile(array[draws].mean(axis=1), (0.025, 0.975))
    return {"mean": float(array.mean()), "low": float(low), "high": float(high)}


def _share(n: int, of: int) -> dict[str, float]:
    """A share with Wilson's interval."""
    if not of:
        return {"share": math.nan, "low": 0.0, "high": 1.0, "n": 0}
    z, p = 1.96, n / of
    centre = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return {"share": p, "low": centre - half, "high": centre + half, "n": of}


def summary(studies: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the studies say together."""
    ways: dict[str, Any] = {}
    base = [each["ways"][next(iter(WAYS))].regret for each in studies]
    for name in WAYS:
        judged = [each["ways"][name] for each in studies]
        not_better = [each for each in judged if each.gain <= 0.0]
        better = [each for each in judged if each.gain > 0.01]
        regrets = [each.regret for each in judged]
        ways[name] = {
            "false positives": _share(sum(j.is_better for j in not_better), len(not_better)),
            "gains above 0.01 found": _share(sum(j.is_better for j in better), len(better)),
            "regret": _mean(regrets),
            "regret, share of the first": float(np.mean(regrets) / (np.mean(base) or math.nan)),
            "trainings": _mean([j.n_trainings for j in judged]),
            "trainings, quartiles": np.quantile(
                [j.n_trainings for j in judged], (0.25, 0.5, 0.75)
            ).tolist(),
        }
    overclaim = {}
    for noise in _NOISES:
        some = [each for each in studies if each["noise"] == noise]
        overclaim[str(noise)] = {
            what: _mean([each[what] for each in some]) for what in ("observed", "expected")
        }
    return {
        "studies": len(studies),
        "overclaim by noise": overclaim,
        "expected within 2 sd of the truth": _share(
            sum(abs(each["z"]) <= 2.0 for each in studies), len(studies)
        ),
        "ways": ways,
    }


def _judged(n: int, processes: int, rows: Path | None) -> list[dict[str, Any]]:
    """The studies of the first n seeds; those that the file of rows holds are not judged again."""
    known = []
    if rows is not None and rows.is_file():
        known = list(map(_read, rows.read_text(encoding="utf-8").splitlines()))
    with ProcessPoolExecutor(processes) as pool:
        for each in pool.map(one, range(len(known), n), chunksize=5):
            known.append(each)
            if rows is not None:
                ways = {name: asdict(judged) for name, judged in each["ways"].items()}
                with rows.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({**each, "ways": ways}) + "\n")
    return known[:n]


def _read(line: str) -> dict[str, Any]:
    row = parse_json(line)
    return {**row, "ways": {name: Judged(**judged) for name, judged in row["ways"].items()}}


def main() -> None:
    """Runs the bench, prints what it found, and writes it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--rows", type=Path, help="one line a study; a second run goes on")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    studies = _judged(given.studies, given.processes, given.rows)
    found = {
        "command": f"python -m tests.bench.search.confirmation --studies {given.studies}",
        "seeds": f"0 to {given.studies - 1}",
        **summary(studies),
    }
    by_family = {
        family: summary([each for each in studies if each["family"] == family])["ways"]
        for family in FAMILIES
    }
    text = json.dumps(strict_json({**found, "by family": by_family})[0], indent=1)
    print(json.dumps(found, indent=1))
    if given.out is not None:
        given.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
