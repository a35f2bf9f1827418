"""What a plan says of the search, and what it refuses before anything is spent."""

import shutil
from pathlib import Path

import pytest

from automl.app.plan import Plan
from automl.app.preview import first_params
from automl.app.run import start
from automl.app.screen import Silent
from automl.cli.plan_text import plan_text
from automl.errors import FixInput
from automl.search.engine import Engine
from automl.search.samplers import SAMPLERS
from automl.space.model import SearchSpace
from automl.study.storage import memory_study
from tests.small_data import write_split
from tests.unit.app.kit import AttemptSpec, MakePlan, values


class TestSpace:
    def test_a_decay_that_never_happens_is_reported_with_its_mend(self, plan: MakePlan) -> None:
        made = plan("--set", "train.num_epochs=30")
        assert made.space.keys == ("train.optim.lr",)
        (inert,) = made.space.inert
        assert inert.key == "train.optim.lr_decay"
        assert "every milestone of train.optim.lr_steps is at or beyond" in inert.reason
        assert inert.fix.startswith("--set train.optim.lr_steps=[")
        assert inert.fix in plan_text(made, first=1)

    def test_a_plan_fits_the_terminal_and_is_whole_where_it_is_kept(self, plan: MakePlan) -> None:
        made = plan("--set", "train.num_epochs=30", "--name", "a" * 20)
        cut, whole = plan_text(made, 1, 72), plan_text(made, first=1)
        assert cut.split() == whole.split()
        long = [line for line in cut.splitlines() if len(line) > 72]
        assert all(" " not in line.strip() for line in long), "a path alone may be longer"
        assert any(len(line) > 72 for line in whole.splitlines())

    def test_searching_a_setting_of_a_record_is_told_to_be_without_effect(
        self, plan: MakePlan
    ) -> None:
        made = plan("--search", "wandb.name=a,b")
        assert any("wandb.name" in note and "scores the same" in note for note in made.notes)

    @pytest.mark.parametrize(
        "wrong",
        [("--set", "train.optim.typo=1"), ("--search", "train.optim.typo=1..2")],
        ids=["set", "search"],
    )
    def test_a_wrong_key_is_told_before_anything_is_rendered(
        self, plan: MakePlan, wrong: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def never(*_: object) -> None:
            raise AssertionError("data was rendered")

        monkeypatch.setattr("automl.data.synth.demo.ensure_demo", never)
        with pytest.raises(FixInput, match="typo"):
            plan("--demo", *wrong)

    def test_the_mend_works(self, plan: MakePlan, attempt_spec: AttemptSpec) -> None:
        offered = plan("--set", "train.num_epochs=30").space.inert[0].fix
        made = plan("--set", "train.num_epochs=30", "--set", offered.removeprefix("--set "))
        assert made.space.keys == ("train.optim.lr", "train.optim.lr_decay")
        assert made.space.inert == ()
        assert values(attempt_spec(made), "train.optim.lr", "train.optim.lr_decay") == {
            "train.optim.lr": 6e-5,
            "train.optim.lr_decay": 0.1,
        }

    def test_a_users_base_value_moves_the_range_and_trial_0(
        self, plan: MakePlan, attempt_spec: AttemptSpec
    ) -> None:
        made = plan("--set", "train.optim.lr=1e-3")
        (lr,) = made.space.parameters
        assert (*lr.ends, lr.default) == pytest.approx((1e-4, 1e-2, 1e-3))
        assert attempt_spec(made)["train"]["optim"]["lr"] == 1e-3

    def test_search_and_freeze_of_file_and_flags_add_up(self, plan: MakePlan) -> None:
        made = plan(
            *("--search", "dataset.flip=0.1..0.9", "--search", "train.optim.lr=1e-5..1e-3:log"),
            file="search: {dataset.batch_size: [2, 4], train.optim.lr: 1e-6..1e-4:log}\n",
        )
        found = {parameter.key: parameter for parameter in made.space.parameters}
        assert set(found) == {"train.optim.lr", "dataset.batch_size", "dataset.flip"}
        assert found["dataset.batch_size"].options == (2, 4)
        assert found["train.optim.lr"].ends == (1e-5, 1e-3)

    def test_a_batch_that_the_data_cannot_fill_is_not_offered(self, plan: MakePlan) -> None:
        made = plan("--search", "dataset.batch_size=2..64")
        (batch,) = [p for p in made.space.parameters if p.key == "dataset.batch_size"]
        assert batch.ends[1] == 8
        assert "8 images" in batch.bounds_from["high"]

    def test_nothing_to_search_is_refused_with_ways_out(self, plan: MakePlan) -> None:
        with pytest.raises(FixInput) as caught:
            plan("--freeze", "train.optim.lr")
        text = str(caught.value)
        assert text.startswith("a search needs a parameter to search")
        assert "train.optim.lr_decay: every milestone" in text
        assert "--search KEY=RANGE" in text
        assert "--policy off" in text

    def test_policy_off_searches_nothing_whatever_is_asked(self, plan: MakePlan) -> None:
        made = plan("--policy", "off", "--search", "dataset.flip=0.1..0.9", "--trials", "9")
        assert made.space == SearchSpace()
        assert made.config.limits.trials == 1
        assert made.config.resources.max_concurrent == 1
        assert "--search, --trials: without effect on one direct training" in made.notes

    def test_a_study_file_may_keep_its_settings_of_the_search(self, plan: MakePlan) -> None:
        made = plan("--policy", "off", file="trials: 9\nsearch: {dataset.flip: 0.1..0.9}\n")
        assert made.config.limits.trials == 1
        assert not any("without effect" in note for note in made.notes)


class TestPreview:
    def asked_of_the_run(self, made: Plan, count: int) -> list[dict[str, object]]:
        engine = Engine(memory_study(made.config.objective), made.space, made.config)
        attempts = [engine.ask() for _ in range(count)]
        return [dict(attempt.params) for attempt in attempts if attempt is not None]

    @pytest.mark.parametrize("sampler", list(SAMPLERS))
    def test_it_shows_what_the_run_will_start_with(self, plan: MakePlan, sampler: str) -> None:
        made = plan("--sampler", sampler, "--seed", "5", "--set", "train.optim.lr_steps=[4, 8]")
        shown = [dict(params) for params in first_params(made.space, made.config, 4)]
        assert shown == self.asked_of_the_run(made, 4)
        assert shown[0] == {"train.optim.lr": 6e-5, "train.optim.lr_decay": 0.1}
        assert len({str(params) for params in shown}) == 4

    def test_the_seed_decides_it(self, plan: MakePlan) -> None:
        one, same, other = (plan("--seed", seed) for seed in ("1", "1", "2"))
        shown = [first_params(made.space, made.config, 3) for made in (one, same, other)]
        assert shown[0] == shown[1]
        assert shown[0] != shown[2]

    def test_it_shows_no_more_than_there_will_be(self, plan: MakePlan) -> None:
        made = plan("--trials", "2")
        assert len(first_params(made.space, made.config, 4)) == 2


class TestRefusals:
    def test_demo_and_a_study_file_are_one_too_many(self, plan: MakePlan) -> None:
        with pytest.raises(FixInput, match=r"one study file, but got --demo and .*study\.yaml"):
            plan("--demo", file="trials: 3")

    def test_a_training_without_val_data_names_the_flag(
        self, plan: MakePlan, splits: Path
    ) -> None:
        with pytest.raises(FixInput, match=r"training needs val data.*--val-data PATH.*--demo"):
            plan("--train-data", str(splits / "train"))

    def test_data_that_is_not_there_names_split_and_flag(
        self, plan: MakePlan, splits: Path
    ) -> None:
        with pytest.raises(FixInput, match=r"/nowhere.*val data, --val-data"):
            plan("--train-data", str(splits / "train"), "--val-data", "/nowhere")

    def test_too_few_images_for_a_batch_name_both(self, plan: MakePlan) -> None:
        with pytest.raises(FixInput, match=r"batch x GPUs = 16 x 1 = 16 images, but got 8"):
            plan("--set", "dataset.batch_size=16")

    def test_a_broken_annotation_names_the_file(
        self, plan: MakePlan, splits: Path, tmp_path: Path
    ) -> None:
        broken = shutil.copytree(splits / "train", tmp_path / "broken")
        file = next(broken.rglob("*.json"))
        file.write_text("{")
        with pytest.raises(FixInput, match=rf"{file.name}.*train data"):
            plan("--train-data", str(broken), "--val-data", str(splits / "val"))

    def test_a_category_that_the_data_lacks_is_told(self, plan: MakePlan) -> None:
        made = plan("--set", "dataset.category=bike")
        assert any("no object of category bike, but of cereal_box" in note for note in made.notes)

    @pytest.mark.parametrize(
        ("argv", "words"),
        [
            (("--trials", "0"), "trials must be at least 1"),
            (("--trials", "ten"), "trials must be a whole number"),
            (("--seed", "-1"), "seed must be at least 0"),
            (
                ("--sampler", "grib"),
                "sampler must be one of auto, gp, tpe, cmaes, random, qmc, grid",
            ),
            (("--keep", "none"), "keep must be one of best, last, all"),
            (("--trainer", "slurm"), "trainer must be one of process, docker, scripted"),
            (("--trial-timeout", "soon"), "a duration must be a number"),
            (("--trial-timeout", "0"), "trial_timeout must be longer than nothing"),
            (("--same-failures", "0"), "same_failures must be at least 1"),
            (("--search", "train.optim.lr=5"), "train.optim.lr"),
            (("--search", "train.optim.lrr=1e-5..1e-3"), "train.optim.lr"),
            (("--freeze", "train.optim.lrr"), "train.optim.lr"),
            (("--skill-dir", "/nowhere"), "/nowhere"),
        ],
    )
    def test_a_setting_that_cannot_be_is_named(
        self, plan: MakePlan, argv: tuple[str, ...], words: str
    ) -> None:
        with pytest.raises(FixInput) as caught:
            plan(*argv)
        assert words in str(caught.value)

    @pytest.mark.parametrize(
        ("file", "words"),
        [
            ("trails: 3", "did you mean trials?"),
            ("data: {trian: /d}", "did you mean train?"),
            ("data: {synth: {categry: shoe}}", "did you mean category?"),
            ("data: /d", "data must be a mapping"),
            ("set: [train.num_epochs=3]", "set must be a mapping"),
            ("script: {epoch: 1}", "did you mean epoch_s?"),
            ("script: {faults: {1: {kind: sulk}}}", "a fault's kind must be one of"),
            ("script: {bowls: {train.optim.lr: {width: 1}}}", "best"),
            ("script: {bowls: {train.optim.lr: 1e-3}}", "bowls.train.optim.lr"),
            ("script: {faults: [crash]}", "faults"),
            ("script: fast", "script"),
            ("script: {epoch_s: fast}", "epoch_s"),
            ("trials: 3\ntrials: 4", "stands twice"),
            ("trials: [", "study.yaml"),
        ],
    )
    def test_a_study_files_mistake_is_named(self, plan: MakePlan, file: str, words: str) -> None:
        with pytest.raises(FixInput) as caught:
            plan(file=file)
        assert words in str(caught.value)


def test_the_batch_may_be_as_large_as_the_split(
    plan: MakePlan, studies_dir: Path, tmp_path: Path
) -> None:
    for name in ("train", "val"):
        write_split(tmp_path / "small" / name, 2)
    file = "data: {train: small/train, val: small/val}\nscript: {epoch_s: 0.0}\n"
    made = plan("--set", "dataset.batch_size=2", "--policy", "off", "--name", "two", file=file)
    assert start(made, Silent()).exit_code == 0
