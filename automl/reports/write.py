"""The report folder: every format of one summary, each file replaced whole."""

import io
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd

from automl.files import write_bytes
from automl.inside import read_file
from automl.reports.html import render_html
from automl.reports.json_text import document_text
from automl.reports.markdown import render_markdown
from automl.reports.model import Summary
from automl.reports.poses.page import PosePart, pose_part
from automl.reports.race_table import contestants_of
from automl.reports.summary import read_summary
from automl.reports.tables import attempts_frame, epochs_frame, trials_csv, trials_frame
from automl.study.gpu_samples import write_samples
from automl.study.layout import StudyPaths
from automl.study.sweep import sweep

__all__ = ["render_json", "write_report", "write_summary"]


def write_report(
    folder: Path,
    *,
    images: bool = True,
    formats: Collection[str] | None = None,
    price: float | None = None,
) -> tuple[Path, ...]:
    """Writes the report of the study in ``folder`` and returns the files, the page first.

    Args:
        folder: The study.
        images: Whether pictures of its data are shown, where the study does not forbid it.
        formats: Which of ``html``, ``md``, ``csv``, ``parquet`` and ``json``; None for all.
        price: What a GPU hour cost; None for what the study says.

    Raises:
        FixInput: The folder holds no readable study, or its storage has lost trials that have
            folders: a report that shows trials is never replaced by one that shows fewer.
    """
    summary = read_summary(folder)
    sweep(StudyPaths(folder))
    write_samples(StudyPaths(folder))
    may_show = images and summary.config.report_images == "inline"
    if price is not None:
        summary = replace(summary, config=replace(summary.config, price_per_gpu_hour=price))
    return write_summary(summary, images=may_show, formats=formats)


def write_summary(
    summary: Summary, *, images: bool = True, formats: Collection[str] | None = None
) -> tuple[Path, ...]:
    """Writes formats of a summary into the study's report folder.

    Args:
        summary: The study.
        images: Whether pictures of its data are shown.
        formats: Which of them; None for all.

    Raises:
        FixInput: A link stands in the place of that folder.
    """
    target = StudyPaths(summary.folder).report
    poses = pose_part(summary, images=images)
    renderers: Mapping[str, Callable[[], bytes]] = {
        "index.html": lambda: render_html(summary, poses),
        "summary.md": lambda: render_markdown(summary),
        "trials.csv": lambda: trials_csv(summary),
        "trials.parquet": lambda: _parquet(trials_frame(summary)),
        "attempts.parquet": lambda: _parquet(attempts_frame(summary)),
        "epochs.parquet": lambda: _parquet(epochs_frame(summary)),
        **_samples(summary),
        "report.json": lambda: render_json(summary, poses),
    }
    written = []
    for name, render in renderers.items():
        if formats is None or name.rpartition(".")[2] in formats:
            write_bytes(target / name, render(), summary.folder)
            written.append(target / name)
    return tuple(written)


def _samples(summary: Summary) -> Mapping[str, Callable[[], bytes]]:
    """The table of what the GPUs did, as it lies in the study's folder; nothing without one."""
    table = StudyPaths(summary.folder).gpu_table

    def content() -> bytes:
        with read_file(table) as file:
            return file.read()

    return {table.name: content} if table.is_file() and not table.is_symlink() else {}


def render_json(summary: Summary, poses: PosePart | None = None) -> bytes:
    """``report.json``: the whole summary, and the metrics of poses, as strict JSON in UTF-8."""
    scores = [] if poses is None else [asdict(each) for each in poses.scores]
    race = [asdict(each) for each in contestants_of(summary)]
    content = {**summary.to_json(), "race": race, "poses": scores}
    return f"{document_text(content)}\n".encode(errors="backslashreplace")


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, engine="pyarrow", index=False)
    return buffer.getvalue()
