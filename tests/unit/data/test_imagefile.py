"""What an image file is, and whether it is whole."""

import os
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from automl.data.imagefile import BrokenImage, image_file
from automl.data.opencv import cv2
from automl.data.wholeimage import ReadThrough, check_whole
from tests.unit.data.conftest import png_of


def picture(side: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 255, (side, side + 8, 3), np.uint8)


def encoded(suffix: str, side: int = 40, *flags: int) -> bytes:
    done, data = cv2.imencode(suffix, picture(side), list(flags))
    assert done
    return bytes(data)


def with_exif(jpeg: bytes, orientation: int, order: str = "<") -> bytes:
    lead = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    block = lead + struct.pack(f"{order}IH", 8, 1) + entry + bytes(4)
    body = b"Exif\0\0" + block
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "image"


WHOLE = {
    "jpeg": encoded(".jpg"),
    "progressive": encoded(".jpg", 40, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restarts": encoded(".jpg", 40, cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
    "png": encoded(".png"),
    "small png": png_of(6, 8),
    "bmp": encoded(".bmp"),
    "bytes after the end": encoded(".jpg") + b"more",
}


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
def test_a_whole_image_passes(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    check_whole(path, image_file(path))


@pytest.mark.parametrize("name", ["jpeg", "progressive", "restarts", "png", "small png", "bmp"])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.99])
def test_a_truncated_image_is_refused(path: Path, name: str, share: float) -> None:
    content = WHOLE[name]
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BrokenImage, match=r"early|middle|damaged"):
        check_whole(path, image_file(path))


@pytest.mark.parametrize("side", [1, 2, 5, 33])
def test_an_interlaced_png_is_counted_by_its_passes(path: Path, side: int) -> None:
    """Adam7 by hand: a grey image whose passes hold their rows one after the other."""
    starts = ((0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2))  # fmt: skip  # noqa: E501
    rows = b""
    for x, step_x, y, step_y in starts:
        columns, count = len(range(x, side, step_x)), len(range(y, side, step_y))
        rows += (b"\0" + bytes(columns)) * count if columns else b""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 1))
    for data, whole in ((rows, True), (rows[:-1], False)):
        parts = [header, chunk(b"IDAT", zlib.compress(data)), chunk(b"IEND", b"")]
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
        assert (cv2.imread(str(path), cv2.IMREAD_COLOR) is not None) or not whole
        if whole:
            check_whole(path, image_file(path))
        else:
            with pytest.raises(BrokenImage, match="middle of its pixels"):
                check_whole(path, image_file(path))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_the_orientation_is_read(path: Path, orientation: int, order: str) -> None:
    path.write_bytes(with_exif(encoded(".jpg"), orientation, order))
    image = image_file(path)
    assert (image.width, image.height, image.orientation) == (48, 40, orientation)
    if orientation == 1:
        image.require_upright()
        return
    with pytest.raises(BrokenImage, match=f"orientation {orientation}"):
        image.require_upright()


def test_an_image_bomb_is_refused_by_its_header(path: Path) -> None:
    path.write_bytes(png_of(1, 1)[:16] + struct.pack(">II", 50_000, 50_000) + bytes(33))
    with pytest.raises(BrokenImage, match=r"at most 100 million pixels.*50000 x 50000"):
        image_file(path)


def test_what_is_no_regular_file_is_told_before_it_is_read(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe.jpg", tmp_path / "link.jpg"
    os.mkfifo(pipe)
    link.symlink_to(tmp_path / "gone.jpg")
    for file, words in (
        (pipe, "a named pipe"),
        (link, r"a link to .*gone\.jpg"),
        (Path("/dev/zero"), "a device"),
        (tmp_path, "a folder"),
        (tmp_path / "none.jpg", "exist"),
    ):
        with pytest.raises(BrokenImage, match=words):
            image_file(file)


class TestReadThrough:
    def test_a_file_is_read_again_when_it_changed(self, tmp_path: Path) -> None:
        root, store = tmp_path / "split", tmp_path / "checked"
        root.mkdir()
        image = root / "0.jpg"
        image.write_bytes(WHOLE["jpeg"])
        first = ReadThrough(store, root)
        first.check(image)
        first.remember()
        status = image.stat()
        broken = WHOLE["jpeg"][:-2] + b"\0\0"
        image.write_bytes(broken)
        os.utime(image, ns=(status.st_atime_ns, status.st_mtime_ns))
        ReadThrough(store, root).check(image)  # size and time stand: it is taken at its word
        os.utime(image, ns=(time.time_ns(), time.time_ns()))
        with pytest.raises(BrokenImage, match="middle of its pixels"):
            ReadThrough(store, root).check(image)

    def test_what_the_decoder_refuses_is_refused(self, tmp_path: Path) -> None:
        image = tmp_path / "0.jpg"
        image.write_bytes(WHOLE["jpeg"])
        with pytest.raises(BrokenImage, match="OpenCV"):
            ReadThrough(None, tmp_path, lambda *_: False).check(image)

    @pytest.mark.parametrize("content", ["", "[1]", "{", '{"0.jpg": "x"}'])
    def test_a_broken_memory_is_no_memory(self, tmp_path: Path, content: str) -> None:
        image, store = tmp_path / "0.jpg", tmp_path / "store"
        image.write_bytes(WHOLE["jpeg"])
        memory = ReadThrough(store, tmp_path)
        memory.check(image)
        memory.remember()
        (kept,) = store.iterdir()
        kept.write_text(content)
        image.write_bytes(WHOLE["jpeg"][:-9])
        with pytest.raises(BrokenImage):
            ReadThrough(store, tmp_path).check(image)

    def test_a_store_that_cannot_be_written_costs_nothing(self, tmp_path: Path) -> None:
        image, store = tmp_path / "0.jpg", tmp_path / "store"
        image.write_bytes(WHOLE["jpeg"])
        store.write_text("a file")
        memory = ReadThrough(store, tmp_path)
        memory.check(image)
        memory.remember()
