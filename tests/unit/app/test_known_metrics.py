"""What is known of a skill's metric without a profile of its own."""

from pathlib import Path

import pytest

from automl.app.metric_candidates import metric_candidates
from automl.app.plan import make_plan
from automl.app.request import PlanRequest
from automl.errors import FixInput
from automl.files import ReadOnce
from automl.skill.known_metrics import known_metrics
from automl.skill.read import own_skill_dir, read_skill
from tests.made_skill import LR, schema_of, write_skill


def skill(folder: Path, network: str) -> Path:
    info = {"network_arch": network, "automl_enabled": True, "actions": {"train": {}}}
    return write_skill(folder / network, info, schema_of({"train.lr": LR}), {"train": {"lr": 0.1}})


def test_every_entry_is_whole() -> None:
    known = known_metrics(ReadOnce(), own_skill_dir())
    assert len(known) >= 30
    assert [*known] == sorted(known)
    for network, entry in known.items():
        assert entry.direction in ("maximize", "minimize"), network
        assert entry.metric
        assert entry.source
        assert (entry.direction == "minimize") == ("loss" in entry.metric), network


@pytest.mark.parametrize(
    ("network", "metric"),
    [("cosmos-rl", "val/avg_loss"), ("mae", "train_loss"), ("visual-changenet", "val_loss")],
)
def test_networks_are_named_as_the_published_skills_name_them(
    tmp_path: Path, network: str, metric: str
) -> None:
    found = read_skill(skill(tmp_path, network))
    assert (found.metric, found.direction) == (metric, "minimize")


def test_a_published_network_needs_no_metric(tmp_path: Path) -> None:
    found = read_skill(skill(tmp_path, "segformer"))
    assert (found.metric, found.direction, found.metric_worst) == ("val_miou", "maximize", 0.0)
    assert read_skill(skill(tmp_path, "my_own")).metric == ""


def test_where_nobody_names_one_the_skills_page_is_quoted(tmp_path: Path) -> None:
    folder = skill(tmp_path, "my_own")
    page = "- **Monitoring metric:** `val_f1`, val/iou for reports\n"
    (folder / "SKILL.md").write_text(page, encoding="utf-8")
    assert metric_candidates(read_skill(folder)) == ("val_f1", "val/iou")
    with pytest.raises(FixInput, match="needs a metric") as refused:
        make_plan(PlanRequest({"skill_dir": str(folder)}, studies_dir=tmp_path))
    assert "the skill speaks of val_f1, val/iou" in refused.value.fix
