"""Which frames are taken, where they go, and what is left alone."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.data.checks import check_split, purpose_of
from automl.data.convert.choice import WantedObjects
from automl.data.convert.conversion import Converted, ConvertRequest, convert
from automl.data.convert.frames import FrameRef, SourceOptions
from automl.data.convert.parts import in_turn, parts_of, thinned
from automl.data.layout import list_frames
from automl.data.objectron import read_annotation
from automl.errors import FixInput
from tests.unit.data.convert.sources import KnownFrame, write_bop, write_dope, write_ycb

TURN_90 = [0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
TURN_180 = [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
TURN_270 = [0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
OVER = [1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1]
ANY = [{"axis": [0, 0, 1], "offset": [0, 0, 0]}]


def _run(root: Path, out: Path, **words: Any) -> Converted:
    return convert(ConvertRequest(root, out, **words))


def _refs(**counts: int) -> list[FrameRef]:
    return [
        FrameRef(sequence, f"{number:03d}", Path("x"), number)
        for sequence, count in counts.items()
        for number in range(count)
    ]


def test_every_nth_frame_of_each_sequence_is_taken() -> None:
    kept = [(ref.sequence, ref.number) for ref in thinned(_refs(a=5, b=4), 3)]
    assert kept == [("a", 0), ("a", 3), ("b", 0), ("b", 3)]


def test_whole_sequences_are_held_back_where_there_are_enough() -> None:
    parts = parts_of(_refs(a=3, b=3, c=3, d=3, e=3), "train", 0.4)
    held = {ref.sequence for ref, part in parts.items() if part == "val"}
    assert len(held) == 2
    assert {part for ref, part in parts.items() if ref.sequence in held} == {"val"}


def test_of_few_sequences_the_ends_are_held_back() -> None:
    parts = parts_of(_refs(a=10, b=5), "train", 0.2)
    held = [(ref.sequence, ref.number) for ref, part in parts.items() if part == "val"]
    assert held == [("a", 8), ("a", 9), ("b", 4)]
    assert set(parts_of(_refs(a=10), "test", 0.0).values()) == {"test"}


def test_a_sample_is_taken_from_all_over_and_then_the_rest() -> None:
    refs = _refs(a=10)
    order = [ref.number for ref in in_turn(refs, 3)]
    assert order[:3] == [0, 3, 6]
    assert sorted(order) == list(range(10))
    assert list(in_turn(refs, None)) == refs


def test_broken_frames_do_not_count_towards_the_most(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root = write_dope(source, frames)
    (root / "000000.json").write_text("[]")
    told: list[tuple[int, int]] = []
    made = convert(ConvertRequest(root, tmp_path / "out", most=3), lambda *pair: told.append(pair))
    assert made.images == {"train": 3}
    assert len(made.skipped) == 1
    assert told[-1] == (4, 6)


def test_images_are_links_or_copies(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root = write_dope(source, frames)
    _run(root, tmp_path / "linked")
    _run(root, tmp_path / "copied", copies=True)
    name = f"train/{root.name}/000000.jpg"
    assert (tmp_path / "linked" / name).samefile(root / "000000.jpg")
    assert not (tmp_path / "copied" / name).samefile(root / "000000.jpg")
    assert (root / "000000.jpg").read_bytes() == (tmp_path / "copied" / name).read_bytes()


def test_where_no_link_can_be_images_are_copied(
    frames: list[KnownFrame], source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("another device")

    monkeypatch.setattr(os, "link", refuse)
    assert _run(write_dope(source, frames), tmp_path / "out").images == {"train": len(frames)}


def test_a_split_is_replaced_only_when_that_is_said_and_a_conversion_made_it(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root, out = write_bop(source, frames), tmp_path / "out"
    _run(root, out, most=2)
    with pytest.raises(FixInput, match=r"holds train already.*--overwrite to replace it"):
        _run(root, out)
    assert _run(root, out, split="test", most=1).images == {"test": 1}
    made = _run(root, out, overwrite=True)
    assert made.images == {"train": len(frames)}
    assert made.notes == ("train replaces what a conversion made there before",)
    assert len(list_frames(out / "train")) == len(frames)
    record = json.loads((out / "convert.json").read_text())
    assert {split: entry["images"] for split, entry in record["splits"].items()} == {
        "train": len(frames),
        "test": 1,
    }
    (out / "val").mkdir()
    (out / "val" / "mine.txt").write_text("keep me")
    with pytest.raises(FixInput, match="nothing says that a conversion made it"):
        _run(root, out, split="val", overwrite=True)
    assert (out / "val" / "mine.txt").read_text() == "keep me"
    (tmp_path / "file").write_text("x")
    with pytest.raises(FixInput, match="--out must be a folder"):
        _run(root, tmp_path / "file")


def test_a_conversion_that_is_ended_leaves_nothing(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    def end(done: int, _: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(ConvertRequest(write_bop(source, frames), tmp_path / "out"), end)
    assert not (tmp_path / "out").exists()


def test_a_conversion_never_writes_into_its_source(frames: list[KnownFrame], source: Path) -> None:
    root = write_dope(source, frames)
    for out in (root, root / "deep" / "out"):
        with pytest.raises(FixInput, match=r"must lie outside of the data.*source-converted"):
            _run(root, out)
    assert not (root / "deep").exists()


def test_what_training_could_not_read_is_not_written(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    """A box that far away has a pixel, and numbers that no reader takes for measures."""
    root = write_bop(source, frames)
    path = root / "000001" / "scene_gt.json"
    poses = json.loads(path.read_text())
    poses["0"] = [{**poses["0"][0], "cam_t_m2c": [0.0, 0.0, 9e8]}]
    path.write_text(json.dumps(poses))
    made = _run(root, tmp_path / "out", options=SourceOptions(metres=100.0))
    assert "must be 3 finite numbers" in made.skipped[0].why
    assert len(list_frames(tmp_path / "out" / "train")) == made.images["train"]


def test_a_conversion_that_fails_leaves_what_was_there(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root, out = write_bop(source, frames), tmp_path / "out"
    _run(root, out)
    before = sorted(out.rglob("*"))
    with pytest.raises(FixInput):
        _run(root, out, overwrite=True, wanted=WantedObjects(kinds=("cup",)))
    assert sorted(out.rglob("*")) == before


@pytest.mark.parametrize(
    ("info", "turns", "word"),
    [
        ({}, {"box": 1}, False),
        ({"symmetries_discrete": [TURN_180]}, {"box": 2}, None),
        ({"symmetries_discrete": [TURN_90, TURN_180, TURN_270]}, {"box": 4}, True),
        ({"symmetries_continuous": ANY, "symmetries_discrete": [OVER]}, {"box": 12}, None),
    ],
)
def test_symmetries_of_bop_are_kept(
    info: dict[str, Any],
    turns: dict[str, int],
    word: bool | None,
    frames: list[KnownFrame],
    source: Path,
    tmp_path: Path,
) -> None:
    wanted = WantedObjects(category="box")
    made = _run(write_bop(source, frames, info), tmp_path / "out", wanted=wanted)
    assert made.counts.turns == turns
    left = [note for note in made.notes if "other axes" in note]
    assert len(left) == ("symmetries_continuous" in info)
    for frame in list_frames(tmp_path / "out" / "train"):
        assert {item.symmetric for item in read_annotation(frame.annotation).objects} == {word}


def test_what_the_user_says_of_turns_and_visibility_wins(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root = write_bop(source, frames)
    (root / "000001" / "scene_gt_info.json").unlink()
    made = _run(root, tmp_path / "unsaid")
    assert made.counts.unsaid == made.counts.kept.total()
    with pytest.raises(FixInput, match="how much of it can be seen"):
        check_split(tmp_path / "unsaid" / "train", purpose_of("val"))
    wanted = WantedObjects(kinds=("5",), turns={"5": 4, "9": 2}, visibility=1.0)
    made = _run(root, tmp_path / "said", wanted=wanted)
    check_split(tmp_path / "said" / "train", purpose_of("val"))
    assert made.counts.unsaid == 0
    assert made.counts.turns == {"obj_000005": 4}
    assert "--symmetric names 9, of which there is none: there is obj_000005" in made.notes


def test_hidden_objects_are_left_out(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    made = _run(
        write_bop(source, frames), tmp_path / "out", wanted=WantedObjects(least_visible=0.99)
    )
    kept = sum(box.visibility > 0.99 for frame in frames for box in frame.boxes)
    assert made.counts.kept.total() == kept
    assert made.counts.faint == sum(len(frame.boxes) for frame in frames) - kept
    assert made.empty == sum(
        all(box.visibility <= 0.99 for box in frame.boxes) for frame in frames
    )


def test_the_ground_lies_below_the_object_that_is_seen_best(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    _run(write_bop(source, frames), tmp_path / "out")
    for frame, known in zip(list_frames(tmp_path / "out" / "train"), frames, strict=True):
        found, truth = read_annotation(frame.annotation), known.truth
        assert found.plane_normal == pytest.approx(truth.plane_normal, abs=1e-6)
        # Any point of the plane will do: it is the plane that must be the same.
        apart = found.plane_center - truth.plane_center
        assert abs(float(apart @ truth.plane_normal)) < 1e-6


def test_visibility_of_ycb_is_the_share_of_the_outline_with_its_label(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    alone = [frame for frame in frames if len(frame.boxes) == 1]
    _run(write_ycb(source, alone), tmp_path / "out")
    for frame in list_frames(tmp_path / "out" / "train"):
        (item,) = read_annotation(frame.annotation).objects
        corners, size = item.projected_cuboid, np.array([600, 800])
        whole = bool(((corners > 0) & (corners < size)).all())
        assert item.visibility is not None
        assert (item.visibility > 0.97) == whole


def test_an_implausible_size_is_said(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root = write_bop(source, frames)
    made = _run(root, tmp_path / "out", options=SourceOptions(metres=1.0))
    assert "say the source's unit with --unit" in made.notes[0]
