"""The recorded trainings of the repository, and the tables that their README shows."""

from pathlib import Path

import pytest

from automl.jsontext import parse_json
from automl.search.curve_file import read_curve_file
from tests.bench.search.signals import correlations, markdown, read

FOLDER = Path(__file__).parents[3] / "studies" / "reference" / "curves"
NAMES = ["centerpose-B", "centerpose-C"]


def ranks(values: list[float]) -> list[float]:
    """Mean ranks, by comparing every value with every other."""
    return [sum((other < value) + 0.5 * (other == value) for other in values) for value in values]


def slow_correlation(one: list[float], two: list[float]) -> float:
    x, y = ranks(one), ranks(two)
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    top = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    bottom = sum((a - mean_x) ** 2 for a in x) * sum((b - mean_y) ** 2 for b in y)
    return float(top / bottom**0.5)


@pytest.mark.parametrize("name", NAMES)
def test_every_training_is_whole(name: str) -> None:
    file = read_curve_file(FOLDER / f"{name}.jsonl")
    assert len(file.recordings) == 48
    assert {"val_3DIoU", "val_loss", "val_candidate_accuracy", "train_loss"} <= set(file.metrics)
    for each in file.recordings:
        assert each.curve.failure is None
        assert len(each.curve.epochs) == 12
        assert all(set(epoch.metrics) == set(file.metrics) for epoch in each.curve.epochs)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_shows_what_the_files_hold(name: str) -> None:
    table = markdown(correlations(read(FOLDER / f"{name}.jsonl")))
    assert table in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_correlation_of_the_page_is_that_of_plain_ranks() -> None:
    lines = (FOLDER / "centerpose-C.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(parse_json, lines[1:]) if row["number"] % 10]  # not the default
    final = [max(row["metrics"]["val_3DIoU"]) for row in rows]
    early = [-min(row["metrics"]["val_loss"][:4]) for row in rows]
    (shown,) = [row for row in correlations(read(FOLDER / "centerpose-C.jsonl")) if row[0] == "4"]
    head = correlations(read(FOLDER / "centerpose-C.jsonl"))[0]
    assert shown[head.index("val_loss")] == f"{slow_correlation(early, final):.2f}"
