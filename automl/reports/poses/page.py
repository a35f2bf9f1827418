"""The part of the page that shows poses: scores, side by side, the worst, in three dimensions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from automl.poses.choice import side_by_side, worst_targets
from automl.poses.factors import gain_of
from automl.poses.known_size import KnownSize
from automl.poses.metrics import metrics_by
from automl.poses.sample import Sample
from automl.poses.table import PoseTable
from automl.reports import words
from automl.reports.model import Summary
from automl.reports.poses.error_words import circumstances, nearest_of, pose_error, why_lost
from automl.reports.poses.evaluations import TEST, VALIDATION, newest
from automl.reports.poses.figures import curve_figure, factor_figure, look_figure
from automl.reports.poses.held_out import poses_of
from automl.reports.poses.scores import ScoreRow, score_rows
from automl.reports.poses.tiles import BUDGET, Drawn, Picture, boxes_of, load_pictures
from automl.reports.theme import Figure

__all__ = ["Bad", "PosePart", "Scores", "Tile", "pose_part"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One image as the winner and the default see it."""

    picture: Picture
    sides: Sequence[tuple[str, Drawn, str]]


@dataclass(frozen=True, slots=True)
class Bad:
    """One of the winner's worst poses."""

    picture: Picture
    drawn: Drawn
    error: str
    around: str
    overlap: float


@dataclass(frozen=True, slots=True)
class Scores:
    """The metrics on one split.

    Attributes:
        split: ``validation`` or ``test``.
        n_images: Images that were scored.
        n_objects: Objects on them that are visible enough.
        rows: One a metric.
    """

    split: str
    n_images: int
    n_objects: int
    rows: Sequence[ScoreRow]


@dataclass(frozen=True, slots=True)
class PosePart:
    """What the page shows of poses.

    Attributes:
        missing: Why there is nothing to show; empty where there is.
        scores: By split, validation first.
        gain: Where the gain comes from, in a sentence; empty where nothing can be said.
        tiles: The same images side by side.
        worst: The winner's worst poses.
        said: About the pictures.
        figures: By name.
        notes: Files that could not be read.
    """

    missing: str = ""
    scores: Sequence[Scores] = ()
    gain: str = ""
    tiles: Sequence[Tile] = ()
    worst: Sequence[Bad] = ()
    said: str = ""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def pictures(self) -> list[Picture]:
        """Every picture that is shown, once."""
        shown = [*(tile.picture for tile in self.tiles), *(bad.picture for bad in self.worst)]
        return list({picture.number: picture for picture in shown if picture.data}.values())


def pose_part(
    summary: Summary, *, images: bool, known: KnownSize | None = None
) -> PosePart | None:
    """The poses of winner and default; None for a study that has none to show.

    Args:
        summary: The study.
        images: Whether pictures of the data are shown.
        known: The object's size, for metrics in metres; None for its annotated height.
    """
    if summary.winner is None or summary.is_fake:
        return None
    number, notes = summary.winner.number, list[str]()
    ours = newest(summary.evaluations, number, VALIDATION, poses=True)
    base = newest(summary.evaluations, 0, VALIDATION, poses=True) if number else None
    winner, default = (poses_of(summary.folder, each, notes) for each in (ours, base))
    if winner is None:
        return _missing(summary, notes)
    if default is not None and default.names != winner.names:
        default = None
    sides = [("winner", winner), *([] if default is None else [("default", default)])]
    folders = [summary.folder / each.folder for each in (ours, base) if each is not None]
    tiles, worst, said = _pictures(sides, folders, images=images)
    return PosePart(
        scores=tuple(_scores(summary, (winner, default), known, notes)),
        gain="" if default is None else _gain(winner, default),
        tiles=tiles,
        worst=worst,
        said=said,
        figures=_figures(sides),
        notes=notes,
    )


def _missing(summary: Summary, notes: Sequence[str]) -> PosePart | None:
    """One line that says why there are no poses."""
    tried = [each for each in summary.evaluations if each.split == VALIDATION]
    if not tried:
        return None
    if tried[-1].evidence:
        why = f"the evaluation failed: {tried[-1].evidence}"
    elif not tried[-1].has_poses:
        why = f"the trainer {tried[-1].trainer} left scores and no record of single poses"
    else:
        why = "its file cannot be read"
    return PosePart(missing=f"No poses to show: {why}.", notes=notes)


