"""The command that adds an optional part never names what somebody else has on the index."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from automl.extras import DISTRIBUTION, how_to_get

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "a tree"
    folder.mkdir()
    for name in ("constraints.txt", "pyproject.toml"):
        (folder / name).touch()
    return folder


def test_in_a_checkout(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout)
    assert how_to_get("trainer", checkout) == "pip install -c constraints.txt -e '.[trainer]'"


def test_from_another_folder_the_checkout_is_named(checkout: Path) -> None:
    words = shlex.split(how_to_get("remote", checkout))
    pinned = str(checkout / "constraints.txt")
    assert words == ["pip", "install", "-c", pinned, "-e", f"{checkout}[remote]"]


def test_installed_from_an_index(tmp_path: Path) -> None:
    assert how_to_get("remote", tmp_path) == "pip install 'automl-centerpose[remote]'"


def test_the_distribution_and_its_parts_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["name"] == DISTRIBUTION
    extras = project["optional-dependencies"]
    asked = {
        match[1]
        for path in (ROOT / "automl").rglob("*.py")
        for match in re.finditer(r'how_to_get\("(\w+)"', path.read_text())
    }
    assert {"trainer", "remote"} <= asked <= set(extras)


def test_nobody_is_sent_to_the_project_of_that_name() -> None:
    files = [
        *(ROOT / "automl").rglob("*.py"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("*.md"),
        ROOT / "pyproject.toml",
    ]
    strangers = re.compile(r"automl\[[a-z]+\]|pip install (-\S+ )*'?automl'?(\s|$)")
    assert not [str(path) for path in files if strangers.search(path.read_text())]


def test_the_development_image_installs_this_distribution() -> None:
    lines = (ROOT / "automl/trainers/dev_image/Dockerfile").read_text().splitlines()
    words = [word for line in lines if not line.startswith("#") for word in line.split()]
    assert DISTRIBUTION in words
    assert "automl" not in words
