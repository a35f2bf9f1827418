"""Where the overlay and the JSON file of each image go.

The container writes all of them into one folder. So does this program where no two would share a
name. Where some would, as the frames of several sequences do, all are laid out in the sub-folders
of their images.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from automl.errors import FixInput
from automl.trainers.contract import STATUS_NAME

__all__ = ["OutputFiles", "output_files"]


@dataclass(frozen=True, slots=True)
class OutputFiles:
    """The two files of one image.

    Attributes:
        overlay: Its drawing; the image's own name.
        poses: Its JSON file; the image's name with another ending.
    """

    overlay: Path
    poses: Path


def output_files(images: Sequence[Path], root: Path, folder: Path) -> list[OutputFiles]:
    """The output files of each image, no two alike.

    Args:
        images: Paths below ``root``.
        root: Folder of the images.
        folder: Results folder.

    Raises:
        FixInput: The results would be written among the images.
    """
    resolved, source = folder.resolve(), root.resolve()
    if resolved == source or source in resolved.parents:
        raise FixInput(
            "results must not be written among the images",
            got=str(folder),
            where=f"dataset.inference_data: {root}",
            fix="set inference.results_dir to another folder",
        )
    flat = _all_differ(image.stem for image in images)
    overlays = [folder / (image.name if flat else image.relative_to(root)) for image in images]
    poses = [overlay.with_suffix(".json") for overlay in overlays]
    if not _all_differ([folder / STATUS_NAME, *poses]):
        # Frame 7 as 7.jpg and as 7.png would share 7.json; an image may be called "status".
        poses = [overlay.with_name(f"{overlay.name}.json") for overlay in overlays]
    outputs = [OutputFiles(*pair) for pair in zip(overlays, poses, strict=True)]
    _check_apart(outputs, images)
    return outputs


def _all_differ(names: Iterable[object]) -> bool:
    listed = list(names)
    return len(set(listed)) == len(listed)


def _check_apart(outputs: Sequence[OutputFiles], images: Sequence[Path]) -> None:
    """No file that is read may be written."""
    read = {path.resolve() for image in images for path in (image, image.with_suffix(".json"))}
    for output in outputs:
        for path in (output.overlay, output.poses):
            if path.resolve() in read:
                raise FixInput(
                    "results must not replace what they are made from",
                    got=str(path),
                    fix="set inference.results_dir to another folder",
                )
