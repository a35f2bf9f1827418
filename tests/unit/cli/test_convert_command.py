"""``automl data convert``: what it says, and what it refuses before it reads anything."""

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("cv2")

from automl.cli.main import main
from tests.unit.data.convert.sources import KnownFrame, known_frames, write_bop, write_dope

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[KnownFrame]:
    folder = tmp_path_factory.mktemp("synthetic") / "set"
    argv = ["data", "synth", "--out", str(folder), "--train", "5", "--val", "0", "--test", "0"]
    assert main(argv) == 0
    return known_frames(folder / "train")


def test_a_conversion_says_what_it_made(
    frames: list[KnownFrame], tmp_path: Path, capsys: Capture
) -> None:
    root = write_bop(tmp_path / "ycbv", frames, {"symmetries_continuous": [{"axis": [0, 0, 1]}]})
    (root / "000001" / "rgb" / "000003.jpg").unlink()
    capsys.readouterr()
    argv = ["data", "convert", "auto", str(root), "--out", str(tmp_path / "out")]
    assert main([*argv, "--category", "can", "--val-share", "0.2", "--preview"]) == 0
    told = capsys.readouterr().out.replace(str(tmp_path), "HERE").splitlines()
    assert told == [
        "train       3 images  HERE/out/train",
        "val         1 images  HERE/out/val",
        "objects: obj_000005 4",
        "left out: broken frames 1",
        "broken: 000001/000003 (HERE/ycbv/train_pbr/000001/scene_gt.json):"
        " image 000003 must lie in rgb/ or gray/ of its scene, but got none",
        "note: can looks the same in 12 turns about its up axis: train with"
        " --set dataset.num_symmetry=12",
        "preview: HERE/out/preview.jpg",
    ]
    assert (tmp_path / "out" / "preview.jpg").stat().st_size > 10_000
    for split in ("train", "val"):
        folder = str(tmp_path / "out" / split)
        assert main(["data", "check", folder, "--split", split, "--category", "can"]) == 0
    assert "warning" not in capsys.readouterr().out


def test_the_same_as_json(frames: list[KnownFrame], tmp_path: Path, capsys: Capture) -> None:
    root = write_dope(tmp_path / "dope", frames)
    capsys.readouterr()
    argv = ["data", "convert", "dope", str(root), "--out", str(tmp_path / "out"), "--json"]
    assert main([*argv, "--max", "2", "--preview", str(tmp_path / "look.png")]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["schema"] == "automl.data-convert/1"
    assert value["splits"]["train"] == {"folder": str(tmp_path / "out" / "train"), "images": 2}
    assert value["broken_frames"] == []
    assert value["preview"] == str(tmp_path / "look.png")


def test_a_converted_set_can_be_planned_on(
    frames: list[KnownFrame], tmp_path: Path, capsys: Capture
) -> None:
    root = write_dope(tmp_path / "dope", frames)
    argv = ["data", "convert", "dope", str(root), "--out", str(tmp_path / "out")]
    assert main([*argv, "--category", "box", "--val-share", "0.4"]) == 0
    argv = ["plan", "--trainer", "scripted", "--set", "dataset.category=box"]
    argv += ["--set", "dataset.batch_size=1", "--studies-dir", str(tmp_path / "studies")]
    for split in ("train", "val"):
        argv += [f"--{split}-data", str(tmp_path / "out" / split)]
    capsys.readouterr()
    assert main(argv) == 0
    assert "3 images" in capsys.readouterr().out


def test_without_opencv_the_part_to_install_is_named(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.startswith(("automl.data.", "automl.app.convert")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert main(["data", "convert", "auto", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert "needs OpenCV" in told
    assert "[trainer]" in told


def test_every_format_can_be_named() -> None:
    from automl.cli.convert_flags import FORMAT_NAMES
    from automl.data.convert.formats import FORMATS

    assert sorted(FORMAT_NAMES) == sorted(["auto", *FORMATS])


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["--size", "cup"], "--size must be OBJ=X,Y,Z with edge lengths in metres"),
        (["--size", "cup=1,2"], "--size must be OBJ=X,Y,Z"),
        (["--size", "cup=1,2,-3"], "--size must be OBJ=X,Y,Z"),
        (["--symmetric", "cup=no"], "--symmetric must be OBJ or OBJ=TURNS"),
        (["--symmetric", "cup=0"], "--symmetric must be OBJ or OBJ=TURNS"),
        (["--visibility", "2"], "--visibility must be a share from 0 to 1"),
        (["--min-visibility", "-1"], "--min-visibility must be a share from 0 to 1"),
        (["--val-share", "20"], "--val-share must be a share from 0 to 1, but got 20"),
        (["--val-share", "0.2", "--split", "val"], "--val-share must hold frames back"),
        (["--preview", "look.txt"], "--preview must name a PNG or a JPEG"),
        (["--up", "w"], "--up must be one of"),
        (["--unit", "inch"], "--unit must be one of"),
        (["--max", "0"], "--max must be a whole number from 1"),
    ],
)
def test_flags_of_the_wrong_form_are_refused(
    words: list[str], rule: str, tmp_path: Path, capsys: Capture
) -> None:
    argv = ["data", "convert", "auto", str(tmp_path), "--out", str(tmp_path / "out"), *words]
    assert main(argv) == 2
    assert rule in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
