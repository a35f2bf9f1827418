"""Which images of a split a person is shown: what was found first, then a sample."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Final

from automl.data.geometry import project
from automl.data.layout import Frame
from automl.data.objectron import read_annotation
from automl.data.preview import CuboidOutline, GridTile, spread
from automl.data.suspects.finding import Finding, FindingKind

__all__ = ["N_TILES", "tiles_of"]

N_TILES: Final = 25
_MOST_SUSPECTS: Final = 15
_SHORT: Final = {
    FindingKind.BOX: "box off",
    FindingKind.ORDER: "corners",
    FindingKind.UNITS: "units",
    FindingKind.LEAK: "twin",
    FindingKind.LABEL: "model differs",
}
_TWO_ACCOUNTS: Final = (FindingKind.BOX, FindingKind.ORDER)
"""Of these the box in space is drawn beside the labelled pixels."""


def tiles_of(
    root: Path, frames: Sequence[Frame], findings: Sequence[Finding], *, labelled: bool
) -> list[GridTile]:
    """Up to 25 tiles: images that something was found in, in turn of each kind, and a sample.

    Args:
        root: Folder of the split; captions are relative to it.
        frames: Its images.
        findings: What was found, the gravest of each kind first. A near-duplicate is followed by
            its twin.
        labelled: Whether there are boxes to draw.

    Raises:
        FixData: An annotation cannot be read.
    """
    by_file: dict[Path, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_file[finding.path.with_suffix("")].append(finding)
    of_stem = {frame.image.with_suffix(""): frame for frame in frames}
    chosen: dict[Path, GridTile] = {}
    for finding in _in_turn(findings):
        frame = of_stem.get(finding.path.with_suffix(""))
        if frame is None or len(chosen) >= _MOST_SUSPECTS:
            continue
        found = by_file[frame.image.with_suffix("")]
        chosen.setdefault(frame.image, _tile(root, frame, found, labelled=labelled))
        if finding.other is not None:
            chosen.setdefault(finding.other, GridTile(finding.other, f"its twin {finding.other}"))
    for place in spread(len(frames), max(0, N_TILES - len(chosen))):
        frame = frames[place]
        found = by_file.get(frame.image.with_suffix(""), [])
        chosen.setdefault(frame.image, _tile(root, frame, found, labelled=labelled))
    return list(chosen.values())


def _in_turn(findings: Sequence[Finding]) -> Iterator[Finding]:
    by_kind: dict[FindingKind, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_kind[finding.kind].append(finding)
    for row in zip_longest(*by_kind.values()):
        yield from (finding for finding in row if finding is not None)


def _tile(root: Path, frame: Frame, found: Sequence[Finding], *, labelled: bool) -> GridTile:
    name = str(frame.image.relative_to(root))
    kinds = ", ".join(dict.fromkeys(_SHORT[each.kind] for each in found))
    caption_of_file = f"{name}: {kinds}" if kinds else name
    if not labelled:
        return GridTile(frame.image, caption_of_file)
    sheet = read_annotation(frame.annotation)
    outlines: list[CuboidOutline] = []
    for number, item in enumerate(sheet.objects):
        own = [each for each in found if each.number == number]
        caption = _SHORT[own[0].kind] if own else ""
        outlines.append(CuboidOutline(item.projected_cuboid, caption, suspect=bool(own)))
        if any(each.kind in _TWO_ACCOUNTS for each in own):
            pixels = project(item.keypoints_3d, sheet.projection, sheet.width, sheet.height)
            outlines.append(CuboidOutline(pixels, "keypoints_3d"))
    return GridTile(frame.image, caption_of_file, tuple(outlines))
