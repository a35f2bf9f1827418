"""Frames of videos by their number, in one pass where they are asked for in order."""

from pathlib import Path
from typing import Any

import numpy as np

from automl.data.convert.frames import BrokenFrame, Pixels
from automl.data.opencv import cv2

__all__ = ["VideoReader"]


class VideoReader:
    """One open video, from which frames are taken going forward."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._capture: Any = None
        self._next = 0

    def frame(self, path: Path, number: int) -> Pixels:
        """(H, W, 3) blue, green, red of a frame, turned as a viewer shows it.

        Args:
            path: The video.
            number: From 0.

        Raises:
            BrokenFrame: The video cannot be read, or ends before that frame.
        """
        if path != self._path or number < self._next:
            self._open(path)
        while self._next < number and self._capture.grab():
            self._next += 1
        found, pixels = self._capture.read() if self._next == number else (False, None)
        if not found:
            raise BrokenFrame(f"frame {number} must be in {path.name}", f"{self._next} frames")
        self._next += 1
        return np.asarray(pixels, dtype=np.uint8)

    def _open(self, path: Path) -> None:
        if self._capture is not None:
            self._capture.release()
        self._path, self._capture, self._next = path, cv2.VideoCapture(str(path)), 0
        if not self._capture.isOpened():
            self._path = None
            raise BrokenFrame("a video must be one that OpenCV reads", f"{path.name}")
