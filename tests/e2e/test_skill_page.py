"""Every command of SKILL.md, run in a folder of its own on a small study that was really trained.

The user's folders (``/data``, ``/skills``) lie below the test's. What would train for long or
needs a GPU or a container stops at its plan (``--dry-run``), on a machine believed to have two
GPUs; everything else runs to its end.
"""

import json
import re
import shlex
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("cv2")

from automl.app.machine import Machine
from automl.cli.main import main
from automl.gpus import Gpu
from tests.documents import ROOT, documented
from tests.e2e.terminal import Terminal, opened
from tests.other_skill import write_other_skill
from tests.unit.data.convert.sources import known_frames, write_bop

pytestmark = [pytest.mark.slow, pytest.mark.torch, pytest.mark.ray, pytest.mark.timeout(900)]

_PAGE = ROOT / "SKILL.md"
_CALLS = list(dict.fromkeys(documented(_PAGE)))
_PLANNED = ("run", "evaluate", "inference", "export", "gen-trt-engine", "retrain")
#: What others of the page go on from, so the fixture runs it.
_FIRST = ("init",)
#: What trains or renders something, or wakes a library that warns: in a process of its own.
_ALONE = ("confirm", "resume", "reproduce", "doctor", "data", "mirror")
#: What serves until it is interrupted.
_SERVING = ("dashboard",)
#: Where a library is wanted that an extra of the package installs.
_EXTRAS: dict[tuple[str, ...], str] = {
    ("mirror", "mlflow"): "mlflow",
    ("mirror", "tensorboard"): "tensorboardX",
    ("mirror", "wandb"): "wandb",
    ("dashboard", "bike"): "optuna_dashboard",
}
_SMALL = (
    *("--set", "dataset.category=bike", "--set", "model.backbone.model_type=nano"),
    *("--set", "train.num_epochs=2", "--set", "dataset.workers=1"),
)


@dataclass(frozen=True)
class Place:
    """The folder that the page's commands are run in."""

    terminal: Terminal

    @property
    def folder(self) -> Path:
        return self.terminal.folder

    def words(self, call: tuple[str, ...]) -> list[str]:
        """A call with the test's folders in place of the user's.

        What is really trained is the small network: a CPU needs minutes for an epoch of another.
        """
        user = re.compile(r"(?<![\w.])/(?=(?:data|skills)\b)")
        words = [user.sub(f"{self.folder}/", word) for word in call]
        return [word.replace("DLA34", "nano") for word in words] if call[0] in _ALONE else words

    def must(self, *argv: str) -> None:
        done = self.terminal.run(*argv, within_s=300)
        assert done.code == 0, f"automl {shlex.join(argv)}\n{done.err}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Data, a finished search ``bike`` with an export, a second one, and another skill."""
    for terminal in opened(tmp_path_factory.mktemp("page")):
        place = Place(terminal)
        _write_data(place)
        data = [f"--{split}-data=data/bike/{split}" for split in ("train", "val", "test")]
        at = ("--name", "bike", "--studies-dir", "runs")
        place.must("run", *data, *_SMALL, "--trials", "2", *at, "--yes")
        place.must("export", "--study", "bike", "--studies-dir", "runs")
        runs = place.folder / "runs"
        shutil.copytree(runs / "bike", runs / "bike-wide", symlinks=True)
        (weights,) = (runs / "bike" / "best").glob("*.pth")
        shutil.copy(weights, place.folder / "data" / "bike" / "start.pth")
        for call in _CALLS:
            if call[0] in _FIRST and "--help" not in call:
                place.must(*place.words(call))
        yield place


def _write_data(place: Place) -> None:
    sizes = ("--train", "16", "--val", "16", "--test", "8")
    place.must("data", "synth", "--out", "data/bike", "--category", "bike", *sizes)
    bike = place.folder / "data" / "bike"
    for split in ("train", "val"):
        with tarfile.open(bike / f"{split}.tar.gz", "w:gz") as archive:
            archive.add(bike / split, arcname=split)
        (place.folder / "data" / "coco" / split / "images").mkdir(parents=True)
    write_bop(place.folder / "data" / "box-bop", known_frames(bike / "val"))
    write_other_skill(place.folder / "skills" / "tao-train-dino")


def test_commands_are_found() -> None:
    assert len(_CALLS) > 30
    assert {call[0] for call in _CALLS} >= {*_PLANNED, "best", "status", "plan", "explain", "list"}


@pytest.mark.parametrize(
    "call",
    [call for call in _CALLS if call[0] not in _FIRST],
    ids=lambda call: shlex.join(call)[:90],
)
def test_a_command_of_the_page_works(
    call: tuple[str, ...], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = place.words(call)
    if call[:2] in _EXTRAS:
        pytest.importorskip(_EXTRAS[call[:2]])
    if "--help" in words:
        with pytest.raises(SystemExit) as leaving:
            main(words)
        assert leaving.value.code == 0
        return
    allowed = {0, 3} if words[0] == "doctor" else {0}
    if words[0] in _SERVING:
        serving = place.terminal.start(*words, "--port", "0")
        serving.wait_until(lambda: "Ctrl-C" in serving.out.read_text(), "Ctrl-C")
        serving.interrupt()
        assert serving.wait().code == 0
        return
    if words[0] in _ALONE:
        done = place.terminal.run(*words, within_s=600)
        assert done.code in allowed, done.err
        return
    _believe_in_gpus(monkeypatch)
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("AUTOML_CACHE_DIR", str(place.folder / "cache"))
    monkeypatch.delenv("AUTOML_STUDIES_DIR", raising=False)
    planned = words[0] in _PLANNED and "--dry-run" not in words
    assert main([*words, *(["--dry-run"] if planned else [])]) in allowed


def _believe_in_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = tuple(Gpu(index, f"GPU-{index}", "NVIDIA H200") for index in range(2))
    for module in ("plan", "act"):
        name = f"automl.app.{module}.detect_machine"
        monkeypatch.setattr(name, lambda: Machine(8, gpus), raising=False)


def test_the_shown_answer_has_the_fields_of_a_real_one(place: Place) -> None:
    text = _PAGE.read_text(encoding="utf-8")
    (block,) = re.findall(r"<!-- best -->\n```json\n(.*?)```", text, re.DOTALL)
    done = place.terminal.run("best", "bike", "--studies-dir", "runs", "--json")
    shown, real = json.loads(block), json.loads(done.out)
    assert list(shown) == list(real)
    assert list(shown["winner"]) == list(real["winner"])
    assert (shown["schema"], shown["study"]) == (real["schema"], real["study"])
    assert (Path(real["folder"]) / real["winner"]["checkpoint"]).is_file()
    assert (Path(real["folder"]) / real["winner"]["spec"]).is_file()
