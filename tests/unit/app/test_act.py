"""Actions on a study's checkpoints: what they start from, their spec, and how they end."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from automl.app.act import ActPlan, ActRequest, plan_action
from automl.app.action_run import carry_out
from automl.errors import FixInput, ResolveConflict
from automl.skill.tree import get
from automl.study.actions import read_actions
from automl.study.layout import StudyPaths
from automl.trainers.base import TrialTask
from automl.trainers.docker.trainer import DockerTrainer
from automl.trainers.table import make_trainer
from automl.yamltext import load_yaml
from tests.unit.app.act_kit import Player, add_checkpoint, add_trial, study_of
from tests.unit.app.kit import MakePlan, values

Act = Callable[..., ActPlan]

SETTINGS = (
    "--set=dataset.category=cereal_box",
    "--set=dataset.num_symmetry=3",
    "--set=dataset.batch_size=8",
    "--set=model.backbone.model_type=DLA34",
    "--set=model.use_convGRU=false",
    "--set=train.num_epochs=2",
)


@pytest.fixture
def study(plan: MakePlan, splits: Path) -> StudyPaths:
    """A study of two trials; trial 1 is the best, at epoch 1."""
    data = [f"--{split}-data={splits / split}" for split in ("train", "val", "test")]
    made = plan("--policy", "off", "--name", "bikes", *data, *SETTINGS)
    paths = study_of(made)
    add_trial(paths, made, 0, 0.1)
    add_trial(paths, made, 1, 0.4)
    return paths


@pytest.fixture
def act(study: StudyPaths) -> Act:
    def make(action: str, **asked: object) -> ActPlan:
        return plan_action(ActRequest(action, study.folder.parent, **asked))  # type: ignore[arg-type]

    return make


def export_of(act: Act, **asked: object) -> ActPlan:
    """An export that has gone well."""

    def write(task: TrialTask) -> None:
        (task.folder / "centerpose.onnx").write_bytes(b"\x08onnx")

    plan = act("export", **asked)
    record = carry_out(plan, Player(write=write))
    assert record.ok
    return plan


def test_the_best_of_the_newest_study_is_taken_unless_something_is_named(
    act: Act, study: StudyPaths
) -> None:
    plan = act("evaluate")
    assert plan.parent.origin.trial == 1
    assert plan.parent.origin.epoch == 1
    assert plan.parent.origin.path == str(study.best / "model_epoch_001_step_00004.pth")
    assert plan.folder == study.actions / "evaluate-1"
    assert not plan.folder.exists()


def test_a_known_size_goes_to_the_trainer_that_takes_one(act: Act) -> None:
    plan = act("inference", known_size="cereal_box=0.30, bottle=0.24")
    assert get(plan.spec.tree, "inference.known_size") == "cereal_box=0.30, bottle=0.24"
    assert not [note for note in plan.notes if "up to scale" in note]
    without = act("inference")
    assert [note for note in without.notes if "up to scale" in note]
    assert get(without.spec.tree, "inference.known_size", None) is None
    for known in ("bottle=0.24", "0", "-0.3"):
        with pytest.raises(FixInput, match="a known size must") as caught:
            act("inference", known_size=known)
        assert "--known-height" in caught.value.where
    by_key = act("inference", overrides=("inference.known_size=0.3",))
    assert get(by_key.spec.tree, "inference.known_size") == 0.3
    assert not [note for note in by_key.notes if "up to scale" in note]
    for key in ("inference.known_size=bottle=0.3", "inference.known_size=-1"):
        with pytest.raises(FixInput, match="a known size must") as caught:
            act("inference", overrides=(key,))
        assert caught.value.where == "--set"
    for given in ({"known_size": "0.3"}, {"overrides": ("inference.known_size=0.3",)}):
        with pytest.raises(FixInput, match="trainer of this package") as caught:
            act("inference", trainer="docker", **given)
        assert "relative_scale" in caught.value.fix
    ours = act("inference", known_size="0.3", trainer="docker", image="automl-centerpose:dev")
    assert get(ours.spec.tree, "inference.known_size") == "0.3"


@pytest.mark.parametrize(
    ("trial", "checkpoint", "number", "epoch"),
    [("0", "best", 0, 1), ("baseline", "0", 0, 0), ("last", "last", 1, 1), ("1", "2", 1, 1)],
)
def test_trials_and_their_checkpoints_by_name(
    act: Act, trial: str, checkpoint: str, number: int, epoch: int
) -> None:
    origin = act("evaluate", trial=trial, checkpoint=checkpoint).parent.origin
    assert (origin.trial, origin.epoch) == (number, epoch)


@pytest.mark.parametrize(("trial", "why"), [("9", "started"), ("worst", "best, default")])
def test_trials_that_are_none(act: Act, trial: str, why: str) -> None:
    with pytest.raises(FixInput, match=why):
        act("evaluate", trial=trial)


def test_structure_comes_from_the_training_and_the_run_does_not(act: Act) -> None:
    for action in ("evaluate", "inference", "export"):
        spec = act(action).spec.tree
        assert values(
            spec, "dataset.num_symmetry", "model.backbone.model_type", "model.use_convGRU"
        ) == {
            "dataset.num_symmetry": 3,
            "model.backbone.model_type": "DLA34",
            "model.use_convGRU": False,
        }
        assert get(spec, "dataset.batch_size") == 4
        assert not get(spec, "dataset.train_data")
        assert get(spec, "results_dir").endswith(f"actions/{action}-1")


def test_an_evaluation_reads_the_test_data_and_annotations_frame(act: Act, splits: Path) -> None:
    plan = act("evaluate")
    assert plan.spec.data == {"dataset.test_data": str(splits / "test")}
    assert get(plan.spec.tree, "evaluate.opencv") is False
    assert get(plan.spec.tree, "evaluate.trt_engine") == ""
    assert plan.notes == ()


def test_inference_reads_the_val_data_where_no_other_was_given(act: Act, splits: Path) -> None:
    plan = act("inference")
    assert plan.spec.data == {"dataset.inference_data": str(splits / "val")}
    assert plan.notes[0] == "no inference data is recorded: it reads val"


def test_data_of_a_flag_beats_the_recorded(act: Act, splits: Path) -> None:
    plan = act("inference", data={"inference": str(splits / "test")})
    assert plan.spec.data == {"dataset.inference_data": str(splits / "test")}
    with pytest.raises(FixInput, match="exists"):
        act("inference", data={"inference": "/nowhere/at/all"})


def test_data_that_the_action_does_not_read_is_refused(act: Act, splits: Path) -> None:
    with pytest.raises(FixInput, match="takes the test data"):
        act("export", data={"test": str(splits / "test")})


def test_overrides_are_judged_by_the_actions_schema(act: Act) -> None:
    spec = act("evaluate", overrides=("evaluate.eval_num_symmetry=4", "batch_size=2")).spec.tree
    assert values(spec, "evaluate.eval_num_symmetry", "dataset.batch_size") == {
        "evaluate.eval_num_symmetry": 4,
        "dataset.batch_size": 2,
    }
    with pytest.raises(FixInput, match=r"export\.opset_version"):
        act("export", overrides=("export.opset_versoin=17",))
    with pytest.raises(FixInput):
        act("export", overrides=("export.opset_version=many",))


def test_the_folder_is_not_for_the_user_to_set(act: Act, tmp_path: Path) -> None:
    with pytest.raises(FixInput, match="a folder of its own"):
        act("evaluate", overrides=("results_dir=/elsewhere",))
    assert act("evaluate", results=tmp_path / "out").folder == tmp_path / "out"
    with pytest.raises(FixInput, match="folder of its own"):
        act("evaluate", results=tmp_path)


def test_an_export_follows_the_input_size(plan: MakePlan, studies_dir: Path) -> None:
    made = plan("--policy", "off", "--name", "large", "--set=dataset.input_res=512")
    paths = study_of(made)
    add_trial(paths, made, 0, 0.2)
    spec = plan_action(ActRequest("export", studies_dir, "large")).spec.tree
    assert values(spec, "export.input_width", "export.input_height") == {
        "export.input_width": 512,
        "export.input_height": 512,
    }
    assert get(spec, "export.onnx_file").endswith("export-1/centerpose.onnx")


def test_a_checkpoint_that_was_exchanged_is_refused(act: Act, study: StudyPaths) -> None:
    kept = study.best / "model_epoch_001_step_00004.pth"
    kept.unlink()
    other = add_checkpoint(study.best, 1, 5)
    other.rename(kept)
    with pytest.raises(ResolveConflict, match="recorded"):
        act("evaluate")


def test_a_file_of_a_study_is_known_by_where_it_lies(act: Act, study: StudyPaths) -> None:
    file = study.attempt(0, 1).folder / "model_epoch_000_step_00002.pth"
    plan = act("evaluate", checkpoint=str(file))
    assert plan.folder.parent == study.actions
    assert get(plan.spec.tree, "model.backbone.model_type") == "DLA34"
    assert plan.notes == ()


def test_a_file_from_elsewhere_needs_a_spec_or_takes_the_templates(
    act: Act, study: StudyPaths, tmp_path: Path, splits: Path
) -> None:
    file = add_checkpoint(tmp_path, 3, 8)
    data = {"test": str(splits / "test")}
    plan = act("evaluate", checkpoint=str(file), data=data)
    assert plan.folder == study.folder.parent / "actions" / "evaluate-1"
    assert get(plan.spec.tree, "model.backbone.model_type") == "fan_small"
    assert get(plan.spec.tree, "evaluate.opencv") is False
    assert "--spec FILE" in plan.notes[0]
    spec = study.attempt(0, 1).spec
    told = act("evaluate", checkpoint=str(file), data=data, spec_file=spec)
    assert get(told.spec.tree, "model.backbone.model_type") == "DLA34"
    with pytest.raises(FixInput, match=r"evaluate needs dataset\.test_data.*--test-data"):
        act("evaluate", checkpoint=str(file))


def test_an_engine_starts_from_the_export_of_its_checkpoint(
    act: Act, study: StudyPaths, splits: Path
) -> None:
    with pytest.raises(FixInput, match=r"automl export --study bikes --trial 1"):
        act("gen_trt_engine")
    export_of(act, trial="0")
    with pytest.raises(FixInput, match="automl export"):
        act("gen_trt_engine")
    export_of(act)
    plan = act("gen_trt_engine")
    assert plan.trainer.name == "docker"
    assert plan.preview.image.endswith("-deploy")
    assert plan.options["deploy"] is True
    spec = plan.spec.tree
    assert get(spec, "gen_trt_engine.onnx_file") == str(study.actions / "export-2/centerpose.onnx")
    assert get(spec, "gen_trt_engine.trt_engine") == str(plan.folder / "centerpose.engine")
    cache = "gen_trt_engine.tensorrt.calibration.cal_cache_file"
    assert get(spec, cache) == str(plan.folder / "centerpose_calibration.cache")
    images = "gen_trt_engine.tensorrt.calibration.cal_image_dir"
    assert get(spec, images) == [str(splits / "train" / "batch-1")]


def test_an_export_that_has_changed_since_is_not_used(act: Act) -> None:
    plan = export_of(act)
    (plan.folder / "centerpose.onnx").write_bytes(b"\x08other")
    with pytest.raises(FixInput, match="another file"):
        act("gen_trt_engine")
    (plan.folder / "centerpose.onnx").unlink()
    with pytest.raises(FixInput, match="gone"):
        act("gen_trt_engine")


def test_an_engine_by_a_process_is_refused_with_the_mend(act: Act) -> None:
    export_of(act)
    with pytest.raises(FixInput, match=r"built in the deploy container.*--trainer docker"):
        act("gen_trt_engine", trainer="process")


def test_deploy_by_a_process_runs_the_exported_network(act: Act, splits: Path) -> None:
    export_of(act)
    plan = act("evaluate", deploy=True)
    assert plan.folder.name == "deploy-evaluate-1"
    assert plan.spec.source == "spec_template_deploy_evaluate.yaml"
    assert values(
        plan.spec.tree, "evaluate.trt_engine", "dataset.batch_size", "dataset.test_data"
    ) == {
        "evaluate.trt_engine": "",
        "dataset.batch_size": 1,
        "dataset.test_data": str(splits / "test"),
    }
    assert get(plan.spec.tree, "evaluate.checkpoint").endswith("export-1/centerpose.onnx")


def test_deploy_in_the_container_starts_from_the_engine(act: Act, study: StudyPaths) -> None:
    export_of(act)
    with pytest.raises(FixInput, match="automl gen-trt-engine"):
        act("evaluate", deploy=True, trainer="docker")

    def write(task: TrialTask) -> None:
        (task.folder / "centerpose.engine").write_bytes(b"engine")

    assert carry_out(act("gen_trt_engine"), Player(write=write)).ok
    plan = act("inference", deploy=True, trainer="docker")
    engine = study.actions / "gen-trt-engine-1" / "centerpose.engine"
    assert get(plan.spec.tree, "inference.trt_engine") == str(engine)
    assert get(plan.spec.tree, "inference.checkpoint", None) is None
    assert plan.preview.image.endswith("-deploy")


def test_the_deploy_container_sees_what_the_action_reads(
    act: Act, study: StudyPaths, splits: Path
) -> None:
    export_of(act)
    plan = act("gen_trt_engine")
    trainer = make_trainer("docker", plan.skill, plan.options, "gen_trt_engine")
    assert isinstance(trainer, DockerTrainer)
    log = plan.folder / "log.txt"
    task = TrialTask("bikes", 1, 1, plan.folder, plan.spec_path, log)
    container = trainer.planner.plan(plan.spec.tree, task, ("0",))
    assert container.image.endswith("-deploy")
    assert container.command[:3] == ("centerpose", "gen_trt_engine", "-e")
    inside = trainer.planner.container_spec(plan.spec.tree, container.mounts, ("0",))
    block = get(inside, "gen_trt_engine")
    assert block["onnx_file"] == "/inputs/gen_trt_engine-onnx_file/centerpose.onnx"
    assert block["trt_engine"] == "/results/centerpose.engine"
    images = block["tensorrt"]["calibration"]["cal_image_dir"]
    assert [container.mounts.host(each) for each in images] == [str(splits / "train" / "batch-1")]


def test_an_image_is_for_the_container(act: Act) -> None:
    export_of(act)
    with pytest.raises(FixInput, match="--trainer docker"):
        act("evaluate", image="my/tao:1")
    assert act("evaluate", trainer="docker", image="my/tao:1").preview.image == "my/tao:1"
    assert act("gen_trt_engine", image="my/tao:1").preview.image == "my/tao:1"


def test_how_an_action_ended_is_written_beside_its_spec(act: Act, study: StudyPaths) -> None:
    def write(task: TrialTask) -> None:
        kpi = {"test_3DIoU": "0.25", "test_2DMPE": "nan"}
        lines = [{"status": "STARTED", "message": "go"}]
        lines.append({"status": "RUNNING", "message": "Test metrics generated.", "kpi": kpi})  # type: ignore[dict-item]
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        (task.folder / "status.json").write_text(text)
        (task.folder / "report.txt").write_text("AP")

    plan = act("evaluate")
    record = carry_out(plan, Player(write=write))
    assert record.ok
    assert record.exit_code == 0
    assert record.metrics == {"test_3DIoU": 0.25}
    assert record.n_files == 1
    assert load_yaml(plan.spec_path) == plan.spec.tree
    assert list(read_actions(study.actions)) == [(plan.folder, record)]


def test_a_failure_is_a_record_with_its_own_exit_code_and_reason(act: Act) -> None:
    def write(task: TrialTask) -> None:
        line = {"status": "FAILURE", "message": "Configuration error: no such thing"}
        (task.folder / "status.json").write_text(json.dumps(line) + "\n")
        task.log_path.write_text("something\nlast words\n")

    record = carry_out(act("evaluate"), Player(code=3, write=write))
    assert (record.ok, record.exit_code) == (False, 3)
    assert record.evidence == "Configuration error: no such thing"
    silent = carry_out(act("evaluate"), Player(code=137))
    assert silent.evidence == "exit code 137"


def test_exit_code_0_without_the_file_is_no_success(act: Act) -> None:
    record = carry_out(act("export"), Player())
    assert not record.ok
    assert record.exit_code == 0
    assert "made no" in record.evidence
    assert "centerpose.onnx" in record.evidence
    with pytest.raises(FixInput, match="automl export"):
        act("gen_trt_engine")


def test_ctrl_c_ends_the_program_and_is_recorded(act: Act, study: StudyPaths) -> None:
    player = Player(code=-1)
    with pytest.raises(KeyboardInterrupt):
        carry_out(act("evaluate"), player)
    assert player.stopped
    ((_, record),) = read_actions(study.actions)
    assert (record.ok, record.evidence) == (False, "stopped by Ctrl-C")
    assert record.exit_code == 130


def test_gpus_are_the_users_or_what_the_study_had(act: Act) -> None:
    player = Player()
    carry_out(act("evaluate", gpus=("3",)), player)
    assert player.gpus == ["3"]
    plan = act("evaluate")
    assert plan.parent.config is not None
    resources = replace(plan.parent.config.resources, gpu_ids=(2, 5), gpus_per_trial=1)
    config = replace(plan.parent.config, resources=resources)
    carry_out(replace(plan, parent=replace(plan.parent, config=config)), player)
    assert player.gpus == ["2"]


@pytest.mark.parametrize("given", ["int8", "Int8", "INT8"])
def test_an_engine_s_precision_is_taken_in_any_case(act: Act, given: str) -> None:
    export_of(act)
    spec = act("gen_trt_engine", overrides=(f"gen_trt_engine.tensorrt.data_type={given}",)).spec
    built = get(spec.tree, "gen_trt_engine.tensorrt")
    assert built["data_type"] == "INT8"
    assert (built["opt_batch_size"], built["max_batch_size"]) == (4, 8)
    taken = built["calibration"]
    assert (taken["cal_batch_size"], taken["cal_batches"]) == (8, 1)  # all images of the split
