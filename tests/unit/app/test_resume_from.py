"""Going on from a checkpoint of another training: how one is named, compared and recorded."""

from pathlib import Path

import pytest

from automl.app.resume_point import find_resume_point
from automl.app.retrain import RetrainRequest, plan_retrain
from automl.app.run import go_on, start
from automl.app.screen import Silent
from automl.app.trainer_choice import container_preview
from automl.errors import FixInput, ResolveConflict
from automl.files import sha256_of
from automl.skill.tree import get
from automl.spec.sources import with_settings
from automl.study.choice import find_study
from automl.study.folder import read_config, read_provenance
from automl.study.layout import StudyPaths
from automl.trainers.docker.mounts import mounts_for
from automl.yamltext import load_yaml
from tests.unit.app.act_kit import add_trial, study_of
from tests.unit.app.kit import AttemptSpec, MakePlan

RESUME = "train.resume_training_checkpoint_path"
FILE = """
automl_policy: "off"
name: parent
trainer: scripted
script: {epoch_s: 0.0}
trial_timeout: 30s
set: {train.num_epochs: 2, train.optim.lr: 3e-4, dataset.batch_size: 2, train.seed: 5}
"""


@pytest.fixture
def parent(plan: MakePlan) -> StudyPaths:
    """A study of one training of two epochs, both checkpoints kept; the second is the best."""
    made = plan(file=FILE)
    paths = study_of(made)
    add_trial(paths, made, 0, 0.5)
    return paths


def checkpoint_of(paths: StudyPaths, epoch: int) -> Path:
    return next(paths.attempt(0, 1).folder.glob(f"model_epoch_{epoch:03d}_*.pth"))


def going_on(plan: MakePlan, asked: str, *more: str, epochs: int = 4) -> list[str]:
    argv = ("--policy", "off", "--resume-from", asked, "--set", f"train.num_epochs={epochs}")
    return list(plan(*argv, *more).notes)


@pytest.mark.parametrize(
    ("asked", "epoch"),
    [
        ("parent", 1),
        ("parent:0", 1),
        ("parent:best", 1),
        ("parent@best", 1),
        ("parent:0@last", 1),
        ("parent:0@epoch 0", 0),
        ("parent:0@epoch=0", 0),
        ("parent@0", 0),
        ("parent@model_epoch_000_step_00002.pth", 0),
    ],
)
def test_each_way_to_name_a_checkpoint(
    parent: StudyPaths, studies_dir: Path, asked: str, epoch: int
) -> None:
    point = find_resume_point(studies_dir, asked, "--resume-from")
    assert Path(point.path).name == checkpoint_of(parent, epoch).name
    assert point.record()["epoch"] == epoch
    assert point.record()["trial"] == 0


@pytest.mark.parametrize("asked", ["parent:0@third", "parent:0:1", "a:b@c@d", ""])
def test_what_names_no_checkpoint_is_refused(studies_dir: Path, asked: str) -> None:
    with pytest.raises(FixInput, match="STUDY:TRIAL@WHICH"):
        find_resume_point(studies_dir, asked, "--resume-from")


def test_the_last_of_a_longer_training_is_never_one_before_it(
    parent: StudyPaths, studies_dir: Path
) -> None:
    checkpoint_of(parent, 1).unlink()
    with pytest.raises(FixInput, match=r"got last; kept: model_epoch_000.*--keep last"):
        find_resume_point(studies_dir, "parent:0@last", "--resume-from")
    point = find_resume_point(studies_dir, "parent:0", "--resume-from")
    assert "epoch 0, the newest that was kept of 2" in point.parent.origin.said


def test_a_training_takes_over_the_settings_of_the_checkpoint(
    plan: MakePlan, parent: StudyPaths, attempt_spec: AttemptSpec
) -> None:
    made = plan("--policy", "off", "--resume-from", "parent", "--set", "train.num_epochs=4")
    spec = attempt_spec(made)
    file = str(checkpoint_of(parent, 1))
    assert Path(get(spec, RESUME)).name == Path(file).name
    assert get(spec, "train.num_epochs") == 4
    assert get(spec, "train.optim.lr") == 3e-4
    assert get(spec, "dataset.batch_size") == 2
    assert get(made.base_spec, RESUME) == ""
    record = made.provenance["parent"]
    assert record["study"] == "parent"
    assert record["checkpoint_sha256"] == sha256_of(Path(file))
    assert (record["epoch"], record["step"]) == (1, 4)
    assert made.config.resume_from == record["checkpoint"]


