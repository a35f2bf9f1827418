"""``automl best`` for scripts: one fact, and a copy of the winner's files."""

import hashlib
from pathlib import Path

import pytest

from automl.app.winner import keep_best_current
from automl.cli.main import main
from automl.study.race import winner
from automl.study.storage import read_study
from automl.study.trials import read_records
from tests.unit.reports.study_builder import StudyBuilder, fill


@pytest.fixture
def study(studies_dir: Path) -> StudyBuilder:
    builder = StudyBuilder(studies_dir)
    fill(builder)
    read = read_study(builder.paths, builder.config)
    assert read is not None
    records = read_records(read, builder.config.objective)
    keep_best_current(builder.paths, winner(records, builder.config), builder.config.keys)
    return builder


def best(study: StudyBuilder, *words: str) -> int:
    return main(["best", *words, "--studies-dir", str(study.folder.parent)])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trial", "4"),
        ("value", "0.47"),
        ("metric", "val_3DIoU"),
        ("train.optim.lr", "0.0009"),
        ("study", "bike-fan"),
    ],
)
def test_one_fact_is_one_line(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    assert best(study, "--field", name) == 0
    assert capsys.readouterr().out == f"{value}\n"


def test_files_are_named_by_paths_that_exist(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("checkpoint", "spec", "folder"):
        assert best(study, "bike-fan", "--field", name) == 0
        assert Path(capsys.readouterr().out.strip()).exists()


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [("mean", 4, "has no mean"), ("chekpoint", 2, "did you mean checkpoint?")],
)
def test_what_there_is_not_is_said(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str], name: str, code: int, said: str
) -> None:
    assert best(study, "--field", name) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err


def test_the_files_are_copied_whole(
    study: StudyBuilder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "deploy" / "bike"
    assert best(study, "--copy-to", str(target)) == 0
    names = sorted(path.name for path in target.iterdir())
    assert names == ["model_epoch_003_step_00032.pth", "provenance.json", "train.yaml"]
    for name in names:
        digests = {hashlib.sha256((folder / name).read_bytes()).hexdigest()
                   for folder in (target, study.paths.best)}  # fmt: skip
        assert len(digests) == 1


def test_a_copy_never_writes_over_anything(
    study: StudyBuilder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").write_text("x")
    assert best(study, "--copy-to", str(tmp_path)) == 2
    assert "never writes over anything" in capsys.readouterr().err
    assert (tmp_path / "mine").read_text() == "x"
