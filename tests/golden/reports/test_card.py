"""The model card, word for word, and what it must never claim."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from automl.cli.main import main
from automl.reports.card import card_text
from automl.reports.poses.page import pose_part
from automl.reports.summary import read_summary
from automl.study.config import DataSources
from automl.study.limits import Limits
from automl.yamltext import load_yaml
from tests.unit.reports.evaluations import ap50, evaluate, poses_like
from tests.unit.reports.study_builder import StudyBuilder, config, confirm, fill

Golden = Callable[[str, str], None]
HEADINGS = (
    "Model details", "Uses", "Bias, risks, and limitations", "Training details", "Evaluation",
    "Environmental impact", "Technical specifications", "How to reproduce",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def card(builder: StudyBuilder) -> str:
    summary = read_summary(Path("studies") / builder.config.name)
    return card_text(summary, pose_part(summary, images=False))


def test_a_confirmed_winner_with_test_data(golden: Golden) -> None:
    images = {
        split: {"images": n, "objects": 2 * n, "categories": {"bike": 2 * n}}
        for split, n in (("train", 256), ("val", 40), ("test", 40))
    }
    study = config(
        "sure",
        limits=Limits(trials=8, confirm=3, confirm_top=1),
        data=DataSources("/data/train", "/data/val", "/data/test"),
        overrides={"dataset.category": "bike", "train.num_epochs": 10},
    )
    builder = StudyBuilder(Path("studies"), study, images=images)
    fill(builder)
    confirm(builder, 4)
    rng = np.random.default_rng(1)
    for trial, centre in ((4, 0.7), (0, 0.6)):
        overlaps = np.clip(rng.normal(centre, 0.2, 40), 0, 1)
        for data in ("/data/val", "/data/test"):
            evaluate(builder, trial, data, ap50(overlaps), poses_like(overlaps))
    text = card(builder)
    assert "No held-out value" not in text
    golden("reports/card-sure.md", text)


def test_a_plain_search(golden: Golden) -> None:
    builder = StudyBuilder(Path("studies"))
    fill(builder)
    text = card(builder)
    assert "measured with one seed" in text
    assert "No held-out value" in text
    golden("reports/card-bike-fan.md", text)


def test_every_heading_is_there_whatever_the_study() -> None:
    builder = StudyBuilder(Path("studies"))
    text = card(builder)
    assert all(f"\n## {heading}\n" in text for heading in HEADINGS)
    front = load_yaml(text.split("---")[1], where="card")
    assert "6d-pose-estimation" in front["tags"]
    assert "No trial has ended with a value." in text


def test_the_command_prints_it_or_writes_it_once(capsys: pytest.CaptureFixture[str]) -> None:
    builder = StudyBuilder(Path("studies"))
    fill(builder)
    assert main(["card", "bike-fan"]) == 0
    printed = capsys.readouterr().out
    assert main(["card", "--out", "MODEL.md"]) == 0
    assert Path("MODEL.md").read_text() == printed
    assert main(["card", "--out", "MODEL.md"]) == 2
    assert "never writes over a file" in capsys.readouterr().err
