"""Whatever the user says about a training stands in the spec that the trainer is started with."""

import json
from pathlib import Path
from typing import Any

import fsspec
import pytest

from automl.app.run import start
from automl.app.screen import Silent
from automl.errors import FixInput, PrepareMachine
from automl.skill.tree import get
from automl.yamltext import load_yaml
from tests.small_data import write_split
from tests.unit.app.kit import AttemptSpec, MakePlan, OnMachine, values

BACKBONE = "model.backbone.model_type=DLA34"
NANO = "model.backbone.model_type=nano"


class TestData:
    def test_data_at_an_address_is_brought_and_its_mark_recorded(
        self, plan: MakePlan, splits: Path
    ) -> None:
        store = fsspec.filesystem("memory")
        for split in ("train", "val"):
            store.put(str(splits / split), f"/plans/{split}", recursive=True)
        made = plan(file="data: {train: memory://plans/train, val: memory://plans/val}")
        assert made.data["train"].images == 8
        told = made.provenance["data"]["train"]["from"]
        assert "memory://plans/train (" in told
        assert "sha256" in told
        store.rm("/plans", recursive=True)

    def test_each_split_lands_in_its_key(
        self, plan: MakePlan, attempt_spec: AttemptSpec, splits: Path
    ) -> None:
        train, val, test = (str(splits / name) for name in ("train", "val", "test"))
        made = plan(
            *("--train-data", train, "--val-data", val),
            *("--test-data", test, "--inference-data", test),
        )
        assert (
            attempt_spec(made)["dataset"].items()
            >= {
                "train_data": train,
                "val_data": val,
                "test_data": test,
                "inference_data": test,
            }.items()
        )
        assert made.data.keys() == {"train", "val", "test"}
        assert made.data["train"].images == 8

    def test_a_study_files_data_is_relative_to_the_file_and_a_flag_beats_it(
        self, plan: MakePlan, attempt_spec: AttemptSpec, splits: Path, tmp_path: Path
    ) -> None:
        write_split(tmp_path / "data" / "train", 4)
        write_split(tmp_path / "data" / "val", 4)
        file = "data: {train: data/train, val: data/val}"
        made = plan("--val-data", str(splits / "val"), file=file)
        spec = attempt_spec(made)
        assert get(spec, "dataset.train_data") == str(tmp_path / "data" / "train")
        assert get(spec, "dataset.val_data") == str(splits / "val")
        assert made.config.origin["data.train"] == str(tmp_path / "study.yaml")
        assert made.config.origin["data.val"] == "--val-data"

    def test_a_data_key_set_by_hand_counts_as_the_split(
        self, plan: MakePlan, attempt_spec: AttemptSpec, splits: Path
    ) -> None:
        made = plan(
            *("--train-data", str(splits / "train")),
            *("--set", f"dataset.val_data={splits / 'test'}"),
        )
        assert get(attempt_spec(made), "dataset.val_data") == str(splits / "test")
        assert made.data["val"].images == 4


