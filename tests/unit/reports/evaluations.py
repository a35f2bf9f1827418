"""Evaluations in a study's folder, as ``automl evaluate`` leaves them."""

from pathlib import Path

import numpy as np

from automl.poses.metrics import METRICS
from automl.poses.parquet import write_poses
from automl.poses.sample import sample_of
from automl.poses.table import PoseTable
from automl.study.actions import ActionRecord, Origin, new_folder, write_action
from tests.unit.poses.make_tables import table_of
from tests.unit.reports.study_builder import StudyBuilder, sha256_of_trial

#: The smallest JPEG header that a reader of bytes can tell.
JPEG = b"\xff\xd8\xff\xe0" + b"0" * 2000


def evaluate(
    builder: StudyBuilder,
    trial: int,
    data: str,
    value: float | None,
    table: PoseTable | None = None,
    evidence: str = "",
) -> Path:
    """Adds an evaluation of a trial's result; returns its folder."""
    folder = new_folder(builder.paths.actions, "evaluate")
    folder.mkdir(parents=True)
    digest = sha256_of_trial(trial)
    number = int(folder.name.rpartition("-")[2])
    record = ActionRecord(
        action="evaluate",
        deploy=False,
        trainer="process",
        ok=not evidence,
        exit_code=1 if evidence else 0,
        evidence=evidence,
        origin=Origin(f"/models/{trial}.pth", digest, digest, trial, 4, "the best epoch"),
        data={"dataset.test_data": data},
        metrics={} if value is None else {"test_3DIoU": value, "test_2DMPE": 0.02},
        started_at=f"2026-11-22T15:{number:02d}:00+00:00",
    )
    write_action(folder, record)
    if table is not None:
        write_poses(folder, table)
        pictures = folder / "pictures"
        pictures.mkdir()
        for index in np.unique(table.numbers("index").astype(int)):
            (pictures / f"{index:06d}.jpg").write_bytes(JPEG)
    return folder


def poses_like(overlaps: "np.typing.NDArray[np.float64]", **facts: object) -> PoseTable:
    """One object an image, found with the overlaps given; NaN for one that was not."""
    rows = []
    for index, overlap in enumerate(overlaps):
        row = {name: values[index] for name, values in facts.items()}  # type: ignore[index]
        found = not np.isnan(overlap)
        error = {"score": 0.5 + index / 1000, "iou_3d": float(overlap)}
        rows.append({"index": index, **(error if found else {"score": np.nan}), **row})
    return table_of(rows)


def ap50(overlaps: "np.typing.NDArray[np.float64]") -> float:
    """What the trainer would report of such poses."""
    sample = sample_of(poses_like(overlaps))
    metric = next(each for each in METRICS if each.name == "ap_iou_50")
    return float(metric.statistic(sample).values(np.ones((1, len(overlaps))))[0])
