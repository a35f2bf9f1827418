"""``--data KEY=PATH`` for actions: named where it lacks, checked, rewritten, mounted, recorded."""

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from automl.app.act import ActPlan, plan_action
from automl.app.action_request import ActRequest
from automl.app.action_run import carry_out, ready_trainer
from automl.cli.main import main
from automl.errors import FixInput
from automl.skill.tree import get
from automl.study.layout import AttemptPaths
from automl.trainers.docker.mounts import mounts_for
from tests.made_skill import leaf, schema_of, write_skill
from tests.unit.app.act_kit import add_checkpoint

LABELS, IMAGES, MASKS = "data.labels", "data.sources[0].image_dir", "data.masks"
INPUTS = {
    LABELS: {"type": "file"},
    IMAGES: {"type": "folder"},
    MASKS: {"type": "folder", "optional": True},
    "evaluate.checkpoint": {"type": "file"},
}
LEAVES = {
    LABELS: leaf("string", ""),
    MASKS: leaf("string", ""),
    "data.sources": leaf("list", []),
    "evaluate.checkpoint": leaf("string", ""),
    "results_dir": leaf("string", ""),
}
SCRIPT = """
import json, sys
config = json.load(open(sys.argv[1]))
lines = open(config["data"]["labels"]).read().split()
print("read", len(lines), "labels with", sys.executable)
json.dump(config, open(config["results_dir"] + "/seen.json", "w"))
"""


def skill(folder: Path, **evaluate: Any) -> Path:
    """A skill of an unknown network whose evaluation needs two inputs."""
    info = {
        "network_arch": "picker",
        "container_image": "registry/picker:1",
        "actions": {
            "train": {"command": "picker train -e {config_path}"},
            "evaluate": {
                "command": "picker evaluate -e {config_path}",
                "inputs": INPUTS,
                **evaluate,
            },
        },
        "spec_params": {
            "evaluate": {"evaluate.checkpoint": "parent_model", "results_dir": "output_dir"}
        },
    }
    write_skill(folder, info, schema_of(LEAVES))
    (folder / "schemas" / "evaluate.schema.json").write_text(json.dumps(schema_of(LEAVES)))
    return folder


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.txt"
    path.write_text("cup box can")
    return path


def asked(tmp_path: Path, *inputs: str, **changes: Any) -> ActRequest:
    return ActRequest(
        "evaluate",
        tmp_path / "studies",
        skill_dir=tmp_path / "skill",
        checkpoint=str(add_checkpoint(tmp_path, 0, 1)),
        inputs=inputs,
        trainer="docker",
        **changes,
    )


def planned(tmp_path: Path, *inputs: str, **changes: Any) -> ActPlan:
    return plan_action(asked(tmp_path, *inputs, **changes))


def test_what_lacks_is_named_with_its_flag(tmp_path: Path, labels: Path) -> None:
    skill(tmp_path / "skill")
    with pytest.raises(FixInput) as refused:
        planned(tmp_path)
    assert str(refused.value) == (
        f"evaluate needs {LABELS}, {IMAGES}, but got no values; give --data {LABELS}=PATH"
    )
    with pytest.raises(FixInput, match=r"give --data data\.sources\[0\]\.image_dir=PATH"):
        planned(tmp_path, f"{LABELS}={labels}")


def test_each_path_is_checked_put_in_its_place_mounted_and_recorded(
    tmp_path: Path, labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skill(tmp_path / "skill")
    monkeypatch.chdir(tmp_path)
    images = tmp_path / "packed"
    images.mkdir()
    (images / "a.jpg").write_bytes(b"jpg")
    plan = planned(tmp_path, "data.labels=labels.txt", f"{IMAGES}={images}")
    assert get(plan.spec.tree, LABELS) == str(labels)
    assert get(plan.spec.tree, "data.sources") == [{"image_dir": str(images)}]
    assert {LABELS, IMAGES} <= plan.spec.data.keys()
    mounts = mounts_for(plan.spec.tree, AttemptPaths(plan.folder), Path.exists)
    for path in (labels, images):
        place = mounts.inside(str(path))
        assert place is not None
        assert place != str(path)
        assert any(each.host == path and each.read_only for each in mounts.mounts)


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        (
            ("data.label=x",),
            r"an input must be a file or a folder that exists.*--data data\.label",
        ),
        (("data.label={labels}",), r"setting of evaluate.*did you mean data\.labels"),
        (("data.labels={folder}",), "data.labels must be a file"),
        ((f"{MASKS}={{labels}}",), "data.masks must be a folder"),
        (("data.labels",), "must be written KEY=PATH"),
        (("data.labels={labels}", "data.labels={labels}"), "data.labels twice"),
        (("data.sources[1].image_dir={folder}",), "the next one"),
    ],
)
def test_what_cannot_be_is_refused(
    tmp_path: Path, labels: Path, inputs: tuple[str, ...], says: str
) -> None:
    skill(tmp_path / "skill")
    places = {"labels": labels, "folder": tmp_path}
    with pytest.raises(FixInput, match=says):
        planned(tmp_path, *(text.format(**places) for text in inputs))