class TestSet:
    @pytest.mark.parametrize(
        ("text", "key", "value"),
        [
            ("train.optim.lr=6e-5", "train.optim.lr", 6e-5),
            ("train.optim.lr=1e-4", "train.optim.lr", 1e-4),
            ("train.optim.lr=1", "train.optim.lr", 1.0),
            ("learning_rate=2.5E-3", "train.optim.lr", 2.5e-3),
            ("train.num_epochs=3", "train.num_epochs", 3),
            ("train.optim.lr_steps=[4, 8]", "train.optim.lr_steps", [4, 8]),
            ("dataset.mean=[0.5, 5e-1, 1]", "dataset.mean", [0.5, 0.5, 1]),
            ("dataset.category=shoe", "dataset.category", "shoe"),
            ("dataset.no_color_aug=true", "dataset.no_color_aug", True),
            ("model.backbone.model_type=DLA34", "model.backbone.model_type", "DLA34"),
            ("train.cudnn={benchmark: true}", "train.cudnn.benchmark", True),
            ("evaluate.opencv=true", "evaluate.opencv", True),
            ("inference.visualization_threshold=3e-1", "inference.visualization_threshold", 0.3),
            ("wandb.tags=[a, b]", "wandb.tags", ["a", "b"]),
        ],
    )
    def test_a_setting_arrives_typed(
        self, plan: MakePlan, attempt_spec: AttemptSpec, text: str, key: str, value: Any
    ) -> None:
        found = get(attempt_spec(plan("--set", text)), key)
        assert found == value
        assert type(found) is type(value)

    def test_the_rest_of_the_spec_is_the_template(
        self, plan: MakePlan, attempt_spec: AttemptSpec
    ) -> None:
        changed = attempt_spec(plan("--set", "dataset.flip=0.25", "--name", "one"))
        assert get(changed, "dataset.flip") == 0.25
        changed["dataset"]["flip"] = 0.5
        for spec in (changed, plain := attempt_spec(plan("--name", "two"))):
            spec["results_dir"] = spec["train"]["results_dir"] = ""
        assert changed == plain

    def test_flags_beat_the_study_file_nested_or_dotted(
        self, plan: MakePlan, attempt_spec: AttemptSpec
    ) -> None:
        file = "set:\n  train: {num_epochs: 4, optim: {lr: 6e-5}}\n  dataset.flip: 0.1\n"
        made = plan("--set", "train.num_epochs=2", "--set", "train.num_epochs=3", file=file)
        spec = attempt_spec(made)
        assert values(spec, "train.num_epochs", "train.optim.lr", "dataset.flip") == {
            "train.num_epochs": 3,
            "train.optim.lr": 6e-5,
            "dataset.flip": 0.1,
        }
        assert made.config.overrides == {
            "train.num_epochs": 3,
            "train.optim.lr": 6e-5,
            "dataset.flip": 0.1,
        }

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("train.num_epoch=3", "did you mean train.num_epochs?"),
            ("dataset.bath_size=3", "did you mean dataset.batch_size?"),
            ("evaluate.open_cv=false", "did you mean evaluate.opencv?"),
            ("train.num_epochs=many", "a whole number"),
            ("train.num_epochs=1e-4", "a whole number"),
            ("train.optim.lr=fast", "a number"),
            ("train.optim.lr_steps=3", "a list"),
            ("evaluate.opencv=maybe", "true or false"),
            ("train.optim=3", "not a group of them"),
            ("train.num_epochs", "KEY=VALUE"),
            ("train.num_epochs=[3", "--set train.num_epochs"),
        ],
    )
    def test_what_does_not_fit_is_refused_by_name(
        self, plan: MakePlan, text: str, words: str
    ) -> None:
        with pytest.raises(FixInput) as caught:
            plan("--set", text)
        assert words in str(caught.value)
        assert text.partition("=")[0] in str(caught.value)

    def test_a_setting_that_no_schema_of_tao_has_arrives_at_the_trainer_that_reads_it(
        self, plan: MakePlan, attempt_spec: AttemptSpec
    ) -> None:
        form = ("--set", "train.checkpoint_format=tao")
        assert attempt_spec(plan(*form, "--set", BACKBONE))["train"]["checkpoint_format"] == "tao"
        for words, says in (
            (("--trainer", "process", "--set", NANO), "the container does not know"),
            (("--trainer", "docker", "--set", BACKBONE), "the container does not know the sett"),
            (("--set", "train.checkpoint_format=lightning"), "must be own or tao"),
        ):
            with pytest.raises(FixInput, match=says):
                plan(*form, *words)

    @pytest.mark.parametrize("key", ["train.num_gpus", "dataset.batch_size"])
    def test_what_is_reckoned_with_is_a_number(self, plan: MakePlan, key: str) -> None:
        with pytest.raises(FixInput, match=f"{key} must be a .*whole number"):
            plan("--set", f"{key}=${{train.precision}}")

    def test_what_is_reckoned_with_may_be_a_reference_to_a_number(self, plan: MakePlan) -> None:
        made = plan("--set", "dataset.batch_size=${train.validation_interval}")
        assert made.base_spec["dataset"]["batch_size"] == "${train.validation_interval}"
        with pytest.raises(FixInput, match="batch x GPUs"):
            plan("--set", "dataset.batch_size=${train.seed}")

    @pytest.mark.parametrize("key", ["results_dir", "train.results_dir"])
    def test_the_output_folder_is_not_set_by_key(self, plan: MakePlan, key: str) -> None:
        with pytest.raises(
            FixInput, match="choose where studies go with --studies-dir and --name"
        ):
            plan("--set", f"{key}=/elsewhere")

    def test_a_second_machine_is_refused(self, plan: MakePlan) -> None:
        with pytest.raises(FixInput, match=r"single host.*train\.num_nodes = 2"):
            plan("--set", "train.num_nodes=2")

    def test_a_setting_that_nothing_reads_is_told(self, plan: MakePlan) -> None:
        made = plan("--set", "train.optim.lr_scheduler=Cosine")
        (note,) = [note for note in made.notes if note.startswith("train.optim.lr_scheduler")]
        assert "always falls at train.optim.lr_steps" in note


