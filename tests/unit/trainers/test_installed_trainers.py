"""Trainers that installed packages bring: real distributions in a folder on the path."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from automl.errors import FixInput, PrepareMachine
from automl.skill.read import own_skill_dir, read_skill
from automl.trainers.installed import GROUP, read_installed
from automl.trainers.table import TRAINERS, all_trainers, make_trainer, trainer_entry

SKILL = read_skill(own_skill_dir())

CLUSTER = """
from automl.trainers.entry import TrainerEntry
from automl.settings.forms import text
from automl.settings.setting import Setting
from automl.trainers.scripted import ScriptedTrainer

def make(skill, options, action):
    return ScriptedTrainer()

QUEUE = Setting("cluster_queue", text(), "where jobs wait", trainer="cluster")
CLUSTER = TrainerEntry(name="cluster", summary="a queue of a cluster", make=make,
                       settings=(QUEUE,))
"""

Install = Callable[[str, Mapping[str, str], Mapping[str, str]], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a distribution: its name, its modules by name, its entry points by name."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def install(package: str, modules: Mapping[str, str], points: Mapping[str, str]) -> None:
        for name, text in modules.items():
            monkeypatch.delitem(sys.modules, name, raising=False)
            (site / f"{name}.py").write_text(text)
        about = site / f"{package.replace('-', '_')}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in points.items()]
        (about / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines, ""]))

    return install


def problem_of(name: str) -> str:
    (broken,) = [each for each in all_trainers().broken if each.name == name]
    return broken.problem


def test_without_packages_there_are_the_trainers_of_this_one() -> None:
    assert all_trainers().entries == TRAINERS
    assert all_trainers().broken == ()


def test_an_installed_trainer_is_one_like_the_others(install: Install) -> None:
    install(
        "cluster-trainer", {"cluster_trainer": CLUSTER}, {"cluster": "cluster_trainer:CLUSTER"}
    )
    assert list(all_trainers().entries) == [*TRAINERS, "cluster"]
    entry = trainer_entry("cluster")
    assert [setting.name for setting in entry.settings] == ["cluster_queue"]
    assert entry.program({}) == "cluster"
    assert not make_trainer("cluster", SKILL, {}).check()


@pytest.mark.parametrize(
    ("text", "value", "problem"),
    [
        ("import a_package_that_is_not_there", "odd:ENTRY", "a_package_that_is_not_there"),
        ("raise SystemExit(3)", "odd:ENTRY", "SystemExit: 3"),
        ("raise RuntimeError('two\\nlines')", "odd:ENTRY", "RuntimeError: two lines"),
        ("def ENTRY(:", "odd:ENTRY", "SyntaxError"),
        ("", "odd:ENTRY", "has no attribute 'ENTRY'"),
        ("ENTRY = 7", "odd:ENTRY", "odd:ENTRY must be a TrainerEntry, but is a int"),
        (
            CLUSTER.replace("cluster", "odd").replace("odd_queue", "image"),
            "odd:CLUSTER",
            "its setting image must begin with 'odd_'",
        ),
        (
            CLUSTER.replace('name="cluster"', 'name="odd"').replace("cluster_queue", "odd_queue"),
            "odd:CLUSTER",
            "its setting odd_queue must say trainer='odd'",
        ),
        (CLUSTER, "odd:CLUSTER", "its entry point must be named 'cluster', as the trainer is"),
    ],
)
def test_a_broken_one_is_named_and_left_out(
    install: Install, text: str, value: str, problem: str
) -> None:
    install("odd-trainer", {"odd": text}, {"odd": value})
    install(
        "cluster-trainer", {"cluster_trainer": CLUSTER}, {"cluster": "cluster_trainer:CLUSTER"}
    )
    trainers = all_trainers()
    assert list(trainers.entries) == [*TRAINERS, "cluster"]
    (broken,) = trainers.broken
    assert str(broken).startswith("the trainer odd of the package odd-trainer is left out: ")
    assert problem in broken.problem
    assert "\n" not in broken.problem


def test_who_asks_for_a_broken_one_learns_why_it_is(install: Install) -> None:
    install("odd-trainer", {"odd": "raise RuntimeError('no license')"}, {"odd": "odd:ENTRY"})
    with pytest.raises(PrepareMachine, match=r"no license.*odd-trainer"):
        make_trainer("odd", SKILL, {})


def test_no_package_takes_the_name_of_another_trainer(install: Install) -> None:
    docker = CLUSTER.replace('"cluster"', '"docker"')
    install("a-docker", {"a_docker": docker}, {"docker": "a_docker:CLUSTER"})
    assert problem_of("docker") == "its name is another trainer's"
    assert trainer_entry("docker") is TRAINERS["docker"]


def test_of_two_packages_with_one_name_the_first_in_order_counts(install: Install) -> None:
    for package in ("b-cluster", "a-cluster"):
        module = package.replace("-", "_")
        install(package, {module: CLUSTER}, {"cluster": f"{module}:CLUSTER"})
    installed = read_installed()
    assert list(installed.entries) == ["cluster"]
    assert [each.package for each in installed.broken] == ["b-cluster"]


def test_an_unknown_name_says_what_there_is(install: Install) -> None:
    install(
        "cluster-trainer", {"cluster_trainer": CLUSTER}, {"cluster": "cluster_trainer:CLUSTER"}
    )
    with pytest.raises(FixInput, match=r"scripted, cluster.*did you mean cluster"):
        make_trainer("clustr", SKILL, {})
    with pytest.raises(FixInput, match=GROUP):
        make_trainer("kubernetes", SKILL, {})


def test_a_list_of_trainers_loads_none_of_them() -> None:
    heavy = (
        "yaml",
        "subprocess",
        "socket",
        "automl.trainers.docker.trainer",
        "importlib.metadata",
    )
    code = (
        f"import sys, automl.trainers.table as t; assert list(t.TRAINERS); "
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
