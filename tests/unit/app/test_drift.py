"""A study goes on over the space that it began with, and says what has become another one."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automl.app import run
from automl.app.going_on import GoingOn
from automl.app.screen import Sight, Silent
from automl.cli.main import main
from automl.errors import ResolveConflict
from automl.execution import ray_driver, serial
from automl.execution.driver import Event, Note
from automl.skill.read import own_skill_dir
from automl.space.model import SearchSpace
from automl.study.folder import read_space
from automl.study.layout import StudyPaths
from tests.unit.app.kit import MakePlan

SCRIPT = "script:\n  epoch_s: 0.0\n  bowls: {train.optim.lr: {best: 1e-3}}\n"
ARGUMENTS = ("--set", "train.num_epochs=2", "--name", "bikes", "--sampler", "random")


@pytest.fixture(autouse=True)
def _serially(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_driver, "drive", serial.drive)


@pytest.fixture
def skill(tmp_path: Path) -> Path:
    """A copy of the own skill that a test may change."""
    folder = tmp_path / "skill"
    for part in ("schemas", "references"):
        shutil.copytree(own_skill_dir() / part, folder / part)
    return folder


@pytest.fixture
def started(plan: MakePlan, skill: Path, studies_dir: Path) -> Callable[..., StudyPaths]:
    """Runs a search of two trials over the copied skill."""

    def make(*argv: str) -> StudyPaths:
        made = plan(*ARGUMENTS, "--trials", "2", "--skill-dir", str(skill), *argv, file=SCRIPT)
        assert run.start(made, Silent()).exit_code == 0
        return StudyPaths(studies_dir / "bikes")

    return make


class Notes:
    """Keeps what it is told in words."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def opened(self, paths: object, config: object) -> None:
        pass

    def look(self, sight: Sight) -> None:
        pass

    def event(self, event: Event) -> None:
        if isinstance(event, Note):
            self.texts.append(event.text)


def _change_leaf(skill: Path, key: str, **facts: Any) -> None:
    path = skill / "schemas" / "train.schema.json"
    tree = json.loads(path.read_text())
    node = tree
    for name in key.split("."):
        node = node["properties"][name]
    node.update(facts)
    path.write_text(json.dumps(tree))


def _resumed(paths: StudyPaths, *, accept: bool = False) -> list[str]:
    notes = Notes()
    assert run.go_on(paths, notes, GoingOn({"trials": 3}, accept_drift=accept)).exit_code == 0
    return [
        text
        for text in notes.texts
        if not text.startswith(("ended and kept", "to go", "unchanged"))
    ]


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("--space", "all"),
        ("--space", "profile"),
        ("--search", "dataset.batch_size"),
        ("--search", "train.num_epochs=2..2", "--search", "train.validation_interval=1..2"),
        ("--freeze", "train.optim.lr=1e-4", "--search", "dataset.flip=0.1..0.4"),
    ],
)
def test_an_unchanged_skill_gives_the_same_space(
    started: Callable[..., StudyPaths], argv: tuple[str, ...]
) -> None:
    paths = started(*argv)
    kept = read_space(paths)
    assert kept["digest"] == SearchSpace.from_json(kept).digest
    assert _resumed(paths) == []


def test_a_changed_schema_is_refused_with_the_difference(
    started: Callable[..., StudyPaths], skill: Path
) -> None:
    paths = started()
    before = paths.resolved.read_bytes()
    _change_leaf(skill, "train.optim.lr", maximum=1e-4)
    with pytest.raises(ResolveConflict) as caught:
        run.go_on(paths, Silent(), GoingOn({"trials": 3}))
    text = str(caught.value)
    assert "~ train.optim.lr: 6e-06 .. 0.0006  log float -> 6e-06 .. 0.0001  log float" in text
    assert "changed files: train schema" in text
    assert "automl resume bikes --accept-drift" in text
    assert caught.value.exit_code == 7
    assert paths.resolved.read_bytes() == before


def test_a_drift_can_be_accepted(started: Callable[..., StudyPaths], skill: Path) -> None:
    paths = started()
    _change_leaf(skill, "train.optim.lr", maximum=1e-4)
    (note,) = _resumed(paths, accept=True)
    assert note.startswith("the study keeps the space it began with, not ~ train.optim.lr:")
    assert len(list(paths.trials.iterdir())) == 3


