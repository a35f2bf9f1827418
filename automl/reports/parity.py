"""What ``automl export --verify`` found: whether an exported network keeps the poses."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from automl.jsontext import read_json
from automl.study.actions import read_actions
from automl.study.layout import StudyPaths

__all__ = ["difference_lines", "parity_lines", "parity_sentence", "preparation"]

_ACTION: Final = "export"
_RESULT: Final = Path("verify", "parity.json")
_MEASURES: Final = (
    ("corners", "pixel", "px"),
    ("rotation", "angle_deg", "degrees"),
    ("distance", "distance_percent", "%"),
)


def parity_lines(folder: Path) -> tuple[str, ...]:
    """A sentence on each export of a study that was verified, the newest first.

    Args:
        folder: The study's.
    """
    return tuple(_lines(StudyPaths(folder)))[::-1]


def _lines(paths: StudyPaths) -> Iterator[str]:
    for made, record in read_actions(paths.actions):
        if record.action != _ACTION:
            continue
        try:
            table = read_json(made / _RESULT, finite=True, follow=False)
            text = parity_sentence(table)
        except (OSError, KeyError, TypeError, ValueError):
            continue
        trial = "" if record.origin.trial is None else f"trial {record.origin.trial}: "
        yield f"{trial}{text}; {paths.relative(made / _RESULT)}"


def parity_sentence(table: Mapping[str, Any]) -> str:
    """On how many images, what was compared, and how far apart the poses are at most.

    Raises:
        KeyError, TypeError, ValueError: It is not what a comparison writes.
    """
    said = "the same poses" if table["within"] else "DIFFERENT poses"
    images = f"{table['n_images']} of {table['n_all']} validation images"
    parts = [f"{name} ({each['runtime']}): {_at_most(each)}"
             for name, each in table["compared"].items()]  # fmt: skip
    parts += [f"{name} not compared" for name in table["left_out"]]
    return f"{said} as {table['reference']} on {images}; {'; '.join(parts)}"


def difference_lines(each: Mapping[str, Any]) -> Iterator[str]:
    """What one runtime's comparison says, a line each."""
    yield f"{each['matched']} objects in both, {_alone(each)}"
    if each["unsteady"]:
        yield (
            f"{each['unsteady']} of them have corners that determine no pose: the network has "
            "learnt too little to compare their poses"
        )
    if each["lost"]:
        yield f"{each['lost']} of them have no pose in it"
    for label, name, unit in _MEASURES:
        found = each[name]
        if found is not None:
            yield (
                f"{label}: median {found['median']:.2g} {unit}, largest {found['largest']:.2g} "
                f"{unit} ({found['image']})"
            )


def preparation(contract: Mapping[str, Any]) -> str:
    """How an image became the network's input, in a sentence."""
    geometry, colour, tensor = (contract[name] for name in ("geometry", "colour", "tensor"))
    side = geometry["side_px"]
    mean, std = (", ".join(f"{v:.4g}" for v in colour[name]) for name in ("mean", "std"))
    return (
        f"{geometry['kind']} to {side} x {side} (longer side, bilinear, black around), "
        f"{colour['channel_order']}, (value / {colour['divide_by']} - [{mean}]) / [{std}], "
        f"{tensor['layout']} {tensor['dtype']}"
    )


def _at_most(each: Mapping[str, Any]) -> str:
    found = [(each[name], unit) for _, name, unit in _MEASURES if each[name] is not None]
    largest = ", ".join(f"{value['largest']:.2g} {unit}" for value, unit in found)
    return f"at most {largest or 'nothing'} apart, {each['matched']} objects, {_alone(each)}"


def _alone(each: Mapping[str, Any]) -> str:
    alone = each["only_reference"] + each["only_this"]
    if not alone:
        return "none found by one alone"
    text = f"{each['only_reference']} found by PyTorch alone and {each['only_this']} by it alone"
    barely = each["borderline"]
    return f"{text}, {barely} of them with a score that barely suffices" if barely else text