class TestPlaces:
    def test_results_go_to_the_attempts_own_folder(
        self, plan: MakePlan, attempt_spec: AttemptSpec, studies_dir: Path
    ) -> None:
        spec = attempt_spec(plan("--name", "bikes"))
        folder = str(studies_dir / "bikes" / "trials" / "0000" / "1")
        assert values(spec, "results_dir", "train.results_dir") == {
            "results_dir": folder,
            "train.results_dir": folder,
        }

    def test_a_parent_checkpoint_arrives_absolute(
        self,
        plan: MakePlan,
        attempt_spec: AttemptSpec,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("parent.pth").write_bytes(b"\x80\x02weights")
        spec = attempt_spec(plan("--parent-checkpoint", "parent.pth"))
        assert get(spec, "train.pretrained_model_path") == str(tmp_path / "parent.pth")
        assert get(spec, "train.resume_training_checkpoint_path") == ""

    def test_a_study_files_parent_checkpoint_is_relative_to_the_file(
        self, plan: MakePlan, attempt_spec: AttemptSpec, tmp_path: Path
    ) -> None:
        (tmp_path / "parent.pth").write_bytes(b"\x80\x02weights")
        spec = attempt_spec(plan(file="parent_checkpoint: parent.pth"))
        assert get(spec, "train.pretrained_model_path") == str(tmp_path / "parent.pth")

    def test_a_parent_checkpoint_must_exist(self, plan: MakePlan) -> None:
        with pytest.raises(FixInput, match=r"exists, but got lost\.pth \(--parent-checkpoint\)"):
            plan("--parent-checkpoint", "lost.pth")

    def test_a_spec_file_is_the_base_and_set_goes_on_top(
        self, plan: MakePlan, attempt_spec: AttemptSpec, tmp_path: Path
    ) -> None:
        (tmp_path / "mine.yaml").write_text("train: {num_epochs: 7, optim: {lr: 3e-4}}\n")
        made = plan("--spec", str(tmp_path / "mine.yaml"), "--set", "num_epochs=9")
        spec = attempt_spec(made)
        assert values(spec, "train.num_epochs", "train.optim.lr", "dataset.input_res") == {
            "train.num_epochs": 9,
            "train.optim.lr": 3e-4,
            "dataset.input_res": 512,
        }
        assert made.base.source == str(tmp_path / "mine.yaml")
        assert made.config.spec_file == str(tmp_path / "mine.yaml")

    def test_a_study_files_spec_is_relative_to_the_file(
        self, plan: MakePlan, attempt_spec: AttemptSpec, tmp_path: Path
    ) -> None:
        (tmp_path / "mine.yaml").write_text("train: {num_epochs: 7}\n")
        assert get(attempt_spec(plan(file="spec: mine.yaml")), "train.num_epochs") == 7

    def test_a_spec_file_must_exist(self, plan: MakePlan) -> None:
        with pytest.raises(FixInput, match=r"lost\.yaml"):
            plan("--spec", "lost.yaml")


class TestGpus:
    """The scripted trainer has no objection to several GPUs; the small one of this package has."""

    def test_without_gpus_the_spec_keeps_the_schemas_words(
        self, plan: MakePlan, attempt_spec: AttemptSpec
    ) -> None:
        made = plan()
        assert made.config.resources.gpus_per_trial == 0
        assert values(attempt_spec(made), "train.num_gpus", "train.gpu_ids") == {
            "train.num_gpus": 1,
            "train.gpu_ids": [0],
        }
        assert "no GPU was found: each trial trains on the CPU" in made.notes

    @pytest.mark.parametrize(
        "argv", [("--gpus-per-trial", "2"), ("--set", "train.num_gpus=2")], ids=["flag", "key"]
    )
    def test_gpus_of_a_trial_arrive_counted_from_0(
        self, plan: MakePlan, attempt_spec: AttemptSpec, on_machine: OnMachine, argv: tuple[str]
    ) -> None:
        on_machine(cpus=16, gpus=4)
        made = plan(*argv, "--trainer", "scripted")
        assert values(attempt_spec(made), "train.num_gpus", "train.gpu_ids") == {
            "train.num_gpus": 2,
            "train.gpu_ids": [0, 1],
        }
        assert (made.config.resources.gpus_per_trial, made.config.resources.max_concurrent) == (
            2,
            2,
        )

    def test_chosen_gpus_are_kept_with_the_study(
        self, plan: MakePlan, attempt_spec: AttemptSpec, on_machine: OnMachine
    ) -> None:
        on_machine(cpus=16, gpus=4)
        made = plan("--gpus", "1,3")
        assert made.config.resources.gpu_ids == (1, 3)
        assert made.config.resources.max_concurrent == 2
        assert get(attempt_spec(made), "train.gpu_ids") == [0]

    def test_two_numbers_of_gpus_are_refused(self, plan: MakePlan, on_machine: OnMachine) -> None:
        on_machine(cpus=16, gpus=4)
        with pytest.raises(FixInput, match=r"--gpus-per-trial 2.*train\.num_gpus = 4"):
            plan("--gpus-per-trial", "2", "--set", "train.num_gpus=4", "--trainer", "scripted")

    def test_gpu_ids_are_not_set_by_key(self, plan: MakePlan, on_machine: OnMachine) -> None:
        on_machine(cpus=16, gpus=4)
        with pytest.raises(FixInput, match="--gpus"):
            plan("--set", "train.gpu_ids=[2]")

    def test_more_gpus_than_there_are_is_the_machines_fault(self, plan: MakePlan) -> None:
        with pytest.raises(PrepareMachine, match="2 asked for, 0 there"):
            plan("--gpus-per-trial", "2")

    def test_the_packages_own_trainer_takes_two(
        self, plan: MakePlan, on_machine: OnMachine, attempt_spec: AttemptSpec
    ) -> None:
        on_machine(cpus=16, gpus=4)
        made = plan("--gpus-per-trial", "2", "--trainer", "process", "--set", BACKBONE)
        assert made.config.resources.max_concurrent == 2
        assert get(attempt_spec(made), "train.num_gpus") == 2


def test_everything_at_once_survives_into_the_folder_of_a_finished_training(
    plan: MakePlan, splits: Path, studies_dir: Path, tmp_path: Path
) -> None:
    """Not a preparation: the training has run, and every file it left is looked at."""
    (tmp_path / "parent.pth").write_bytes(b"\x80\x02weights")
    made = plan(
        *("--policy", "off", "--name", "once", "--keep", "all"),
        *("--train-data", str(splits / "train"), "--val-data", str(splits / "val")),
        *("--set", "train.num_epochs=2", "--set", "train.optim.lr=1e-4"),
        *("--set", "train.optim.lr_steps=[1]", "--set", "evaluate.opencv=false"),
        *("--parent-checkpoint", str(tmp_path / "parent.pth"), "--trainer", "scripted"),
        file="script: {epoch_s: 0.0}\ndata: {}\n",
    )
    ending = start(made, Silent())
    assert ending.exit_code == 0
    folder = studies_dir / "once"
    attempt = folder / "trials" / "0000" / "1"
    spec = load_yaml(attempt / "spec.yaml")
    assert values(
        spec,
        *("dataset.train_data", "dataset.val_data", "train.num_epochs", "train.optim.lr"),
        *("train.optim.lr_steps", "evaluate.opencv", "train.pretrained_model_path"),
        *("results_dir", "train.results_dir"),
    ) == {
        "dataset.train_data": str(splits / "train"),
        "dataset.val_data": str(splits / "val"),
        "train.num_epochs": 2,
        "train.optim.lr": 1e-4,
        "train.optim.lr_steps": [1],
        "evaluate.opencv": False,
        "train.pretrained_model_path": str(tmp_path / "parent.pth"),
        "results_dir": str(attempt),
        "train.results_dir": str(attempt),
    }
    assert len(list(attempt.glob("model_epoch_*.pth"))) == 2
    resolved = json.loads((folder / "resolved.json").read_text())
    assert resolved["policy"] == "off"
    assert resolved["policy_source"] == "--policy"
    assert resolved["searches"] is False
    assert resolved["origin"].items() >= {"keep": "--keep", "trainer": "--trainer"}.items()
    assert load_yaml(folder / "best" / "train.yaml")["train"]["num_epochs"] == 2
