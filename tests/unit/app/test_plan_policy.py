"""Whether a run searches: the four sources of the policy, and the gate of the skill."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from automl.app.plan import Plan
from automl.app.run import start
from automl.app.screen import Silent
from automl.cli.plan_text import plan_json, plan_text
from automl.errors import FixInput
from automl.skill.read import own_skill_dir
from automl.yamltext import load_yaml
from tests.unit.app.kit import AttemptSpec, MakePlan, MakeSkill

LR = {"type": "float", "default": 0.01, "minimum": 0.0, "automl_enabled": True}
EPOCHS = {"type": "int", "default": 3, "minimum": 1}
SCHEMA = {"lr": LR, "num_epochs": EPOCHS}
TEMPLATE = {"results_dir": "", "train": {"lr": 0.02, "num_epochs": 2}}
GOAL = ("--metric", "accuracy", "--direction", "maximize")


def policy_of(made: Plan) -> tuple[str, str]:
    return made.config.policy, made.config.policy_source


class TestSources:
    def test_on_is_the_default(self, plan: MakePlan) -> None:
        assert policy_of(plan()) == ("on", "default")

    @pytest.mark.parametrize("word", ["on", "off", "true", "false", "'on'", "'off'", "yes", "No"])
    def test_a_study_file_may_write_it_as_it_likes(self, plan: MakePlan, word: str) -> None:
        made = plan(file=f"automl_policy: {word}\n")
        expected = "on" if word.strip("'").lower() in ("on", "true", "yes") else "off"
        assert policy_of(made) == (expected, "study file")
        assert made.gate.searches is (expected == "on")

    def test_the_flag_beats_the_file_and_the_file_beats_the_request(self, plan: MakePlan) -> None:
        request = ("--request", "turn off AutoML")
        assert policy_of(plan(*request, file="automl_policy: on")) == ("on", "study file")
        assert policy_of(plan("--policy", "off", file="automl_policy: on")) == ("off", "--policy")
        assert policy_of(plan("--policy", "on", *request)) == ("on", "--policy")

    def test_whoever_is_overruled_is_told(self, plan: MakePlan) -> None:
        request = ("--request", "no HPO")
        made = plan(*request, file="automl_policy: on")
        assert 'the policy is on: study file wins over request: "no HPO"' in made.notes
        made = plan("--policy", "off", *request, file="automl_policy: on")
        assert "the policy is off: --policy wins over study file" in made.notes
        made = plan("--policy", "off", *request)
        assert not any("wins over" in note for note in made.notes)

    @pytest.mark.parametrize(
        ("request_", "value"),
        [
            ("turn off AutoML and train the bike model", "off"),
            ("please disable AutoML", "off"),
            ("no HPO, plain training", "off"),
            ("train without hyperparameter search", "off"),
            ("don't turn off AutoML", "on"),
            ("search the hyperparameters", "on"),
        ],
    )
    def test_a_requests_own_words_are_named(
        self, plan: MakePlan, request_: str, value: str
    ) -> None:
        made = plan("--request", request_)
        policy, source = policy_of(made)
        assert policy == value
        words = source.removeprefix('request: "').removesuffix('"')
        assert source.startswith("request: ")
        assert words in request_

    def test_a_request_that_says_nothing_leaves_the_default(self, plan: MakePlan) -> None:
        assert policy_of(plan("--request", "train the bike model")) == ("on", "default")

    @pytest.mark.parametrize("value", ["maybe", "1", "[on]"])
    def test_another_word_is_refused(self, plan: MakePlan, value: str) -> None:
        with pytest.raises(FixInput, match="the policy must be on or off"):
            plan(file=f"automl_policy: {value}\n")

    def test_value_and_source_are_in_the_plan_and_in_the_study(
        self, plan: MakePlan, studies_dir: Path
    ) -> None:
        made = plan("--request", "no HPO please", "--name", "once", file="script: {epoch_s: 0.0}")
        assert 'policy    off (from request: "no HPO")' in plan_text(made, first=2)
        assert plan_json(made, first=2)["policy"] == {
            "value": "off",
            "source": 'request: "no HPO"',
        }
        start(made, Silent())
        resolved = json.loads((studies_dir / "once" / "resolved.json").read_text())
        assert (resolved["policy"], resolved["policy_source"]) == ("off", 'request: "no HPO"')
        asked = load_yaml(studies_dir / "once" / "study.yaml")
        assert asked["flags"]["request"] == "no HPO please"


def hashes(folder: Path) -> dict[str, str]:
    files = [*(folder / "schemas").iterdir(), *(folder / "references").iterdir()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


class TestSkillIsReadOnly:
    @pytest.mark.parametrize("policy", ["on", "off"])
    def test_no_run_changes_what_a_skill_says_of_itself(
        self, plan: MakePlan, make_skill: MakeSkill, policy: str
    ) -> None:
        folder = make_skill(SCHEMA, TEMPLATE)
        before = hashes(folder)
        made = plan("--skill-dir", str(folder), "--policy", policy, *GOAL, file="data: {}")
        assert made.gate.searches is (policy == "on")
        assert hashes(folder) == before

    def test_nor_does_a_training(self, plan: MakePlan) -> None:
        before = hashes(own_skill_dir())
        ending = start(plan("--policy", "off", file="script: {epoch_s: 0.0}"), Silent())
        assert ending.exit_code == 0
        assert hashes(own_skill_dir()) == before


class TestGate:
    """Skills of an invented network, each lacking something."""

    def gated(self, plan: MakePlan, folder: Path, *argv: str) -> Plan:
        return plan("--skill-dir", str(folder), *GOAL, *argv, file="data: {}")

    def test_a_whole_skill_is_searched(self, plan: MakePlan, make_skill: MakeSkill) -> None:
        made = self.gated(plan, make_skill(SCHEMA, TEMPLATE))
        assert made.gate.searches
        assert made.gate.message == "AutoML is on for tao-train-tinynet: a hyperparameter search."
        assert made.space.keys == ("train.lr",)
        assert made.config.searches
        assert made.config.limits.trials == 20

    def test_a_skill_that_is_not_enabled_says_so(
        self, plan: MakePlan, make_skill: MakeSkill
    ) -> None:
        folder = make_skill(SCHEMA, TEMPLATE, {"automl_enabled": False})
        made = self.gated(plan, folder)
        assert policy_of(made) == ("on", "default")
        assert not made.config.searches
        assert made.config.limits.trials == 1
        assert made.notes[0] == (
            "AutoML is not enabled for tao-train-tinynet (automl_enabled in "
            "references/skill_info.yaml): one direct training."
        )

    @pytest.mark.parametrize(
        ("schema", "template", "named"),
        [
            (None, TEMPLATE, "schemas/train.schema.json is missing"),
            ("{", TEMPLATE, "schemas/train.schema.json is broken"),
            (SCHEMA, None, "references/spec_template_train.yaml is missing"),
            (SCHEMA, "train: [", "references/spec_template_train.yaml is broken"),
        ],
        ids=["schema missing", "schema broken", "template missing", "template broken"],
    )
    def test_an_enabled_skill_that_cannot_be_searched_names_the_file(
        self, plan: MakePlan, make_skill: MakeSkill, schema: Any, template: Any, named: str
    ) -> None:
        made = self.gated(plan, make_skill(schema, template))
        assert not made.gate.searches
        assert named in made.gate.message
        assert (
            "enabled for tao-train-tinynet, but not runnable until its schemas are generated"
            in (made.gate.message)
        )
        assert made.space.keys == ()
        assert made.notes[0] == made.gate.message

    def test_both_missing_are_both_named(
        self, plan: MakePlan, make_skill: MakeSkill, tmp_path: Path
    ) -> None:
        (tmp_path / "spec.yaml").write_text("train: {lr: 0.5}")
        made = self.gated(plan, make_skill(None, None), "--spec", str(tmp_path / "spec.yaml"))
        assert len(made.gate.problems) == 2

    def test_policy_off_is_not_a_fault_of_the_skill(
        self, plan: MakePlan, make_skill: MakeSkill
    ) -> None:
        made = self.gated(plan, make_skill(None, TEMPLATE), "--policy", "off")
        assert made.gate.message == "AutoML is off for this run: one direct training."
        assert made.gate.problems == ()


class TestSpecWithoutSearch:
    """Where a spec comes from when a skill lacks the one or the other."""

    @pytest.mark.parametrize(
        ("schema", "template", "lr", "source"),
        [
            (SCHEMA, TEMPLATE, 0.02, "spec_template_train.yaml"),
            (SCHEMA, None, 0.01, "defaults of train.schema.json"),
            (None, TEMPLATE, 0.02, "spec_template_train.yaml"),
            ("{", TEMPLATE, 0.02, "spec_template_train.yaml"),
            (SCHEMA, "train: [", 0.01, "defaults of train.schema.json"),
        ],
        ids=["both", "schema alone", "template alone", "schema broken", "template broken"],
    )
    def test_whichever_is_there_is_the_base(
        self,
        plan: MakePlan,
        make_skill: MakeSkill,
        attempt_spec: AttemptSpec,
        schema: Any,
        template: Any,
        lr: float,
        source: str,
    ) -> None:
        folder = make_skill(schema, template)
        made = plan(
            *("--skill-dir", str(folder), "--policy", "off", *GOAL),
            *("--set", "train.num_epochs=5"),
            file="data: {}",
        )
        spec = attempt_spec(made)
        assert spec["train"]["lr"] == lr
        assert spec["train"]["num_epochs"] == 5
        assert made.base.source == source

    def test_a_spec_file_alone_is_enough(
        self, plan: MakePlan, make_skill: MakeSkill, attempt_spec: AttemptSpec, tmp_path: Path
    ) -> None:
        (tmp_path / "spec.yaml").write_text("train: {lr: 0.5}")
        made = plan(
            *("--skill-dir", str(make_skill(None, None)), *GOAL),
            *("--spec", str(tmp_path / "spec.yaml")),
            file="data: {}",
        )
        assert attempt_spec(made)["train"] == {"lr": 0.5}

    def test_with_nothing_the_run_is_refused(self, plan: MakePlan, make_skill: MakeSkill) -> None:
        with pytest.raises(FixInput, match="give a complete spec with --spec FILE"):
            plan("--skill-dir", str(make_skill(None, None)), *GOAL, file="data: {}")


class TestObjective:
    def test_the_skills_own_is_the_default(self, plan: MakePlan) -> None:
        objective = plan().config.objective
        assert (objective.metric, objective.direction, objective.worst) == (
            *("val_3DIoU", "maximize"),
            0.0,
        )

    @pytest.mark.parametrize(
        "argv", [(), ("--metric", "loss"), ("--direction", "minimize")], ids=" ".join
    )
    def test_a_skill_without_one_asks_for_it(
        self, plan: MakePlan, make_skill: MakeSkill, argv: tuple[str, ...]
    ) -> None:
        folder = str(make_skill(SCHEMA, TEMPLATE))
        with pytest.raises(FixInput, match="--metric NAME and --direction maximize or minimize"):
            plan("--skill-dir", folder, *argv, file="data: {}")

    def test_another_metric_needs_its_own_direction(self, plan: MakePlan) -> None:
        with pytest.raises(FixInput, match="--direction maximize or minimize"):
            plan("--metric", "val_2DMPE")
        objective = plan("--metric", "val_2DMPE", "--direction", "minimize").config.objective
        assert (objective.metric, objective.direction, objective.worst) == (
            *("val_2DMPE", "minimize"),
            None,
        )

    def test_a_profile_names_it_for_the_skill(self, plan: MakePlan, make_skill: MakeSkill) -> None:
        profile = {"objective": {"metric": "mAP", "direction": "maximize"}}
        folder = str(make_skill(SCHEMA, TEMPLATE, profile=profile))
        assert plan("--skill-dir", folder, file="data: {}").config.objective.metric == "mAP"

    def test_a_direction_is_never_guessed(self, plan: MakePlan) -> None:
        with pytest.raises(FixInput, match="must be one of maximize, minimize, but got 'up'"):
            plan("--direction", "up")
