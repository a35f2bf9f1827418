"""The one door to OpenCV, which only the extra ``trainer`` installs."""

from automl.errors import InstallExtra

try:
    import cv2
except ModuleNotFoundError as error:
    raise InstallExtra(
        "drawing and reading images needs OpenCV",
        got=f"no module named {error.name}",
        fix="pip install 'automl[trainer]'",
    ) from error

__all__ = ["cv2"]
