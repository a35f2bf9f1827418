"""What published metadata may say, and that a plan is made of it all the same."""

from pathlib import Path
from typing import Any

import pytest

from automl.app.plan import make_plan
from automl.app.request import PlanRequest
from automl.app.trainer_choice import container_preview
from automl.errors import FixInput
from automl.skill.tree import get
from tests.made_skill import LR, WHOLE, leaf, schema_of, write_skill

LEAVES = {
    "train.num_epochs": WHOLE,
    "train.lr": LR,
    "train.weights": leaf("string", ""),
    "train.kind": leaf("string", "basic"),
    "train.precision": leaf("categorical", "fp16", enum=["fp16", "fp32"], automl_enabled=True),
    "results_dir": leaf("string", ""),
}
SEARCHED = ("train.lr", "train.precision")
TEMPLATE = {"train": {"num_epochs": 12, "lr": 1e-3, "kind": "basic"}}


def skill(folder: Path, spec_params: dict[str, Any], precision: Any = "fp16") -> Path:
    info = {
        "network_arch": "othernet",
        "automl_enabled": True,
        "container_image": "registry/othernet:1",
        "actions": {"train": {"command": "othernet train -e {config_path}"}},
        "spec_params": {"train": spec_params},
    }
    template = {"train": {**TEMPLATE["train"], "precision": precision}}
    return write_skill(folder / "skill", info, schema_of(LEAVES, SEARCHED), template)


def request(folder: Path, skill_dir: Path, **flags: Any) -> PlanRequest:
    given = {"metric": "acc", "direction": "maximize", "trainer": "docker", **flags}
    return PlanRequest({"skill_dir": str(skill_dir), **given}, studies_dir=folder / "studies")


def test_a_function_that_is_not_known_is_said_and_stops_nothing(tmp_path: Path) -> None:
    folder = skill(tmp_path, {"train.kind": "create_thing", "train.num_epochs": 5})
    plan = make_plan(request(tmp_path, folder))
    assert get(plan.base_spec, "train.kind") == "basic"
    assert get(plan.base_spec, "train.num_epochs") == 5
    assert [note for note in plan.notes if note.startswith("train.kind stays basic")]
    given = make_plan(request(tmp_path, folder, set=["train.kind=other"]))
    assert not [note for note in given.notes if "train.kind" in note]


def test_a_templates_value_outside_its_enum_is_noted_and_never_proposed(tmp_path: Path) -> None:
    folder = skill(tmp_path, {}, precision=32)
    plan = make_plan(request(tmp_path, folder))
    assert get(plan.base_spec, "train.precision") == 32
    assert [note for note in plan.notes if note.startswith("train.precision = 32 as ")]
    assert plan.space["train.precision"].options == ("fp16", "fp32")
    with pytest.raises(FixInput, match="must be one of fp16, fp32"):
        make_plan(request(tmp_path, folder, set=["train.precision=64"]))


def test_a_users_own_spec_must_keep_to_the_enum(tmp_path: Path) -> None:
    folder = skill(tmp_path, {})
    spec = tmp_path / "spec.yaml"
    spec.write_text("train: {precision: 32}\n", encoding="utf-8")
    with pytest.raises(FixInput, match="must be one of fp16, fp32"):
        make_plan(request(tmp_path, folder, spec=str(spec)))


class TestALinkedFile:
    """A mapping of ``link`` and ``destination_path``."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        weights = tmp_path / "store" / "weights.pth"
        weights.parent.mkdir()
        weights.write_bytes(b"PK\x05\x06" + bytes(18))
        link = {"link": f"file://{weights}", "destination_path": "/ptm/net/weights.pth"}
        return skill(tmp_path, {"train.weights": link})

    def test_is_shown_and_not_fetched_unasked(self, tmp_path: Path, folder: Path) -> None:
        plan = make_plan(request(tmp_path, folder))
        assert not get(plan.base_spec, "train.weights", "")
        (note,) = (note for note in plan.notes if note.startswith("train.weights:"))
        assert "--fetch-weights" in note

    def test_is_brought_once_and_mounted_where_the_skill_wants_it(
        self, tmp_path: Path, folder: Path
    ) -> None:
        said: list[str] = []
        base = request(tmp_path, folder, fetch_weights=True)
        plan = make_plan(PlanRequest(base.flags, studies_dir=base.studies_dir, tell=said.append))
        path = Path(get(plan.base_spec, "train.weights"))
        assert path.read_bytes().startswith(b"PK")
        assert len(said) == 1
        text = container_preview(plan.config, plan.skill, plan.base_spec, plan.studies_dir)
        assert f"source={path},target=/ptm/net/weights.pth,readonly" in text

    def test_is_left_alone_where_the_user_gives_another(
        self, tmp_path: Path, folder: Path
    ) -> None:
        mine = tmp_path / "mine.pth"
        mine.write_bytes(b"PK\x05\x06" + bytes(18))
        flags = {"set": [f"train.weights={mine}"], "fetch_weights": True}
        plan = make_plan(request(tmp_path, folder, **flags))
        assert get(plan.base_spec, "train.weights") == str(mine)
