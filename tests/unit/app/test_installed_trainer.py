"""A trainer that a package brings is one like the others: settings, rules, lines of doctor, runs.

The package is that of ``tests/fixtures/cluster``; to be on the path is to be installed.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from automl.cli.main import main
from tests.unit.app.kit import MakeSkill

FIXTURES = Path(__file__).parents[2] / "fixtures"

CLUSTER = "trainer: cluster"

RunJson = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(autouse=True)
def _cluster_is_installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(FIXTURES / "cluster"))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "automl_cluster"]:
        del sys.modules[name]


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second package is installed, whose module cannot be imported."""
    about = tmp_path / "site" / "automl_odd-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: automl-odd\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[automl.trainers]\nodd = automl_odd:ODD\n")
    (about.parent / "automl_odd.py").write_text("raise RuntimeError('no license')\n")
    monkeypatch.syspath_prepend(str(about.parent))


@pytest.fixture
def run_json(
    studies_dir: Path, splits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> RunJson:
    """Runs a command over a study file, and reads what it prints."""

    def run(
        command: str, *argv: str, file: str = CLUSTER, has_data: bool = True
    ) -> tuple[int, dict[str, Any]]:
        study = tmp_path / "study.yaml"
        data = f"data: {{train: {splits}/train, val: {splits}/val}}\n" if has_data else ""
        study.write_text(f"{data}{file}\n")
        code = main([command, str(study), "--studies-dir", str(studies_dir), "--json", *argv])
        printed = capsys.readouterr()
        assert printed.out, printed.err
        return code, json.loads(printed.out)

    return run


def lines_of(check_up: dict[str, Any], name: str) -> list[dict[str, str]]:
    return [check for check in check_up["checks"] if check["name"] == name]


def test_its_settings_have_defaults(run_json: RunJson) -> None:
    config = run_json("plan")[1]["config"]
    assert (config["trainer"], config["trainer_options"]) == ("cluster", {"queue": "short"})
    assert config["origin"]["cluster_queue"] == "default"


def test_its_settings_come_from_the_study_file(run_json: RunJson) -> None:
    config = run_json("plan", file=f"{CLUSTER}\ncluster_queue: long")[1]["config"]
    assert config["trainer_options"] == {"queue": "long"}


def test_its_settings_come_from_flags(run_json: RunJson) -> None:
    file = f"{CLUSTER}\ncluster_queue: short"
    config = run_json("plan", "--cluster-queue", "long", file=file)[1]["config"]
    assert config["trainer_options"] == {"queue": "long"}
    assert config["origin"]["cluster_queue"] == "--cluster-queue"


def test_its_settings_do_nothing_for_another_trainer(run_json: RunJson) -> None:
    notes = run_json("plan", "--trainer", "scripted", "--cluster-queue", "long")[1]["notes"]
    assert "--cluster-queue: without effect on the trainer scripted" in notes


@pytest.mark.timeout(60)
def test_its_lines_stand_in_the_check_up_and_its_trials_run(run_json: RunJson) -> None:
    code, check_up = run_json("doctor", "--deep")
    (queue,) = lines_of(check_up, "queue")
    (metric,) = lines_of(check_up, "metric")
    assert code == 0
    assert (queue["result"], queue["detail"]) == ("ok", "short is open")
    assert metric["result"] == "ok"


def test_what_it_finds_wrong_is_a_failure_of_the_check_up(run_json: RunJson) -> None:
    code, check_up = run_json("doctor", "--cluster-queue", "night")
    assert code == 3
    assert lines_of(check_up, "queue")[0]["fix"] == "give --cluster-queue short"


def test_what_it_finds_wrong_keeps_a_study_from_starting(
    studies_dir: Path, splits: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--train-data", f"{splits}/train", "--val-data", f"{splits}/val"]
    argv = ["run", *data, "--studies-dir", str(studies_dir), "--plain", "--trainer", "cluster"]
    assert main([*argv, "--cluster-queue", "night"]) == 3
    assert "the cluster must have the queue, but got night" in capsys.readouterr().err
    assert not list(studies_dir.iterdir())


@pytest.mark.parametrize(("trainer", "is_told"), [("cluster", True), ("scripted", False)])
def test_a_profile_may_have_rules_for_it(
    run_json: RunJson, make_skill: MakeSkill, trainer: str, is_told: bool
) -> None:
    rate = {"type": "float", "default": 0.1, "minimum": 0.0, "maximum": 1.0}
    rule = {
        "key": "train.hours", "when": {"equals": 9}, "verdict": "warn", "trainers": ["cluster"],
        "reason": "jobs of this queue end early",
    }  # fmt: skip
    skill = make_skill(
        {"rate": {**rate, "automl_enabled": True}, "hours": {"type": "int", "default": 9}},
        {"train": {"rate": 0.1, "hours": 9}},
        {"metric": "val_3DIoU", "direction": "maximize"}, {"settings": [rule]},
    )  # fmt: skip
    file = f"trainer: {trainer}\nmetric: val_3DIoU\ndirection: maximize"
    argv = ("plan", "--skill-dir", str(skill))
    notes = run_json(*argv, file=file, has_data=False)[1]["notes"]
    assert any("jobs of this queue end early" in note for note in notes) is is_told


@pytest.mark.usefixtures("broken")
def test_a_plan_names_a_broken_one_and_leaves_it_out(run_json: RunJson) -> None:
    code, plan = run_json("plan")
    (note,) = [note for note in plan["notes"] if "automl-odd" in note]
    assert code == 0
    assert "the trainer odd of the package automl-odd is left out" in note
    assert "RuntimeError: no license" in note


@pytest.mark.usefixtures("broken")
def test_a_check_up_names_a_broken_one_and_goes_on(run_json: RunJson) -> None:
    code, check_up = run_json("doctor")
    (line,) = [one for one in lines_of(check_up, "trainer") if "automl-odd" in one["detail"]]
    assert code == 0
    assert (line["result"], line["fix"]) == ("warn", "fix or remove automl-odd")


@pytest.mark.usefixtures("broken")
def test_who_asks_for_the_broken_one_gets_no_traceback(
    studies_dir: Path, splits: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--train-data", f"{splits}/train", "--val-data", f"{splits}/val"]
    assert main(["plan", *data, "--studies-dir", str(studies_dir), "--trainer", "odd"]) == 3
    error = capsys.readouterr().err
    assert "no license" in error
    assert "automl-odd" in error
    assert "Traceback" not in error


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize(("argv", "has_flag"), [((), False), (("run",), True)])
def test_help_lists_its_flags_and_no_other_command_imports_it(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], has_flag: bool
) -> None:
    with pytest.raises(SystemExit) as left:
        main([*argv, "--help"])
    assert left.value.code == 0
    assert ("--cluster-queue" in capsys.readouterr().out) is has_flag
    assert ("automl_cluster.entry" in sys.modules) is has_flag
    assert "automl_cluster.trainer" not in sys.modules
