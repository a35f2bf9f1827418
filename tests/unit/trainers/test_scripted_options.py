"""The fake's options, and the files it leaves."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automl.errors import FixInput
from automl.skill.model import Skill
from automl.study.layout import AttemptPaths
from automl.trainers.checkpoints import checkpoints_in, is_whole
from automl.trainers.contract import STATUS_NAME, StatusLine
from automl.trainers.process import ProcessTrainer
from automl.trainers.scripted import Bowl, Fault, FaultKind, Script, ScriptedTrainer
from automl.trainers.scripted_program import value_at
from automl.trainers.status import history
from automl.trainers.table import TRAINERS, make_trainer

SKILL = Skill(Path("/skill"), "name", "centerpose", True)


class TestOptions:
    def test_read_as_a_study_file_gives_them(self) -> None:
        script = Script.from_options(
            {
                "epoch_s": 0.5,
                "bowls": {"train.optim.lr": {"best": 0.001, "width": 1.5}},
                "faults": {"3": {"kind": "crash", "epoch": 2, "exit_code": 9}},
            }
        )
        assert script.bowls["train.optim.lr"] == Bowl(0.001, 1.5)
        assert script.fault_of(3, 1) == Fault(FaultKind.CRASH, 2, 9)
        assert script.fault_of(2, 1) is None

    def test_a_fault_may_strike_one_attempt_alone(self) -> None:
        script = Script(faults={0: Fault(FaultKind.KILLED, attempt=1)})
        assert script.fault_of(0, 1) is not None
        assert script.fault_of(0, 2) is None

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"epoch_sec": 1}, "did you mean epoch_s?"),
            ({"bowls": {"a.b": {"centre": 1}}}, "script.bowls.a.b"),
            ({"faults": {"1": {"kind": "explode"}}}, "kind must be one of crash, oom"),
            ({"faults": {"1": {"kind": "oom", "epoh": 1}}}, "did you mean epoch?"),
            ({"rise_epochs": 0}, "must be positive"),
            ({"bowls": {"a.b": {"width": 1}}}, "best must be given (script.bowls.a.b)"),
            ({"bowls": {"a.b": 1e-3}}, "script.bowls.a.b"),
            ({"bowls": {"a.b": {"best": "low"}}}, "best must be a number, but got 'low'"),
            ({"bowls": {"a.b": {"best": 1, "log10": "no"}}}, "log10 must be true or false"),
            ({"faults": ["oom"]}, "faults must be a mapping"),
            ({"faults": {"first": {"kind": "oom"}}}, "its trial's number, but got 'first'"),
            ({"faults": {"1": {"kind": "oom", "epoch": 0.5}}}, "epoch must be a whole number"),
            ({"epoch_s": "fast"}, "epoch_s must be a number, but got 'fast' (script)"),
            ({"epoch_s": True}, "epoch_s must be a number"),
            ("fast", "a script must be a mapping of options, but got 'fast'"),
        ],
    )
    def test_wrong_ones_are_refused(self, options: Mapping[str, Any], message: str) -> None:
        with pytest.raises(FixInput) as caught:
            Script.from_options(options)
        assert message in str(caught.value)


CURVE = {
    "top": 0.8,
    "rise_epochs": 3.0,
    "bowls": {"lr": {"best": 1e-3, "width": 2.0, "log10": True}},
}


class TestMetric:
    def test_grows_with_the_epochs_towards_the_top(self) -> None:
        values = [value_at(epoch, {"lr": 1e-3}, CURVE) for epoch in range(60)]
        assert values == sorted(values)
        assert math.isclose(values[-1], 0.8, rel_tol=1e-6)

    def test_falls_with_the_distance_from_the_best_value(self) -> None:
        values = [value_at(5, {"lr": lr}, CURVE) for lr in (1e-3, 1e-4, 3e-5, 1e-5, 1e-9)]
        assert values == sorted(values, reverse=True)
        assert values[-1] == 0.0


class TestFiles:
    def play(self, task: Any, script: Script, spec: str) -> AttemptPaths:
        task.spec_path.write_text(spec)
        assert ScriptedTrainer(script).start(task, []).wait(20) == 0
        return AttemptPaths(task.folder)

    def test_the_status_lines_are_in_the_contracts_order(self, task: Any) -> None:
        paths = self.play(task, Script(epoch_s=0), "train: {num_epochs: 2}")
        lines = [
            StatusLine.parse(text) for text in (paths.folder / STATUS_NAME).read_text().split("\n")
        ]
        assert [line.message for line in lines if line] == [
            "Starting Centerpose train.",
            "Starting Training Loop.",
            *("Eval metrics generated.", "Training loop in progress", "Train metrics generated."),
            *("Eval metrics generated.", "Training loop in progress", "Train metrics generated."),
            "Training loop complete.",
            "Train finished successfully.",
        ]
        evaluated, position = lines[2], lines[3]
        assert evaluated is not None
        assert position is not None
        assert isinstance(evaluated.kpi["val_3DIoU"], str)
        assert position.kpi == evaluated.kpi
        assert position.fields["epoch"] == 0

    def test_it_says_in_its_log_that_it_is_a_fake(self, task: Any) -> None:
        paths = self.play(task, Script(epoch_s=0), "train: {num_epochs: 1}")
        assert paths.log.read_text().startswith("scripted: a fake for testing the orchestration")

    def test_the_intervals_are_honoured(self, task: Any) -> None:
        spec = "train: {num_epochs: 6, validation_interval: 2, checkpoint_interval: 3}"
        paths = self.play(task, Script(epoch_s=0), spec)
        assert [entry.epoch for entry in history(paths.folder, "val_3DIoU")] == [1, 3, 5]
        assert [entry.epoch for entry in checkpoints_in(paths.folder)] == [2, 5]
        assert all(is_whole(entry.path) for entry in checkpoints_in(paths.folder))
        link = paths.folder / "centerpose_model_latest.pth"
        assert link.readlink() == Path("model_epoch_005_step_00060.pth")

    def test_it_goes_on_after_the_checkpoint_it_is_given(self, task: Any) -> None:
        spec = (
            "train: {num_epochs: 4, "
            "resume_training_checkpoint_path: /x/model_epoch_001_step_00020.pth}"
        )
        paths = self.play(task, Script(epoch_s=0), spec)
        assert [entry.epoch for entry in history(paths.folder, "val_3DIoU")] == [2, 3]

    def test_a_parameter_it_needs_must_be_a_number(self, task: Any) -> None:
        script = Script(bowls={"train.optim.lr": Bowl(1e-3)})
        task.spec_path.write_text("train: {optim: {lr: fast}}")
        with pytest.raises(FixInput, match="numeric parameters"):
            ScriptedTrainer(script).start(task, [])

    def test_a_fault_of_another_trial_does_not_strike(self, task: Any) -> None:
        script = Script(epoch_s=0, faults={5: Fault(FaultKind.CRASH)})
        handle = ScriptedTrainer(script).start(replace(task, number=4), [])
        assert handle.wait(20) == 0


class TestTable:
    def test_names_lead_to_trainers(self) -> None:
        assert isinstance(make_trainer("process", SKILL, {}), ProcessTrainer)
        scripted = make_trainer("scripted", SKILL, {"top": 0.5})
        assert isinstance(scripted, ScriptedTrainer)
        assert scripted.script.top == 0.5
        assert set(TRAINERS) == {"process", "docker", "scripted"}

    def test_an_unknown_name_is_refused_with_the_nearest(self) -> None:
        with pytest.raises(FixInput, match="did you mean process"):
            make_trainer("proces", SKILL, {})

    def test_options_for_a_trainer_that_has_none_are_refused(self) -> None:
        with pytest.raises(FixInput, match="no options"):
            make_trainer("process", SKILL, {"image": "x"})
