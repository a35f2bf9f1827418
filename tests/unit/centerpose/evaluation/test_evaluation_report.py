import dataclasses

import pytest

from automl.centerpose.evaluation.measures import IOU_3D, MEASURES
from automl.centerpose.evaluation.metrics import EvaluationResult, summarise
from automl.centerpose.evaluation.report import report_text, table


@pytest.fixture
def result() -> EvaluationResult:
    curves = {m.name: tuple(i / 100.0 for i in range(21)) for m in MEASURES}
    return dataclasses.replace(
        summarise([]),
        ap50=0.4375,
        mpe=0.0625,
        curves=curves,
        means={m.name: 0.5 + i for i, m in enumerate(MEASURES)},
        n_images=7,
        n_objects=9,
    )


def rows_of(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_headlines_and_counts_come_first(result: EvaluationResult) -> None:
    text = report_text(result)
    assert text.splitlines()[0] == "7 images, 9 objects, 0 detections, 0 matched"
    assert ["test_3DIoU", "0.43750"] in rows_of(text)
    assert ["val_2DMPE", "0.06250"] in rows_of(report_text(result, split="val"))


def test_means_stand_before_the_rows_by_threshold(result: EvaluationResult) -> None:
    text = report_text(result)
    assert text.index("Means over") < text.index("Average precision by threshold")
    assert ["polar (deg)", "3.50000"] in rows_of(text)


def test_thresholds_are_the_ones_that_were_used(result: EvaluationResult) -> None:
    """The first table holds four measures, each a threshold and its value."""
    rows = [row for row in rows_of(report_text(result)) if len(row) == 8]
    assert rows[0][::2] == ["3D IoU", "2D error (image sides)", "azimuth (deg)", "polar (deg)"]
    assert rows[1] == ["0", "0.0000"] * 4
    assert rows[11] == ["0.5", "0.1000", "0.05", "0.1000", "15", "0.1000", "10", "0.1000"]
    assert rows[21][::2] == ["1", "0.1", "30", "20"]
    assert len(rows) == 22


def test_our_own_figures_are_labelled(result: EvaluationResult) -> None:
    text = report_text(result)
    assert text.index("not part of the container's report") > text.index("ADD-S (m)")
    assert ["AP at 3D IoU 0.75", "0.00000"] in rows_of(text)


def test_every_measure_is_in_the_report(result: EvaluationResult) -> None:
    text = report_text(result)
    assert all(measure.title in text for measure in MEASURES)
    assert IOU_3D in result.curves


def test_a_table_aligns_its_cells() -> None:
    assert table(("name", "n"), [("a", "10"), ("long one", "2")]) == "\n".join(
        [
            "+----------+----+",
            "| name     |  n |",
            "|----------+----|",
            "| a        | 10 |",
            "| long one |  2 |",
            "+----------+----+",
        ]
    )