def test_an_archive_is_unpacked(tmp_path: Path, labels: Path) -> None:
    import tarfile

    skill(tmp_path / "skill")
    folder = tmp_path / "masks"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"png")
    with tarfile.open(tmp_path / "masks.tar.gz", "w:gz") as archive:
        archive.add(folder, "masks")
    given = (f"{LABELS}={labels}", f"{IMAGES}={folder}", f"{MASKS}={tmp_path / 'masks.tar.gz'}")
    found = Path(get(planned(tmp_path, *given).spec.tree, MASKS))
    assert found.is_dir()
    assert [path.name for path in found.rglob("*.png")] == ["a.png"]


def test_a_script_s_action_reads_them(tmp_path: Path, labels: Path) -> None:
    script = {"type": "python_script", "script": "evaluate.py", "args": ["{config_path}"]}
    folder = skill(tmp_path / "skill", execution=script, config_format="json")
    (folder / "evaluate.py").write_text(SCRIPT)
    given = (f"{LABELS}={labels}", f"{IMAGES}={tmp_path}")
    with pytest.raises(FixInput, match=r"give --data data\.sources"):
        planned(tmp_path, given[0])
    request = asked(tmp_path, *given)
    plan = plan_action(
        ActRequest(
            request.action,
            request.studies_dir,
            skill_dir=request.skill_dir,
            checkpoint=request.checkpoint,
            inputs=given,
            trainer="process",
        )
    )
    record = carry_out(plan, ready_trainer(plan))
    assert record.ok, record.evidence
    assert record.data[LABELS] == str(labels)
    seen = json.loads((plan.folder / "seen.json").read_text())
    assert seen["data"] == {"labels": str(labels), "masks": "", "sources": [
        {"image_dir": str(tmp_path)}]}  # fmt: skip
    assert seen["evaluate"]["checkpoint"] == request.checkpoint
    assert f"read 3 labels with {sys.executable}" in (plan.folder / "log.txt").read_text()


def test_the_flag_stands_at_every_action(
    tmp_path: Path, labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    skill(tmp_path / "skill")
    checkpoint = add_checkpoint(tmp_path, 0, 1)
    words = ["--checkpoint", str(checkpoint), "--skill-dir", str(tmp_path / "skill")]
    words += ["--studies-dir", str(tmp_path / "studies"), "--trainer", "docker", "--dry-run"]
    given = ["--data", f"{LABELS}={labels}", "--data", f"{IMAGES}={tmp_path}"]
    assert main(["evaluate", *words, *given]) == 0
    assert f"labels: {labels}" in capsys.readouterr().out
    for action in ("inference", "export", "gen-trt-engine"):
        main([action, *words, *given])
        assert "unrecognized" not in capsys.readouterr().err


def test_what_a_container_engine_is_built_from_can_be_given_by_key(tmp_path: Path) -> None:
    """The packaged skill's calibration images: a list, given entry by entry."""
    model = tmp_path / "model.onnx"
    model.write_bytes(b"\x08onnx")
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
        with zipfile.ZipFile(folder / "x.zip", "w"):
            pass
    key = "gen_trt_engine.tensorrt.calibration.cal_image_dir"
    plan = plan_action(
        ActRequest(
            "gen_trt_engine",
            tmp_path / "studies",
            checkpoint=str(model),
            inputs=tuple(f"{key}[{k}]={folder}" for k, folder in enumerate(folders)),
            trainer="docker",
        )
    )
    assert get(plan.spec.tree, key) == [str(folder) for folder in folders]
