import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.errors import FixInput
from automl.skill.profile_file import load_profile
from automl.skill.read import (
    base_tree,
    image_of,
    own_skill_dir,
    read_action_schema,
    read_skill,
    read_template,
)
from automl.skill.tree import get
from automl.yamltext import load_yaml

MakeSkill = Callable[..., Path]
SKILLS = os.environ.get("AUTOML_TAO_SKILLS", "")


def test_the_metadata_is_read(make_skill: MakeSkill) -> None:
    skill = read_skill(make_skill())
    assert (skill.name, skill.network_arch) == ("tao-train-toynet", "toynet")
    assert skill.automl_enabled
    train = skill.actions["train"]
    assert train.command == "toynet train -e {config_path}"
    assert train.inputs == {"data.train": {"type": "folder"}}
    assert train.spec_params == {"results_dir": "output_dir"}
    assert skill.shorthand == {"learning_rate": "train.optim.lr"}
    assert (skill.metric, skill.direction, skill.metric_worst) == ("", "", None)


def test_a_skill_of_schemas_alone_is_read(make_skill: MakeSkill) -> None:
    skill = read_skill(make_skill(info=None))
    assert (skill.name, skill.network_arch) == ("skill", "toynet")
    assert not skill.automl_enabled
    assert skill.container_image == ""
    assert skill.actions["train"].command == "toynet train -e {config_path}"
    assert base_tree(skill, "train")["train"]["num_epochs"] == 3


def test_sparse_metadata_is_enough(make_skill: MakeSkill) -> None:
    info = (
        "automl_enabled: on\nactions:\n  train:\n  distill: {spec_params: {a.b: parent_model}}\n"
    )
    skill = read_skill(make_skill(info=info))
    assert skill.automl_enabled
    assert skill.actions["train"].inputs == {}
    assert skill.actions["distill"].spec_params == {"a.b": "parent_model"}


def test_a_folder_of_neither_is_no_skill(tmp_path: Path) -> None:
    with pytest.raises(FixInput, match=r"skill_info\.yaml or schemas"):
        read_skill(tmp_path)
    with pytest.raises(FixInput, match="must be a folder"):
        read_skill(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("info", "rule"),
    [
        ("- a\n", "named settings"),
        ("actions: [train]\n", "actions must be a mapping"),
        ("actions: {train: [x]}\n", "train must be a mapping"),
        ("actions: {train: {inputs: x}}\n", "inputs must be a mapping"),
        ("name: a\nname: b\n", "well formed"),
    ],
)
def test_broken_metadata_is_refused(make_skill: MakeSkill, info: str, rule: str) -> None:
    with pytest.raises(FixInput, match=rule) as caught:
        read_skill(make_skill(info=info))
    assert "skill_info.yaml" in caught.value.where


def test_the_objective_comes_from_the_profile(make_skill: MakeSkill) -> None:
    profile = "objective: {metric: mAP, direction: maximize, worst: 0}\n"
    skill = read_skill(make_skill(more={"references/search_profile.yaml": profile}))
    assert (skill.metric, skill.direction, skill.metric_worst) == ("mAP", "maximize", 0.0)


@pytest.mark.parametrize("objective", ["{direction: up}", "{worst: bad}", "[mAP]"])
def test_a_broken_objective_is_refused(make_skill: MakeSkill, objective: str) -> None:
    profile = {"references/search_profile.yaml": f"objective: {objective}\n"}
    with pytest.raises(FixInput, match="objective"):
        read_skill(make_skill(more=profile))


def test_a_spec_starts_from_the_template_else_from_the_schema(make_skill: MakeSkill) -> None:
    skill = read_skill(make_skill())
    assert base_tree(skill, "train") == {"train": {"num_epochs": 3}}
    skill.template_path("train").write_text("a: [1", encoding="utf-8")
    assert base_tree(skill, "train") == {"train": {"num_epochs": 3}}, "as it was when first read"
    skill = read_skill(skill.folder)
    assert get(base_tree(skill, "train"), "train.optim.lr") == 1e-4
    skill.schema_path("train").unlink()
    skill = read_skill(skill.folder)
    with pytest.raises(FixInput, match=r"well formed.*must exist.*--spec FILE"):
        base_tree(skill, "train")


def test_an_empty_template_is_none(make_skill: MakeSkill) -> None:
    skill = read_skill(make_skill(template="# nothing\n"))
    with pytest.raises(FixInput, match="must hold settings"):
        read_template(skill, "train")