def test_a_change_that_moves_no_bound_is_told(
    started: Callable[..., StudyPaths], skill: Path
) -> None:
    paths = started()
    _change_leaf(skill, "train.optim.lr", description="in other words")
    assert _resumed(paths) == [
        "changed since the study began, with the same search space: train schema"
    ]


def test_a_profile_of_the_users_own_is_looked_at_again(
    started: Callable[..., StudyPaths], tmp_path: Path
) -> None:
    profile = tmp_path / "mine.yaml"
    profile.write_text("parameters: {train.optim.lr: {low: 1.0e-5, high: 1.0e-3}}\n")
    paths = started("--space", str(profile))
    profile.write_text("parameters: {train.optim.lr: {low: 1.0e-5, high: 1.0e-2}}\n")
    with pytest.raises(ResolveConflict, match=r"0\.001  log float -> 1e-05 \.\. 0\.01"):
        run.go_on(paths, Silent(), GoingOn({"trials": 3}))
    profile.unlink()
    with pytest.raises(ResolveConflict, match="cannot be made any more"):
        run.go_on(paths, Silent(), GoingOn({"trials": 3}))


def test_an_edited_space_is_refused(started: Callable[..., StudyPaths]) -> None:
    paths = started()
    value = json.loads(paths.space.read_text())
    value["parameters"][0]["high"] = 0.5
    paths.space.write_text(json.dumps(value))
    with pytest.raises(ResolveConflict, match=r"space\.json was edited") as caught:
        run.go_on(paths, Silent(), GoingOn({"trials": 3}))
    assert "6e-06 .. 0.5  log float -> 6e-06 .. 0.0006" in str(caught.value)


def test_a_broken_skill_cannot_make_the_space_any_more(
    started: Callable[..., StudyPaths], skill: Path
) -> None:
    paths = started()
    (skill / "schemas" / "train.schema.json").write_text("{,}")
    with pytest.raises(ResolveConflict, match="cannot be made any more"):
        run.go_on(paths, Silent(), GoingOn({"trials": 3}))


def test_the_command_exits_with_7_and_takes_the_flag(
    started: Callable[..., StudyPaths],
    skill: Path,
    studies_dir: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    started()
    _change_leaf(skill, "train.optim.lr", maximum=1e-4)
    resume = ["resume", "bikes", "--studies-dir", str(studies_dir), "--trials", "3", "--plain"]
    assert main(resume) == 7
    assert "~ train.optim.lr: 6e-06 .. 0.0006" in capsys.readouterr().err
    assert main([*resume, "--accept-drift"]) == 0


def test_a_plain_training_has_no_space_to_drift(
    plan: MakePlan, skill: Path, studies_dir: Path
) -> None:
    file = f"{SCRIPT}  faults: {{0: {{kind: oom}}}}\n"
    argv = ("--policy", "off", "--skill-dir", str(skill), "--name", "bikes")
    assert run.start(plan(*argv, file=file), Silent()).exit_code == 4
    _change_leaf(skill, "train.optim.lr", maximum=1e-4)
    assert run.go_on(StudyPaths(studies_dir / "bikes"), Silent()).exit_code == 4


def test_data_that_was_changed_is_refused_and_can_be_accepted(
    started: Callable[..., StudyPaths], splits: Path, tmp_path: Path
) -> None:
    for split in ("train", "val"):
        shutil.copytree(splits / split, tmp_path / "data" / split)
    data = [f"--{split}-data={tmp_path / 'data' / split}" for split in ("train", "val")]
    paths = started(*data)
    (tmp_path / "data" / "val" / "labels.txt").write_text("one more file")
    with pytest.raises(ResolveConflict, match="on the data that it began with") as caught:
        run.go_on(paths, Silent(), GoingOn({"trials": 3}))
    assert "! val data: files of" in str(caught.value)
    assert caught.value.exit_code == 7
    notes = Notes()
    run.go_on(paths, notes, GoingOn({"trials": 3}, accept_drift=True))
    assert any("values are not comparable any more: ! val data" in each for each in notes.texts)
    assert "unchanged since the study began: train data" in notes.texts
