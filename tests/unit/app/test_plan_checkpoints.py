"""Checkpoints that a spec names are looked at before anything is spent."""

from pathlib import Path

import pytest

from automl.errors import FixData
from automl.skill.tree import get
from tests.unit.app.kit import AttemptSpec, MakePlan

WHOLE = "train.pretrained_model_path"
BACKBONE = "model.backbone.pretrained_backbone_path"
RESUME = "train.resume_training_checkpoint_path"
POINTER = b"version https://git-lfs.github.com/spec/v1\n"


def spec_file(folder: Path, key: str, value: Path) -> Path:
    """A spec with one setting."""
    lines = [f"{'  ' * depth}{part}:" for depth, part in enumerate(key.split("."))]
    lines[-1] += f" {value}"
    path = folder / "spec.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("key", [WHOLE, BACKBONE, RESUME])
@pytest.mark.parametrize(
    ("content", "got"),
    [
        (POINTER, "a pointer of Git LFS"),
        (b"", "an empty file"),
        (b"<html>", "a page of markup"),
        (b"PK\x03\x04", "a file that ends early"),
        (None, "lost.pth"),
    ],
)
def test_what_is_no_checkpoint_is_refused_with_file_and_key(
    plan: MakePlan, tmp_path: Path, key: str, content: bytes | None, got: str
) -> None:
    path = tmp_path / ("lost.pth" if content is None else "weights.pth")
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FixData) as error:
        plan("--spec", str(spec_file(tmp_path, key, path)))
    assert got in error.value.got
    assert key in error.value.where
    assert str(path) in str(error.value)


@pytest.mark.parametrize("key", [WHOLE, BACKBONE])
def test_a_key_set_on_the_command_line_is_looked_at_too(
    plan: MakePlan, tmp_path: Path, key: str
) -> None:
    (tmp_path / "weights.pth").write_bytes(POINTER)
    with pytest.raises(FixData, match="Git LFS"):
        plan("--set", f"{key}={tmp_path / 'weights.pth'}")


def test_a_checkpoint_passes(plan: MakePlan, attempt_spec: AttemptSpec, tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(b"\x80\x02weights")
    made = plan("--set", f"{WHOLE}={tmp_path / 'weights.pth'}")
    assert get(attempt_spec(made), WHOLE) == str(tmp_path / "weights.pth")


def test_a_checkpoint_to_resume_is_said_not_to_be_read(plan: MakePlan, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"\x80\x02weights")
    made = plan("--spec", str(spec_file(tmp_path, RESUME, path)))
    assert any(
        note.startswith(f"{RESUME} = {path} is not read from a spec") for note in made.notes
    )


def test_a_container_may_hold_files_that_are_not_here(plan: MakePlan, tmp_path: Path) -> None:
    lost = f"{WHOLE}=/inside/the/image/weights.pth"
    plan("--trainer", "docker", "--image", "tao:1", "--set", lost)
    (tmp_path / "weights.pth").write_bytes(POINTER)
    with pytest.raises(FixData, match="Git LFS"):
        plan(
            *("--trainer", "docker", "--image", "tao:1"),
            *("--set", f"{WHOLE}={tmp_path / 'weights.pth'}"),
        )