def test_images_are_looked_up_by_their_symbolic_names(make_skill: MakeSkill) -> None:
    own = read_skill(own_skill_dir())
    assert image_of(own, "train").startswith("nvcr.io/nvidia/tao/tao-toolkit:")
    assert image_of(own, "gen_trt_engine").endswith("-deploy")
    images = {"references/images.yaml": "tao_toolkit.pyt: registry.example/tao:1\n"}
    other = read_skill(make_skill(more=images))
    assert image_of(other, "train") == "registry.example/tao:1"
    assert image_of(other, "unheard-of") == "registry.example/tao:1"


def test_the_own_skill_is_complete() -> None:
    skill = read_skill(own_skill_dir())
    assert (skill.metric, skill.direction, skill.metric_worst) == ("val_3DIoU", "maximize", 0.0)
    assert skill.automl_enabled
    for action in skill.actions:
        assert read_action_schema(skill, action).action == action
        assert read_template(skill, action)
    for action in ("gen_trt_engine", "evaluate", "inference"):
        assert read_template(skill, action, deploy=True)


def test_inputs_and_inferred_parameters_of_the_own_skill_are_settings() -> None:
    skill = read_skill(own_skill_dir())
    for action, info in skill.actions.items():
        schema = read_action_schema(skill, action)
        for key in (*info.inputs, *info.outputs, *info.spec_params):
            assert schema.contains(key), (action, key)
    train = read_action_schema(skill, "train")
    assert all(train.contains(key) for key in skill.shorthand.values())


def test_every_key_of_the_own_profile_is_a_setting() -> None:
    skill = read_skill(own_skill_dir())
    schemas = [read_action_schema(skill, action) for action in ("train", "evaluate", "inference")]
    profile = load_profile(skill.folder / "references" / "search_profile.yaml")
    conditions = [(rule.key, rule.when) for rule in profile.inert]
    conditions += [(rule.key, rule.when) for rule in profile.settings]
    assert conditions
    for subject, when in conditions:
        for key in (subject, *when.keys):
            known = key in profile.added or any(schema.contains(key) for schema in schemas)
            assert known, key
    assert not any(schema.contains(key) for key in profile.added for schema in schemas)


def test_the_settings_that_are_added_are_those_of_the_trainer() -> None:
    from automl.centerpose.config.experiment import Experiment
    from automl.centerpose.config.fields import leaf_entries

    profile = load_profile(own_skill_dir() / "references" / "search_profile.yaml")
    facts = {key: entry.facts for key, entry in leaf_entries(Experiment)}
    assert profile.added
    for key, choices in profile.added.items():
        assert facts[key].own
        assert facts[key].enum == choices


def test_the_own_template_breaks_no_rule() -> None:
    skill = read_skill(own_skill_dir())
    spec = base_tree(skill, "train")
    profile = load_profile(skill.folder / "references" / "search_profile.yaml")
    holding = [
        (rule.key, rule.trainers)
        for rule in profile.settings
        if not rule.unless_default and rule.when.holds(spec)
    ]
    assert holding == []
    assert [rule.key for rule in profile.inert if rule.when.holds(spec)] == [
        "train.optim.lr_decay"
    ]


def test_every_key_of_the_own_data_sources_is_an_input_of_its_action() -> None:
    skill = read_skill(own_skill_dir())
    table = load_yaml(skill.folder / "references" / "data_sources.yaml")
    assert set(table) == {"train", "evaluate", "inference", "gen_trt_engine"}
    for action, sources in table.items():
        assert set(sources) <= set(skill.actions[action].inputs)


@pytest.mark.slow
def test_an_installed_package_finds_its_skill(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    root = Path(__file__).parents[3]
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=root, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    code = (
        "from automl.skill.read import own_skill_dir, read_action_schema, read_skill\n"
        "skill = read_skill(own_skill_dir())\n"
        "assert read_action_schema(skill, 'train').leaves\n"
        "print(skill.folder)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(site)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.stdout.strip() == str((site / "automl" / "_skill").resolve())


@pytest.mark.skills
@pytest.mark.skipif(not SKILLS, reason="AUTOML_TAO_SKILLS names no folder of skills")
def test_every_published_skill_is_read() -> None:
    folders = [path for path in sorted(Path(SKILLS).iterdir()) if path.is_dir()]
    assert folders
    for folder in folders:
        skill = read_skill(folder)
        assert skill.automl_enabled
        assert skill.network_arch
        assert base_tree(skill, "train")


def test_a_broken_schema_does_not_hide_the_rest_of_a_skill(tmp_path: Path) -> None:
    folder = tmp_path / "tao-train-barenet"
    (folder / "references").mkdir(parents=True)
    (folder / "schemas").mkdir()
    (folder / "references" / "skill_info.yaml").write_text("automl_enabled: true")
    (folder / "schemas" / "train.schema.json").write_text("{broken")
    skill = read_skill(folder)
    assert (skill.network_arch, skill.automl_enabled) == ("barenet", True)