def test_the_same_by_key(plan: MakePlan, parent: StudyPaths, attempt_spec: AttemptSpec) -> None:
    file = checkpoint_of(parent, 1)
    made = plan("--policy", "off", "--set", f"{RESUME}={file}", "--set", "train.num_epochs=3")
    assert get(attempt_spec(made), RESUME) == str(file)
    assert RESUME not in made.config.overrides
    assert made.provenance["parent"]["trial"] == 0


def test_differences_are_said(plan: MakePlan, parent: StudyPaths) -> None:
    assert parent.folder.name == "parent"
    changes = ("--set", "train.optim.lr=1e-3", "--set", "dataset.batch_size=4")
    notes = "\n".join(going_on(plan, "parent", *changes, "--set", "train.seed=6"))
    assert "after epoch 1, counted from 0" in notes
    held = next(line for line in notes.splitlines() if "without effect, since" in line)
    assert "train.optim.lr 0.0003 -> 0.001" in held
    assert "train.seed 5 -> 6" in held
    changed = next(line for line in notes.splitlines() if line.startswith("settings other"))
    assert "train.num_epochs 2 -> 4" in changed
    assert "dataset.batch_size 2 -> 4" in changed


def test_another_network_is_refused(plan: MakePlan, parent: StudyPaths) -> None:
    assert parent.folder.name == "parent"
    with pytest.raises(FixInput, match=r"network that is in its checkpoint.*model_type"):
        going_on(plan, "parent", "--set", "model.backbone.model_type=DLA34")


@pytest.mark.parametrize("epochs", [1, 2])
def test_epochs_count_from_the_start(plan: MakePlan, parent: StudyPaths, epochs: int) -> None:
    assert parent.folder.name == "parent"
    with pytest.raises(FixInput, match=r"counts from the start.*--set train\.num_epochs=4"):
        going_on(plan, "parent", epochs=epochs)


def test_a_search_does_not_go_on_from_a_checkpoint(plan: MakePlan, parent: StudyPaths) -> None:
    with pytest.raises(FixInput, match=r"--policy off, or start every trial from weights"):
        plan("--resume-from", "parent")
    with pytest.raises(FixInput, match="--policy off"):
        plan("--set", f"{RESUME}={checkpoint_of(parent, 1)}")


def test_two_checkpoints_are_refused(plan: MakePlan, parent: StudyPaths) -> None:
    one, two = checkpoint_of(parent, 0), checkpoint_of(parent, 1)
    with pytest.raises(FixInput, match="goes on from one checkpoint"):
        plan("--policy", "off", "--resume-from", str(one), "--set", f"{RESUME}={two}")
    with pytest.raises(FixInput, match="or starts at epoch 0 from weights"):
        plan("--policy", "off", "--resume-from", str(one), "--parent-checkpoint", str(two))


@pytest.mark.parametrize("asked", ["parent@7", "parent@last", "parent"])
def test_a_file_of_an_epoch_that_was_never_trained_is_refused(
    parent: StudyPaths, studies_dir: Path, asked: str
) -> None:
    stranger = parent.attempt(0, 1).folder / "model_epoch_007_step_00099.pth"
    stranger.write_bytes(checkpoint_of(parent, 0).read_bytes())
    with pytest.raises(ResolveConflict, match=r"one of epoch 7, .* of a training of 2"):
        find_resume_point(studies_dir, asked, "--resume-from")


def test_another_file_in_the_place_of_the_best_is_refused_however_it_is_named(
    parent: StudyPaths, studies_dir: Path
) -> None:
    checkpoint_of(parent, 1).write_bytes(checkpoint_of(parent, 0).read_bytes())
    for asked in ("parent:0@1", "parent:0@last", "parent:0@best"):
        with pytest.raises(ResolveConflict, match="a file of SHA-256"):
            find_resume_point(studies_dir, asked, "--resume-from")


