"""What of a training shows early how it will end: from recorded trainings, as Markdown.

    python -m tests.bench.search.signals FILE.jsonl... [--into README.md]

Of each file: the rank correlation (Spearman) of every signal with the best ``val_3DIoU`` of the
whole training, epoch by epoch; and what successive halving by it finds. The default, which was
trained with several seeds, is left out. ``--into`` replaces what stands below the line ``MARK``
of a file.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata, spearmanr

from automl.search.curve_file import CurveFile, read_curve_file

MARK = "<!-- Below this line: python -m tests.bench.search.signals -->"
OBJECTIVE = "val_3DIoU"
HIGHER = (OBJECTIVE, "val_candidate_accuracy", "val_candidate_3DIoU")
LOWER = ("train_loss", "val_loss")
TOGETHER = ("train_loss", "val_loss", "val_candidate_accuracy")
PLANS = (
    ((6, 2), (3, 6), (2, 12)),
    ((12, 2), (4, 4), (2, 12)),
    ((12, 3), (4, 6), (2, 12)),
    ((18, 2), (6, 6), (2, 12)),
)
EPOCHS = (1, 2, 3, 4, 5, 6, 8, 10)
ORDERS, RESAMPLES = 2000, 500
Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Score = Callable[[Rows, int], Values]


@dataclass(frozen=True)
class Trainings:
    """N trainings of E epochs.

    Attributes:
        name: Of the file.
        signals: Name to (N, E) values, more is better: the best so far; of the training loss, the
            last.
        final: (N,) the best objective of the whole training.
    """

    name: str
    signals: dict[str, Values]
    final: Values

    def scores(self) -> dict[str, Score]:
        """How a cohort may be ranked after so many epochs."""

        def alone(name: str) -> Score:
            return lambda rows, epoch: self.signals[name][rows, epoch - 1]

        def together(rows: Rows, epoch: int) -> Values:
            values = (self.signals[name][rows, epoch - 1] for name in TOGETHER)
            total: Values = np.sum([rankdata(each) for each in values], axis=0)
            return total

        found = {name: alone(name) for name in self.signals}
        if set(TOGETHER) <= set(self.signals):
            found["three ranks"] = together
        return found


def read(path: Path) -> Trainings:
    """The trainings of a file that ran to their end, the default left out."""
    file = read_curve_file(path)
    default = {key: parameter_default(file, key) for key in file.space.keys}
    rows = [r for r in file.recordings if r.curve.failure is None and dict(r.params) != default]
    signals = {}
    for name in (*HIGHER, *LOWER):
        if name in file.metrics:
            sign = 1.0 if name in HIGHER else -1.0
            values = [[sign * e.metrics[name] for e in row.curve.epochs] for row in rows]
            last = np.array(values)
            signals[name] = last if name == "train_loss" else np.maximum.accumulate(last, axis=1)
    return Trainings(path.stem, signals, signals[OBJECTIVE][:, -1])


def parameter_default(file: CurveFile, key: str) -> object:
    return next(each.default for each in file.space.parameters if each.key == key)


def correlation(score: Values, final: Values) -> float:
    if np.ptp(score) == 0.0:
        return float("nan")
    return float(spearmanr(score, final).statistic)


def correlations(trainings: Trainings) -> list[list[str]]:
    """A row an epoch: share of trainings without a hit, and each signal's rank correlation."""
    everyone = np.arange(len(trainings.final))
    scores = trainings.scores()
    rows = [["epoch of 12", "share still at 0", *scores]]
    for epoch in EPOCHS:
        flat = float(np.mean(trainings.signals[OBJECTIVE][:, epoch - 1] <= 0.0))
        found = [correlation(score(everyone, epoch), trainings.final) for score in scores.values()]
        rows.append([str(epoch), f"{flat:.2f}", *(_text(value, 2) for value in found)])
    return rows


def differences(trainings: Trainings) -> list[list[str]]:
    """How much better each signal correlates than the training loss, with 90 % intervals."""
    rng, scores = np.random.default_rng(0), trainings.scores()
    others = [name for name in scores if name != "train_loss"]
    rows = [["epoch of 12", *others]]
    draws = [
        rng.integers(len(trainings.final), size=len(trainings.final)) for _ in range(RESAMPLES)
    ]
    for epoch in (2, 3, 4, 6):
        cells = []
        for name in others:
            apart = [
                correlation(scores[name](draw, epoch), trainings.final[draw])
                - correlation(scores["train_loss"](draw, epoch), trainings.final[draw])
                for draw in draws
            ]
            low, high = np.nanquantile(apart, (0.05, 0.95))
            cells.append(f"{low:+.2f} to {high:+.2f}")
        rows.append([str(epoch), *cells])
    return rows


def halving(trainings: Trainings) -> list[list[str]]:
    """What each plan finds by each signal, and full trainings at the same cost."""
    scores = trainings.scores()
    rows = [["plan (trials @ epochs)", "cost", *scores, "full trainings"]]
    for plan in PLANS:
        before = [(0, 0), *plan[:-1]]
        cost = sum(n * (e - b[1]) for (n, e), b in zip(plan, before, strict=True)) / plan[-1][1]
        found = [
            np.mean([_halved(trainings, plan, score, order) for order in _orders(trainings)])
            for score in scores.values()
        ]
        full = np.mean(
            [trainings.final[order[: round(cost)]].max() for order in _orders(trainings)]
        )
        text = ", ".join(f"{n}@{epochs}" for n, epochs in plan)
        rows.append([text, f"{cost:.1f}", *(_text(float(v), 3) for v in (*found, full))])
    return rows


def _orders(trainings: Trainings) -> Sequence[Rows]:
    rng = np.random.default_rng(1)
    return [rng.permutation(len(trainings.final)) for _ in range(ORDERS)]


def _halved(
    trainings: Trainings, plan: Sequence[tuple[int, int]], score: Score, order: Rows
) -> float:
    """The best of the last rung; equal scores keep the random order they came in."""
    cohort = order[: plan[0][0]]
    for (_, epochs), (kept, _) in pairwise(plan):
        best = np.argsort(-score(cohort, epochs), kind="stable")
        cohort = cohort[best[:kept]]
    return float(trainings.final[cohort].max())


def _text(value: float, digits: int) -> str:
    return "-" if np.isnan(value) else f"{value:.{digits}f}"


def markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    rule = ["---:"] * len(head)
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *body))


def report(trainings: Trainings) -> str:
    """The section of a file."""
    n = len(trainings.final)
    return "\n\n".join(
        [
            f"## {trainings.name}",
            f"Rank correlation with the best {OBJECTIVE} of the whole training, {n} trainings:",
            markdown(correlations(trainings)),
            f"That of each signal minus that of `train_loss`, 90 % of {RESAMPLES} resamples:",
            markdown(differences(trainings)),
            f"Successive halving, mean final best over {ORDERS} random orders:",
            markdown(halving(trainings)),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--into", type=Path)
    asked = parser.parse_args()
    text = "\n\n".join(report(read(path)) for path in asked.files) + "\n"
    if asked.into is None:
        print(text)
        return
    head = asked.into.read_text().split(MARK)[0]
    asked.into.write_text(f"{head}{MARK}\n\n{text}")


if __name__ == "__main__":
    main()
