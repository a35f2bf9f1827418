"""What a person says of a data set to convert, as a request; and pictures of what was made."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from automl.data.convert.choice import LEAST_VISIBLE, WantedObjects
from automl.data.convert.conversion import Converted, ConvertRequest
from automl.data.convert.frames import SourceOptions
from automl.data.layout import list_frames
from automl.data.objectron import PoseObject, read_annotation
from automl.data.preview import (
    PREVIEW_SUFFIXES,
    CuboidOutline,
    GridTile,
    spread,
    write_grid,
)
from automl.errors import FixInput
from automl.skill.keys import TURNS_KEY

__all__ = ["convert_request", "left_out", "preview_path", "warnings_of", "write_preview"]

_METRES: Final[Mapping[str, float]] = {"m": 1.0, "cm": 0.01, "mm": 0.001}
_USUAL_TURNS: Final = 4
_TILES: Final = 16
_PREVIEW: Final = "preview.jpg"


def convert_request(words: Mapping[str, Any]) -> ConvertRequest:
    """A request from the words of the command line.

    Args:
        words: Flag, with underscores, to its value as the parser gives it.

    Raises:
        FixInput: A value has the wrong form, or two contradict each other.
    """
    unit = words.get("unit")
    options = SourceOptions(
        up=words.get("up"),
        metres=_METRES[unit] if unit else None,
        sizes=dict(_size(text) for text in words.get("size") or ()),
        models=words.get("models"),
    )
    wanted = WantedObjects(
        kinds=tuple(_split(words.get("objects") or ())),
        category=words.get("category") or "",
        turns=dict(_turns(text) for text in words.get("symmetric") or ()),
        least_visible=_share(words.get("min_visibility", LEAST_VISIBLE), "--min-visibility"),
        visibility=_optional_share(words.get("visibility"), "--visibility"),
    )
    split = words.get("split", "train")
    val_share = _share(words.get("val_share", 0.0), "--val-share")
    if val_share and split == "val":
        raise FixInput("--val-share must hold frames back from another split", got="--split val")
    return ConvertRequest(
        source=words["source"],
        out=words["out"].absolute(),
        format=words.get("format", "auto"),
        split=split,
        val_share=val_share,
        options=options,
        wanted=wanted,
        every=words.get("every", 1),
        most=words.get("max"),
        overwrite=bool(words.get("overwrite")),
        copies=bool(words.get("copy")),
    )


def _split(texts: Iterable[str]) -> Iterator[str]:
    return (kind for text in texts for kind in text.split(",") if kind)


def _size(text: str) -> tuple[str, tuple[float, float, float]]:
    """``cup=0.09,0.1,0.09``: a kind of object and its edge lengths in metres."""
    kind, _, edges = text.rpartition("=")
    try:
        x, y, z = (float(edge) for edge in edges.split(","))
    except ValueError:
        x = y = z = 0.0
    if not kind or not all(0 < edge < float("inf") for edge in (x, y, z)):
        raise FixInput("--size must be OBJ=X,Y,Z with edge lengths in metres", got=repr(text))
    return kind, (x, y, z)


def _turns(text: str) -> tuple[str, int]:
    """``cup=12``: a kind of object and the turns about its up axis that look the same."""
    kind, _, number = text.rpartition("=") if "=" in text else (text, "", str(_USUAL_TURNS))
    if not kind or not number.isascii() or not number.isdigit() or not int(number):
        rule = "--symmetric must be OBJ or OBJ=TURNS with a whole number of turns from 1"
        raise FixInput(rule, got=repr(text))
    return kind, int(number)


def _optional_share(value: float | None, flag: str) -> float | None:
    return None if value is None else _share(value, flag)


def _share(value: float, flag: str) -> float:
    if not 0 <= value <= 1:
        raise FixInput(f"{flag} must be a share from 0 to 1", got=f"{value:g}")
    return value


def preview_path(given: str | None, request: ConvertRequest) -> Path | None:
    """The picture that ``--preview`` asks for; None where it is not given.

    Args:
        given: The flag's value, empty for the usual place.
        request: The request.

    Raises:
        FixInput: The name does not end as a picture's does.
    """
    if given is None:
        return None
    path = Path(given) if given else request.out / _PREVIEW
    if path.suffix.lower() not in PREVIEW_SUFFIXES:
        raise FixInput("--preview must name a PNG or a JPEG", got=repr(given))
    return path


def left_out(made: Converted) -> str:
    """What of a source is not in the result, in words; empty if nothing is missing."""
    counts = made.counts
    told = (
        (len(made.skipped), "broken frames"),
        (made.empty, "frames without an object that is kept"),
        (sum(counts.other.values()), "objects of other kinds"),
        (counts.faint, "objects that are hidden"),
        (counts.outside, "objects out of view"),
    )
    return ", ".join(f"{what} {number}" for number, what in told if number)


def warnings_of(made: Converted) -> Iterator[str]:
    """What the user should do or know about the result, as sentences."""
    counts = made.counts
    for category, turns in sorted(counts.turns.items()):
        if turns > 1:
            yield (
                f"{category} looks the same in {turns} turns about its up axis: train with"
                f" --set {TURNS_KEY}={turns}"
            )
    if counts.unsaid:
        yield (
            f"{counts.unsaid} objects have no visibility, which a split that is scored must have:"
            " --visibility 1 says that nothing hides them"
        )
    yield from made.notes


def write_preview(path: Path, made: Converted, most: int = _TILES) -> None:
    """Writes one picture of what was made, with images of all splits.

    Args:
        path: The picture.
        made: The splits.
        most: Images that it shows.

    Raises:
        FixInput: The name does not end as a picture's does.
    """
    frames = [frame for folder in made.folders.values() for frame in list_frames(folder)]
    is_mixed = len(made.counts.kept) > 1
    tiles = []
    for place in spread(len(frames), most):
        frame = frames[place]
        objects = read_annotation(frame.annotation).objects
        outlines = [
            CuboidOutline(item.projected_cuboid, _caption(item, is_mixed=is_mixed))
            for item in objects
        ]
        name = "/".join(frame.image.parts[-3:])
        tiles.append(GridTile(frame.image, name, tuple(outlines)))
    write_grid(path, tiles)


def _caption(item: PoseObject, *, is_mixed: bool) -> str:
    """How much of an object is seen, and what it is where there are several kinds."""
    seen = "" if item.visibility is None else f"{item.visibility:.0%}"
    return f"{item.category} {seen}".strip() if is_mixed else seen
