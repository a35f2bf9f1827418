"""What the tests of the use-cases share: small data, a machine of known size, plans from argv."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from automl.app.machine import Machine
from automl.app.plan import Plan, make_plan
from automl.app.prepare import Preparer
from automl.gpus import Gpu
from automl.search.engine import Engine
from automl.skill import schema
from automl.skill.read import own_skill_dir
from automl.skill.tree import Tree
from automl.study.gpu_claims import Claim
from automl.study.layout import StudyPaths
from automl.study.storage import memory_study
from automl.yamltext import dump_yaml, load_yaml
from tests.small_data import write_split
from tests.unit.app.kit import AttemptSpec, MakePlan, MakeSkill, OnMachine, request_of

_checked: set[str] = set()


@pytest.fixture(autouse=True)
def _own_schemas_are_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The form of this package's own schemas, which no test changes, is checked once for all."""
    check, own = schema._check_form, str(own_skill_dir())

    def check_once(tree: Any, where: str) -> None:
        if where not in _checked:
            check(tree, where)
        if where.startswith(own):
            _checked.add(where)

    monkeypatch.setattr(schema, "_check_form", check_once)


@pytest.fixture(scope="session")
def splits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the splits ``train`` and ``val`` of eight images, and ``test`` of four."""
    root = tmp_path_factory.mktemp("splits")
    for name, images in (("train", 8), ("val", 8), ("test", 4)):
        write_split(root / name, images)
    return root


@pytest.fixture
def on_machine(monkeypatch: pytest.MonkeyPatch) -> OnMachine:
    """``on_machine(cpus=8, gpus=4)`` makes plans believe that this is what there is."""

    def pretend(cpus: int = 2, gpus: int = 0, held: Mapping[str, Claim] | None = None) -> None:
        found = tuple(Gpu(index, f"GPU-{index}", "NVIDIA H200") for index in range(gpus))
        machine = Machine(cpus, found, held or {})
        monkeypatch.setattr("automl.app.plan.detect_machine", lambda: machine)

    return pretend


@pytest.fixture
def plan(tmp_path: Path, studies_dir: Path, splits: Path, on_machine: OnMachine) -> MakePlan:
    """Plans as ``automl plan`` does, on two CPUs.

    Unless data is named the small splits are; unless a trainer is, the scripted one, which
    has no objection to the template's backbone.
    """
    on_machine(cpus=2)

    def make(*argv: str, file: str | None = None) -> Plan:
        if file is not None:
            (tmp_path / "study.yaml").write_text(file, encoding="utf-8")
            argv = (str(tmp_path / "study.yaml"), *argv)
        return make_plan(request_of(argv, studies_dir, splits, file or ""))

    return make


@pytest.fixture
def attempt_spec() -> AttemptSpec:
    """The ``spec.yaml`` that the first attempt of a plan is started with, as read from disk."""

    def prepare(plan: Plan) -> Tree:
        engine = Engine(memory_study(plan.config.objective), plan.space, plan.config)
        attempt = engine.ask()
        assert attempt is not None
        paths = StudyPaths(plan.studies_dir / plan.config.name)
        task = Preparer(paths, plan.config, plan.skill, plan.base_spec).prepare(attempt)
        tree = load_yaml(task.spec_path)
        assert isinstance(tree, dict)
        return tree

    return prepare


@pytest.fixture
def make_skill(tmp_path: Path) -> MakeSkill:
    """Writes a small skill of an invented network and returns its folder.

    Args of the function: ``schema`` (settings of the block ``train``; a text is written as it
    stands, None for no schema), ``template`` (likewise), ``info`` (more metadata), ``profile``.
    """

    def make(
        schema: Mapping[str, Any] | str | None,
        template: Mapping[str, Any] | str | None,
        info: Mapping[str, Any] | None = None,
        profile: Mapping[str, Any] | None = None,
    ) -> Path:
        folder = tmp_path / "tao-train-tinynet"
        (folder / "references").mkdir(parents=True)
        (folder / "schemas").mkdir()
        about = {
            "name": "tao-train-tinynet",
            "network_arch": "tinynet",
            "automl_enabled": True,
            "actions": {"train": {"command": "tinynet train -e {config_path}"}},
            **(info or {}),
        }
        (folder / "references" / "skill_info.yaml").write_text(dump_yaml(about))
        if profile is not None:
            (folder / "references" / "search_profile.yaml").write_text(dump_yaml(dict(profile)))
        if schema is not None:
            text = schema if isinstance(schema, str) else json.dumps(_schema(schema))
            (folder / "schemas" / "train.schema.json").write_text(text)
        if template is not None:
            text = template if isinstance(template, str) else dump_yaml(dict(template))
            (folder / "references" / "spec_template_train.yaml").write_text(text)
        return folder

    return make


def _schema(leaves: Mapping[str, Any]) -> dict[str, Any]:
    searched = [f"train.{name}" for name, leaf in leaves.items() if leaf.get("automl_enabled")]
    return {
        "automl_default_parameters": searched,
        "default": {"train": {name: leaf["default"] for name, leaf in leaves.items()}},
        "properties": {"train": {"type": "collection", "properties": dict(leaves)}},
    }
