"""What ``--warm-start`` takes of an earlier study, what it leaves, and what it refuses."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from automl.app.plan import Plan
from automl.cli.plan_text import plan_text
from automl.errors import FixInput, ResolveConflict
from automl.search.engine import Engine
from automl.study.layout import StudyPaths
from automl.study.records import Attempt, FailureClass, Measurement, Outcome, OutcomeState
from automl.study.storage import open_storage, open_study
from tests.small_data import write_split
from tests.unit.app.act_kit import study_of
from tests.unit.app.kit import MakePlan

SPACE = ("--space", "default", "--set", "train.num_epochs=30", "--fidelity", "full")
LR, DECAY = "train.optim.lr", "train.optim.lr_decay"
TWO = (*SPACE, "--set", "train.optim.lr_steps=[18,25]", "--trials", "8", "--sampler", "random")


def value_of(attempt: Attempt) -> float:
    """The more, the higher the learning rate."""
    return min(1.0, 1000.0 * float(str(attempt.params[LR])))


def searched(made: Plan, n_failed: int = 0, answer: Callable[[Attempt], float] = value_of) -> None:
    """A study whose trials have ended, the last of them failed."""
    paths = study_of(made)
    storage = open_storage(paths)
    engine = Engine(
        open_study(storage, made.config.name, made.config.objective), made.space, made.config
    )
    for number in range(made.config.limits.trials):
        attempt = engine.ask()
        assert attempt is not None
        failed = number >= made.config.limits.trials - n_failed
        measured = Measurement(0, {made.config.objective.metric: answer(attempt)}, 1.0)
        state = OutcomeState.FAILED if failed else OutcomeState.OK
        failure = FailureClass.OOM if failed else None
        engine.finish(
            Outcome(attempt.number, 1, state, () if failed else (measured,), failure, seconds=1.0)
        )


def taken(plan: MakePlan, *argv: str) -> Plan:
    return plan(*TWO, "--warm-start", "before", *argv)


def test_values_are_differences_from_the_default_of_their_own_study(plan: MakePlan) -> None:
    before = plan(*TWO, "--name", "before")
    searched(before, n_failed=1)
    earlier = taken(plan).config.earlier
    (study,) = earlier.studies
    assert (study.name, study.n_taken, dict(study.left_out)) == ("before", 7, {"failed": 1})
    default = 1000.0 * float(before.base_spec["train"]["optim"]["lr"])
    assert study.default == pytest.approx(default)
    assert earlier.trials[0].gain == 0.0
    for trial in earlier.trials:
        assert trial.gain == pytest.approx(1000.0 * float(str(trial.params[LR])) - default)
        assert set(trial.params) == {LR, DECAY}


def test_what_was_taken_is_said_in_the_plan(plan: MakePlan) -> None:
    searched(plan(*TWO, "--name", "before"), n_failed=1)
    made = taken(plan)
    said = "warm start: 7 trials of before, as differences from its default"
    assert any(note.startswith(said) and "left out: 1 failed" in note for note in made.notes)
    assert said in plan_text(made, first=1)


def test_trials_outside_the_space_are_left_out_and_counted(plan: MakePlan) -> None:
    searched(plan(*TWO, "--name", "before"))
    narrow = taken(plan, "--search", f"{LR}=0.00005..0.0002:log").config.earlier
    (study,) = narrow.studies
    assert study.left_out[f"outside this space in {LR}"] > 0
    assert study.n_taken + sum(study.left_out.values()) == 8
    assert all(5e-5 <= float(str(trial.params[LR])) <= 2e-4 for trial in narrow.trials)


def test_a_setting_that_was_fixed_has_the_value_that_it_was_fixed_at(plan: MakePlan) -> None:
    searched(plan(*TWO, "--name", "before", "--freeze", DECAY))
    made = taken(plan)
    decay = made.base_spec["train"]["optim"]["lr_decay"]
    assert {trial.params[DECAY] for trial in made.config.earlier.trials} == {decay}
    assert all(trial.sd == 0.0 for trial in made.config.earlier.trials)


def test_a_setting_that_is_fixed_here_makes_a_trial_doubtful(plan: MakePlan) -> None:
    searched(plan(*TWO, "--name", "before"))
    doubtful = [trial.sd for trial in taken(plan, "--freeze", DECAY).config.earlier.trials]
    assert doubtful[0] == 0.0  # the default has the value that it is fixed at
    assert all(sd > 0.0 for sd in doubtful[1:])


def test_what_is_set_otherwise_is_named(plan: MakePlan) -> None:
    searched(plan(*TWO, "--name", "before"))
    (study,) = taken(plan, "--set", "train.num_epochs=40").config.earlier.studies
    assert "train.num_epochs 30 (here 40)" in study.differing
    assert "set otherwise there: " in str(study)


def test_other_data_is_refused_unless_it_is_accepted(plan: MakePlan, tmp_path: Path) -> None:
    searched(plan(*TWO, "--name", "before"))
    for split in ("train", "val"):
        write_split(tmp_path / "more" / split, 9)
    data = [f"--{split}-data={tmp_path}/more/{split}" for split in ("train", "val")]
    with pytest.raises(ResolveConflict, match="train 8 images, here 9") as raised:
        taken(plan, *data)
    assert "--accept-drift" in str(raised.value.fix)
    (study,) = taken(plan, *data, "--accept-drift").config.earlier.studies
    assert "train 8 images, here 9" in study.other_data


def test_as_many_other_images_are_other_data(plan: MakePlan, tmp_path: Path) -> None:
    searched(plan(*TWO, "--name", "before"))
    for split in ("train", "val"):
        write_split(tmp_path / split, 8)
    (tmp_path / "train" / "more.txt").write_text("x")
    data = [f"--{split}-data={tmp_path}/{split}" for split in ("train", "val")]
    with pytest.raises(ResolveConflict, match="train files other than those of"):
        taken(plan, *data)


@pytest.mark.parametrize(
    ("argv", "rule"),
    [
        (("--metric", "val_2DMPE", "--direction", "minimize"), "must have the metric of this one"),
        (("--trainer", "process", "--set", "model.backbone.model_type=nano"), "must have trained"),
        (("--search", f"{LR}=0.5..0.6"), "must have trials that fit"),
    ],
)
def test_what_cannot_be_used_is_refused(plan: MakePlan, argv: Sequence[str], rule: str) -> None:
    searched(plan(*TWO, "--name", "before"))
    with pytest.raises(FixInput, match=rule):
        taken(plan, *argv)


def test_a_study_that_is_not_there_is_named(plan: MakePlan) -> None:
    with pytest.raises(FixInput, match="must exist"):
        taken(plan)


def test_without_a_search_nothing_is_taken(plan: MakePlan) -> None:
    assert taken(plan, "--policy", "off").config.earlier.trials == ()


def test_studies_are_taken_from_a_file_and_by_folder(plan: MakePlan, studies_dir: Path) -> None:
    searched(plan(*TWO, "--name", "before"))
    folder = StudyPaths(studies_dir / "before").folder
    text = f"warm_start: [{folder}]\ntrainer: scripted\n"
    made = plan(*TWO, file=text)
    assert [study.name for study in made.config.earlier.studies] == ["before"]
