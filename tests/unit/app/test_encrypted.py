"""Encrypted checkpoints: refused by name, with what to do, wherever one is named."""

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.checkpointfile import check_not_encrypted
from automl.cli.main import main
from automl.errors import FixData
from tests.unit.app.kit import MakePlan

SAYS = "one that TAO encrypted"
FIX = "export it again in the container of release 5"


def encrypted_file(folder: Path, name: str) -> Path:
    """Noise for ``.tlt`` and ``.etlt``; for ``.pth`` a file of torch's that bears the mark."""
    path = folder / name
    if path.suffix != ".pth":
        path.write_bytes(bytes(range(7, 200)) * 4)
        return path
    with zipfile.ZipFile(path, "w") as archive:
        content = {"epoch": 1, "state_dict_encrypted": True, "state_dict": "noise"}
        archive.writestr("archive/data.pkl", pickle.dumps(content, protocol=2))
    return path


FLAGS: dict[str, Callable[[Path], tuple[str, ...]]] = {
    "--parent-checkpoint": lambda path: ("--parent-checkpoint", str(path)),
    "train.pretrained_model_path": lambda p: ("--set", f"train.pretrained_model_path={p}"),
    "model.backbone.pretrained_backbone_path": lambda p: (
        "--set",
        f"model.backbone.pretrained_backbone_path={p}",
        "--set",
        "model.backbone.model_type=DLA34",
    ),
    "--resume-from": lambda path: ("--policy", "off", "--resume-from", str(path)),
    "train.resume_training_checkpoint_path": lambda path: (
        "--policy",
        "off",
        "--set",
        f"train.resume_training_checkpoint_path={path}",
    ),
}


@pytest.mark.parametrize(
    ("flag", "name"),
    [*((flag, "model.tlt") for flag in FLAGS), ("--resume-from", "model.etlt"),
     ("train.pretrained_model_path", "model.pth")],
)  # fmt: skip
def test_a_training_is_refused_before_it_is_planned(
    plan: MakePlan, tmp_path: Path, flag: str, name: str
) -> None:
    path = encrypted_file(tmp_path, name)
    with pytest.raises(FixData) as caught:
        plan(*FLAGS[flag](path), "--trainer", "process")
    text = str(caught.value)
    assert SAYS in text
    assert str(path) in text
    assert flag.replace("--parent-checkpoint", "train.pretrained_model_path") in text
    assert FIX in text


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("evaluate", "--checkpoint"), "model.tlt"),
        (("evaluate", "--checkpoint"), "model.etlt"),
        (("inference", "--checkpoint"), "model.pth"),
        (("export", "--checkpoint"), "model.tlt"),
        (("tune-inference", "--val-data", "{split}"), "model.tlt"),
        (("weights", "import", "--to", "{out}"), "model.etlt"),
        (("weights", "export", "--to", "{out}"), "model.tlt"),
    ],
)
def test_an_action_is_refused_before_it_is_started(
    splits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str,
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    path = encrypted_file(tmp_path, name)
    places = {"split": splits / "val", "out": tmp_path / "out.pth"}
    argv = [word.format(**places) for word in words]
    data = {"evaluate": ["--test-data"], "inference": ["--inference-data"]}.get(words[0])
    more = [] if data is None else [*data, str(splits / "val")]
    assert main([*argv, str(path), *more]) == 2
    said = capsys.readouterr().err
    assert SAYS in said
    assert name in said
    assert FIX in said
    assert not (tmp_path / "studies").exists()


def test_a_container_reads_one_with_its_key(plan: MakePlan, tmp_path: Path) -> None:
    path = encrypted_file(tmp_path, "model.tlt")
    words = ("--parent-checkpoint", str(path), "--set", "model.backbone.model_type=DLA34")
    with pytest.raises(FixData, match=SAYS):
        plan(*words, "--trainer", "docker")
    made = plan(*words, "--trainer", "docker", "--set", "encryption_key=secret")
    assert made.base_spec["train"]["pretrained_model_path"] == str(path)


def test_the_mark_counts_where_it_is_true(tmp_path: Path) -> None:
    for protocol in (2, 3, 4):
        for marked in (True, False):
            path = tmp_path / f"{protocol}{marked}.pth"
            content = io.BytesIO(pickle.dumps({"state_dict_encrypted": marked}, protocol=protocol))
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("archive/data.pkl", content.getvalue())
            if marked:
                with pytest.raises(FixData, match=SAYS):
                    check_not_encrypted(path, "--checkpoint")
            else:
                check_not_encrypted(path)
