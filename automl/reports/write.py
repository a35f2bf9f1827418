"""The report folder: every format of one summary, each file replaced whole."""

import io
import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from automl.files import write_bytes
from automl.reports.html import render_html
from automl.reports.markdown import render_markdown
from automl.reports.model import Summary
from automl.reports.poses.page import PosePart, pose_part
from automl.reports.summary import read_summary
from automl.reports.tables import epochs_frame, trials_csv, trials_frame
from automl.study.gpu_samples import write_samples
from automl.study.layout import StudyPaths
from automl.study.sweep import sweep

__all__ = ["render_json", "write_report", "write_summary"]


def write_report(folder: Path, *, images: bool = True) -> tuple[Path, ...]:
    """Writes the report of the study in ``folder`` and returns the files, the page first.

    Args:
        folder: The study.
        images: Whether pictures of its data are shown, where the study does not forbid it.

    Raises:
        FixInput: The folder holds no readable study, or its storage has lost trials that have
            folders: a report that shows trials is never replaced by one that shows fewer.
    """
    summary = read_summary(folder)
    sweep(StudyPaths(folder))
    write_samples(StudyPaths(folder))
    return write_summary(summary, images=images and summary.config.report_images == "inline")


def write_summary(summary: Summary, *, images: bool = True) -> tuple[Path, ...]:
    """Writes every format of a summary into the study's report folder.

    Args:
        summary: The study.
        images: Whether pictures of its data are shown.

    Raises:
        FixInput: A link stands in the place of that folder.
    """
    target = StudyPaths(summary.folder).report
    poses = pose_part(summary, images=images)
    contents = {
        "index.html": render_html(summary, poses),
        "summary.md": render_markdown(summary),
        "trials.csv": trials_csv(summary),
        "trials.parquet": _parquet(trials_frame(summary)),
        "epochs.parquet": _parquet(epochs_frame(summary)),
        "report.json": render_json(summary, poses),
    }
    for name, content in contents.items():
        write_bytes(target / name, content, summary.folder)
    return tuple(target / name for name in contents)


def render_json(summary: Summary, poses: PosePart | None = None) -> bytes:
    """``report.json``: the whole summary, and the metrics of poses, as strict JSON in UTF-8."""
    scores = [] if poses is None else [asdict(each) for each in poses.scores]
    text = json.dumps(
        {**summary.to_json(), "poses": scores}, indent=2, allow_nan=False, ensure_ascii=False
    )
    return f"{text}\n".encode(errors="backslashreplace")


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, engine="pyarrow", index=False)
    return buffer.getvalue()