def _scores(
    summary: Summary,
    validated: tuple[Sample, Sample | None],
    known: KnownSize | None,
    notes: list[str],
) -> list[Scores]:
    pairs = [(VALIDATION, validated)]
    number = 0 if summary.winner is None else summary.winner.number
    tested = [newest(summary.evaluations, n, TEST, poses=True) for n in dict.fromkeys((number, 0))]
    samples = [poses_of(summary.folder, each, notes) for each in tested]
    if samples[0] is not None:
        pairs.append((TEST, (samples[0], samples[1] if len(samples) > 1 else None)))
    return [
        Scores(split, len(own.names), len(own.targets), score_rows(own, base, metrics_by(known)))
        for split, (own, base) in pairs
    ]


def _gain(winner: Sample, default: Sample) -> str:
    gain = gain_of(winner, default)
    if gain is None:
        return ""
    return (
        f"Where the gain comes from: {gain.said} gain {words.signed(gain.inside)} in mean 3D IoU "
        f"(n = {gain.n}), all others {words.signed(gain.outside)}; the excess is beyond chance."
    )


def _figures(sides: Sequence[tuple[str, Sample]]) -> dict[str, Figure]:
    first = sides[0][1]
    hard = [int(first.home[row]) for row in worst_targets(first)]
    places = list(dict.fromkeys([*side_by_side(first), *hard]))
    drawn = (curve_figure(sides), factor_figure(sides), look_figure(sides, places))
    return {figure.name: figure for figure in drawn if figure is not None}


def _pictures(
    sides: Sequence[tuple[str, Sample]], folders: Sequence[Path], *, images: bool
) -> tuple[list[Tile], list[Bad], str]:
    winner = sides[0][1]
    shown, rows = side_by_side(winner), worst_targets(winner)
    wanted = [_picture(winner, place) for place in (*shown, *(int(winner.home[r]) for r in rows))]
    pictures, spent = load_pictures(folders, wanted, inline=images)
    tiles = [
        Tile(
            pictures[_picture(winner, place).number],
            [(who, boxes_of(_rows(sample, place)), _best(sample, place)) for who, sample in sides],
        )
        for place in shown
    ]
    worst = [_bad(winner, row, pictures) for row in rows]
    n = sum(bool(picture.data) for picture in pictures.values())
    said = f"{words.count(n, 'picture')}, {spent / 1e6:.2f} MB of at most {BUDGET / 1e6:.0f} MB"
    return tiles, worst, said if images else "pictures are left out, as asked"


def _rows(sample: Sample, place: int) -> PoseTable:
    """All rows of an image: its detections, and its targets that none was compared with."""
    found = sample.detections.take(np.flatnonzero(sample.image == place))
    lost = sample.targets.take(np.flatnonzero((sample.home == place) & ~sample.found))
    return PoseTable({k: np.concatenate([found[k], lost[k]]) for k in found.columns})


def _picture(sample: Sample, place: int) -> Picture:
    row = _rows(sample, place)
    number, width, height = (int(row.numbers(k)[0]) for k in ("index", "width", "height"))
    return Picture(number, sample.names[place], width, height)


def _best(sample: Sample, place: int) -> str:
    """``3D IoU 0.81`` of the image's objects, or that one was not found."""
    here = sample.home == place
    overlaps = sample.targets.numbers("iou_3d")[here]
    texts = ["not found" if np.isnan(value) else f"{value:.2f}" for value in overlaps]
    return f"3D IoU {', '.join(texts)}" if texts else "no object is visible enough"


def _bad(sample: Sample, row: int, pictures: Mapping[int, Picture]) -> Bad:
    one = sample.targets.take(np.array([row]))
    drawn, more = boxes_of(one), ""
    if not sample.found[row]:
        beside = sample.detections.take(np.flatnonzero(sample.image == sample.home[row]))
        more, place = why_lost(one, beside), nearest_of(one, beside)
        nearest = beside.take(np.array([] if place is None else [place], dtype=np.intp))
        drawn = Drawn(drawn.truth, boxes_of(nearest).predicted)
    return Bad(
        pictures[int(one.numbers("index")[0])],
        drawn,
        pose_error(one),
        "; ".join(filter(None, (more, circumstances(one)))),
        float(np.nan_to_num(one.numbers("iou_3d")[0])),
    )