def test_a_file_that_no_study_has_recorded_is_said(
    plan: MakePlan, parent: StudyPaths, tmp_path: Path
) -> None:
    assert "parent has not recorded this file" in "\n".join(
        going_on(plan, str(checkpoint_of(parent, 0)))
    )
    assert "has not recorded" not in "\n".join(going_on(plan, str(checkpoint_of(parent, 1))))
    elsewhere = tmp_path / "model_epoch_001_step_00004.pth"
    elsewhere.write_bytes(checkpoint_of(parent, 1).read_bytes())
    assert "no spec lies beside that checkpoint" in "\n".join(going_on(plan, str(elsewhere)))


def test_pretrained_weights_are_those_of_the_checkpoint(
    plan: MakePlan, parent: StudyPaths, attempt_spec: AttemptSpec, tmp_path: Path
) -> None:
    (tmp_path / "backbone.pth").write_bytes(checkpoint_of(parent, 0).read_bytes())
    key = "model.backbone.pretrained_backbone_path"
    backbone = ("--set", f"{key}={tmp_path / 'backbone.pth'}", "--policy", "off")
    assert get(attempt_spec(plan(*backbone, "--name", "a")), key)
    argv = (*backbone, "--resume-from", "parent", "--set", "train.num_epochs=3", "--name", "b")
    assert get(attempt_spec(plan(*argv)), key) == ""


def test_a_training_that_goes_on_measures_the_epochs_after_it(
    plan: MakePlan, parent: StudyPaths, studies_dir: Path
) -> None:
    assert parent.folder.name == "parent"
    argv = ("--policy", "off", "--resume-from", "parent", "--name", "longer")
    ending = start(plan(*argv, "--set", "train.num_epochs=5"), Silent())
    assert ending.exit_code == 0
    paths = find_study(studies_dir, "longer")
    status = (paths.attempt(0, 1).folder / "status.json").read_text(encoding="utf-8")
    assert '"epoch": 2' in status
    assert '"epoch": 1,' not in status
    assert read_provenance(paths)["parent"]["study"] == "parent"
    assert read_config(paths).resume_from == str(checkpoint_of(parent, 1))


def test_a_parent_that_is_gone_before_the_first_own_checkpoint_is_said(
    plan: MakePlan, parent: StudyPaths
) -> None:
    asked = str(checkpoint_of(parent, 1))
    argv = ("--policy", "off", "--resume-from", asked, "--set", "train.num_epochs=5")
    paths = study_of(plan(*argv, "--name", "longer"))
    checkpoint_of(parent, 1).write_bytes(b"PK\x03\x04 something else")
    with pytest.raises(ResolveConflict, match="another file"):
        go_on(paths, Silent())


def test_a_retraining_from_a_checkpoint_goes_on_with_it(
    plan: MakePlan, parent: StudyPaths, studies_dir: Path, attempt_spec: AttemptSpec
) -> None:
    made, changes = plan_retrain(
        RetrainRequest(studies_dir, "parent", epochs=6, from_checkpoint="last")
    )
    spec = attempt_spec(made)
    assert Path(get(spec, RESUME)).name == checkpoint_of(parent, 1).name
    assert get(spec, "train.num_epochs") == 6
    assert get(spec, "train.optim.lr_steps") == get(
        load_yaml(parent.attempt(0, 1).spec), "train.optim.lr_steps"
    )
    assert changes == ("train.num_epochs 2 -> 6",)
    assert made.provenance["parent"]["made_by"] == "retrain"
    assert made.provenance["parent"]["epoch"] == 1


def test_a_container_sees_the_checkpoint_by_its_key_and_may_only_read_it(
    plan: MakePlan, parent: StudyPaths, tmp_path: Path
) -> None:
    file = tmp_path / "kept" / checkpoint_of(parent, 1).name
    file.parent.mkdir()
    file.write_bytes(checkpoint_of(parent, 1).read_bytes())
    docker = ("--trainer", "docker", "--gpus-per-trial", "0")
    resume = ("--resume-from", str(file), "--set", "train.num_epochs=4")
    made = plan("--policy", "off", *docker, *resume)
    mounts = mounts_for(
        with_settings(made.base_spec, {RESUME: made.config.resume_from}, "test"),
        parent.attempt(1, 1),
        lambda path: path.exists(),
    )
    (mount,) = [mount for mount in mounts.mounts if mount.host == file]
    assert mount.read_only
    command = container_preview(made.config, made.skill, made.base_spec, made.studies_dir)
    assert f"{file}" in command
    assert mounts.inside(str(file)) == str(mount.inside)
