"""The one door to OpenCV, which only the extra ``trainer`` installs."""

from pathlib import Path
from typing import Any

import numpy as np

from automl.data.imagefile import ImageFile
from automl.errors import InstallExtra
from automl.extras import how_to_get

try:
    import cv2
except ModuleNotFoundError as error:
    raise InstallExtra(
        "drawing and reading images needs OpenCV",
        got=f"no module named {error.name}",
        fix=how_to_get("trainer"),
    ) from error

__all__ = ["cv2", "decoded", "decodes", "labels", "thumbnail"]

_REDUCED_FROM = 64  # pixels: OpenCV reduces no image to nothing


def decoded(path: Path) -> Any:
    """(H, W, 3) bytes of an image in blue, green, red; None if OpenCV makes none of the file."""
    return _read(path, cv2.IMREAD_COLOR)


def decodes(path: Path, image: ImageFile) -> bool:
    """Whether OpenCV makes an image of a file; a small one where it can, which is quicker."""
    is_large = min(image.width, image.height) >= _REDUCED_FROM
    flag = cv2.IMREAD_REDUCED_GRAYSCALE_8 if is_large else cv2.IMREAD_GRAYSCALE
    return _read(path, flag) is not None


def labels(path: Path) -> Any:
    """(H, W) numbers of an image of classes; None if there is none, or OpenCV makes none of it."""
    image = _read(path, cv2.IMREAD_UNCHANGED) if path.is_file() else None
    return image if image is not None and image.ndim == 2 else None


def thumbnail(path: Path, side: int) -> Any:
    """(side, side) grey levels of a whole image, its sides not kept in proportion; None as above.

    A large JPEG is decoded at an eighth of its size, which costs a tenth of the time.
    """
    image = _read(path, cv2.IMREAD_REDUCED_GRAYSCALE_8)
    if image is None or min(image.shape) < side:
        image = _read(path, cv2.IMREAD_GRAYSCALE)
    if image is None:
        return None
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)


def _read(path: Path, flag: int) -> Any:
    """The image of a file; None if OpenCV makes none of it.

    OpenCV dies of a name that is no UTF-8, so it is given the content instead.
    """
    try:
        return cv2.imread(str(path).encode().decode(), flag)
    except UnicodeEncodeError:
        return _decode(path.read_bytes(), flag)
    except cv2.error:
        return None


def _decode(content: bytes, flag: int) -> Any:
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), flag) if content else None
    except cv2.error:
        return None
