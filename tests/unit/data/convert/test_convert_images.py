"""Images that are no files of the layout: videos, numbered folders, TIFF."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from automl.data.convert.conversion import ConvertRequest, convert
from automl.data.convert.frames import BrokenFrame
from automl.data.convert.video import VideoReader
from automl.data.layout import list_frames
from automl.data.objectron import read_annotation
from automl.data.opencv import decoded
from tests.unit.data.convert.sources import KnownFrame, write_bop, write_objectron


def _pixels_agree(folder: Path, frames: list[KnownFrame], most: float) -> None:
    """Every stored image shows the one that it was made of."""
    for stored, known in zip(list_frames(folder), frames, strict=True):
        found, truth = (decoded(path) for path in (stored.image, known.image))
        assert np.abs(found.astype(int) - truth).mean() < most


def test_the_frames_of_a_video_are_those_that_are_labelled(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    convert(ConvertRequest(write_objectron(source, frames), tmp_path / "out"))
    _pixels_agree(tmp_path / "out" / "train", frames, 6.0)


def test_numbered_images_serve_in_place_of_a_video(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root = write_objectron(source, frames)
    shutil.rmtree(root / "videos")
    folder = root / "annotations" / "cereal_box" / "batch-1" / "3"
    folder.mkdir()
    for number, frame in enumerate(frames):
        shutil.copy(frame.image, folder / f"frame_{number}.jpg")
    convert(ConvertRequest(root, tmp_path / "out"))
    _pixels_agree(tmp_path / "out" / "train", frames, 2.0)


@pytest.mark.parametrize("lying", [False, True])
def test_large_images_are_stored_at_800_pixels_and_upright(
    lying: bool, frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    """The camera of the annotations is that of the sensor, which lies on its side."""
    factor = 1.5
    truth = [frame.truth for frame in frames]
    root = write_objectron(source, frames, factor)
    shutil.rmtree(root / "videos")
    folder = root / "annotations" / "cereal_box" / "batch-1" / "3"
    folder.mkdir()
    for number, frame in enumerate(frames):
        image = cv2.resize(cv2.imread(str(frame.image)), None, fx=factor, fy=factor)
        if lying:
            image = cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE)
        cv2.imwrite(str(folder / f"{number}.png"), image)
    made = convert(ConvertRequest(root, tmp_path / "out"))
    assert made.skipped == []
    _pixels_agree(tmp_path / "out" / "train", frames, 4.0)
    for stored, known in zip(list_frames(tmp_path / "out" / "train"), truth, strict=True):
        found = read_annotation(stored.annotation)
        assert (found.width, found.height) == (600, 800)
        for item, expected in zip(found.objects, known.objects, strict=True):
            assert np.abs(item.projected_cuboid - expected.projected_cuboid).max() < 0.05


def test_other_images_become_png(frames: list[KnownFrame], source: Path, tmp_path: Path) -> None:
    root = write_bop(source, frames)
    colour, grey = root / "000001" / "rgb", root / "000001" / "gray"
    grey.mkdir()
    for path in colour.iterdir():
        cv2.imwrite(str(grey / f"{path.stem}.tif"), cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
    shutil.rmtree(colour)
    (grey / "000000.tif").write_bytes(b"no image")
    made = convert(ConvertRequest(root, tmp_path / "out"))
    assert [one.why.split(",")[0] for one in made.skipped] == [
        "an image must be one that OpenCV reads"
    ]
    images = [frame.image for frame in list_frames(tmp_path / "out" / "train")]
    assert {image.suffix for image in images} == {".png"}
    assert len(images) == len(frames) - 1


def test_each_camera_of_a_scene_is_a_sequence(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root = write_bop(source, frames)
    scene = root / "000001"
    (scene / "rgb").rename(scene / "rgb_cam1")
    for name in ("scene_gt", "scene_camera", "scene_gt_info"):
        (scene / f"{name}.json").rename(scene / f"{name}_cam1.json")
        shutil.copy(scene / f"{name}_cam1.json", scene / f"{name}_gray.json")
    (scene / "scene_gt_coco.json").write_text("{}")
    shutil.copytree(scene / "rgb_cam1", scene / "gray")
    made = convert(ConvertRequest(root, tmp_path / "out"))
    assert made.skipped == []
    folders = sorted(path.name for path in (tmp_path / "out" / "train").iterdir())
    assert folders == ["000001-cam1", "000001-gray"]
    assert made.images == {"train": 2 * len(frames)}
    (frame, *_) = list_frames(tmp_path / "out" / "train" / "000001-gray")
    (item, *_) = read_annotation(frame.annotation).objects
    (truth, *_) = frames[0].truth.objects
    assert np.abs(item.projected_cuboid - truth.projected_cuboid).max() < 0.02
    assert item.visibility == truth.visibility


def test_a_video_is_read_forwards_and_begun_again_only_to_go_back(
    frames: list[KnownFrame], source: Path
) -> None:
    write_objectron(source, frames)
    (video,) = source.rglob("video.mp4")
    reader = VideoReader()
    first, third = reader.frame(video, 0), reader.frame(video, 2)
    assert np.array_equal(reader.frame(video, 0), first)
    assert not np.array_equal(first, third)
    with pytest.raises(BrokenFrame, match=r"frame 60 must be in video\.mp4, but got 6 frames"):
        reader.frame(video, 60)
    video.write_bytes(b"no video")
    with pytest.raises(BrokenFrame, match="one that OpenCV reads"):
        VideoReader().frame(video, 0)
